//! What a PATCH must hold so that exactly the planned fields change, and what the API will hold afterwards.
//! Central functions: [`body`] and [`predict`]. Uses `model` and [`Kind`].
//!
//! Objects that were seen to be merged are sent leaf by leaf, at their first level, which is where it was seen; everything else
//! is sent whole, as read, with the changes in it.
//!
//! Fields that move each other are followed in the last step of both, on whole bodies: see [`linked`].

use serde_json::{Map, Value};

use super::redact::has_kept;
use super::{Field, Kind, Lookup, Unset, Writable, linked};
use crate::model::{Body, FieldPath};

/// A PATCH to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// What to send.
    pub body: Body,
    /// Whether the secret marker stands in it: call [`body`] again with a `before` that was read at send time and still has
    /// its secrets. Where it is still true then, the secret is gone, and nothing may be sent.
    pub compose: bool,
}

mod keep;

type Change = (FieldPath, Option<Value>);

/// The smallest complete body that makes these changes to an object that was read as `before`; `None` empties a field.
/// Read-only keys are never in it. Where a change or `before` has the secret marker, the secret is taken from `before`.
pub fn body(kind: &Kind, before: &Body, changes: &[(FieldPath, Option<Value>)]) -> Patch {
    let mut body = Body::new();
    for (path, after) in leaves(kind, before, changes) {
        let unit = unit(kind, &path);
        if unit == path {
            let through =
                kind.linked.emptied_through(path.root()).filter(|_| after.is_none() && path.depth() == 1);
            if let Some(other) = through {
                body.insert(other.to_owned(), Value::Null);
                continue;
            }
            let value = after.unwrap_or_else(|| emptied(kind, &path));
            unit.put(&mut body, sendable(kind, &unit, value));
            continue;
        }
        if unit.get(&body).is_none() {
            let whole = unit.get(before).filter(|value| value.is_object()).cloned();
            unit.put(&mut body, sendable(kind, &unit, whole.unwrap_or_else(|| Value::Object(Map::new()))));
        }
        match (after, kind.unset_of(&path)) {
            (Some(value), _) => path.put(&mut body, sendable(kind, &path, value)),
            (None, Unset::Null | Unset::EmptyString | Unset::EmptyList | Unset::EmptyObject) => {
                path.put(&mut body, emptied(kind, &path));
            }
            (None, _) => drop(path.remove(&mut body)),
        }
    }
    linked::send_one_name(kind, &mut body);
    send_along(kind, &mut body, before);
    keep::secrets(&mut body, before);
    let compose = body.values().any(has_kept);
    Patch { body, compose }
}

/// The object as the API will hold it: `before` with the changes made, fields that are emptied as they read back.
pub fn predict(kind: &Kind, before: &Body, changes: &[(FieldPath, Option<Value>)]) -> Body {
    let mut state = before.clone();
    let leaves = leaves(kind, before, changes);
    let twins = linked::written_twins(kind, &leaves);
    for (path, after) in leaves {
        create_with_defaults(kind, &path, &mut state, after.is_some());
        match (after.unwrap_or_else(|| emptied(kind, &path)), kind.lookup(&path).field()) {
            (Value::Null, _) => drop(path.remove(&mut state)),
            (value, Some(field)) if field.empty_is_absent && is_empty(&value) => {
                drop(path.remove(&mut state));
            }
            (value, _) => path.put(&mut state, without_nulls(value)),
        }
        let root = path.root();
        if kind.root().fields.get(root).is_some_and(|field| field.empty_is_absent)
            && state.get(root).is_some_and(is_empty)
        {
            state.shift_remove(root);
        }
    }
    linked::mirror(&mut state, &twins);
    state
}

/// The changes that a PATCH can make, with those of whole merged objects taken apart: a key that is not named any more is emptied.
fn leaves(kind: &Kind, before: &Body, changes: &[Change]) -> Vec<Change> {
    let mut leaves = Vec::new();
    for (path, after) in changes {
        let whole = after.as_ref().map_or_else(|| Some(Map::new()), |value| value.as_object().cloned());
        let apart = kind.merges(path) && (after.is_some() || kind.unset_of(path) == Unset::EachKey);
        let (true, Some(mut whole)) = (apart, whole) else {
            leaves.push((path.clone(), after.clone().filter(|value| !value.is_null())));
            continue;
        };
        let held = path.get(before).and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for key in held.filter(|key| kind.writable(&path.child(key)) == Writable::Patch) {
            whole.entry(key).or_insert(Value::Null);
        }
        let child =
            |(key, value): (String, Value)| (path.child(&key), Some(value).filter(|value| !value.is_null()));
        leaves.extend(whole.into_iter().map(child));
    }
    // Emptying what is absent would be no harmless null: it could create the object around it.
    leaves.retain(|(path, after)| {
        kind.writable(path) == Writable::Patch && (after.is_some() || path.get(before).is_some())
    });
    leaves
}

