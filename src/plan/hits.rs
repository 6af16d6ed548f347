//! Which clients the updates of a job hit, and what is to become of each of them. Central type: [`Draft`].

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::guard::{self, Refusal};
use super::judge::{Filled, Judgement, shown, united};
use super::resolve::PlanOptions;
use super::select::{Chooser, Index, Nobody};
use super::state::TenantState;
use super::types::{Done, Row, RowState};
use crate::job::check::clashes;
use crate::job::template::RenderFault;
use crate::job::{Job, Op, Scope, Selector, TenantScope, Term, Update};
use crate::model::value::same;
use crate::model::{Body, EntityId, FieldChange, FieldPath, Problem, Reason, RowResult};

/// A client that updates hit.
#[derive(Default)]
struct Hit<'j> {
    /// The rows that wait for its outcome, with their updates.
    rows: Vec<(usize, &'j Update)>,
    /// Of the rows, those whose update found it only under the name that it is to have.
    renamed: Vec<usize>,
}

/// A plan of one tenant in the making.
pub(super) struct Draft<'j> {
    pub(super) job: &'j Job,
    pub(super) state: &'j TenantState,
    pub(super) options: &'j PlanOptions,
    /// Root fields that the job itself names.
    pub(super) asked_for: HashSet<&'j str>,
    pub(super) problems: Vec<Problem>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) rows: Vec<Row>,
    /// Faults of templates, by update, place and words.
    faults: IndexMap<(String, usize, String), Fault>,
    tenant: &'j Arc<TenantScope>,
    hits: IndexMap<EntityId, Hit<'j>>,
}

/// A template that has no value, and for whom.
struct Fault {
    /// The first client.
    client: String,
    /// A problem without its words.
    place: Problem,
    /// How many clients besides.
    more: usize,
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
    /// Finds whom the updates are about, and opens a row for each.
    pub(super) fn of(
        job: &'j Job,
        tenant: &'j Arc<TenantScope>,
        state: &'j TenantState,
        options: &'j PlanOptions,
    ) -> Self {
        let paths = job.updates.iter().flat_map(|update| {
            let ops = update.ops.iter().chain(&update.fixed).map(|op| op.path.root());
            ops.chain(update.expects.iter().map(|expect| expect.path.root()))
        });
        let mut draft = Self {
            job,
            state,
            options,
            asked_for: paths.collect(),
            problems: Vec::new(),
            refusals: Vec::new(),
            rows: Vec::new(),
            faults: IndexMap::new(),
            tenant,
            hits: IndexMap::new(),
        };
        let index = Index::new(job.kind, state);
        let chooser = Chooser { job, state, index: &index };
        for (at, update) in job.updates.iter().enumerate() {
            if update.is_for(&tenant.name) {
                draft.hit(at, update, &chooser);
            }
        }
        draft
    }

