//! The pacing machine: when may the next request go, so that the tenant's bucket is used to the reserve and never beyond?
//! Pure: time comes in as a duration since some start, and nothing here waits. Central type: [`Bucket`].
//!
//! The tenant says the size of its bucket and what is left in it, never how fast it refills, and others take from it as
//! well. `level.rs` estimates both from what answers say; here is when to send on that estimate, and what refusals mean.
//! The constants were found by simulation, on buckets of 2 to 5,000 tokens and latencies of 20 to 600 ms.

mod level;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use level::{Correction, Level};

use super::rate_headers::RateHeaders;
use super::settings::Reserve;

/// A sender that was late by no more than this may catch up: timers are coarse, and the pace is meant on average.
const CATCH_UP: f64 = 0.005;
/// First wait after a refusal by a bucket of which nothing else is known, doubled each time up to the longest.
const BLIND_PAUSE: f64 = 1.0;
const LONGEST_BLIND_PAUSE: f64 = 30.0;

/// When the next request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Then, or now if that is past.
    At(Duration),
    /// When an answer has come. Never said while nothing is in flight.
    AfterAnswer,
}

/// A request under way, to be handed back with its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Departure {
    number: u64,
    at: f64,
    /// The machine, and not the caller's own slowness, decided when it went.
    held_back: bool,
}

/// One tenant's token bucket as seen from here.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    reserve: Reserve,
    /// None until the first answer with headers.
    level: Option<Level>,
    /// The tenant answers well and sends no headers: nothing to go by.
    silent: bool,
    in_flight: u64,
    departures: u64,
    last_departure: f64,
    /// Departure number of the newest answer used.
    newest: u64,
    /// Departures refused: they took no token.
    refused: BTreeSet<u64>,
    readings: u32,
    /// Smoothed and least time from departure to answer.
    latency: Option<(f64, f64)>,
    /// Requests up to this number say nothing more about a slope that was raised, or cut, since.
    raised_at: u64,
    cut_at: u64,
    /// An answer from a bucket that was not full has been seen.
    seen_below_full: bool,
    penalty: f64,
    penalty_at: f64,
    paused_until: f64,
    blind_refusals: i32,
    /// When the last answer said that a token is there for certain.
    certain_token_at: Option<f64>,
    refill_seen: f64,
    refill_seen_at: Option<f64>,
}

impl Bucket {
    pub(crate) fn new(reserve: Reserve) -> Self {
        Self {
            reserve,
            level: None,
            silent: false,
            in_flight: 0,
            departures: 0,
            last_departure: 0.0,
            newest: 0,
            refused: BTreeSet::new(),
            readings: 0,
            latency: None,
            raised_at: 0,
            cut_at: 0,
            seen_below_full: false,
            penalty: 0.0,
            penalty_at: 0.0,
            paused_until: 0.0,
            blind_refusals: 0,
            certain_token_at: None,
            refill_seen: 0.0,
            refill_seen_at: None,
        }
    }

    /// Estimated net refill in tokens per second, once twelve tokens of refill were seen: then it is right within some 5 %.
    pub(crate) fn refill(&self) -> Option<f64> {
        self.level.as_ref().filter(|_| self.refill_seen >= 12.0).map(|level| level.slope)
    }

    /// Tokens above what is left alone, counting as taken whatever is under way; and the fastest that it lets requests go.
    pub(crate) fn room(&self, now: Duration) -> Option<(f64, f64)> {
        let level = self.level.as_ref()?;
        let pace = self.pace();
        let since = (now.as_secs_f64() - level.at).max(0.0);
        let tokens = (level.tokens + level.slope * since).min(level.size);
        Some((tokens - pace.gate, pace.at(level.size)))
    }

    /// When the next request may go if `left` are still to be sent.
    pub(crate) fn next(&mut self, now: Duration, left: u64) -> Next {
        let now = now.as_secs_f64();
        let free = match self.level {
            Some(_) => self.paced(now, left),
            None if self.silent || self.in_flight == 0 => now,
            None => return Next::AfterAnswer,
        };
        // The pause after a refusal binds every path.
        Next::At(Duration::try_from_secs_f64(free.max(self.paused_until).max(now)).unwrap_or(Duration::MAX))
    }

    /// A request goes now.
    pub(crate) fn depart(&mut self, now: Duration) -> Departure {
        let now = now.as_secs_f64();
        let (held_back, planned) = self.was_held_back(now);
        if let Some(level) = &mut self.level {
            level.advance(now);
            level.tokens -= 1.0;
        }
        self.departures += 1;
        self.in_flight += 1;
        self.last_departure = planned.clamp(now - CATCH_UP, now);
        Departure { number: self.departures, at: now, held_back }
    }

