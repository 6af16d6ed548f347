//! A run from its directory to its report: what every verb that writes to tenants ends with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::connect::Session;
use super::error::CliError;
use super::exit;
use super::output::{self, Output};
use super::planning::Planned;
use crate::auth0::Writer;
use crate::job::Job;
use crate::model::{Listener, RowResult, RunId, TenantName};
use crate::plan::{Plan, TenantPlan, file};
use crate::report::progress::Display;
use crate::report::rows::Without;
use crate::report::{ReportRow, RunFacts, Summary, csv, json, report_rows, summarize, term};
use crate::run::{Finished, Limits, TenantRun, execute};
use crate::store::{Journal, RunDir, StoreError, atomic, paces, runs};

/// `--report` files with their formats.
pub(super) struct Reports(Vec<(PathBuf, Format)>);

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
}

impl Reports {
    /// The format of each is told by its extension.
    pub(super) fn from_paths(paths: &[PathBuf]) -> Result<Self, CliError> {
        let of = |path: &PathBuf| match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok((path.clone(), Format::Csv)),
            Some("json") => Ok((path.clone(), Format::Json)),
            _ => {
                let path = path.display();
                Err(CliError::usage(format!(
                    "--report {path}: the format is told by the extension, .csv or .json"
                )))
            }
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
        let run = self.id.clone();
        let finished =
            execute(run, job.kind, tenants, journal, limits, &mut listeners, display.sink()).await?;
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
            stop: ended.finished.stop,
            forecast: self.planned.forecasts.iter().flatten().max_by_key(|f| f.longest).copied(),
            paces: paces.collect(),
        };
        let summary = summarize(plan, &ended.finished.entries, &facts);
        let learned =
            session.targets.iter().zip(&facts.paces).map(|(target, (_, pace))| (&target.domain, *pace));
        if let Err(error) = paces::keep(&session.state, learned) {
            tracing::debug!(%error, "the learned rate limit was not kept");
        }
        let written = self.write(&summary, &rows, ended, reports);
        self.say(&summary, ended, output);
        match written {
            Ok(()) => {
                output.text(&format!("Results: {}", self.folder.results().display()));
                if exit::unfinished(&summary) {
                    output.note(&next_step(code));
                }
                code
            }
            Err(error) => {
                let journal = self.folder.journal();
                output.error(&format!(
                    "{} {error}; the run itself is over, and what became of each row is in {}",
                    term::paint(term::BAD, "error:"),
                    journal.display()
                ));
                code.max(exit::ROWS)
            }
        }
    }

    fn write(
        &self,
        summary: &Summary,
        rows: &[ReportRow<'_>],
        ended: &Ended,
        reports: &Reports,
    ) -> Result<(), StoreError> {
        let plan = &self.planned.plan;
        let columns = &plan.header.columns;
        let results = |out: &mut dyn std::io::Write| csv::print(columns, rows, Some(&self.id), out);
        atomic::write(&self.folder.results(), results)?;
        atomic::write(&self.folder.summary(), |out| Ok(serde_json::to_writer_pretty(out, summary)?))?;
        for (path, format) in &reports.0 {
            match format {
                Format::Csv => atomic::write(path, results)?,
                Format::Json => {
                    let run = json::run(summary, plan, &ended.finished.entries);
                    atomic::write(path, |out| Ok(serde_json::to_writer_pretty(out, &run)?))?;
                }
            }
        }
        Ok(())
    }

    fn say(&self, summary: &Summary, ended: &Ended, output: &Output) {
        let plan = &self.planned.plan;
        if output.json() {
            output.result(&json::run(summary, plan, &ended.finished.entries).to_string());
        } else if plan.totals().writes == 0 && !exit::unfinished(summary) {
            output.result("Nothing to do: every client is as the job asks.");
        } else {
            output.result(&summary.render());
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
    let mut results: HashMap<&TenantName, Vec<RowResult>> = HashMap::new();
    for row in rows {
        results.entry(row.tenant).or_default().push(row.result);
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
