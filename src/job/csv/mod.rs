//! CSV jobs: one update a row. Central function: [`read`].
//!
//! `dialect` makes text of the bytes, `rows` finds the records in it with their places, `header` says what the columns mean,
//! `cells` what the cells of a row ask for, `base` what of it was edited since `get` wrote the file; `table` reads the files
//! of any layout that `rows` of a TOML job names, and `write` makes the file that `get` leaves.

mod base;
mod cells;
mod dialect;
mod header;
mod rows;
pub(super) mod table;
pub mod write;

use std::ops::Range;
use std::sync::Arc;

use super::check;
use super::load::stem;
use super::mask;
use super::update::overlaps;
use super::{Extras, Input, Job, LoadOptions, Op, Origin, RowLabel, Selector, Update, want};
use crate::catalogue::{self, Kind};
use crate::model::{Cells, EntityId, FieldPath, Problem, SourceFile};
use cells::Draft;
use dialect::{Dialect, detect};
use header::{Column, Rules, column};
use rows::{Row, Rows, letter};

/// The column that says what kind of object a row is about.
pub const KIND_COLUMN: &str = "kind";

/// The column in which `get` leaves the digest of what it fetched.
pub const BASE_COLUMN: &str = "_base";

/// Reads a CSV job, as spreadsheets write it.
///
/// # Errors
/// Everything that is wrong with it: all headers, all cells.
pub fn read(input: Input<'_>, options: LoadOptions<'_>) -> Result<Job, Vec<Problem>> {
    let Dialect { text, start, delimiter, lossy } = detect(input.bytes, options.encoding);
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
        options,
        kind: options.kind,
        kind_of_row: None,
        source: Arc::clone(&file),
        file: Arc::clone(&file),
        rows_from: header.span.end,
        delimiter,
        from_get: header.record.iter().any(|name| name.trim() == BASE_COLUMN),
        columns: Arc::from([]),
        problems,
        warnings: Vec::new(),
        base_needed: 0,
        told: Vec::new(),
    };
    reader.kind_of_rows(&header, Rows::new(&file, start, delimiter));
    reader.header(&header);
    if reader.columns.iter().any(|(name, _)| names_secret(reader.kind, name)) {
        reader.hide_rows();
    }
    let mut last = None;
    let lines = file.text.bytes().filter(|byte| *byte == b'\n').count();
    let mut updates = Vec::with_capacity(lines);
    while let Some(row) = rows.next(&mut reader.problems) {
        if lossy && reader.bad_bytes(&row) {
            break;
        }
        updates.extend(reader.row(&row));
        last = Some(row);
    }
    reader.unclosed_quote(last.as_ref().unwrap_or(&header));
    reader.say_what_has_no_base(updates.len());
    if updates.is_empty() && reader.problems.is_empty() {
        reader
            .warnings
            .push(Problem::new(format!("{} has a header and no rows: nothing to do", input.name)).warning());
    }
    if !reader.problems.is_empty() {
        let across = check::across(&updates);
        reader.problems.extend(across);
        return Err(reader.hidden_where_needed());
    }
    Ok(Job {
        updates,
        columns: header.record.iter().map(str::to_owned).collect(),
        warnings: reader.warnings,
        ..Job::empty(stem(input.name), options.kinds)
    })
}

struct Reader<'o> {
    options: LoadOptions<'o>,
    /// What its rows are about: a column means a field of one kind.
    kind: &'static Kind,
    /// The row that says so.
    kind_of_row: Option<usize>,
    /// The file as it is.
    source: Arc<SourceFile>,
    /// The file as errors may show it.
    file: Arc<SourceFile>,
    /// Where the header ends.
    rows_from: usize,
    delimiter: u8,
    /// Whether `get` wrote it: then only what was edited is a change.
    from_get: bool,
    columns: Arc<[(String, Column)]>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Rows whose base is not to be had.
    base_needed: usize,
    /// Columns that were reported as a whole.
    told: Vec<usize>,
}

