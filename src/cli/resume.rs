//! `patchwave resume`: finishes a run that stopped, however it did.

use std::collections::HashSet;
use std::sync::Arc;

use super::args::{Force, ResumeArgs};
use super::carry_out::limits;
use super::connect::{Session, Target, connect};
use super::consent::{self, Asked};
use super::ended::Ended;
use super::error::CliError;
use super::history::{self, Chosen};
use super::interrupt::Interrupt;
use super::live_run::{LiveRun, Reports, Work};
use super::output::{self, Output};
use super::planned::kinds_of;
use super::prompt;
use super::sandboxed::as_left_by;
use super::saved::{Whole, fit};
use super::{ledger, locks, secrets};
use crate::job::Guards;
use crate::model::{Domain, EntityId, Remains, RunId, TenantName, WriteState, Written};
use crate::plan::{Plan, Refusal, TenantPlan, TenantState, Write, guard};
use crate::report::diff::{self, DiffOptions};
use crate::report::progress::Display;
use crate::report::term;
use crate::run::Task;
use crate::store::journal::Found;
use crate::store::{Journal, RunDir, StateDir};

/// Finishes a run.
pub(super) async fn run(args: ResumeArgs, output: &Output) -> Result<u8, CliError> {
    let reports = Reports::from_paths(&args.run.report, None)?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    interrupt.at(args.run.deadline);
    let run = Run::chosen(&args)?;
    let (session, _locks) = interrupt.or(run.session(&args, (&display, output))).await?;
    // Only now, with the locks, does nobody else write into its journal.
    let (ended, found) = run.read()?;
    as_left_by(&session, &ended);
    run.refuse_superseded(&ended, &session)?;
    let todo = Todo::of(&ended, &session, args.failed);
    if todo.is_empty() {
        output.note(&format!("Nothing is left to be done of run {}; its report again:", run.id));
        return nothing_left(ended, &session, &found, (&reports, output));
    }
    let secrets = interrupt.or(secrets::of_plan(&session, &todo.plan(&ended.plan))).await?;
    // Held from here on: another process may hold the locks of other tenants of this run.
    let journal = Journal::go_on(&ended.folder.journal(), &found)?;
    refuse_guarded(&ended, &session, (&todo, &args))?;
    let kinds = kinds_of(&ended.plan.header)?;
    let noun = ended.plan.header.noun();
    if !output.quiet() || !args.run.yes && prompt::can_ask() {
        let options = DiffOptions { noun, width: output.width(), full: args.run.full };
        output.text(&diff::render(&todo.plan(&ended.plan), options));
    }
    output.note(&todo.words(&run.id));
    let asked = Asked {
        noun,
        verb: "Change",
        changes: todo.changes(&ended),
        fields: consent::fields_of(&ended.plan),
        named: false,
    };
    let barred = interrupt.or(async { Ok(consent::barred(&session, &asked).await) }).await?;
    if let Some((_, error)) = barred.into_iter().next() {
        return Err(error);
    }
    interrupt.or(consent::ask(&args.run, &session, &asked)).await?;
    let tasks = todo.tasks(&ended);
    let mut plan = ended.plan;
    strictest_failures(&mut plan.header.guards, &args, &session, todo.total());
    let work = Work {
        kinds,
        tasks,
        limits: limits(&plan, &session),
        on_conflict: args.run.on_conflict.into(),
        max_age: args.run.max_age,
        secrets,
    };
    let live = LiveRun::take_up(ended.id, ended.folder, plan, journal, ended.record)?;
    let ended = live.execute(&session, work, &display, &interrupt).await?;
    display.clear();
    ledger::ended(&session, &ended, output);
    Ok(ended.report(&reports, output))
}

/// The run that is to be finished.
struct Run {
    id: RunId,
    state: StateDir,
    tenants: Vec<(TenantName, Domain)>,
}

