//! A run ahead of time: a copy of the pacing machine, as it stands, sends in virtual time to a tenant that is taken to be so
//! and so. What a run costs beside its tokens (the first trip, the ramp, the last answer) is then in the forecast without a
//! second description of the machine. Pure: nothing is sent. Central type: [`Rehearsal`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::groups::{Group, Groups, Trip};
use super::limiter::Stand;
use super::outlook::Bounds;
use super::rate_headers::RateHeaders;

/// Requests of a phase that are rehearsed one by one, beside twice the bucket; the others go at the steady pace.
const ONE_BY_ONE: u64 = 500;
const MOST_ONE_BY_ONE: u64 = 20_000;
/// Pages of one list that are asked for at once.
const READS_BESIDE: usize = 4;
/// Nothing answers faster.
const LEAST_TRIP: f64 = 0.000_2;

/// The tenant as it is taken to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Size of the bucket that writes draw on; `None` where the tenant tells of no limit.
    pub limit: Option<u64>,
    /// Its refill in tokens per second, others' takes off.
    pub refill: f64,
    /// Size and refill of the bucket of reads, where it is another.
    pub reads: Option<(u64, f64)>,
    /// Seconds from a request to its answer: mean and standard deviation.
    pub latency: (f64, f64),
    /// Requests per second that the user allows at the most.
    pub cap: Option<f64>,
}

/// A run in virtual time.
#[derive(Debug)]
pub struct Rehearsal {
    groups: Groups,
    /// Seconds by the machine's clock.
    now: f64,
    began: f64,
    /// Seconds at the steady pace that were not gone through one by one.
    skipped: f64,
    writes: Option<Tub>,
    /// Where it is another than that of writes.
    reads: Option<Tub>,
    latency: (f64, f64),
    bounds: Bounds,
    /// When the user's cap will have forgotten what was sent.
    cap_spent_until: f64,
    dice: fastrand::Rng,
    flights: Vec<Flight>,
    events: BinaryHeap<Reverse<(u64, usize, Event)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive,
    Answer,
}

#[derive(Debug)]
struct Flight {
    trip: Trip,
    group: Group,
    answer_at: f64,
    status: u16,
    headers: RateHeaders,
}

/// A token bucket.
#[derive(Debug, Clone, Copy)]
struct Tub {
    size: f64,
    refill: f64,
    tokens: f64,
    at: f64,
}

impl Rehearsal {
    pub(crate) fn new(stand: Stand, conditions: &Conditions, seed: u64) -> Self {
        let Stand { groups, now, pace, mut bounds, told_at } = stand;
        bounds.cap = slower(bounds.cap, conditions.cap);
        let now = now.as_secs_f64();
        let left = |size: u64, refill: f64| Tub {
            size: size as f64,
            refill,
            tokens: pace.remaining.unwrap_or(size).min(size) as f64,
            at: told_at.as_secs_f64(),
        };
        let full = |size: u64, refill: f64| Tub { size: size as f64, refill, tokens: size as f64, at: now };
        let writes = conditions.limit.map(|size| match conditions.reads {
            Some(_) => full(size, conditions.refill),
            None => left(size, conditions.refill),
        });
        let spent = bounds.cap.map_or(0.0, |(interval, burst)| {
            (pace.requests as f64 * interval).min(now + f64::from(burst) * interval)
        });
        Self {
            groups,
            now,
            began: now,
            skipped: 0.0,
            writes,
            reads: conditions.reads.map(|(size, refill)| left(size, refill)),
            latency: (conditions.latency.0.max(LEAST_TRIP), conditions.latency.1),
            bounds,
            cap_spent_until: spent,
            dice: fastrand::Rng::with_seed(seed),
            flights: Vec::new(),
            events: BinaryHeap::new(),
        }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64(self.now - self.began + self.skipped).unwrap_or_default()
    }

    /// Nothing is sent until so long after the beginning.
    pub fn wait_until(&mut self, elapsed: Duration) {
        self.now = self.now.max(self.began + elapsed.as_secs_f64() - self.skipped);
    }

    /// Sends so many writes, and waits for the last answer.
    pub fn write(&mut self, count: u64) {
        // A bucket that one cannot get to the bottom of is no bound.
        let bound = self.writes.filter(|tub| tub.size < count as f64);
        let size = bound.map_or(0.0, |tub| tub.size);
        let one_by_one = count.min((2.0 * size) as u64 + ONE_BY_ONE).min(MOST_ONE_BY_ONE);
        self.phase(Group::Write, one_by_one, self.bounds.concurrency, &mut |_, _, _| ());
        let by_bucket = bound.map_or(f64::INFINITY, |tub| tub.refill);
        let by_cap = self.bounds.cap.map_or(f64::INFINITY, |(interval, _)| 1.0 / interval);
        let by_connections = self.bounds.in_flight(&self.groups) as f64 / self.latency.0;
        self.skipped += (count - one_by_one) as f64 / by_bucket.min(by_cap).min(by_connections);
    }