impl Reader<'_> {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The kind that the first row with one says.
    fn kind_of_rows(&mut self, header: &Row, mut rows: Rows<'_>) {
        let Some(at) = header.record.iter().position(|name| name.trim() == KIND_COLUMN) else { return };
        let mut unread = Vec::new();
        rows.next(&mut unread);
        while let Some(row) = rows.next(&mut unread) {
            if let Some(kind) = row.record.get(at).and_then(|cell| catalogue::kind(cell.trim())) {
                self.kind = self.options.kinds.get(kind.name);
                self.kind_of_row = Some(row.number);
                return;
            }
        }
    }

    fn header(&mut self, header: &Row) {
        let rules = Rules { from_get: self.from_get, ignored: self.options.ignored_columns };
        let mut selector = false;
        let mut columns: Vec<(String, Column)> = Vec::new();
        for (at, text) in header.record.iter().enumerate() {
            let column = column(self.kind(), text, rules).unwrap_or_else(|fault| {
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
            let id = &self.kind().endpoint.id_field;
            self.problems.push(
                Problem::new(format!("no column says which {} a row is about", self.kind().singular))
                    .at(&self.file, header.span.clone())
                    .help(format!("add a column `{id}`, or `match.name`")),
            );
        }
        if !self.columns.iter().any(|(_, column)| column.changes()) && self.problems.is_empty() {
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

    /// Reports the first cell whose bytes are not text; further ones tell nothing new.
    fn bad_bytes(&mut self, row: &Row) -> bool {
        let Some(at) = row.record.iter().position(|cell| cell.contains('\u{fffd}')) else { return false };
        let what = format!("{} {}", self.cell_name(row, at), dialect::not_text(self.options.encoding));
        let problem = Problem::new(what).at(&self.file, self.cell_span(row, at));
        self.problems.push(problem.help(dialect::ENCODING_HELP));
        true
    }

    fn row(&mut self, row: &Row) -> Option<Update> {
        if let Some(problem) = row.ragged(self.columns.len(), &self.file) {
            self.problems.push(problem);
            return None;
        }
        if let Some(at) = row.stray_quote(&self.source.text, self.delimiter) {
            let what = format!("row {}: a quoted cell goes on behind its closing quote", row.number);
            let help = "double a quote that is meant as text, or close the cell before it";
            self.problems.push(Problem::new(what).at(&self.file, at..at + 1).help(help));
            return None;
        }
        let before = self.problems.len();
        let draft = self.draft(row);
        self.overlaps(row, &draft.ops);
        let selector = self.selector(row, &draft)?;
        let origin =
            Origin { file: Arc::clone(&self.file), span: row.span.clone(), label: RowLabel::Row(row.number) };
        let cells = self.cells(row);
        let Draft { tenant, mut ops, mut expects, fixed, base, .. } = draft;
        // A row has one operation or two, and lists that grow begin with room for four.
        ops.shrink_to_fit();
        expects.shrink_to_fit();
        let extras = Extras { fixed, base: base.map(Arc::from), ..Extras::default() };
        let update =
            Update { tenant, ops, expects, cells, ..Update::new(self.kind, origin, selector) }.with(extras);
        (self.problems.len() == before).then_some(update)
    }

    /// What a report repeats of a row: its cells, but for those of columns that are named like a secret.
    fn cells(&self, row: &Row) -> Cells {
        if Arc::ptr_eq(&self.source, &self.file) {
            return Cells::of_record(&self.source, &row.span, self.delimiter);
        }
        let shown = |(cell, (name, _)): (&'_ str, &(String, Column))| {
            if names_secret(self.kind(), name) { String::new() } else { cell.to_owned() }
        };
        row.record.iter().zip(self.columns.iter()).map(shown).collect()
    }

    fn overlaps(&mut self, row: &Row, ops: &[Op]) {
        let mut clashes: Vec<String> = overlaps(ops)
            .into_iter()
            .map(|(op, other)| {
                let (verb, of) = (op.action.verb(), other.action.verb());
                format!("`{}` ({of}) and `{}` ({verb}) change the same thing", other.path, op.path)
            })
            .collect();
        let shared = want::shared_items(ops).into_iter();
        clashes
            .extend(shared.map(|(op, _, item)| format!("`{}`: {item} is both added and removed", op.path)));
        for clash in clashes {
            let problem =
                Problem::new(format!("row {}: {clash}", row.number)).at(&self.file, row.span.clone());
            self.problems.push(problem.help("leave one of the two cells empty"));
        }
    }

    /// Whom a row is about. An empty `match` cell is no condition left out: it would widen the row to clients that nobody
    /// meant.
    fn selector(&mut self, row: &Row, draft: &Draft) -> Option<Selector> {
        let Draft { id, fields, blank_match, .. } = draft;
        match (id, fields.is_empty()) {
            (Some(id), true) => return Some(Selector::Id(EntityId::clone(id))),
            (None, false) if blank_match.is_empty() => return Some(Selector::matching(fields.clone())),
            (None, false) => {
                for at in blank_match {
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
            if shown.name == file.name {
                *shown = Arc::clone(&file);
            }
        }
        problems
    }

    /// No row is shown any more: some cell holds a secret.
    fn hide_rows(&mut self) {
        self.file = SourceFile::new(self.source.name.clone(), mask::from(&self.source.text, self.rows_from));
    }

    fn cell_problem(&mut self, row: &Row, at: usize, what: &str, help: Option<String>) {
        // The fault names its field; the column has just been named.
        let name = &self.columns[at].0;
        let field = ["expect.", "add.", "remove."].iter().find_map(|prefix| name.strip_prefix(prefix));
        let field = field.unwrap_or(name);
        let what = what.strip_prefix(field).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(what);
        let what = format!("{}: {what}", self.cell_name(row, at));
        self.problems.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).maybe_help(help));
    }

    fn cell_name(&self, row: &Row, at: usize) -> String {
        let name = self.columns.get(at).map(|(name, _)| name.as_str()).unwrap_or_default();
        format!("row {}, column {} (`{name}`)", row.number, letter(at))
    }
}

/// Whether a column's name is that of a secret field.
pub(super) fn names_secret(kind: &Kind, name: &str) -> bool {
    let prefixes = ["match.", "expect.", "add.", "remove."];
    let field = prefixes.into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    field.parse::<FieldPath>().is_ok_and(|path| kind.is_secret(&path))
}
