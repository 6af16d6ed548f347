//! `patchwave apply`: plan, ask, change, report.

use super::args::{ApplyArgs, PlanArgs, ReplayArgs};
use super::carry_out::{Orders, Supersedes, carry_out};
use super::error::CliError;
use super::interrupt::Interrupt;
use super::live_run::Reports;
use super::output::Output;
use super::show_plan::{self, Source};
use super::waves;

/// Applies a job, or a saved plan.
pub(super) async fn run(args: ApplyArgs, output: &Output) -> Result<u8, CliError> {
    apply(args, false, output).await
}

/// Replays a change set: applies it, and keeps a record of that.
pub(super) async fn replay(args: ReplayArgs, output: &Output) -> Result<u8, CliError> {
    apply(args.apply, true, output).await
}

async fn apply(args: ApplyArgs, replay: bool, output: &Output) -> Result<u8, CliError> {
    waves::check(&args.waves, &args.tenant)?;
    if args.dry_run {
        let ApplyArgs { job, tenant, pace, run, waves, .. } = args;
        let (full, on_conflict) = (run.full, run.on_conflict);
        let plan = PlanArgs { job, tenant, pace, full, out: None, detailed_exitcode: false };
        return show_plan::run(plan, (Some(&waves), replay, on_conflict), output).await;
    }
    let reports = Reports::from_paths(&args.run.report, Some(&args.job.job))?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    interrupt.at(args.run.deadline);
    let source = Source {
        args: &args.job,
        tenant: &args.tenant,
        pace: &args.pace,
        on_conflict: args.run.on_conflict,
        replay,
    };
    let planning = source.plan(&display, output, Some(args.run.lock_wait));
    let (session, planned, locks) = interrupt.or(planning).await?;
    let orders = Orders {
        run: &args.run,
        waves: &args.waves,
        guards: &args.job.guards,
        reports: &reports,
        locks: &locks,
        supersedes: Supersedes::All,
    };
    carry_out(&session, planned, &orders, (&display, &interrupt, output)).await
}
