//! One operation against what a client holds: what changes, what is in place, what conflicts.

use serde_json::Value;

use crate::catalogue::{Kind, patch};
use crate::job::{Action, Op, Update};
use crate::model::three_way::judge;
use crate::model::value::same;
use crate::model::{Body, Expected, FieldChange, FieldPath, Verdict};

/// The changes as the catalogue's functions take them.
pub(super) fn wanted(changes: &[FieldChange]) -> Vec<(FieldPath, Option<Value>)> {
    changes.iter().map(|change| (change.path.clone(), change.after.clone())).collect()
}

/// Judges one operation. What it leads to is what Auth0 will hold, which for an emptied field may be `""` or absent.
pub(super) fn judge_op(kind: &Kind, update: &Update, op: &Op, before: &Body) -> (Verdict, FieldChange) {
    let now = op.path.get(before);
    let order = kind.order(&op.path);
    let change =
        FieldChange { path: op.path.clone(), before: now.cloned(), after: op.action.after().cloned(), order };
    if op.action == Action::Unset && now.is_none() {
        return (Verdict::Already, change);
    }
    let settled = patch::predict(kind, before, &wanted(std::slice::from_ref(&change)));
    let after = op.path.get(&settled);
    let expectation = expected(update, op).map_or(Expected::Anything, Expected::Value);
    (judge(expectation, after, now, order), change)
}

/// What an update expects of a field that it also changes: `Some(None)` means absent.
pub(super) fn expected<'u>(update: &'u Update, op: &Op) -> Option<Option<&'u Value>> {
    update.expects.iter().find(|expect| expect.path == op.path).map(|expect| expect.value.as_ref())
}

/// Expectations of fields that the update does not change, where they do not hold.
pub(super) fn broken_preconditions(kind: &Kind, update: &Update, before: &Body) -> Vec<String> {
    let others = update.expects.iter().filter(|expect| update.ops.iter().all(|op| op.path != expect.path));
    others
        .filter(|expect| !same(expect.value.as_ref(), expect.path.get(before), kind.order(&expect.path)))
        .map(|expect| {
            let now = expect.path.get(before);
            format!("{} holds {}, expected {}", expect.path, shown(now), shown(expect.value.as_ref()))
        })
        .collect()
}

/// A value inside a sentence.
pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
