//! `patchwave plan`: what would change, and how long it would take.

use std::path::Path;
use std::time::Duration;

use super::args::{ConflictArg, JobArgs, PaceArgs, PlanArgs, TenantArgs, WaveArgs};
use super::connect::{Session, connect};
use super::context::{Reading, read_job};
use super::error::CliError;
use super::exit;
use super::interrupt::Interrupt;
use super::locks::{self, Locks};
use super::output::{self, Output};
use super::planned::{Planned, check_max_changes};
use super::{forecasts, planning, replaying, saved, waves};
use crate::plan::{Plan, file};
use crate::report::diff::{self, DiffOptions};
use crate::report::progress::Display;
use crate::report::{json, problems};
use crate::store::atomic;

/// After how long clients are read again, where no flag says so.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Plans and shows it; of an `apply` that is not to be made, with its waves.
pub(super) async fn run(
    args: PlanArgs,
    (of_apply, replay, on_conflict): (Option<&WaveArgs>, bool, ConflictArg),
    output: &Output,
) -> Result<u8, CliError> {
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    if let Some(out) = &args.out {
        check_out(out, &args.job.job)?;
    }
    let source = Source { args: &args.job, tenant: &args.tenant, pace: &args.pace, on_conflict, replay };
    let (session, mut planned, _) = interrupt.or(source.plan(&display, output, None)).await?;
    let code = exit::of_plan(planned.plan.totals(), planned.plan.tenants.len(), args.detailed_exitcode);
    if code == exit::SETUP {
        return Err(planned.lost());
    }
    if let Some(args) = of_apply {
        waves::settle(&mut planned.plan, &session, args)?;
    }
    forecasts::attach(&mut planned, &session, MAX_AGE);
    show(&planned, args.full, output);
    if of_apply.is_some() {
        waves::show(&planned.plan, output);
    }
    check_max_changes(&planned, &session, &args.job.guards)?;
    if let Some(out) = &args.out {
        atomic::write(out, |to| file::print(&planned.plan, to))
            .map_err(|error| CliError::setup(error.to_string()))?;
        output.note(&format!("Saved to {}.", out.display()));
    }
    closing(&planned, args.out.as_deref(), output);
    Ok(code)
}

/// A saved plan must not take the place of its job, and a place that cannot be written is found out before anything is read.
fn check_out(out: &Path, job: &str) -> Result<(), CliError> {
    let same = || Some(out.canonicalize().ok()? == Path::new(job).canonicalize().ok()?);
    if same() == Some(true) {
        let what = format!("--out {} is the job itself, which would be overwritten", out.display());
        return Err(CliError::usage(what));
    }
    atomic::can_write(out).map_err(|error| CliError::usage(format!("--out: {error}")))
}

/// Where a plan comes from: a job, or a plan that was saved.
pub(super) struct Source<'s> {
    pub(super) args: &'s JobArgs,
    pub(super) tenant: &'s TenantArgs,
    pub(super) pace: &'s PaceArgs,
    pub(super) on_conflict: ConflictArg,
    /// Whether the job is replayed: then it is a change set, whoever made it.
    pub(super) replay: bool,
}

impl Source<'_> {
    /// Connects, and reads the job and the tenants. Where something will be written, `lock_wait` says how long to wait for
    /// the tenants' locks.
    pub(super) async fn plan(
        &self,
        display: &Display,
        output: &Output,
        lock_wait: Option<Option<std::time::Duration>>,
    ) -> Result<(Session, Planned, Locks), CliError> {
        let bytes = read_job(&self.args.job)
            .map_err(|problem| CliError::job(vec![problem], output::check_line(&self.args.job)))?;
        if file::is_plan(&bytes) && self.replay {
            let what = format!(
                "{} is a saved plan, which says itself for which tenants it is: apply it",
                self.args.job
            );
            return Err(CliError::usage(what));
        }
        if file::is_plan(&bytes) {
            return saved::plan(self, &bytes, lock_wait, (display, output)).await;
        }
        let session = connect(self.tenant, self.pace, &[], display).await?;
        let locks = match lock_wait {
            Some(wait) => locks::take(&session, wait, output).await?,
            None => Locks::default(),
        };
        let reading =
            Reading { state: &session.state, args: &self.args.read, extra_fields: &session.extra_fields };
        let mut job = reading.job(&self.args.job, &bytes, output)?;
        if self.replay {
            job.recorded.get_or_insert_default();
        }
        replaying::prepare(&mut job, &session, self.args, (self.on_conflict, lock_wait.is_some()), output)?;
        display.reading();
        let planned = planning::plan(&job, &session, &locks, self.args, self.on_conflict).await;
        display.clear();
        let planned = planned?;
        if !planned.warnings.is_empty() {
            output.note(&problems::render(&planned.warnings));
        }
        Ok((session, planned, locks))
    }
}

/// Prints a plan for people, or for programs.
pub(super) fn show(planned: &Planned, full: bool, output: &Output) {
    show_diff(planned, full, output);
    if output.json() {
        output.object(&json::plan(&planned.plan));
    }
}

/// Prints the diff for people.
pub(super) fn show_diff(planned: &Planned, full: bool, output: &Output) {
    let options = DiffOptions { noun: planned.plan.header.noun(), width: output.width(), full };
    output.text(&diff::render(&planned.plan, options));
}

fn closing(planned: &Planned, out: Option<&Path>, output: &Output) {
    let totals = planned.plan.totals();
    if totals.writes == 0 {
        output.text(&nothing_to_do(&planned.plan));
    } else if !output.quiet() {
        let line = match out {
            Some(out) => output::apply_saved_line(out),
            None => output::apply_line(),
        };
        output.text(&format!("To make these changes: {line}"));
    }
}

/// What to say of a plan without a write: only where everything is in place is everything in place.
pub(super) fn nothing_to_do(plan: &Plan) -> String {
    let (totals, noun) = (plan.totals(), plan.header.noun());
    if totals.failed + totals.conflicts + totals.skipped + totals.tenants_failed > 0 {
        "No change to make; see above for the rows that were left out.".to_owned()
    } else if plan.header.undoes.is_some() {
        format!("Nothing to put back: no {noun} holds what the run wrote any more.")
    } else if totals.unchanged == 0 {
        "Nothing to do: the job has no rows.".to_owned()
    } else {
        format!("Nothing to do: every {noun} is as the job asks.")
    }
}
