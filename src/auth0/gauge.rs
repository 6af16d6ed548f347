//! What was measured of a bucket over a whole run, for forecasts. The pacing machine has an estimate of its own, which follows
//! every change at once and is noisy for that. Pure. Central types: [`Gauge`] and [`Trips`].
//!
//! `remaining` and our own takes together grow with the net refill while the bucket is not full; rounding is the only noise,
//! and a line through all readings averages it out. Each time the bucket was full, or nobody knows who took a token, another
//! line of the same slope begins.

use std::time::Duration;

/// Refill that must have been seen before the slope says anything.
const ENOUGH: f64 = 8.0;
/// Variance of a reading: whole tokens are told of what is not whole.
const ROUNDING: f64 = 1.0 / 12.0;
/// Answers of requests that were under way together err together: their number says less than it seems to.
const TOGETHER: f64 = 1.5;
/// No measurement is better than this share of itself: the tenant's own clock is not.
const LEAST_ERROR: f64 = 0.003;
/// From such a level on a bucket is as good as full.
const BRIM: f64 = 0.9;
/// How much refill the estimate of the present remembers half of.
const MEMORY: f64 = 64.0;

/// A refill in tokens per second, with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slope {
    pub(crate) per_second: f64,
    pub(crate) error: f64,
    /// Tokens of refill that were seen.
    pub(crate) seen: f64,
}

/// A request that was counted, to be handed back with its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    number: u64,
    at: Duration,
    stretch: u32,
}

/// Measures one bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge {
    sent: u64,
    stretch: u32,
    limit: Option<u64>,
    whole: Line,
    recent: Line,
}

impl Gauge {
    /// A request goes now.
    pub(crate) fn depart(&mut self, now: Duration) -> Mark {
        self.sent += 1;
        Mark { number: self.sent, at: now, stretch: self.stretch }
    }

    /// It was answered: with the size of the bucket and what is left in it, where the headers said.
    pub(crate) fn answered(&mut self, mark: Mark, status: u16, bucket: Option<(u64, u64)>) {
        if status == 429 {
            return self.begin_anew();
        }
        let Some((limit, remaining)) = bucket else { return };
        if self.limit.is_some_and(|before| before != limit) {
            // What was measured was of another bucket.
            (self.whole, self.recent) = (Line::default(), Line::default());
        }
        // Near the brim it may have been full between two readings, whoever took what is missing: nothing is seen then of what
        // comes in.
        if self.limit != Some(limit) || remaining + 1 >= limit || remaining as f64 > BRIM * limit as f64 {
            self.limit = Some(limit);
            return self.begin_anew();
        }
        if mark.stretch != self.stretch {
            return;
        }
        // A request that takes longer to arrive finds more refill, and more of ours that overtook it: at a pace like the refill
        // the two cancel, so that the time of its departure is the one to go by.
        let sent = mark.at.as_secs_f64();
        let level = remaining as f64 + 0.5 + mark.number as f64;
        self.whole.add(sent, level, 0.0);
        self.recent.add(sent, level, MEMORY);
    }

    /// No answer came: whether a token was taken is not known.
    pub(crate) fn lost(&mut self) {
        self.begin_anew();
    }

    /// The refill over all that was seen.
    pub(crate) fn refill(&self) -> Option<Slope> {
        self.whole.slope()
    }

    /// The refill of late.
    pub(crate) fn refill_of_late(&self) -> Option<Slope> {
        self.recent.slope()
    }

    fn begin_anew(&mut self) {
        self.stretch += 1;
        self.whole.begin_anew();
        self.recent.begin_anew();
    }
}

/// Least squares with a slope in common for stretches that have each a height of its own.
#[derive(Debug, Clone, Default)]
struct Line {
    /// Of the stretch under way: weight, means, time of the last reading.
    weight: f64,
    mean_t: f64,
    mean_y: f64,
    last: f64,
    /// Sums of products about the means, of all stretches.
    tt: f64,
    ty: f64,
    yy: f64,
    /// Weights, less one for each mean.
    freedom: f64,
    /// Time that was covered.
    covered: f64,
}

impl Line {
    /// Adds the level `y` at time `t`. What is `memory` tokens of refill old counts half; 0 forgets nothing.
    fn add(&mut self, t: f64, y: f64, memory: f64) {
        let begun = self.weight > 0.0;
        let passed = if begun { (t - self.last).max(0.0) } else { 0.0 };
        if memory > 0.0 && self.tt > 0.0 {
            self.fade(0.5_f64.powf((self.ty / self.tt).max(0.0) * passed / memory));
        }
        self.freedom += f64::from(u8::from(begun));
        self.covered += passed;
        self.last = if begun { self.last.max(t) } else { t };
        self.weight += 1.0;
        let (dt, dy) = (t - self.mean_t, y - self.mean_y);
        self.mean_t += dt / self.weight;
        self.mean_y += dy / self.weight;
        self.tt += dt * (t - self.mean_t);
        self.ty += dt * (y - self.mean_y);
        self.yy += dy * (y - self.mean_y);
    }

    fn fade(&mut self, by: f64) {
        for sum in [&mut self.weight, &mut self.tt, &mut self.ty, &mut self.yy, &mut self.freedom] {
            *sum *= by;
        }
    }

    fn begin_anew(&mut self) {
        (self.weight, self.mean_t, self.mean_y) = (0.0, 0.0, 0.0);
    }