impl Run {
    fn chosen(args: &ResumeArgs) -> Result<Self, CliError> {
        let chosen = Chosen::read(&args.tenant)?;
        let unfinished = chosen.unfinished();
        let run = match (&args.id, unfinished.as_slice()) {
            (Some(word), _) => chosen.named(word)?,
            (None, _) if args.failed => chosen.newest(|_| true)?,
            (None, [run]) => {
                chosen.history.nothing_hidden_after(Some(run))?;
                run
            }
            (None, []) => chosen.newest(|_| true)?,
            (None, several) => {
                let lines: Vec<String> = several.iter().map(|run| history::line(run)).collect();
                let what = format!("several runs are unfinished; name one:\n{}", lines.join("\n"));
                let newest = several.last().map(|run| output::run_line("resume", &run.id, &[]));
                return Err(CliError::usage(what).next(newest.unwrap_or_else(output::help_line)));
            }
        };
        Ok(Self { id: run.id.clone(), state: chosen.state.clone(), tenants: run.places() })
    }

    fn folder(&self) -> RunDir {
        RunDir::at(self.state.runs().join(self.id.as_str()))
    }

    /// What is kept of it. Where its journal is damaged, every client can still be looked at and brought to where the plan
    /// has it.
    fn read(&self) -> Result<(Ended, Found), CliError> {
        let read = Ended::read(&self.id, self.folder());
        read.map_err(|error| error.instead(|| output::apply_saved_line(&self.folder().plan())))
    }

    /// Connects to the run's tenants and takes their locks.
    async fn session(
        &self,
        args: &ResumeArgs,
        (display, output): (&Display, &Output),
    ) -> Result<(Session, locks::Locks), CliError> {
        let mut session = connect(&args.tenant, &args.pace, &self.tenants, display).await?;
        fit(&mut session, &self.tenants, &format!("run {}", self.id), Whole::No)?;
        let locks = locks::take(&session, args.run.lock_wait, output).await?;
        // Rows of a tenant that another run works on stay as they are.
        session.targets.retain(|target| locks.refused(&target.tenant).is_none());
        Ok((session, locks))
    }

    /// What another run was put in the place of is not finished: it would undo what that one did.
    fn refuse_superseded(&self, ended: &Ended, session: &Session) -> Result<(), CliError> {
        let by = |target: &Target| ended.record.superseded_by(&target.tenant);
        // Where another tenant is still to be finished, that is done.
        match session.targets.iter().find_map(by).filter(|_| ended.record.left() == 0) {
            None => Ok(()),
            Some(by) => Err(CliError::unusable(format!(
                "run {} was superseded by run {by}: it is not to be finished any more",
                self.id
            ))
            .next(output::run_line("runs show", by, &[]))),
        }
    }
}

/// What is left of a run.
struct Todo {
    parts: Vec<Part>,
}

struct Part {
    tenant: TenantName,
    writes: Vec<(usize, Remains)>,
}

impl Todo {
    fn of(ended: &Ended, session: &Session, failed: bool) -> Self {
        let part = |tenant: &TenantName| {
            let writes = ended.record.remaining(tenant, failed).collect();
            Part { tenant: tenant.clone(), writes }
        };
        Self { parts: session.targets.iter().map(|target| part(&target.tenant)).collect() }
    }

