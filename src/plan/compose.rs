//! What a write leads to, and what it sends where a secret has to go along.

use serde_json::Value;

use super::types::Write;
use crate::catalogue::{Kind, patch, redact};
use crate::model::{Body, FieldChange, FieldPath, SecretPlace};

/// The read fields as they will be once the write is made.
pub fn predicted(kind: &Kind, write: &Write) -> Body {
    patch::predict(kind, &write.before, &wanted(&write.changes, &write.before))
}

/// Whether the write sends an object whole, so that what others changed in it since it was read would be lost.
pub fn sends_whole(kind: &Kind, write: &Write) -> bool {
    let whole =
        |(key, value): (&String, &Value)| value.is_object() && !kind.merges(&FieldPath::root_field(key));
    // A list is always sent whole; one that is edited by item shares it with others.
    write.body.iter().any(whole) || write.changes.iter().any(|change| change.items.is_some())
}

/// The body that makes these changes of a write, made from what the tenant holds now. `None` where a secret has to go along
/// that `live` does not tell: sending the object without it would wipe it.
pub(super) fn compose_of(kind: &Kind, write: &Write, changes: &[&FieldChange], live: &Body) -> Option<Body> {
    let patch = patch::body(kind, live, &wanted(changes.iter().copied(), live));
    (!patch.compose && has_secrets_of(&write.before, live, &patch.body)).then_some(patch.body)
}

/// Whether every secret that stood in the fields to be sent when they were read stands there now.
fn has_secrets_of(before: &Body, live: &Body, sent: &Body) -> bool {
    before.iter().all(|(key, value)| sent.get(key).is_none_or(|sent| holds(value, live.get(key), Some(sent))))
}

fn holds(before: &Value, live: Option<&Value>, sent: Option<&Value>) -> bool {
    match before {
        Value::Object(entries) => entries.iter().all(|(key, inner)| {
            holds(inner, live.and_then(|live| live.get(key)), sent.and_then(|sent| sent.get(key)))
        }),
        // One that is set anew takes its place.
        _ if sent.is_some_and(|sent| SecretPlace::of(sent).is_some()) => true,
        marked if redact::has_marker(marked) => live.is_some_and(|live| !live.is_null()),
        _ => true,
    }
}

/// The changes as the catalogue's functions take them; lists that are edited by item from what they hold in `live`.
fn wanted<'c>(
    changes: impl IntoIterator<Item = &'c FieldChange>,
    live: &Body,
) -> Vec<(FieldPath, Option<Value>)> {
    let after = |change: &FieldChange| match &change.items {
        Some(items) => items.after(change.path.get(live)),
        None => change.after.clone(),
    };
    changes.into_iter().map(|change| (change.path.clone(), after(change))).collect()
}
