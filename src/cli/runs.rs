//! `patchwave runs` and `patchwave report`: the history.

use jiff::Timestamp;
use serde_json::json;

use super::args::{PruneArgs, ReportArgs, RunsAction, RunsArgs};
use super::ended::Ended;
use super::error::CliError;
use super::live_run::Reports;
use super::output::Output;
use super::{exit, history, merge, output, prompt};
use crate::report::term;
use crate::store::StateDir;
use crate::store::history::{History, Retention, RunGlance, Standing, list, remove};

/// Lists the runs, shows one, or removes old ones.
pub(super) async fn run(args: RunsArgs, output: &Output) -> Result<u8, CliError> {
    let state = history::state_of(&args.state)?;
    let runs = list(&state)?;
    match args.action {
        None => Ok(all(&runs, output)),
        Some(RunsAction::Show { id }) => show(history::named(&runs, &id)?, output),
        Some(RunsAction::Prune(args)) => prune(&state, &runs, &args, output).await,
    }
}

/// One line a run, newest last, as a terminal shows best.
fn all(runs: &History, output: &Output) -> u8 {
    if output.json() {
        let runs: Vec<_> = runs.runs.iter().map(as_json).collect();
        output.result(&json!({ "runs": runs }).to_string());
    } else if runs.runs.is_empty() && runs.unreadable.is_empty() {
        output.result("No run is kept here.");
    }
    for run in &runs.runs {
        output.text(&format!("{}  {}", history::line(run), standing(run)));
    }
    for run in &runs.unreadable {
        output.error(&format!("{} {}: {}", term::paint(term::WARN, "unreadable:"), run.id, run.error));
    }
    exit::OK
}

fn standing(run: &RunGlance) -> String {
    let mut parts = Vec::new();
    parts.extend(run.undoes.as_ref().map(|of| format!("undo of {of}")));
    let tally = match &run.standing {
        Standing::Open { running, tally } => {
            parts.push(term::paint(term::WARN, if *running { "running" } else { "unfinished" }));
            *tally
        }
        Standing::Closed { tally, .. } => Some(*tally),
    };
    if let Some(tally) = tally {
        parts.push(format!("{} written", tally.written));
        let counts = [(tally.failed, "failed"), (tally.unknown, "unknown"), (tally.left, "left")];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        parts.extend(some.map(|(count, what)| term::paint(term::WARN, format_args!("{count} {what}"))));
    }
    if let Standing::Closed { stop, superseded, .. } = &run.standing {
        parts.extend(stop.map(|stop| format!("stopped: {}", stop.describe())));
        parts.extend(superseded.as_ref().map(|by| format!("superseded by {by}")));
    }
    parts.join(", ")
}

fn as_json(run: &RunGlance) -> serde_json::Value {
    let (stop, tally, superseded) = match &run.standing {
        Standing::Open { tally, .. } => (None, *tally, None),
        Standing::Closed { stop, tally, superseded } => (*stop, Some(*tally), superseded.as_ref()),
    };
    json!({
        "run_id": run.id,
        "job": run.job,
        "undoes": run.undoes,
        "began": run.began,
        "tenants": run.tenants,
        "unfinished": run.is_unfinished(),
        "running": matches!(run.standing, Standing::Open { running: true, .. }),
        "superseded_by": superseded,
        "stop": stop,
        "written": tally.map(|tally| tally.written),
        "failed": tally.map(|tally| tally.failed),
        "unknown": tally.map(|tally| tally.unknown),
        "left": tally.map(|tally| tally.left),
        "path": run.folder().path(),
    })
}

fn show(run: &RunGlance, output: &Output) -> Result<u8, CliError> {
    let (ended, _) = Ended::read(&run.id, run.folder())?;
    let summary = ended.summary(ended.code());
    if output.json() {
        output.result(&json!({ "run": as_json(run), "summary": summary }).to_string());
        return Ok(exit::OK);
    }
    output.result(&format!("{}  {}", history::line(run), standing(run)));
    if matches!(run.standing, Standing::Open { running: true, .. }) {
        return Ok(exit::OK);
    }
    output.result(&summary.render());
    let superseded = ended.plan.tenants.iter().filter_map(|part| ended.record.superseded_by(&part.tenant));
    if let Some(by) = superseded.max() {
        output.result(&format!("  superseded by run {by}"));
    }
    let folder = ended.folder.path().display();
    output.result(&format!("  {folder}"));
    if ended.record.is_unfinished() {
        output.result(&format!("To finish it: {}", output::run_line("resume", &run.id, &[])));
    } else if ended.record.tally().written + ended.record.tally().unknown > 0 {
        output.result(&format!("To take it back: {}", output::run_line("undo", &run.id, &[])));
    }
    Ok(exit::OK)
}

async fn prune(state: &StateDir, runs: &History, args: &PruneArgs, output: &Output) -> Result<u8, CliError> {
    let all: Vec<&RunGlance> = runs.runs.iter().collect();
    let retention = Retention { keep: args.keep, older_than: args.older_than };
    let gone = retention.goes(&all, now());
    // Unattended: silence, so that cron sends no mail.
    let say = |text: &str| {
        if !output.quiet() {
            output.text(text);
        }
    };
    if gone.is_empty() {
        say("No run is old enough to go.");
        return Ok(exit::OK);
    }
    if args.dry_run || !output.quiet() {
        for run in &gone {
            output.text(&format!("{}  {}", history::line(run), standing(run)));
        }
    }
    if args.dry_run {
        output.text(&format!("{} would go.", term::count(gone.len(), "run")));
        return Ok(exit::OK);
    }
    if !args.yes && !prompt::can_ask() {
        let what = "nobody is there to ask, and --yes is not given; nothing was removed";
        return Err(CliError::no_consent(what).next(output::command_line_with(&["--yes"])));
    }
    let runs = term::count(gone.len(), "run");
    if !args.yes && !prompt::yes(format!("Remove {runs}, and with them the way to undo them?")).await {
        return Err(CliError::no_consent("not confirmed; nothing was removed"));
    }
    // What has been resumed while nobody answered stays.
    let again = list(state)?;
    for run in gone {
        let same = |now: &&RunGlance| now.id == run.id && now.standing == run.standing;
        if again.runs.iter().any(|now| same(&now)) {
            remove(state, run)?;
        }
    }
    say(&format!("{runs} removed."));
    Ok(exit::OK)
}

/// Makes the report of a run again.
pub(super) fn report(args: &ReportArgs, output: &Output) -> Result<u8, CliError> {
    let reports = Reports::from_paths(&args.report, None)?;
    let Some(id) = &args.id else { return merge::run(&args.merge, &reports, output) };
    let runs = list(&history::state_of(&args.state)?)?;
    let run = history::named(&runs, id)?;
    if matches!(run.standing, Standing::Open { running: true, .. }) {
        return Err(CliError::locked(format!("run {} is under way; its report comes with its end", run.id))
            .next(output::run_line("runs show", &run.id, &[])));
    }
    let (ended, _) = Ended::read(&run.id, run.folder())?;
    // What the run ended with is in the report; this command has done what it was asked for.
    match ended.report(&reports, output) {
        _ if ended.folder.results().exists() => Ok(exit::OK),
        code => Ok(code),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock that the age of runs is told by"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
