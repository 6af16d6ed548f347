//! Plan and outcomes joined into the rows of a report, in the order of the input.

use jiff::Timestamp;

use crate::job::RowLabel;
use crate::model::{
    Cells, EntityId, FieldChange, Outcome, Reason, RowResult, RunRecord, TenantName, WriteState,
};
use crate::plan::resolve::input_order;
use crate::plan::{Plan, Row, RowState, TenantPlan, Writes};

/// One row of a report: one input row × tenant × client.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow<'p> {
    /// Which update of the job, counted from 0.
    pub update: usize,
    /// The input's own cells.
    pub cells: &'p Cells,
    /// `_row`.
    pub label: RowLabel,
    /// `_tenant`.
    pub tenant: &'p TenantName,
    /// `_client_id`.
    pub id: Option<&'p EntityId>,
    /// `_client_name`: as it was before.
    pub name: Option<&'p str>,
    /// `_result`.
    pub result: RowResult,
    /// `_reason`.
    pub reason: Option<Reason>,
    /// Status of the last answer.
    pub http_status: Option<u16>,
    /// Auth0's code.
    pub error_code: Option<&'p str>,
    /// In words.
    pub error: Option<&'p str>,
    /// PATCH requests sent for it.
    pub attempts: Option<u32>,
    /// Milliseconds waited.
    pub waited_ms: Option<u64>,
    /// Milliseconds in all.
    pub duration_ms: Option<u64>,
    /// When it was taken up.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Which write of the tenant it shares, if any: rows of one client share one.
    pub write: Option<usize>,
    /// The writes of its tenant.
    writes: &'p Writes,
}

impl ReportRow<'_> {
    /// What was to change.
    pub fn changes(&self) -> Vec<FieldChange> {
        self.write.and_then(|at| self.writes.get(at)).map(|write| write.changes).unwrap_or_default()
    }
}

/// What is said of a row whose request was under way when its process was killed.
const CUT_OFF: &str = "its process ended before the answer came; `resume` looks at the client and settles it";

/// The rows of a plan that nobody carried out: its writes would be made.
pub fn planned_rows(plan: &Plan) -> Vec<ReportRow<'_>> {
    rows_of(plan, None)
}

/// Joins a run's plan with what its journal says of the writes.
pub fn report_rows<'p>(plan: &'p Plan, record: &'p RunRecord) -> Vec<ReportRow<'p>> {
    rows_of(plan, Some(record))
}

fn rows_of<'p>(plan: &'p Plan, record: Option<&'p RunRecord>) -> Vec<ReportRow<'p>> {
    input_order(plan.tenants.iter().map(|tenant| (&**tenant, tenant.rows.as_slice())))
        .into_iter()
        .map(|(tenant, row)| report_row(tenant, row, record.map(|record| record.writes(&tenant.tenant))))
        .collect()
}

fn report_row<'p>(tenant: &'p TenantPlan, row: &'p Row, states: Option<&'p [WriteState]>) -> ReportRow<'p> {
    let mut report = ReportRow {
        update: row.update,
        cells: &row.cells,
        label: row.label,
        tenant: &tenant.tenant,
        id: row.id.as_ref(),
        name: row.name.as_deref(),
        result: RowResult::NotAttempted,
        reason: None,
        http_status: None,
        error_code: None,
        error: None,
        attempts: None,
        waited_ms: None,
        duration_ms: None,
        started: None,
        ended: None,
        write: None,
        writes: &tenant.writes,
    };
    match &row.state {
        RowState::Done(done) => {
            report.result = done.result;
            report.reason = done.reason;
            report.error = done.message.as_deref();
            report.http_status = done.http_status;
            report.error_code = done.error_code.as_deref();
        }
        RowState::Write(at) => {
            report.write = Some(*at);
            match states.map(|states| states.get(*at)) {
                None => report.result = RowResult::Planned,
                Some(Some(WriteState::Ended(outcome))) => take_outcome(&mut report, outcome),
                Some(Some(WriteState::Claimed)) => {
                    report.result = RowResult::Failed;
                    report.reason = Some(Reason::Unknown);
                    report.error = Some(CUT_OFF);
                }
                Some(Some(WriteState::Waiting) | None) => report.reason = Some(Reason::Stopped),
            }
        }
    }
    report
}

fn take_outcome<'p>(report: &mut ReportRow<'p>, outcome: &'p Outcome) {
    report.result = outcome.result;
    report.reason = outcome.reason;
    report.http_status = outcome.http_status;
    report.error_code = outcome.error_code.as_deref();
    report.error = outcome.error.as_deref();
    report.attempts = Some(outcome.attempts);
    report.waited_ms = Some(outcome.waited_ms);
    report.duration_ms = Some(outcome.duration_ms);
    report.started = Some(outcome.started);
    report.ended = Some(outcome.ended);
}
