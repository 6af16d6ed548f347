//! Which clients the updates of a job hit, and what is to become of each of them. Central type: [`Draft`].

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::faults::Faults;
use super::guard::{self, Refusal};
use super::index::Index;
use super::resolve::PlanOptions;
use super::row_lists::RowLists;
use super::select::{Chooser, Nobody};
use super::state::TenantState;
use super::types::{Done, Row, RowState};
use crate::catalogue::Kind;
use crate::job::template::RenderFault;
use crate::job::{Job, Scope, Selector, TenantScope, Update};
use crate::model::{Body, EntityId, FieldChange, Problem, Reason, RowResult};

/// A client about to be judged.
pub(super) struct Client {
    /// Its place in the tenant's state.
    pub(super) place: usize,
    pub(super) id: EntityId,
    /// As it was read.
    pub(super) before: Arc<Body>,
}

/// A plan of one tenant in the making.
pub(super) struct Draft<'j> {
    pub(super) job: &'j Job,
    /// The kind that is being planned.
    pub(super) kind: &'static Kind,
    pub(super) state: &'j TenantState,
    pub(super) options: &'j PlanOptions,
    /// Root fields that the job itself names.
    pub(super) asked_for: HashSet<&'j str>,
    pub(super) problems: Vec<Problem>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) rows: Vec<Row>,
    faults: Faults,
    /// Whether a fault of `--where` was told.
    narrow_told: bool,
    pub(super) tenant: &'j Arc<TenantScope>,
    /// The rows that wait for each client.
    pub(super) hits: RowLists,
    /// Of the rows, those whose update found its client only under the name that it is to have.
    pub(super) renamed: HashSet<usize>,
}

/// What is to become of one client.
pub(super) enum Judged<'j> {
    Write {
        changes: Vec<FieldChange>,
        /// The first update that asked for it.
        update: &'j Update,
        /// All updates that hit it.
        updates: Vec<&'j Update>,
    },
    Done {
        done: Done,
    },
}

impl<'j> Draft<'j> {
    /// Finds whom those updates of a kind are about of which `only` holds, and opens a row for each.
    pub(super) fn of(
        (job, kind): (&'j Job, &'static Kind),
        tenant: &'j Arc<TenantScope>,
        state: &'j TenantState,
        options: &'j PlanOptions,
        only: impl Fn(&Update) -> bool,
    ) -> Self {
        let of_kind = |update: &&Update| update.kind.name == kind.name && !update.is_create();
        let paths = job.updates.iter().filter(of_kind).flat_map(|update| {
            let ops = update.ops.iter().chain(&update.extras().fixed).map(|op| op.path.root());
            ops.chain(update.expects.iter().map(|expect| expect.path.root()))
        });
        let mut draft = Self {
            job,
            kind,
            state,
            options,
            asked_for: paths.collect(),
            problems: Vec::new(),
            refusals: Vec::new(),
            rows: Vec::with_capacity(job.updates.iter().filter(of_kind).count()),
            faults: Faults::default(),
            narrow_told: false,
            tenant,
            hits: RowLists::of(state.objects.len()),
            renamed: HashSet::new(),
        };
        let index = Index::new(kind, state);
        let chooser = Chooser { job, kind, state, index: &index };
        for (at, update) in job.updates.iter().enumerate() {
            if of_kind(&update) && update.is_for(&tenant.name) && only(update) {
                draft.hit(at, update, &chooser);
            }
        }
        draft
    }

