//! One field of one edit. Central type: [`Edit`].

use serde_json::Value;

use super::super::differing::item_edit;
use crate::catalogue::Kind;
use crate::model::value::same;
use crate::model::{Body, FieldPath, ListOrder};

/// What an edit made of one field.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) path: FieldPath,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    order: ListOrder,
}

impl Edit {
    pub(super) fn between(kind: &Kind, path: FieldPath, before: &Body, after: &Body) -> Self {
        Self {
            before: path.get(before).cloned(),
            after: path.get(after).cloned(),
            order: kind.order(&path),
            path,
        }
    }

    /// Whether a state holds what the edit found.
    pub(super) fn found_in(&self, state: &Body) -> bool {
        same(self.path.get(state), self.before.as_ref(), self.order)
    }

    /// Makes the same edit of a state that need not be the one that it found: a list is then edited by item, where that is
    /// what happened to it.
    pub(super) fn make(&self, state: &mut Body) {
        if self.found_in(state) {
            return self.take_over(state);
        }
        let now = self.path.get(state);
        let items = item_edit(self.before.as_ref(), self.after.as_ref(), self.order);
        self.put(items.map_or_else(|| self.after.clone(), |items| items.after(now)), state);
    }

    /// Puts what the edit made, whatever stands there.
    pub(super) fn take_over(&self, state: &mut Body) {
        self.put(self.after.clone(), state);
    }

    fn put(&self, value: Option<Value>, state: &mut Body) {
        match value {
            Some(value) => self.path.put(state, value),
            None => drop(self.path.remove(state)),
        }
    }

    /// Whether a later state still shows what the edit made.
    pub(super) fn stands_in(&self, state: &Body) -> bool {
        let now = self.path.get(state);
        same(now, self.after.as_ref(), self.order)
            || item_edit(self.before.as_ref(), self.after.as_ref(), self.order)
                .is_some_and(|items| items.is_done(now))
    }

    pub(super) fn concerns(&self, path: &FieldPath) -> bool {
        self.path.encloses(path) || path.encloses(&self.path)
    }
}
