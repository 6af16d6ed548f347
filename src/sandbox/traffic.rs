//! Other traffic on a tenant: the production that a run must not starve. Pure, with the time as an argument.
//! Central types: [`Competing`] (what is asked for) and [`Stream`] (when its next call comes).

use std::time::Duration;

/// Other traffic on the same bucket: the production that a run must not starve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Competing {
    /// Calls a second.
    pub per_second: f64,
    /// Whether they come at random (Poisson) rather than evenly.
    pub random: bool,
    /// When it is there; always, where nothing is said.
    pub window: Option<Window>,
}

/// A stretch of time, counted from the tenant's first API call, so that it does not hang on how long a caller takes to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: Duration,
    /// Its end; none where it goes on for ever.
    pub to: Option<Duration>,
}

/// A stream of competing calls.
#[derive(Debug)]
pub(super) struct Stream {
    competing: Competing,
    /// The instant of the next call, in seconds; never, where it has not begun or is over.
    next: f64,
    end: f64,
    rng: fastrand::Rng,
}

impl Stream {
    /// A stream from `now` on, or from its window's beginning once that is known.
    pub(super) fn new(competing: Competing, now: f64, began: Option<f64>, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let mut stream = Self { competing, next: f64::INFINITY, end: f64::INFINITY, rng };
        match (competing.window, began) {
            (None, _) => stream.next = now + stream.gap(),
            (Some(_), Some(began)) => {
                stream.begin(began);
                // What would have been before it was asked for never was.
                while stream.next < now {
                    stream.pass();
                }
            }
            (Some(_), None) => {}
        }
        stream
    }

    /// The tenant's first API call came at this instant.
    pub(super) fn begin(&mut self, at: f64) {
        if let Some(window) = self.competing.window {
            let after = |time: Duration| at + time.as_secs_f64();
            self.end = window.to.map_or(f64::INFINITY, after);
            self.next = after(window.from);
            self.pass();
        }
    }

    /// When its next call comes.
    pub(super) fn next(&self) -> f64 {
        self.next
    }

    /// That call is over.
    pub(super) fn pass(&mut self) {
        self.next += self.gap();
        if self.next >= self.end {
            self.next = f64::INFINITY;
        }
    }

    fn gap(&mut self) -> f64 {
        let mean = 1.0 / self.competing.per_second;
        if self.competing.random { -mean * (1.0 - self.rng.f64()).ln() } else { mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(competing: Competing, began: f64, until: f64) -> Vec<f64> {
        let mut stream = Stream::new(competing, 0.0, None, 1);
        stream.begin(began);
        let mut calls = Vec::new();
        while stream.next() <= until {
            calls.push(stream.next());
            stream.pass();
        }
        calls
    }

    #[test]
    fn a_window_is_counted_from_the_first_call_and_has_an_end() {
        let window = Window { from: Duration::from_secs(2), to: Some(Duration::from_secs(4)) };
        let competing = Competing { per_second: 2.0, random: false, window: Some(window) };
        assert_eq!(calls(competing, 10.0, 100.0), [12.5, 13.0, 13.5]);
        let stream = Stream::new(competing, 0.0, None, 1);
        assert_eq!(stream.next(), f64::INFINITY, "nothing comes before the first call");
    }

    #[test]
    fn calls_at_random_come_as_often_as_asked_for_and_not_evenly() {
        let competing = Competing { per_second: 8.0, random: true, window: None };
        let calls = calls(competing, 0.0, 1_000.0);
        assert!((7_600..8_400).contains(&calls.len()), "{}", calls.len());
        let gaps: Vec<f64> = calls.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let spread = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Of a Poisson process the gaps' standard deviation is their mean.
        assert!((0.9..1.1).contains(&(spread.sqrt() / mean)), "{mean} ± {}", spread.sqrt());
    }
}
