//! The CSV file that `get` leaves: every leaf a column, every client a row, safe to open in a spreadsheet, and a job again.

use csv::WriterBuilder;
use indexmap::IndexSet;
use serde_json::Value;

use super::{BASE_COLUMN, KIND_COLUMN};
use crate::catalogue::{Kind, cell};
use crate::model::{Body, FieldPath};

/// The column that would be read as the tenant a row is for.
const TENANT_FIELD: &str = "tenant";

/// Writes clients; `digest` names what was kept of this fetch.
///
/// # Errors
/// Those of the writer.
pub fn print(
    kind: &Kind,
    bodies: &[Body],
    digest: &str,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let paths = columns(kind, bodies);
    let mut csv = WriterBuilder::new().from_writer(out);
    let of_kind = Some(kind.name).filter(|name| !name.is_default());
    let headers = paths.iter().map(FieldPath::to_string).chain(of_kind.map(|_| KIND_COLUMN.to_owned()));
    csv.write_record(headers.chain([BASE_COLUMN.to_owned()]))?;
    for body in bodies {
        let cell = |path: &FieldPath| path.get(body).map(cell::write).map(with_guard).unwrap_or_default();
        let cells = paths.iter().map(cell).chain(of_kind.map(|name| name.to_string()));
        csv.write_record(cells.chain([digest.to_owned()]))?;
    }
    csv.flush()
}

/// The leaves of all clients: id and name first, then in the order in which they are met.
fn columns(kind: &Kind, bodies: &[Body]) -> Vec<FieldPath> {
    let first = [&kind.endpoint.id_field, &kind.endpoint.name_field].map(|name| FieldPath::root_field(name));
    // A file without clients is a table all the same.
    let is_there = |path: &FieldPath| bodies.is_empty() || bodies.iter().any(|body| path.get(body).is_some());
    let mut paths: IndexSet<FieldPath> = first.into_iter().filter(is_there).collect();
    for (key, value) in bodies.iter().flatten() {
        if key != TENANT_FIELD && !key.starts_with('_') {
            leaves(kind, FieldPath::root_field(key), value, &mut paths);
        }
    }
    paths.into_iter().collect()
}

fn leaves(kind: &Kind, path: FieldPath, value: &Value, out: &mut IndexSet<FieldPath>) {
    match value {
        Value::Null => (),
        // A secret has no place in a spreadsheet, not even the words that stand for it.
        _ if kind.is_secret(&path) => (),
        // No cell stands for an object without keys: nothing of it could be edited.
        Value::Object(map) => map.iter().for_each(|(key, inner)| leaves(kind, path.child(key), inner, out)),
        _ => drop(out.insert(path)),
    }
}

/// Whether a spreadsheet would take the cell for a formula, or whether it looks like one that was guarded.
fn is_risky(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A `'` before what a spreadsheet would take for a formula.
fn with_guard(text: String) -> String {
    if is_risky(&text) { format!("'{text}") } else { text }
}

/// The cell without the `'` that [`with_guard`] put there.
pub(super) fn without_guard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_risky(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_guarded_cell_is_read_as_it_was(text in "['=+@\t a-]{0,6}") {
            let guarded = with_guard(text.clone());
            prop_assert!(!guarded.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(without_guard(&guarded), text);
        }
    }
}
