//! `patchwave record`: what was changed in one tenant, as a job that changes the same in others.

use std::path::Path;

use jiff::Timestamp;

use super::args::{RecordArgs, TenantArgs};
use super::connect::{Surroundings, connect, surroundings};
use super::context::state_dir;
use super::error::CliError;
use super::interrupt::Interrupt;
use super::kinds;
use super::output::{self, Output};
use super::prompt;
use super::snapshot::{self, Taken};
use crate::catalogue::Kind;
use crate::changeset::{ChangeSet, Edited, Header, Pairs, Recorder, Source, pairs};
use crate::config::{Environment, process_environment};
use crate::report::progress::Display;
use crate::report::term;
use crate::store::{StateDir, atomic};

mod log;
mod run;
mod told;

pub(super) use run::leave;
use told::write;

/// Records, and writes the file.
pub(super) async fn run(mut args: RecordArgs, output: &Output) -> Result<u8, CliError> {
    // As elsewhere `-` is no file: what is not written to one is printed.
    args.out = args.out.filter(|path| path.as_os_str() != "-");
    if let Some(path) = args.out.as_deref() {
        check_out(path, args.overwrite)?;
    }
    one_tenant(&args.tenant, "record")?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    let recording = Recording { args: &args, kinds: kinds::named(&args.kind)?, display: &display, output };
    let changeset = if let Some(run) = &args.run {
        recording.of_run(run)?
    } else if args.watch {
        interrupt.or(recording.watched(&interrupt)).await?
    } else if args.from_log {
        interrupt.or(recording.of_log()).await?
    } else {
        interrupt.or(Box::pin(recording.of_two())).await?
    };
    write(&changeset, &args, output)
}

fn check_out(path: &Path, overwrite: bool) -> Result<(), CliError> {
    if path.exists() && !overwrite {
        let message = format!("{} exists, and may hold edits; --overwrite replaces it", path.display());
        return Err(CliError::usage(message).next(output::command_line_with(&["--overwrite"])));
    }
    atomic::can_write(path).map_err(|error| CliError::usage(format!("-o: {error}")))
}

/// A recording under way.
struct Recording<'r> {
    args: &'r RecordArgs,
    /// Those that were named; none, where nobody named any.
    kinds: Vec<&'static Kind>,
    display: &'r Display,
    output: &'r Output,
}