/// What a field reads back as once it is emptied; `None` where it is absent then, or cannot be emptied.
pub fn emptied_as(kind: &Kind, path: &FieldPath) -> Option<Value> {
    match kind.unset_of(path) {
        _ if kind.lookup(path).field().is_some_and(|field| field.empty_is_absent) => None,
        Unset::EmptyString => Some(Value::String(String::new())),
        Unset::EmptyList => Some(Value::Array(Vec::new())),
        Unset::EachKey | Unset::EmptyObject => Some(Value::Object(Map::new())),
        Unset::Default => kind.default_of(path).cloned(),
        Unset::Null | Unset::Omit | Unset::No => None,
    }
}

/// Whether emptying this path is a request of its own, rather than leaving a key out of an object that is sent whole.
pub fn is_sent_alone(kind: &Kind, path: &FieldPath) -> bool {
    unit(kind, path) == *path
}

/// The shallowest path that can be sent on its own without touching what is beside it: a root field, or a key of a merged one.
fn unit(kind: &Kind, path: &FieldPath) -> FieldPath {
    let root = FieldPath::root_field(path.root());
    match path.keys().nth(1) {
        Some(key) if kind.merges(&root) => root.child(key),
        _ => root,
    }
}

/// How emptying is sent. What cannot be emptied is sent as null, for the server to refuse aloud.
fn emptied(kind: &Kind, path: &FieldPath) -> Value {
    match kind.unset_of(path) {
        Unset::Default => kind.default_of(path).cloned().unwrap_or(Value::Null),
        Unset::EmptyString => Value::String(String::new()),
        Unset::EmptyList => Value::Array(Vec::new()),
        Unset::EmptyObject => Value::Object(Map::new()),
        Unset::Null | Unset::EachKey | Unset::Omit | Unset::No => Value::Null,
    }
}

/// A value as it may be sent: without keys that a PATCH does not take, and without nulls where null is not taken.
fn sendable(kind: &Kind, path: &FieldPath, value: Value) -> Value {
    match kind.lookup(path).field() {
        Some(field) => prune(field, value),
        None => value,
    }
}

fn prune(field: &Field, value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let inner = |key: &str| field.fields.get(key).or(field.items.as_deref().filter(|_| field.open));
            let kept = map.into_iter().filter(|(key, value)| {
                let writable = inner(key).is_none_or(|inner| inner.write == Writable::Patch);
                writable && (!value.is_null() || inner(key).is_some_and(|inner| inner.nullable))
            });
            let pruned = kept.map(|(key, value)| match inner(&key) {
                Some(inner) => (key, prune(inner, value)),
                None => (key, value),
            });
            Value::Object(pruned.collect())
        }
        Value::Array(items) => {
            let Some(item) = &field.items else { return Value::Array(items) };
            Value::Array(items.into_iter().map(|value| prune(item, value)).collect())
        }
        other => other,
    }
}

/// Names, as they are, the fields that a PATCH without them would set back.
fn send_along(kind: &Kind, body: &mut Body, before: &Body) {
    // What goes to an endpoint of its own sets nothing back.
    if body.keys().all(|key| kind.endpoint.association(key).is_some()) {
        return;
    }
    for (name, _) in kind.root().fields.iter().filter(|(_, field)| field.sent_along) {
        if let (false, Some(held)) =
            (body.contains_key(name), before.get(name).filter(|held| !held.is_null()))
        {
            body.insert(name.clone(), sendable(kind, &FieldPath::root_field(name), held.clone()));
        }
    }
}

/// `session_transfer` springs up with every default when anything of it is first set (recorded).
fn create_with_defaults(kind: &Kind, path: &FieldPath, state: &mut Body, set: bool) {
    let root = FieldPath::root_field(path.root());
    let Lookup::Field(field) = kind.lookup(&root) else { return };
    if !field.fills_defaults || !set || path.depth() < 2 || root.get(state).is_some() {
        return;
    }
    let defaults = field.fields.iter().filter_map(|(key, inner)| Some((key.clone(), inner.default.clone()?)));
    root.put(state, Value::Object(defaults.collect()));
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod tests;
