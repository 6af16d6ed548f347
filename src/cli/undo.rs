//! `patchwave undo`: an ordinary plan, made from the before-images of a run.

use std::collections::{BTreeSet, HashSet};

use futures::future::join_all;
use indexmap::IndexSet;
use jiff::Timestamp;
use tokio::time::Instant;

use super::args::UndoArgs;
use super::carry_out::{Orders, carry_out};
use super::connect::{Session, connect};
use super::ended::Ended;
use super::error::CliError;
use super::history::Chosen;
use super::interrupt::Interrupt;
use super::live_run::Reports;
use super::locks::{self, Locks};
use super::output::{self, Output};
use super::planned::{Planned, blank, check_max_changes, forecast_of, kind_of};
use super::sandboxed::as_left_by;
use super::saved::{Clients, Whole, fit, parts, permits, state_of, unread};
use super::{exit, prompt, show_plan};
use crate::catalogue::Kind;
use crate::job::Guards;
use crate::model::{FieldPath, RunId};
use crate::plan::undo::{Narrowed, paths, undo};
use crate::plan::waves::waves;
use crate::plan::{Header, Refusal, TenantPlan, Write};
use crate::report::progress::Display;
use crate::store::RunDir;

/// Takes a run back.
pub(super) async fn run(args: UndoArgs, output: &Output) -> Result<u8, CliError> {
    let reports = Reports::from_paths(&args.run.report, None)?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    interrupt.at(args.run.deadline);
    let (session, planned, _locks) = interrupt.or(plan(&args, &display)).await?;
    if args.dry_run {
        return dry_run(&args, &session, &planned, output);
    }
    let orders = Orders {
        run: &args.run,
        waves: &args.waves,
        guards: &args.guards,
        pace: &args.pace,
        reports: &reports,
        supersedes: false,
    };
    carry_out(&session, planned, &orders, (&display, &interrupt, output)).await
}

fn dry_run(args: &UndoArgs, session: &Session, planned: &Planned, output: &Output) -> Result<u8, CliError> {
    let code = exit::of_plan(planned.plan.totals(), planned.plan.tenants.len(), false);
    if code == exit::SETUP {
        return Err(planned.lost());
    }
    show_plan::show(planned, args.run.full, output);
    check_max_changes(planned, session, &args.guards)?;
    Ok(code)
}

async fn plan(args: &UndoArgs, display: &Display) -> Result<(Session, Planned, Locks), CliError> {
    let (id, folder, tenants) = chosen(args)?;
    let mut session = connect(&args.tenant, &args.pace, &tenants, display).await?;
    let (before, _) = Ended::read(&id, folder)?;
    fit(&mut session, &before.plan, &format!("run {id}"), Whole::No)?;
    let locks =
        if args.dry_run { Locks::default() } else { locks::take(&session, args.run.lock_wait).await? };
    // Its journal may have grown until the locks were ours.
    let (ended, _) = Ended::read(&id, before.folder)?;
    if ended.record.is_unfinished() {
        let what = format!("run {id} is unfinished: finish it first, so that it is known what it wrote");
        return Err(CliError::unusable(what).next(output::run_line("resume", &id, &[])));
    }
    as_left_by(&session, &ended);
    display.reading();
    let planned = planned(args, &session, &locks, &ended).await;
    display.clear();
    Ok((session, planned?, locks))
}

/// Which run. Unattended it must be named: a timer that takes back whatever ran last would be a surprise.
fn chosen(args: &UndoArgs) -> Result<(RunId, RunDir, Vec<crate::model::TenantName>), CliError> {
    let attended = prompt::can_ask() || args.tenant.sandbox;
    let explicit = !args.tenant.tenants.is_empty() || !args.tenant.groups.is_empty();
    match args.id.as_deref() {
        None if !attended => {
            return Err(CliError::usage(
                "nobody is there to ask: name the run, or say `latest` with --tenant",
            )
            .next("patchwave runs"));
        }
        Some("latest") if !attended && !explicit => {
            return Err(CliError::usage("nobody is there to ask: `latest` needs --tenant, or name the run")
                .next("patchwave runs"));
        }
        _ => (),
    }
    let chosen = Chosen::read(&args.tenant)?;
    let run = match args.id.as_deref() {
        None | Some("latest") => chosen.newest(|run| !run.wrote_nothing())?,
        Some(word) => chosen.named(word)?,
    };
    let tenants = run.tenants.iter().map(|of| of.tenant.clone()).collect();
    Ok((run.id.clone(), run.folder(), tenants))
}

