//! From updates and state to writes and rows. Every update sees the state as it was read, never another's result.

use std::ops::Range;
use std::sync::Arc;

use super::guard::Refusal;
use super::hits::{Draft, Judged};
use super::needs::unknown_names;
use super::state::TenantState;
use super::types::{Done, Row, RowState, TenantFailure, Write};
use super::{guard, repeat};
use crate::catalogue::{Writable, patch, validate};
use crate::job::template::RenderFault;
use crate::job::{Expression, Job, Selector, TenantScope, Term, Update, bind};
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldChange, FieldPath, Problem, Reason, RowResult, TenantName};

/// What the user narrows a plan by.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Only the first so many clients that would change.
    pub limit: Option<usize>,
    /// Only clients of which this holds (`--where`).
    pub narrow: Option<Arc<Expression>>,
    /// Whether the runner's own client may be changed whatever the field (`--force own-client`).
    pub force_own_client: bool,
    /// Whether protected clients may be changed (`--force protect`).
    pub force_protect: bool,
    /// Whether a field may be written though it does not hold what its update expects (`--on-conflict overwrite`).
    /// Expectations of other fields hold all the same.
    pub overwrite: bool,
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
/// Where updates contradict each other on a client, a template has no value, a planned value would be refused, the job
/// would change something again when run again, or another guard says no.
pub fn plan_tenant(
    job: &Job,
    tenant: &Arc<TenantScope>,
    state: &TenantState,
    options: &PlanOptions,
) -> Result<Resolved, Unplannable> {
    let job = bind(job, tenant).map_err(Unplannable::Job)?;
    let unknown = unknown(&job, tenant, state, options);
    if !unknown.is_empty() {
        return Err(Unplannable::Job(unknown));
    }
    let mut draft = Draft::of(&job, tenant, state, options, |_| true);
    let judged = draft.judge_all();
    let problems = draft.take_problems();
    if !problems.is_empty() {
        return Err(Unplannable::Job(problems));
    }
    if draft.refusals.is_empty() {
        draft.refusals = repeat::changes_again(&job, tenant, state, options, &judged);
    }
    let (resolved, problems, refusals) = finish(draft, judged);
    if !problems.is_empty() {
        return Err(Unplannable::Job(problems));
    }
    if refusals.is_empty() { Ok(resolved) } else { Err(Unplannable::Refused(refusals)) }
}

/// Names in templates that neither the catalogue nor any client knows.
fn unknown(job: &Job, tenant: &TenantScope, state: &TenantState, options: &PlanOptions) -> Vec<Problem> {
    let nobody_has = |name: &String| {
        !state.objects.is_empty() && !state.objects.values().any(|body| body.contains_key(name))
    };
    let names = unknown_names(job, &tenant.name, options.narrow.as_deref());
    let unknown = names.into_iter().filter(|(name, _)| nobody_has(name));
    unknown
        .map(|(name, place)| {
            let known = job.kind.root().fields.keys().map(String::as_str);
            let what = format!("`{name}` is used, and no {} has such a field", job.kind.singular);
            let near = nearest(&name, known).map(|near| format!("did you mean `{near}`?"));
            let problem = Problem::new(what).maybe_help(near);
            match place {
                Some((update, span)) => problem.at(&update.origin.file, span),
                None => problem,
            }
        })
        .collect()
}

/// Judged clients as writes, up to the limit, and rows.
fn finish(
    mut draft: Draft<'_>,
    judged: Vec<(EntityId, Judged<'_>)>,
) -> (Resolved, Vec<Problem>, Vec<Refusal>) {
    let mut writes = Vec::new();
    for (id, judged) in judged {
        let Some(before) = draft.state.objects.get(&id) else { continue };
        let state = match judged {
            Judged::Done { done, .. } => RowState::Done(done),
            Judged::Write { .. } if draft.options.limit.is_some_and(|limit| writes.len() >= limit) => {
                RowState::Done(Done::because(RowResult::Skipped, Reason::Limit, "beyond --limit"))
            }
            Judged::Write { changes, update, updates } => {
                if !draft.options.force_own_client {
                    let refused =
                        guard::own_client(draft.job.kind, draft.state, &id, &changes, update.origin.label);
                    draft.refusals.extend(refused);
                }
                for (update, span, fault) in unfit(&draft, &changes, before, &updates) {
                    draft.fault(update, &id, span, fault);
                }
                writes.push(write(&draft, &id, changes, before, update));
                RowState::Write(writes.len() - 1)
            }
        };
        for row in draft.rows_of(&id) {
            draft.rows[row].state = state.clone();
        }
    }
    let problems = draft.take_problems();
    ((writes, draft.rows), problems, draft.refusals)
}

/// The values to be written, and the state they lead to, must be such that Auth0 takes them.
fn unfit<'j>(
    draft: &Draft<'_>,
    changes: &[FieldChange],
    before: &Body,
    updates: &[&'j Update],
) -> Vec<(&'j Update, Range<usize>, RenderFault)> {
    let kind = draft.job.kind;
    let after = patch::predict(kind, before, &super::judge::wanted(changes));
    let mut faults: Vec<(&FieldPath, validate::Fault)> = Vec::new();
    for change in changes {
        let found = match &change.after {
            Some(value) => validate::value(kind, &change.path, value),
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
        Some((update, span, RenderFault { what, help }))
    };
    faults.into_iter().filter_map(told).collect()
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

fn write(
    draft: &Draft<'_>,
    id: &EntityId,
    changes: Vec<FieldChange>,
    before: &Arc<Body>,
    update: &Update,
) -> Write {
    let kind = draft.job.kind;
    let patch = patch::body(kind, before, &super::judge::wanted(&changes));
    Write {
        id: id.clone(),
        name: draft.name_of(id),
        label: update.origin.label,
        changes,
        body: patch.body,
        compose: patch.compose,
        before: kept(draft, before),
        left: Vec::new(),
    }
}

/// What a plan keeps of a client. Where all fields were read for a template's sake, those that only the server sets are no
/// part of it: some of them differ between a list and the answer to a PATCH.
fn kept(draft: &Draft<'_>, before: &Arc<Body>) -> Arc<Body> {
    let kind = draft.job.kind;
    let own = |key: &str| {
        key == kind.endpoint.id_field
            || draft.asked_for.contains(key)
            || kind.writable(&FieldPath::root_field(key)) == Writable::Patch
    };
    if before.keys().all(|key| own(key)) {
        return Arc::clone(before);
    }
    Arc::new(
        before.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
    )
}

/// The rows of a tenant that could not be planned: none was attempted.
pub fn not_attempted(job: &Job, tenant: &TenantName, failure: &TenantFailure) -> Vec<Row> {
    let reason = if failure.is_locked() { Reason::Locked } else { Reason::TenantFailed };
    let of = job.updates.iter().enumerate().filter(|(_, update)| update.is_for(tenant));
    of.map(|(at, update)| Row {
        update: at,
        label: update.origin.label,
        id: match &update.selector {
            Selector::Id(id) => Some(id.clone()),
            Selector::Rule(_) | Selector::Templated(_) => None,
        },
        name: None,
        cells: Arc::new(update.cells.clone()),
        state: RowState::Done(Done::because(RowResult::NotAttempted, reason, failure.message.clone())),
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