    /// The answer came; `status` 429 is a refusal.
    pub(crate) fn answered(
        &mut self,
        departure: Departure,
        now: Duration,
        status: u16,
        headers: &RateHeaders,
    ) {
        let now = now.as_secs_f64();
        self.in_flight = self.in_flight.saturating_sub(1);
        self.note_latency(now - departure.at);
        if status == 429 {
            self.on_refusal(departure, now, headers);
        } else if let Some((limit, remaining)) = headers.bucket {
            self.on_reading(departure, now, limit as f64, remaining as f64);
            let certain = headers.reset_in.filter(|wait| !wait.is_zero());
            self.certain_token_at = certain.map(|wait| now + wait.as_secs_f64());
        } else if self.level.is_none() && (200..300).contains(&status) {
            // Only a success tells: errors may come without headers from a tenant that sends them otherwise.
            self.silent = true;
            self.blind_refusals = 0;
        }
    }

    /// No answer came. Whether it took a token is unknown; that it did is the safe guess, and the next answer tells.
    pub(crate) fn lost(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The first instant at which level and pace allow a request.
    fn paced(&mut self, now: f64, left: u64) -> f64 {
        let Some(level) = &mut self.level else { return now };
        level.advance(now);
        let pace = self.pace();
        let by_level = pace.instant(now, self.last_departure, (left as f64) <= pace.tokens - pace.gate);
        match self.certain_token_at {
            Some(at) if self.in_flight == 0 && self.readings < 4 => by_level.min(at),
            _ => by_level,
        }
    }

    fn pace(&self) -> Pace {
        let (size, slope, tokens) =
            self.level.as_ref().map_or((1.0, 1.0, 0.0), |l| (l.size, l.slope, l.tokens));
        let surprise = self.level.as_ref().map_or(0.0, |l| l.surprise);
        let at = self.level.as_ref().map_or(0.0, |l| l.at);
        let penalty = self.penalty * 0.5_f64.powf((at - self.penalty_at) / 20.0);
        let guard = (0.44 + (0.75 * surprise.sqrt()).min(1.5) + penalty).min(0.3 * size);
        let gate = (self.reserve.of(size) + 1.0 + guard).min(size - 0.05);
        let gate = if size <= 1.0 { 1.0 } else { gate };
        let latency = self.latency.map_or(f64::INFINITY, |(smooth, _)| smooth.max(1e-6));
        Pace {
            size,
            slope,
            tokens,
            gate,
            // Size over five is the same number for every runner on this bucket: it alone makes their shares equal.
            gain: 0.5 * (size / 5.0).max(slope) / (0.4 * (size - gate)).clamp(1e-3, 4.0),
            cap: slope.max((2.0 * size).min(0.05 * size / latency)),
        }
    }

    /// Whether a request that goes at `now` went as soon as it was allowed to, and when it was allowed to by its pace.
    fn was_held_back(&mut self, now: f64) -> (bool, f64) {
        let Some(level) = &mut self.level else { return (true, now) };
        level.advance(now);
        let pace = self.pace();
        let interval = 1.0 / pace.at(pace.tokens);
        let planned = self.last_departure + interval;
        let by_pace = now - planned <= (0.5 * interval).max(0.003);
        let by_gate = pace.tokens - pace.gate <= (0.010 * pace.slope).max(0.25);
        (by_pace || by_gate, planned)
    }

    fn on_reading(&mut self, departure: Departure, now: f64, limit: f64, remaining: f64) {
        // A request that went later has already told more.
        if departure.number <= self.newest {
            return;
        }
        self.newest = departure.number;
        self.readings += 1;
        let later = self.taken_after(departure.number);
        let (smooth, least) = self.latency.unwrap_or_default();
        let Some(level) = &mut self.level else {
            self.level = Some(Level::first(limit, remaining - later, now));
            return;
        };
        level.advance(now);
        level.resize(limit);
        let since_taken = (now - departure.at - 0.5 * least).max(0.0);
        if remaining >= limit - 1.0 {
            let raise = departure.held_back && departure.number > self.raised_at;
            let factor = match (self.seen_below_full, limit <= 3.0) {
                _ if !raise => 1.0,
                (true, _) => 1.15,
                (false, true) => 1.3,
                (false, false) => 2.0,
            };
            let raised =
                level.was_full(remaining - later + level.slope * since_taken, factor, self.seen_below_full);
            if raised {
                self.raised_at = self.departures;
            }
            self.refill_seen_at = None;
        } else {
            self.seen_below_full = true;
            level.correct(Correction {
                reading: remaining + 0.5 - later + level.slope * since_taken,
                variance: 1.0 / 12.0 + (0.3 * level.slope * (smooth - least)).powi(2),
            });
            self.refill_seen += level.slope * self.refill_seen_at.map_or(0.0, |before| now - before);
            self.refill_seen_at = Some(now);
        }
    }

    fn on_refusal(&mut self, departure: Departure, now: f64, headers: &RateHeaders) {
        self.refused.insert(departure.number);
        if let (None, Some((limit, _))) = (&self.level, headers.bucket) {
            self.level = Some(Level::first(limit as f64, 0.0, now));
        }
        let newer = departure.number > self.newest;
        let later = self.taken_after(departure.number);
        let Some(level) = &mut self.level else { return self.pause_blindly(now, headers) };
        level.advance(now);
        if newer {
            self.newest = departure.number;
            let reading = level.slope * (now - departure.at) + 0.5 - later;
            level.tokens = (level.tokens + 1.0).min(reading);
        }
        if departure.number > self.cut_at {
            level.cut();
            self.cut_at = self.departures;
            self.penalty = self.penalty * 0.5_f64.powf((now - self.penalty_at) / 20.0) + 1.0;
            self.penalty_at = now;
        }
        let wait = headers.retry_after.map_or(1.0 / level.slope, |wait| wait.as_secs_f64());
        self.paused_until = self.paused_until.max(now + wait);
    }

    /// A refusal, and no headers ever: one request at a time, after ever longer waits, until one succeeds.
    fn pause_blindly(&mut self, now: f64, headers: &RateHeaders) {
        self.silent = false;
        let wait = (BLIND_PAUSE * 2.0_f64.powi(self.blind_refusals.min(10))).min(LONGEST_BLIND_PAUSE);
        self.blind_refusals += 1;
        let wait = headers.retry_after.map_or(wait, |wait| wait.as_secs_f64());
        self.paused_until = self.paused_until.max(now + wait);
    }

    /// Requests that went after number `number` and took a token, or will.
    fn taken_after(&mut self, number: u64) -> f64 {
        self.refused = self.refused.split_off(&self.newest.min(number));
        let refused = self.refused.range(number + 1..).count() as u64;
        self.departures.saturating_sub(number).saturating_sub(refused) as f64
    }

    fn note_latency(&mut self, seconds: f64) {
        let seconds = seconds.max(0.0);
        let (smooth, least) = self.latency.unwrap_or((seconds, seconds));
        self.latency = Some((smooth + 0.2 * (seconds - smooth), least.min(seconds)));
    }
}

/// How fast to send at a given level: slowly near the gate, faster the fuller the bucket.
#[derive(Debug, Clone, Copy)]
struct Pace {
    size: f64,
    slope: f64,
    tokens: f64,
    gate: f64,
    /// Additional requests per second for each token above the gate.
    gain: f64,
    cap: f64,
}

impl Pace {
    /// Requests per second with `tokens` in the bucket.
    fn at(&self, tokens: f64) -> f64 {
        0.5 * self.slope + (self.gain * (tokens - self.gate).max(0.0)).min(self.cap)
    }

