//! Runs of the past, for the verbs that need one: which a word means, which are unfinished, which give way to a new one.

use std::path::Path;

use jiff::Timestamp;

use super::args::{StateArgs, TenantArgs};
use super::carry_out::{Orders, Supersedes};
use super::connect::{Session, Surroundings, Target, surroundings};
use super::context::state_dir;
use super::ended::Ended;
use super::error::CliError;
use super::locks::Locks;
use super::output::{self, Output};
use crate::config::{self, Environment, process_environment};
use crate::model::event::{Tally, TenantStart};
use crate::model::{Entry, RunId, TenantName};
use crate::plan::Plan;
use crate::report::term;
use crate::store::history::{self, FindError, History, RunGlance};
use crate::store::{Append, Journal, StateDir};

/// Where the runs are that a command is about.
pub(super) fn state_of(args: &StateArgs) -> Result<StateDir, CliError> {
    folder(args.state_dir.as_deref(), args.sandbox)
}

fn folder(state_dir_flag: Option<&Path>, sandbox: bool) -> Result<StateDir, CliError> {
    let env = Environment::new(process_environment());
    let state = state_dir(state_dir_flag, &env)?;
    Ok(if sandbox { state.sandbox() } else { state })
}

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let unreadable = matches!(error, FindError::Unreadable { .. });
        let this =
            if unreadable { Self::unusable(error.to_string()) } else { Self::usage(error.to_string()) };
        this.next(output::verb_line("runs"))
    }
}

/// The run that a word names; `latest` is the newest.
pub(super) fn named<'h>(history: &'h History, word: &str) -> Result<&'h RunGlance, CliError> {
    if word != "latest" {
        return Ok(history.named(word)?);
    }
    let newest = history.runs.last();
    history.nothing_hidden_after(newest)?;
    newest.ok_or_else(none)
}

fn none() -> CliError {
    CliError::usage("no run is kept here").next(output::verb_line("runs"))
}

/// The runs of the chosen tenants.
pub(super) struct Chosen {
    pub(super) state: StateDir,
    pub(super) history: History,
    /// Names and domains that were chosen; none where nothing narrows the runs down.
    tenants: Option<Vec<String>>,
}

impl Chosen {
    /// By `--tenant` and `--group`, else by the credentials of the environment where no tenant is configured.
    pub(super) fn read(args: &TenantArgs) -> Result<Self, CliError> {
        let state = folder(args.state_dir.as_deref(), args.sandbox)?;
        let history = history::list(&state)?;
        let tenants = if args.sandbox { None } else { chosen(args)? };
        Ok(Self { state, history, tenants })
    }

    /// Whether a run is of the chosen tenants.
    pub(super) fn of(&self, run: &RunGlance) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| {
            let is = |name: &String| {
                run.tenants.iter().any(|of| of.tenant.as_str() == name || of.domain.as_str() == name)
            };
            tenants.iter().any(is)
        })
    }

    /// The run that a word names; `latest` is the newest of the chosen tenants.
    pub(super) fn named(&self, word: &str) -> Result<&RunGlance, CliError> {
        if word == "latest" {
            return self.newest(|_| true);
        }
        named(&self.history, word)
    }

    /// The newest run of the chosen tenants that is like this. A newer one that cannot be read may be of these tenants too.
    pub(super) fn newest(&self, like: impl Fn(&RunGlance) -> bool) -> Result<&RunGlance, CliError> {
        let newest = self.history.runs.iter().rev().find(|run| self.of(run) && like(run));
        self.history.nothing_hidden_after(newest)?;
        newest.ok_or_else(none)
    }

    /// The unfinished runs of the chosen tenants, oldest first.
    pub(super) fn unfinished(&self) -> Vec<&RunGlance> {
        self.history.runs.iter().filter(|run| self.of(run) && run.is_unfinished()).collect()
    }
}

fn chosen(args: &TenantArgs) -> Result<Option<Vec<String>>, CliError> {
    let Surroundings { env, config } = surroundings(args)?;
    let explicit = !args.tenants.is_empty() || !args.groups.is_empty();
    if !explicit && config.as_ref().is_some_and(|config| !config.tenants.is_empty()) {
        return Ok(None);
    }
    match config::select(&args.tenants, &args.groups, config.as_ref(), &env) {
        Ok(selected) => {
            let names = selected.iter().flat_map(|one| [one.tenant.to_string(), one.domain.to_string()]);
            Ok(Some(names.collect()))
        }
        Err(error) if explicit => Err(error.into()),
        // Without credentials nothing will be sent; the history can be looked at all the same.
        Err(_) => Ok(None),
    }
}

