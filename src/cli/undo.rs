//! `patchwave undo`: an ordinary plan, made from the before-images of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexSet;
use jiff::Timestamp;
use tokio::time::Instant;

use super::args::UndoArgs;
use super::beside;
use super::carry_out::{Orders, Supersedes, carry_out};
use super::connect::{Session, connect};
use super::ended::Ended;
use super::error::CliError;
use super::history::Chosen;
use super::interrupt::Interrupt;
use super::live_run::Reports;
use super::locks::{self, Locks};
use super::narrowing::narrowed;
use super::output::{self, Output};
use super::planned::{Planned, blank, check_max_changes, kinds_of};
use super::sandboxed::as_left_by;
use super::saved::{Clients, Whole, fit, parts, permits, state_of, unread};
use super::{exit, forecasts, prompt, show_plan, waves};
use crate::catalogue::{KindName, Kinds};
use crate::job::Guards;
use crate::model::WriteState;
use crate::plan::undo::{Narrowed, over, undo};
use crate::plan::{Header, Refusal, TakesBack, TenantPlan, Write};
use crate::report::progress::Display;
use crate::store::RunGlance;

/// Takes a run back.
pub(super) async fn run(args: UndoArgs, output: &Output) -> Result<u8, CliError> {
    waves::check(&args.waves, &args.tenant)?;
    let reports = Reports::from_paths(&args.run.report, None)?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    interrupt.at(args.run.deadline);
    let (session, mut planned, locks) = interrupt.or(plan(&args, (&display, output))).await?;
    if args.dry_run {
        waves::settle(&mut planned.plan, &session, &args.waves)?;
        forecasts::attach(&mut planned, &session, args.run.max_age);
        return dry_run(&args, &session, &planned, output);
    }
    let orders = Orders {
        run: &args.run,
        waves: &args.waves,
        guards: &args.guards,
        reports: &reports,
        locks: &locks,
        supersedes: planned.plan.header.undoes.clone().map_or(Supersedes::None, Supersedes::Only),
    };
    carry_out(&session, planned, &orders, (&display, &interrupt, output)).await
}

fn dry_run(args: &UndoArgs, session: &Session, planned: &Planned, output: &Output) -> Result<u8, CliError> {
    let code = exit::of_plan(planned.plan.totals(), planned.plan.tenants.len(), false);
    if code == exit::SETUP {
        return Err(planned.lost());
    }
    show_plan::show(planned, args.run.full, output);
    waves::show(&planned.plan, output);
    check_max_changes(planned, session, &args.guards)?;
    Ok(code)
}

async fn plan(
    args: &UndoArgs,
    (display, output): (&Display, &Output),
) -> Result<(Session, Planned, Locks), CliError> {
    let run = chosen(args)?;
    let (id, tenants) = (run.id.clone(), run.places());
    let mut session = connect(&args.tenant, &args.pace, &tenants, display).await?;
    fit(&mut session, &tenants, &format!("run {id}"), Whole::No)?;
    let locks = if args.dry_run {
        Locks::default()
    } else {
        locks::take(&session, args.run.lock_wait, output).await?
    };
    // Only now: until the locks were ours its journal may have grown.
    let (ended, _) = Ended::read(&id, run.folder())?;
    // A wave that was not good enough must not first be followed by the others so that it can be taken back.
    if ended.is_in_doubt() || ended.record.is_unfinished() && args.of_waves.is_empty() {
        let what = format!("run {id} is unfinished: finish it first, so that it is known what it wrote");
        return Err(CliError::unusable(what).next(output::run_line("resume", &id, &[])));
    }
    let kinds = kinds_of(&ended.plan.header)?;
    let ended = as_it_was_made(&kinds, ended);
    as_left_by(&session, &ended);
    display.reading();
    let planned = planned(args, &session, &locks, &ended).await;
    display.clear();
    Ok((session, planned?, locks))
}

/// The run with its writes as they came to be made.
fn as_it_was_made(kinds: &Kinds, mut ended: Ended) -> Ended {
    let record = &ended.record;
    for part in &mut ended.plan.tenants {
        let states = record.writes(&part.tenant);
        let overwrote = |at: usize| {
            let outcome = states.get(at).and_then(WriteState::outcome);
            outcome.map(|outcome| outcome.overwrote.as_slice()).unwrap_or_default()
        };
        if (0..part.writes.len()).all(|at| overwrote(at).is_empty()) {
            continue;
        }
        let made = |(at, write): (usize, Write)| over(kinds.get(write.kind), &write, overwrote(at));
        let writes = part.writes.iter().enumerate().map(made).collect();
        *part = Arc::new(TenantPlan { writes, ..(**part).clone() });
    }
    ended
}

