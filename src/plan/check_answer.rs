//! Whether a write did what was planned: each answer is the full stored client, and is compared.

use serde_json::Value;

use super::compose::predicted;
use super::types::Write;
use crate::catalogue::{Kind, redact};
use crate::model::value::same;
use crate::model::{Body, FieldPath, ListOrder};

/// What an answer shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Written fields that are not as planned, in words.
    pub not_as_planned: Vec<String>,
    /// Fields that were read, were not written, and moved all the same.
    pub changed_elsewhere: Vec<String>,
}

/// Compares the object that the server answered with what the plan says it will be. Only fields that the plan has read
/// are compared.
pub fn check_answer(kind: &Kind, write: &Write, answered: &Body) -> Answer {
    let planned = predicted(kind, write);
    let mut answer = Answer::default();
    for change in &write.changes {
        let (planned, now) = (change.path.get(&planned), change.path.get(answered));
        if !same(planned, now, change.order) {
            answer.not_as_planned.push(format!(
                "{} is {}, planned was {}",
                change.path,
                shown(now),
                shown(planned)
            ));
        }
    }
    let roots = write.before.iter().filter(|(key, value)| answered.contains_key(*key) || !value.is_null());
    for (key, before) in roots {
        moved(kind, write, &FieldPath::root_field(key), before, answered, &mut answer.changed_elsewhere);
    }
    answer
}

/// Walks what was there before down to its leaves; those that nobody asked to change must be as they were.
fn moved(
    kind: &Kind,
    write: &Write,
    path: &FieldPath,
    before: &Value,
    answered: &Body,
    out: &mut Vec<String>,
) {
    if write.changes.iter().any(|change| change.path.encloses(path))
        || redact::has_marker(before) && !before.is_object()
    {
        return;
    }
    if let Value::Object(entries) = before {
        for (key, inner) in entries {
            moved(kind, write, &path.child(key), inner, answered, out);
        }
        return;
    }
    let now = path.get(answered);
    let order = if before.is_array() { kind.order(path) } else { ListOrder::Ordered };
    if !same(Some(before), now, order) {
        out.push(format!("{path} was {}, is {}", shown(Some(before)), shown(now)));
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}
