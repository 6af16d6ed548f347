//! A CSV file that `get` wrote: only cells that were edited since are changes, each with what was fetched as its before.

use std::sync::Arc;

use serde_json::Value;

use super::Reader;
use super::cells::Draft;
use super::rows::Row;
use crate::catalogue::cell::{self, Cell};
use crate::catalogue::{FieldType, Kind, Lookup, Writable, redact};
use crate::job::leaves::unknown;
use crate::job::{Action, Expect, Op};
use crate::model::value::same;
use crate::model::{Body, FieldPath, Problem};

/// What is known of the client as it was fetched.
pub(super) enum Base {
    /// The row is no row of `get`: it says what to set.
    None,
    /// The client as fetched.
    Known(Arc<Body>),
    /// It was fetched, but what came is not kept here: the live client stands in for it.
    Lost,
}

/// An edited number or boolean of a field whose type nobody knows: it keeps the type that it was fetched with.
fn as_before(kind: &Kind, path: &FieldPath, text: &str, fetched: Option<&Value>) -> Option<Value> {
    let untyped = kind.lookup(path).field().is_none_or(|field| field.ty == FieldType::Any);
    let before = fetched.filter(|value| untyped && (value.is_number() || value.is_boolean()))?;
    let value: Value = serde_json::from_str(text.trim()).ok()?;
    (value.is_number() == before.is_number() && value.is_boolean() == before.is_boolean()).then_some(value)
}

impl Reader<'_> {
    pub(super) fn base_of(&mut self, row: &Row, draft: &Draft) -> Base {
        let (Some(digest), Some(id)) = (&draft.base, &draft.id) else { return Base::None };
        match self.options.bases.find(self.kind, digest, id) {
            Ok(Some(body)) => Base::Known(body),
            Ok(None) => {
                self.base_needed += 1;
                Base::Lost
            }
            Err(error) => {
                let what = format!("row {}: the state that `get` kept cannot be read: {error}", row.number);
                self.problems.push(Problem::new(what).at(&self.file, row.span.clone()));
                Base::Lost
            }
        }
    }

    /// Compares a cell with what was fetched.
    pub(super) fn compared(
        &mut self,
        row: &Row,
        at: usize,
        path: &FieldPath,
        text: &str,
        base: &Base,
        draft: &mut Draft,
    ) {
        let fetched = match base {
            Base::Known(body) => path.get(body),
            Base::Lost | Base::None => None,
        };
        let known = matches!(base, Base::Known(_));
        let marked = text == redact::SECRET_MARKER;
        if marked && known && fetched.is_none_or(|fetched| fetched != redact::SECRET_MARKER) {
            let help = "write what is meant, or empty the cell";
            let what = "the cell holds the mark of a secret, and `get` found none there";
            return self.cell_problem(row, at, what, Some(help.to_owned()));
        }
        // As it was written then, whatever its type: nobody edited it.
        if marked || text.is_empty() || known && fetched.map(cell::write).as_deref() == Some(text) {
            return;
        }
        let writable = !matches!(self.kind().lookup(path), Lookup::Unknown { .. })
            && self.kind().writable(path) == Writable::Patch
            && !self.kind().is_secret(path);
        if !writable {
            return self.not_writable(row, at, path, text, known, fetched, draft);
        }
        if let Some(value) = as_before(self.kind(), path, text, fetched) {
            let (span, expected) = (row.span.clone(), fetched.cloned().map(Into::into));
            draft.expects.push(Expect { path: path.clone(), value: expected, span: span.clone() });
            return draft.ops.push(Op { path: path.clone(), action: Action::Set(value.into()), span });
        }
        if known {
            let Some(cell) = self.cell(row, at, path, text) else { return };
            let edited = match &cell {
                Cell::Leave => None,
                Cell::Unset => Some(None),
                Cell::Value(value) => Some(Some(value)),
            };
            let order = self.kind().order(path);
            if edited.is_none_or(|edited| same(edited, fetched, order)) {
                return;
            }
        }
        for op in self.set(row, at, path, text) {
            if known {
                let value = match base {
                    Base::Known(body) => op.path.get(body).cloned(),
                    _ => None,
                };
                // Of an object in a cell, only the keys that differ are edits.
                let after = op.action.term().and_then(crate::job::Term::literal);
                if same(after, value.as_ref(), self.kind().order(&op.path)) {
                    continue;
                }
                let value = value.map(Into::into);
                draft.expects.push(Expect { path: op.path.clone(), value, span: op.span.clone() });
            }
            draft.ops.push(op);
        }
    }

    /// A field that nobody may change must be as it was; where that is not known, as the tenant has it.
    #[expect(clippy::too_many_arguments, reason = "a cell with its place, and what it is compared with")]
    fn not_writable(
        &mut self,
        row: &Row,
        at: usize,
        path: &FieldPath,
        text: &str,
        known: bool,
        fetched: Option<&Value>,
        draft: &mut Draft,
    ) {
        let Some(cell) = self.cell(row, at, path, text) else { return };
        let value = match cell {
            Cell::Leave => return,
            Cell::Unset => None,
            Cell::Value(value) => Some(value),
        };
        if known && same(value.as_ref(), fetched, self.kind().order(path)) {
            return;
        }
        if !known {
            let action = value.map_or(Action::Unset, |value| Action::Set(value.into()));
            draft.fixed.push(Op { path: path.clone(), action, span: row.span.clone() });
            return;
        }
        match unknown(self.kind(), path) {
            // A column that `get` never wrote is a mistake of its own, told once.
            Some((what, help)) if !self.told.contains(&at) => {
                self.told.push(at);
                self.cell_problem(row, at, &what, help);
            }
            Some(_) => (),
            None => {
                let help = "put the value back, or empty the cell";
                self.cell_problem(row, at, "the field cannot be changed", Some(help.to_owned()));
            }
        }
    }

    /// A read-only column in a row that `get` did not write.
    pub(super) fn fixed_without_base(&mut self, row: &Row, at: usize, path: &FieldPath) {
        let (what, help) = unknown(self.kind(), path)
            .unwrap_or_else(|| ("the field cannot be changed".to_owned(), Some("empty the cell".to_owned())));
        self.cell_problem(row, at, &what, help);
    }

    pub(super) fn say_what_has_no_base(&mut self, rows: usize) {
        if self.base_needed == 0 {
            return;
        }
        let several = rows > 1 && !self.options.without_base;
        let problem = crate::job::load::no_base(&self.file.name, several);
        if several { self.problems.push(problem) } else { self.warnings.push(problem) }
    }
}
