//! A run that is over, just now or long ago: its results, its summary, its exit code. Made of plan and journal alone.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::CliError;
use super::live_run::{Format, Reports, record_of};
use super::output::{self, Output};
use super::{exit, record, show_plan};
use crate::model::{Body, Reason, Remains, RowResult, RunId, RunRecord, StopReason, TenantName, WriteState};
use crate::plan::{Plan, RowState, TenantPlan, file};
use crate::report::{ReportRows, Summary, csv, json, report_rows, summarize, term};
use crate::store::journal::{self, Found};
use crate::store::{RunDir, StoreError, atomic};

/// A run that is over.
pub(super) struct Ended {
    pub(super) id: RunId,
    pub(super) folder: RunDir,
    pub(super) plan: Plan,
    pub(super) record: RunRecord,
    /// Why its journal was lost, where it was.
    pub(super) lost: Option<StoreError>,
    /// Of a run that was just made: the variables of its tenants, for the change set that it leaves.
    pub(super) vars: Option<HashMap<TenantName, Body>>,
}

impl Ended {
    /// Reads a run from its directory; also where its journal ends.
    ///
    /// # Errors
    /// Where plan or journal cannot be used: which, where, and what to do instead.
    pub(super) fn read(id: &RunId, folder: RunDir) -> Result<(Self, Found), CliError> {
        let bytes = std::fs::read(folder.plan())
            .map_err(|error| CliError::setup(format!("cannot read {}: {error}", folder.plan().display())))?;
        let plan = file::parse(&bytes)
            .map_err(|error| CliError::unusable(format!("run {id}: its plan.jsonl: {error}")))?;
        let mut found = journal::read(&folder.journal())
            .map_err(|error| CliError::damaged(format!("run {id}: {error}")))?;
        let mut record = record_of(&plan);
        for (at, entry) in std::mem::take(&mut found.entries).into_iter().enumerate() {
            record.take(entry).map_err(|impossible| {
                let journal = folder.journal();
                CliError::damaged(format!("run {id}: {}: line {}: {impossible}", journal.display(), at + 1))
            })?;
        }
        Ok((Self { id: id.clone(), folder, plan, record, lost: None, vars: None }, found))
    }

    /// Whether it is not known what the run wrote: a write may have been sent and was not looked at, or its process was
    /// killed. Writes that certainly were not sent are no doubt.
    pub(super) fn is_in_doubt(&self) -> bool {
        let left = self.plan.tenants.iter().flat_map(|part| self.record.remaining(&part.tenant, false));
        !self.record.closed && self.record.is_unfinished()
            || left.into_iter().any(|(_, remains)| remains == Remains::Look)
    }

    /// The tenants of which any client was certainly changed, in the plan's order.
    pub(super) fn changed(&self) -> impl Iterator<Item = &TenantPlan> {
        let changed =
            |part: &&TenantPlan| self.record.writes(&part.tenant).iter().any(WriteState::is_surely_written);
        self.plan.tenants.iter().map(|part| &**part).filter(changed)
    }

    /// The exit code that the run has, or had.
    pub(super) fn code(&self) -> u8 {
        self.code_of(&report_rows(&self.plan, &self.record))
    }

    /// Writes results and summary, says how it went, and returns the exit code. A report that cannot be written does not
    /// undo what was done: it is told, and the journal still has every outcome.
    pub(super) fn report(&self, reports: &Reports, output: &Output) -> u8 {
        let rows = report_rows(&self.plan, &self.record);
        let code = self.code_of(&rows);
        let summary = self.summary(code);
        let written = self.write(&summary, &rows).and_then(|()| self.copy(&summary, &rows, reports));
        self.say(&summary, code, written.is_ok(), output);
        if let Some(lost) = &self.lost {
            output.error(&format!("{} {lost}", term::paint(term::BAD, "error:")));
        }
        let code = match written {
            Ok(()) => code,
            Err(error) => {
                output.error(&format!("{} {error}", term::paint(term::BAD, "error:")));
                self.last_resort(&rows, output);
                code.max(exit::ROWS)
            }
        };
        // The rows of a large run and its change set need not be in memory beside each other.
        drop(rows);
        self.leave_change_set(output);
        code
    }

    /// What the run did, for others. That it could not be kept changes nothing of what was done.
    fn leave_change_set(&self, output: &Output) {
        let left = self.vars.as_ref().map(|vars| record::leave(self, vars));
        if let Some(Err(error)) = left {
            let what = format!("its change set was not kept: {}", error.message());
            output.error(&format!("{} {what}", term::paint(term::WARN, "warning:")));
        }
    }

    /// The run in numbers.
    pub(super) fn summary(&self, code: u8) -> Summary {
        summarize(&self.plan, &self.record, &self.id, code)
    }

    /// Results and summary into the run's own directory.
    fn write(&self, summary: &Summary, rows: &ReportRows<'_>) -> Result<(), StoreError> {
        let columns = &self.plan.header.columns;
        atomic::write(&self.folder.results(), |out| csv::print(columns, rows, |_| Some(&self.id), out))?;
        atomic::write(&self.folder.summary(), |out| Ok(serde_json::to_writer_pretty(out, summary)?))
    }

    /// The copies that `--report` asks for.
    fn copy(&self, summary: &Summary, rows: &ReportRows<'_>, reports: &Reports) -> Result<(), StoreError> {
        for (path, format) in &reports.0 {
            match format {
                Format::Csv => {
                    let columns = &self.plan.header.columns;
                    atomic::write(path, |out| csv::print(columns, rows, |_| Some(&self.id), out))?;
                }
                Format::Json => {
                    let run = json::run(summary, &self.plan, &self.record);
                    atomic::write(path, |out| Ok(serde_json::to_writer_pretty(out, &run)?))?;
                }
            }
        }
        Ok(())
    }

