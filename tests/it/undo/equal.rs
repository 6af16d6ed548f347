//! When two states of a client are the same for its owner: absent, null, empty and what the service fills in are one.

use patchwave::catalogue::Kind;
use patchwave::model::value::same;
use patchwave::model::{Body, FieldPath};
use serde_json::{Map, Value};

/// The paths at which two bodies of a client differ.
pub(crate) fn differing(kind: &Kind, a: &Body, b: &Body) -> Vec<FieldPath> {
    let mut found = Vec::new();
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    for key in keys {
        walk(kind, &FieldPath::root_field(key), a.get(key), b.get(key), &mut found);
    }
    found
}

fn walk(kind: &Kind, path: &FieldPath, a: Option<&Value>, b: Option<&Value>, found: &mut Vec<FieldPath>) {
    if is_nothing(kind, path, a) && is_nothing(kind, path, b) {
        return;
    }
    let none = Map::new();
    let (a_map, b_map) = (a.and_then(Value::as_object), b.and_then(Value::as_object));
    if a_map.or(b_map).is_none() {
        if !same(a, b, kind.order(path)) {
            found.push(path.clone());
        }
        return;
    }
    let (a, b) = (a_map.unwrap_or(&none), b_map.unwrap_or(&none));
    for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
        walk(kind, &path.child(key), a.get(key), b.get(key), found);
    }
}

/// Absent, empty, an object of nothing, or below a field what the catalogue says that a missing key means.
fn is_nothing(kind: &Kind, path: &FieldPath, value: Option<&Value>) -> bool {
    if kind.is_empty(path, value) {
        return true;
    }
    if let Some(Value::Object(entries)) = value {
        return entries.iter().all(|(key, inner)| is_nothing(kind, &path.child(key), Some(inner)));
    }
    path.depth() > 1 && same(kind.default_of(path), value, kind.order(path))
}
