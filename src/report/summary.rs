//! A run in numbers: `summary.json`, and the last thing a person reads.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use super::fleet;
use super::rows::report_rows;
use super::term::{self, paint};
use super::{ReportRow, ReportRows};
use crate::model::{Pace, Reason, RowResult, RunId, RunRecord, StopReason, TenantName, WriteState};
use crate::plan::Plan;
use crate::plan::forecast::{Basis, Forecast};
use crate::plan::waves::named;

/// A run in numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The run.
    pub run_id: RunId,
    /// All of them, where it is the report of several runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<RunId>,
    /// Its job.
    pub job: String,
    /// The run that it takes back; null where it is no undo.
    pub undoes: Option<RunId>,
    /// Version of patchwave.
    pub tool: String,
    /// When it began to send.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Seconds in between; of a run that was resumed, of all its sessions together.
    pub seconds: f64,
    /// Seconds that were forecast at the least; null where nothing was known.
    pub forecast_shortest_seconds: Option<f64>,
    /// Seconds that were forecast at the most; null where nothing was known.
    pub forecast_seconds: Option<f64>,
    /// On what the forecast was based; null where there was none.
    pub forecast_basis: Option<Basis>,
    /// Actual time over what was forecast; of a range, over its nearer end, and 1 within it. Null where there was none, or the
    /// run ended early.
    pub forecast_ratio: Option<f64>,
    /// The process's exit code.
    pub exit_code: u8,
    /// Why it ended early; null where it did not.
    pub stop: Option<StopReason>,
    /// Whether its process was killed, or is still at it: what is said here is what its journal has so far.
    pub open: bool,
    /// Writes that `resume` would take up.
    pub left: usize,
    /// How far it came in its waves; null where it had none and nothing was verified.
    pub waves: Option<WaveSummary>,
    /// Rows by result.
    pub rows: BTreeMap<&'static str, usize>,
    /// Clients by result: rows that share a PATCH are one client.
    pub clients: BTreeMap<&'static str, usize>,
    /// Failures and conflicts by message, most frequent first.
    pub failures: Vec<Failure>,
    /// Rows written as planned whose other fields moved meanwhile.
    pub warnings: usize,
    /// Requests and rate limit, tenant by tenant.
    pub tenants: Vec<TenantSummary>,
}

/// How far a run came in its waves.
#[derive(Debug, Clone, Serialize)]
pub struct WaveSummary {
    /// Waves that are over.
    pub done: usize,
    /// Waves there are.
    pub of: usize,
    /// Of waves over tenants by a tag, what the last of those that are over is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why no other may follow the last of those that are over; null where one may.
    pub bad: Option<String>,
}

/// Rows that failed alike.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// The reason they share.
    pub reason: Option<Reason>,
    /// How many rows.
    pub count: usize,
    /// One of them.
    pub example: String,
}

/// A tenant's requests and rate limit.
#[derive(Debug, Clone, Serialize)]
pub struct TenantSummary {
    /// Its name.
    pub tenant: TenantName,
    /// Its domain.
    pub domain: String,
    /// Requests and limit, as its limiter saw them.
    pub pace: Pace,
    /// Seconds from the beginning of the run to the end of the tenant's last write; 0 where it had none.
    pub seconds: f64,
    /// Why nothing could be planned, or was sent no further.
    pub error: Option<String>,
}

/// Counts a run: from its plan and what its journal says, alone.
pub fn summarize(plan: &Plan, record: &RunRecord, run: &RunId, exit_code: u8) -> Summary {
    let rows = report_rows(plan, record);
    let (began, ended, seconds) = record.times().unwrap_or((plan.header.made, plan.header.made, 0.0));
    let forecast = plan.forecast();
    let stop = record.stop.filter(|stop| cut_short(*stop, record)).or_else(|| tenants_stop(plan, record));
    let whole = stop.is_none() && record.closed && record.left() == 0;
    let (by_row, by_client) = counts(&rows);
    Summary {
        run_id: run.clone(),
        merged: Vec::new(),
        job: plan.header.job.clone(),
        undoes: plan.header.undoes.clone(),
        tool: plan.header.tool.clone(),
        started: began,
        ended,
        seconds,
        forecast_shortest_seconds: forecast.and_then(|f| f.shortest).map(|time| time.as_secs_f64()),
        forecast_seconds: forecast.and_then(|f| f.longest).map(|time| time.as_secs_f64()),
        forecast_basis: forecast.map(|forecast| forecast.basis),
        forecast_ratio: forecast.filter(|_| whole).and_then(|forecast| ratio(seconds, &forecast)),
        exit_code,
        stop,
        open: !record.closed,
        left: record.left(),
        waves: record.wave.as_ref().map(|(done, bad)| WaveSummary::of(plan, *done, bad.clone())),
        rows: by_row,
        clients: by_client,
        failures: failures(&rows),
        warnings: rows.iter().filter(|row| row.reason == Some(Reason::ChangedElsewhere)).count(),
        tenants: tenants(plan, record),
    }
}

