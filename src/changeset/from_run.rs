//! What a run did, as states before and after. Central function: [`take`].

use serde_json::Value;

use super::recorder::{Edited, Recorder};
use crate::catalogue::{Kind, Kinds, patch};
use crate::model::{Body, FieldChange, FieldPath, Outcome, RowResult, RunRecord};
use crate::plan::{TenantPlan, Write, is_from_place};

/// Gives a recorder every client of one tenant that a run certainly changed.
pub fn take(kinds: &Kinds, part: &TenantPlan, record: &RunRecord, recorder: &mut Recorder<'_>) {
    for (at, state) in record.writes(&part.tenant).iter().enumerate() {
        let Some(outcome) = state.outcome().filter(|_| state.is_surely_written()) else { continue };
        let Some(write) = part.writes.get(at) else { continue };
        let kind = kinds.get(write.kind);
        if write.create {
            let name = write.name.clone().unwrap_or_else(|| outcome.id.to_string());
            recorder.note(format!(
                "{name}: the {} was created, and a change set only changes what is there",
                kind.singular
            ));
            continue;
        }
        let before = before(kind, &write, outcome);
        // Of a row that failed after a part of it was written, a list may be the part that was refused.
        let is_done = |change: &&FieldChange| {
            outcome.result != RowResult::Failed || kind.endpoint.association(change.path.root()).is_none()
        };
        let name = || write.name.clone().unwrap_or_else(|| outcome.id.to_string());
        for change in write.changes.iter().filter(|change| !is_done(change)) {
            recorder.note(format!(
                "{}: {}: the row failed, and whether this was done nobody can tell",
                name(),
                change.path
            ));
        }
        let changes: Vec<(FieldPath, Option<Value>)> = write
            .changes
            .iter()
            .filter(is_done)
            .map(|change| (change.path.clone(), change.after.clone()))
            .collect();
        let after = patch::predict(kind, &before, &changes);
        let secrets = write.changes.iter().filter(|change| is_from_place(change));
        let masked: Vec<FieldPath> = secrets.map(|change| change.path.clone()).collect();
        let edited =
            Edited { id: &write.id, before: &before, id_after: &write.id, after: &after, masked: &masked };
        recorder.take(kind, edited);
    }
}

/// The client as the run found it, as far as it was read.
fn before(kind: &Kind, write: &Write, outcome: &Outcome) -> Body {
    let mut before = Body::clone(&write.before);
    if let Some(name) = &write.name {
        before.entry(kind.endpoint.name_field.clone()).or_insert_with(|| name.as_str().into());
    }
    for overwritten in &outcome.overwrote {
        match &overwritten.value {
            Some(value) => overwritten.path.put(&mut before, value.clone()),
            None => drop(overwritten.path.remove(&mut before)),
        }
    }
    before
}
