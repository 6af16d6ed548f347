//! What is known of a tenant's pace: for forecasts before a run, and for the time that is left of one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What was measured of a tenant's rate limit, and of the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Size of the bucket that reads draw on: planning reads, and knows the limit again by it.
    #[serde(default)]
    pub reads: Option<u64>,
    /// Size of the bucket that writes draw on; mostly the same bucket.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Net refill in tokens per second: what others took is off already.
    #[serde(default)]
    pub refill: Option<f64>,
    /// Its standard error.
    #[serde(default)]
    pub refill_error: Option<f64>,
    /// Seconds from a request to its answer, on average.
    #[serde(default)]
    pub latency: Option<f64>,
    /// Standard deviation of that.
    #[serde(default)]
    pub jitter: Option<f64>,
}

impl Measured {
    /// Without what no tenant is like: a file may be damaged, or edited by hand.
    #[must_use]
    pub fn sane(self) -> Self {
        let bucket = |size: &u64| *size >= 1;
        let rate = |rate: &f64| rate.is_finite() && *rate > 1e-4;
        let seconds = |seconds: &f64| (0.0..600.0).contains(seconds);
        Self {
            reads: self.reads.filter(bucket),
            limit: self.limit.filter(bucket),
            refill: self.refill.filter(rate),
            refill_error: self.refill_error.filter(rate),
            latency: self.latency.filter(seconds),
            jitter: self.jitter.filter(seconds),
        }
    }

    /// Whether `earlier` was measured of the same limit, as far as is known now.
    pub fn is_of_the_limit_of(&self, earlier: &Self) -> bool {
        let same = |now: Option<u64>, then: Option<u64>| now.zip(then).map(|(now, then)| now == then);
        match (same(self.reads, earlier.reads), same(self.limit, earlier.limit)) {
            (Some(false), _) | (_, Some(false)) => false,
            (Some(true), _) | (_, Some(true)) => true,
            // What was kept before reads were told apart: of one bucket for both.
            (None, None) if earlier.limit.is_some() => self.reads == earlier.limit,
            (None, None) => self.reads.is_none() && self.limit.is_none() && earlier.reads.is_none(),
        }
    }

    /// Brings two measurements of one limit together, `self` being the newer: those that agree sharpen each other, else the
    /// newer holds.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let (refill, refill_error) = match (self.slope(), earlier.slope()) {
            (Some((new, error)), Some((old, old_error))) => {
                let (ours, theirs) = (error.powi(-2), old_error.powi(-2));
                if (new - old).abs() <= 2.0 * error.hypot(old_error) {
                    let mean = (new * ours + old * theirs) / (ours + theirs);
                    (Some(mean), Some((ours + theirs).powf(-0.5).max(LEAST_ERROR * mean)))
                } else {
                    (Some(new), Some(error))
                }
            }
            (new, old) => new.or(old).unzip(),
        };
        let of_trips = if self.latency.is_some() { self } else { earlier };
        Self {
            reads: self.reads.or(earlier.reads),
            limit: self.limit.or(earlier.limit),
            refill,
            refill_error,
            latency: of_trips.latency,
            jitter: of_trips.jitter,
        }
    }

    /// The refill with its error; where that was not kept, it is taken to be a twentieth.
    fn slope(&self) -> Option<(f64, f64)> {
        let refill = self.refill.filter(|refill| refill.is_finite() && *refill > 1e-4)?;
        let told = self.refill_error.filter(|error| error.is_finite() && *error > 0.0);
        Some((refill, told.unwrap_or(0.05 * refill)))
    }
}

/// No measurement is better than this share of itself, however often it is repeated: others' traffic differs from day to day.
const LEAST_ERROR: f64 = 0.01;

/// How a limiter sees the requests that are still to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Tokens that may be spent at once; below zero while the bucket is short of what is left alone.
    pub spare: f64,
    /// The fastest that it lets requests go, per second.
    pub fastest: f64,
    /// Refill per second with its standard error, once enough of it was seen.
    pub refill: Option<(f64, f64)>,
    /// Requests that were sent and are not answered.
    pub in_flight: u64,
    /// How long an answer takes.
    pub trip: Duration,
}

