//! How long a run will take: what a forecast says, on what it is based, and what is published of tenants that no run has
//! measured yet. Central types: [`Forecast`] and [`Basis`].

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a run will take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Requests it sends if nothing needs repeating: the writes, and the reads that come while it runs.
    pub requests: u64,
    /// The shortest time that is to be expected; `None` where nothing is known.
    pub shortest: Option<Duration>,
    /// The longest; the same, where the limit was measured.
    pub longest: Option<Duration>,
    /// On what that is based.
    #[serde(default)]
    pub basis: Basis,
}

/// What a forecast is based on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// Nothing: the tenant was not read.
    #[default]
    Nothing,
    /// The net refill as it was measured.
    Measured {
        /// Tokens per second.
        refill: f64,
        /// When; `None` where that was not kept.
        at: Option<Timestamp>,
    },
    /// What is published of buckets of this size.
    Published {
        /// The size.
        limit: u64,
        /// Tokens per second at the least.
        slowest: f64,
        /// And at the most.
        fastest: f64,
    },
    /// A bucket of a size that nothing is published of: from the slowest to the fastest published refill of any, by size.
    Unpublished {
        /// The size.
        limit: u64,
        /// Tokens per second at the least.
        slowest: f64,
        /// And at the most.
        fastest: f64,
    },
    /// The user's own cap, which is the slower.
    OwnCap {
        /// Requests per second.
        rate: f64,
    },
    /// No limit that could be seen: as fast as answers come.
    Answers,
}

/// A bucket that a tenant may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Supposed {
    /// Its size.
    pub limit: u64,
    /// Tokens per second.
    pub refill: f64,
}

/// The published bucket that writes draw on where reads draw on one of `limit`, at the slowest and at the fastest (Auth0,
/// "Rate Limit Configurations", August 2026). `None` where nothing is published of this size.
pub fn published(limit: u64) -> Option<(Supposed, Supposed)> {
    let of = |limit, slow, fast| Some((Supposed { limit, refill: slow }, Supposed { limit, refill: fast }));
    match limit {
        2 => of(2, 2.0, 2.0),
        // Where reads of clients have a bucket of 5, writes have one of 10.
        5 => Some((Supposed { limit: 5, refill: 25.0 / 60.0 }, Supposed { limit: 10, refill: 150.0 / 60.0 })),
        10 => of(10, 100.0 / 60.0, 150.0 / 60.0),
        20 => of(20, 200.0 / 60.0, 20.0),
        50 => of(50, 16.0, 50.0),
        250..=5000 => of(limit, limit as f64, limit as f64),
        _ => None,
    }
}

/// What nothing is published of: published buckets of any size are full again after 1 to 12 seconds.
pub fn unpublished(limit: u64) -> (Supposed, Supposed) {
    let limit_per_second = limit as f64;
    (Supposed { limit, refill: limit_per_second / 12.0 }, Supposed { limit, refill: limit_per_second })
}

/// Widens a range from the published limits so that it holds the actual time: how fast the way to the tenant is was told by a
/// few reads alone, and answers under load are slower than one by itself.
pub fn widened(shortest: Duration, longest: Duration, trip: Duration) -> (Duration, Duration) {
    let shortest = shortest.mul_f64(0.95).saturating_sub(trip.mul_f64(0.5));
    (shortest, longest.mul_f64(1.05) + trip.mul_f64(1.5) + Duration::from_millis(200))
}

impl Forecast {
    /// Of a tenant in which nothing is to be done, or of which nothing is known.
    pub fn unknown(requests: u64) -> Self {
        Self { requests, shortest: None, longest: None, basis: Basis::Nothing }
    }

    /// A run of several tenants takes as long as the slowest of them. Its basis is that of the one which takes longest.
    pub fn of_run(tenants: impl IntoIterator<Item = Self>) -> Option<Self> {
        tenants.into_iter().filter(|tenant| tenant.requests > 0).reduce(|run, tenant| {
            let slower = if tenant.longest > run.longest { tenant } else { run };
            Self {
                requests: run.requests + tenant.requests,
                shortest: run.shortest.zip(tenant.shortest).map(|(one, other)| one.max(other)),
                longest: run.longest.zip(tenant.longest).map(|(one, other)| one.max(other)),
                basis: slower.basis,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn takes(requests: u64, shortest: u64, longest: u64) -> Forecast {
        let (shortest, longest) = (seconds(shortest), seconds(longest));
        Forecast { requests, shortest, longest, basis: Basis::Answers }
    }

    #[test]
    fn a_run_takes_as_long_as_its_slowest_tenant_and_sends_what_all_of_them_need() {
        let run = Forecast::of_run([takes(100, 5, 16), takes(40, 8, 9), Forecast::unknown(0)]).unwrap();
        assert_eq!((run.requests, run.shortest, run.longest), (140, seconds(8), seconds(16)));
        assert_eq!(Forecast::of_run([Forecast::unknown(0)]), None);
    }

    #[test]
    fn a_run_of_which_one_tenant_is_unknown_is_unknown() {
        let run = Forecast::of_run([takes(100, 5, 16), Forecast::unknown(3)]).unwrap();
        assert_eq!((run.requests, run.longest), (103, None));
    }

    #[test]
    fn every_published_refill_is_within_the_range_of_its_size() {
        // Size of the bucket of reads; size and refill of that of writes.
        let tiers =
            [(2, 2, 2.0), (5, 10, 2.5), (50, 50, 16.0), (10, 10, 2.0), (20, 20, 20.0), (50, 50, 50.0)];
        let large = [250, 750, 1500, 3000, 5000].map(|size| (size, size, size as f64));
        for (reads, limit, refill) in tiers.into_iter().chain(large) {
            let (slow, fast) = published(reads).unwrap();
            assert!(slow.refill <= refill && refill <= fast.refill && limit <= fast.limit, "{reads}");
        }
        assert_eq!(published(7), None);
    }
}
