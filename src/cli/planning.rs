//! Reads all tenants and plans them: what `plan` and `apply` have in common. Nothing here can write.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use super::args::{Force, JobArgs, PaceArgs, TenantArgs};
use super::connect::{Session, Target, connect};
use super::context::{Reading, expression};
use super::error::CliError;
use super::output::{self, Output};
use super::scopes;
use crate::auth0::{ApiError, Reader};
use crate::job::{Job, TenantScope, Threshold};
use crate::model::suggest::nearest;
use crate::model::{Problem, TenantName};
use crate::plan::forecast::{Forecast, forecast};
use crate::plan::{
    Header, Needs, Plan, PlanOptions, TenantFailure, TenantPlan, TenantState, Unplannable, guard, needs,
    plan_tenant, protects_nobody, warnings,
};
use crate::report::problems;
use crate::report::progress::Display;
use crate::run::read_state;
use crate::store::paces;

/// A plan, with what it will take tenant by tenant.
pub(super) struct Planned {
    /// The plan.
    pub(super) plan: Plan,
    /// One per tenant, in the plan's order; `None` where the tenant could not be planned.
    pub(super) forecasts: Vec<Option<Forecast>>,
    /// When the tenants were read.
    pub(super) read: Instant,
    /// What a person should look at.
    warnings: Vec<Problem>,
    /// Errors of tenants that could not be planned.
    pub(super) failures: Vec<(TenantName, ApiError)>,
}

/// From flags to a plan: connects, reads the job and the tenants.
pub(super) async fn start(
    args: &JobArgs,
    tenant: &TenantArgs,
    pace: &PaceArgs,
    display: &Display,
    output: &Output,
) -> Result<(Session, Job, Planned), CliError> {
    let session = connect(tenant, pace, display).await?;
    let reading = Reading { state: &session.state, args: &args.read, extra_fields: &session.extra_fields };
    let job = reading.job(&args.job, output)?;
    display.reading();
    let planned = plan(&job, &session, args).await;
    display.clear();
    let planned = planned?;
    if !planned.warnings.is_empty() {
        output.note(&problems::render(&planned.warnings));
    }
    Ok((session, job, planned))
}

/// Plans a job for the tenants of a session.
async fn plan(job: &Job, session: &Session, args: &JobArgs) -> Result<Planned, CliError> {
    check_tenants(job, session, args)?;
    let narrow = args.narrow.as_deref().map(|text| expression("--where", text, job.kind)).transpose()?;
    let narrow = narrow.map(Arc::new);
    let scopes = scopes::of_tenants(job, session, args)?;
    let bound = scopes::bound(job, &scopes)?;
    let read = Instant::now();
    let readers: Vec<(&Target, Reader, &Job)> = session
        .targets
        .iter()
        .zip(&bound)
        .map(|(target, bound)| (target, target.connection.reader(), &**bound))
        .collect();
    let condition = narrow.as_deref();
    let states = join_all(readers.iter().map(|(target, reader, bound)| async move {
        let share = change_limits(job, session, args, target)
            .any(|(limit, _)| matches!(limit, Threshold::Percent(_)));
        let needs = Needs { total: share, ..needs(bound, &target.tenant, condition) };
        let state = read_state(reader, target.connection.own_client().cloned(), job.kind, &needs).await;
        state.map(|state| TenantState { protected: job.protect.iter().cloned().collect(), ..state })
    }))
    .await;
    // One budget for the run: the first clients in the order of the tenants.
    let mut options = PlanOptions {
        limit: args.limit,
        narrow,
        force_own_client: args.force.contains(&Force::OwnClient),
        force_protect: args.force.contains(&Force::Protect),
    };
    let header = Header {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        job: job.name.clone(),
        job_digest: job.digest.clone(),
        kind: job.kind.name.clone(),
        made: now(),
        columns: job.columns.clone(),
    };
    let mut planned = Planned {
        plan: Plan { header, tenants: Vec::new() },
        forecasts: Vec::new(),
        warnings: protects_nobody(job, states.iter().map(|state| state.as_ref().ok())),
        failures: Vec::new(),
        read,
    };
    let (mut problems, mut refusals) = (Vec::new(), Vec::new());
    for ((target, scope), state) in session.targets.iter().zip(&scopes).zip(states) {
        match one(job, session, (target, scope), state, &options, &mut planned) {
            Ok((tenant, forecast)) => {
                options.limit = options.limit.map(|limit| limit.saturating_sub(tenant.writes.len()));
                planned.plan.tenants.push(Arc::new(tenant));
                planned.forecasts.push(forecast);
            }
            Err(Unplannable::Job(more)) => problems.extend(more),
            Err(Unplannable::Refused(more)) => refusals.extend(more),
        }
    }
    if !problems.is_empty() {
        problems.dedup();
        return Err(CliError::job(problems, output::command_line()));
    }
    if !refusals.is_empty() {
        return Err(CliError::refused(&refusals));
    }
    Ok(planned)
}

type One = (TenantPlan, Option<Forecast>);

