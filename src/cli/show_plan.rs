//! `patchwave plan`: what would change, and how long it would take.

use super::args::PlanArgs;
use super::connect::connect;
use super::context::load_job;
use super::error::CliError;
use super::output::Output;
use super::planning::{self, Planned, check_max_changes};
use super::{connect::Session, exit};
use crate::job::Job;
use crate::report::diff::{self, DiffOptions};
use crate::report::json;

/// Plans and shows it.
pub(super) async fn run(args: PlanArgs, output: &Output) -> Result<u8, CliError> {
    let display = output.progress();
    let session = connect(&args.tenant, &args.pace, &display).await?;
    let job = load_job(&args.job.job, &session.state, args.job.no_base, output)?;
    display.reading();
    let planned = planning::plan(&job, &session, &args.job).await;
    display.clear();
    let planned = planned?;
    let code = exit::of_plan(planned.plan.totals(), planned.plan.tenants.len(), args.detailed_exitcode);
    if code == exit::SETUP {
        return Err(unreachable(&planned));
    }
    show(&planned, &job, args.full, output);
    if output.json() {
        output.result(&json::plan(&planned.plan, &planned.forecasts).to_string());
    }
    check_max_changes(&job, &planned.plan, &session, &args.job)?;
    closing(&planned, &session, &args, output);
    Ok(code)
}

/// Prints the diff for people.
pub(super) fn show(planned: &Planned, job: &Job, full: bool, output: &Output) {
    let options = DiffOptions { noun: &job.kind.singular, width: output.width(), full };
    output.text(&diff::render(&planned.plan, &planned.forecasts, options));
}

/// The error of the only tenant, or of all of them.
pub(super) fn unreachable(planned: &Planned) -> CliError {
    match planned.failures.as_slice() {
        [(tenant, error)] => CliError::tenant(tenant.as_str(), error),
        failures => {
            let lines: Vec<String> =
                failures.iter().map(|(tenant, error)| format!("{tenant}: {error}")).collect();
            CliError::setup(format!("no tenant could be planned; nothing was written\n{}", lines.join("\n")))
        }
    }
}

fn closing(planned: &Planned, session: &Session, args: &PlanArgs, output: &Output) {
    let totals = planned.plan.totals();
    if totals.writes == 0 {
        output.text("Nothing to do: every client is as the job asks.");
        return;
    }
    let mut command = format!("patchwave apply {}", args.job.job);
    if session.sandbox.is_some() {
        command.push_str(" --sandbox");
    }
    for tenant in &args.tenant.tenants {
        command.push_str(&format!(" --tenant {tenant}"));
    }
    for group in &args.tenant.groups {
        command.push_str(&format!(" --group {group}"));
    }
    if !output.quiet() {
        output.text(&format!("To make these changes: {command}"));
    }
}
