//! CSV jobs: one update a row.

use std::ops::Range;
use std::sync::Arc;

use super::csv_dialect::{Dialect, detect};
use super::csv_header::{Column, column};
use super::csv_rows::{Row, Rows, letter};
use super::load::stem;
use super::mask;
use super::{
    Action, Expect, Guards, Input, Job, LoadOptions, Op, Origin, Pattern, RowLabel, Selector, Update,
};
use crate::catalogue::cell::{self, Cell};
use crate::catalogue::{Kind, validate};
use crate::model::{EntityId, FieldPath, Problem, SourceFile, TenantName};

/// Reads a CSV job, as spreadsheets write it.
///
/// # Errors
/// Everything that is wrong with it: all headers, all cells.
pub fn read(input: Input<'_>, options: LoadOptions<'_>) -> Result<Job, Vec<Problem>> {
    let Dialect { text, start, delimiter, lossy } = detect(input.bytes);
    let file = SourceFile::new(input.name, text);
    let mut rows = Rows::new(&file, start, delimiter);
    let mut problems = Vec::new();
    let Some(header) = rows.next(&mut problems) else {
        problems.push(
            Problem::new(format!("{} is empty", input.name)).help("a CSV job begins with a header row"),
        );
        return Err(problems);
    };
    let mut reader = Reader {
        kind: options.kind,
        source: Arc::clone(&file),
        file: Arc::clone(&file),
        delimiter,
        columns: Vec::new(),
        problems,
        warnings: Vec::new(),
    };
    reader.header(&header);
    if reader.columns.iter().any(|(name, _)| names_secret(options.kind, name)) {
        reader.file = SourceFile::new(input.name, mask::from(&file.text, header.span.end));
    }
    let mut last = None;
    let mut updates = Vec::new();
    while let Some(row) = rows.next(&mut reader.problems) {
        if lossy && reader.bad_bytes(&row) {
            break;
        }
        updates.extend(reader.row(&row));
        last = Some(row);
    }
    reader.unclosed_quote(last.as_ref().unwrap_or(&header));
    if updates.is_empty() && reader.problems.is_empty() {
        reader
            .warnings
            .push(Problem::new(format!("{} has a header and no rows: nothing to do", input.name)).warning());
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    Ok(Job {
        name: stem(input.name),
        kind: options.kind,
        digest: String::new(),
        allowed_tenants: Vec::new(),
        guards: Guards::default(),
        updates,
        columns: header.record.iter().map(str::to_owned).collect(),
        warnings: reader.warnings,
    })
}

struct Reader {
    kind: &'static Kind,
    /// The file as it is.
    source: Arc<SourceFile>,
    /// The file as errors may show it.
    file: Arc<SourceFile>,
    delimiter: u8,
    columns: Vec<(String, Column)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader {
    fn header(&mut self, header: &Row) {
        let mut selector = false;
        for (at, text) in header.record.iter().enumerate() {
            let column = column(self.kind, text).unwrap_or_else(|fault| {
                selector |= fault.selector;
                self.problems.push(
                    Problem::new(format!("row 1, column {}: {}", letter(at), fault.what))
                        .at(&self.file, self.cell_span(header, at))
                        .maybe_help(fault.help),
                );
                Column::Ignored
            });
            selector |= matches!(column, Column::Id | Column::Match(_));
            let double = !matches!(column, Column::Ignored | Column::Nameless)
                && self.columns.iter().any(|(_, earlier)| *earlier == column);
            if double {
                let what =
                    format!("row 1, column {}: `{}` stands twice in the header", letter(at), text.trim());
                self.problems.push(Problem::new(what).at(&self.file, self.cell_span(header, at)));
            }
            self.columns.push((text.trim().to_owned(), column));
        }
        if !selector {
            let id = &self.kind.endpoint.id_field;
            self.problems.push(
                Problem::new(format!("no column says which {} a row is about", self.kind.singular))
                    .at(&self.file, header.span.clone())
                    .help(format!("add a column `{id}`, or `match.name`")),
            );
        }
        if !self.columns.iter().any(|(_, c)| matches!(c, Column::Set(_))) && self.problems.is_empty() {
            self.problems.push(
                Problem::new("no column sets a field: the job would change nothing")
                    .at(&self.file, header.span.clone())
                    .help("add a column named like the field, such as `name`"),
            );
        }
    }

    fn unclosed_quote(&mut self, row: &Row) {
        if let Some(at) = row.unclosed_quote(&self.source.text, self.delimiter) {
            let what = format!("row {}: a quote is opened and never closed", row.number);
            let help = "close it, or double it where the quote itself is meant";
            self.problems.push(Problem::new(what).at(&self.file, at..at + 1).help(help));
        }
    }

    fn cell_span(&self, row: &Row, cell: usize) -> Range<usize> {
        row.cell(&self.source.text, self.delimiter, cell)
    }

    /// Reports the first cell whose bytes are not UTF-8; further ones tell nothing new.
    fn bad_bytes(&mut self, row: &Row) -> bool {
        let Some(at) = row.record.iter().position(|cell| cell.contains('\u{fffd}')) else { return false };
        let what = format!("{} holds bytes that are not UTF-8 text", self.cell_name(row, at));
        self.problems.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).help(
            "save the file as UTF-8 (in Excel: \"CSV UTF-8\"); it looks like windows-1252 or a relative",
        ));
        true
    }

    fn row(&mut self, row: &Row) -> Option<Update> {
        if row.record.len() != self.columns.len() {
            let what = format!(
                "row {} has {} cells, the header has {}",
                row.number,
                row.record.len(),
                self.columns.len()
            );
            let help = "a cell that holds the delimiter must stand in double quotes";
            self.problems.push(Problem::new(what).at(&self.file, row.span.clone()).help(help));
            return None;
        }
        let (mut id, mut fields, mut tenant) = (None, Vec::new(), None);
        let (mut ops, mut expects) = (Vec::new(), Vec::new());
        // Taken out so that reporting may borrow the rest; put back below.
        let columns = std::mem::take(&mut self.columns);
        for (at, (cell, (_, column))) in row.record.iter().zip(&columns).enumerate() {
            match column {
                Column::Id => id = Some(cell.trim()).filter(|id| !id.is_empty()).map(EntityId::new),
                Column::Tenant => tenant = Some(cell.trim()).filter(|t| !t.is_empty()).map(TenantName::new),
                Column::Match(path) if !cell.is_empty() => {
                    fields.push((path.clone(), Pattern::literal(cell)));
                }
                Column::Match(_) | Column::Ignored => (),
                Column::Set(path) => ops.extend(self.set(row, at, path, cell, &columns)),
                Column::Expect(path) => expects.extend(self.expect(row, at, path, cell, &columns)),
                Column::Nameless if cell.is_empty() => (),
                Column::Nameless => {
                    let what = format!(
                        "row {}, column {}: a value stands below an empty header",
                        row.number,
                        letter(at)
                    );
                    self.problems.push(Problem::new(what).at(&self.file, self.cell_span(row, at)));
                }
            }
        }
        self.columns = columns;
        let selector = match (id, fields.is_empty()) {
            (Some(id), true) => Selector::Id(id),
            (None, false) => Selector::Match { fields, every: false },
            (id, _) => {
                let both =
                    if id.is_some() { "both an id and a `match`" } else { "no id and no `match`: no client" };
                // Where the header itself is wrong, each row would repeat it.
                if self.columns.iter().any(|(_, c)| matches!(c, Column::Id | Column::Match(_))) {
                    let what = format!("row {} has {both}", row.number);
                    self.problems.push(Problem::new(what).at(&self.file, row.span.clone()));
                }
                return None;
            }
        };
        let origin =
            Origin { file: Arc::clone(&self.file), span: row.span.clone(), label: RowLabel::Row(row.number) };
        let cells = row.record.iter().map(str::to_owned).collect();
        Some(Update { origin, tenant, selector, ops, expects, fixed: Vec::new(), cells })
    }

    fn set(
        &mut self,
        row: &Row,
        at: usize,
        path: &FieldPath,
        text: &str,
        columns: &[(String, Column)],
    ) -> Option<Op> {
        let op = |action| Op { path: path.clone(), action, span: row.span.clone() };
        let faults = match cell::read(self.kind, path, text) {
            Ok(Cell::Leave) => return None,
            Ok(Cell::Unset) => match validate::unset(self.kind, path) {
                None => return Some(op(Action::Unset)),
                Some(fault) => vec![fault],
            },
            Ok(Cell::Value(value)) => {
                let faults = validate::value(self.kind, path, &value);
                if faults.is_empty() {
                    self.blanks(row, at, &value, columns);
                    return Some(op(Action::Set(value)));
                }
                faults
            }
            Err(fault) => vec![fault],
        };
        for fault in faults {
            self.cell_problem(row, at, columns, &fault.what, fault.help);
        }
        None
    }

    fn expect(
        &mut self,
        row: &Row,
        at: usize,
        path: &FieldPath,
        text: &str,
        columns: &[(String, Column)],
    ) -> Option<Expect> {
        let expect = |value| Some(Expect { path: path.clone(), value, span: row.span.clone() });
        match cell::read(self.kind, path, text) {
            Ok(Cell::Leave) => None,
            Ok(Cell::Unset) => expect(None),
            Ok(Cell::Value(value)) => expect(Some(value)),
            Err(fault) => {
                self.cell_problem(row, at, columns, &fault.what, fault.help);
                None
            }
        }
    }

    fn cell_problem(
        &mut self,
        row: &Row,
        at: usize,
        columns: &[(String, Column)],
        what: &str,
        help: Option<String>,
    ) {
        // The fault names its field; the column has just been named.
        let name = &columns[at].0;
        let field = name.strip_prefix("expect.").unwrap_or(name);
        let what = what.strip_prefix(field).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(what);
        let what = format!("row {}, column {} (`{name}`): {what}", row.number, letter(at));
        self.problems.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).maybe_help(help));
    }

    /// A blank at either end of a name is seldom meant, but may be.
    fn blanks(&mut self, row: &Row, at: usize, value: &serde_json::Value, columns: &[(String, Column)]) {
        if value.as_str().is_some_and(|text| text.trim() != text) {
            let what = format!(
                "row {}, column {} (`{}`): the text begins or ends with a blank",
                row.number,
                letter(at),
                columns[at].0
            );
            self.warnings.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).warning());
        }
    }

    fn cell_name(&self, row: &Row, at: usize) -> String {
        let name = self.columns.get(at).map(|(name, _)| name.as_str()).unwrap_or_default();
        format!("row {}, column {} (`{name}`)", row.number, letter(at))
    }
}

/// Whether a column's name is that of a secret field.
fn names_secret(kind: &Kind, name: &str) -> bool {
    let field =
        ["match.", "expect."].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    field.parse::<FieldPath>().is_ok_and(|path| kind.is_secret(&path))
}