impl WaveSummary {
    fn of(plan: &Plan, done: usize, bad: Option<String>) -> Self {
        let waves = named(plan);
        let name = done.checked_sub(1).and_then(|at| waves.get(at)).and_then(|(name, _)| *name);
        Self { done, of: waves.len(), name: name.map(str::to_owned), bad }
    }
}

/// Actual time over forecast time.
fn ratio(seconds: f64, forecast: &Forecast) -> Option<f64> {
    let (shortest, longest) = (forecast.shortest?.as_secs_f64(), forecast.longest?.as_secs_f64());
    let nearest = seconds.max(shortest).min(longest);
    Some(seconds / nearest).filter(|ratio| ratio.is_finite())
}

/// Whether a reason to stop left anything undone: one that came with the last row did not.
fn cut_short(stop: StopReason, record: &RunRecord) -> bool {
    let limit = matches!(
        stop,
        StopReason::Deadline | StopReason::Conflict | StopReason::MaxFailures | StopReason::BadWave
    );
    !limit || record.left() > 0
}

/// Why every tenant that had anything to write stopped, if they all did.
fn tenants_stop(plan: &Plan, record: &RunRecord) -> Option<StopReason> {
    let writing = plan.tenants.iter().filter(|tenant| !tenant.writes.is_empty()).count();
    let strongest = record.tenant_stops.iter().map(|(_, reason, _)| *reason).max();
    strongest.filter(|_| record.tenant_stops.len() == writing)
}

type Counts = BTreeMap<&'static str, usize>;

fn counts(rows: &ReportRows<'_>) -> (Counts, Counts) {
    let (mut by_row, mut by_client) = (Counts::new(), Counts::new());
    let mut seen = HashSet::new();
    for row in rows.iter() {
        *by_row.entry(row.result.as_str()).or_insert(0) += 1;
        // A row without a client (none fits) counts by itself.
        if row.id.is_none_or(|id| seen.insert((row.tenant, id))) {
            *by_client.entry(row.result.as_str()).or_insert(0) += 1;
        }
    }
    (by_row, by_client)
}

