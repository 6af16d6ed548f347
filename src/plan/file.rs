//! A plan as JSON lines: a header, then for each tenant a line, its writes and its rows, and a digest of all that.
//! Self-contained: a saved plan needs no job any more, and a run goes on from its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::forecast::Forecast;
use super::types::{Counts, Header, NamedObject, Plan, Row, TenantFailure, TenantPlan, Write};
use crate::catalogue::KindName;
use crate::model::deep::from_own;
use crate::model::{Domain, Pace, TenantName};

/// Version of the format; a reader refuses another one.
///
/// 1: without digest. 2: digest, guards, forecasts, what an undo leaves.
pub const PLAN_VERSION: u32 = 2;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one line lives at a time")]
enum Line<H, W, R> {
    Plan {
        version: u32,
        header: H,
        tenants: Vec<(TenantName, Domain)>,
    },
    Tenant {
        tenant: TenantName,
        domain: Domain,
        origin: String,
        /// Of the default kind.
        total: Option<usize>,
        /// Of others.
        #[serde(default, skip_serializing_if = "Counts::is_empty")]
        totals: Counts,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        named: Vec<NamedObject>,
        pace: Pace,
        forecast: Option<Forecast>,
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
    End {
        /// SHA-256 of everything before this line, in hexadecimal.
        digest: String,
    },
}

type Borrowed<'p> = Line<&'p Header, &'p RawValue, &'p Row>;
type Owned = Line<Header, Write, Row>;

/// Why a file is not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Written by another patchwave.
    #[error(
        "it has format {0}, and this patchwave reads format {PLAN_VERSION}; plan again with this version"
    )]
    Version(u32),
    /// Edited by hand, cut, or damaged.
    #[error(
        "its digest does not fit what it holds: it was edited, cut or damaged since it was saved; plan again"
    )]
    Digest,
    /// A line that is not what this format has.
    #[error("line {line} is not a line of a plan: {cause}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What the JSON reader says.
        cause: serde_json::Error,
    },
    /// Lines out of order, or no header.
    #[error("line {0} stands where it has no place")]
    Order(usize),
}

/// Whether a file is a saved plan rather than a job, as its first line tells.
pub fn is_plan(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct First {
        line: String,
        version: serde_json::Value,
    }
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<First>(first).is_ok_and(|first| first.line == "plan" && !first.version.is_null())
}

/// Sums up what passes through it.
struct Summing<'w> {
    out: &'w mut dyn std::io::Write,
    sum: Sha256,
}

impl std::io::Write for Summing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn put(out: &mut dyn std::io::Write, line: &Borrowed<'_>) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Writes a plan, a line at a time, so that a large one needs no second copy in memory.
///
/// # Errors
/// Those of the writer.
pub fn print(plan: &Plan, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let mut out = Summing { out, sum: Sha256::new() };
    let tenants = plan.tenants.iter().map(|part| (part.tenant.clone(), part.domain.clone())).collect();
    put(&mut out, &Line::Plan { version: PLAN_VERSION, header: &plan.header, tenants })?;
    for part in &plan.tenants {
        print_part(part, &mut out)?;
    }
    let Summing { out, sum } = out;
    put(out, &Line::End { digest: hex(sum) })?;
    out.flush()
}

fn print_part(part: &TenantPlan, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let tenant = &part.tenant;
    put(
        out,
        &Line::Tenant {
            tenant: tenant.clone(),
            domain: part.domain.clone(),
            origin: part.origin.clone(),
            total: part.totals.get(&KindName::default()).copied(),
            totals: part
                .totals
                .iter()
                .filter(|(kind, _)| !kind.is_default())
                .map(|(k, n)| (*k, *n))
                .collect(),
            named: part.named.clone(),
            pace: part.pace,
            forecast: part.forecast,
            failure: part.failure.clone(),
        },
    )?;
    for at in 0..part.writes.len() {
        put(out, &Line::Write { tenant: tenant.clone(), write: part.writes.raw(at)? })?;
    }
    for row in &part.rows {
        put(out, &Line::Row { tenant: tenant.clone(), row })?;
    }
    Ok(())
}

/// Reads what [`print()`] wrote.
///
/// # Errors
/// Where it is not a whole plan of the known version, exactly as it was written.
pub fn parse(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    check_version(bytes)?;
    let body = checked_body(bytes)?;
    let mut header = None;
    let mut tenants: Vec<TenantPlan> = Vec::new();
    for (at, text) in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let number = at + 1;
        let line: Owned = from_own(text).map_err(|cause| PlanFileError::Line { line: number, cause })?;
        match line {
            Line::Plan { header: found, .. } if number == 1 => header = Some(found),
            Line::Tenant { tenant, domain, origin, total, mut totals, named, pace, forecast, failure }
                if header.is_some() =>
            {
                let part = TenantPlan::empty(tenant, domain, origin, pace);
                totals.extend(total.map(|total| (KindName::default(), total)));
                tenants.push(TenantPlan { totals, named, forecast, failure, ..part });
            }
            Line::Write { tenant, write } => part(&mut tenants, &tenant, number)?.writes.push(&write),
            Line::Row { tenant, row } => part(&mut tenants, &tenant, number)?.rows.push(row),
            _ => return Err(PlanFileError::Order(number)),
        }
    }
    let header = header.ok_or(PlanFileError::Order(1))?;
    Ok(Plan { header, tenants: tenants.into_iter().map(Arc::new).collect() })
}

