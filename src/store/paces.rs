//! What was learned of tenants' rate limits, and when, for the next forecast. Central type: [`Learned`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StateDir, StoreError, atomic};
use crate::model::Measured;

/// What runs have learned of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Learned {
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
    /// When the refill was last seen; unknown in what early versions kept.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// What earlier runs learned of tenants, by their domains (in the embedded sandbox, by their names). Nothing where the file is
/// damaged, since a forecast is no reason to fail; an entry that cannot be read costs itself and no other.
pub fn recall(state: &StateDir) -> BTreeMap<String, Learned> {
    let text = atomic::read(&state.paces()).ok().flatten();
    let entries: BTreeMap<String, serde_json::Value> =
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let read = |(tenant, entry)| {
        let learned: Learned = serde_json::from_value(entry).ok()?;
        Some((tenant, Learned { measured: learned.measured.sane(), ..learned }))
    };
    entries.into_iter().filter_map(read).collect()
}

/// Keeps what a run measured of tenants, together with what was known where the limit is the same still.
///
/// # Errors
/// Where the state directory cannot be written.
pub fn keep(
    state: &StateDir,
    measured: impl IntoIterator<Item = (String, Measured)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut known = recall(state);
    for (tenant, measured) in measured {
        if measured.refill.is_none() && measured.latency.is_none() {
            continue;
        }
        let earlier = known.get(&tenant).filter(|earlier| measured.is_of_the_limit_of(&earlier.measured));
        let learned = Learned {
            measured: measured.after(earlier.map(|earlier| earlier.measured).unwrap_or_default()),
            at: if measured.refill.is_some() { Some(now) } else { earlier.and_then(|earlier| earlier.at) },
        };
        known.insert(tenant, learned);
    }
    atomic::write(&state.paces(), |out| Ok(serde_json::to_writer_pretty(out, &known)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        (folder, state)
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn measured(limit: u64, refill: Option<f64>) -> Measured {
        Measured {
            reads: Some(limit),
            limit: Some(limit),
            refill,
            refill_error: refill.map(|refill| 0.01 * refill),
            latency: Some(0.4),
            jitter: Some(0.1),
        }
    }

    #[test]
    fn what_was_learned_is_kept_with_its_time() {
        let (_folder, state) = state();
        keep(&state, [("a".to_owned(), measured(50, Some(16.0)))], second(1000)).unwrap();
        keep(&state, [("a".to_owned(), measured(50, None))], second(2000)).unwrap();
        let learned = recall(&state)["a"];
        assert_eq!((learned.measured.refill, learned.at), (Some(16.0), Some(second(1000))));
        assert_eq!(recall(&state).get("b"), None);
    }

    #[test]
    fn another_limit_voids_what_was_learned() {
        let (_folder, state) = state();
        keep(&state, [("a".to_owned(), measured(50, Some(16.0)))], second(1000)).unwrap();
        keep(&state, [("a".to_owned(), measured(20, None))], second(2000)).unwrap();
        let learned = recall(&state)["a"];
        assert_eq!((learned.measured.limit, learned.measured.refill, learned.at), (Some(20), None, None));
    }

    #[test]
    fn the_file_of_an_early_version_is_read_and_a_damaged_one_is_nothing() {
        let (_folder, state) = state();
        let old = r#"{"a": {"limit": 50, "remaining": null, "lowest": null, "refill": 15.9, "requests": 0, "throttled": 0},
            "b": {"limit": "many"}}"#;
        atomic::write(&state.paces(), |out| out.write_all(old.as_bytes())).unwrap();
        let learned = recall(&state)["a"];
        assert_eq!(
            (learned.measured.limit, learned.measured.refill, learned.at),
            (Some(50), Some(15.9), None)
        );
        assert_eq!(recall(&state).get("b"), None);
        atomic::write(&state.paces(), |out| out.write_all(b"{")).unwrap();
        assert_eq!(recall(&state).get("a"), None);
    }
}
