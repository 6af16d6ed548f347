//! A run from its directory to its report: what every verb that writes to tenants ends with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::connect::Session;
use super::error::CliError;
use super::output::{self, Output};
use super::planning::Planned;
use super::{exit, show_plan};
use crate::auth0::Writer;
use crate::job::Job;
use crate::model::{Listener, Reason, RowResult, RunId, StopReason, TenantName};
use crate::plan::{Plan, TenantPlan, file};
use crate::report::progress::Display;
use crate::report::rows::Without;
use crate::report::{ReportRow, RunFacts, Summary, csv, json, report_rows, summarize, term};
use crate::run::{Finished, Limits, RunSetup, TenantRun, execute};
use crate::store::{Journal, RunDir, StoreError, atomic, paces, runs};

/// `--report` files with their formats.
pub(super) struct Reports(Vec<(PathBuf, Format)>);

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
}

impl Reports {
    /// The format of each is told by its extension. What cannot be written is found out now, not when all is done.
    pub(super) fn from_paths(paths: &[PathBuf], job: &str) -> Result<Self, CliError> {
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
            let same = || Some(path.canonicalize().ok()? == Path::new(job).canonicalize().ok()?);
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

/// A run that has its directory and may begin.
pub(super) struct LiveRun {
    id: RunId,
    folder: RunDir,
    planned: Planned,
}

/// How it went.
pub(super) struct Ended {
    finished: Finished,
    started: Timestamp,
    ended: Timestamp,
}

impl LiveRun {
    /// Puts the plan on disk; nothing is written to a tenant before that.
    pub(super) fn begin(session: &Session, planned: Planned) -> Result<Self, CliError> {
        let id = runs::new_id(now(), fastrand::u32(..));
        let folder = RunDir::create(&session.state, &id, |out| file::print(&planned.plan, out))?;
        Ok(Self { id, folder, planned })
    }

    /// Sends the writes.
    pub(super) async fn execute(
        &self,
        job: &Job,
        session: &Session,
        limits: Limits,
        display: &Display,
    ) -> Result<Ended, CliError> {
        let mut tenants = Vec::new();
        for (target, plan) in session.targets.iter().zip(&self.planned.plan.tenants) {
            if plan.writes.is_empty() {
                continue;
            }
            let writer = Writer::open(&target.connection, &self.id)
                .map_err(|error| CliError::tenant(target.tenant.as_str(), &error))?;
            tenants.push(TenantRun { plan: Arc::clone(plan), connection: target.connection.clone(), writer });
        }
        let journal = Journal::open(&self.folder.journal())?;
        let mut listeners: Vec<Box<dyn Listener>> = vec![Box::new(display.clone())];
        display.running(self.planned.plan.totals().writes);
        let started = now();
        let setup = RunSetup {
            run: self.id.clone(),
            kind: job.kind,
            limits,
            read: self.planned.read,
            progress: display.sink(),
        };
        let finished = execute(setup, tenants, journal, &mut listeners).await?;
        Ok(Ended { finished, started, ended: now() })
    }

    /// Writes results and summary, says how it went, and returns the exit code. A report that cannot be written does not
    /// undo what was done: it is told, and the journal still has every outcome.
    pub(super) fn report(&self, session: &Session, ended: &Ended, reports: &Reports, output: &Output) -> u8 {
        let plan = &self.planned.plan;
        let rows = report_rows(plan, &ended.finished.entries, Without::NotAttempted);
        let code = code_of(plan, &rows, &ended.finished);
        let paces = session.targets.iter().map(|target| (target.tenant.clone(), target.connection.pace()));
        let facts = RunFacts {
            run: self.id.clone(),
            started: ended.started,
            ended: ended.ended,
            exit_code: code,
            stop: ended.finished.stop.or(self.tenants_stop(&ended.finished)),
            forecast: self.planned.forecasts.iter().flatten().max_by_key(|f| f.longest).copied(),
            paces: paces.collect(),
        };
        let summary = summarize(plan, &ended.finished.entries, &facts);
        let learned =
            session.targets.iter().zip(&facts.paces).map(|(target, (_, pace))| (&target.domain, *pace));
        if let Err(error) = paces::keep(&session.state, learned) {
            tracing::debug!(%error, "the learned rate limit was not kept");
        }
        let written = self.write(&summary, &rows).and_then(|()| self.copy(&summary, &rows, ended, reports));
        self.say(&summary, ended, code, output);
        let Err(error) = written else { return code };
        output.error(&format!("{} {error}", term::paint(term::BAD, "error:")));
        self.last_resort(&rows, output);
        code.max(exit::ROWS)
    }

    /// Why every tenant that had anything to write stopped, if they all did.
    fn tenants_stop(&self, finished: &Finished) -> Option<StopReason> {
        let writing = self.planned.plan.tenants.iter().filter(|tenant| !tenant.writes.is_empty()).count();
        let strongest = finished.tenant_stops.iter().map(|(_, reason, _)| *reason).max();
        strongest.filter(|_| finished.tenant_stops.len() == writing)
    }

    /// Results and summary into the run's own directory.
    fn write(&self, summary: &Summary, rows: &[ReportRow<'_>]) -> Result<(), StoreError> {
        let columns = &self.planned.plan.header.columns;
        atomic::write(&self.folder.results(), |out| csv::print(columns, rows, Some(&self.id), out))?;
        atomic::write(&self.folder.summary(), |out| Ok(serde_json::to_writer_pretty(out, summary)?))
    }

    /// The copies that `--report` asks for.
    fn copy(
        &self,
        summary: &Summary,
        rows: &[ReportRow<'_>],
        ended: &Ended,
        reports: &Reports,
    ) -> Result<(), StoreError> {
        let plan = &self.planned.plan;
        for (path, format) in &reports.0 {
            match format {
                Format::Csv => {
                    atomic::write(path, |out| csv::print(&plan.header.columns, rows, Some(&self.id), out))?;
                }
                Format::Json => {
                    let run = json::run(summary, plan, &ended.finished.entries);
                    atomic::write(path, |out| Ok(serde_json::to_writer_pretty(out, &run)?))?;
                }
            }
        }
        Ok(())
    }

    /// Where no file could take the results, the screen (or the log that it is redirected to) does.
    fn last_resort(&self, rows: &[ReportRow<'_>], output: &Output) {
        if self.folder.results().exists() {
            return output.error(&format!("the results are in {}", self.folder.results().display()));
        }
        let mut text = Vec::new();
        if csv::print(&self.planned.plan.header.columns, rows, Some(&self.id), &mut text).is_ok() {
            output.error("The results could not be kept anywhere. Here they are:");
            output.error(&String::from_utf8_lossy(&text));
        }
    }

    fn say(&self, summary: &Summary, ended: &Ended, code: u8, output: &Output) {
        let plan = &self.planned.plan;
        if output.json() {
            output.result(&json::run(summary, plan, &ended.finished.entries).to_string());
            return;
        }
        // Unattended and in order: silence, so that cron sends no mail.
        if output.quiet() && code == exit::OK {
            return;
        }
        if plan.totals().writes == 0 && !exit::unfinished(summary) {
            output.result(show_plan::nothing_to_do(plan.totals()));
        } else {
            output.result(&summary.render());
        }
        output.result(&format!("Results: {}", self.folder.results().display()));
        if exit::unfinished(summary) {
            output.error(&next_step(code));
        }
    }
}

fn next_step(code: u8) -> String {
    let why = match code {
        exit::STOPPED | exit::INTERRUPTED => {
            "To finish, run it again; clients that are done stay as they are:"
        }
        _ => "When the causes are mended, run it again; clients that are done stay as they are:",
    };
    format!("{why}\n{}", output::command_line())
}

fn code_of(plan: &Plan, rows: &[ReportRow<'_>], finished: &Finished) -> u8 {
    let mut results: HashMap<&TenantName, Vec<(RowResult, Option<Reason>)>> = HashMap::new();
    for row in rows {
        results.entry(row.tenant).or_default().push((row.result, row.reason));
    }
    let of = |tenant: &Arc<TenantPlan>| {
        let lost =
            finished.tenant_stops.iter().find(|(of, ..)| *of == tenant.tenant).map(|(_, reason, _)| *reason);
        let rows = results.get(&tenant.tenant).map(Vec::as_slice).unwrap_or_default();
        exit::of_tenant(tenant.failure.is_none(), rows, finished, lost)
    };
    let codes: Vec<u8> = plan.tenants.iter().map(of).collect();
    exit::of_run(&codes, finished.stop)
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a run's summary")]
fn now() -> Timestamp {
    Timestamp::now()
}