    fn slope(&self) -> Option<Slope> {
        let per_second = self.ty / self.tt;
        let seen = per_second * self.covered;
        if !per_second.is_finite() || per_second <= 0.0 || seen < ENOUGH {
            return None;
        }
        let scatter = ((self.yy - self.ty * per_second) / (self.freedom - 1.0).max(1.0)).max(ROUNDING);
        let error = TOGETHER * (scatter / self.tt).sqrt();
        Some(Slope { per_second, error: error.max(LEAST_ERROR * per_second), seen })
    }
}

/// Times from requests to their answers: mean and spread (Welford).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trips {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Trips {
    pub(crate) fn add(&mut self, seconds: f64) {
        self.count += 1.0;
        let off = seconds - self.mean;
        self.mean += off / self.count;
        self.squares += off * (seconds - self.mean);
    }

    /// Mean and standard deviation, in seconds.
    pub(crate) fn told(&self) -> Option<(f64, f64)> {
        (self.count > 0.0).then(|| (self.mean, (self.squares / (self.count - 1.0).max(1.0)).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends evenly at `pace` into a bucket that refills by `refill`, from full on, and measures.
    fn measured(size: f64, refill: f64, pace: f64, requests: u64) -> Gauge {
        let mut gauge = Gauge::default();
        let mut tokens = size;
        for sent in 0..requests {
            let now = Duration::from_secs_f64(sent as f64 / pace);
            if sent > 0 {
                tokens = (tokens + refill / pace).min(size);
            }
            tokens -= 1.0;
            let mark = gauge.depart(now);
            gauge.answered(mark, 200, Some((size as u64, tokens.max(0.0) as u64)));
        }
        gauge
    }

    /// A run that its share keeps slow, beside production: the bucket overflows between two readings, and yet no reading is of
    /// a full one.
    #[test]
    fn a_bucket_that_others_keep_from_the_brim_tells_nothing_of_what_flows_over() {
        let mut gauge = Gauge::default();
        for second in 0..60_u64 {
            let mark = gauge.depart(Duration::from_secs(second));
            gauge.answered(mark, 200, Some((50, 46 + second % 2)));
        }
        assert_eq!(gauge.refill(), None);
    }

    #[test]
    fn the_refill_is_known_to_three_percent_after_sixteen_tokens_of_it() {
        for (size, refill) in [(50.0, 16.0), (10.0, 2.5), (20.0, 20.0), (50.0, 13.7), (5.0, 1.67)] {
            let pace = refill + (size - 2.0) * refill / 16.0;
            let requests = size as u64 + 16;
            let slope = measured(size, refill, pace, requests).refill().unwrap();
            let off = (slope.per_second / refill - 1.0).abs();
            assert!(off < 0.03, "{size} + {refill}: {slope:?}");
        }
    }

    #[test]
    fn a_full_bucket_tells_nothing_of_its_refill() {
        assert_eq!(measured(50.0, 16.0, 10.0, 200).refill(), None);
    }

    #[test]
    fn stretches_between_which_the_bucket_was_full_add_up() {
        let mut gauge = Gauge::default();
        let (mut tokens, mut now) = (10.0_f64, 0.0);
        for _ in 0..4 {
            for _ in 0..12 {
                tokens -= 1.0;
                let mark = gauge.depart(Duration::from_secs_f64(now));
                let left = tokens as u64;
                gauge.answered(mark, 200, Some((10, left)));
                now += 0.2;
                tokens += 0.4;
            }
            now += 20.0;
            tokens = 10.0;
        }
        let slope = gauge.refill().unwrap();
        assert!((slope.per_second - 2.0).abs() < 0.1, "{slope:?}");
    }

    #[test]
    fn a_lost_answer_and_a_refusal_bend_no_line() {
        for status in [None, Some(429)] {
            let mut gauge = measured(50.0, 16.0, 60.0, 55);
            let before = gauge.refill().unwrap().per_second;
            let mark = gauge.depart(Duration::from_secs(1));
            match status {
                None => gauge.lost(),
                Some(status) => gauge.answered(mark, status, Some((50, 0))),
            }
            assert_eq!(gauge.refill().unwrap().per_second, before);
        }
    }

    #[test]
    fn another_limit_is_another_bucket() {
        let mut gauge = measured(50.0, 16.0, 60.0, 55);
        let mark = gauge.depart(Duration::from_secs(1));
        gauge.answered(mark, 200, Some((20, 3)));
        assert_eq!(gauge.refill(), None);
    }

    #[test]
    fn the_estimate_of_late_follows_a_change_and_the_other_is_the_mean() {
        let (mut whole, mut recent) = (Line::default(), Line::default());
        for tenth in 0..=1000 {
            let t = f64::from(tenth) / 10.0;
            let level = (8.0 * t.min(50.0) + 16.0 * (t - 50.0).max(0.0)).floor();
            whole.add(t, level, 0.0);
            recent.add(t, level, MEMORY);
        }
        let of = |line: &Line| line.slope().unwrap().per_second;
        assert!((of(&recent) - 16.0).abs() < 0.4, "{}", of(&recent));
        assert!((10.0..14.0).contains(&of(&whole)), "{}", of(&whole));
    }

    #[test]
    fn the_spread_of_trips_is_their_standard_deviation() {
        let mut trips = Trips::default();
        assert_eq!(trips.told(), None);
        [0.3, 0.5].into_iter().for_each(|trip| trips.add(trip));
        let (mean, spread) = trips.told().unwrap();
        assert!((mean - 0.4).abs() < 1e-9 && (spread - 0.02_f64.sqrt()).abs() < 1e-9, "{mean} {spread}");
    }
}
