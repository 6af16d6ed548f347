//! `patchwave plan`: what would change, and how long it would take.

use super::args::PlanArgs;
use super::error::CliError;
use super::exit;
use super::output::{self, Output};
use super::planning::{self, Planned, check_max_changes};
use crate::job::Job;
use crate::plan::Totals;
use crate::report::diff::{self, DiffOptions};
use crate::report::json;

/// Plans and shows it.
pub(super) async fn run(args: PlanArgs, output: &Output) -> Result<u8, CliError> {
    let display = output.progress();
    let (session, job, planned) =
        planning::start(&args.job, &args.tenant, &args.pace, &display, output).await?;
    let code = exit::of_plan(planned.plan.totals(), planned.plan.tenants.len(), args.detailed_exitcode);
    if code == exit::SETUP {
        return Err(unreachable(&planned));
    }
    show(&planned, &job, args.full, output);
    if output.json() {
        output.result(&json::plan(&planned.plan, &planned.forecasts).to_string());
    }
    check_max_changes(&job, &planned.plan, &session, &args.job)?;
    closing(&planned, output);
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

fn closing(planned: &Planned, output: &Output) {
    let totals = planned.plan.totals();
    if totals.writes == 0 {
        output.text(nothing_to_do(totals));
    } else if !output.quiet() {
        output.text(&format!("To make these changes: {}", output::apply_line()));
    }
}

/// What to say of a plan without a write: only where everything is in place is everything in place.
pub(super) fn nothing_to_do(totals: Totals) -> &'static str {
    if totals.failed + totals.conflicts + totals.skipped + totals.tenants_failed > 0 {
        "No change to make; see above for the rows that were left out."
    } else if totals.unchanged == 0 {
        "Nothing to do: the job has no rows."
    } else {
        "Nothing to do: every client is as the job asks."
    }
}
