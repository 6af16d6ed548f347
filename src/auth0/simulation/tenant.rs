//! The tenant of a simulation: true buckets, and the headers that tell of them. Central type: [`Tenant`].

use std::time::Duration;

use super::super::groups::Group;
use super::super::rate_headers::RateHeaders;
use super::{Headers, Limit, Reset, World};

/// Rounding of virtual time must not make a whole token a refusal.
const TOLERANCE: f64 = 1e-6;

/// A token bucket that refills steadily.
#[derive(Debug)]
struct TrueBucket {
    limit: Limit,
    tokens: f64,
    at: f64,
    change: Option<(f64, Limit)>,
    /// Seconds during which it was full, and what came in was lost.
    full_for: f64,
}

impl TrueBucket {
    fn full(limit: Limit, change: Option<(f64, Limit)>) -> Self {
        Self { limit, tokens: limit.size, at: 0.0, change, full_for: 0.0 }
    }

    fn advance(&mut self, now: f64) {
        if let Some((at, limit)) = self.change.filter(|change| now >= change.0) {
            self.refill(at);
            self.limit = limit;
            self.change = None;
        }
        self.refill(now);
    }

    fn refill(&mut self, now: f64) {
        let grown = self.tokens + (now - self.at).max(0.0) * self.limit.refill;
        self.full_for += (grown - self.limit.size).max(0.0) / self.limit.refill;
        self.tokens = grown.min(self.limit.size);
        self.at = self.at.max(now);
    }

    fn has_token(&mut self, now: f64) -> bool {
        self.advance(now);
        self.tokens >= 1.0 - TOLERANCE
    }
}

/// All buckets of the tenant.
#[derive(Debug)]
pub(super) struct Tenant {
    main: TrueBucket,
    reads: Option<TrueBucket>,
    hidden: Option<TrueBucket>,
}

impl Tenant {
    pub(super) fn new(world: &World) -> Self {
        Self {
            main: TrueBucket::full(world.limit, world.change),
            reads: world.reads.map(|limit| TrueBucket::full(limit, None)),
            hidden: world.hidden.map(|limit| TrueBucket::full(limit, None)),
        }
    }

    /// A call arrives; tells whether it was let through.
    pub(super) fn take(&mut self, group: Group, now: f64) -> bool {
        let shown = match &mut self.reads {
            Some(reads) if group == Group::Read => reads,
            _ => &mut self.main,
        };
        if !shown.has_token(now) || self.hidden.as_mut().is_some_and(|hidden| !hidden.has_token(now)) {
            return false;
        }
        shown.tokens -= 1.0;
        if let Some(hidden) = &mut self.hidden {
            hidden.tokens -= 1.0;
        }
        true
    }

    /// Tokens that are there for writes.
    pub(super) fn level(&mut self, now: f64) -> f64 {
        self.main.advance(now);
        self.main.tokens
    }

    /// Seconds during which the bucket for writes was full.
    pub(super) fn full_for(&self) -> f64 {
        self.main.full_for
    }

    /// What the answer to a call at `now` says, if the tenant says anything then.
    pub(super) fn headers(&self, world: &World, group: Group, granted: bool, now: f64) -> RateHeaders {
        let told = match world.headers {
            Headers::Never => false,
            Headers::Until(end) => now < end,
            Headers::NotOnRefusals => granted,
            Headers::Always | Headers::AllButOneIn(_) => true,
        };
        let retry_after = world.retry_after.filter(|_| !granted).map(|s| Duration::from_secs(s.into()));
        if !told {
            return RateHeaders { retry_after, ..RateHeaders::default() };
        }
        let bucket = match &self.reads {
            Some(reads) if group == Group::Read => reads,
            _ => &self.main,
        };
        let server_now = 1.7e9 + now + world.skew + 0.37;
        let missing = match world.reset {
            Reset::Full => bucket.limit.size - bucket.tokens,
            Reset::NextCall => (1.0 - bucket.tokens).max(0.0),
        };
        let reset = (server_now + missing / bucket.limit.refill).ceil();
        let remaining = (bucket.tokens + TOLERANCE).max(0.0) as u64;
        RateHeaders {
            bucket: Some((bucket.limit.size as u64, remaining)),
            reset_in: Some(Duration::from_secs_f64((reset - server_now.floor()).max(0.0))),
            retry_after,
        }
    }
}
