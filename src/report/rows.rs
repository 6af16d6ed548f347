//! Plan and outcomes joined into the rows of a report, in the order of the input.

use jiff::Timestamp;

use crate::job::RowLabel;
use crate::model::{
    Cells, EntityId, FieldChange, Outcome, Reason, RowResult, RunRecord, TenantName, WriteState,
};
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
    /// The name that the row has by itself.
    name: Option<&'p str>,
    /// The writes of its tenant.
    writes: &'p Writes,
}

/// What a row has in common with others of its client.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shared {
    /// `_client_name`: as it was before.
    pub name: Option<String>,
    /// What was to change.
    pub changes: Vec<FieldChange>,
}

impl ReportRow<'_> {
    /// The client's name and what was to change; the write is opened for it.
    pub fn shared(&self) -> Shared {
        let own = || self.name.map(str::to_owned);
        match self.write.and_then(|at| self.writes.get(at)) {
            Some(write) => Shared { name: own().or(write.name), changes: write.changes },
            None => Shared { name: own(), changes: Vec::new() },
        }
    }
}

/// What is said of a row whose request was under way when its process was killed.
const CUT_OFF: &str = "its process ended before the answer came; `resume` looks at the client and settles it";

/// The rows of a report in the order of the input, each made when its turn comes.
pub struct ReportRows<'p> {
    plan: &'p Plan,
    /// None of a plan that nobody carried out.
    record: Option<&'p RunRecord>,
    /// The place of its tenant in the plan, and its place in the tenant's part.
    order: Vec<(u32, u32)>,
}

/// The rows of a plan that nobody carried out: its writes would be made.
pub fn planned_rows(plan: &Plan) -> ReportRows<'_> {
    ReportRows { plan, record: None, order: input_order(plan) }
}

/// Joins a run's plan with what its journal says of the writes.
pub fn report_rows<'p>(plan: &'p Plan, record: &'p RunRecord) -> ReportRows<'p> {
    ReportRows { plan, record: Some(record), order: input_order(plan) }
}

impl<'p> ReportRows<'p> {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = ReportRow<'p>> + '_ {
        self.order.iter().filter_map(|(tenant, row)| {
            let tenant = self.plan.tenants.get(*tenant as usize)?;
            let row = tenant.rows.get(*row as usize)?;
            Some(report_row(tenant, row, self.record.map(|record| record.writes(&tenant.tenant))))
        })
    }
}

/// Rows of several tenants in the order of the input; the clients that one update hits in one tenant keep the order of the
/// list.
fn input_order(plan: &Plan) -> Vec<(u32, u32)> {
    let parts = (0..).zip(&plan.tenants);
    let mut order: Vec<(u32, u32)> =
        parts.flat_map(|(tenant, part)| (0..).take(part.rows.len()).map(move |row| (tenant, row))).collect();
    let update = |(tenant, row): (u32, u32)| plan.tenants[tenant as usize].rows[row as usize].update;
    if plan.tenants.len() > 1 {
        order.sort_by_key(|place| (update(*place), *place));
    }
    order
}

fn report_row<'p>(tenant: &'p TenantPlan, row: &'p Row, states: Option<&'p [WriteState]>) -> ReportRow<'p> {
    let mut report = ReportRow {
        update: row.update,
        cells: &row.cells,
        label: row.label,
        tenant: &tenant.tenant,
        id: row.id.as_ref(),
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
        name: row.name.as_deref(),
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
    // What was made has an id only now.
    report.id = report.id.or(Some(&outcome.id)).filter(|id| !id.as_str().is_empty());
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
