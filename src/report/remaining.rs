//! The time that is left of a run, as people are told it. Pure: times are counted from the beginning of the run. Central type:
//! [`Remaining`].

use std::time::Duration;

use super::term;
use crate::model::{Outlook, TenantName};
use crate::plan::forecast::Forecast;

/// What is known of the time that is left.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    tenants: Vec<Track>,
    forecast: Option<Forecast>,
    pause: Duration,
    pauses: u32,
}

/// A tenant's part.
#[derive(Debug)]
struct Track {
    tenant: TenantName,
    writes: u64,
    /// Writes that have not come to their end.
    left: u64,
    heard: Option<Heard>,
}

/// What its limiter said, when, and how many writes were left then.
#[derive(Debug)]
struct Heard {
    at: Duration,
    left: u64,
    outlook: Outlook,
}

/// The time that is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Left {
    /// From the tenants' own pace, with its standard error.
    Told(Duration, Duration),
    /// From the forecast, while not enough was seen: at the least and at the most.
    Forecast(Duration, Duration),
}

impl Remaining {
    /// Before the first request.
    pub(super) fn new(writes: Vec<(TenantName, usize)>, forecast: Option<Forecast>, pause: Duration) -> Self {
        let track = |(tenant, writes): (TenantName, usize)| {
            let writes = writes as u64;
            Track { tenant, writes, left: writes, heard: None }
        };
        Self { tenants: writes.into_iter().map(track).collect(), forecast, pause, pauses: 0 }
    }

    /// A write of a tenant came to its end.
    pub(super) fn ended(&mut self, tenant: &TenantName) {
        if let Some(track) = self.track(tenant) {
            track.left = track.left.saturating_sub(1);
        }
    }

    /// A tenant takes no more.
    pub(super) fn stopped(&mut self, tenant: &TenantName) {
        if let Some(track) = self.track(tenant) {
            track.left = 0;
        }
    }

    /// A wave begins.
    pub(super) fn wave(&mut self, wave: usize, of: usize) {
        self.pauses = u32::try_from(of.saturating_sub(wave)).unwrap_or(u32::MAX);
    }

    /// A limiter said what it expects.
    pub(super) fn hear(&mut self, tenant: &TenantName, at: Duration, outlook: Outlook) {
        if let Some(track) = self.track(tenant) {
            track.heard = Some(Heard { at, left: track.left, outlook });
        }
    }

    fn track(&mut self, tenant: &TenantName) -> Option<&mut Track> {
        self.tenants.iter_mut().find(|track| track.tenant == *tenant)
    }

    /// What is left: as long as the slowest tenant takes, and the pauses between waves.
    pub(super) fn left(&self, now: Duration) -> Option<Left> {
        let working = || self.tenants.iter().filter(|track| track.left > 0);
        let told: Option<Vec<(Duration, Duration)>> = working().map(|track| track.time_left(now)).collect();
        match told.and_then(|times| times.into_iter().max()) {
            Some((time, error)) => {
                Some(Left::Told(time.saturating_add(self.pause.saturating_mul(self.pauses)), error))
            }
            None if working().next().is_none() => None,
            None => {
                let forecast = self.forecast.and_then(|told| told.shortest.zip(told.longest));
                let forecast = forecast.map(|(shortest, longest)| {
                    Left::Forecast(shortest.saturating_sub(now), longest.saturating_sub(now))
                });
                // What was sent so far says more than a forecast that was too bold, or has run out.
                let so_far = working().filter_map(|track| track.by_average(now)).max();
                match (forecast, so_far) {
                    (Some(Left::Forecast(_, longest)), Some(time)) if time > longest => {
                        Some(Left::Forecast(time, time))
                    }
                    (Some(Left::Forecast(_, longest)), None) if longest.is_zero() => None,
                    (None, Some(time)) => Some(Left::Forecast(time, time)),
                    (forecast, _) => forecast,
                }
            }
        }
    }
}

/// Writes that must have come to their end before their average says anything.
const ENOUGH: u64 = 8;

impl Track {
    /// What is left, at the pace so far.
    fn by_average(&self, now: Duration) -> Option<Duration> {
        let done = self.writes.saturating_sub(self.left);
        let each = now.as_secs_f64() / done as f64;
        (done >= ENOUGH).then(|| Duration::try_from_secs_f64(each * self.left as f64).ok()).flatten()
    }

