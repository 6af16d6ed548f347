//! By which clock a log is dated. Central type: [`Clock`].

use jiff::{SignedDuration, Timestamp};

use super::super::super::connect::Target;
use super::super::now;

/// When a file was last written.
pub(super) fn written(path: &str) -> Option<Timestamp> {
    Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// The tenant's clock, as far as its answers tell it: the log is dated by it.
pub(super) struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    pub(super) fn of(target: &Target) -> Self {
        // Dates are told in whole seconds: less is no difference.
        let ahead = target.connection.clock_ahead().filter(|ahead| ahead.abs() > 2.0);
        Self {
            ahead: ahead.and_then(|ahead| SignedDuration::try_from_secs_f64(ahead).ok()).unwrap_or_default(),
        }
    }

    /// What the tenant's clock showed when ours showed this.
    pub(super) fn there(&self, here: Timestamp) -> Timestamp {
        here.checked_add(self.ahead).unwrap_or(here)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.there(now())
    }
}
