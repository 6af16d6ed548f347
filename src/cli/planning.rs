//! Reads all tenants and plans them: what `plan` and `apply` have in common. Nothing here can write.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;

use super::args::{Force, JobArgs};
use super::connect::{Session, Target};
use super::error::CliError;
use crate::auth0::{ApiError, Reader};
use crate::job::{Guards, Job, Threshold};
use crate::model::suggest::nearest;
use crate::model::{Problem, TenantName};
use crate::plan::forecast::{Forecast, forecast};
use crate::plan::{
    Header, Plan, PlanOptions, TenantFailure, TenantPlan, TenantState, Unplannable, guard, needs, plan_tenant,
};
use crate::run::read_state;
use crate::store::paces;

/// A plan, with what it will take tenant by tenant.
pub(super) struct Planned {
    /// The plan.
    pub(super) plan: Plan,
    /// One per tenant, in the plan's order; `None` where the tenant could not be planned.
    pub(super) forecasts: Vec<Option<Forecast>>,
    /// Errors of tenants that could not be planned.
    pub(super) failures: Vec<(TenantName, ApiError)>,
}

/// Plans a job for the tenants of a session.
pub(super) async fn plan(job: &Job, session: &Session, args: &JobArgs) -> Result<Planned, CliError> {
    check_tenants(job, session, args)?;
    let readers: Vec<(&Target, Reader)> =
        session.targets.iter().map(|target| (target, target.connection.reader())).collect();
    let states = join_all(readers.iter().map(|(target, reader)| async move {
        let needs = needs(job, &target.tenant);
        read_state(reader, target.connection.own_client().cloned(), job.kind, &needs).await
    }))
    .await;
    let options = PlanOptions { limit: args.limit, force_own_client: args.force.contains(&Force::OwnClient) };
    let header = Header {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        job: job.name.clone(),
        job_digest: job.digest.clone(),
        kind: job.kind.name.clone(),
        made: now(),
        columns: job.columns.clone(),
    };
    let mut planned =
        Planned { plan: Plan { header, tenants: Vec::new() }, forecasts: Vec::new(), failures: Vec::new() };
    let (mut problems, mut refusals) = (Vec::new(), Vec::new());
    for (target, state) in session.targets.iter().zip(states) {
        match one(job, session, target, state, options, &mut planned.failures) {
            Ok((tenant, forecast)) => {
                planned.plan.tenants.push(Arc::new(tenant));
                planned.forecasts.push(forecast);
            }
            Err(Unplannable::Job(more)) => problems.extend(more),
            Err(Unplannable::Refused(more)) => refusals.extend(more),
        }
    }
    if !problems.is_empty() {
        problems.dedup();
        return Err(CliError::job(problems, format!("patchwave check {}", args.job)));
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
    target: &Target,
    state: Result<TenantState, ApiError>,
    options: PlanOptions,
    failures: &mut Vec<(TenantName, ApiError)>,
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
            failures.push((target.tenant.clone(), error));
            Ok((tenant, None))
        }
        Ok(state) => {
            (tenant.writes, tenant.rows) = plan_tenant(job, &target.tenant, &state, options)?;
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

/// What a job says of tenants must fit those that were chosen.
fn check_tenants(job: &Job, session: &Session, args: &JobArgs) -> Result<(), CliError> {
    let chosen: Vec<&str> = session.targets.iter().map(|target| target.tenant.as_str()).collect();
    let barred = session
        .targets
        .iter()
        .find(|target| !job.allowed_tenants.is_empty() && !job.allowed_tenants.contains(&target.tenant));
    if let Some(target) = barred {
        let allowed: Vec<&str> = job.allowed_tenants.iter().map(TenantName::as_str).collect();
        let refusal = crate::plan::Refusal {
            what: format!(
                "the job {} is not for tenant {}: its `tenants` allow {}",
                args.job,
                target.tenant,
                allowed.join(", ")
            ),
            help: "choose one of those with --tenant".to_owned(),
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
    if problems.is_empty() {
        Ok(())
    } else {
        Err(CliError::job(problems, format!("patchwave plan {}", args.job)))
    }
}

/// Refuses a plan that changes more than was allowed. A protected tenant allows 30 % where nothing else is said.
pub(super) fn check_max_changes(
    job: &Job,
    planned: &Plan,
    session: &Session,
    args: &JobArgs,
) -> Result<(), CliError> {
    if args.force.contains(&Force::MaxChanges) {
        return Ok(());
    }
    let limit_of = |tenant: &TenantName, clients: usize| {
        let protected = session.targets.iter().any(|target| target.tenant == *tenant && target.protected);
        let said = Guards::strictest([job.guards.max_changes, session.guards.max_changes], clients);
        args.max_changes.or(said).or(protected.then_some(Threshold::Percent(30.0)))
    };
    let refusals = guard::max_changes(job.kind, planned, limit_of);
    if refusals.is_empty() { Ok(()) } else { Err(CliError::refused(&refusals)) }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
