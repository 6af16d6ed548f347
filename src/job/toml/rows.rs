//! `rows = "file.csv"`: one update for each row of a file of any layout.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Reader;
use super::update::Written;
use crate::catalogue::Kind;
use crate::catalogue::cell::Cell;
use crate::job::csv::table::{self, Sheet};
use crate::job::leaves::{self, Leaf};
use crate::job::template::{RenderFault, RowCells, Scope};
use crate::job::term::Term;
use crate::job::want::{self, Want};
use crate::job::{Action, Expect, Op, RowLabel, Selector, Update, load};
use crate::model::{FieldPath, Problem, TenantName};

/// The files that have been read, each once.
#[derive(Default)]
pub(super) struct SpreadSheets {
    read: HashMap<String, Option<Arc<Sheet>>>,
    digests: Vec<u8>,
}

impl SpreadSheets {
    /// The file that an update names; a file that cannot be read is reported where it is first named.
    pub(super) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        (name, span): &(String, Range<usize>),
        columns: &mut Columns,
    ) -> Option<Arc<Sheet>> {
        if !self.read.contains_key(name) {
            let sheet = self.open(reader, name, span);
            columns.add(reader.kind(), sheet.as_deref());
            self.read.insert(name.clone(), sheet);
        }
        self.read.get(name).cloned().flatten()
    }

    fn open(&mut self, reader: &mut Reader<'_>, name: &str, span: &Range<usize>) -> Option<Arc<Sheet>> {
        let bytes = match reader.options.files.read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                let help = "the path is relative to the job file";
                reader.fault(format!("cannot read {name}: {error}"), span.clone(), Some(help.to_owned()));
                return None;
            }
        };
        self.digests.extend(Sha256::digest(&bytes));
        match table::read(reader.kind(), name, &bytes, reader.options.encoding) {
            Ok(sheet) => {
                if sheet.rows.is_empty() {
                    reader.warn(
                        format!("{name} has a header and no rows: nothing to do"),
                        span.clone(),
                        None,
                    );
                }
                Some(Arc::new(sheet))
            }
            Err(problems) => {
                reader.problems.extend(problems);
                None
            }
        }
    }

    /// The content of all files is part of the job's digest.
    pub(super) fn digests(&self) -> String {
        load::hex(&self.digests)
    }
}

/// The columns of all files, each once, for the report.
#[derive(Default)]
pub(super) struct Columns {
    names: Vec<String>,
    /// Columns of secret fields, whose cells the report leaves empty.
    secret: Vec<bool>,
}

impl Columns {
    fn add(&mut self, kind: &Kind, sheet: Option<&Sheet>) {
        for name in sheet.into_iter().flat_map(|sheet| sheet.columns.iter()) {
            if !self.names.contains(name) {
                self.names.push(name.clone());
                self.secret.push(table::names_secret(kind, name));
            }
        }
    }

    /// Gives each update that has a row its cells, beside the columns.
    pub(super) fn fill(self, updates: &mut [Update]) -> Vec<String> {
        for update in updates.iter_mut() {
            let Some(row) = &update.row else { continue };
            let cell = |(name, secret): (&String, &bool)| {
                let at = row.columns.iter().position(|column| column == name).filter(|_| !secret);
                at.and_then(|at| row.cells.get(at)).unwrap_or_default().to_owned()
            };
            update.cells = self.names.iter().zip(&self.secret).map(cell).collect();
        }
        self.names
    }
}

/// What became of a part of an update once a row was put in.
type Put<T> = Result<T, RenderFault>;