impl Recording<'_> {
    /// From two snapshots.
    async fn of_two(&self) -> Result<ChangeSet, CliError> {
        let args = self.args;
        let (Some(before), Some(after)) = (&args.before, &args.after) else {
            return Err(CliError::usage(
                "--before and --after go together: name two files of get, or two tenants",
            )
            .next(output::help_line()));
        };
        let (state, around) = (state(&self.args.tenant)?, around(&args.tenant)?);
        self.display.reading();
        let words = (before.as_str(), after.as_str());
        let taken =
            snapshot::two(words, (&args.tenant, &args.pace), &around, (&self.kinds, &state), self.display)
                .await;
        self.display.clear();
        let (mut before, mut after) = taken?;
        self.refuse_empty(&before)?;
        tell_unseen(&snapshot::forget_unseen([&mut before, &mut after]), self.output);
        Ok(self.difference(&before, &after, "before and after"))
    }

    /// From a snapshot now and one when the user says so.
    async fn watched(&self, interrupt: &Interrupt) -> Result<ChangeSet, CliError> {
        let until = self.args.watch_until().map_err(|wrong| CliError::usage(format!("--until: {wrong}")))?;
        if until.is_none() && !prompt::can_ask() {
            return Err(CliError::usage(
                "nobody is there to say when the changes are made: say how long to wait with --until 10m",
            )
            .next(output::command_line_with(&["--until=10m"])));
        }
        let session = connect(&self.args.tenant, &self.args.pace, &[], self.display).await?;
        let [target] = session.targets.as_slice() else {
            return Err(CliError::usage("--watch looks at one tenant: choose one with --tenant"));
        };
        let kinds = kinds::named_or_default(&self.args.kind)?;
        self.display.reading();
        let before = snapshot::of_tenant(target, &kinds, &session.state).await;
        self.display.clear();
        let before = before?;
        let clients = term::count(before.len(), noun(&kinds));
        self.output.error(&format!("{clients} of {} seen. Make the changes now.", target.domain));
        match until {
            Some(until) => interrupt.wait(until).await,
            None => prompt::enter("Press Enter when they are made: ".to_owned()).await,
        }
        self.display.reading();
        let after = snapshot::of_tenant(target, &kinds, &session.state).await;
        self.display.clear();
        let (mut before, mut after) = (before, after?);
        tell_unseen(&snapshot::forget_unseen([&mut before, &mut after]), self.output);
        Ok(self.difference(&before, &after, "watch"))
    }

    /// Where nobody knows what is the tenant's own, hosts and the like stay as they are.
    fn tell_of_no_vars(&self, source: &Source<'_>) {
        if !self.args.no_parametrize && !source.has_vars() {
            let what = "no variables of the source tenant are known: its hosts and the like stay as they are in the file";
            self.output.note(&format!(
                "{} {what} (vars of [tenants.NAME] in patchwave.toml, chosen with --tenant)",
                term::paint(term::WARN, "note:")
            ));
        }
    }

    fn difference(&self, before: &Taken, after: &Taken, by: &str) -> ChangeSet {
        let parametrize = !self.args.no_parametrize;
        let identity = self.args.identity.as_ref();
        let kinds: Vec<&'static Kind> = before.shots.iter().map(|shot| shot.kind).collect();
        let all: Vec<Pairs<'_>> = kinds
            .iter()
            .map(|kind| {
                pairs(kind, identity, (before.of(kind), after.of(kind)), before.is_of_the_tenant_of(after))
            })
            .collect();
        let (old, other);
        let new = if all.iter().any(|pairs| pairs.same_tenant) {
            old = before.source_with(after, identity, parametrize);
            &old
        } else {
            old = before.source(identity, parametrize);
            other = after.source(identity, parametrize);
            &other
        };
        self.tell_of_no_vars(new);
        let mut recorder = Recorder::new(identity, &old, new);
        for (kind, pairs) in kinds.into_iter().zip(&all) {
            for ((id, before), (id_after, after)) in &pairs.both {
                recorder.take(kind, Edited { id, before, id_after, after, masked: &[] });
            }
            recorder.note_pairs(kind, pairs);
        }
        let tenant = after.label().or_else(|| before.label());
        let at = after.at().unwrap_or_else(now);
        recorder.finish(&Header { tenant, at: at.to_string(), by: by.to_owned(), job: None })
    }

    /// Against nothing, every object would be new.
    fn refuse_empty(&self, before: &Taken) -> Result<(), CliError> {
        if before.len() == 0 {
            let kinds: Vec<&'static Kind> = before.shots.iter().map(|shot| shot.kind).collect();
            return Err(CliError::usage(format!("{} holds no {}", before.name, noun(&kinds))));
        }
        Ok(())
    }
}

/// What objects of these kinds are called.
fn noun(kinds: &[&'static Kind]) -> &'static str {
    match kinds {
        [only] => &only.singular,
        _ => "object",
    }
}

/// Where snapshots and runs are kept.
pub(super) fn state(tenant: &TenantArgs) -> Result<StateDir, CliError> {
    let state = state_dir(tenant.state_dir.as_deref(), &Environment::new(process_environment()))?;
    let state = if tenant.sandbox { state.sandbox() } else { state };
    state.prepare()?;
    Ok(state)
}

/// What is recorded or compared is one tenant's: several would leave open which one is meant.
pub(super) fn one_tenant(args: &TenantArgs, verb: &str) -> Result<(), CliError> {
    if args.groups.is_empty() && args.tenants.len() <= 1 {
        return Ok(());
    }
    let what = format!("{verb} takes one --tenant: the one whose states these are, with its variables");
    Err(CliError::usage(what).next(output::help_line()))
}

/// Of fields that need a scope of their own to be seen.
pub(super) fn tell_unseen(fields: &[String], output: &Output) {
    if !fields.is_empty() {
        let fields = fields.join(", ");
        let what = format!("{fields}: no client has it any more, or the token may not see it; not compared");
        output.note(&format!("{} {what}", term::paint(term::WARN, "note:")));
    }
}

/// What is around the command; of the embedded sandbox nothing is.
pub(super) fn around(tenant: &TenantArgs) -> Result<Surroundings, CliError> {
    if tenant.sandbox {
        return Ok(Surroundings { env: Environment::new(process_environment()), config: None });
    }
    surroundings(tenant)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock of a change set's header"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
