//! What was learned of tenants' rate limits, for the next forecast.

use std::collections::BTreeMap;

use super::{StateDir, StoreError, atomic};
use crate::model::{Domain, Pace};

/// What an earlier run learned of this tenant; `None` where nothing is known or the file is damaged, since a forecast
/// is no reason to fail.
pub fn recall(state: &StateDir, domain: &Domain) -> Option<Pace> {
    all(state).remove(domain.as_str())
}

/// Keeps what a run learned of tenants. Tenants whose refill was not seen keep what was known.
///
/// # Errors
/// Where the state directory cannot be written.
pub fn keep<'d>(
    state: &StateDir,
    learned: impl IntoIterator<Item = (&'d Domain, Pace)>,
) -> Result<(), StoreError> {
    let mut known = all(state);
    let seen = learned.into_iter().filter(|(_, pace)| pace.refill.is_some());
    known.extend(seen.map(|(domain, pace)| {
        (domain.as_str().to_owned(), Pace { limit: pace.limit, refill: pace.refill, ..Pace::default() })
    }));
    atomic::write(&state.paces(), |out| Ok(serde_json::to_writer_pretty(out, &known)?))
}

fn all(state: &StateDir) -> BTreeMap<String, Pace> {
    let text = atomic::read(&state.paces()).ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