/// One line a run, for lists.
pub(super) fn line(run: &RunGlance) -> String {
    let tenants: Vec<&str> = run.tenants.iter().map(|of| of.tenant.as_str()).collect();
    let tenants = match tenants.as_slice() {
        [] => "no tenant".to_owned(),
        few if few.len() <= 3 => few.join(", "),
        many => term::count(many.len(), "tenant"),
    };
    format!("{}  {}  {}", run.id, term::safe(&tenants), term::safe(&run.job))
}

/// The unfinished runs of the tenants of a session that it holds the locks of, which are named.
pub(super) fn unfinished(
    history: &History,
    session: &Session,
    orders: &Orders<'_>,
    (plan, output): (&Plan, &Output),
) -> Vec<RunGlance> {
    let locks = orders.locks;
    // What changes nothing leaves the work of others to be finished; the same job again has nothing left of it.
    let gives_way = |run: &RunGlance| match &orders.supersedes {
        Supersedes::All => plan.totals().writes > 0 || run.job == plan.header.job,
        Supersedes::Only(id) => plan.totals().writes > 0 && run.id == *id,
        Supersedes::None => false,
    };
    let ours = |run: &RunGlance| run.tenants.iter().any(|of| of.writes > 0 && holds(session, locks, of));
    let unfinished: Vec<RunGlance> = history
        .runs
        .iter()
        .filter(|run| run.is_unfinished() && ours(run) && gives_way(run))
        .cloned()
        .collect();
    for run in &unfinished {
        let note = term::paint(term::WARN, "note:");
        output.note(&format!("{note} run {} is unfinished; this one takes its place", line(run)));
        if !orders.run.yes {
            // Where nobody is asked, it is too late to say no.
            output.note(&format!("to finish that one instead: {}", output::run_line("resume", &run.id, &[])));
        }
    }
    unfinished
}

fn holds(session: &Session, locks: &Locks, of: &TenantStart) -> bool {
    // An embedded sandbox listens elsewhere each time; its tenants go by name.
    let sandbox = session.sandbox.is_some();
    let is = |target: &&Target| target.domain == of.domain || sandbox && target.tenant == of.tenant;
    session.targets.iter().find(is).is_some_and(|target| locks.refused(&target.tenant).is_none())
}

/// Writes into the journals of unfinished runs that another one has taken their place. One that cannot be written stays
/// unfinished, and is named again by the next run.
pub(super) fn supersede(session: &Session, locks: &Locks, runs: &[RunGlance], by: &RunId, output: &Output) {
    for run in runs {
        if let Err(error) = supersede_one(session, locks, run, by) {
            output.note(&format!("run {} stays unfinished: {}", run.id, error.message()));
        }
    }
}

fn supersede_one(session: &Session, locks: &Locks, run: &RunGlance, by: &RunId) -> Result<(), CliError> {
    let folder = run.folder();
    let (mut ended, found) = Ended::read(&run.id, run.folder())?;
    let ours = run.tenants.iter().filter(|of| holds(session, locks, of));
    let tenants: Vec<TenantName> = ours.map(|of| of.tenant.clone()).collect();
    let superseded = |tally| Entry::Superseded { by: by.clone(), at: now(), tenants: tenants.clone(), tally };
    let wrong = |error: crate::model::row::Impossible| CliError::setup(error.to_string());
    ended.record.take(superseded(Tally::default())).map_err(wrong)?;
    let mut journal = Journal::go_on(&folder.journal(), &found)?;
    journal.append(&[superseded(ended.record.tally())])?;
    Ok(())
}

/// Removes what nobody will miss: old runs that wrote nothing, and what killed processes have left.
pub(super) fn tidy(state: &StateDir, history: &History, now: Timestamp) {
    history::sweep(state, now);
    for run in history::quiet_ones(history, now) {
        if let Err(error) = history::remove(state, run) {
            tracing::debug!(%error, "an old run was not removed");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock of what it writes into old journals"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
