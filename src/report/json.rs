//! Plans and results as one JSON object, for `--output json`.

use serde_json::{Value, json};

use super::Summary;
use super::rows::{planned_rows, report_rows};
use crate::model::RunRecord;
use crate::plan::Plan;

/// A plan: header, totals, and per tenant its writes and rows.
pub fn plan(plan: &Plan) -> Value {
    let totals = plan.totals();
    let tenants = plan.tenants.iter().map(|tenant| {
        let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
        json!({
            "tenant": tenant.tenant,
            "domain": tenant.domain,
            "credentials": tenant.origin,
            "clients": tenant.total,
            "error": tenant.failure,
            "forecast": tenant.forecast.map(|f| json!({
                "requests": f.requests,
                "shortest_seconds": seconds(f.shortest),
                "longest_seconds": seconds(f.longest),
            })),
            "changes": tenant.writes.iter().map(|write| json!({
                "row": write.label.to_string(),
                "client_id": write.id,
                "name": write.name,
                "fields": write.changes,
                "left": write.left,
                "patch": if write.compose { Value::Null } else { Value::Object(write.body) },
            })).collect::<Vec<_>>(),
        })
    });
    json!({
        "plan": plan.header,
        "totals": {
            "changes": totals.writes,
            "unchanged": totals.unchanged,
            "failed": totals.failed,
            "conflicts": totals.conflicts,
            "skipped": totals.skipped,
            "tenants_failed": totals.tenants_failed,
        },
        "tenants": tenants.collect::<Vec<_>>(),
        "rows": rows(planned_rows(plan)),
    })
}

/// A run: its summary and its rows.
pub fn run(summary: &Summary, plan: &Plan, record: &RunRecord) -> Value {
    json!({ "summary": summary, "rows": rows(report_rows(plan, record)) })
}

fn rows(rows: Vec<super::ReportRow<'_>>) -> Vec<Value> {
    let row = |row: super::ReportRow<'_>| {
        json!({
            "row": row.label.to_string(),
            "tenant": row.tenant,
            "client_id": row.id,
            "client_name": row.name,
            "result": row.result,
            "reason": row.reason,
            "changes": row.changes(),
            "http_status": row.http_status,
            "error_code": row.error_code,
            "error": row.error,
            "attempts": row.attempts,
            "waited_ms": row.waited_ms,
            "duration_ms": row.duration_ms,
            "started": row.started,
            "ended": row.ended,
        })
    };
    rows.into_iter().map(row).collect()
}
