//! From a plan to its report: guards, consent, the run. What `apply` and `undo` have in common.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{ConflictArg, GuardArgs, RunArgs, WaveArgs};
use super::connect::Session;
use super::consent::{self, Asked};
use super::error::CliError;
use super::interrupt::Interrupt;
use super::live_run::{LiveRun, Reports, Work};
use super::locks::Locks;
use super::output::Output;
use super::planned::{Planned, check_max_changes};
use super::{forecasts, history, ledger, prompt, saved, show_plan, waves};
use crate::job::{Guards, Threshold};
use crate::model::{RunId, TenantName, Written};
use crate::plan::{Plan, Refusal, TenantPlan};
use crate::report::progress::Display;
use crate::report::term;
use crate::run::{Limits, Task};
use crate::store::history::list;

/// What the command line says of a run.
pub(super) struct Orders<'o> {
    pub(super) run: &'o RunArgs,
    pub(super) waves: &'o WaveArgs,
    pub(super) guards: &'o GuardArgs,
    pub(super) reports: &'o Reports,
    pub(super) locks: &'o Locks,
    /// Which unfinished runs of the same tenants are not to be finished any more.
    pub(super) supersedes: Supersedes,
}

/// Unfinished runs whose place a run takes.
pub(super) enum Supersedes {
    /// All of them: what they would still do was planned from a state that is no more.
    All,
    /// The one that an undo takes back, wholly or in part.
    Only(RunId),
    None,
}

/// Judges, asks, carries out and reports.
pub(super) async fn carry_out(
    session: &Session,
    mut planned: Planned,
    orders: &Orders<'_>,
    (display, interrupt, output): (&Display, &Interrupt, &Output),
) -> Result<u8, CliError> {
    if planned.is_lost() {
        return Err(planned.lost());
    }
    settle_guards(&mut planned.plan, session, orders)?;
    forecasts::attach(&mut planned, session, orders.run.max_age);
    // Nobody is asked about what was not shown; where nobody is there to be asked, quiet is quiet.
    let shown = !output.quiet() || !orders.run.yes && prompt::can_ask();
    if shown {
        show_plan::show_diff(&planned, orders.run.full, output);
    }
    refuse_conflicts(&planned.plan, orders.run)?;
    check_max_changes(&planned, session, orders.guards)?;
    if shown {
        waves::show(&planned.plan, output);
    }
    let kept = list(&session.state)?;
    let unfinished = history::unfinished(&kept, session, orders, (&planned.plan, output));
    let asked = Asked::of(&planned.plan, shown && !output.json());
    let barred = interrupt.or(async { Ok(consent::barred(session, &asked).await) }).await?;
    leave_out(&mut planned, barred, session, output)?;
    waves::refuse_untried(&planned.plan)?;
    let asked = Asked::of(&planned.plan, shown && !output.json());
    interrupt.or(consent::ask(orders.run, session, &asked)).await?;
    let work = Work {
        kinds: planned.kinds.clone(),
        tasks: tasks(&planned, orders.run),
        limits: limits(&planned.plan, session),
        on_conflict: orders.run.on_conflict.into(),
        max_age: orders.run.max_age,
        secrets: planned.secrets,
    };
    let run = LiveRun::begin(session, planned.plan)?;
    ledger::begun(session, &run);
    history::supersede(session, orders.locks, &unfinished, run.id(), output);
    history::tidy(&session.state, &kept, now());
    let ended = run.execute(session, work, display, interrupt).await?;
    display.clear();
    ledger::ended(session, &ended, output);
    Ok(ended.report(orders.reports, output))
}

/// Tenants whose tokens may not write stop no other: what was planned for them is not attempted.
///
/// # Errors
/// Where no other tenant has anything to write.
fn leave_out(
    planned: &mut Planned,
    barred: Vec<(TenantName, CliError)>,
    session: &Session,
    output: &Output,
) -> Result<(), CliError> {
    let writing = planned.plan.tenants.iter().filter(|part| !part.writes.is_empty()).count();
    if barred.len() == writing {
        return barred.into_iter().next().map_or(Ok(()), |(_, error)| Err(error));
    }
    for (tenant, error) in barred {
        let place = planned.plan.tenants.iter().position(|part| part.tenant == tenant);
        if let (Some(place), Some(target)) = (place, session.target(&tenant)) {
            let failure = error.into_failure();
            let message = term::safe(&failure.message);
            output.error(&format!(
                "{} tenant {tenant} is left out: {message}",
                term::paint(term::BAD, "error:")
            ));
            let part = &mut planned.plan.tenants[place];
            *part = Arc::new(saved::unread(target, part, failure));
        }
    }
    Ok(())
}

/// Everything in the plan. Clients are read again first where somebody thought for long, also where the machine slept
/// meanwhile: the clock that counts its waking hours would not tell.
fn tasks(planned: &Planned, args: &RunArgs) -> Vec<Vec<Task>> {
    let age = now().duration_since(planned.plan.header.made);
    let old = Duration::try_from(age).map_or(true, |age| age >= args.max_age);
    let task = |at: usize| if old { Task::unseen(at, Written::No) } else { Task::planned(at, planned.read) };
    let of = |part: &std::sync::Arc<TenantPlan>| (0..part.writes.len()).map(task).collect();
    planned.plan.tenants.iter().map(of).collect()
}

/// With `--on-conflict stop` a conflict that the plan shows already is reason not to begin.
fn refuse_conflicts(plan: &Plan, args: &RunArgs) -> Result<(), CliError> {
    let conflicts = plan.totals().conflicts;
    if args.on_conflict != ConflictArg::Stop || conflicts == 0 {
        return Ok(());
    }
    Err(CliError::refused(&[Refusal {
        what: format!("{} in conflict, and --on-conflict is stop", term::count(conflicts, "row")),
        help: "look at the clients; without the flag, the others are changed and these stay as they are"
            .to_owned(),
    }]))
}

/// Writes the limits that hold for this run into its plan, so that whoever resumes it obeys them as well.
fn settle_guards(plan: &mut Plan, session: &Session, orders: &Orders<'_>) -> Result<(), CliError> {
    waves::settle(plan, session, orders.waves)?;
    let writes = plan.totals().writes;
    let said = session.guards.iter().map(|guards| guards.max_failures);
    let said = Guards::strictest(said.chain([plan.header.guards.max_failures]), writes);
    // Of clients that go first, none may fail where nobody says otherwise.
    let default = if plan.header.guards.waves.is_empty() && plan.header.waves_by.is_none() {
        Threshold::Count(Threshold::Percent(10.0).of(writes).max(10))
    } else {
        Threshold::Count(0)
    };
    plan.header.guards.max_failures = Some(orders.run.max_failures.or(said).unwrap_or(default));
    Ok(())
}

/// What bounds a run, by its plan's own word.
pub(super) fn limits(plan: &Plan, session: &Session) -> Limits {
    let writes = plan.totals().writes;
    let max_failures = plan.header.guards.max_failures.unwrap_or(Threshold::Count(10));
    Limits { concurrency: session.concurrency, max_failures: max_failures.of(writes) }
}

/// The pause between two waves.
pub(super) fn pause(plan: &Plan) -> Duration {
    Duration::from_millis(plan.header.pause_ms)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock that the age of runs is told by"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
