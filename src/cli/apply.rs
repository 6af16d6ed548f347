//! `patchwave apply`: plan, ask, change, report.

use super::args::{ApplyArgs, PlanArgs};
use super::connect::Session;
use super::error::CliError;
use super::live_run::{LiveRun, Reports};
use super::output::{self, Output};
use super::planning::{self, Planned, check_max_changes};
use super::{prompt, show_plan};
use crate::job::{Guards, Job, Threshold};
use crate::model::TenantName;
use crate::report::term;
use crate::run::Limits;

/// Applies a job.
pub(super) async fn run(args: ApplyArgs, output: &Output) -> Result<u8, CliError> {
    if args.dry_run {
        let ApplyArgs { job, tenant, pace, full, .. } = args;
        return show_plan::run(PlanArgs { job, tenant, pace, full, detailed_exitcode: false }, output).await;
    }
    let reports = Reports::from_paths(&args.report, &args.job.job)?;
    let display = output.progress();
    let (session, job, planned) =
        planning::start(&args.job, &args.tenant, &args.pace, &display, output).await?;
    if planned.failures.len() == planned.plan.tenants.len() {
        return Err(show_plan::unreachable(&planned));
    }
    // Nobody is asked about what was not shown.
    if !output.quiet() || !args.yes {
        show_plan::show(&planned, &job, args.full, output);
    }
    check_max_changes(&job, &planned.plan, &session, &args.job)?;
    check_scopes(&job, &session, &planned).await?;
    consent(&args, &session, &planned, &job)?;
    let limits = Limits {
        concurrency: usize::from(args.pace.concurrency),
        max_failures: max_failures(&args, &job, &session, planned.plan.totals().writes),
    };
    let run = LiveRun::begin(&session, planned)?;
    let finished = run.execute(&job, &session, limits, &display).await?;
    display.clear();
    Ok(run.report(&session, &finished, &reports, output))
}

/// The greater of 10 and 10 % of the planned writes, where nothing else is said.
fn max_failures(args: &ApplyArgs, job: &Job, session: &Session, writes: usize) -> u64 {
    let guards = Guards::strictest([job.guards.max_failures, session.guards.max_failures], writes);
    let said = args.max_failures.or(guards);
    said.map_or_else(|| Threshold::Percent(10.0).of(writes).max(10), |threshold| threshold.of(writes))
}

/// A token that may not write is found out before the first write, not by it.
async fn check_scopes(job: &Job, session: &Session, planned: &Planned) -> Result<(), CliError> {
    for (target, _) in
        session.targets.iter().zip(&planned.plan.tenants).filter(|(_, part)| !part.writes.is_empty())
    {
        let grant = target
            .connection
            .reader()
            .sign_in()
            .await
            .map_err(|error| CliError::tenant(target.tenant.as_str(), &error))?;
        let wanted = &job.kind.endpoint.update_scope;
        let enough = job.kind.update_scopes();
        if grant.scopes.is_some_and(|scopes| !enough.iter().any(|scope| scopes.contains(*scope))) {
            let what = format!(
                "the token for {} lacks the scope {wanted}: grant it to the application, on its \"APIs\" page in the Auth0 Dashboard; nothing was written",
                target.domain
            );
            return Err(CliError::setup(what).of_tenant(target.tenant.as_str()));
        }
    }
    Ok(())
}

fn consent(args: &ApplyArgs, session: &Session, planned: &Planned, job: &Job) -> Result<(), CliError> {
    let writes = planned.plan.totals().writes;
    if session.sandbox.is_some() || writes == 0 {
        return Ok(());
    }
    let written = |tenant: &TenantName| {
        planned.plan.tenants.iter().any(|t| t.tenant == *tenant && !t.writes.is_empty())
    };
    let protected = session.targets.iter().filter(|target| target.protected && written(&target.tenant));
    let asks = !args.yes;
    if asks && !prompt::can_ask() {
        return Err(CliError::no_consent(
            "nobody is there to ask, and --yes is not given; nothing was written",
        )
        .next(output::command_line_with(&["--yes"])));
    }
    for target in protected {
        let name = target.tenant.as_str();
        if args.confirm_tenant.iter().any(|confirmed| confirmed == name) {
            continue;
        }
        let typed = asks && prompt::typed(&format!("{} is protected.", target.domain), name);
        if !typed {
            return Err(CliError::no_consent(format!(
                "tenant {name} is protected and was not confirmed; nothing was written"
            ))
            .next(output::command_line_with(&["--yes", &format!("--confirm-tenant={name}")])));
        }
    }
    let places: Vec<String> =
        session.targets.iter().map(|t| format!("{} (credentials from {})", t.domain, t.origin)).collect();
    let question = format!("Change {} in {}?", term::count(writes, &job.kind.singular), places.join(", "));
    if asks && !prompt::yes(&question) {
        return Err(CliError::no_consent("not confirmed; nothing was written"));
    }
    Ok(())
}
