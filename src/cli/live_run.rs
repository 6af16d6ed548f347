//! A run from its directory to its last request: what every verb that writes to tenants ends with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::carry_out::pause;
use super::connect::Session;
use super::ended::Ended;
use super::error::CliError;
use super::interrupt::Interrupt;
use super::secrets::Fetched;
use crate::auth0::Writer;
use crate::catalogue::Kinds;
use crate::model::event::{JOURNAL_VERSION, TenantStart};
use crate::model::{Entry, Listener, RunId, RunRecord};
use crate::plan::waves::waves;
use crate::plan::{OnConflict, Plan, file};
use crate::report::progress::Display;
use crate::run::{Limits, RunSetup, Task, TenantRun, execute};
use crate::store::{Append, Journal, RunDir, atomic, paces, runs};

/// `--report` files with their formats.
pub(super) struct Reports(pub(super) Vec<(PathBuf, Format)>);

/// Form of a report.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Csv,
    Json,
}

impl Reports {
    /// The format of each is told by its extension. What cannot be written is found out now, not when all is done.
    pub(super) fn from_paths(paths: &[PathBuf], job: Option<&str>) -> Result<Self, CliError> {
        let of = |path: &PathBuf| {
            let shown = path.display();
            let format = match path.extension().and_then(|extension| extension.to_str()) {
                Some("csv") => Format::Csv,
                Some("json") => Format::Json,
                _ => {
                    return Err(CliError::usage(format!(
                        "--report {shown}: the format is told by the extension, .csv or .json"
                    )));
                }
            };
            let same = || Some(path.canonicalize().ok()? == Path::new(job?).canonicalize().ok()?);
            if same() == Some(true) {
                return Err(CliError::usage(format!(
                    "--report {shown} is the job itself, which would be overwritten"
                )));
            }
            atomic::can_write(path).map_err(|error| CliError::usage(format!("--report: {error}")))?;
            Ok((path.clone(), format))
        };
        paths.iter().map(of).collect::<Result<_, _>>().map(Self)
    }
}

/// What is to be done of a run's plan, and how.
pub(super) struct Work {
    pub(super) kinds: Kinds,
    /// One list a tenant of the plan, in its order.
    pub(super) tasks: Vec<Vec<Task>>,
    pub(super) limits: Limits,
    pub(super) on_conflict: OnConflict,
    pub(super) max_age: Duration,
    /// The secrets that it sets.
    pub(super) secrets: Fetched,
}

/// A run that has its directory and may begin, or go on.
pub(super) struct LiveRun {
    id: RunId,
    folder: RunDir,
    plan: Plan,
    journal: Journal,
    record: RunRecord,
}

impl LiveRun {
    /// Puts the plan on disk; nothing is written to a tenant before that.
    pub(super) fn begin(session: &Session, plan: Plan) -> Result<Self, CliError> {
        let id = runs::new_id(now(), fastrand::u32(..));
        let started = started(&id, &plan);
        let (folder, journal) = RunDir::create(&session.state, &id, |out| file::print(&plan, out), &started)?;
        let mut record = record_of(&plan);
        record.take(started).map_err(|error| CliError::setup(error.to_string()))?;
        Ok(Self { id, folder, plan, journal, record })
    }

    /// Takes a run up again, of which this is known.
    pub(super) fn take_up(
        id: RunId,
        folder: RunDir,
        plan: Plan,
        mut journal: Journal,
        mut record: RunRecord,
    ) -> Result<Self, CliError> {
        let resumed = Entry::Resumed { at: now() };
        journal.append(std::slice::from_ref(&resumed))?;
        record.take(resumed).map_err(|error| CliError::setup(error.to_string()))?;
        Ok(Self { id, folder, plan, journal, record })
    }

