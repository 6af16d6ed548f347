//! A plan as JSON lines: a header, then for each tenant a line, its writes and its rows. Self-contained.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::types::{Header, Plan, Row, TenantFailure, TenantPlan, Write};
use crate::model::{Domain, Pace, TenantName};

/// Version of the format; a reader refuses a later one.
pub const PLAN_VERSION: u32 = 1;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one line lives at a time")]
enum Line<H, W, R> {
    Plan {
        version: u32,
        header: H,
    },
    Tenant {
        tenant: TenantName,
        domain: Domain,
        origin: String,
        total: Option<usize>,
        pace: Pace,
        failure: Option<TenantFailure>,
    },
    Write {
        tenant: TenantName,
        write: W,
    },
    Row {
        tenant: TenantName,
        row: R,
    },
}

type Borrowed<'p> = Line<&'p Header, &'p Write, &'p Row>;
type Owned = Line<Header, Write, Row>;

/// Why a file is not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// A line that is not what this format has.
    #[error("line {line} is not a line of a plan: {cause}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What the JSON reader says.
        cause: serde_json::Error,
    },
    /// Written by a later patchwave.
    #[error("the plan has format {0}, this patchwave reads up to {PLAN_VERSION}")]
    Version(u32),
    /// Lines out of order, or no header.
    #[error("line {0} stands where it has no place: the file is cut or was put together by hand")]
    Order(usize),
}

/// Writes a plan, a line at a time, so that a large one needs no second copy in memory.
///
/// # Errors
/// Those of the writer.
pub fn print(plan: &Plan, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let mut line = |line: &Borrowed<'_>| -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")
    };
    line(&Line::Plan { version: PLAN_VERSION, header: &plan.header })?;
    for part in &plan.tenants {
        let tenant = part.tenant.clone();
        line(&Line::Tenant {
            tenant: tenant.clone(),
            domain: part.domain.clone(),
            origin: part.origin.clone(),
            total: part.total,
            pace: part.pace,
            failure: part.failure.clone(),
        })?;
        for write in &part.writes {
            line(&Line::Write { tenant: tenant.clone(), write })?;
        }
        for row in &part.rows {
            line(&Line::Row { tenant: tenant.clone(), row })?;
        }
    }
    Ok(())
}

/// Reads what [`print()`] wrote.
///
/// # Errors
/// Where the text is not a whole plan of a known version.
pub fn parse(text: &str) -> Result<Plan, PlanFileError> {
    let mut header = None;
    let mut tenants: Vec<TenantPlan> = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let number = at + 1;
        let line: Owned =
            serde_json::from_str(text).map_err(|cause| PlanFileError::Line { line: number, cause })?;
        match line {
            Line::Plan { version, .. } if version > PLAN_VERSION => {
                return Err(PlanFileError::Version(version));
            }
            Line::Plan { header: found, .. } if number == 1 => header = Some(found),
            Line::Tenant { tenant, domain, origin, total, pace, failure } if header.is_some() => {
                let (writes, rows) = (Vec::new(), Vec::new());
                tenants.push(TenantPlan { tenant, domain, origin, total, pace, writes, rows, failure });
            }
            Line::Write { tenant, write } => part(&mut tenants, &tenant, number)?.writes.push(write),
            Line::Row { tenant, row } => part(&mut tenants, &tenant, number)?.rows.push(row),
            _ => return Err(PlanFileError::Order(number)),
        }
    }
    let header = header.ok_or(PlanFileError::Order(1))?;
    Ok(Plan { header, tenants: tenants.into_iter().map(Arc::new).collect() })
}

/// The tenant that a line belongs to: always the one begun last.
fn part<'p>(
    tenants: &'p mut [TenantPlan],
    tenant: &TenantName,
    line: usize,
) -> Result<&'p mut TenantPlan, PlanFileError> {
    tenants.last_mut().filter(|part| part.tenant == *tenant).ok_or(PlanFileError::Order(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::RowLabel;
    use crate::model::{FieldChange, ListOrder, RowResult};
    use crate::plan::{Done, RowState};
    use serde_json::json;

    fn plan() -> Plan {
        let body = |name: &str| json!({ "name": name }).as_object().unwrap().clone();
        let write = Write {
            id: "abc".into(),
            name: Some("Billing".into()),
            label: RowLabel::Row(2),
            changes: vec![FieldChange {
                path: "name".parse().unwrap(),
                before: Some(json!("Billing")),
                after: None,
                order: ListOrder::Ordered,
                items: None,
            }],
            body: body("Billing EU"),
            compose: false,
            before: Arc::new(body("Billing")),
        };
        let row = |state| Row {
            update: 0,
            label: RowLabel::Row(2),
            id: None,
            name: None,
            cells: Arc::default(),
            state,
        };
        let tenant = TenantPlan {
            tenant: "dev".into(),
            domain: Domain::parse("acme.eu.auth0.com").unwrap(),
            origin: "environment".into(),
            total: Some(3),
            pace: Pace::default(),
            writes: vec![write],
            rows: vec![row(RowState::Write(0)), row(RowState::Done(Done::plain(RowResult::Unchanged)))],
            failure: None,
        };
        let header = Header {
            tool: "0.1.0".into(),
            job: "job".into(),
            job_digest: "d".into(),
            kind: "clients".into(),
            made: jiff::Timestamp::UNIX_EPOCH,
            columns: vec!["client_id".into()],
        };
        Plan { header, tenants: vec![Arc::new(tenant)] }
    }

    fn printed() -> String {
        let mut out = Vec::new();
        print(&plan(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_printed_plan_parses_back_to_itself() {
        assert_eq!(parse(&printed()).unwrap(), plan());
    }

    #[test]
    fn a_plan_of_a_later_format_and_one_without_its_head_are_refused() {
        let later = printed().replacen("\"version\":1", "\"version\":2", 1);
        assert!(matches!(parse(&later), Err(PlanFileError::Version(2))));
        let headless = printed().split_once('\n').unwrap().1.to_owned();
        assert!(matches!(parse(&headless), Err(PlanFileError::Order(1))));
        assert!(matches!(parse(""), Err(PlanFileError::Order(1))));
    }
}
