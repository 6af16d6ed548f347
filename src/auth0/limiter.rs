//! The clock around the pacing machine: callers wait here until a request may go. Central types: [`Limiter`], [`Ticket`].
//!
//! The machine sits behind a lock that is never held while waiting. Callers queue at a turnstile, so that they go in the
//! order in which they came; the one at its head sleeps until the machine's instant, or asks again when an answer comes.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::model::event::{Pace, ProgressSink};
use crate::model::{Measured, Outlook, Progress, TenantName};

use super::groups::{Group, Groups, Trip};
use super::outlook::Bounds;
use super::rate_headers::RateHeaders;
use super::settings::{Cap, RateShare, Reserve, Settings};
use super::share::ShareCap;

/// News of the pace are told no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(100);

pub(super) type UserCap = RateLimiter<NotKeyed, InMemoryState, Ticker, NoOpMiddleware<Duration>>;

/// Paces the requests to one tenant.
pub(crate) struct Limiter {
    state: Mutex<State>,
    /// One for each bucket.
    queues: [Queue; 2],
    /// The user's own caps, in series: a rate, and a share of the refill.
    cap: Option<Arc<UserCap>>,
    share: Option<RateShare>,
    ticker: Ticker,
    /// What the user's cap and the connections allow, whatever the tenant does.
    bounds: Bounds,
    tenant: TenantName,
    progress: ProgressSink,
}

/// What a rehearsal starts from.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) groups: Groups,
    pub(crate) now: Duration,
    pub(crate) pace: Pace,
    pub(crate) bounds: Bounds,
    /// When `remaining` was told.
    pub(crate) told_at: Duration,
}

struct Queue {
    turnstile: Semaphore,
    answered: Notify,
}

struct State {
    groups: Groups,
    pace: Pace,
    told: Option<Duration>,
    /// When an answer last told what is left in the bucket.
    remaining_at: Duration,
    in_flight: u64,
    /// Requests still to be sent, where the caller said so.
    left: Option<u64>,
    /// The share of each bucket's refill, where there is such a cap.
    shares: [ShareCap; 2],
    /// Whether the head of each queue was granted its share already, and waits for the user's rate.
    granted: [bool; 2],
}

/// The leave to send one request. Dropped without an answer, it counts as lost.
#[must_use]
pub(crate) struct Ticket<'a> {
    limiter: &'a Limiter,
    trip: Option<Trip>,
}

/// What the queue's head has to do.
enum Turn {
    Go(Trip),
    Sleep(Duration),
    /// The group has another bucket now.
    Elsewhere,
}

impl Limiter {
    pub(crate) fn new(settings: &Settings, tenant: TenantName, progress: ProgressSink) -> Self {
        let ticker = Ticker(Instant::now());
        let cap = settings.rate.and_then(|rate| rate_quota(rate, settings.burst));
        let bounds = Bounds {
            cap: cap.map(|quota| (quota.replenish_interval().as_secs_f64(), quota.burst_size().get())),
            concurrency: settings.concurrency.max(1),
        };
        let cap = cap.map(|quota| Arc::new(RateLimiter::direct_with_clock(quota, ticker.clone())));
        let queue = || Queue { turnstile: Semaphore::new(1), answered: Notify::new() };
        let (state, queues) = (Mutex::new(State::new(settings.reserve)), [queue(), queue()]);
        Self { state, queues, cap, share: settings.rate_share, ticker, bounds, tenant, progress }
    }

    /// One for calls that some tiers count in a bucket of their own: it learns by itself, and shares the user's rate with
    /// this one. Tells nobody: the pace that is shown is that of the other calls.
    pub(crate) fn beside(&self, settings: &Settings) -> Self {
        let own = Self::new(settings, self.tenant.clone(), ProgressSink::none());
        Self { cap: self.cap.clone(), ticker: self.ticker.clone(), ..own }
    }

