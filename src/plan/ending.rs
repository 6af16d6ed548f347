//! Judged clients become writes and rows: the last step of a tenant's plan. Central type: [`Ending`].

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::guard::{self, Refusal};
use super::hits::{Client, Draft, Judged};
use super::resolve::{Resolved, Unplannable};
use super::types::{Done, RowState, Write};
use super::writes::Writes;
use crate::catalogue::{Writable, linked, patch, validate};
use crate::job::template::RenderFault;
use crate::job::{Term, Update};
use crate::model::{Body, FieldChange, FieldPath, Reason, RowResult};

/// What a plan's clients come to, one after the other: none is kept but as text.
#[derive(Default)]
pub(super) struct Ending {
    writes: Writes,
    refusals: Vec<Refusal>,
}

impl Ending {
    /// A client was judged: it becomes a write, up to the limit, and its rows know how they end.
    pub(super) fn take<'j>(&mut self, draft: &mut Draft<'j>, client: &Client, judged: Judged<'j>) {
        let state = match judged {
            Judged::Done { done } => RowState::from(done),
            Judged::Write { .. } if draft.options.limit.is_some_and(|limit| self.writes.len() >= limit) => {
                Done::because(RowResult::Skipped, Reason::Limit, "beyond --limit").into()
            }
            Judged::Write { changes, update, updates } => {
                self.write(draft, client, changes, (update, &updates))
            }
        };
        for row in draft.hits.rows(client.place) {
            draft.end(row, state.clone(), &client.before);
        }
    }

    fn write<'j>(
        &mut self,
        draft: &mut Draft<'j>,
        client: &Client,
        changes: Vec<FieldChange>,
        (first, updates): (&'j Update, &[&'j Update]),
    ) -> RowState {
        let Client { id, before, .. } = client;
        let label = first.origin.label;
        if !draft.options.force_own_client {
            self.refusals.extend(guard::own_client(draft.kind, draft.state, id, &changes, label));
        }
        for (update, span, fault) in unfit(draft, &changes, before, updates) {
            draft.fault(update, id, span, fault);
        }
        let kind = draft.kind;
        let patch = patch::body(kind, before, &super::judge::wanted(&changes));
        self.writes.push(&Write {
            kind: kind.name,
            create: false,
            id: id.clone(),
            name: draft.name_in(before),
            label,
            changes,
            body: patch.body,
            compose: patch.compose,
            before: kept(draft, before),
            left: Vec::new(),
        });
        RowState::Write(self.writes.len() - 1)
    }

    /// How many writes there are.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// The plan, if nobody objects.
    ///
    /// # Errors
    /// Where a guard says no.
    pub(super) fn close(mut self, mut draft: Draft<'_>) -> Result<Resolved, Unplannable> {
        draft.refusals.append(&mut self.refusals);
        self.writes.shrink();
        if draft.refusals.is_empty() {
            Ok((self.writes, draft.rows))
        } else {
            Err(Unplannable::Refused(draft.refusals))
        }
    }
}

/// The values to be written, and the state they lead to, must be such that Auth0 takes them.
fn unfit<'j>(
    draft: &Draft<'_>,
    changes: &[FieldChange],
    before: &Body,
    updates: &[&'j Update],
) -> Vec<(&'j Update, Range<usize>, RenderFault)> {
    let kind = draft.kind;
    let wanted = super::judge::wanted(changes);
    let after = patch::predict(kind, before, &wanted);
    let mut faults: Vec<(&FieldPath, validate::Fault)> = Vec::new();
    for change in changes {
        let found = match &change.after {
            Some(value) => given(change, validate::value(kind, &change.path, value)),
            // Left out of an object that is sent whole.
            None if !patch::is_sent_alone(kind, &change.path) => Vec::new(),
            None => validate::unset(kind, &change.path).into_iter().collect(),
        };
        faults.extend(found.into_iter().map(|fault| (&change.path, fault)));
    }
    let mut roots: Vec<&FieldPath> = changes.iter().map(|change| &change.path).collect();
    roots.dedup_by(|a, b| a.root() == b.root());
    for path in roots {
        if let Some(value) = after.get(path.root()) {
            let found = validate::object_after(kind, &FieldPath::root_field(path.root()), value);
            faults.extend(found.into_iter().map(|fault| (path, fault)));
        }
    }
    for fault in linked::faults(kind, before, &wanted) {
        let of = |change: &&FieldChange| change.path.root() == fault.root();
        faults.extend(changes.iter().find(of).map(|change| (&change.path, fault.clone())));
    }
    let told = |(path, fault): (&FieldPath, validate::Fault)| {
        let (update, span, computed) = asking(updates, path)?;
        let validate::Fault { what, help, .. } = fault;
        // What to do about a value in the file is of no use where an expression gave it.
        let help = match help {
            Some(help) if computed && help.ends_with("without quotes") => {
                Some("a filter makes the right type of it: `| int`, `| float`, `| bool`".to_owned())
            }
            Some(help) if computed && help.starts_with("write it in quotes") => {
                Some("the expression gives a number or a flag: `| string` makes text of it".to_owned())
            }
            help => help,
        };
        Some((update, span, RenderFault { what, help, lost: None }))
    };
    faults.into_iter().filter_map(told).collect()
}

/// Of what is wrong with a list, that which the job brings: an item that the tenant holds already is not ours to refuse.
fn given(change: &FieldChange, faults: Vec<validate::Fault>) -> Vec<validate::Fault> {
    let (Some(Value::Array(before)), Some(Value::Array(after))) = (&change.before, &change.after) else {
        return faults;
    };
    let held = |at: usize| after.get(at).is_some_and(|item| before.contains(item));
    let is_held = |fault: &validate::Fault| {
        let inside =
            fault.path.strip_prefix(&format!("{}[", change.path)).and_then(|rest| rest.split_once(']'));
        inside.and_then(|(at, _)| at.parse().ok()).is_some_and(held)
    };
    faults.into_iter().filter(|fault| !is_held(fault)).collect()
}

/// The update that asks for a path, where it does, and whether an expression gives the value; the first update, where none
/// asks for it by itself.
fn asking<'j>(updates: &[&'j Update], path: &FieldPath) -> Option<(&'j Update, Range<usize>, bool)> {
    let asks = |update: &&'j Update| {
        let op = update.ops.iter().find(|op| op.path.encloses(path) || path.encloses(&op.path))?;
        Some((*update, op.span.clone(), matches!(op.action.term(), Some(Term::Template(_)))))
    };
    let first = || updates.first().map(|update| (*update, update.origin.span.clone(), false));
    updates.iter().find_map(asks).or_else(first)
}

/// What a plan keeps of a client. Where all fields were read for a template's sake, those that only the server sets are no
/// part of it: some of them differ between a list and the answer to a PATCH.
fn kept(draft: &Draft<'_>, before: &Arc<Body>) -> Arc<Body> {
    let kind = draft.kind;
    let own = |key: &str| {
        key == kind.endpoint.id_field
            || draft.asked_for.contains(key)
            || kind.writable(&FieldPath::root_field(key)) == Writable::Patch
            || kind.endpoint.then.as_ref().is_some_and(|then| then.keeps == key)
    };
    if before.keys().all(|key| own(key)) {
        return Arc::clone(before);
    }
    Arc::new(
        before.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
    )
}
