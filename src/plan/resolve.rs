//! From updates and state to writes and rows. Every update sees the state as it was read, never another's result.

use std::sync::Arc;

use super::creates::creates;
use super::ending::Ending;
use super::guard::Refusal;
use super::hits::Draft;
use super::needs::unknown_names;
use super::references::knowing_ids;
use super::repeat::Again;
use super::state::{TenantState, TenantStates};
use super::types::{Done, Row, RowState, TenantFailure};
use super::writes::Writes;
use crate::catalogue::{Kind, KindName};
use crate::job::{Expression, Job, Selector, TenantScope, bind};
use crate::model::suggest::nearest;
use crate::model::{Problem, Reason, RowResult, TenantName};

/// What the user narrows a plan by.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Only the first so many clients that would change.
    pub limit: Option<usize>,
    /// Only clients of which this holds (`--where`).
    pub narrow: Narrow,
    /// Whether the runner's own client may be changed whatever the field (`--force own-client`).
    pub force_own_client: bool,
    /// Whether protected clients may be changed (`--force protect`).
    pub force_protect: bool,
    /// Whether a field may be written though it does not hold what its update expects (`--on-conflict overwrite`).
    /// Expectations of other fields hold all the same.
    pub overwrite: bool,
}

/// `--where`, compiled for each kind that the job is about.
#[derive(Debug, Clone, Default)]
pub struct Narrow(Vec<(KindName, Arc<Expression>)>);

impl Narrow {
    /// The expression for a kind, where there is one.
    pub fn of(&self, kind: KindName) -> Option<&Expression> {
        self.0.iter().find(|(name, _)| *name == kind).map(|(_, expression)| &**expression)
    }
}

impl FromIterator<(KindName, Expression)> for Narrow {
    fn from_iter<I: IntoIterator<Item = (KindName, Expression)>>(of: I) -> Self {
        Self(of.into_iter().map(|(kind, expression)| (kind, Arc::new(expression))).collect())
    }
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
pub type Resolved = (Writes, Vec<Row>);

/// Resolves a job against the state of one tenant.
///
/// # Errors
/// Where updates contradict each other on a client, a template has no value, a planned value would be refused, the job
/// would change something again when run again, or another guard says no.
pub fn plan_tenant(
    job: &Job,
    tenant: &Arc<TenantScope>,
    states: &TenantStates,
    options: &PlanOptions,
) -> Result<Resolved, Unplannable> {
    let tenant = &knowing_ids(job, tenant, states);
    let job = bind(job, tenant).map_err(Unplannable::Job)?;
    let mut options = options.clone();
    let (mut problems, mut refusals) = (Vec::new(), Vec::new());
    let mut whole: Resolved = (Writes::default(), Vec::new());
    for kind in job.used() {
        match plan_kind((&job, kind), tenant, states.of(kind.name), &options) {
            Ok(part) => {
                options.limit = options.limit.map(|limit| limit.saturating_sub(part.0.len()));
                join(&mut whole, part);
            }
            Err(Unplannable::Job(more)) => problems.extend(more),
            Err(Unplannable::Refused(more)) => refusals.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(Unplannable::Job(problems));
    }
    if !refusals.is_empty() {
        return Err(Unplannable::Refused(refusals));
    }
    // One kind after the other was planned; the report has the order of the input.
    whole.1.sort_by_key(|row| row.update);
    Ok(whole)
}

/// Puts the part of one kind behind what there is.
fn join(whole: &mut Resolved, (writes, rows): Resolved) {
    if whole.0.is_empty() && whole.1.is_empty() {
        *whole = (writes, rows);
        return;
    }
    let before = whole.0.len();
    writes.iter().for_each(|write| whole.0.push(&write));
    whole.1.extend(rows.into_iter().map(|row| match row.state {
        RowState::Write(at) => Row { state: RowState::Write(before + at), ..row },
        RowState::Done(_) => row,
    }));
}

/// Resolves the updates of one kind.
fn plan_kind(
    (job, kind): (&Job, &'static Kind),
    tenant: &Arc<TenantScope>,
    state: &TenantState,
    options: &PlanOptions,
) -> Result<Resolved, Unplannable> {
    let unknown = unknown((job, kind), tenant, state, options);
    if !unknown.is_empty() {
        return Err(Unplannable::Job(unknown));
    }
    let mut draft = Draft::of((job, kind), tenant, state, options, |_| true);
    let mut ending = Ending::default();
    let mut again = Again::of((job, kind), state);
    draft.judge_each(|draft, client, judged| {
        again.take(client, &judged);
        ending.take(draft, client, judged);
    });
    let problems = draft.take_problems();
    if !problems.is_empty() {
        return Err(Unplannable::Job(problems));
    }
    if draft.refusals.is_empty() {
        draft.refusals = again.refusals(tenant, options);
    }
    let limit = options.limit.map(|limit| limit.saturating_sub(ending.len()));
    let mut whole = ending.close(draft)?;
    let created = creates((job, kind), tenant, state, limit).map_err(Unplannable::Job)?;
    join(&mut whole, created);
    Ok(whole)
}

/// Names in templates that neither the catalogue nor any client knows.
fn unknown(
    (job, kind): (&Job, &'static Kind),
    tenant: &TenantScope,
    state: &TenantState,
    options: &PlanOptions,
) -> Vec<Problem> {
    let nobody_has =
        |name: &String| !state.objects.is_empty() && !state.all().any(|(_, body)| body.contains_key(name));
    let names = unknown_names((job, kind), &tenant.name, options.narrow.of(kind.name));
    let unknown = names.into_iter().filter(|(name, _)| nobody_has(name));
    unknown
        .map(|(name, place)| {
            let known = kind.root().fields.keys().map(String::as_str);
            let what = format!("`{name}` is used, and no {} has such a field", kind.singular);
            let near = nearest(&name, known).map(|near| format!("did you mean `{near}`?"));
            let problem = Problem::new(what).maybe_help(near);
            match place {
                Some((update, span)) => problem.at(&update.origin.file, span),
                None => problem,
            }
        })
        .collect()
}

/// The rows of a tenant that could not be planned: none was attempted.
pub fn not_attempted(job: &Job, tenant: &TenantName, failure: &TenantFailure) -> Vec<Row> {
    let reason = if failure.is_locked() { Reason::Locked } else { Reason::TenantFailed };
    let of = job.updates.iter().enumerate().filter(|(_, update)| update.is_for(tenant));
    of.map(|(at, update)| Row {
        update: at,
        label: update.origin.label,
        kind: update.kind.name,
        id: match &update.selector {
            Selector::Id(id) => Some(id.clone()),
            Selector::Rule(_) | Selector::Templated(_) | Selector::Lost(_) => None,
        },
        name: None,
        cells: update.cells.clone(),
        state: Done::because(RowResult::NotAttempted, reason, failure.message.clone()).into(),
    })
    .collect()
}

#[cfg(test)]
mod tests;
