//! A cap at a share of the tenant's refill. Central type: [`ShareCap`].

use std::num::NonZeroU32;
use std::time::Duration;

use governor::RateLimiter;

use super::limiter::{Ticker, UserCap, quota};
use super::settings::RateShare;

/// So far from what the cap was made for the refill may move before another one is made: a cap that is made anew forgets
/// what went before.
const TOLERANCE: f64 = 0.1;
/// Timers are coarse: what comes in in so many seconds may go at once.
const AT_ONCE: f64 = 0.05;

/// A share of a bucket's refill, as a cap.
#[derive(Debug, Default)]
pub(super) struct ShareCap {
    made: Option<Made>,
}

#[derive(Debug)]
struct Made {
    refill: f64,
    cap: UserCap,
}

impl ShareCap {
    /// How long to wait at `now`; nothing once a request may go, which then counts. `refill` is the tenant's, per second.
    pub(super) fn check(
        &mut self,
        share: &RateShare,
        refill: f64,
        now: Duration,
        ticker: &Ticker,
    ) -> Option<Duration> {
        if self.made.as_ref().is_none_or(|made| (refill / made.refill - 1.0).abs() > TOLERANCE) {
            self.made = make(share.share * refill, ticker).map(|cap| Made { refill, cap });
        }
        self.made.as_ref()?.cap.check().err().map(|not_yet| not_yet.wait_time_from(now))
    }
}

fn make(rate: f64, ticker: &Ticker) -> Option<UserCap> {
    let interval = Duration::try_from_secs_f64(1.0 / rate).ok()?;
    let burst = NonZeroU32::new((rate * AT_ONCE) as u32).unwrap_or(NonZeroU32::MIN);
    Some(RateLimiter::direct_with_clock(quota(interval, burst)?, ticker.clone()))
}
