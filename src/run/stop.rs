//! The decision to stop, shared by those who make it and those who obey.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::model::StopReason;

/// Raised once or more; the strongest reason holds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Option<StopReason>>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Stop {
    /// Stops the run, or gives a stronger reason for it. A weaker one changes nothing.
    pub fn raise(&self, reason: StopReason) {
        self.0.send_if_modified(|held| {
            let stronger = *held < Some(reason);
            if stronger {
                *held = Some(reason);
            }
            stronger
        });
    }

    /// The strongest reason so far.
    pub fn reason(&self) -> Option<StopReason> {
        *self.0.borrow()
    }

    /// Waits until there is a reason at least this strong.
    pub async fn at_least(&self, reason: StopReason) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = self.0.subscribe().wait_for(|held| *held >= Some(reason)).await;
    }
}

/// The failures of a run, all tenants together, against what is allowed.
#[derive(Debug)]
pub(super) struct Failures {
    seen: AtomicU64,
    most: u64,
}

impl Failures {
    pub(super) fn up_to(most: u64) -> Self {
        Self { seen: AtomicU64::new(0), most }
    }

    /// Counts one more; tells whether there are too many now.
    pub(super) fn add_one_too_many(&self) -> bool {
        self.seen.fetch_add(1, Ordering::Relaxed) >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weaker_reason_never_replaces_a_stronger_one() {
        let stop = Stop::default();
        stop.raise(StopReason::Interrupted);
        stop.raise(StopReason::MaxFailures);
        assert_eq!(stop.reason(), Some(StopReason::Interrupted));
        stop.raise(StopReason::Killed);
        assert_eq!(stop.reason(), Some(StopReason::Killed));
    }
}