    fn hit(&mut self, at: usize, update: &'j Update, chooser: &Chooser<'_>) {
        let mut row = Row {
            update: at,
            label: update.origin.label,
            id: None,
            name: None,
            cells: Arc::new(update.cells.clone()),
            state: RowState::Done(Done::plain(RowResult::Unchanged)),
        };
        if let Selector::Id(id) = &update.selector {
            row.id = Some(id.clone());
            if update.is_idle() {
                // An unedited object of a `get` file, or a row of empty cells: nothing is asked, so nothing was read.
                row.name = self.name_of(id);
                self.rows.push(row);
                return;
            }
            let refusal =
                guard::named_excluded(self.job.kind, self.state, id, update, self.options.force_protect);
            if let Some(refusal) = refusal {
                self.refusals.push(refusal);
                return;
            }
        }
        let scope = Scope::of_tenant(self.tenant, update.row.as_ref());
        match chooser.select(update, &scope) {
            Err(Nobody::Done(done)) => self.rows.push(Row { state: RowState::Done(done), ..row }),
            Err(Nobody::Count(found)) => {
                self.refusals.extend(guard::wrong_count(self.job.kind, update, found));
            }
            Err(Nobody::Fault(id, fault)) => {
                let span = update.origin.span.clone();
                self.fault(update, &id, span, &format!("`where`: {}", fault.what), fault.help);
            }
            Ok(selected) => {
                for id in selected.ids {
                    let mut row = Row { id: Some(id.clone()), name: self.name_of(&id), ..row.clone() };
                    let at = self.rows.len();
                    if let Some(done) = self.left_out(&id, update, &scope) {
                        row.state = RowState::Done(done);
                    } else {
                        let hit = self.hits.entry(id).or_default();
                        hit.rows.push((at, update));
                        if selected.renamed {
                            hit.renamed.push(at);
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
        let narrow = self.options.narrow.as_deref()?;
        let body = self.state.objects.get(id)?;
        match narrow.holds(&scope.with_client(body, self.job.kind)) {
            Ok(true) => None,
            Ok(false) => Some(Done::because(RowResult::Skipped, Reason::Where, "--where leaves it out")),
            Err(fault) => {
                let problem =
                    Problem::new(format!("--where, {} {id}: {}", self.job.kind.singular, fault.what));
                self.problems.push(problem.maybe_help(fault.help));
                None
            }
        }
    }

    pub(super) fn name_of(&self, id: &EntityId) -> Option<String> {
        let name = self.state.objects.get(id)?.get(&self.job.kind.endpoint.name_field)?;
        name.as_str().map(str::to_owned)
    }

    /// The rows that wait for a client's outcome.
    pub(super) fn rows_of(&self, id: &EntityId) -> Vec<usize> {
        self.hits.get(id).map(|hit| hit.rows.iter().map(|(row, _)| *row).collect()).unwrap_or_default()
    }

    /// What is to become of each client, in the order in which they were hit.
    pub(super) fn judge_all(&mut self) -> Vec<(EntityId, Judged<'j>)> {
        let ids: Vec<EntityId> = self.hits.keys().cloned().collect();
        let mut judged = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(before) = self.state.objects.get(&id) else { continue };
            self.set_renamed_apart(&id, before);
            let Some(hit) = self.hits.get(&id) else { continue };
            let updates: Vec<&'j Update> = hit.rows.iter().map(|(_, update)| *update).collect();
            if !updates.is_empty() {
                judged.push((id.clone(), self.judge(&id, &updates, before)));
            }
        }
        judged
    }

    /// An update that found a client only under its new name may find it as asked, but must not write to it. Its row ends
    /// here; the other updates of the client go on without it.
    fn set_renamed_apart(&mut self, id: &EntityId, before: &Arc<Body>) {
        let Some(hit) = self.hits.get(id).filter(|hit| !hit.renamed.is_empty()) else { return };
        let apart: Vec<(usize, &'j Update)> =
            hit.rows.iter().filter(|(row, _)| hit.renamed.contains(row)).copied().collect();
        for (row, update) in apart {
            let state = match self.judge(id, &[update], before) {
                Judged::Done { done } if done.result == RowResult::Unchanged => continue,
                _ => RowState::Done(self.not_ours(id, update)),
            };
            self.rows[row].state = state;
            if let Some(hit) = self.hits.get_mut(id) {
                hit.rows.retain(|(other, _)| *other != row);
            }
        }
    }

    /// Of a client that has the new name, but is not as the job would have left it: it may be another one.
    fn not_ours(&self, id: &EntityId, update: &Update) -> Done {
        let kind = self.job.kind;
        let old = match &update.selector {
            Selector::Rule(rule) => rule.fields.iter().find_map(|(path, pattern)| {
                (path.root() == kind.endpoint.name_field)
                    .then(|| pattern.exact().unwrap_or_default().to_owned())
            }),
            Selector::Id(_) | Selector::Templated(_) => None,
        };
        let message = format!(
            "no {} is named \"{}\"; {id} has the new name already, but is not as asked otherwise: select it by its id if it is meant",
            kind.singular,
            old.unwrap_or_default()
        );
        Done::because(RowResult::Failed, Reason::NotFound, message)
    }

    /// Compares what the updates of one client ask for with what it holds.
    fn judge(&mut self, id: &EntityId, updates: &[&'j Update], before: &Arc<Body>) -> Judged<'j> {
        let unchanged = || Judged::Done { done: Done::plain(RowResult::Unchanged) };
        let kind = self.job.kind;
        for (update, op) in updates.iter().flat_map(|update| update.fixed.iter().map(move |op| (*update, op)))
        {
            self.fixed(update, op, before);
        }
        let Some(filled) = self.filled(id, updates, before) else { return unchanged() };
        let asked: Vec<_> = filled.iter().flat_map(|filled| filled.asked.iter().cloned()).collect();
        if filled.len() > 1 {
            self.problems.extend(clashes(kind, &asked).into_iter().map(|(_, problem)| problem));
        }
        let items = united(&filled);
        let mut changes: Vec<FieldChange> = Vec::new();
        let mut conflicts: Vec<String> = Vec::new();
        for one in &filled {
            for asked in &one.asked {
                match one.judge(kind, asked, &items, before) {
                    Judgement::Already => (),
                    Judgement::Apply(new) => {
                        let new = new.into_iter().filter(|new| changes.iter().all(|c| c.path != new.path));
                        let new: Vec<FieldChange> = new.collect();
                        changes.extend(new);
                    }
                    Judgement::Conflict(words) => conflicts.push(words),
                    Judgement::Wipes(lacking) => {
                        let what = format!("`{lacking}` is none, which would empty `{}`", asked.path);
                        let help = format!(
                            "to empty it, write `{{{{ {lacking} | default(none) }}}}`; else say what to write instead of none"
                        );
                        self.fault(one.update, id, asked.op.span.clone(), &what, Some(help));
                    }
                }
            }
        }
        if !changes.is_empty() || !conflicts.is_empty() {
            conflicts.extend(filled.iter().flat_map(|filled| filled.broken_preconditions(kind, before)));
        }
        if !conflicts.is_empty() {
            return Judged::Done { done: conflict(updates, &conflicts) };
        }
        match (changes.is_empty(), updates.first()) {
            (false, Some(update)) => Judged::Write { changes, update, updates: updates.to_vec() },
            _ => unchanged(),
        }
    }

    /// The updates with their templates filled in for a client; `None` where one has no value, which is reported.
    fn filled(
        &mut self,
        id: &EntityId,
        updates: &[&'j Update],
        before: &Arc<Body>,
    ) -> Option<Vec<Filled<'j>>> {
        let mut filled = Vec::with_capacity(updates.len());
        let mut sound = true;
        for &update in updates {
            let scope = Scope::of_tenant(self.tenant, update.row.as_ref()).with_client(before, self.job.kind);
            match Filled::new(self.job.kind, update, &scope) {
                Ok(one) => filled.push(one),
                Err(faults) => {
                    sound = false;
                    for (span, RenderFault { what, help }) in faults {
                        self.fault(update, id, span, &what, help);
                    }
                }
            }
        }
        sound.then_some(filled)
    }

    /// The same fault of one update in many clients is told once, with the first of them: a job that is wrong is wrong for
    /// thousands.
    fn fault(
        &mut self,
        update: &Update,
        id: &EntityId,
        span: std::ops::Range<usize>,
        what: &str,
        help: Option<String>,
    ) {
        let label = update.origin.label.in_words();
        let what = what.strip_prefix(&format!("{label}: ")).unwrap_or(what);
        let key = (label, span.start, what.to_owned());
        if let Some(known) = self.faults.get_mut(&key) {
            known.more += 1;
            return;
        }
        let named = self.name_of(id).map(|name| format!(" (\"{name}\")")).unwrap_or_default();
        let client = format!("{} {id}{named}", self.job.kind.singular);
        let place = Problem::new("").at(&update.origin.file, span).maybe_help(help);
        self.faults.insert(key, Fault { client, place, more: 0 });
    }

    /// What is wrong, in the order in which it was met.
    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        for ((label, _, what), fault) in std::mem::take(&mut self.faults) {
            let more = match fault.more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            problems
                .push(Problem { what: format!("{label}, {}{more}: {what}", fault.client), ..fault.place });
        }
        problems
    }

    /// A field that nobody may change must be as the tenant has it.
    fn fixed(&mut self, update: &Update, op: &Op, before: &Body) {
        let now = op.path.get(before);
        let asked: Option<&Value> = op.action.term().and_then(Term::literal);
        if !same(asked, now, self.job.kind.order(&op.path)) {
            let path: &FieldPath = &op.path;
            let problem =
                Problem::new(format!("`{path}` cannot be changed; the tenant holds {}", shown(now)))
                    .at(&update.origin.file, op.span.clone())
                    .help("put the value back, or remove the line");
            self.problems.push(problem);
        }
    }
}

fn conflict(updates: &[&Update], conflicts: &[String]) -> Done {
    let fetched = updates.iter().any(|update| update.base.is_some());
    let hint = if fetched {
        "; somebody changed it since `get` fetched it: fetch it again to edit what is there now"
    } else {
        ""
    };
    Done::because(RowResult::Conflict, Reason::Expect, conflicts.join("; ") + hint)
}
