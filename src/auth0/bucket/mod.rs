//! The pacing machine: when may the next request go, so that the tenant's bucket is used to the reserve and never beyond?
//! Pure: time comes in as a duration since some start, and nothing here waits. Central type: [`Bucket`].
//!
//! The tenant says the size of its bucket and what is left in it, never how fast it refills, and others take from it as
//! well. `level.rs` estimates both from what answers say, `pace.rs` says when to send on that estimate, `unseen.rs` how fast
//! where nothing but refusals tells. Here is what answers and refusals mean to them.
//! The constants were found by simulation (`cargo bench --bench pacing`).

mod latency;
mod level;
mod pace;
#[cfg(test)]
mod tests;
mod unseen;

use std::collections::BTreeSet;
use std::time::Duration;

use latency::Latency;
use level::{Correction, Level};
use pace::Pace;
use unseen::Unseen;

use super::rate_headers::RateHeaders;
use super::settings::{MOST_IN_FLIGHT, Reserve};

/// A sender that was late by no more than this may catch up: timers are coarse, and the pace is meant on average.
const CATCH_UP: f64 = 0.005;
/// Seconds without an answer after which another request goes all the same; doubled each time.
const LONG_IN_COMING: f64 = 2.0;
/// Bounds of what is kept in flight, and the refill of the largest published tier per second.
const FEWEST_IN_FLIGHT: usize = 32;
const FASTEST_PUBLISHED: f64 = 10_000.0;
/// So many successes in a row without headers mean that the tenant sends none any more.
const HEADERS_ARE_GONE: u32 = 16;

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
    latency: Option<Latency>,
    /// Requests up to this number say nothing more about a slope that was raised, or cut, since.
    raised_at: u64,
    cut_at: u64,
    /// An answer from a bucket that was not full has been seen.
    seen_below_full: bool,
    /// Raises of the slope since.
    raises: i32,
    penalty: f64,
    penalised_at: f64,
    paused_until: f64,
    /// A bucket that refuses and of which no header tells: the only one, or a second one.
    unseen: Option<Unseen>,
    /// Successes without headers since the last answer with them.
    bare: u32,
    /// When the last answer said that a token is there for certain.
    certain_token_at: Option<f64>,
    refill_seen: f64,
    refill_seen_at: Option<f64>,
    /// Most requests in flight while little is known of the bucket, and of who else draws on it.
    window: f64,
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
            raises: 0,
            penalty: 0.0,
            penalised_at: 0.0,
            paused_until: 0.0,
            unseen: None,
            bare: 0,
            certain_token_at: None,
            refill_seen: 0.0,
            refill_seen_at: None,
            window: 1.0,
        }
    }

    /// Estimated net refill in tokens per second, once twelve tokens of refill were seen: then it is right within some 5 %.
    pub(crate) fn refill(&self) -> Option<f64> {
        let unseen = self.unseen.as_ref().map(Unseen::refill);
        match &self.level {
            Some(level) if self.refill_seen >= 12.0 => {
                Some(unseen.flatten().map_or(level.slope, |unseen| unseen.min(level.slope)))
            }
            Some(_) => None,
            None => unseen.flatten(),
        }
    }

    /// Tokens above what is left alone, counting as taken whatever is under way; and the fastest that it lets requests go.
    pub(crate) fn room(&self, now: Duration) -> Option<(f64, f64)> {
        let level = self.level.as_ref()?;
        let pace = self.pace()?;
        let since = (now.as_secs_f64() - level.at).max(0.0);
        let tokens = (level.tokens + level.slope * since).min(level.size);
        Some((tokens - pace.gate, pace.fastest()))
    }

    /// Its size, where the tenant tells it.
    pub(crate) fn size(&self) -> Option<f64> {
        self.level.as_ref().map(|level| level.size)
    }

    /// Refill per second of the slowest published tier with such a bucket.
    pub(crate) fn slowest_published(&self) -> Option<f64> {
        self.size().map(level::slowest_published)
    }

    /// Requests in flight that the pace needs (Little's law), with some to spare. Where nothing is paced, more would only
    /// queue at the tenant.
    pub(crate) fn in_flight_needed(&self) -> usize {
        let (Some(level), Some(latency)) = (&self.level, self.latency) else { return FEWEST_IN_FLIGHT };
        // Where there is no limit to speak of, slow answers are of our own making.
        let limited = level.size <= FASTEST_PUBLISHED;
        let latency = if limited { latency.mean } else { latency.least };
        let needed = 2.0 * level.slope.min(FASTEST_PUBLISHED) * latency;
        (needed as usize + 8).clamp(FEWEST_IN_FLIGHT, MOST_IN_FLIGHT)
    }

    /// Estimated tokens, and the level below which nothing is sent.
    pub(crate) fn level(&self) -> Option<(f64, f64)> {
        self.pace().map(|pace| (pace.tokens, pace.gate))
    }

    /// When the next request may go if `left` are still to be sent; an answer before then can change it.
    pub(crate) fn next(&mut self, now: Duration, left: u64) -> Duration {
        let now = now.as_secs_f64();
        let mut free = match self.level {
            Some(_) => self.paced(now, left).max(self.after_window()),
            None if self.silent || self.in_flight == 0 => now,
            None => self.after_window(),
        };
        if let Some(unseen) = &mut self.unseen {
            free = free.max(unseen.instant(now, self.last_departure));
        }
        // The pause after a refusal binds every path.
        Duration::try_from_secs_f64(free.max(self.paused_until).max(now)).unwrap_or(Duration::MAX)
    }

    /// An answer more, or the certainty that none comes: a little more may be in flight than before.
    fn widen(&mut self) {
        if self.level.is_some() {
            self.window += 1.0;
        }
    }

    /// While too many answers are awaited, another request goes only if they are long in coming.
    fn after_window(&self) -> f64 {
        let over = self.in_flight as f64 - self.window;
        if over < 0.0 { 0.0 } else { self.last_departure + LONG_IN_COMING * 2.0_f64.powf(over.min(10.0)) }
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

    /// A request that went before this bucket was known for one of its own takes a token of it all the same.
    pub(crate) fn adopt(&mut self, departure: Departure) -> Departure {
        self.departures += 1;
        self.in_flight += 1;
        Departure { number: self.departures, held_back: false, ..departure }
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
        self.widen();
        let took = (now - departure.at).max(0.0);
        match &mut self.latency {
            Some(latency) => latency.note(took),
            None => self.latency = Some(Latency::first(took)),
        }
        if status == 429 {
            return self.on_refusal(departure, now, headers);
        }
        if let Some(unseen) = &mut self.unseen {
            unseen.granted(departure.number);
        }
        if let Some((limit, remaining)) = headers.bucket {
            self.bare = 0;
            self.on_reading(departure, now, limit as f64, remaining as f64);
            let certain = headers.reset_in.filter(|wait| !wait.is_zero());
            self.certain_token_at = certain.map(|wait| now + wait.as_secs_f64());
        } else if (200..300).contains(&status) {
            // Only a success tells: errors may come without headers from a tenant that sends them otherwise.
            self.bare += 1;
            self.without_headers(now);
        }
    }

    /// A success came without headers: the tenant sends none, or none any more.
    fn without_headers(&mut self, now: f64) {
        match &self.level {
            None => self.silent = true,
            Some(level) if self.bare >= HEADERS_ARE_GONE => {
                self.unseen = Some(Unseen::known(now, level.slope));
                (self.level, self.silent) = (None, true);
            }
            Some(_) => {}
        }
    }

    /// No answer came. Whether it took a token is unknown; that it did is the safe guess, and the next answer tells.
    pub(crate) fn lost(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.widen();
    }

    /// The first instant at which level and pace allow a request.
    fn paced(&mut self, now: f64, left: u64) -> f64 {
        if let Some(level) = &mut self.level {
            level.advance(now);
        }
        let Some(pace) = self.pace() else { return now };
        let by_level = if pace.ends_with(left) {
            pace.last_instant(now, self.last_departure)
        } else {
            pace.instant(now, self.last_departure)
        };
        match self.certain_token_at {
            // That token may be one of the reserve: only the smallest buckets, which have none, need it to move at all.
            Some(at) if self.in_flight == 0 && self.readings < 4 && !self.keeps_reserve() => by_level.min(at),
            _ => by_level,
        }
    }

    fn keeps_reserve(&self) -> bool {
        self.size().is_some_and(|size| self.reserve.of(size) > 0.0)
    }

    fn pace(&self) -> Option<Pace> {
        let level = self.level.as_ref()?;
        Some(Pace::new(level, self.reserve, self.latency, self.penalty_at(level.at)))
    }

    fn penalty_at(&self, now: f64) -> f64 {
        self.penalty * 0.5_f64.powf((now - self.penalised_at) / 20.0)
    }

    /// Whether a request that goes at `now` went as soon as it was allowed to, and when it was allowed to by its pace.
    fn was_held_back(&mut self, now: f64) -> (bool, f64) {
        if let Some(level) = &mut self.level {
            level.advance(now);
        }
        let (Some(pace), Some(level)) = (self.pace(), &self.level) else { return (true, now) };
        let interval = 1.0 / pace.now();
        let planned = self.last_departure + interval;
        let by_pace = now - planned <= (0.5 * interval).max(0.003);
        let by_gate = pace.tokens - pace.gate <= (0.010 * level.slope).max(0.25);
        (by_pace || by_gate, planned)
    }

    fn on_reading(&mut self, departure: Departure, now: f64, limit: f64, remaining: f64) {
        // A request that went later has already told more.
        if departure.number <= self.newest {
            return;
        }
        self.newest = departure.number;
        self.readings += 1;
        let left = remaining - self.taken_after(departure.number);
        if limit <= 1.0 {
            // It reads the same whether it was full or not.
            self.silent = true;
            self.unseen.get_or_insert_with(|| Unseen::new(now));
            return;
        }
        let Some(level) = &mut self.level else { return self.begin(Level::first(limit, left, now)) };
        level.advance(now);
        level.resize(limit);
        let latency = self.latency.unwrap_or(Latency::first(0.0));
        let since_taken = (now - departure.at - 0.5 * latency.least).max(0.0);
        let reading = left + level.slope * since_taken;
        // When within its trip a request took its token is not known.
        let blur = 0.3 * level.slope * latency.spread();
        if remaining >= limit - 1.0 {
            self.on_full(departure, reading, blur);
        } else {
            self.seen_below_full = true;
            self.raises = 0;
            let variance = 1.0 / 12.0 + blur.powi(2);
            level.correct(Correction { reading: reading + 0.5, variance });
            self.refill_seen += level.slope * self.refill_seen_at.map_or(0.0, |before| now - before);
            self.refill_seen_at = Some(now);
        }
    }

    /// The first answer that tells: a few requests go next, in case others begin at the same time.
    fn begin(&mut self, level: Level) {
        self.level = Some(level);
        self.unseen = None;
        let spare = self.pace().map_or(0.0, |pace| pace.tokens - pace.gate);
        self.window = self.window.max(0.2 * spare);
    }

    /// The bucket was full: whatever came in was lost, so it can be more than was thought.
    fn on_full(&mut self, departure: Departure, reading: f64, blur: f64) {
        let Some(level) = &mut self.level else { return };
        let proven = departure.held_back
            && departure.number > self.raised_at
            && reading + 0.5 - level.tokens > 2.0 * blur;
        let factor = match (self.seen_below_full, level.size <= 3.0) {
            _ if !proven => 1.0,
            (true, _) => 1.15_f64.powi(self.raises + 1),
            (false, true) => 1.3,
            (false, false) => 2.0,
        };
        if level.was_full(reading, factor, self.seen_below_full) {
            self.raised_at = self.departures;
            self.raises = (self.raises + 1).min(5);
        }
        self.refill_seen_at = None;
    }

    fn on_refusal(&mut self, departure: Departure, now: f64, headers: &RateHeaders) {
        self.refused.insert(departure.number);
        if let (None, Some((2.., 0))) = (&self.level, headers.bucket) {
            self.begin(Level::first(headers.bucket.map_or(0.0, |(limit, _)| limit as f64), 0.0, now));
        }
        match &mut self.level {
            // With tokens left it was another bucket that refused.
            Some(level) if headers.bucket.is_some_and(|(_, remaining)| remaining > 0) => {
                level.advance(now);
                level.tokens += 1.0;
                self.on_unseen_refusal(departure, now, headers);
            }
            Some(_) => self.on_empty(departure, now, headers),
            None => self.on_unseen_refusal(departure, now, headers),
        }
    }

    /// A refusal that says nothing else of this bucket: nobody goes before the next token is there, or before it was asked to.
    pub(crate) fn hold(&mut self, now: Duration, retry_after: Option<Duration>) {
        let next_token = self.level.as_ref().map_or(1.0, |level| 1.0 / level.slope);
        let wait = retry_after.map_or(next_token, |wait| wait.as_secs_f64());
        self.paused_until = self.paused_until.max(now.as_secs_f64() + wait);
    }

    /// The bucket had less than one token.
    fn on_empty(&mut self, departure: Departure, now: f64, headers: &RateHeaders) {
        let later = self.taken_after(departure.number);
        let penalty = self.penalty_at(now);
        let Some(level) = &mut self.level else { return };
        level.advance(now);
        if departure.number > self.newest {
            self.newest = departure.number;
            let reading = level.slope * (now - departure.at) + 0.5 - later;
            level.tokens = (level.tokens + 1.0).min(reading);
        }
        if departure.number > self.cut_at {
            level.cut();
            self.cut_at = self.departures;
            (self.penalty, self.penalised_at) = (penalty + 1.0, now);
        }
        let wait = headers.retry_after.map_or(1.0 / level.slope, |wait| wait.as_secs_f64());
        self.paused_until = self.paused_until.max(now + wait);
    }

    fn on_unseen_refusal(&mut self, departure: Departure, now: f64, headers: &RateHeaders) {
        let unseen = self.unseen.get_or_insert_with(|| Unseen::new(now));
        unseen.refused(departure.number, self.departures, now, headers.retry_after);
    }

    /// Requests that went after number `number` and took a token, or will.
    fn taken_after(&mut self, number: u64) -> f64 {
        self.refused = self.refused.split_off(&self.newest.min(number));
        let refused = self.refused.range(number + 1..).count() as u64;
        self.departures.saturating_sub(number).saturating_sub(refused) as f64
    }
}