    /// Ends it without sending anything: every write has come to its end already.
    pub(super) fn close(mut self) -> Result<Ended, CliError> {
        let tally = self.record.tally();
        let finished = Entry::Finished { at: now(), stop: None, paces: Vec::new(), tally };
        self.journal.append(std::slice::from_ref(&finished))?;
        self.record.take(finished).map_err(|error| CliError::setup(error.to_string()))?;
        Ok(Ended {
            id: self.id,
            folder: self.folder,
            plan: self.plan,
            record: self.record,
            lost: None,
            vars: None,
        })
    }

    /// Its id.
    pub(super) fn id(&self) -> &RunId {
        &self.id
    }

    /// What it carries out.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When it began.
    pub(super) fn began(&self) -> Timestamp {
        self.record.times().map_or(self.plan.header.made, |(began, ..)| began)
    }

    /// Sends the writes.
    pub(super) async fn execute(
        self,
        session: &Session,
        work: Work,
        display: &Display,
        interrupt: &Interrupt,
    ) -> Result<Ended, CliError> {
        let writes = self.plan.tenants.iter().zip(&work.tasks);
        let writes: Vec<_> = writes.map(|(part, tasks)| (part.tenant.clone(), tasks.len())).collect();
        let mut tenants = Vec::new();
        for (place, (part, tasks)) in self.plan.tenants.iter().zip(work.tasks).enumerate() {
            let Some(target) = session.target(&part.tenant) else {
                continue;
            };
            let writer = Writer::open(&target.connection, &self.id)
                .map_err(|error| CliError::tenant(target.tenant.as_str(), &error))?;
            let (plan, connection) = (Arc::clone(part), target.connection.clone());
            let secrets = work.secrets.get(&part.tenant).cloned().unwrap_or_default();
            tenants.push(TenantRun { place, plan, tasks, connection, writer, secrets });
        }
        let mut listeners: Vec<Box<dyn Listener>> = vec![Box::new(display.clone())];
        // What is left of a run that is resumed was not forecast.
        let whole = writes.iter().map(|(_, writes)| writes).sum::<usize>() == self.plan.totals().writes;
        display.running(writes, self.plan.forecast().filter(|_| whole), pause(&self.plan));
        let setup = RunSetup {
            run: self.id.clone(),
            kinds: work.kinds,
            limits: work.limits,
            on_conflict: work.on_conflict,
            max_age: work.max_age,
            places: self.plan.tenants.iter().map(|part| part.tenant.clone()).collect(),
            waves: waves(&self.plan),
            pause: pause(&self.plan),
            verify: self.plan.header.verify,
            undo: self.plan.header.undoes.is_some(),
            stop: interrupt.stop().clone(),
            progress: display.sink(),
        };
        let finished = execute(setup, tenants, self.record, Box::new(self.journal), &mut listeners).await;
        learn(session);
        Ok(Ended {
            id: self.id,
            folder: self.folder,
            plan: self.plan,
            record: finished.record,
            lost: finished.journal,
            vars: Some(session.vars()),
        })
    }
}

/// Keeps what was seen of the tenants' rate limits, for the next forecast.
fn learn(session: &Session) {
    let measured =
        session.targets.iter().map(|target| (session.known_by(target), target.connection.measured()));
    if let Err(error) = paces::keep(&session.state, measured, now()) {
        tracing::debug!(%error, "the learned rate limit was not kept");
    }
}

/// A run of which nothing was heard yet.
pub(super) fn record_of(plan: &Plan) -> RunRecord {
    RunRecord::new(plan.tenants.iter().map(|part| (part.tenant.clone(), part.writes.len())))
}

fn started(id: &RunId, plan: &Plan) -> Entry {
    let start = |part: &Arc<crate::plan::TenantPlan>| TenantStart {
        tenant: part.tenant.clone(),
        domain: part.domain.clone(),
        writes: part.writes.len(),
    };
    Entry::Started {
        version: JOURNAL_VERSION,
        run: id.clone(),
        job: plan.header.job.clone(),
        undoes: plan.header.undoes.clone(),
        at: now(),
        tenants: plan.tenants.iter().map(start).collect(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock that runs are named by")]
fn now() -> Timestamp {
    Timestamp::now()
}
