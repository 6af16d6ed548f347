//! One setting under two names. Central type: [`Twin`].

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Change;
use crate::catalogue::{Fault, Kind, patch};
use crate::model::value::same;
use crate::model::{Body, FieldPath};

/// One setting under two names. Only the newer is sent; null for the older one empties both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalogue) struct Twin {
    #[serde(rename = "source")]
    _source: String,
    /// The newer name.
    pub(super) field: String,
    /// The older name.
    pub(super) older: String,
    /// The key that both show.
    pub(super) shares: String,
}

impl Twin {
    /// What becomes of the name that was not written: it goes, or shows the other addresses.
    pub(super) fn moves(&self, name: &str, before: &Body, after: &Body) -> Option<Change> {
        let root = FieldPath::root_field(name);
        let now = root.get(after).filter(|value| !value.is_null());
        if now.is_none() {
            return Some((root, None));
        }
        let shown =
            |value: &Value| value.as_object().is_some_and(|map| map.keys().all(|key| *key == self.shares));
        let only_addresses = name == self.field || root.get(before).is_some_and(shown);
        let path = if only_addresses { root.child(&self.shares) } else { root };
        Some((path.clone(), path.get(after).cloned()))
    }

    /// What a write that names one of the two makes of the other.
    pub(super) fn mirror(&self, state: &mut Body, newer: bool, older: bool) {
        let gone = |name: &str| state.get(name).is_none_or(Value::is_null);
        if (newer && gone(&self.field)) || (older && !newer && gone(&self.older)) {
            state.shift_remove(&self.field);
            state.shift_remove(&self.older);
        } else if newer {
            if let Some(shared) = state.get(&self.field).and_then(|value| value.get(&self.shares)).cloned() {
                state.insert(
                    self.older.clone(),
                    Value::Object(Map::from_iter([(self.shares.clone(), shared)])),
                );
            }
        } else if older
            && let Some(shared) = state.get(&self.older).and_then(|value| value.get(&self.shares)).cloned()
        {
            let entry = state.entry(self.field.clone()).or_insert(Value::Null);
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            entry[&self.shares] = shared;
        }
    }

    pub(super) fn fault(&self, kind: &Kind, before: &Body, changes: &[Change]) -> Option<Fault> {
        let (older, others): (Vec<&Change>, Vec<&Change>) =
            changes.iter().partition(|(path, _)| path.root() == self.older);
        if !others.iter().any(|(path, _)| path.root() == self.field) {
            return None;
        }
        let others: Vec<Change> = others.into_iter().cloned().collect();
        let shown = patch::predict(kind, before, &others);
        let (path, _) = older
            .into_iter()
            .find(|(path, after)| !same(path.get(&shown), after.as_ref(), kind.order(path)))?;
        let what = format!(
            "{} and {} are one setting under two names, and are asked to differ",
            self.older, self.field
        );
        let help = format!("leave {} out, and set {} alone", self.older, self.field);
        Some(Fault::new(path.to_string(), what).help(help))
    }
}