    /// Sends so many reads of one list: the first alone, then several beside each other.
    pub fn read(&mut self, count: u64) {
        self.phase(Group::Read, count.min(1), 1, &mut |_, _, _| ());
        let one_by_one = count.saturating_sub(1).min(MOST_ONE_BY_ONE);
        self.phase(Group::Read, one_by_one, READS_BESIDE, &mut |_, _, _| ());
    }

    /// Sends so many requests. `watch` is told after each answer how many are left to be sent, and how many are in flight.
    fn phase(&mut self, group: Group, count: u64, beside: usize, watch: &mut dyn FnMut(&Self, u64, u64)) {
        self.flights.clear();
        let (mut left, mut in_flight) = (count, 0);
        while left + in_flight > 0 {
            let room =
                if group == Group::Write { beside.min(self.bounds.in_flight(&self.groups)) } else { beside };
            let may_go = left > 0 && in_flight < room as u64;
            let goes = may_go.then(|| self.departure(group, left)).flatten();
            let next = self.events.peek().map(|Reverse((nanos, ..))| *nanos as f64 / 1e9);
            match (goes, next) {
                (Some(at), next) if next.is_none_or(|next| at <= next) => {
                    self.now = self.now.max(at);
                    self.depart(group);
                    (left, in_flight) = (left - 1, in_flight + 1);
                }
                (_, Some(at)) => {
                    self.now = self.now.max(at);
                    if let Some(refused) = self.take_event() {
                        in_flight -= 1;
                        left += u64::from(refused);
                        watch(self, left, in_flight);
                    }
                }
                // The machine never waits with nothing in flight; should it ever, a forecast must not hang.
                (_, None) => return,
            }
        }
    }

    /// When the machine and the cap let the next request go.
    fn departure(&mut self, group: Group, left: u64) -> Option<f64> {
        let now = Duration::try_from_secs_f64(self.now).ok()?;
        let at = self.groups.next(group, now, left);
        let by_cap = self.bounds.cap.map_or(0.0, |(interval, burst)| {
            self.cap_spent_until - f64::from(burst.saturating_sub(1)) * interval
        });
        Some(at.as_secs_f64().max(by_cap))
    }

    fn depart(&mut self, group: Group) {
        let trip = self.groups.depart(group, Duration::try_from_secs_f64(self.now).unwrap_or_default());
        if let Some((interval, _)) = self.bounds.cap {
            self.cap_spent_until = self.cap_spent_until.max(self.now) + interval;
        }
        let (mean, deviation) = self.latency;
        let off = 3.0_f64.sqrt() * deviation * (2.0 * self.dice.f64() - 1.0);
        let takes = (mean + off).max(0.2 * mean);
        let answer_at = self.now + takes;
        let (status, headers) = (200, RateHeaders::default());
        self.flights.push(Flight { trip, group, answer_at, status, headers });
        self.schedule(self.now + 0.5 * takes, self.flights.len() - 1, Event::Arrive);
    }

    fn schedule(&mut self, time: f64, flight: usize, event: Event) {
        self.events.push(Reverse(((time * 1e9).ceil() as u64, flight, event)));
    }

    /// Deals with the next event. Of an answer, tells whether it is a refusal.
    fn take_event(&mut self) -> Option<bool> {
        let Reverse((_, at, event)) = self.events.pop()?;
        let now = self.now;
        let flight = self.flights.get_mut(at)?;
        if event == Event::Arrive {
            let tub = match flight.group {
                Group::Read if self.reads.is_some() => self.reads.as_mut(),
                _ => self.writes.as_mut(),
            };
            if let Some(tub) = tub {
                (flight.status, flight.headers) = tub.take(now);
            }
            let answer_at = flight.answer_at;
            self.schedule(answer_at, at, Event::Answer);
            return None;
        }
        let (trip, status, headers) = (flight.trip, flight.status, flight.headers);
        self.groups.answered(trip, Duration::try_from_secs_f64(now).unwrap_or_default(), status, &headers);
        Some(status == 429)
    }
}

/// The slower of the limiter's cap and of another in requests per second, which lets what it allows in a second go at once.
fn slower(own: Option<(f64, u32)>, other: Option<f64>) -> Option<(f64, u32)> {
    let other = other.filter(|rate| *rate > 0.0).map(|rate| (1.0 / rate, (rate as u32).max(1)));
    match (own, other) {
        (Some(own), Some(other)) if own.0 >= other.0 => Some(own),
        (own, other) => other.or(own),
    }
}

impl Tub {
    /// A request arrives: its status, and what the headers say.
    fn take(&mut self, now: f64) -> (u16, RateHeaders) {
        self.tokens = (self.tokens + (now - self.at).max(0.0) * self.refill).min(self.size);
        self.at = self.at.max(now);
        let there = self.tokens >= 1.0 - 1e-6;
        if there {
            self.tokens -= 1.0;
        }
        let full_in = ((self.size - self.tokens) / self.refill.max(1e-3)).ceil();
        let headers = RateHeaders {
            bucket: Some((self.size as u64, (self.tokens + 1e-6).max(0.0) as u64)),
            reset_in: Duration::try_from_secs_f64(full_in).ok(),
            ..RateHeaders::default()
        };
        (if there { 200 } else { 429 }, headers)
    }
}

#[cfg(test)]
mod tests;
