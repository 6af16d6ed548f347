//! What differs between two states of one client, as the fewest changes that a job can ask for. Central function: [`difference`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::differing::{comparable, holds_nothing, item_edit};
use crate::catalogue::{Kind, Lookup, linked, patch, redact, validate};
use crate::job::printed::OPEN;
use crate::model::value::same;
use crate::model::{Body, FieldPath, ItemEdit};

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which.
    pub path: FieldPath,
    /// What it held; `None` where it was absent.
    pub before: Option<Value>,
    /// What makes the one of the other.
    pub change: Change,
}

/// What makes the state after of the state before.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It holds this.
    Set(Value),
    /// It is an object with nothing in it.
    EmptyObject,
    /// It is empty.
    Unset,
    /// Items came and went; the others kept their order.
    Items(ItemEdit),
}

impl Edit {
    /// What the field holds afterwards, as the catalogue's functions take it.
    fn after(&self) -> (FieldPath, Option<Value>) {
        let after = match &self.change {
            Change::Set(value) => Some(value.clone()),
            Change::EmptyObject => Some(Value::Object(Body::new())),
            Change::Unset => None,
            Change::Items(items) => items.after(self.before.as_ref()),
        };
        (self.path.clone(), after)
    }
}

/// A difference that no job can bring about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Which field.
    pub path: FieldPath,
    /// Why, in words.
    pub why: String,
}

/// The changes that make `after` of `before`, in the order of their paths, and what differs beyond them. Fields that nobody
/// may write, and secrets, are not compared. What the service does by itself when the other changes are made is none of them.
pub fn difference(kind: &Kind, before: &Body, after: &Body) -> (Vec<Edit>, Vec<LeftOut>) {
    let mut found = Found { kind, edits: Vec::new(), left_out: Vec::new() };
    for key in keys(before, after) {
        found.compare(FieldPath::root_field(key), before.get(key), after.get(key));
    }
    let edits = without_consequences(kind, before, found.edits);
    (edits, found.left_out)
}

/// The keys of both, sorted: the order in which an API writes them means nothing.
fn keys<'b>(before: &'b Body, after: &'b Body) -> BTreeSet<&'b String> {
    before.keys().chain(after.keys()).collect()
}

struct Found<'k> {
    kind: &'k Kind,
    edits: Vec<Edit>,
    left_out: Vec<LeftOut>,
}

impl Found<'_> {
    fn compare(&mut self, path: FieldPath, before: Option<&Value>, after: Option<&Value>) {
        let (before, after) = (before.filter(|v| !v.is_null()), after.filter(|v| !v.is_null()));
        let nothing = |value| holds_nothing(self.kind, &path, value);
        if same(before, after, self.kind.order(&path))
            || !comparable(self.kind, &path)
            || nothing(before) && nothing(after)
        {
            return;
        }
        if matches!(self.kind.lookup(&path), Lookup::Unknown { .. }) {
            let why = format!("this version does not know the field; --allow-field '{path}' lets it through");
            return self.left_out.push(LeftOut { path, why });
        }
        match (before, after) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                for key in keys(before, after) {
                    self.compare(path.child(key), before.get(key), after.get(key));
                }
            }
            (None, Some(Value::Object(after))) if !after.is_empty() => {
                for key in keys(after, after) {
                    self.compare(path.child(key), None, after.get(key));
                }
            }
            (before, after) => self.leaf(path, before, after),
        }
    }

    fn leaf(&mut self, path: FieldPath, before: Option<&Value>, after: Option<&Value>) {
        // What else another tenant has beside it must not go along, and nobody sees all of what goes: each part goes by itself.
        if let (Some(Value::Object(held)), None) = (before, after)
            && held.values().any(|inner| inner.is_object() && redact::has_marker(inner))
        {
            for (key, inner) in held {
                self.compare(path.child(key), Some(inner), None);
            }
            return;
        }
        if after.is_some_and(redact::has_marker) {
            let why = "it holds a secret, which is neither read nor recorded".to_owned();
            return self.left_out.push(LeftOut { path, why });
        }
        let change = match after {
            None => Change::Unset,
            Some(Value::Object(after)) if after.is_empty() => Change::EmptyObject,
            Some(after) => items(self.kind, &path, before, after)
                .map_or_else(|| Change::Set(after.clone()), Change::Items),
        };
        let fault = match &change {
            // What stands for a placeholder there is not known before it is replayed.
            _ if after.is_some_and(has_placeholder) => None,
            Change::Unset => validate::unset(self.kind, &path),
            Change::Set(value) => validate::value(self.kind, &path, value).into_iter().next(),
            Change::EmptyObject => {
                let empty = Value::Object(Body::new());
                validate::value(self.kind, &path, &empty).into_iter().next()
            }
            Change::Items(items) => validate::items(self.kind, &path, &items.add).into_iter().next(),
        };
        match fault {
            // A key of an object that goes as a whole.
            Some(_) if matches!(before, Some(Value::Object(_))) && matches!(change, Change::Unset) => {
                for (key, inner) in before.and_then(Value::as_object).into_iter().flatten() {
                    self.compare(path.child(key), Some(inner), None);
                }
            }
            Some(fault) => self.left_out.push(LeftOut { path, why: fault.what }),
            None => self.edits.push(Edit { path, before: before.cloned(), change }),
        }
    }
}

