//! The one comparison of before, after and now that saved plans, resume, undo and replay share.

use serde_json::Value;

use super::FieldChange;
use super::value::{ListOrder, same};

/// What a field is expected to hold before it is changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expected<'v> {
    /// Nothing was said: any value may be overwritten.
    Anything,
    /// Exactly this; `None` means absent.
    Value(Option<&'v Value>),
}

/// What to do about one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The field holds what was expected: change it.
    Apply,
    /// The field already holds what was asked for.
    Already,
    /// The field holds neither: somebody else changed it, and it is not ours to overwrite.
    Conflict,
}

/// Judges a planned change against what the field holds now; `planned` is what it will hold as planned. A list that is edited
/// by item never conflicts: what else stands in it is left alone.
pub fn judge_change(change: &FieldChange, planned: Option<&Value>, now: Option<&Value>) -> Verdict {
    match &change.items {
        Some(items) if items.is_done(now) => Verdict::Already,
        Some(_) => Verdict::Apply,
        None => judge(Expected::Value(change.before.as_ref()), planned, now, change.order),
    }
}

/// Judges one field. `after` comes first: a field that already is as asked is fulfilled whatever was expected.
///
/// ```
/// use patchwave::model::{Expected, ListOrder, Verdict, three_way::judge};
/// use serde_json::json;
///
/// let (old, new, other) = (json!("Billing"), json!("Billing EU"), json!("Invoices"));
/// let verdict = |now| judge(Expected::Value(Some(&old)), Some(&new), Some(now), ListOrder::Ordered);
/// assert_eq!(verdict(&old), Verdict::Apply);
/// assert_eq!(verdict(&new), Verdict::Already);
/// assert_eq!(verdict(&other), Verdict::Conflict);
/// ```
pub fn judge(before: Expected<'_>, after: Option<&Value>, now: Option<&Value>, order: ListOrder) -> Verdict {
    if same(after, now, order) {
        return Verdict::Already;
    }
    match before {
        Expected::Anything => Verdict::Apply,
        Expected::Value(before) if same(before, now, order) => Verdict::Apply,
        Expected::Value(_) => Verdict::Conflict,
    }
}
