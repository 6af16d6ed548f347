//! What the cells of a row ask for.

use serde_json::Value;

use super::Reader;
use super::base::Base;
use super::header::Column;
use super::rows::Row;
use super::write::without_guard;
use crate::catalogue::cell::{self, Cell};
use crate::catalogue::{self, load, redact, validate};
use crate::job::leaves::{self, Leaf};
use crate::job::{Action, Expect, Op, Pattern};
use crate::model::words::a;
use crate::model::{EntityId, FieldPath, Problem, TenantName};

/// A row as far as it is understood.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) id: Option<EntityId>,
    pub(super) tenant: Option<TenantName>,
    pub(super) fields: Vec<(FieldPath, Pattern)>,
    /// Columns whose `match` cell is empty.
    pub(super) blank_match: Vec<usize>,
    /// The digest of what `get` fetched.
    pub(super) base: Option<String>,
    pub(super) ops: Vec<Op>,
    pub(super) expects: Vec<Expect>,
    pub(super) fixed: Vec<Op>,
}

impl Reader<'_> {
    pub(super) fn draft(&mut self, row: &Row) -> Draft {
        let mut draft = Draft::default();
        self.who(row, &mut draft);
        let base = self.base_of(row, &draft);
        let columns = std::sync::Arc::clone(&self.columns);
        for (at, (cell, (_, column))) in row.record.iter().zip(columns.iter()).enumerate() {
            let text = if self.from_get { without_guard(cell) } else { cell };
            match column {
                Column::Set(path) | Column::Fixed(path) if !matches!(base, Base::None) => {
                    self.compared(row, at, path, text, &base, &mut draft);
                }
                Column::Set(path) => {
                    let ops = self.set(row, at, path, text);
                    draft.ops.extend(ops);
                }
                Column::Fixed(path) if !text.is_empty() => self.fixed_without_base(row, at, path),
                Column::Add(path) => draft.ops.extend(self.items(row, at, path, text, Action::Add)),
                Column::Remove(path) => draft.ops.extend(self.items(row, at, path, text, Action::Remove)),
                Column::Unset => draft.ops.extend(self.unset(row, at, text)),
                Column::Expect(path) => draft.expects.extend(self.expect(row, at, path, text)),
                Column::Kind => self.one_kind(row, at, text),
                Column::Nameless if !cell.is_empty() => {
                    let place = format!("row {}, column {}", row.number, super::letter(at));
                    let problem = Problem::new(format!("{place}: a value stands below an empty header"));
                    self.problems.push(problem.at(&self.file, self.cell_span(row, at)));
                }
                _ => (),
            }
        }
        draft
    }

    /// Whom the row is about, and from which fetch it comes.
    fn who(&mut self, row: &Row, draft: &mut Draft) {
        let columns = std::sync::Arc::clone(&self.columns);
        for (at, (cell, (_, column))) in row.record.iter().zip(columns.iter()).enumerate() {
            let cell = if self.from_get { without_guard(cell) } else { cell };
            let filled = || Some(cell.trim()).filter(|text| !text.is_empty());
            match column {
                Column::Id => draft.id = filled().map(EntityId::new),
                Column::Tenant => {
                    draft.tenant = draft.tenant.take().or_else(|| filled().map(TenantName::new));
                }
                Column::RowTenant => draft.tenant = filled().map(TenantName::new).or(draft.tenant.take()),
                Column::Match(_) if cell.is_empty() => draft.blank_match.push(at),
                Column::Match(path) => {
                    let field = self.kind().lookup(path).field();
                    if let Some(listed) = field.and_then(|field| field.spelt_otherwise(cell)) {
                        let help = format!("did you mean {listed}?");
                        self.cell_problem(row, at, &format!("`{path}` is never {cell:?}"), Some(help));
                    }
                    let pattern = Pattern::literal(cell).as_kept(self.kind(), path);
                    draft.fields.push((path.clone(), pattern));
                }
                Column::Base => draft.base = filled().map(str::to_owned),
                _ => (),
            }
        }
    }

    /// What one cell sets: a leaf, or, where it holds an object, the leaves of that; their siblings stay.
    pub(super) fn set(&mut self, row: &Row, at: usize, path: &FieldPath, text: &str) -> Vec<Op> {
        let Some(cell) = self.cell(row, at, path, text) else { return Vec::new() };
        let leaves = match cell {
            Cell::Leave => Vec::new(),
            Cell::Unset => {
                vec![Leaf::Value { path: path.clone(), value: Value::Null.into(), span: row.span.clone() }]
            }
            Cell::Value(value) => {
                self.blanks(row, at, &value);
                self.formula_mark(row, at, &value);
                leaves::of_value(self.kind(), path, &row.span, value)
            }
        };
        let mut ops = Vec::new();
        for leaf in leaves {
            match leaves::op(self.kind(), leaf) {
                Ok(op) => ops.push(op),
                Err(faults) => {
                    faults.into_iter().for_each(|(what, help)| self.cell_problem(row, at, &what, help));
                }
            }
        }
        ops
    }

    /// A cell read by its field; `None` where it cannot be, which is reported.
    pub(super) fn cell(&mut self, row: &Row, at: usize, path: &FieldPath, text: &str) -> Option<Cell> {
        match cell::read(self.kind(), path, text) {
            Ok(Cell::Value(value)) => {
                if (value.is_object() || value.is_array()) && redact::holds_secret(self.kind(), path, &value)
                {
                    self.hide_rows();
                }
                Some(Cell::Value(value))
            }
            Ok(cell) => Some(cell),
            Err(fault) => {
                self.cell_problem(row, at, &fault.what, fault.help);
                None
            }
        }
    }

    fn items(
        &mut self,
        row: &Row,
        at: usize,
        path: &FieldPath,
        text: &str,
        action: fn(super::super::Term) -> Action,
    ) -> Option<Op> {
        match self.cell(row, at, path, text)? {
            Cell::Leave => None,
            Cell::Value(Value::Array(items)) if !items.is_empty() => {
                let op = Op {
                    path: path.clone(),
                    action: action(Value::Array(items.clone()).into()),
                    span: row.span.clone(),
                };
                // What is taken out may be anything that stands there.
                let faults = match &op.action {
                    Action::Add(_) => validate::items(self.kind(), path, &items),
                    _ => Vec::new(),
                };
                let sound = faults.is_empty();
                faults.into_iter().for_each(|fault| self.cell_problem(row, at, &fault.what, fault.help));
                sound.then_some(op)
            }
            _ => {
                let help = "items are separated by `|`; an empty cell adds and removes nothing";
                self.cell_problem(row, at, "the cell names no items", Some(help.to_owned()));
                None
            }
        }
    }

    /// Paths separated by `|`.
    fn unset(&mut self, row: &Row, at: usize, text: &str) -> Vec<Op> {
        let mut ops = Vec::new();
        for one in text.split(['|', '\n']).map(str::trim).filter(|one| !one.is_empty()) {
            let path = match one.parse::<FieldPath>() {
                Ok(path) => path,
                Err(error) => {
                    self.cell_problem(row, at, &format!("`{one}` {error}"), None);
                    continue;
                }
            };
            let fault = if self.kind().is_secret(&path) {
                Some((format!("`{path}` is a secret, which no job may empty"), None))
            } else {
                leaves::unknown(self.kind(), &path)
                    .or_else(|| validate::unset(self.kind(), &path).map(|fault| (fault.what, fault.help)))
            };
            match fault {
                Some((what, help)) => self.cell_problem(row, at, &what, help),
                None => ops.push(Op { path, action: Action::Unset, span: row.span.clone() }),
            }
        }
        ops
    }

    fn expect(&mut self, row: &Row, at: usize, path: &FieldPath, text: &str) -> Option<Expect> {
        let value = match self.cell(row, at, path, text)? {
            Cell::Leave => return None,
            Cell::Unset => None,
            Cell::Value(value) => Some(value),
        };
        if value.as_ref().is_some_and(|value| redact::holds_secret(self.kind(), path, value)) {
            self.hide_rows();
            self.cell_problem(row, at, "a secret cannot be expected to hold a value", None);
            return None;
        }
        Some(Expect { path: path.clone(), value: value.map(Into::into), span: row.span.clone() })
    }

    fn one_kind(&mut self, row: &Row, at: usize, text: &str) {
        let Some(name) = Some(text.trim()).filter(|name| !name.is_empty()) else {
            // The others say what it is, and a column can only mean a field of one kind.
            if let Some(first) = self.kind_of_row.filter(|_| self.kind.name != self.options.kind.name) {
                let what = format!("the cell is empty, and row {first} is about {}", a(&self.kind.singular));
                self.cell_problem(row, at, &what, Some("say the kind in every row".to_owned()));
            }
            return;
        };
        if let Some((what, help)) = load::unknown_kind(name) {
            return self.cell_problem(row, at, &what, Some(help));
        }
        if catalogue::kind(name).is_some_and(|kind| kind.name != self.kind.name) {
            let what = format!("`{name}` is another kind than the {} of the first rows", self.kind.name);
            let help = "rows of one file are of one kind: put the others into a file of their own";
            self.cell_problem(row, at, &what, Some(help.to_owned()));
        }
    }

    /// The mark that `get` puts before what a spreadsheet would take for a formula is text in any other file; it is most likely
    /// there because the file was one of `get` and has lost its `_base`.
    fn formula_mark(&mut self, row: &Row, at: usize, value: &Value) {
        let marked = |text: &str| {
            text.strip_prefix('\'').is_some_and(|rest| rest.starts_with(['=', '+', '-', '@', '\t', '\r']))
        };
        if !self.from_get && value.as_str().is_some_and(marked) {
            let what =
                format!("{}: the text begins with a `'`, which is written too", self.cell_name(row, at));
            let help = "take it away; `get` puts it there, and drops it again only in a file that still has its `_base`";
            let problem = Problem::new(what).at(&self.file, self.cell_span(row, at)).help(help);
            self.warnings.push(problem.warning());
        }
    }

    /// A blank at either end of a name is seldom meant, but may be.
    fn blanks(&mut self, row: &Row, at: usize, value: &Value) {
        if value.as_str().is_some_and(|text| text.trim() != text) {
            let what = format!("{}: the text begins or ends with a blank", self.cell_name(row, at));
            self.warnings.push(Problem::new(what).at(&self.file, self.cell_span(row, at)).warning());
        }
    }
}