    fn hit(&mut self, at: usize, update: &'j Update, chooser: &Chooser<'_>) {
        let mut row = Row {
            update: at,
            label: update.origin.label,
            kind: self.kind.name,
            id: None,
            name: None,
            cells: update.cells.clone(),
            state: Done::plain(RowResult::Unchanged).into(),
        };
        if let Selector::Id(id) = &update.selector {
            row.id = Some(id.clone());
            if update.is_idle() {
                // An unedited object of a `get` file, or a row of empty cells: nothing is asked, so nothing was read.
                row.name = self.name_of(id).map(Box::from);
                self.rows.push(row);
                return;
            }
            let refusal =
                guard::named_excluded(self.kind, self.state, id, update, self.options.force_protect);
            if let Some(refusal) = refusal {
                self.refusals.push(refusal);
                return;
            }
        }
        let scope = Scope::of_tenant(self.tenant, update.row.as_ref());
        match chooser.select(update, &scope) {
            Err(Nobody::Done(done)) => self.rows.push(Row { state: done.into(), ..row }),
            Err(Nobody::Count(found)) => {
                self.refusals.extend(guard::wrong_count(self.kind, self.state, update, &found));
            }
            Err(Nobody::Fault(id, RenderFault { lost: Some(reason), what, .. })) => {
                let done = Done::because(RowResult::Failed, reason, what);
                self.rows.push(Row { id: Some(id), state: done.into(), ..row });
            }
            Err(Nobody::Fault(id, fault)) => {
                let span = update.extras().condition_at.clone().unwrap_or_else(|| update.origin.span.clone());
                let what = format!("`where`: {}", fault.what);
                self.fault(update, &id, span, RenderFault { what, ..fault });
            }
            Ok(selected) => {
                for id in selected.ids {
                    let mut row = Row { id: Some(id.clone()), ..row.clone() };
                    let at = self.rows.len();
                    if let Some(done) = self.left_out(&id, update, &scope) {
                        (row.state, row.name) = (done.into(), self.name_of(&id).map(Box::from));
                    } else {
                        if let Some(client) = self.state.objects.get_index_of(&id) {
                            self.hits.add(client, at);
                        }
                        if selected.renamed {
                            self.renamed.insert(at);
                        }
                    }
                    self.rows.push(row);
                }
            }
        }
    }

    /// Why a client that an update selects is left alone on purpose.
    fn left_out(&mut self, id: &EntityId, update: &Update, scope: &Scope) -> Option<Done> {
        if let Some(done) = guard::rule_protected(self.state, id, update, self.options.force_protect) {
            return Some(done);
        }
        let narrow = self.options.narrow.of(self.kind.name)?;
        let body = self.state.object(id)?;
        match narrow.holds(&scope.with_client(&body, self.kind)) {
            Ok(true) => None,
            Ok(false) => Some(Done::because(RowResult::Skipped, Reason::Where, "--where leaves it out")),
            Err(fault) => {
                // One expression, one mistake: the first client tells it.
                if !std::mem::replace(&mut self.narrow_told, true) {
                    let what = format!("--where, {} {id}: {}", self.kind.singular, fault.what);
                    self.problems.push(Problem::new(what).maybe_help(fault.help));
                }
                None
            }
        }
    }

    pub(super) fn name_of(&self, id: &EntityId) -> Option<String> {
        self.name_in(&*self.state.object(id)?)
    }

    pub(super) fn name_in(&self, body: &Body) -> Option<String> {
        body.get(&self.kind.endpoint.name_field)?.as_str().map(str::to_owned)
    }

    /// Says of a row how it ends; where no write tells the client's name, the row does.
    pub(super) fn end(&mut self, row: usize, state: RowState, before: &Body) {
        let name = matches!(state, RowState::Done(_)).then(|| self.name_in(before)).flatten();
        let row = &mut self.rows[row];
        (row.state, row.name) = (state, name.map(Box::from));
    }

    /// The update that a row is of.
    pub(super) fn update_of(&self, row: usize) -> &'j Update {
        &self.job.updates[self.rows[row].update]
    }

    pub(super) fn fault(&mut self, update: &Update, id: &EntityId, span: Range<usize>, fault: RenderFault) {
        let named = self.name_of(id).map(|name| format!(" (\"{name}\")")).unwrap_or_default();
        self.faults.add(update, &format!("{} {id}{named}", self.kind.singular), span, fault);
    }

    /// What is wrong, in the order in which it was met.
    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(std::mem::take(&mut self.faults).into_problems());
        problems
    }
}