fn failures(rows: &ReportRows<'_>) -> Vec<Failure> {
    let mut groups: IndexMap<(RowResult, &str), (ReportRow<'_>, usize)> = IndexMap::new();
    for row in rows.iter().filter(|row| matches!(row.result, RowResult::Failed | RowResult::Conflict)) {
        groups.entry((row.result, row.error.unwrap_or_default())).or_insert((row, 0)).1 += 1;
    }
    let mut failures: Vec<Failure> = groups
        .into_iter()
        .map(|((_, message), (row, count))| Failure {
            message: message.to_owned(),
            reason: row.reason,
            count,
            example: example(&row),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}

fn example(row: &ReportRow<'_>) -> String {
    let name = row.shared().name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let id = row.id.map(|id| format!(" {id}")).unwrap_or_default();
    format!("{}{name}{id}", row.label.in_words())
}

fn tenants(plan: &Plan, record: &RunRecord) -> Vec<TenantSummary> {
    let stopped = |tenant: &TenantName| {
        record.tenant_stops.iter().find(|(of, ..)| of == tenant).map(|(_, _, message)| message.clone())
    };
    let began = record.times().map(|(began, ..)| began);
    let seconds = |tenant: &TenantName| {
        let ends = record.writes(tenant).iter().filter_map(WriteState::outcome).map(|outcome| outcome.ended);
        let took = ends.max().zip(began).map(|(ended, began)| ended.duration_since(began).as_secs_f64());
        took.map_or(0.0, |took| took.max(0.0))
    };
    let part = |tenant: &crate::plan::TenantPlan| TenantSummary {
        seconds: seconds(&tenant.tenant),
        tenant: tenant.tenant.clone(),
        domain: tenant.domain.to_string(),
        pace: record.pace(&tenant.tenant),
        error: tenant.failure.as_ref().map(|f| f.message.clone()).or_else(|| stopped(&tenant.tenant)),
    };
    plan.tenants.iter().map(|tenant| part(tenant)).collect()
}

/// So many kinds of failure are shown; `results.csv` has all.
const SHOWN: usize = 10;

impl Summary {
    /// For people: totals, failures by message, requests against the limit, forecast against actual.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let taken = term::duration(Duration::from_secs_f64(self.seconds.max(0.0)));
        let forecast = self.forecast_words();
        let ended = match self.stop {
            _ if self.open => format!("is unfinished: its process was last heard of after {taken}"),
            None => format!("finished in {taken}{}", forecast.unwrap_or_default()),
            Some(stop) => format!("stopped after {taken}: {}", stop.describe()),
        };
        let what = self.undoes.as_ref().map(|run| format!(", the undo of {run},")).unwrap_or_default();
        let who = match self.merged.len() {
            0 => format!("Run {}", self.run_id),
            runs => format!("{} of {}", term::count(runs, "run"), term::safe(&self.job)),
        };
        let _ = writeln!(out, "{}{what} {ended}", paint(term::STRONG, who));
        let _ = writeln!(out, "  {}", self.totals());
        for failure in self.failures.iter().take(SHOWN) {
            let reason = failure.reason.map(|reason| format!("{reason}: ")).unwrap_or_default();
            let _ = writeln!(
                out,
                "  {} {reason}{}",
                paint(term::BAD, format_args!("{} ×", failure.count)),
                term::safe(&failure.message)
            );
            let _ = writeln!(
                out,
                "      {}",
                paint(term::FAINT, format_args!("such as {}", term::safe(&failure.example)))
            );
        }
        if self.failures.len() > SHOWN {
            let _ = writeln!(out, "  … and {} other messages", self.failures.len() - SHOWN);
        }
        if self.warnings > 0 {
            let moved = term::count(self.warnings, "row");
            let _ = writeln!(
                out,
                "  {} {moved} written as planned, but other fields changed meanwhile (changed_elsewhere)",
                paint(term::WARN, "!")
            );
        }
        if let Some(WaveSummary { done, of, name, bad }) =
            self.waves.as_ref().filter(|waves| waves.of > 1 || waves.bad.is_some())
        {
            let why = bad
                .as_ref()
                .map(|why| format!("; {}", paint(term::BAD, term::safe(why))))
                .unwrap_or_default();
            let name = name.as_ref().map(|name| format!(" ({})", term::safe(name))).unwrap_or_default();
            let how = match bad {
                Some(_) => format!("the last of them{name} not good enough"),
                None => "each good enough".to_owned(),
            };
            let _ = writeln!(out, "  {done} of {} done, {how}{why}", term::count(*of, "wave"));
        }
        for line in fleet::tenants(&self.tenants) {
            let _ = writeln!(out, "  {line}");
        }
        out
    }

    fn forecast_words(&self) -> Option<String> {
        let time = |seconds: f64| term::duration(Duration::from_secs_f64(seconds));
        let longest = self.forecast_seconds.filter(|seconds| *seconds >= 1.0)?;
        let shortest = self.forecast_shortest_seconds.unwrap_or(longest);
        let (shortest, longest) = (time(shortest), time(longest));
        let range = if longest == shortest { longest } else { format!("{shortest} to {longest}") };
        let source = match self.forecast_basis {
            Some(Basis::Published { .. }) => ", from published limits",
            Some(Basis::Unpublished { .. }) => ", from the size of the bucket",
            _ => "",
        };
        Some(format!(" (forecast {range}{source})"))
    }

    fn totals(&self) -> String {
        let style = |result: &str| match result {
            "updated" | "undone" => term::NEW,
            "failed" | "conflict" => term::BAD,
            "skipped" | "not_attempted" => term::WARN,
            _ => term::FAINT,
        };
        let parts =
            self.clients.iter().map(|(result, count)| paint(style(result), format_args!("{count} {result}")));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}

impl TenantSummary {
    pub(super) fn render(&self) -> String {
        let mut parts = vec![term::count(self.pace.requests as usize, "request")];
        if let (Some(lowest), Some(limit)) = (self.pace.lowest, self.pace.limit) {
            parts.push(format!("at least {lowest} of {limit} tokens left"));
        }
        if let Some(refill) = self.pace.refill {
            parts.push(format!("refill {refill:.1}/s"));
        }
        parts.push(match self.pace.throttled {
            0 => "no 429".to_owned(),
            throttled => format!("{throttled} × 429"),
        });
        let error = self
            .error
            .as_ref()
            .map(|error| format!("; {}", paint(term::BAD, term::safe(error))))
            .unwrap_or_default();
        paint(term::FAINT, format_args!("{}: {}", self.domain, parts.join(", "))) + &error
    }
}
