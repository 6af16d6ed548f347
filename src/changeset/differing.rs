//! Where two states of an object differ, as far as an update can make it so. Central function: [`differing`].

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::catalogue::{Kind, Lookup, Unset, Writable, redact};
use crate::model::value::same;
use crate::model::{Body, FieldPath, ItemEdit, ListOrder};

/// The paths at which two states differ, the shallowest that tell it: a leaf, or an object that one side does not have. An
/// object that is written key by key and springs up is told by its keys. What an update cannot write, and what nobody can
/// see, is not compared.
pub fn differing(kind: &Kind, before: &Body, after: &Body) -> Vec<FieldPath> {
    let mut paths = Vec::new();
    for key in keys(before, after) {
        compare(kind, &FieldPath::root_field(key), before.get(key), after.get(key), &mut paths);
    }
    paths
}

/// Whether a value at this path can be compared: it is seen wherever the object is read, and an update can write it.
pub(super) fn comparable(kind: &Kind, path: &FieldPath) -> bool {
    kind.writable(path) == Writable::Patch && !kind.is_secret(path) && !redact::is_never_read(kind, path)
}

fn compare(
    kind: &Kind,
    path: &FieldPath,
    before: Option<&Value>,
    after: Option<&Value>,
    out: &mut Vec<FieldPath>,
) {
    if before == after
        || !comparable(kind, path)
        || holds_nothing(kind, path, before) && holds_nothing(kind, path, after)
    {
        return;
    }
    let empty = Map::new();
    let springs_up = before.is_none_or(Value::is_null) && kind.merges(path);
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => inner(kind, path, before, after, out),
        (_, Some(Value::Object(after))) if springs_up => inner(kind, path, &empty, after, out),
        _ if same(before, after, kind.order(path)) => (),
        _ => out.push(path.clone()),
    }
}

fn inner(kind: &Kind, path: &FieldPath, before: &Body, after: &Body, out: &mut Vec<FieldPath>) {
    for key in keys(before, after) {
        compare(kind, &path.child(key), before.get(key), after.get(key), out);
    }
}

/// An open map without keys is as good as none: no update turns the one into the other.
pub(super) fn holds_nothing(kind: &Kind, path: &FieldPath, value: Option<&Value>) -> bool {
    let empty_map = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    value.is_none_or(|value| value.is_null() || empty_map(value) && kind.unset_of(path) == Unset::EachKey)
}

fn keys<'k>(before: &'k Body, after: &'k Body) -> impl Iterator<Item = &'k str> {
    before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))).map(String::as_str)
}

/// What was added to a list and taken out of it, where that is all that happened to it.
pub fn item_edit(before: Option<&Value>, after: Option<&Value>, order: ListOrder) -> Option<ItemEdit> {
    let none = Vec::new();
    let list = |value: Option<&Value>| value.map_or(Some(none.clone()), |value| value.as_array().cloned());
    let (had, has) = (list(before)?, list(after)?);
    let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<HashSet<_>>();
    let (in_before, in_after) = (texts(&had), texts(&has));
    let edit = ItemEdit {
        add: has.into_iter().filter(|item| !in_before.contains(&item.to_string())).collect(),
        remove: had.into_iter().filter(|item| !in_after.contains(&item.to_string())).collect(),
        keys: Vec::new(),
    };
    same(edit.after(before).as_ref(), after, order).then_some(edit)
}

/// Whether a difference that no write explains says nothing: a field that the catalogue does not know, an empty value or a
/// default where there was none, or a field that not every token sees.
pub(super) fn says_nothing(
    kind: &Kind,
    path: &FieldPath,
    before: Option<&Value>,
    after: Option<&Value>,
) -> bool {
    let absent = before.is_none() || after.is_none();
    let default = kind.default_of(path);
    matches!(kind.lookup(path), Lookup::Unknown { .. })
        || kind.is_empty(path, before) && kind.is_empty(path, after)
        || absent && !kind.read_scopes_of(path.root()).is_empty()
        || before.is_none() && after.is_some() && same(after, default, kind.order(path))
}
