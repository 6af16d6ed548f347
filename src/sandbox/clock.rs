//! The simulated tenant's clock: a steady one for tokens and buckets, and the wall time that headers show.

use std::time::Duration;

use tokio::time::Instant;

/// This machine's date, for certificates: whoever checks them has this machine's clock, not the simulated one.
#[expect(clippy::disallowed_methods, reason = "the sandbox plays the server, whose certificate is dated")]
pub(super) fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// Steady time since the start, and what a wall clock would show at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    /// Unix seconds at `started`, as the simulated server sees them.
    unix_at_start: f64,
    skewed: bool,
}

impl Clock {
    /// Starts now; the server's wall clock is `skew` seconds ahead of the machine's.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox plays the server, whose headers carry wall time; read once, then steady time is added"
    )]
    pub(super) fn start(skew: i64) -> Self {
        let wall = jiff::Timestamp::now();
        Self {
            started: Instant::now(),
            unix_at_start: wall.as_millisecond() as f64 / 1000.0 + skew as f64,
            skewed: skew != 0,
        }
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Unix seconds at that time.
    pub(super) fn unix(&self, at: Duration) -> f64 {
        self.unix_at_start + at.as_secs_f64()
    }

    /// The Date header to send where the server's clock differs from the machine's; otherwise the HTTP library writes it.
    pub(super) fn date_header(&self, at: Duration) -> Option<String> {
        if !self.skewed {
            return None;
        }
        let stamp = jiff::Timestamp::from_second(self.unix(at) as i64).ok()?;
        Some(stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }
}