    /// The first instant at which the gate is open and the pace, which rises while one waits, allows another request.
    fn instant(&self, now: f64, last: f64, the_end_is_near: bool) -> f64 {
        let waited = now - last;
        let to_gate = ((self.gate - self.tokens) / self.slope).max(0.0);
        let to_cap = 1.0 / (0.5 * self.slope + self.cap) - waited;
        if the_end_is_near {
            return now + to_gate.max(to_cap).max(0.0);
        }
        let to_full = 1.0 / (0.5 * self.slope + self.gain * (self.size - self.gate)) - waited;
        now + to_gate.max(to_cap).max(to_full).max(self.by_rising_pace(waited)).max(0.0)
    }

    /// Solves `(waited + x) · (½·slope + gain·(tokens + slope·x − gate)) = 1` for `x`.
    fn by_rising_pace(&self, waited: f64) -> f64 {
        let at_once = 0.5 * self.slope + self.gain * (self.tokens - self.gate);
        let (a, b, c) =
            (self.gain * self.slope, self.gain * self.slope * waited + at_once, waited * at_once - 1.0);
        // The parabola opens upwards: its larger root is where the pace catches up for good.
        (-b + (b * b - 4.0 * a * c).max(0.0).sqrt()) / (2.0 * a)
    }
}
