//! The catalogue beside readings of the API that it was not made from, or not alone: every field of the document's update
//! schemas, a table of a client's fields that somebody else drew up, and recorded bodies. Each difference is listed with its
//! reason. And the overlays beside each other.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::Field;

mod coherence;
mod document;
mod recorded;
mod table;

fn reference(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("skipped: {} cannot be read ({error})", path.display());
            None
        }
    }
}

/// `a.b[].c` from the root; `*` is any key of an open object.
fn find<'k>(root: &'k Field, path: &str) -> Option<&'k Field> {
    let mut at = root;
    for key in path.split('.') {
        let (key, lists) = (key.trim_end_matches("[]"), key.matches("[]").count());
        at = if key == "*" { at.items.as_deref()? } else { at.fields.get(key)? };
        for _ in 0..lists {
            at = at.items.as_deref()?;
        }
    }
    Some(at)
}

/// Collects `path: property` for every property of `said` that the catalogue holds otherwise.
fn compare(path: &str, said: &Map<String, Value>, held: &Map<String, Value>, into: &mut BTreeSet<String>) {
    let keys: BTreeSet<&String> = said.keys().chain(held.keys()).collect();
    for key in keys.into_iter().filter(|key| said.get(*key) != held.get(*key)) {
        into.insert(format!("{path}: {key}"));
    }
}

fn listed(differences: &[(&str, &str)]) -> BTreeSet<String> {
    differences.iter().map(|(difference, _)| (*difference).to_owned()).collect()
}

const ONE_ADDRESS: &str = "documented in prose: one address at present";
