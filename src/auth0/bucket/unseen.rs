//! The pace against a bucket of which no header tells: its refusals are all there is to go by. Central type: [`Unseen`].
//!
//! Whenever it refuses, the bucket is empty. So what was let through between two refusals is what came in meanwhile, and that
//! is its refill, whatever its size.

use std::time::Duration;

/// First wait after a refusal with nothing let through before, doubled each time up to the longest, in seconds.
const FIRST_PAUSE: f64 = 1.0;
const LONGEST_PAUSE: f64 = 30.0;
/// So much of a measured refill is used at first, and so much faster it goes each second until it is refused again.
const BACK_OFF: f64 = 0.95;
const GROWTH: f64 = 0.005;

/// What is known of a bucket from its refusals.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    /// Requests per second.
    rate: f64,
    /// To when the rate was brought forward, in seconds.
    at: f64,
    /// The rate was measured, and is not a guess that is to be found too low.
    measured: bool,
    /// When the bucket was last known to be empty, and what it has let through since.
    empty_at: f64,
    granted: u32,
    /// Refusals in a row, with nothing let through between them.
    in_vain: i32,
    /// Requests up to this number say nothing about the pace since.
    cut_at: u64,
    paused_until: f64,
}

impl Unseen {
    /// Nothing is known but that it was empty at `now`.
    pub(super) fn new(now: f64) -> Self {
        Self {
            rate: 1.0 / FIRST_PAUSE,
            at: now,
            measured: false,
            empty_at: now,
            granted: 0,
            in_vain: 0,
            cut_at: 0,
            paused_until: 0.0,
        }
    }

    /// It is known to refill so fast.
    pub(super) fn known(now: f64, rate: f64) -> Self {
        Self { rate: rate * BACK_OFF, measured: true, ..Self::new(now) }
    }

    /// Tokens per second, once they were measured.
    pub(super) fn refill(&self) -> Option<f64> {
        self.measured.then_some(self.rate)
    }

    /// The first instant at which another request may follow the one that went at `last`.
    pub(super) fn instant(&mut self, now: f64, last: f64) -> f64 {
        self.advance(now);
        (last + 1.0 / self.rate).max(self.paused_until)
    }

    /// Request number `number` was let through.
    pub(super) fn granted(&mut self, number: u64) {
        if number > self.cut_at {
            self.granted += 1;
            self.in_vain = 0;
        }
    }

    /// Request number `number` was refused; `newest` is the newest under way.
    pub(super) fn refused(&mut self, number: u64, newest: u64, now: f64, retry_after: Option<Duration>) {
        if let Some(wait) = retry_after {
            self.paused_until = self.paused_until.max(now + wait.as_secs_f64());
        }
        // Those that went before anybody knew are no news.
        if number <= self.cut_at {
            return;
        }
        self.advance(now);
        let measured = f64::from(self.granted) / (now - self.empty_at).max(0.001);
        if self.cut_at > 0 && self.granted >= 1 {
            self.rate = (BACK_OFF * measured).max(1.0 / LONGEST_PAUSE);
            self.measured = true;
        } else {
            self.rate = (0.7 * self.rate).max(1.0 / LONGEST_PAUSE);
        }
        let first = if self.measured { 1.0 / self.rate } else { FIRST_PAUSE };
        let pause = match retry_after {
            Some(_) => 0.0,
            None => first * 2.0_f64.powi(self.in_vain.min(10)),
        };
        self.paused_until = self.paused_until.max(now + pause.min(LONGEST_PAUSE));
        self.in_vain += 1;
        (self.empty_at, self.granted, self.cut_at) = (now, 0, newest);
    }

    /// Faster with time: twice as fast each second until it is known how fast, a little afterwards.
    fn advance(&mut self, now: f64) {
        // A pause says nothing.
        let from = self.at.max(self.paused_until);
        self.at = self.at.max(now);
        let dt = (now - from).max(0.0);
        let since = ((self.at - self.empty_at) / 5.0).max(0.0);
        let growth = GROWTH * (1.0 + since * since);
        self.rate *= if self.measured { (growth * dt).exp() } else { 2.0_f64.powf(dt) };
        self.rate = self.rate.min(1e6);
    }
}
