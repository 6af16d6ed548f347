//! The published rate limits of the Management API by subscription (Auth0, "Rate Limit Configurations").

use std::str::FromStr;

use super::call::{Call, Target};

/// A token bucket's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// Tokens that come back each second.
    pub per_second: f64,
}

/// One bucket, or two of which every call needs a token each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The first, or only one.
    pub first: Limit,
    /// The other, such as one that refills by the minute beside one that does by the second.
    pub second: Option<Limit>,
}

/// What a tenant's subscription allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// What every call draws on that has no bucket of its own.
    pub main: Limits,
    /// The bucket of reads of clients, on subscriptions that count them apart.
    pub reads: Option<Limit>,
    /// The bucket of reads of the tenant's log, on the same.
    pub logs: Option<Limit>,
    /// Further buckets, of calls about other kinds, on the same.
    pub apart: &'static [Apart],
    /// Whether answers carry `x-ratelimit-*` headers.
    pub headers: bool,
}

/// A bucket of some calls about one kind of object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apart {
    kind: &'static str,
    calls: Counted,
    pub(super) limit: Limit,
}

/// Which calls a bucket is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Reads,
    /// Every write, or all but deletions where these are counted apart again.
    Writes,
    Deletions,
}

impl Apart {
    /// Whether the call draws on it; of several the first counts.
    pub(super) fn is_for(&self, target: &Target) -> bool {
        let call = target.call;
        target.kind.name == self.kind
            && match self.calls {
                Counted::Reads => call.reads(),
                Counted::Writes => call.writes(),
                Counted::Deletions => call == Call::Delete,
            }
    }
}

/// A tier that is neither a name nor figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no tier is called `{text}`; there are {}, or figures such as `50,16/s` (burst, refill), two of them as in `10,5/s+50,100/min`",
    tier_names()
)]
pub struct TierError {
    text: String,
}

const fn alone(first: Limit) -> Limits {
    Limits { first, second: None }
}

const fn per_second(burst: u32, per_second: f64) -> Tier {
    Tier { main: alone(Limit { burst, per_second }), reads: None, logs: None, apart: &[], headers: true }
}

const fn per_minute(burst: u32, per_minute: f64) -> Limit {
    Limit { burst, per_second: per_minute / 60.0 }
}

const ESSENTIALS: Tier = Tier {
    main: alone(per_minute(10, 150.0)),
    reads: Some(per_minute(5, 100.0)),
    logs: Some(per_minute(10, 100.0)),
    apart: &[
        Apart { kind: "connections", calls: Counted::Reads, limit: per_minute(5, 50.0) },
        Apart { kind: "users", calls: Counted::Reads, limit: per_minute(40, 500.0) },
        Apart { kind: "users", calls: Counted::Deletions, limit: per_minute(20, 200.0) },
        Apart { kind: "users", calls: Counted::Writes, limit: per_minute(20, 200.0) },
        Apart { kind: "organizations", calls: Counted::Writes, limit: per_minute(5, 25.0) },
    ],
    headers: true,
};

/// So large that nothing can empty it, and still a number that clients can read.
const UNLIMITED: Tier = per_second(1_000_000, 1_000_000.0);

const TIERS: [(&str, Tier); 14] = [
    ("free", per_second(2, 2.0)),
    ("essentials", ESSENTIALS),
    ("professional", ESSENTIALS),
    ("enterprise", per_second(50, 16.0)),
    ("enterprise-nonprod", per_second(10, 2.0)),
    ("private-cloud-dev", per_second(20, 20.0)),
    ("private-cloud-100", per_second(50, 50.0)),
    ("private-cloud-500", per_second(250, 250.0)),
    ("private-cloud-1500", per_second(750, 750.0)),
    ("private-cloud-3000", per_second(1500, 1500.0)),
    ("private-cloud-6000", per_second(3000, 3000.0)),
    ("private-cloud-10000", per_second(5000, 5000.0)),
    ("unlimited", UNLIMITED),
    ("no-headers", Tier { headers: false, ..UNLIMITED }),
];

fn tier_names() -> String {
    TIERS.map(|(name, _)| name).join(", ")
}

impl Tier {
    /// The names that can be parsed, smallest subscription first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TIERS.iter().map(|(name, _)| *name)
    }

    /// One bucket for all calls.
    pub const fn custom(burst: u32, refill_per_second: f64) -> Self {
        per_second(burst, refill_per_second)
    }

    /// A bucket that is never empty.
    pub const fn unlimited() -> Self {
        UNLIMITED
    }
}

impl Default for Tier {
    /// An enterprise production tenant.
    fn default() -> Self {
        per_second(50, 16.0)
    }
}

impl FromStr for Tier {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Self, TierError> {
        if let Some((_, tier)) = TIERS.iter().find(|(name, _)| *name == text) {
            return Ok(*tier);
        }
        let main = parse_limits(text).ok_or_else(|| TierError { text: text.to_owned() })?;
        Ok(Self { main, reads: None, logs: None, apart: &[], headers: true })
    }
}

/// Reads `50,16/s`, or two such joined by `+`.
pub(super) fn parse_limits(text: &str) -> Option<Limits> {
    let one = |text: &str| {
        let (burst, refill) = text.split_once(',')?;
        let burst = burst.trim().parse::<u32>().ok().filter(|burst| *burst > 0)?;
        Some(Limit { burst, per_second: parse_rate(refill.trim())? })
    };
    match text.split_once('+') {
        None => one(text).map(alone),
        Some((first, second)) => Some(Limits { first: one(first)?, second: Some(one(second)?) }),
    }
}

/// Reads `16/s` or `150/min` as a number a second; it must be above zero.
pub(super) fn parse_rate(text: &str) -> Option<f64> {
    let (count, unit) = text.split_once('/')?;
    let count = count.parse::<f64>().ok().filter(|count| count.is_finite() && *count > 0.0)?;
    match unit {
        "s" => Some(count),
        "min" => Some(count / 60.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_and_figures_do_too() {
        for name in Tier::names() {
            name.parse::<Tier>().unwrap();
        }
        assert_eq!("50,16/s".parse(), Ok(Tier::default()));
        assert_eq!("10,150/min".parse(), Ok(Tier::custom(10, 2.5)));
        let two = "10,2/s+60,60/min".parse::<Tier>().unwrap().main;
        assert_eq!(two.first, Limit { burst: 10, per_second: 2.0 });
        assert_eq!(two.second, Some(Limit { burst: 60, per_second: 1.0 }));
    }

    #[test]
    fn an_unknown_tier_is_refused_with_the_list() {
        for text in ["gold", "50", "0,1/s", "5,0/s", "5,1/h", "5,NaN/s", "5,1/s+", "5,1/s+5,1/s+5,1/s"] {
            let message = text.parse::<Tier>().unwrap_err().to_string();
            assert!(message.contains(text) && message.contains("enterprise-nonprod"), "{message}");
        }
    }
}
