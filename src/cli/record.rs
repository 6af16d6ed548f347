//! `patchwave record`: what was changed in one tenant, as a job that changes the same in others.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::args::{RecordArgs, TenantArgs};
use super::connect::{Session, Surroundings, connect, surroundings};
use super::context::state_dir;
use super::ended::Ended;
use super::error::CliError;
use super::interrupt::Interrupt;
use super::output::{self, Output};
use super::snapshot::{self, Taken};
use super::{exit, history, planned, prompt};
use crate::catalogue::{self, Kind};
use crate::changeset::{ChangeSet, Edited, Header, Known, Recorder, Source, from_run, pairs};
use crate::config::{Environment, process_environment};
use crate::model::Body;
use crate::plan::TenantPlan;
use crate::report::progress::Display;
use crate::report::term;
use crate::store::{StateDir, atomic};

mod log;

/// Records, and writes the file.
pub(super) async fn run(args: RecordArgs, output: &Output) -> Result<u8, CliError> {
    if let Some(path) = args.out.as_deref() {
        check_out(path, args.overwrite)?;
    }
    one_tenant(&args.tenant, "record")?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    let recording = Recording { args: &args, kind: catalogue::default_kind(), display: &display, output };
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

fn write(changeset: &ChangeSet, args: &RecordArgs, output: &Output) -> Result<u8, CliError> {
    if let Some(path) = &args.out {
        atomic::write(path, |out| changeset.write(out))
            .map_err(|error| CliError::setup(error.to_string()))?;
    }
    if output.json() {
        output.object(&as_json(changeset, args));
    } else if args.out.is_none() {
        output.result(&changeset.text());
    }
    tell(changeset, args, output);
    Ok(exit::OK)
}

fn as_json(changeset: &ChangeSet, args: &RecordArgs) -> serde_json::Value {
    let replaced = changeset.replaced.iter();
    json!({
        "path": args.out,
        "changeset": args.out.is_none().then(|| changeset.text()),
        "digest": changeset.digest,
        "clients": changeset.clients,
        "replaced": replaced.map(|one| json!({"by": one.code, "count": one.count})).collect::<Vec<_>>(),
        "required_variables": changeset.required,
        "left_out": changeset.left_out,
        "warnings": changeset.warnings,
    })
}

/// What was recorded, which values became placeholders, and what is not in the file.
fn tell(changeset: &ChangeSet, args: &RecordArgs, output: &Output) {
    for one in &changeset.replaced {
        let times = term::count(one.count, "value");
        output.note(&format!(
            "  {times} replaced by {{{{ {} }}}}, as in {}",
            one.code,
            term::safe(&one.client)
        ));
    }
    if !changeset.required.is_empty() {
        let names = changeset.required.join(", ");
        output.note(&format!(
            "{} every target needs these variables: {names}",
            term::paint(term::WARN, "note:")
        ));
    }
    for what in &changeset.warnings {
        output.note(&format!("{} {}", term::paint(term::WARN, "warning:"), term::safe(what)));
    }
    for what in &changeset.left_out {
        output.note(&format!("{} {}", term::paint(term::WARN, "left out:"), term::safe(what)));
    }
    if changeset.clients == 0 {
        output.error(&format!("{} nothing was recorded", term::paint(term::WARN, "warning:")));
    }
    let clients = term::count(changeset.clients, "client");
    let place = args.out.as_deref().map(|path| format!(" in {}", path.display())).unwrap_or_default();
    output.note(&format!("{clients} recorded{place}."));
    if let Some(path) = args.out.as_deref().filter(|_| changeset.clients > 0) {
        output.note(&format!(
            "To see what it would do elsewhere: patchwave replay {} --tenant NAME --dry-run",
            path.display()
        ));
    }
}

/// A recording under way.
struct Recording<'r> {
    args: &'r RecordArgs,
    kind: &'static Kind,
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
            snapshot::two(words, (&args.tenant, &args.pace), &around, (self.kind, &state), self.display)
                .await;
        self.display.clear();
        let (mut before, mut after) = taken?;
        self.refuse_empty(&before)?;
        tell_unseen(&snapshot::forget_unseen(self.kind, [&mut before, &mut after]), self.output);
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
        self.display.reading();
        let before = snapshot::of_tenant(target, self.kind, &session.state).await;
        self.display.clear();
        let before = before?;
        let clients = term::count(before.snapshot.clients.len(), &self.kind.singular);
        self.output.error(&format!("{clients} of {} seen. Make the changes now.", target.domain));
        match until {
            Some(until) => interrupt.wait(until).await,
            None => prompt::enter("Press Enter when they are made: ".to_owned()).await,
        }
        self.display.reading();
        let after = snapshot::of_tenant(target, self.kind, &session.state).await;
        self.display.clear();
        let (mut before, mut after) = (before, after?);
        tell_unseen(&snapshot::forget_unseen(self.kind, [&mut before, &mut after]), self.output);
        Ok(self.difference(&before, &after, "watch"))
    }

    /// From the plan and the journal of a run.
    fn of_run(&self, word: &str) -> Result<ChangeSet, CliError> {
        let state = state(&self.args.tenant)?;
        let runs = crate::store::history::list(&state)?;
        let run = match word {
            // One that changed nothing is not meant.
            "latest" => runs.runs.iter().rev().find(|run| !run.wrote_nothing()).ok_or_else(|| {
                CliError::usage("no run that is kept here has changed anything")
                    .next(output::verb_line("runs"))
            })?,
            word => history::named(&runs, word)?,
        };
        let (ended, _) = Ended::read(&run.id, run.folder())?;
        let part = self.part(&ended)?;
        let around = around(&self.args.tenant)?;
        let none = Body::new();
        let known = around
            .config
            .iter()
            .flat_map(|config| config.tenants.values())
            .find(|tenant| tenant.domain == part.domain || tenant.name == part.tenant);
        let vars = known.map(|tenant| &tenant.vars).filter(|_| !self.args.no_parametrize).unwrap_or(&none);
        of_ended(&ended, part, vars, self.args.identity.as_ref())
    }

    /// The tenant of a run that is recorded: the one that was chosen, else the first that it changed.
    fn part<'e>(&self, ended: &'e Ended) -> Result<&'e TenantPlan, CliError> {
        let parts = || ended.plan.tenants.iter().map(|part| &**part);
        if let Some(name) = self.args.tenant.tenants.first() {
            let is = |part: &&TenantPlan| part.tenant.as_str() == name || part.domain.as_str() == name;
            return parts().find(is).ok_or_else(|| {
                let names: Vec<&str> = parts().map(|part| part.tenant.as_str()).collect();
                CliError::usage(format!("run {} was not for {name}, but for {}", ended.id, names.join(", ")))
            });
        }
        let all: Vec<&TenantPlan> = ended.changed().collect();
        if let [first, _, ..] = all.as_slice() {
            let note = term::paint(term::WARN, "note:");
            let what = format!(
                "{note} the run changed {} tenants; recorded is what it did in {}",
                all.len(),
                first.tenant
            );
            self.output.note(&format!("{what}. --tenant chooses another."));
        }
        all.first()
            .copied()
            .or_else(|| parts().next())
            .ok_or_else(|| CliError::usage(format!("run {} has no tenant", ended.id)))
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
        let (old, new) = (before.source(self.kind, parametrize), after.source(self.kind, parametrize));
        self.tell_of_no_vars(&new);
        let identity = self.args.identity.as_ref();
        let mut recorder = Recorder::new(self.kind, identity, &old, &new);
        let pairs = pairs(
            self.kind,
            identity,
            (&before.snapshot, &after.snapshot),
            before.is_of_the_tenant_of(after),
        );
        for ((id, before), (id_after, after)) in &pairs.both {
            recorder.take(Edited { id, before, id_after, after, masked: &[] });
        }
        recorder.note_pairs(&pairs);
        let tenant = after.label().or_else(|| before.label());
        let at = after.at.unwrap_or_else(now);
        recorder.finish(&Header { tenant, at: at.to_string(), by: by.to_owned(), job: None })
    }

    /// Against nothing, every client would be new.
    fn refuse_empty(&self, before: &Taken) -> Result<(), CliError> {
        if before.snapshot.clients.is_empty() {
            return Err(CliError::usage(format!("{} holds no {}", before.name, self.kind.singular)));
        }
        Ok(())
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

/// Leaves what a run did in its directory, as a change set: what it did in the first tenant that it changed.
pub(super) fn leave(session: &Session, ended: &Ended) -> Result<(), CliError> {
    let Some(part) = ended.changed().next().or_else(|| ended.plan.tenants.first().map(|part| &**part)) else {
        return Ok(());
    };
    let none = Body::new();
    let vars = session.target(&part.tenant).map_or(&none, |target| &target.vars);
    let changeset = of_ended(ended, part, vars, None)?;
    Ok(atomic::write(&ended.folder.changeset(), |out| changeset.write(out))?)
}

fn hashed(id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

/// What a run did in one tenant. `vars` are those whose values become placeholders.
pub(super) fn of_ended(
    ended: &Ended,
    part: &TenantPlan,
    vars: &Body,
    identity: Option<&crate::model::FieldPath>,
) -> Result<ChangeSet, CliError> {
    let kind = planned::kind_of(&ended.plan.header)?;
    // By hash: there may be a hundred thousand, and they have their ids and names in the plan already.
    let mut places: Vec<(u64, usize)> =
        part.writes.iter().enumerate().map(|(at, write)| (hashed(write.id.as_str()), at)).collect();
    places.sort_unstable();
    let source = Source::looking_up(Some(&part.domain), vars, |id| {
        let hash = hashed(id);
        let from = places.partition_point(|(of, _)| *of < hash);
        let same = places[from..].iter().take_while(|(of, _)| *of == hash);
        same.filter_map(|(_, at)| part.writes.get(*at))
            .find(|write| write.id.as_str() == id)
            .map(|write| Known { name: write.name, alone: false })
    });
    let mut recorder = Recorder::new(kind, identity, &source, &source);
    from_run::take(kind, part, &ended.record, &mut recorder);
    let named = part.tenant.as_str() != part.domain.as_str();
    let at = ended.record.times().map_or_else(now, |(_, ended, _)| ended);
    Ok(recorder.finish(&Header {
        tenant: named.then(|| part.tenant.to_string()),
        at: at.to_string(),
        by: format!("run {}", ended.id),
        job: Some(ended.plan.header.job.clone()),
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock of a change set's header"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
