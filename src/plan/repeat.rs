//! Again must mean nothing: a job is resolved once more on the state that it leads to, and refused where it would change
//! anything a second time. A nightly job must not rename its clients every night.

use std::collections::HashSet;
use std::sync::Arc;

use super::guard::Refusal;
use super::hits::{Client, Draft, Judged};
use super::judge::{shown, wanted};
use super::resolve::PlanOptions;
use super::state::TenantState;
use crate::catalogue::{Kind, patch};
use crate::job::{Job, Selector, TenantScope, Term, Update};
use crate::model::{EntityId, FieldChange, Packed};

/// The state that a plan leads to, where the job may change something in it again. Central type of this file.
pub(super) struct Again<'j> {
    job: &'j Job,
    kind: &'static Kind,
    /// None where no job of this form can change anything twice.
    after: Option<TenantState>,
    written: bool,
}

impl<'j> Again<'j> {
    /// Nothing was judged yet.
    pub(super) fn of((job, kind): (&'j Job, &'static Kind), state: &TenantState) -> Self {
        Self { job, kind, after: may_change_again(job).then(|| state.clone()), written: false }
    }

    /// A client was judged.
    pub(super) fn take(&mut self, client: &Client, judged: &Judged<'_>) {
        let (Some(after), Judged::Write { changes, .. }) = (&mut self.after, judged) else { return };
        let body = patch::predict(self.kind, &client.before, &wanted(changes));
        after.objects.insert(client.id.clone(), Packed::new(&body));
        self.written = true;
    }

    /// What the job would change a second time: one refusal an update, naming the first client.
    pub(super) fn refusals(&self, tenant: &Arc<TenantScope>, options: &PlanOptions) -> Vec<Refusal> {
        let Some(after) = self.after.as_ref().filter(|_| self.written) else { return Vec::new() };
        // What is meant to run once is let off, and must not hide what another update would do.
        let mut draft = Draft::of((self.job, self.kind), tenant, after, options, |update| update.repeatable);
        let mut told: HashSet<*const Update> = HashSet::new();
        let mut refusals = Vec::new();
        draft.judge_each(|_, client, judged| {
            let Judged::Write { changes, updates, .. } = judged else { return };
            for change in &changes {
                let Some(update) = whose(&updates, change) else { continue };
                if told.insert(std::ptr::from_ref(update)) {
                    refusals.push(refusal(update, &client.id, change));
                }
            }
        });
        refusals
    }
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

fn refusal(update: &Update, id: &EntityId, change: &FieldChange) -> Refusal {
    Refusal {
        what: format!(
            "{} would change {} {id} again each time the job runs: {} {} → {}",
            update.origin.label.in_words(),
            update.kind.singular,
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