/// The version comes before the digest, which another version may make in another way.
fn check_version(bytes: &[u8]) -> Result<(), PlanFileError> {
    #[derive(Deserialize)]
    struct First {
        version: u32,
    }
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<First>(first) {
        Ok(First { version: PLAN_VERSION }) => Ok(()),
        Ok(First { version }) => Err(PlanFileError::Version(version)),
        Err(cause) => Err(PlanFileError::Line { line: 1, cause }),
    }
}

/// Everything before the last line, whose digest fits it.
fn checked_body(bytes: &[u8]) -> Result<&[u8], PlanFileError> {
    let whole = bytes.strip_suffix(b"\n").ok_or(PlanFileError::Digest)?;
    let at = whole.iter().rposition(|byte| *byte == b'\n').ok_or(PlanFileError::Digest)? + 1;
    let (body, last) = (&bytes[..at], &whole[at..]);
    match serde_json::from_slice::<Owned>(last) {
        Ok(Line::End { digest }) if digest == hex(Sha256::new_with_prefix(body)) => Ok(body),
        _ => Err(PlanFileError::Digest),
    }
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
    use crate::model::{Cells, FieldChange, ListOrder, RowResult};
    use crate::plan::{Done, RowState, Writes};
    use serde_json::json;

    fn plan() -> Plan {
        let body = |name: &str| json!({ "name": name }).as_object().unwrap().clone();
        let write = Write {
            kind: KindName::default(),
            create: false,
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
            left: Vec::new(),
        };
        let row = |state| Row {
            update: 0,
            label: RowLabel::Row(2),
            kind: KindName::default(),
            id: None,
            name: None,
            cells: Cells::default(),
            state,
        };
        let tenant = TenantPlan {
            tenant: "dev".into(),
            domain: Domain::parse("acme.eu.auth0.com").unwrap(),
            origin: "environment".into(),
            totals: Counts::from_iter([(KindName::default(), 3)]),
            pace: Pace::default(),
            writes: Writes::from_iter([write]),
            named: vec![NamedObject { kind: KindName::default(), id: "x".into(), name: "Shop".into() }],
            rows: vec![row(RowState::Write(0)), row(Done::plain(RowResult::Unchanged).into())],
            forecast: None,
            failure: None,
        };
        let header = Header {
            tool: "0.1.0".into(),
            job: "job".into(),
            job_digest: "d".into(),
            source: String::new(),
            kind: KindName::default(),
            other_kinds: Vec::new(),
            made: jiff::Timestamp::UNIX_EPOCH,
            columns: vec!["client_id".into()],
            extra_fields: Vec::new(),
            guards: crate::job::Guards::default(),
            waves_by: None,
            verify: false,
            pause_ms: 0,
            undoes: None,
            takes_back: None,
            unguarded: false,
            changeset: None,
            shard: None,
        };
        Plan { header, tenants: vec![Arc::new(tenant)] }
    }

    fn printed() -> Vec<u8> {
        let mut out = Vec::new();
        print(&plan(), &mut out).unwrap();
        out
    }

    #[test]
    fn a_printed_plan_parses_back_to_itself() {
        assert!(is_plan(&printed()));
        assert_eq!(parse(&printed()).unwrap(), plan());
    }

    #[test]
    fn a_plan_of_a_value_as_deep_as_can_be_read_parses_back_to_itself() {
        let deepest = format!("{}1{}", "[".repeat(126), "]".repeat(126));
        let value: serde_json::Value = serde_json::from_str(&deepest).unwrap();
        let mut plan = plan();
        let mut part = TenantPlan::clone(&plan.tenants[0]);
        let mut write = part.writes.at(0);
        write.changes[0].before = Some(value.clone());
        write.before = Arc::new(json!({"addons": value}).as_object().unwrap().clone());
        part.writes = Writes::from_iter([write]);
        plan.tenants = vec![Arc::new(part)];
        let mut out = Vec::new();
        print(&plan, &mut out).unwrap();
        assert_eq!(parse(&out).unwrap(), plan);
    }

    #[test]
    fn a_plan_of_another_format_is_told_by_its_version() {
        let later = String::from_utf8(printed()).unwrap().replacen("\"version\":2", "\"version\":3", 1);
        assert!(is_plan(later.as_bytes()));
        assert!(matches!(parse(later.as_bytes()), Err(PlanFileError::Version(3))));
    }

    #[test]
    fn a_plan_that_was_edited_or_cut_anywhere_is_refused() {
        let whole = printed();
        for at in 0..whole.len() {
            parse(&whole[..at]).unwrap_err();
            let mut edited = whole.clone();
            edited[at] = if edited[at] == b'x' { b'y' } else { b'x' };
            parse(&edited).unwrap_err();
        }
    }

    #[test]
    fn a_job_is_no_plan() {
        for job in
            ["", "client_id,name\n", "name = \"plan\"\n", "[{\"client_id\": \"a\"}]", "{\"line\": \"plan\"}"]
        {
            assert!(!is_plan(job.as_bytes()), "{job}");
        }
    }
}