    fn time_left(&self, now: Duration) -> Option<(Duration, Duration)> {
        let Heard { at, left, outlook } = self.heard.as_ref()?;
        let (time, error) = outlook.time_left(left.saturating_sub(outlook.in_flight))?;
        Some((time.saturating_sub(now.saturating_sub(*at)), error))
    }
}

impl Left {
    /// `16 s ± 0.4 s left`, `5.0 s to 16 s left`.
    pub(super) fn words(self) -> String {
        let (time, further) = match self {
            Self::Told(time, error) if error.as_secs_f64() >= 0.1 => {
                (time, format!(" ± {}", term::duration(error)))
            }
            Self::Forecast(shortest, longest) if term::duration(shortest) != term::duration(longest) => {
                (shortest, format!(" to {}", term::duration(longest)))
            }
            Self::Told(time, _) | Self::Forecast(_, time) => (time, String::new()),
        };
        format!("{}{further} left", term::duration(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::forecast::Basis;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn two(first: usize, second: usize, forecast: Option<(f64, f64)>) -> Remaining {
        let forecast = forecast.map(|(shortest, longest)| Forecast {
            requests: 1,
            shortest: Some(seconds(shortest)),
            longest: Some(seconds(longest)),
            basis: Basis::Nothing,
        });
        Remaining::new(vec![("dev".into(), first), ("prod".into(), second)], forecast, seconds(60.0))
    }

    fn outlook(refill: Option<(f64, f64)>) -> Outlook {
        Outlook { spare: 0.0, fastest: 100.0, refill, in_flight: 0, trip: Duration::ZERO }
    }

    #[test]
    fn a_run_takes_as_long_as_its_slowest_tenant() {
        let mut remaining = two(32, 10, None);
        remaining.hear(&"dev".into(), seconds(1.0), outlook(Some((16.0, 0.8))));
        remaining.hear(&"prod".into(), seconds(1.0), outlook(Some((2.0, 0.1))));
        let left = remaining.left(seconds(2.0)).unwrap();
        assert_eq!(left, Left::Told(seconds(4.0), seconds(0.25)));
        assert_eq!(left.words(), "4.0 s ± 0.2 s left");
        remaining.stopped(&"prod".into());
        assert_eq!(remaining.left(seconds(2.0)), Some(Left::Told(seconds(1.0), seconds(0.1))));
    }

    #[test]
    fn until_the_refill_was_seen_the_forecast_is_told() {
        let mut remaining = two(32, 0, Some((5.0, 16.0)));
        assert_eq!(remaining.left(seconds(1.0)).unwrap().words(), "4.0 s to 15 s left");
        remaining.hear(&"dev".into(), seconds(1.0), outlook(None));
        assert_eq!(remaining.left(seconds(4.0)).unwrap().words(), "1.0 s to 12 s left");
        assert_eq!(remaining.left(seconds(17.0)), None);
        remaining = two(32, 0, Some((16.0, 16.0)));
        assert_eq!(remaining.left(seconds(4.0)).unwrap().words(), "12 s left");
    }

    #[test]
    fn a_forecast_that_was_too_bold_gives_way_to_the_pace_so_far() {
        let mut remaining = two(90, 0, Some((2.0, 5.0)));
        (0..30).for_each(|_| remaining.ended(&"dev".into()));
        assert_eq!(remaining.left(seconds(1.0)).unwrap().words(), "1.0 s to 4.0 s left");
        assert_eq!(remaining.left(seconds(4.0)).unwrap().words(), "8.0 s left");
        assert_eq!(remaining.left(seconds(6.0)).unwrap().words(), "12 s left", "the forecast has run out");
    }

    #[test]
    fn pauses_between_waves_are_part_of_it() {
        let mut remaining = two(32, 0, None);
        remaining.wave(1, 3);
        remaining.hear(&"dev".into(), seconds(0.0), outlook(Some((16.0, 0.0))));
        assert_eq!(remaining.left(seconds(0.0)).unwrap().words(), "2 min 2 s left");
        remaining.wave(3, 3);
        assert_eq!(remaining.left(seconds(0.0)).unwrap().words(), "2.0 s left");
    }

    #[test]
    fn what_has_ended_is_not_waited_for() {
        let mut remaining = two(1, 0, None);
        remaining.hear(&"dev".into(), seconds(0.0), outlook(Some((16.0, 0.0))));
        remaining.ended(&"dev".into());
        assert_eq!(remaining.left(seconds(0.0)), None);
    }
}
