//! From updates and state to writes and rows. Every update sees the state as it was read, never another's result.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::guard::{self, Refusal};
use super::judge::{broken_preconditions, expected, judge_op, shown, wanted};
use super::select::{Index, select};
use super::state::TenantState;
use super::types::{Done, Row, RowState, Write};
use crate::catalogue::{patch, validate};
use crate::job::check::Claims;
use crate::job::{Job, Op, Selector, Update};
use crate::model::value::same;
use crate::model::{Body, EntityId, FieldChange, FieldPath, Problem, Reason, RowResult, TenantName, Verdict};

/// What the user narrows a plan by.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanOptions {
    /// Only the first so many clients that would change.
    pub limit: Option<usize>,
    /// Whether the runner's own client may be changed whatever the field (`--force own-client`).
    pub force_own_client: bool,
}

/// Why a job cannot be planned, though it was valid offline.
#[derive(Debug, Clone, PartialEq)]
pub enum Unplannable {
    /// Flags or job are wrong, as the state shows: exit 64.
    Job(Vec<Problem>),
    /// A guard refuses it: exit 4.
    Refused(Vec<Refusal>),
}

/// What one tenant's part of a plan comes to.
pub type Resolved = (Vec<Write>, Vec<Row>);

/// Resolves a job against the state of one tenant.
///
/// # Errors
/// Where updates contradict each other on a client, a planned value would be refused, or a guard says no.
pub fn plan_tenant(
    job: &Job,
    tenant: &TenantName,
    state: &TenantState,
    options: PlanOptions,
) -> Result<Resolved, Unplannable> {
    let index = Index::new(job.kind, state);
    let mut draft = Draft {
        job,
        state,
        options,
        problems: Vec::new(),
        refusals: Vec::new(),
        rows: Vec::new(),
        hits: IndexMap::new(),
    };
    for (at, update) in job.updates.iter().enumerate() {
        if update.tenant.as_ref().is_none_or(|only| only == tenant) {
            draft.hit(at, update, &index);
        }
    }
    draft.finish()
}

/// A client that updates hit: the rows that wait for its outcome, with their updates.
type Hits<'j> = IndexMap<EntityId, Hit<'j>>;

#[derive(Default)]
struct Hit<'j> {
    rows: Vec<(usize, &'j Update)>,
    /// Whether some update found it only under the name that it is to have.
    renamed: bool,
}

struct Draft<'j> {
    job: &'j Job,
    state: &'j TenantState,
    options: PlanOptions,
    problems: Vec<Problem>,
    refusals: Vec<Refusal>,
    rows: Vec<Row>,
    hits: Hits<'j>,
}

/// What is to become of one client.
enum Judged {
    Write(Vec<FieldChange>),
    Done(Done),
}

impl<'j> Draft<'j> {
    /// Finds whom an update is about, and opens a row for each.
    fn hit(&mut self, at: usize, update: &'j Update, index: &Index<'_>) {
        let cells = Arc::new(update.cells.clone());
        let mut row = Row {
            update: at,
            label: update.origin.label,
            id: None,
            name: None,
            cells,
            state: RowState::Done(Done::plain(RowResult::Unchanged)),
        };
        if let Selector::Id(id) = &update.selector {
            row.id = Some(id.clone());
            if update.ops.is_empty() && update.fixed.is_empty() {
                // An unedited object of a `get` file, or a row of empty cells: nothing is asked, so nothing was read.
                row.name = self.name_of(id);
                self.rows.push(row);
                return;
            }
            if let Some(refusal) = guard::named_excluded(self.job.kind, self.state, id, update) {
                self.refusals.push(refusal);
                return;
            }
        }
        match select(self.job.kind, update, self.state, index) {
            Err(done) => self.rows.push(Row { state: RowState::Done(done), ..row }),
            Ok(selected) => {
                for id in selected.ids {
                    let mut row = Row { id: Some(id.clone()), name: self.name_of(&id), ..row.clone() };
                    if let Some(done) = guard::rule_protected(self.state, &id, update) {
                        row.state = RowState::Done(done);
                    } else {
                        let hit = self.hits.entry(id).or_default();
                        hit.rows.push((self.rows.len(), update));
                        hit.renamed |= selected.renamed;
                    }
                    self.rows.push(row);
                }
            }
        }
    }

