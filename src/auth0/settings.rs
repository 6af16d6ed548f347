//! How a tenant is talked to. Central type: [`Settings`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::bucket::Bucket;
use super::transport::HttpClients;

/// Most requests that are ever of use in flight to one tenant.
pub const MOST_IN_FLIGHT: usize = 256;

/// Time-outs, retries, and how much of the tenant's rate limit may be taken.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For one request, from the first byte sent to the last received.
    pub timeout: Duration,
    /// For opening a connection, TLS included.
    pub connect_timeout: Duration,
    /// How often one request is tried again after a failure. Refusals by the rate limit (429) do not count.
    pub max_retries: u32,
    /// Waits between tries.
    pub backoff: Backoff,
    /// What is left of the tenant's bucket for production traffic.
    pub reserve: Reserve,
    /// A cap by the user, on top of what the tenant's headers allow.
    pub rate: Option<Cap>,
    /// How many requests may go at once under `rate`; without it, what `rate` allows in a second. It does nothing without `rate`.
    pub burst: Option<u32>,
    /// A cap at a share of the tenant's refill, on top of what the tenant's headers allow.
    pub rate_share: Option<RateShare>,
    /// How many requests may be in flight, whatever they are for; so many idle connections are kept.
    pub concurrency: usize,
    /// The `User-Agent`; a run adds its id.
    pub user_agent: String,
    /// Seed of the jitter.
    pub seed: u64,
    /// HTTP clients; all connections that are opened with clones of these settings share them.
    pub clients: HttpClients,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_retries: 5,
            backoff: Backoff::default(),
            reserve: Reserve::Share(0.2),
            rate: None,
            burst: None,
            rate_share: None,
            concurrency: MOST_IN_FLIGHT,
            user_agent: concat!("patchwave/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: 0,
            clients: HttpClients::default(),
        }
    }
}

/// Waits between tries: a random time up to `base · 2ⁿ`, and not above `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of every wait.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

/// Tokens of the tenant's bucket that are never taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reserve {
    /// A share of the bucket's size, 0 to 1. On a bucket of 2 a fifth is nothing, so that a run still moves.
    Share(f64),
    /// So many tokens, but never the whole bucket.
    Tokens(u32),
}

impl Reserve {
    /// Whole tokens to leave in a bucket of `size`.
    pub(crate) fn of(self, size: f64) -> f64 {
        let wanted = match self {
            Self::Share(share) => (share.clamp(0.0, 1.0) * size + 1e-9).floor(),
            Self::Tokens(tokens) => f64::from(tokens),
        };
        wanted.min(size - 1.0).max(0.0)
    }
}

/// At most so many requests in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// How many.
    pub count: NonZeroU32,
    /// In how long; must not be zero.
    pub per: Duration,
}

/// A cap at a share of the tenant's refill. What others take is off the refill already, as far as it was seen, so that the
/// share is of what they leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateShare {
    /// Above 0, to 1.
    pub share: f64,
    /// Bucket size, and refill per second, as an earlier run learned them.
    pub learned: Option<(u64, f64)>,
}

impl RateShare {
    /// The refill that the share is of: as learned in this run, else by an earlier one of a bucket of the same size, else that
    /// of the slowest published tier with such a bucket.
    pub(crate) fn refill_of(&self, bucket: &Bucket, measured: Option<f64>) -> Option<f64> {
        let earlier = || self.learned.filter(|(limit, _)| bucket.size() == Some(*limit as f64));
        measured.or_else(|| Some(earlier()?.1)).or_else(|| bucket.slowest_published())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_small_buckets_leaves_something_to_take() {
        let reserve = |size| Reserve::Share(0.2).of(size);
        assert_eq!([reserve(50.0), reserve(10.0), reserve(2.0), reserve(1.0)], [10.0, 2.0, 0.0, 0.0]);
        assert_eq!(Reserve::Tokens(80).of(10.0), 9.0);
        assert_eq!(Reserve::Share(1.0).of(10.0), 9.0);
    }
}