    fn total(&self) -> usize {
        self.parts.iter().map(|part| part.writes.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// The plan, as far as it is left.
    fn plan(&self, whole: &Plan) -> Plan {
        let part = |part: &Arc<TenantPlan>| {
            let left = self.parts.iter().find(|left| left.tenant == part.tenant);
            let left = left.map(|left| left.writes.as_slice()).unwrap_or_default();
            let writes = part.writes.some(left.iter().map(|(at, _)| *at)).collect();
            let (rows, forecast) = (Vec::new(), None);
            Arc::new(TenantPlan { writes, rows, forecast, ..(**part).clone() })
        };
        Plan { header: whole.header.clone(), tenants: whole.tenants.iter().map(part).collect() }
    }

    fn changes(&self, ended: &Ended) -> Vec<(TenantName, usize)> {
        let of = |part: &Part| (part.tenant.clone(), part.writes.len());
        let planned = |part: &&Part| ended.plan.tenants.iter().any(|of| of.tenant == part.tenant);
        self.parts.iter().filter(planned).map(of).filter(|(_, writes)| *writes > 0).collect()
    }

    /// In a sentence.
    fn words(&self, id: &RunId) -> String {
        let count = |wanted: Remains| {
            self.parts.iter().flat_map(|part| &part.writes).filter(|(_, remains)| *remains == wanted).count()
        };
        let mut parts = vec![format!("{} left", term::count(self.total(), "write"))];
        for (remains, words) in [
            (Remains::Look, "to look at first, since they may have been sent"),
            (Remains::Failed, "to try again"),
        ] {
            if count(remains) > 0 {
                parts.push(format!("{} {words}", count(remains)));
            }
        }
        format!("Run {id}: {}", parts.join(", "))
    }

    /// The tasks, one list a tenant of the plan. Each client is read again first: since the run stopped, others may have been
    /// at it, and some may have been sent their change.
    fn tasks(&self, ended: &Ended) -> Vec<Vec<Task>> {
        let of = |tenant: &TenantName| {
            let states = ended.record.writes(tenant);
            let task = |(at, _): &(usize, Remains)| {
                let outcome = states.get(*at).and_then(WriteState::outcome);
                let written = match states.get(*at) {
                    Some(WriteState::Claimed) => Written::Perhaps,
                    _ => outcome.map_or(Written::No, |outcome| outcome.written),
                };
                Task::unseen(*at, written).after(outcome)
            };
            let part = self.parts.iter().find(|part| part.tenant == *tenant);
            part.map(|part| part.writes.iter().map(task).collect()).unwrap_or_default()
        };
        ended.plan.tenants.iter().map(|part| of(&part.tenant)).collect()
    }
}

/// What is left of a run obeys the guards of today: a client that was put on a `protect` list since, and the client that
/// patchwave signs in with by now.
fn refuse_guarded(
    ended: &Ended,
    session: &Session,
    (todo, args): (&Todo, &ResumeArgs),
) -> Result<(), CliError> {
    let lists = session.guards.iter().flat_map(|guards| &guards.protect);
    let protected: HashSet<&EntityId> = lists.filter(|_| !args.force.contains(&Force::Protect)).collect();
    let kinds = kinds_of(&ended.plan.header)?;
    let mut refusals = Vec::new();
    for part in &todo.parts {
        let plan = ended.plan.tenants.iter().find(|of| of.tenant == part.tenant);
        let own = session.target(&part.tenant).and_then(|target| target.connection.own_client().cloned());
        let state = TenantState { own, ..TenantState::default() };
        let writes = part.writes.iter().filter_map(|(at, _)| plan.and_then(|plan| plan.writes.get(*at)));
        for write in writes {
            if protected.contains(&write.id) {
                refusals.push(protected_by_now(ended, part, &write));
            }
            if !args.force.contains(&Force::OwnClient) {
                let kind = kinds.get(write.kind);
                refusals.extend(guard::own_client(kind, &state, &write.id, &write.changes, write.label));
            }
        }
    }
    if refusals.is_empty() { Ok(()) } else { Err(CliError::refused(&refusals)) }
}

fn protected_by_now(ended: &Ended, part: &Part, write: &Write) -> Refusal {
    Refusal {
        what: format!(
            "{} of {} is protected, and what is left of run {} changes it",
            write.id, part.tenant, ended.id
        ),
        help: "take it off the `protect` list, or say --force protect; a new `apply` takes the place of this run"
            .to_owned(),
    }
}

/// Failures are counted anew: those of earlier sessions have been seen by whoever resumes the run.
fn strictest_failures(guards: &mut Guards, args: &ResumeArgs, session: &Session, writes: usize) {
    let said = session.guards.iter().map(|guards| guards.max_failures).chain([guards.max_failures]);
    guards.max_failures = args.run.max_failures.or(Guards::strictest(said, writes));
}

/// The run's report again, and the code that it ended with. One whose process was killed after its last row has no report
/// yet, and its journal no last line.
fn nothing_left(
    mut ended: Ended,
    session: &Session,
    found: &Found,
    (reports, output): (&Reports, &Output),
) -> Result<u8, CliError> {
    if !ended.record.closed && ended.record.left() == 0 {
        let journal = Journal::go_on(&ended.folder.journal(), found)?;
        ended = LiveRun::take_up(ended.id, ended.folder, ended.plan, journal, ended.record)?.close()?;
    }
    ended.vars = Some(session.vars());
    ledger::ended(session, &ended, output);
    Ok(ended.report(reports, output))
}
