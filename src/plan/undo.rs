//! What puts back what a run changed: an ordinary plan, made from the before-images, field by field.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::guard::Refusal;
use super::judge::wanted;
use super::judging::moved_along;
use super::resolve::Resolved;
use super::revive::{Permits, Settled, ended, gone, left_words, settle};
use super::state::{TenantState, TenantStates};
use super::types::{Done, RowState, TenantPlan, Write};
use crate::catalogue::{Kind, Kinds, patch};
use crate::model::{Body, FieldChange, FieldPath, Overwritten, Reason, RowResult};
use put_back::{Client, fields};

mod put_back;

/// What of a run is to be taken back.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// Which writes of the tenant's plan: those that reached it, or may have.
    pub writes: BTreeSet<usize>,
    /// Only these fields and what is below them; all, where none is named.
    pub fields: Vec<FieldPath>,
}

impl Narrowed {
    fn takes(&self, path: &FieldPath) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|field| field.encloses(path))
    }

    /// Of the fields that a write changed, those to be taken back; what moves with one of them goes along.
    fn of(&self, kind: &Kind, fields: Vec<FieldChange>) -> Vec<FieldChange> {
        let taken = fields.iter().filter(|change| self.takes(&change.path));
        let along: Vec<FieldPath> = taken.flat_map(|change| kind.moved_with(&change.path)).collect();
        let related =
            |path: &FieldPath| along.iter().any(|other| other.encloses(path) || path.encloses(other));
        let goes = |change: &FieldChange| self.takes(&change.path) || related(&change.path);
        fields.into_iter().filter(goes).collect()
    }
}

/// A write as it came to be made, where it was made over what somebody else had put there since it was planned: that is what
/// goes back, not what nobody remembers.
#[must_use]
pub fn over(kind: &Kind, write: &Write, overwrote: &[Overwritten]) -> Write {
    let mut write = write.clone();
    let mut before = (*write.before).clone();
    for Overwritten { path, value } in overwrote {
        for change in write.changes.iter_mut().filter(|change| change.path == *path) {
            change.before.clone_from(value);
        }
        match value {
            Some(value) => path.put(&mut before, value.clone()),
            None => drop(path.remove(&mut before)),
        }
    }
    // What the write moved along without having planned it.
    let unplanned = moved_along(kind, &before, &write.changes).into_iter();
    let took = |path: &FieldPath| overwrote.iter().any(|one| one.path == *path);
    write.changes.extend(unplanned.filter(|moved| took(&moved.path)).collect::<Vec<_>>());
    write.before = Arc::new(before);
    write
}

/// The paths of the fields that a write of a run changed, one by one: what an undo can be narrowed to.
pub fn paths(kind: &Kind, write: &Write) -> Vec<FieldPath> {
    fields(kind, write).into_iter().map(|change| change.path).collect()
}

/// Plans the undo of one tenant's part of a run against its state as read now.
///
/// # Errors
/// Where it would change the runner's own client in a way that could lock it out.
pub fn undo(
    kinds: &Kinds,
    part: &TenantPlan,
    narrowed: &Narrowed,
    states: &TenantStates,
    permits: Permits,
) -> Result<Resolved, Vec<Refusal>> {
    let chosen = narrowed.writes.iter().filter_map(|at| Some((*at, part.writes.get(*at)?)));
    let back = |kind: &Kind, write: &Write, state: &TenantState| back(kind, write, narrowed, state, permits);
    let Settled { writes, ends } = settle(kinds, states, permits, chosen, back)?;
    let mut rows = Vec::new();
    for row in &part.rows {
        let RowState::Write(at) = row.state else { continue };
        if let Some(end) = ends.get(&at).cloned() {
            rows.push(ended(row, end));
        }
    }
    Ok((writes, rows))
}

/// The write that puts a client back, or how its rows end without one.
fn back(
    kind: &Kind,
    write: &Write,
    narrowed: &Narrowed,
    state: &TenantState,
    permits: Permits,
) -> Result<Write, Done> {
    if !permits.protected && state.protected.contains(&write.id) {
        return Err(Done::because(RowResult::Skipped, Reason::Protected, "it is protected"));
    }
    if write.create {
        let what = format!(
            "the {} was created, and patchwave deletes nothing: take it away in the Dashboard",
            kind.singular
        );
        return Err(Done::because(RowResult::Conflict, Reason::CannotDelete, what));
    }
    let live = &*state.object(&write.id).ok_or_else(|| gone(kind, &write.id, state))?;
    let mine = narrowed.of(kind, fields(kind, write));
    let back = Client::new(kind, write, live, permits.on_conflict).put_back(&mine);
    let patch = patch::body(kind, live, &wanted(&back.changes));
    let name = live.get(&kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned);
    let changed = back.changes.iter().map(|change| change.path.root());
    let mut roots: BTreeSet<&str> = changed.flat_map(|root| kind.read_along(root).chain([root])).collect();
    // What goes back goes live as the change did.
    roots.extend(kind.endpoint.then.iter().map(|then| then.keeps.as_str()));
    let of_roots = live.iter().filter(|(key, _)| roots.contains(key.as_str()));
    let before: Body = of_roots.map(|(key, value)| (key.clone(), value.clone())).collect();
    let undo = Write {
        kind: write.kind,
        create: false,
        id: write.id.clone(),
        name: name.or_else(|| write.name.clone()),
        label: write.label,
        changes: back.changes,
        body: patch.body,
        compose: patch.compose,
        before: Arc::new(before),
        left: back.left,
    };
    match (undo.changes.is_empty(), undo.left.first()) {
        (false, _) => Ok(undo),
        (true, Some(left)) => Err(Done::because(RowResult::Conflict, left.reason, left_words(&undo))),
        (true, None) => Err(Done::plain(RowResult::Unchanged)),
    }
}