    fn name_of(&self, id: &EntityId) -> Option<String> {
        let name = self.state.objects.get(id)?.get(&self.job.kind.endpoint.name_field)?;
        name.as_str().map(str::to_owned)
    }

    fn finish(mut self) -> Result<Resolved, Unplannable> {
        let mut writes = Vec::new();
        let hits = std::mem::take(&mut self.hits);
        for (id, Hit { rows, renamed }) in hits {
            let Some(before) = self.state.objects.get(&id) else { continue };
            let state = match self.judge(&rows, before) {
                Judged::Done(done) if done.result == RowResult::Unchanged => RowState::Done(done),
                _ if renamed => RowState::Done(self.not_ours(&id, rows[0].1)),
                Judged::Done(done) => RowState::Done(done),
                Judged::Write(_) if self.options.limit.is_some_and(|limit| writes.len() >= limit) => {
                    RowState::Done(Done::because(RowResult::Skipped, Reason::Limit, "beyond --limit"))
                }
                Judged::Write(changes) => {
                    if !self.options.force_own_client {
                        let refused = guard::own_client(self.job.kind, self.state, &id, &changes, rows[0].1);
                        self.refusals.extend(refused);
                    }
                    self.check(&changes, before, rows[0].1);
                    writes.push(self.write(&id, changes, before, rows[0].1));
                    RowState::Write(writes.len() - 1)
                }
            };
            for (row, _) in rows {
                self.rows[row].state = state.clone();
            }
        }
        if !self.problems.is_empty() {
            return Err(Unplannable::Job(self.problems));
        }
        if !self.refusals.is_empty() {
            return Err(Unplannable::Refused(self.refusals));
        }
        Ok((writes, self.rows))
    }

    /// Of a client that has the new name, but is not as the job would have left it: it may be another one.
    fn not_ours(&self, id: &EntityId, update: &Update) -> Done {
        let kind = self.job.kind;
        let old = match &update.selector {
            Selector::Match { fields, .. } => fields.iter().find_map(|(path, pattern)| {
                (path.root() == kind.endpoint.name_field).then(|| pattern.to_string())
            }),
            Selector::Id(_) => None,
        };
        let message = format!(
            "no {} is named \"{}\"; {id} has the new name already, but is not as asked otherwise: select it by its id if it is meant",
            kind.singular,
            old.unwrap_or_default()
        );
        Done::because(RowResult::Failed, Reason::NotFound, message)
    }

