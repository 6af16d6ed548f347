//! The token bucket of a tenant: pure, with the time as an argument. Central type: [`Bucket`].

use std::time::Duration;

use super::tier::Limit;

/// Other traffic on the same bucket: the production that a run must not starve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Competing {
    /// Calls a second.
    pub per_second: f64,
    /// Whether they come at random (Poisson) rather than evenly.
    pub random: bool,
}

/// What one call got from the bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    /// Whether a token was there; without one the call is answered 429.
    pub(super) granted: bool,
    /// The bucket's size.
    pub(super) limit: u32,
    /// Whole tokens left.
    pub(super) remaining: u32,
    /// Seconds until the bucket is full.
    pub(super) full_in: f64,
    /// Seconds until a token is there.
    pub(super) next_in: f64,
}

/// A bucket that refills steadily, with other traffic drawing on it.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: Limit,
    tokens: f64,
    /// Seconds since the start, up to which `tokens` is right.
    at: f64,
    competing: Option<Competing>,
    next_competing: f64,
    rng: fastrand::Rng,
    /// Fewest whole tokens that any call left behind.
    pub(super) lowest: u32,
    /// Competing calls that found a token.
    pub(super) competing_served: u64,
    /// Competing calls that found none.
    pub(super) competing_throttled: u64,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(limit: Limit, seed: u64) -> Self {
        Self {
            limit,
            tokens: f64::from(limit.burst),
            at: 0.0,
            competing: None,
            next_competing: f64::INFINITY,
            rng: fastrand::Rng::with_seed(seed),
            lowest: limit.burst,
            competing_served: 0,
            competing_throttled: 0,
        }
    }

    /// Replaces the other traffic, from `now` on.
    pub(super) fn set_competing(&mut self, competing: Option<Competing>, now: Duration) {
        self.advance(now);
        self.competing = competing;
        self.next_competing = match competing {
            Some(competing) => self.at + self.gap(competing),
            None => f64::INFINITY,
        };
    }

    /// One call arrives.
    pub(super) fn take(&mut self, now: Duration) -> Taken {
        self.advance(now);
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        let remaining = self.tokens as u32;
        self.lowest = self.lowest.min(remaining);
        let rate = self.limit.per_second;
        Taken {
            granted,
            limit: self.limit.burst,
            remaining,
            full_in: (f64::from(self.limit.burst) - self.tokens).max(0.0) / rate,
            next_in: (1.0 - self.tokens).max(0.0) / rate,
        }
    }

    /// Brings the bucket up to `now`: each competing call takes its token at its own instant.
    pub(super) fn advance(&mut self, now: Duration) {
        let now = now.as_secs_f64();
        while let Some(competing) = self.competing.filter(|_| self.next_competing <= now) {
            self.refill(self.next_competing);
            if self.tokens >= 1.0 {
                self.tokens -= 1.0;
                self.competing_served += 1;
            } else {
                self.competing_throttled += 1;
            }
            self.next_competing += self.gap(competing);
        }
        self.refill(now);
    }

    fn refill(&mut self, to: f64) {
        // Two calls may be timed in one order and take the lock in the other.
        if to > self.at {
            let grown = self.tokens + (to - self.at) * self.limit.per_second;
            self.tokens = grown.min(f64::from(self.limit.burst));
            self.at = to;
        }
    }

    fn gap(&mut self, competing: Competing) -> f64 {
        let mean = 1.0 / competing.per_second;
        if competing.random { -mean * (1.0 - self.rng.f64()).ln() } else { mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(burst: u32, per_second: f64) -> Bucket {
        Bucket::new(Limit { burst, per_second }, 1)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_full_bucket_serves_its_burst_and_then_one_call_per_refill() {
        let mut bucket = bucket(3, 2.0);
        assert!((0..3).all(|_| bucket.take(ms(0)).granted));
        let refused = bucket.take(ms(0));
        assert!(!refused.granted);
        assert_eq!((refused.remaining, refused.full_in, refused.next_in), (0, 1.5, 0.5));
        assert!(!bucket.take(ms(499)).granted);
        assert!(bucket.take(ms(500)).granted);
        assert!(!bucket.take(ms(500)).granted);
        assert_eq!(bucket.lowest, 0);
    }

    #[test]
    fn competing_calls_take_tokens_at_their_own_instants() {
        let mut bucket = bucket(10, 4.0);
        bucket.set_competing(Some(Competing { per_second: 2.0, random: false }), ms(0));
        for _ in 0..10 {
            bucket.take(ms(0));
        }
        // Four a second come, two a second go: after 5 s ten tokens, less one that a competing call has just taken.
        assert_eq!(bucket.take(ms(4_900)).remaining, 9);
        assert_eq!(bucket.competing_throttled, 0);
        for _ in 0..10 {
            bucket.take(ms(4_900));
        }
        bucket.advance(ms(5_000));
        assert_eq!(bucket.competing_throttled, 1, "the bucket was empty when production called");
    }

    proptest! {
        #[test]
        fn no_more_calls_are_served_than_burst_and_refill_allow(
            burst in 1_u32..60, rate in 1_u32..50, gaps in prop::collection::vec(0_u64..200, 1..200),
        ) {
            let mut bucket = bucket(burst, f64::from(rate));
            let mut now = 0;
            let mut served = 0_u32;
            for gap in gaps {
                now += gap;
                served += u32::from(bucket.take(ms(now)).granted);
                let most = f64::from(burst) + now as f64 / 1000.0 * f64::from(rate) + 1e-6;
                prop_assert!(f64::from(served) <= most);
            }
        }
    }
}
