//! The differences of one client as the lines of an update.

use serde_json::Value;

use super::super::difference::{Change, Edit};
use crate::catalogue::{SECRET_MARKER, redact};
use crate::job::Printed;
use crate::model::{Body, FieldPath};

pub(super) fn print_edit(printed: &mut Printed, edit: &Edit) {
    match &edit.change {
        Change::Set(value) => printed.set(&edit.path, value),
        Change::EmptyObject => printed.empty_object(&edit.path),
        Change::Unset => printed.unset(&edit.path),
        // By item nothing is expected of the rest.
        Change::Items(items) => return printed.items(&edit.path, &items.add, &items.remove),
    }
    match &edit.before {
        Some(before) => expect(printed, &edit.path, before),
        None => printed.expect_absent(&edit.path),
    }
}

/// Secrets inside objects that were not there before: what stands for them came.
pub(super) fn new_secrets(before: &Body, after: &Body) -> Vec<FieldPath> {
    let mut found = Vec::new();
    for (key, value) in after {
        come(FieldPath::root_field(key), before.get(key), value, &mut found);
    }
    found
}

pub(super) fn come(path: FieldPath, before: Option<&Value>, after: &Value, found: &mut Vec<FieldPath>) {
    match after {
        Value::Object(map) => {
            for (key, inner) in map {
                come(path.child(key), before.and_then(|before| before.get(key)), inner, found);
            }
        }
        Value::String(text) if text == SECRET_MARKER && before.is_none() => found.push(path),
        _ => (),
    }
}

/// What stands before. Of an object with a secret in it, what is beside the secret.
pub(super) fn expect(printed: &mut Printed, path: &FieldPath, before: &Value) {
    match before {
        Value::Object(map) if redact::has_marker(before) => {
            map.iter().for_each(|(key, inner)| expect(printed, &path.child(key), inner));
        }
        before if redact::has_marker(before) => (),
        before => printed.expect(path, before),
    }
}