    /// Waits until a request of `group` may go.
    pub(crate) async fn acquire(&self, group: Group) -> Ticket<'_> {
        loop {
            let index = self.state().groups.index(group);
            let [first, second] = &self.queues;
            let queue = if index == 0 { first } else { second };
            // The semaphore is never closed; should that ever change, order is lost and nothing else.
            let _turn = queue.turnstile.acquire().await.ok();
            if let Some(trip) = self.wait_for_turn(group, index, queue).await {
                return Ticket { limiter: self, trip: Some(trip) };
            }
        }
    }

    /// Tells how many requests are still to be answered, those under way included.
    pub(crate) fn expect(&self, requests: u64) {
        let mut state = self.state();
        state.left = Some(requests.saturating_sub(state.groups.under_way(Group::Write)));
    }

    /// How many writes in flight the pace needs.
    pub(crate) fn in_flight_needed(&self) -> usize {
        self.state().groups.of_writes().in_flight_needed()
    }

    /// What is known now.
    pub(crate) fn pace(&self) -> Pace {
        self.state().pace_now()
    }

    /// What was measured so far.
    pub(crate) fn measured(&self) -> Measured {
        let state = self.state();
        let refill = state.groups.gauge_of_writes().refill();
        let trip = state.groups.latency();
        Measured {
            reads: state.groups.limit(Group::Read),
            limit: state.groups.limit(Group::Write),
            refill: refill.map(|refill| refill.per_second),
            refill_error: refill.map(|refill| refill.error),
            latency: trip.map(|(mean, _)| mean),
            jitter: trip.map(|(_, spread)| spread),
        }
    }

    /// How things stand now.
    pub(crate) fn stand(&self) -> Stand {
        let now = self.ticker.now();
        let state = self.state();
        Stand {
            groups: state.groups.clone(),
            now,
            pace: state.pace,
            bounds: self.bounds,
            told_at: state.remaining_at,
        }
    }

    #[cfg(test)]
    pub(crate) fn bucket_of(&self, group: Group) -> usize {
        self.state().groups.index(group)
    }

    async fn wait_for_turn(&self, group: Group, index: usize, queue: &Queue) -> Option<Trip> {
        loop {
            match self.turn(group, index) {
                Turn::Go(trip) => return Some(trip),
                Turn::Elsewhere => return None,
                Turn::Sleep(wait) => tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = queue.answered.notified() => {}
                },
            }
        }
    }

    fn turn(&self, group: Group, index: usize) -> Turn {
        let mut state = self.state();
        if state.groups.index(group) != index {
            return Turn::Elsewhere;
        }
        let now = self.ticker.now();
        let left = state.left.unwrap_or(u64::MAX);
        let at = state.groups.next(group, now, left);
        if at > now {
            return Turn::Sleep(at - now);
        }
        if !state.granted[index] {
            if let Some(wait) =
                self.share.and_then(|share| state.over_share(&share, group, now, &self.ticker))
            {
                return Turn::Sleep(wait);
            }
            // To ask is to take: whoever is refused by the rate below must not pay twice.
            state.granted[index] = true;
        }
        if let Some(Err(not_yet)) = self.cap.as_ref().map(|cap| cap.check()) {
            return Turn::Sleep(not_yet.wait_time_from(now));
        }
        state.granted[index] = false;
        state.left = state.left.map(|left| left.saturating_sub(1));
        state.pace.requests += 1;
        state.in_flight += 1;
        Turn::Go(state.groups.depart(group, now))
    }

    fn finish(&self, trip: Trip, answer: Option<(u16, &RateHeaders)>) {
        let now = self.ticker.now();
        let news = {
            let mut state = self.state();
            state.in_flight = state.in_flight.saturating_sub(1);
            match answer {
                Some((status, headers)) => state.answered(trip, now, status, headers),
                None => state.groups.lost(trip),
            }
            state.news(now, self.bounds, self.share.as_ref())
        };
        for queue in &self.queues {
            queue.answered.notify_one();
        }
        if let Some((pace, outlook)) = news {
            self.progress.tell(Progress::Pace { tenant: self.tenant.clone(), pace, outlook });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Arithmetic alone happens under the lock; a poisoned one still holds a usable estimate.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(reserve: Reserve) -> Self {
        Self {
            groups: Groups::new(reserve),
            pace: Pace::default(),
            told: None,
            remaining_at: Duration::ZERO,
            in_flight: 0,
            left: None,
            shares: Default::default(),
            granted: [false; 2],
        }
    }

    fn answered(&mut self, trip: Trip, now: Duration, status: u16, headers: &RateHeaders) {
        let before = self.groups.index(Group::Write);
        self.groups.answered(trip, now, status, headers);
        if self.groups.index(Group::Write) != before {
            // What was known was of both groups; from here on it is of writes.
            self.pace =
                Pace { requests: self.pace.requests, throttled: self.pace.throttled, ..Pace::default() };
        }
        if let Some((limit, remaining)) = headers.bucket.filter(|_| self.groups.concerns_writes(&trip)) {
            self.pace.limit = Some(limit);
            self.pace.remaining = Some(remaining);
            self.remaining_at = now;
            self.pace.lowest = Some(self.pace.lowest.map_or(remaining, |lowest| lowest.min(remaining)));
        }
        if status == 429 {
            self.pace.throttled += 1;
            self.left = self.left.map(|left| left.saturating_add(1));
        }
    }

    /// How long a request has to wait that would take more than its share. While nothing is known of the bucket there is no
    /// share of it, and the machine lets hardly anything go.
    fn over_share(
        &mut self,
        share: &RateShare,
        group: Group,
        now: Duration,
        ticker: &Ticker,
    ) -> Option<Duration> {
        let refill = self.refill_shared(share, group)?;
        self.shares[self.groups.index(group)].check(share, refill, now, ticker)
    }

    /// The refill that a share is of. What the machine believes is none while the share keeps the bucket full: then it sees no
    /// more than what we take ourselves.
    fn refill_shared(&self, share: &RateShare, group: Group) -> Option<f64> {
        let bucket = self.groups.bucket(group);
        let measured = self.groups.gauge(group).refill().map(|refill| refill.per_second);
        let unseen = || bucket.size().is_none().then(|| bucket.refill()).flatten();
        share.refill_of(bucket, measured.or_else(unseen))
    }

    fn pace_now(&self) -> Pace {
        let measured = self.groups.gauge_of_writes().refill();
        let by_machine = || self.groups.of_writes().refill();
        Pace {
            refill: measured.map(|refill| refill.per_second).or_else(by_machine),
            refill_error: measured.map(|refill| refill.error),
            latency: self.groups.latency().map(|(mean, _)| mean),
            ..self.pace
        }
    }

    fn news(
        &mut self,
        now: Duration,
        bounds: Bounds,
        share: Option<&RateShare>,
    ) -> Option<(Pace, Option<Outlook>)> {
        let due = self.told.is_none_or(|told| now - told >= TELL_EVERY);
        due.then(|| {
            self.told = Some(now);
            let rate = share.and_then(|share| Some(share.share * self.refill_shared(share, Group::Write)?));
            let bounds = rate.map_or(bounds, |rate| bounds.within(rate));
            (self.pace_now(), bounds.outlook(&self.groups, now, self.in_flight))
        })
    }
}

impl Ticket<'_> {
    /// The answer's head came.
    pub(crate) fn answered(mut self, status: u16, headers: &RateHeaders) {
        if let Some(trip) = self.trip.take() {
            self.limiter.finish(trip, Some((status, headers)));
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(trip) = self.trip.take() {
            self.limiter.finish(trip, None);
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("tenant", &self.tenant)
            .field("pace", &self.pace())
            .finish_non_exhaustive()
    }
}

/// Time since the limiter was made, by tokio's clock, so that tests can move it.
#[derive(Debug, Clone)]
pub(super) struct Ticker(Instant);

impl Clock for Ticker {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The user's cap as governor takes it. None where it would not be a cap.
fn rate_quota(rate: Cap, burst: Option<u32>) -> Option<Quota> {
    let interval = rate.per / rate.count.get();
    let in_a_second = if interval.is_zero() { u32::MAX } else { (1.0 / interval.as_secs_f64()) as u32 };
    quota(interval, NonZeroU32::new(burst.unwrap_or(in_a_second)).unwrap_or(NonZeroU32::MIN))
}

/// One request in such a time, and so many at once.
pub(super) fn quota(interval: Duration, burst: NonZeroU32) -> Option<Quota> {
    Quota::with_period(interval).map(|quota| quota.allow_burst(burst))
}
