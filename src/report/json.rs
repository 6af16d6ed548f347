//! Plans and results as one JSON object, for `--output json`. Everything is made while it is printed: as one value in memory,
//! the report of a hundred thousand rows would take half a gigabyte.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Summary;
use super::rows::{ReportRow, ReportRows, Shared, planned_rows, report_rows};
use crate::model::{Body, RunRecord};
use crate::plan::forecast::{Basis, Forecast};
use crate::plan::{Header, Plan, TenantFailure, TenantPlan, Write, Writes, is_from_place};

/// A plan: header, totals, and per tenant its writes and rows.
pub fn plan(plan: &Plan) -> impl Serialize {
    let totals = plan.totals();
    PlanJson {
        plan: &plan.header,
        forecast: plan.forecast().map(ForecastJson::of),
        totals: TotalsJson {
            changes: totals.writes,
            unchanged: totals.unchanged,
            failed: totals.failed,
            conflicts: totals.conflicts,
            skipped: totals.skipped,
            tenants_failed: totals.tenants_failed,
        },
        tenants: plan.tenants.iter().map(|part| TenantJson::of(part)).collect(),
        rows: planned_rows(plan),
    }
}

/// A run: its summary and its rows.
pub fn run<'p>(summary: &'p Summary, plan: &'p Plan, record: &'p RunRecord) -> impl Serialize + 'p {
    RunJson { summary, rows: report_rows(plan, record) }
}

#[derive(Serialize)]
struct RunJson<'p> {
    summary: &'p Summary,
    rows: ReportRows<'p>,
}

#[derive(Serialize)]
struct PlanJson<'p> {
    plan: &'p Header,
    forecast: Option<ForecastJson>,
    totals: TotalsJson,
    tenants: Vec<TenantJson<'p>>,
    rows: ReportRows<'p>,
}

#[derive(Serialize)]
struct TotalsJson {
    changes: usize,
    unchanged: usize,
    failed: usize,
    conflicts: usize,
    skipped: usize,
    tenants_failed: usize,
}

#[derive(Serialize)]
struct TenantJson<'p> {
    tenant: &'p str,
    domain: &'p str,
    credentials: &'p str,
    clients: Option<usize>,
    error: Option<&'p TenantFailure>,
    forecast: Option<ForecastJson>,
    changes: Changes<'p>,
}

impl<'p> TenantJson<'p> {
    fn of(part: &'p TenantPlan) -> Self {
        Self {
            tenant: part.tenant.as_str(),
            domain: part.domain.as_str(),
            credentials: &part.origin,
            clients: part.total(),
            error: part.failure.as_ref(),
            forecast: part.forecast.map(ForecastJson::of),
            changes: Changes(&part.writes),
        }
    }
}

#[derive(Serialize)]
struct ForecastJson {
    requests: u64,
    shortest_seconds: Option<f64>,
    longest_seconds: Option<f64>,
    basis: Basis,
}

impl ForecastJson {
    fn of(forecast: Forecast) -> Self {
        let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
        Self {
            requests: forecast.requests,
            shortest_seconds: seconds(forecast.shortest),
            longest_seconds: seconds(forecast.longest),
            basis: forecast.basis,
        }
    }
}

/// The writes of a tenant, each opened while it is printed.
struct Changes<'p>(&'p Writes);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ChangeJson::of))
    }
}

#[derive(Serialize)]
struct ChangeJson {
    row: String,
    client_id: crate::model::EntityId,
    name: Option<String>,
    fields: Vec<crate::model::FieldChange>,
    left: Vec<crate::plan::Left>,
    /// Null where a secret is put into it only when it is sent.
    patch: Option<Body>,
}

impl ChangeJson {
    fn of(write: Write) -> Self {
        let later = write.compose || write.changes.iter().any(is_from_place);
        Self {
            row: write.label.to_string(),
            client_id: write.id,
            name: write.name,
            fields: write.changes,
            left: write.left,
            patch: (!later).then_some(write.body),
        }
    }
}

impl Serialize for ReportRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|row| row_json(&row)))
    }
}

fn row_json(row: &ReportRow<'_>) -> Value {
    let Shared { name, changes } = row.shared();
    serde_json::json!({
        "row": row.label.to_string(),
        "tenant": row.tenant,
        "client_id": row.id,
        "client_name": name,
        "result": row.result,
        "reason": row.reason,
        "changes": changes,
        "http_status": row.http_status,
        "error_code": row.error_code,
        "error": row.error,
        "attempts": row.attempts,
        "waited_ms": row.waited_ms,
        "duration_ms": row.duration_ms,
        "started": row.started,
        "ended": row.ended,
    })
}
