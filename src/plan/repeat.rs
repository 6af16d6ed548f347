//! Again must mean nothing: a job is resolved once more on the state that it leads to, and refused where it would change
//! anything a second time. A nightly job must not rename its clients every night.

use std::collections::HashSet;
use std::sync::Arc;

use super::guard::Refusal;
use super::hits::{Draft, Judged};
use super::judge::{shown, wanted};
use super::resolve::PlanOptions;
use super::state::TenantState;
use crate::catalogue::patch;
use crate::job::{Job, Selector, TenantScope, Term, Update};
use crate::model::{EntityId, FieldChange};

/// What the job would change a second time: one refusal an update, naming the first client.
pub(super) fn changes_again(
    job: &Job,
    tenant: &Arc<TenantScope>,
    state: &TenantState,
    options: &PlanOptions,
    judged: &[(EntityId, Judged<'_>)],
) -> Vec<Refusal> {
    if !may_change_again(job) {
        return Vec::new();
    }
    let mut after = state.clone();
    let mut written = false;
    for (id, judged) in judged {
        let (Judged::Write { changes, .. }, Some(before)) = (judged, state.objects.get(id)) else { continue };
        after.objects.insert(id.clone(), Arc::new(patch::predict(job.kind, before, &wanted(changes))));
        written = true;
    }
    if !written {
        return Vec::new();
    }
    // What is meant to run once is let off, and must not hide what another update would do.
    let mut draft = Draft::of(job, tenant, &after, options, |update| update.repeatable);
    let again = draft.judge_all();
    let mut told: HashSet<*const Update> = HashSet::new();
    let mut refusals = Vec::new();
    for (id, judged) in &again {
        let Judged::Write { changes, updates, .. } = judged else { continue };
        for change in changes {
            let Some(update) = whose(updates, change) else { continue };
            if told.insert(std::ptr::from_ref(update)) {
                refusals.push(refusal(job, update, id, change));
            }
        }
    }
    refusals
}

/// A job of literal values for clients that it names by their ids cannot: a plan right after its apply is empty.
fn may_change_again(job: &Job) -> bool {
    job.updates.iter().any(|update| {
        let rule = !matches!(update.selector, Selector::Id(_));
        let template = |term: &Term| matches!(term, Term::Template(_));
        update.repeatable && (rule || update.ops.iter().any(|op| op.action.term().is_some_and(template)))
    })
}

/// The update that asks for a change: the one that writes the field or something around or below it.
fn whose<'j>(updates: &[&'j Update], change: &FieldChange) -> Option<&'j Update> {
    let asks = |update: &&&Update| {
        update.ops.iter().any(|op| op.path.encloses(&change.path) || change.path.encloses(&op.path))
    };
    updates.iter().find(asks).copied()
}

fn refusal(job: &Job, update: &Update, id: &EntityId, change: &FieldChange) -> Refusal {
    Refusal {
        what: format!(
            "{} would change {} {id} again each time the job runs: {} {} → {}",
            update.origin.label.in_words(),
            job.kind.singular,
            change.path,
            shown(change.before.as_ref()),
            shown(change.after.as_ref())
        ),
        help: if update.origin.file.name.ends_with(".csv") {
            "select by id, which stays; or write the job in TOML, and say `repeatable = false`"
        } else {
            "make it so that a client which already is as wanted is not selected or comes out the same; \
             or say `repeatable = false` on the update, if it is meant to run once"
        }
        .to_owned(),
    }
}