impl Outlook {
    /// How long until the last of `to_send` requests that were not sent yet is answered, with its standard error. `None`
    /// while the refill decides and not enough of it was seen.
    pub fn time_left(&self, to_send: u64) -> Option<(Duration, Duration)> {
        let short = (to_send as f64 - self.spare).max(0.0);
        let by_speed = to_send as f64 / self.fastest.max(1e-6);
        let (by_refill, error) = match self.refill {
            _ if short == 0.0 => (0.0, 0.0),
            Some((refill, error)) => (short / refill, short / refill * (error / refill)),
            None => return None,
        };
        let answer = if to_send + self.in_flight > 0 { self.trip } else { Duration::ZERO };
        let error = if by_speed > by_refill { 0.0 } else { error };
        let time = Duration::try_from_secs_f64(by_refill.max(by_speed)).ok()?;
        Some((time + answer, Duration::try_from_secs_f64(error).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(refill: f64, error: f64) -> Measured {
        Measured {
            reads: Some(50),
            limit: Some(50),
            refill: Some(refill),
            refill_error: Some(error),
            ..Measured::default()
        }
    }

    #[test]
    fn measurements_that_agree_sharpen_each_other() {
        let both = measured(16.4, 0.8).after(measured(16.0, 0.2));
        assert!((both.refill.unwrap() - 16.02).abs() < 0.01, "{both:?}");
        assert!(both.refill_error.unwrap() < 0.2);
    }

    #[test]
    fn of_measurements_that_do_not_agree_the_newer_holds() {
        assert_eq!(measured(8.0, 0.4).after(measured(16.0, 0.2)).refill, Some(8.0));
    }

    #[test]
    fn a_run_that_saw_no_refill_leaves_what_was_known() {
        let bare = Measured { reads: Some(50), limit: Some(50), latency: Some(0.4), ..Measured::default() };
        let both = bare.after(measured(16.0, 0.2));
        assert_eq!((both.refill, both.latency), (Some(16.0), Some(0.4)));
    }

    #[test]
    fn what_was_measured_of_another_limit_is_void() {
        let now = Measured { reads: Some(50), ..Measured::default() };
        assert!(now.is_of_the_limit_of(&measured(16.0, 0.2)));
        assert!(!Measured { reads: Some(20), ..now }.is_of_the_limit_of(&measured(16.0, 0.2)));
        // Reads of 5 tell of the writes of 10 that were measured beside them.
        let apart = Measured { reads: Some(5), limit: Some(10), ..measured(2.5, 0.1) };
        assert!(Measured { reads: Some(5), ..now }.is_of_the_limit_of(&apart));
        assert!(!Measured { reads: Some(5), limit: Some(20), ..now }.is_of_the_limit_of(&apart));
        // As kept before reads were told apart.
        let old = Measured { reads: None, ..measured(16.0, 0.2) };
        assert!(now.is_of_the_limit_of(&old));
        // A tenant without headers is known again by having none.
        let bare = Measured::default();
        assert!(bare.is_of_the_limit_of(&bare) && !now.is_of_the_limit_of(&bare));
    }

    fn outlook(spare: f64, refill: Option<(f64, f64)>) -> Outlook {
        Outlook { spare, fastest: 80.0, refill, in_flight: 4, trip: Duration::from_millis(400) }
    }

    #[test]
    fn the_time_left_is_that_of_the_tokens_that_are_not_there_and_one_trip() {
        let (time, error) = outlook(10.0, Some((16.0, 0.8))).time_left(90).unwrap();
        assert_eq!(time, Duration::from_millis(5_400));
        assert_eq!(error, Duration::from_millis(250));
    }

    #[test]
    fn what_is_in_the_bucket_goes_as_fast_as_the_machine_lets_it() {
        let (time, error) = outlook(60.0, None).time_left(40).unwrap();
        assert_eq!((time, error), (Duration::from_millis(900), Duration::ZERO));
    }

    #[test]
    fn nothing_is_told_of_a_refill_that_was_not_seen() {
        assert_eq!(outlook(10.0, None).time_left(40), None);
    }

    #[test]
    fn at_the_end_only_the_answers_are_waited_for() {
        let (time, _) = outlook(0.0, Some((16.0, 0.8))).time_left(0).unwrap();
        assert_eq!(time, Duration::from_millis(400));
    }
}