    /// Compares what the updates of one client ask for with what it holds.
    fn judge(&mut self, rows: &[(usize, &'j Update)], before: &Body) -> Judged {
        let kind = self.job.kind;
        let mut claims = Claims::default();
        self.problems.extend(rows.iter().filter_map(|(_, update)| claims.claim(kind, update)));
        for op in rows.iter().flat_map(|(_, update)| update.fixed.iter().map(move |op| (*update, op))) {
            self.fixed(op.0, op.1, before);
        }
        let mut changes: Vec<FieldChange> = Vec::new();
        let mut conflicts: Vec<String> = Vec::new();
        for (_, update) in rows {
            for op in &update.ops {
                match judge_op(kind, update, op, before) {
                    (Verdict::Already, _) => (),
                    (Verdict::Apply, change) if changes.iter().all(|c| c.path != op.path) => {
                        changes.push(change);
                    }
                    (Verdict::Apply, _) => (),
                    (Verdict::Conflict, change) => conflicts.push(format!(
                        "{} holds {}, expected {}",
                        op.path,
                        shown(change.before.as_ref()),
                        shown(expected(update, op).unwrap_or_default())
                    )),
                }
            }
        }
        if !changes.is_empty() || !conflicts.is_empty() {
            conflicts.extend(rows.iter().flat_map(|(_, update)| broken_preconditions(kind, update, before)));
        }
        if !conflicts.is_empty() {
            let fetched = rows.iter().any(|(_, update)| update.base.is_some());
            let hint = if fetched {
                "; somebody changed it since `get` fetched it: fetch it again to edit what is there now"
            } else {
                ""
            };
            return Judged::Done(Done::because(
                RowResult::Conflict,
                Reason::Expect,
                conflicts.join("; ") + hint,
            ));
        }
        if changes.is_empty() {
            Judged::Done(Done::plain(RowResult::Unchanged))
        } else {
            Judged::Write(changes)
        }
    }

    /// A field that nobody may change must be as the tenant has it.
    fn fixed(&mut self, update: &Update, op: &Op, before: &Body) {
        let now = op.path.get(before);
        if !same(op.action.after(), now, self.job.kind.order(&op.path)) {
            let problem =
                Problem::new(format!("`{}` cannot be changed; the tenant holds {}", op.path, shown(now)))
                    .at(&update.origin.file, op.span.clone())
                    .help("put the value back, or remove the line");
            self.problems.push(problem);
        }
    }

    /// The values to be written, and the state they lead to, must be such that Auth0 takes them.
    fn check(&mut self, changes: &[FieldChange], before: &Body, update: &Update) {
        let kind = self.job.kind;
        let wanted = wanted(changes);
        let after = patch::predict(kind, before, &wanted);
        let mut faults = Vec::new();
        for change in changes {
            match &change.after {
                Some(value) => faults.extend(validate::value(kind, &change.path, value)),
                None => faults.extend(validate::unset(kind, &change.path)),
            }
        }
        let mut roots: Vec<&str> = changes.iter().map(|change| change.path.root()).collect();
        roots.dedup();
        for root in roots {
            if let Some(value) = after.get(root) {
                faults.extend(validate::object_after(kind, &FieldPath::root_field(root), value));
            }
        }
        let id_field = &kind.endpoint.id_field;
        let of = before.get(id_field).and_then(Value::as_str).unwrap_or_default();
        self.problems.extend(faults.into_iter().map(|fault| {
            Problem::new(format!("{} {of}: {}", kind.singular, fault.what))
                .at(&update.origin.file, update.origin.span.clone())
                .maybe_help(fault.help)
        }));
    }

    fn write(&self, id: &EntityId, changes: Vec<FieldChange>, before: &Body, update: &Update) -> Write {
        let kind = self.job.kind;
        let patch = patch::body(kind, before, &wanted(&changes));
        Write {
            id: id.clone(),
            name: self.name_of(id),
            label: update.origin.label,
            changes,
            body: patch.body,
            compose: patch.compose,
            before: before.clone(),
        }
    }
}

/// The rows of a tenant that could not be read: none was attempted.
pub fn not_attempted(job: &Job, tenant: &TenantName) -> Vec<Row> {
    let of = job
        .updates
        .iter()
        .enumerate()
        .filter(|(_, update)| update.tenant.as_ref().is_none_or(|only| only == tenant));
    of.map(|(at, update)| Row {
        update: at,
        label: update.origin.label,
        id: match &update.selector {
            Selector::Id(id) => Some(id.clone()),
            Selector::Match { .. } => None,
        },
        name: None,
        cells: Arc::new(update.cells.clone()),
        state: RowState::Done(Done::because(
            RowResult::NotAttempted,
            Reason::TenantFailed,
            "the tenant could not be planned",
        )),
    })
    .collect()
}

/// Rows of several tenants in the order of the input.
pub fn input_order<'p, T>(tenants: impl IntoIterator<Item = (&'p T, &'p [Row])>) -> Vec<(&'p T, &'p Row)> {
    let mut rows: Vec<(usize, &T, &Row)> = Vec::new();
    for (at, (tenant, of)) in tenants.into_iter().enumerate() {
        rows.extend(of.iter().map(|row| (at, tenant, row)));
    }
    // Stable: the clients that one update hits in one tenant keep the order of the list.
    rows.sort_by_key(|(at, _, row)| (row.update, *at));
    rows.into_iter().map(|(_, tenant, row)| (tenant, row)).collect()
}

#[cfg(test)]
mod tests;