impl Reader<'_> {
    /// One update for each row. What depends on the row alone is filled in and checked now.
    pub(super) fn rows(&mut self, written: &Written, sheet: &Arc<Sheet>, several: bool) -> Vec<Update> {
        let of_row = |row: usize| match written.update.origin.label {
            RowLabel::Update(update) => RowLabel::RowOf { update, row },
            RowLabel::Create(create) => RowLabel::RowOfCreate { create, row },
            other => other,
        };
        let only_for = sheet.columns.iter().position(|column| column == TENANT_COLUMN);
        let bare = Update { ops: Vec::new(), expects: Vec::new(), ..written.update.clone() };
        let mut updates = Vec::with_capacity(sheet.rows.len());
        for row in &sheet.rows {
            let label = if several { of_row(row.number) } else { RowLabel::Row(row.number) };
            let cells = Arc::new(RowCells {
                columns: Arc::clone(&sheet.columns),
                cells: row.record.clone(),
                number: row.number,
            });
            let scope = Scope::of_row(&cells);
            let before = self.problems.len();
            let mut update = Update {
                selector: self.selector_of_row(&written.update, &scope, sheet, row),
                ops: Vec::with_capacity(written.update.ops.len()),
                expects: Vec::new(),
                tenant: only_for.and_then(|at| row.record.get(at)).and_then(tenant_of_cell),
                row: Some(cells),
                ..bare.clone()
            };
            update.origin.label = label;
            for op in &written.update.ops {
                update.ops.extend(self.op_of_row(op, &scope, sheet, row));
            }
            for expect in &written.update.expects {
                update.expects.extend(self.expect_of_row(expect, &scope, sheet, row));
            }
            for (op, _, item) in want::shared_items(&update.ops) {
                let what = format!("{}: `{}`: {item} is both added and removed", label.in_words(), op.path);
                self.problems.push(Problem::new(what).at(&sheet.file, row.span.clone()));
            }
            if self.problems.len() == before {
                updates.push(update);
            }
        }
        updates
    }

    fn selector_of_row(
        &mut self,
        written: &Update,
        scope: &Scope,
        sheet: &Sheet,
        row: &table::Row,
    ) -> Selector {
        let selector = &written.selector;
        let Selector::Templated(templated) = selector else { return selector.clone() };
        if templated.uses().tenant {
            return selector.clone();
        }
        match templated.bind(self.kind(), scope) {
            Ok(bound) => bound,
            Err(fault) => {
                self.row_problem(sheet, row, &Op::at(written.origin.span.clone()), fault);
                selector.clone()
            }
        }
    }

    /// An operation that depends on the row alone is filled in; any other waits for its client.
    fn op_of_row(&mut self, op: &Op, scope: &Scope, sheet: &Sheet, row: &table::Row) -> Vec<Op> {
        if !depends_on_row_alone(op.action.term()) {
            return vec![op.clone()];
        }
        match self.put_op(op, scope) {
            Ok(ops) => ops,
            Err(faults) => {
                for fault in faults {
                    self.row_problem(sheet, row, op, fault);
                }
                Vec::new()
            }
        }
    }

    fn put_op(&mut self, op: &Op, scope: &Scope) -> Result<Vec<Op>, Vec<RenderFault>> {
        let wants = want::fill(self.kind(), op, scope).map_err(|fault| vec![fault])?;
        let mut ops = Vec::new();
        let mut faults = Vec::new();
        for (path, want) in wants {
            let span = op.span.clone();
            match want {
                Want::Set { value, .. } => {
                    self.checked(path, value.into_owned(), span, &mut ops, &mut faults);
                }
                Want::Empty { .. } => self.checked(path, Value::Null, span, &mut ops, &mut faults),
                Want::Exactly(value) => {
                    let term = Term::Value(value.into_owned());
                    let wrong = crate::job::replace::check(self.kind(), &path, &term).0;
                    faults.extend(wrong.into_iter().map(|fault| RenderFault {
                        what: fault.what,
                        help: fault.help,
                        lost: None,
                    }));
                    ops.push(Op { path, action: Action::Replace(term), span });
                }
                Want::Add(items) => {
                    let wrong = crate::catalogue::validate::items(
                        self.kind(),
                        &path,
                        items.as_array().map(Vec::as_slice).unwrap_or_default(),
                    );
                    faults.extend(wrong.into_iter().map(|fault| RenderFault {
                        what: fault.what,
                        help: fault.help,
                        lost: None,
                    }));
                    ops.push(Op { path, action: Action::Add(items.into_owned().into()), span });
                }
                Want::Remove(items) => {
                    ops.push(Op { path, action: Action::Remove(items.into_owned().into()), span });
                }
            }
        }
        if faults.is_empty() { Ok(ops) } else { Err(faults) }
    }

    fn checked(
        &self,
        path: FieldPath,
        value: Value,
        span: Range<usize>,
        ops: &mut Vec<Op>,
        faults: &mut Vec<RenderFault>,
    ) {
        match leaves::op(self.kind(), Leaf::Value { path, value: value.into(), span }) {
            Ok(op) => ops.push(op),
            Err(wrong) => {
                faults.extend(wrong.into_iter().map(|(what, help)| RenderFault { what, help, lost: None }));
            }
        }
    }

    fn expect_of_row(
        &mut self,
        expect: &Expect,
        scope: &Scope,
        sheet: &Sheet,
        row: &table::Row,
    ) -> Option<Expect> {
        let Some(term) = expect.value.as_ref().filter(|term| depends_on_row_alone(Some(term))) else {
            return Some(expect.clone());
        };
        let put: Put<Option<Option<Value>>> =
            want::filled(self.kind(), &expect.path, term, scope).map(|cell| match cell {
                Cell::Leave => None,
                Cell::Unset => Some(None),
                Cell::Value(value) => Some(Some(value).filter(|value| !value.is_null())),
            });
        match put {
            Ok(value) => value.map(|value| Expect { value: value.map(Term::Value), ..expect.clone() }),
            Err(fault) => {
                self.row_problem(sheet, row, &Op::at(expect.span.clone()), fault);
                None
            }
        }
    }

    /// A mistake in a row is shown in the file of rows; the cell is marked where the operation names its column.
    fn row_problem(&mut self, sheet: &Sheet, row: &table::Row, op: &Op, fault: RenderFault) {
        let column = op.action.term().and_then(|term| sheet.column_of(term));
        let (place, span) = match column {
            Some(at) => (
                format!("row {}, column {} (`{}`)", row.number, table::letter(at), sheet.columns[at]),
                row.cell(&sheet.file.text, sheet.delimiter, at),
            ),
            None => (format!("row {}", row.number), row.span.clone()),
        };
        let what =
            fault.what.strip_prefix(&format!("row {}: ", row.number)).unwrap_or(&fault.what).to_owned();
        if what.contains("there is no `row['") {
            return self.no_such_column(sheet, op, what, fault.help);
        }
        let problem = Problem::new(format!("{place}: {what}")).at(&sheet.file, span);
        self.problems.push(problem.maybe_help(fault.help));
    }
}

impl Reader<'_> {
    /// A column that the file does not have is a mistake of the job, and the same one in every row: it is told once.
    fn no_such_column(&mut self, sheet: &Sheet, op: &Op, what: String, help: Option<String>) {
        if !self.told_columns.insert((op.span.start, what.clone())) {
            return;
        }
        let columns = || {
            let names: Vec<String> = sheet.columns.iter().map(|name| format!("`{name}`")).collect();
            format!("{} has the columns {}", sheet.file.name, names.join(", "))
        };
        let help = help.filter(|help| help.starts_with("did you mean")).unwrap_or_else(columns);
        self.fault(what, op.span.clone(), Some(help));
    }
}

/// The one column that means something by its name: results name the tenant in it, and their rows are for that tenant alone
/// when the file is used again.
const TENANT_COLUMN: &str = "_tenant";

fn tenant_of_cell(cell: &str) -> Option<TenantName> {
    Some(cell.trim()).filter(|cell| !cell.is_empty()).map(TenantName::new)
}

fn depends_on_row_alone(term: Option<&Term>) -> bool {
    let uses = term.map(Term::uses).unwrap_or_default();
    uses.row && !uses.tenant && !uses.client()
}