async fn planned(
    args: &UndoArgs,
    session: &Session,
    locks: &Locks,
    ended: &Ended,
) -> Result<Planned, CliError> {
    let kind = kind_of(&ended.plan.header)?;
    let narrowed = narrowed(args, kind, ended)?;
    let parts: Vec<(&_, &TenantPlan)> = parts(session, &ended.plan).collect();
    let of = |part: &TenantPlan| {
        let place = ended.plan.tenants.iter().position(|of| of.tenant == part.tenant);
        place.and_then(|place| narrowed.get(place)).cloned().unwrap_or_default()
    };
    let header = header(ended);
    let mut planned = Planned::new(header, kind, Instant::now());
    let states = join_all(parts.iter().map(|(target, part)| {
        let clients = clients(part, &of(part).writes);
        state_of(session, locks, target, kind, (&ended.plan.header, &args.guards), clients)
    }))
    .await;
    let mut refusals: Vec<Refusal> = Vec::new();
    for ((target, part), state) in parts.into_iter().zip(states) {
        match state {
            Err(failure) => planned.add(unread(target, part, failure)),
            Ok(state) => {
                match undo(kind, part, &of(part), &state, permits(&args.guards, args.run.on_conflict)) {
                    Ok((writes, rows)) => {
                        let forecast = Some(forecast_of(session, target, writes.len()));
                        planned.add(TenantPlan {
                            writes,
                            rows,
                            total: state.total,
                            forecast,
                            ..blank(target)
                        });
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
        verify: false,
        pause_ms: 0,
        undoes: Some(ended.id.clone()),
        ..of.clone()
    }
}

/// What of the run is taken back, tenant by tenant of its plan: what reached the tenants, or may have, and was not left out.
fn narrowed(args: &UndoArgs, kind: &Kind, ended: &Ended) -> Result<Vec<Narrowed>, CliError> {
    for path in &args.fields {
        check_field(kind, ended, path)?;
    }
    for word in &args.clients {
        check_client(kind, ended, word)?;
    }
    let of_waves = of_waves(args, ended)?;
    let mut all = Vec::new();
    for (place, part) in ended.plan.tenants.iter().enumerate() {
        let states = ended.record.writes(&part.tenant);
        let mut writes = BTreeSet::new();
        for (at, write) in part.writes.iter().enumerate() {
            let takes = args.clients.is_empty() || args.clients.iter().any(|word| is_named(write, word));
            let in_wave = of_waves.as_ref().is_none_or(|of| of.contains(&(place, at)));
            let written = states.get(at).is_some_and(|state| state.is_written());
            if takes && in_wave && written {
                writes.insert(at);
            }
        }
        all.push(Narrowed { writes, fields: args.fields.clone() });
    }
    Ok(all)
}

fn is_named(write: &Write, word: &str) -> bool {
    write.id.as_str() == word || write.name.as_deref() == Some(word)
}

/// A word must mean a client that the run changed, and one alone of each tenant.
fn check_client(kind: &Kind, ended: &Ended, word: &str) -> Result<(), CliError> {
    let wrong = |what: String| {
        let next = output::run_line("runs show", &ended.id, &[]);
        Err(CliError::usage(format!("--client {word}: {what}")).next(next))
    };
    let mut found = false;
    for part in &ended.plan.tenants {
        let hit: Vec<&str> =
            part.writes.iter().filter(|write| is_named(write, word)).map(|write| write.id.as_str()).collect();
        if hit.len() > 1 {
            let (noun, ids) = (&kind.singular, hit.join(" and "));
            return wrong(format!("run {} has more than one {noun} of this name: say {ids}", ended.id));
        }
        found |= !hit.is_empty();
    }
    if found {
        return Ok(());
    }
    let writes = || ended.plan.tenants.iter().flat_map(|part| &part.writes);
    let known = writes().flat_map(|write| [Some(write.id.as_str()), write.name.as_deref()]).flatten();
    let near = near(word, known);
    wrong(format!("run {} changed no {} of this id or name{near}", ended.id, kind.singular))
}

fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let near = crate::model::suggest::nearest(word, known);
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// A misspelt field would take nothing back, and look as if nothing were to be taken back.
fn check_field(kind: &Kind, ended: &Ended, path: &FieldPath) -> Result<(), CliError> {
    let writes = ended.plan.tenants.iter().flat_map(|part| &part.writes);
    let known: IndexSet<FieldPath> = writes.flat_map(|write| paths(kind, write)).collect();
    if known.iter().any(|known| path.encloses(known)) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(FieldPath::to_string).collect();
    let near = near(&path.to_string(), known.iter().map(String::as_str));
    let what =
        format!("--field {path}: run {} changed no such field of any {}{near}", ended.id, kind.singular);
    Err(CliError::usage(what))
}

fn of_waves(args: &UndoArgs, ended: &Ended) -> Result<Option<HashSet<(usize, usize)>>, CliError> {
    if args.of_waves.is_empty() {
        return Ok(None);
    }
    let waves = waves(&ended.plan, &ended.plan.header.guards.waves);
    let mut chosen = HashSet::new();
    for number in &args.of_waves {
        let Some(wave) = waves.get(*number as usize - 1) else {
            let what = format!("--wave {number}: run {} has {} waves", ended.id, waves.len());
            return Err(CliError::usage(what));
        };
        chosen.extend(wave.iter().flat_map(|(place, writes)| writes.iter().map(|at| (*place, *at))));
    }
    Ok(Some(chosen))
}

fn clients(part: &TenantPlan, writes: &BTreeSet<usize>) -> Clients {
    let of = || writes.iter().filter_map(|at| part.writes.get(*at));
    // All that is in the fields which were changed is looked at: an object that sprang up goes as a whole.
    let roots = of().flat_map(|write| &write.changes).map(|change| change.path.root().to_owned());
    let fields: IndexSet<String> = roots.collect();
    Clients { ids: of().map(|write| write.id.clone()).collect(), fields: fields.into_iter().collect() }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
