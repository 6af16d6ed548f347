//! CSV jobs: one update a row.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::csv_dialect::{Dialect, detect};
use super::csv_header::{Column, column};
use super::csv_rows::{Row, Rows, letter};
use super::leaves::{self, Leaf};
use super::load::stem;
use super::mask;
use super::update::overlaps;
use super::{Expect, Guards, Input, Job, LoadOptions, Op, Origin, Pattern, RowLabel, Selector, Update};
use crate::catalogue::cell::{self, Cell};
use crate::catalogue::{Kind, redact};
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
        rows_from: 0,
        delimiter,
        columns: Arc::from([]),
        problems,
        warnings: Vec::new(),
    };
    reader.header(&header);
    reader.rows_from = header.span.end;
    if reader.columns.iter().any(|(name, _)| names_secret(options.kind, name)) {
        reader.hide_rows();
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
        return Err(reader.hidden_where_needed());
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

/// A row as far as it is understood.
#[derive(Default)]
struct Draft {
    id: Option<EntityId>,
    tenant: Option<TenantName>,
    fields: Vec<(FieldPath, Pattern)>,
    /// Columns whose `match` cell is empty.
    blank_match: Vec<usize>,
    ops: Vec<Op>,
    expects: Vec<Expect>,
}

struct Reader {
    kind: &'static Kind,
    /// The file as it is.
    source: Arc<SourceFile>,
    /// The file as errors may show it.
    file: Arc<SourceFile>,
    /// Where the header ends.
    rows_from: usize,
    delimiter: u8,
    columns: Arc<[(String, Column)]>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader {
    fn header(&mut self, header: &Row) {
        let mut selector = false;
        let mut columns: Vec<(String, Column)> = Vec::new();
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
                && columns.iter().any(|(_, earlier)| *earlier == column);
            if double {
                let what =
                    format!("row 1, column {}: `{}` stands twice in the header", letter(at), text.trim());
                self.problems.push(Problem::new(what).at(&self.file, self.cell_span(header, at)));
            }
            let column = if double { Column::Ignored } else { column };
            columns.push((text.trim().to_owned(), column));
        }
        self.columns = Arc::from(columns);
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
        let mut draft = Draft::default();
        let columns = Arc::clone(&self.columns);
        for (at, (cell, (_, column))) in row.record.iter().zip(columns.iter()).enumerate() {
            let filled = || Some(cell.trim()).filter(|text| !text.is_empty());
            match column {
                Column::Id => draft.id = filled().map(EntityId::new),
                Column::Tenant => {
                    draft.tenant = draft.tenant.take().or_else(|| filled().map(TenantName::new));
                }
                Column::RowTenant => draft.tenant = filled().map(TenantName::new).or(draft.tenant.take()),
                Column::Match(_) if cell.is_empty() => draft.blank_match.push(at),
                Column::Match(path) => draft.fields.push((path.clone(), Pattern::literal(cell))),
                Column::Ignored => (),
                Column::Set(path) => draft.ops.extend(self.set(row, at, path, cell)),
                Column::Expect(path) => draft.expects.extend(self.expect(row, at, path, cell)),
                Column::Nameless if cell.is_empty() => (),
                Column::Nameless => {
                    let place = format!("row {}, column {}", row.number, letter(at));
                    let problem = Problem::new(format!("{place}: a value stands below an empty header"));
                    self.problems.push(problem.at(&self.file, self.cell_span(row, at)));
                }
            }
        }
        for (op, other) in overlaps(&draft.ops) {
            let what =
                format!("row {}: `{}` and `{}` change the same thing", row.number, op.path, other.path);
            let problem = Problem::new(what).at(&self.file, row.span.clone());
            self.problems.push(problem.help("leave one of the two cells empty"));
        }
        let selector = self.selector(row, draft.id, draft.fields, &draft.blank_match)?;
        let origin =
            Origin { file: Arc::clone(&self.file), span: row.span.clone(), label: RowLabel::Row(row.number) };
        let cells = row.record.iter().map(str::to_owned).collect();
        let Draft { tenant, ops, expects, .. } = draft;
        Some(Update { origin, tenant, selector, base: None, ops, expects, fixed: Vec::new(), cells })
    }

    /// Whom a row is about. An empty `match` cell is no condition left out: it would widen the row to clients that nobody
    /// meant.
    fn selector(
        &mut self,
        row: &Row,
        id: Option<EntityId>,
        fields: Vec<(FieldPath, Pattern)>,
        blank: &[usize],
    ) -> Option<Selector> {
        match (id, fields.is_empty()) {
            (Some(id), true) => return Some(Selector::Id(id)),
            (None, false) if blank.is_empty() => return Some(Selector::Match { fields, every: false }),
            (None, false) => {
                for at in blank {
                    let help = "fill it in, or take the column out where it is no condition";
                    self.cell_problem(
                        row,
                        *at,
                        "the cell is empty, but others say whom the row is about",
                        Some(help.into()),
                    );
                }
            }
            // Where the header itself is wrong, each row would repeat it.
            (id, _) if self.columns.iter().any(|(_, c)| matches!(c, Column::Id | Column::Match(_))) => {
                let both =
                    if id.is_some() { "both an id and a `match`" } else { "no id and no `match`: no client" };
                let what = format!("row {} has {both}", row.number);
                self.problems.push(Problem::new(what).at(&self.file, row.span.clone()));
            }
            _ => (),
        }
        None
    }

    /// The problems, those from before a secret was met shown like those after it.
    fn hidden_where_needed(self) -> Vec<Problem> {
        let Self { file, mut problems, .. } = self;
        for (shown, _) in problems.iter_mut().filter_map(|problem| problem.place.as_mut()) {
            *shown = Arc::clone(&file);
        }
        problems
    }

    /// No row is shown any more: some cell holds a secret.
    fn hide_rows(&mut self) {
        self.file = SourceFile::new(self.source.name.clone(), mask::from(&self.source.text, self.rows_from));
    }

    /// What one cell sets: a leaf, or, where it holds an object, the leaves of that; their siblings stay.
    fn set(&mut self, row: &Row, at: usize, path: &FieldPath, text: &str) -> Vec<Op> {
        let cell = match cell::read(self.kind, path, text) {
            Ok(cell) => cell,
            Err(fault) => {
                self.cell_problem(row, at, &fault.what, fault.help);
                return Vec::new();
            }
        };
        let leaves = match cell {
            Cell::Leave => Vec::new(),
            Cell::Unset => {
                vec![Leaf::Value { path: path.clone(), value: Value::Null, span: row.span.clone() }]
            }
            Cell::Value(value) => {
                if (value.is_object() || value.is_array()) && redact::holds_secret(self.kind, path, &value) {
                    self.hide_rows();
                }
                self.blanks(row, at, &value);
                leaves::of_value(self.kind, path, &row.span, value)
            }
        };
        let mut ops = Vec::new();
        for leaf in leaves {
            match leaves::op(self.kind, leaf) {
                Ok(op) => ops.push(op),
                Err(faults) => {
                    faults.into_iter().for_each(|(what, help)| self.cell_problem(row, at, &what, help));
                }
            }
        }
        ops
    }

    fn expect(&mut self, row: &Row, at: usize, path: &FieldPath, text: &str) -> Option<Expect> {
        let value = match cell::read(self.kind, path, text) {
            Ok(Cell::Leave) => return None,
            Ok(Cell::Unset) => None,
            Ok(Cell::Value(value)) => Some(value),
            Err(fault) => {
                self.cell_problem(row, at, &fault.what, fault.help);
                return None;
            }
        };
        if value.as_ref().is_some_and(|value| redact::holds_secret(self.kind, path, value)) {
            self.hide_rows();
            self.cell_problem(row, at, "a secret cannot be expected to hold a value", None);
            return None;
        }
        Some(Expect { path: path.clone(), value, span: row.span.clone() })
    }

    fn cell_problem(&mut self, row: &Row, at: usize, what: &str, help: Option<String>) {
        // The fault names its field; the column has just been named.
        let name = &self.columns[at].0;
        let field = name.strip_prefix("expect.").unwrap_or(name);
        let what = what.strip_prefix(field).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(what);
        let what = format!("{}: {what}", self.cell_name(row, at));
        self.problems.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).maybe_help(help));
    }

    /// A blank at either end of a name is seldom meant, but may be.
    fn blanks(&mut self, row: &Row, at: usize, value: &Value) {
        if value.as_str().is_some_and(|text| text.trim() != text) {
            let what = format!("{}: the text begins or ends with a blank", self.cell_name(row, at));
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
