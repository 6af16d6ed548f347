//! The token bucket of a tenant: pure, with the time as an argument. Central type: [`Bucket`].

use std::collections::VecDeque;
use std::time::Duration;

use super::tier::{Limit, Limits};
use super::traffic::{Competing, Stream};

/// Another limit that comes into force in mid-run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitChange {
    /// When, counted from the tenant's first API call.
    pub after: Duration,
    /// What holds from then on.
    pub limits: Limits,
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

/// Tokens that refill steadily.
#[derive(Debug, Clone, Copy)]
struct Pool {
    limit: Limit,
    tokens: f64,
}

impl Pool {
    fn full(limit: Limit) -> Self {
        Self { limit, tokens: f64::from(limit.burst) }
    }

    fn refill(&mut self, seconds: f64) {
        let grown = self.tokens + seconds * self.limit.per_second;
        self.tokens = grown.min(f64::from(self.limit.burst));
    }

    /// Seconds until so many tokens are there.
    fn until(&self, tokens: f64) -> f64 {
        (tokens - self.tokens).max(0.0) / self.limit.per_second
    }

    fn share(&self) -> f64 {
        self.tokens / f64::from(self.limit.burst)
    }
}

/// A bucket, or two of which every call takes a token each, with other traffic drawing on them as well.
#[derive(Debug)]
pub(super) struct Bucket {
    first: Pool,
    second: Option<Pool>,
    /// Seconds since the start, up to which the tokens are right.
    at: f64,
    /// When the tenant's first API call came.
    began: Option<f64>,
    changes: VecDeque<LimitChange>,
    streams: Vec<Stream>,
    seed: u64,
    /// Fewest whole tokens that any call left behind.
    pub(super) lowest: u32,
    /// Competing calls that found a token.
    pub(super) competing_served: u64,
    /// Competing calls that found none.
    pub(super) competing_throttled: u64,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            first: Pool::full(limits.first),
            second: limits.second.map(Pool::full),
            at: 0.0,
            began: None,
            changes: VecDeque::new(),
            streams: Vec::new(),
            seed,
            lowest: limits.first.burst,
            competing_served: 0,
            competing_throttled: 0,
        }
    }

    /// Replaces the other traffic, from `now` on.
    pub(super) fn set_competing(&mut self, competing: &[Competing], now: Duration) {
        self.advance(now);
        let stream = |(seed, one): (u64, &Competing)| Stream::new(*one, self.at, self.began, seed);
        self.streams = (self.seed..).zip(competing).map(stream).collect();
    }

    /// Replaces the changes to come.
    pub(super) fn set_changes(&mut self, mut changes: Vec<LimitChange>) {
        changes.sort_by_key(|change| change.after);
        self.changes = changes.into();
    }

    /// The tenant's first API call comes now.
    pub(super) fn begin(&mut self, now: Duration) {
        let at = now.as_secs_f64();
        self.began = Some(at);
        self.streams.iter_mut().for_each(|stream| stream.begin(at));
    }

    /// One call arrives.
    pub(super) fn take(&mut self, now: Duration) -> Taken {
        self.advance(now);
        let granted = self.draw();
        let shown = self.shown(granted);
        let remaining = shown.tokens as u32;
        self.lowest = self.lowest.min(remaining);
        Taken {
            granted,
            limit: shown.limit.burst,
            remaining,
            full_in: shown.until(f64::from(shown.limit.burst)),
            next_in: shown.until(1.0),
        }
    }

    /// Brings the bucket up to `now`: each competing call takes its token at its own instant.
    pub(super) fn advance(&mut self, now: Duration) {
        let now = now.as_secs_f64();
        loop {
            let change = self.next_change().unwrap_or(f64::INFINITY);
            let stream = self.streams.iter_mut().min_by(|a, b| a.next().total_cmp(&b.next()));
            let call = stream.as_ref().map_or(f64::INFINITY, |stream| stream.next());
            if change.min(call) > now {
                break;
            }
            match stream {
                Some(stream) if call < change => {
                    stream.pass();
                    self.refill(call);
                    self.compete();
                }
                _ => self.change(change),
            }
        }
        self.refill(now);
    }

    fn compete(&mut self) {
        if self.draw() {
            self.competing_served += 1;
        } else {
            self.competing_throttled += 1;
        }
    }

    fn next_change(&self) -> Option<f64> {
        Some(self.began? + self.changes.front()?.after.as_secs_f64())
    }

    /// Another limit holds from this instant on. What was saved is kept as far as it fits.
    fn change(&mut self, at: f64) {
        self.refill(at);
        let Some(LimitChange { limits, .. }) = self.changes.pop_front() else { return };
        let kept = |old: Option<Pool>, limit| match old {
            Some(old) => Pool { limit, tokens: old.tokens.min(f64::from(limit.burst)) },
            None => Pool::full(limit),
        };
        self.first = kept(Some(self.first), limits.first);
        self.second = limits.second.map(|limit| kept(self.second, limit));
    }

    fn refill(&mut self, to: f64) {
        // Two calls may be timed in one order and take the lock in the other.
        if to > self.at {
            let seconds = to - self.at;
            self.pools().for_each(|pool| pool.refill(seconds));
            self.at = to;
        }
    }

    /// Takes a token of each pool, or of none.
    fn draw(&mut self) -> bool {
        let granted = self.pools().all(|pool| pool.tokens >= 1.0);
        if granted {
            self.pools().for_each(|pool| pool.tokens -= 1.0);
        }
        granted
    }

    /// The pool that an answer speaks of: the one that refused, else the one of which the smaller share is left.
    fn shown(&self, granted: bool) -> Pool {
        let Some(second) = self.second else { return self.first };
        let first_has_less = if granted {
            self.first.share() <= second.share()
        } else {
            self.first.until(1.0) >= second.until(1.0)
        };
        if first_has_less { self.first } else { second }
    }

    fn pools(&mut self) -> impl Iterator<Item = &mut Pool> {
        std::iter::once(&mut self.first).chain(&mut self.second)
    }
}

#[cfg(test)]
mod tests;