    /// Where no file could take the results, the screen (or the log that it is redirected to) does.
    fn last_resort(&self, rows: &ReportRows<'_>, output: &Output) {
        if self.folder.results().exists() {
            return output.error(&format!("the results are in {}", self.folder.results().display()));
        }
        let mut text = Vec::new();
        if csv::print(&self.plan.header.columns, rows, |_| Some(&self.id), &mut text).is_ok() {
            output.error("The results could not be kept anywhere. Here they are:");
            output.error(&String::from_utf8_lossy(&text));
        }
    }

    fn say(&self, summary: &Summary, code: u8, written: bool, output: &Output) {
        if output.json() {
            output.object(&json::run(summary, &self.plan, &self.record));
            return;
        }
        // Unattended and in order: silence, so that cron sends no mail.
        if output.quiet() && code == exit::OK {
            return;
        }
        let text = if self.plan.totals().writes == 0 && !exit::unfinished(summary) {
            show_plan::nothing_to_do(&self.plan)
        } else {
            summary.render()
        };
        // Of a quiet run standard error has all that a person must act on.
        let say = |text: &str| if output.quiet() { output.error(text) } else { output.result(text) };
        say(&text);
        if written {
            say(&format!("Results: {}", self.folder.results().display()));
        }
        if exit::unfinished(summary) {
            output.error(&self.next_step());
        }
    }

    /// Whether all that remains is to take away what was created.
    fn only_cannot_delete(&self) -> bool {
        let rows = self.plan.tenants.iter().flat_map(|part| &part.rows);
        let mut odd = rows
            .filter_map(|row| match &row.state {
                RowState::Done(done) if done.result != RowResult::Unchanged => Some(done.reason),
                _ => None,
            })
            .peekable();
        odd.peek().is_some() && odd.all(|reason| reason == Some(Reason::CannotDelete))
    }

    /// What to type next: the wave that was not good enough can be taken back, what is left can be resumed, and what failed
    /// can be tried again. Where nothing was sent, it is the same command again.
    fn next_step(&self) -> String {
        let mut lines = Vec::new();
        if let Some((wave, Some(_))) = &self.record.wave
            && self.record.stop.is_some()
            && self.record.tally().written + self.record.tally().unknown > 0
        {
            lines.push(format!("To take wave {wave} back:"));
            lines.push(output::run_line("undo", &self.id, &[&format!("--wave={wave}")]));
        }
        let failed = |remains: Remains| self.count(remains) > 0;
        if self.record.left() > 0 {
            lines.push("To finish it:".to_owned());
            lines.push(output::run_line("resume", &self.id, &[]));
        } else if failed(Remains::Failed) {
            lines.push("When the causes are mended, to try these rows again:".to_owned());
            lines.push(output::run_line("resume", &self.id, &["--failed"]));
        } else {
            if self.only_cannot_delete() {
                return "What was created stays: patchwave deletes nothing. Take it away in the Dashboard."
                    .to_owned();
            }
            // Rows that failed while planning never became writes: only planning again helps.
            let header = &self.plan.header;
            lines.push(format!(
                "When the causes are mended, run it again; {}s that are done stay as they are:",
                header.noun()
            ));
            lines.push(match &header.undoes {
                Some(run) => output::run_line("undo", run, &[]),
                None => output::again_line(&header.source),
            });
        }
        lines.join("\n")
    }

    fn count(&self, remains: Remains) -> usize {
        let tenants = self.plan.tenants.iter();
        tenants
            .map(|part| {
                self.record.writes(&part.tenant).iter().filter(|state| state.remains() == remains).count()
            })
            .sum()
    }

    fn code_of(&self, rows: &ReportRows<'_>) -> u8 {
        let (codes, stop) = self.codes_of(rows);
        exit::of_run(&codes, stop)
    }

    /// The exit code of each tenant, and why the run stopped early where it did.
    pub(super) fn codes(&self) -> (Vec<u8>, Option<StopReason>) {
        self.codes_of(&report_rows(&self.plan, &self.record))
    }

    fn codes_of(&self, rows: &ReportRows<'_>) -> (Vec<u8>, Option<StopReason>) {
        let (plan, record) = (&self.plan, &self.record);
        let mut results: HashMap<&TenantName, Vec<RowResult>> = HashMap::new();
        for row in rows.iter() {
            results.entry(row.tenant).or_default().push(row.result);
        }
        // What nobody could record is worse than having been interrupted; and a process that was killed stopped early,
        // whatever its rows are.
        let killed = !record.closed && record.is_unfinished();
        let lost = self.lost.is_some() || killed;
        let stop = if lost { Some(StopReason::JournalLost) } else { record.stop };
        let of = |tenant: &Arc<TenantPlan>| {
            let lost = record
                .tenant_stops
                .iter()
                .find(|(of, ..)| *of == tenant.tenant)
                .map(|(_, reason, _)| *reason);
            let rows = results.get(&tenant.tenant).map(Vec::as_slice).unwrap_or_default();
            let written = record.writes(&tenant.tenant).iter().any(WriteState::is_written);
            exit::of_tenant(tenant.failure.as_ref(), rows, written, stop, lost)
        };
        (plan.tenants.iter().map(of).collect(), stop)
    }
}