/// Whether a value has a part that becomes a placeholder.
fn has_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(OPEN),
        Value::Array(items) => items.iter().any(has_placeholder),
        Value::Object(map) => map.values().any(has_placeholder),
        _ => false,
    }
}

/// The items that came and went, where that is all there is to the difference of two lists: other tenants keep what else
/// stands in theirs.
fn items(kind: &Kind, path: &FieldPath, before: Option<&Value>, after: &Value) -> Option<ItemEdit> {
    let order = kind.order(path);
    // Items of a list that has an endpoint of its own come and go one by one, objects that they are.
    let belonging = path.depth() == 1 && kind.endpoint.association(path.root()).is_some();
    let plain = |list: Option<&Value>| {
        let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().all(|item| !item.is_object() && !item.is_array() && !item.is_null())
    };
    let mut edit = item_edit(before, Some(after), order)?;
    if !kind.item_keys(path).is_empty() {
        edit.keys = kind.item_keys(path).to_vec();
        edit = with_what_differs(edit, before);
    }
    let moves = !edit.add.is_empty() || !edit.remove.is_empty();
    (moves && (belonging || plain(before) && plain(Some(after)))).then_some(edit)
}

/// Of an item that was there before and is there now, its keys and the attributes that changed: the others are no part of it.
fn with_what_differs(mut edit: ItemEdit, before: Option<&Value>) -> ItemEdit {
    let had: Vec<&Value> = before.and_then(Value::as_array).into_iter().flatten().collect();
    let narrowed = edit.add.iter().map(|item| {
        let held = had.iter().find(|held| edit.is_same(held, item));
        let (Some(Value::Object(held)), Value::Object(now)) = (held.copied(), item) else {
            return item.clone();
        };
        let says =
            |(key, value): &(&String, &Value)| edit.keys.contains(key) || held.get(*key) != Some(value);
        Value::Object(now.iter().filter(says).map(|(key, value)| (key.clone(), value.clone())).collect())
    });
    let add: Vec<Value> = narrowed.collect();
    let stays = |gone: &Value| add.iter().any(|new| edit.is_same(gone, new));
    let remove = edit.remove.iter().filter(|gone| !stays(gone)).cloned().collect();
    edit.remove = remove;
    edit.add = add;
    edit
}

/// The changes without those that the others bring about: fields that move along, a setting under its other name, defaults
/// of an object that springs up.
fn without_consequences(kind: &Kind, before: &Body, mut edits: Vec<Edit>) -> Vec<Edit> {
    let springs_up = |edit: &Edit| edit.path.depth() > 1 && !before.contains_key(edit.path.root());
    let suspect = |edit: &Edit| kind.is_linked(edit.path.root()) || springs_up(edit);
    if !edits.iter().any(suspect) {
        return edits;
    }
    // The older of two names goes first, so that the newer is the one that stays; then the last of the others.
    let mut places: Vec<usize> = (0..edits.len()).rev().filter(|at| suspect(&edits[*at])).collect();
    let is_older = |edit: &Edit| kind.is_older_name(&FieldPath::root_field(edit.path.root()));
    places.sort_by_key(|at| !is_older(&edits[*at]));
    let mut dropped: BTreeSet<usize> = BTreeSet::new();
    for at in places {
        let others = edits.iter().enumerate().filter(|(other, _)| *other != at && !dropped.contains(other));
        let others: Vec<_> = others.map(|(_, edit)| edit.after()).collect();
        if is_brought_about(kind, before, &others, &edits[at]) {
            dropped.insert(at);
        }
    }
    let mut at = 0;
    edits.retain(|_| {
        at += 1;
        !dropped.contains(&(at - 1))
    });
    edits
}

fn is_brought_about(kind: &Kind, before: &Body, others: &[(FieldPath, Option<Value>)], edit: &Edit) -> bool {
    if others.is_empty() {
        return false;
    }
    let along = linked::moved_along(kind, before, others);
    let all: Vec<_> = others.iter().cloned().chain(along).collect();
    let after = patch::predict(kind, before, &all);
    let (path, value) = edit.after();
    same(path.get(&after), value.as_ref(), kind.order(&path))
}

#[cfg(test)]
mod tests;