/// Which run. Unattended it must be named: a timer that takes back whatever ran last would be a surprise.
fn chosen(args: &UndoArgs) -> Result<RunGlance, CliError> {
    let attended = prompt::can_ask() || args.tenant.sandbox;
    let explicit = !args.tenant.tenants.is_empty() || !args.tenant.groups.is_empty();
    match args.id.as_deref() {
        None if !attended => {
            return Err(CliError::usage(
                "nobody is there to ask: name the run, or say `latest` with --tenant",
            )
            .next(output::verb_line("runs")));
        }
        Some("latest") if !attended && !explicit => {
            return Err(CliError::usage("nobody is there to ask: `latest` needs --tenant, or name the run")
                .next(output::verb_line("runs")));
        }
        _ => (),
    }
    let chosen = Chosen::read(&args.tenant)?;
    let run = match args.id.as_deref() {
        None | Some("latest") => chosen.newest(|run| !run.wrote_nothing() && run.undoes.is_none())?,
        Some(word) => chosen.named(word)?,
    };
    Ok(run.clone())
}

async fn planned(
    args: &UndoArgs,
    session: &Session,
    locks: &Locks,
    ended: &Ended,
) -> Result<Planned, CliError> {
    let kinds = kinds_of(&ended.plan.header)?;
    let narrowed = narrowed(args, &kinds, ended)?;
    let parts: Vec<(&_, &TenantPlan)> = parts(session, &ended.plan).collect();
    let of = |part: &TenantPlan| {
        let place = ended.plan.tenants.iter().position(|of| of.tenant == part.tenant);
        place.and_then(|place| narrowed.get(place)).cloned().unwrap_or_default()
    };
    let header = Header { takes_back: takes_back(args, ended, &narrowed), ..header(ended) };
    let mut planned = Planned::new(header, kinds.clone(), Instant::now());
    let states = beside::all(parts.iter().map(|(target, part)| {
        let clients = clients(part, &of(part).writes);
        state_of(session, locks, target, &kinds, (&ended.plan.header, &args.guards), clients)
    }))
    .await;
    let mut refusals: Vec<Refusal> = Vec::new();
    for ((target, part), state) in parts.into_iter().zip(states) {
        match state {
            Err(failure) => planned.add(unread(target, part, failure)),
            Ok(states) => {
                match undo(&kinds, part, &of(part), &states, permits(&args.guards, args.run.on_conflict)) {
                    Ok((writes, rows)) => {
                        planned.add(TenantPlan { writes, rows, totals: states.totals(), ..blank(target) });
                    }
                    Err(more) => refusals.extend(more),
                }
            }
        }
    }
    if refusals.is_empty() { Ok(planned) } else { Err(CliError::refused(&refusals)) }
}

/// The header of the undo's plan: the run's, without the limits that were meant for its changes.
fn header(ended: &Ended) -> Header {
    let of = &ended.plan.header;
    Header {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        job: of.job.clone(),
        made: now(),
        guards: Guards { protect: of.guards.protect.clone(), ..Guards::default() },
        waves_by: None,
        verify: false,
        pause_ms: 0,
        undoes: Some(ended.id.clone()),
        ..of.clone()
    }
}

/// Of a run that replayed a change set: whether the change set goes or comes back, and where only in part.
fn takes_back(args: &UndoArgs, ended: &Ended, narrowed: &[Narrowed]) -> Option<TakesBack> {
    let header = &ended.plan.header;
    header.changeset.as_ref()?;
    let in_part = |(part, narrowed): &(&Arc<TenantPlan>, &Narrowed)| {
        let states = ended.record.writes(&part.tenant);
        let written = states.iter().filter(|state| state.is_written()).count();
        !args.fields.is_empty() || narrowed.writes.len() < written
    };
    let parts = ended.plan.tenants.iter().zip(narrowed).filter(in_part);
    let in_part = parts.map(|(part, _)| part.tenant.clone()).collect();
    Some(TakesBack { an_undo: header.undoes.is_some(), in_part })
}

fn clients(part: &TenantPlan, writes: &BTreeSet<usize>) -> Clients {
    let of_kind = |kind: KindName| {
        let of = || part.writes.some(writes.iter().copied()).filter(|write| write.kind == kind);
        // All that is in the fields which were changed is looked at: an object that sprang up goes as a whole.
        let roots = of().flat_map(|write| write.changes).map(|change| change.path.root().to_owned());
        let fields: IndexSet<String> = roots.collect();
        let ids = of().filter(|write| !write.create).map(|write| write.id).collect();
        (kind, ids, fields.into_iter().collect())
    };
    let of = part.writes.by_kind().iter().map(|(kind, _)| of_kind(*kind)).collect();
    Clients { of, created: Vec::new(), secrets: Arc::default() }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