fn one(
    job: &Job,
    session: &Session,
    (target, scope): (&Target, &Arc<TenantScope>),
    state: Result<TenantState, ApiError>,
    options: &PlanOptions,
    planned: &mut Planned,
) -> Result<One, Unplannable> {
    let mut tenant = TenantPlan {
        tenant: target.tenant.clone(),
        domain: target.domain.clone(),
        origin: target.origin.clone(),
        total: None,
        pace: target.connection.pace(),
        writes: Vec::new(),
        rows: Vec::new(),
        failure: None,
    };
    match state {
        Err(error) => {
            tenant.failure = Some(TenantFailure {
                message: error.to_string(),
                class: error.class().as_str().to_owned(),
                http_status: error.status(),
                retryable: error.retryable(),
            });
            tenant.rows = crate::plan::resolve::not_attempted(job, &target.tenant);
            planned.failures.push((target.tenant.clone(), error));
            Ok((tenant, None))
        }
        Ok(state) => {
            let resolved = plan_tenant(job, scope, &state, options)?;
            planned.warnings.extend(warnings(job, &target.tenant, &state, &resolved));
            (tenant.writes, tenant.rows) = resolved;
            tenant.total = state.total;
            let forecast = forecast_of(session, target, &tenant);
            Ok((tenant, Some(forecast)))
        }
    }
}

/// From what this session saw of the rate limit, and what earlier runs learned of a bucket of the same size.
fn forecast_of(session: &Session, target: &Target, tenant: &TenantPlan) -> Forecast {
    let mut pace = tenant.pace;
    let earlier = paces::recall(&session.state, &target.domain).filter(|earlier| earlier.limit == pace.limit);
    pace.refill = pace.refill.or(earlier.and_then(|earlier| earlier.refill));
    let bucket = pace.limit.unwrap_or(0);
    let reserve =
        session.reserve.of(usize::try_from(bucket).unwrap_or(usize::MAX)).min(bucket.saturating_sub(1));
    forecast(tenant.writes.len(), &pace, reserve, session.rate)
}

/// Whether an entry of a job's `tenants` is about a tenant: by its name, or by a tag as in `tag:ring=canary`.
fn allows(entry: &TenantName, target: &Target) -> bool {
    match entry.as_str().strip_prefix("tag:").and_then(|tag| tag.split_once('=')) {
        Some((key, value)) => target.tags.get(key).is_some_and(|tag| tag.as_str() == Some(value)),
        None => *entry == target.tenant,
    }
}

/// What a job says of tenants must fit those that were chosen.
fn check_tenants(job: &Job, session: &Session, args: &JobArgs) -> Result<(), CliError> {
    let chosen: Vec<&str> = session.targets.iter().map(|target| target.tenant.as_str()).collect();
    let barred = session.targets.iter().find(|target| {
        !job.allowed_tenants.is_empty() && !job.allowed_tenants.iter().any(|name| allows(name, target))
    });
    if let Some(target) = barred {
        let allowed: Vec<&str> = job.allowed_tenants.iter().map(TenantName::as_str).collect();
        let refusal = crate::plan::Refusal {
            what: format!(
                "the job {} is not for tenant {}: its `tenants` allow {}",
                args.job,
                target.tenant,
                allowed.join(", ")
            ),
            help: "choose tenants that these name, or that have the tag, with --tenant or --group".to_owned(),
        };
        return Err(CliError::refused(&[refusal]));
    }
    let mut problems: Vec<Problem> = Vec::new();
    for update in &job.updates {
        let Some(tenant) = update.tenant.as_ref().filter(|tenant| !chosen.contains(&tenant.as_str())) else {
            continue;
        };
        let help = match nearest(tenant.as_str(), chosen.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("chosen are: {}; add --tenant {tenant}, or remove the row", chosen.join(", ")),
        };
        let what =
            format!("{} is for tenant `{tenant}`, which is not chosen", update.origin.label.in_words());
        problems.push(Problem::new(what).at(&update.origin.file, update.origin.span.clone()).help(help));
    }
    if problems.is_empty() { Ok(()) } else { Err(CliError::job(problems, output::command_line())) }
}

/// The limits on changes that hold for a tenant, each with who says so: a flag alone, else those of the job and the
/// environment, else 30 % for a protected tenant.
fn change_limits<'a>(
    job: &'a Job,
    session: &'a Session,
    args: &'a JobArgs,
    target: &'a Target,
) -> impl Iterator<Item = (Threshold, &'static str)> {
    let lifted = args.force.contains(&Force::MaxChanges);
    let flag = args.max_changes.map(|limit| (limit, "--max-changes"));
    let of_job = job.guards.max_changes.map(|limit| (limit, "the job's max_changes"));
    let of_environment = session.guards.max_changes.map(|limit| (limit, "PATCHWAVE_MAX_CHANGES"));
    let said = if flag.is_some() { [flag, None] } else { [of_job, of_environment] };
    let protected = (target.protected && said == [None, None])
        .then_some((Threshold::Percent(30.0), "the limit of a protected tenant"));
    said.into_iter().chain([protected]).flatten().filter(move |_| !lifted)
}

/// Refuses a plan that changes more than was allowed. A protected tenant allows 30 % where nothing else is said.
pub(super) fn check_max_changes(
    job: &Job,
    planned: &Plan,
    session: &Session,
    args: &JobArgs,
) -> Result<(), CliError> {
    let limit_of = |tenant: &TenantName, clients: usize| {
        let target = session.targets.iter().find(|target| target.tenant == *tenant)?;
        change_limits(job, session, args, target).min_by_key(|(limit, _)| limit.of(clients))
    };
    let refusals = guard::max_changes(job.kind, planned, limit_of);
    if refusals.is_empty() { Ok(()) } else { Err(CliError::refused(&refusals)) }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
