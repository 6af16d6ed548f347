//! A planned write against the client as it is now: the one place where saved plans, resuming, long runs, lost answers and
//! `--verify` compare before, after and now.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check_answer::as_planned;
use super::compose::{compose_of, predicted};
use super::judging::moved_along;
use super::types::{Write, is_from_place};
use crate::catalogue::{Kind, redact};
use crate::model::three_way::judge_change;
use crate::model::value::same;
use crate::model::{Body, FieldChange, FieldPath, Overwritten, SecretPlace, Verdict};

/// What to do about a client that holds neither what it held nor what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Leave it alone; the others go on.
    #[default]
    Skip,
    /// Write what was asked for all the same.
    Overwrite,
    /// Leave it alone, and take no more.
    Stop,
}

/// What is to become of a planned write, in the light of the client as it is now.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejudged {
    /// Send this.
    Apply(Body),
    /// Every field is as planned.
    Already,
    /// Some field is neither as it was nor as planned: which, with the three values. The whole client is left alone.
    Conflict(String),
    /// What must be sent holds a secret that `live` does not tell.
    NeedsSecret,
}

/// Compares. `live` may hold secrets or have been stripped of them.
pub fn rejudge(kind: &Kind, write: &Write, live: &Body, on_conflict: OnConflict) -> Rejudged {
    // The plan has markers where the tenant has secrets, and no secret may get into a message.
    let mut now = live.clone();
    redact::strip(kind, &mut now);
    let judged = verdicts(kind, write, &now);
    let overwrite = on_conflict == OnConflict::Overwrite;
    let conflicts: Vec<String> = judged
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Conflict && !overwrite)
        .map(|(change, _)| three_values(change, change.path.get(&now)))
        .collect();
    if !conflicts.is_empty() {
        return Rejudged::Conflict(conflicts.join("; "));
    }
    let open: Vec<&FieldChange> = judged
        .iter()
        .filter(|(_, verdict)| *verdict != Verdict::Already)
        .map(|(change, _)| *change)
        .collect();
    if open.is_empty() {
        return Rejudged::Already;
    }
    let along = along(kind, write, &now);
    if let Some(moved) = along.first().filter(|_| !overwrite) {
        let (path, now) = (&moved.path, moved.before.as_ref().map_or_else(String::new, Value::to_string));
        let words = format!("{path} is {now}; it was not there when planned, and the change would move it");
        return Rejudged::Conflict(words);
    }
    let open: Vec<&FieldChange> = open.into_iter().chain(&along).collect();
    compose_of(kind, write, &open, live).map_or(Rejudged::NeedsSecret, Rejudged::Apply)
}

/// The fields that are not as planned yet. `now` has no secrets.
pub(super) fn open<'w>(kind: &Kind, write: &'w Write, now: &Body) -> impl Iterator<Item = &'w FieldChange> {
    let judged = verdicts(kind, write, now).into_iter();
    judged.filter(|(_, verdict)| *verdict != Verdict::Already).map(|(change, _)| change)
}

/// What the changes of a write that are still to be made would move, and that was not there to be moved when they were
/// planned. `now` has no secrets.
pub(super) fn along(kind: &Kind, write: &Write, now: &Body) -> Vec<FieldChange> {
    if !write.changes.iter().any(|change| kind.is_linked(change.path.root())) {
        return Vec::new();
    }
    let open: Vec<FieldChange> = open(kind, write, now).cloned().collect();
    let planned = |path: &FieldPath| {
        write.changes.iter().any(|change| change.path.encloses(path) || path.encloses(&change.path))
    };
    moved_along(kind, now, &open).into_iter().filter(|moved| !planned(&moved.path)).collect()
}

/// What a write that is made all the same takes the place of: the fields that are neither as they were nor as planned, with
/// what they hold.
pub fn overwritten(kind: &Kind, write: &Write, live: &Body) -> Vec<Overwritten> {
    let mut now = live.clone();
    redact::strip(kind, &mut now);
    let conflicts =
        verdicts(kind, write, &now).into_iter().filter(|(_, verdict)| *verdict == Verdict::Conflict);
    let along = along(kind, write, &now);
    let paths = conflicts.map(|(change, _)| &change.path).chain(along.iter().map(|moved| &moved.path));
    paths.map(|path| Overwritten { path: path.clone(), value: path.get(&now).cloned() }).collect()
}

/// Judges each written field: before, as planned, now. `now` has no secrets.
fn verdicts<'w>(kind: &Kind, write: &'w Write, now: &Body) -> Vec<(&'w FieldChange, Verdict)> {
    let planned = predicted(kind, write);
    let verdict = |change: &FieldChange| {
        if is_from_place(change) {
            return of_secret(change, change.path.get(now));
        }
        let (planned, now) = (change.path.get(&planned), change.path.get(now));
        // A key to be left out that is just as it was: the service has not filled it in, it was never sent without it.
        let as_before = change.after.is_none()
            && !same(planned, now, change.order)
            && same(change.before.as_ref(), now, change.order);
        if !as_before && as_planned(kind, change, planned, now) {
            Verdict::Already
        } else {
            judge_change(change, planned, now)
        }
    };
    write.changes.iter().map(|change| (change, verdict(change))).collect()
}

/// Of a secret it is only known whether it is the one that was asked for. One that cannot be seen is written.
fn of_secret(change: &FieldChange, now: Option<&Value>) -> Verdict {
    let marked = |value: Option<&Value>| value.is_some_and(redact::is_marker);
    if now.is_some() && now == change.after.as_ref() {
        Verdict::Already
    } else if change.path.depth() == 1 || marked(change.before.as_ref()) == marked(now) {
        Verdict::Apply
    } else {
        Verdict::Conflict
    }
}

fn three_values(change: &FieldChange, now: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| match value {
        Some(value) if SecretPlace::of(value).is_some() => "another secret".to_owned(),
        Some(value) if redact::has_marker(value) => "a secret".to_owned(),
        Some(value) => value.to_string(),
        None => "absent".to_owned(),
    };
    format!(
        "{} is {}; it was {} when planned, and was to become {}",
        change.path,
        shown(now),
        shown(change.before.as_ref()),
        shown(change.after.as_ref())
    )
}
