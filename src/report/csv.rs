//! `results.csv`: one line per row, the input's own columns first and byte for byte.

use std::borrow::Cow;
use std::io::Write;

use super::rows::Shared;
use super::{ReportRow, ReportRows};
use crate::model::{FieldChange, RunId, TenantName};

/// Our own columns, behind those of the input. Users script against these names.
pub const COLUMNS: [&str; 16] = [
    "_row",
    "_tenant",
    "_client_id",
    "_client_name",
    "_result",
    "_reason",
    "_changes",
    "_http_status",
    "_error_code",
    "_error",
    "_attempts",
    "_waited_ms",
    "_duration_ms",
    "_started",
    "_ended",
    "_run_id",
];

/// Writes the whole report. `run_of` tells the run in which a tenant's rows were made.
///
/// # Errors
/// Those of the writer.
pub fn print<'r>(
    columns: &[String],
    rows: &ReportRows<'_>,
    run_of: impl Fn(&TenantName) -> Option<&'r RunId>,
    out: impl Write,
) -> std::io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    // A report is a job again: a column of the input that is named like one of ours is an older report's, and ours replaces it.
    let kept: Vec<usize> = (0..columns.len()).filter(|at| !COLUMNS.contains(&columns[*at].trim())).collect();
    let header = kept.iter().map(|at| columns[*at].as_str()).chain(COLUMNS);
    csv.write_record(header)?;
    for row in rows.iter() {
        let cells = row.cells.open();
        let input =
            kept.iter().map(|at| Cow::Borrowed(cells.get(*at).map(String::as_str).unwrap_or_default()));
        csv.write_record(input.chain(own_cells(&row, run_of(row.tenant))).map(|cell| cell.into_owned()))?;
    }
    csv.flush()
}

fn own_cells<'r>(row: &ReportRow<'r>, run: Option<&'r RunId>) -> [Cow<'r, str>; 16] {
    fn number<T: ToString>(value: Option<T>) -> Cow<'static, str> {
        Cow::Owned(value.map(|v| v.to_string()).unwrap_or_default())
    }
    let text = |value: Option<&'r str>| safe(Cow::Borrowed(value.unwrap_or_default()));
    let Shared { name, changes: changed } = row.shared();
    [
        Cow::Owned(row.label.to_string()),
        text(Some(row.tenant.as_str())),
        text(row.id.map(|id| id.as_str())),
        safe(Cow::Owned(name.unwrap_or_default())),
        Cow::Borrowed(row.result.as_str()),
        Cow::Borrowed(row.reason.map(|reason| reason.as_str()).unwrap_or_default()),
        safe(Cow::Owned(changes(&changed))),
        number(row.http_status),
        text(row.error_code),
        text(row.error),
        number(row.attempts),
        number(row.waited_ms),
        number(row.duration_ms),
        number(row.started),
        number(row.ended),
        text(run.map(|run| run.as_str())),
    ]
}

/// `name: "Billing" → "Billing EU"; description: absent → "x"`. Values are JSON, so that text and number stay apart.
pub fn changes(changes: &[FieldChange]) -> String {
    let value = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(|| "absent".to_owned(), |v| v.to_string())
    };
    let one = |change: &FieldChange| {
        format!("{}: {} → {}", change.path, value(&change.before), value(&change.after))
    };
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A spreadsheet would run a cell that begins like a formula; a `'` before it makes it text. Control characters, which a
/// terminal would run, are escaped.
fn safe(cell: Cow<'_, str>) -> Cow<'_, str> {
    let cell = if cell.contains(char::is_control) { Cow::Owned(super::term::safe(&cell)) } else { cell };
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{cell}")) } else { cell }
}
