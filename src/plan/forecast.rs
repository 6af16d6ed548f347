//! How long a run will take, from what is known of the tenant's rate limit.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Pace;

/// What a run will take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Requests it sends if nothing needs repeating.
    pub requests: u64,
    /// The shortest time that the known limit allows; `None` where nothing is known.
    pub shortest: Option<Duration>,
    /// The longest, where the limit is known only by its published tier.
    pub longest: Option<Duration>,
}

/// Published refills per second for a bucket of this size (Auth0, "Rate Limit Configurations", August 2026).
pub fn published_refill(limit: u64) -> Option<(f64, f64)> {
    match limit {
        2 => Some((2.0, 2.0)),
        5 => Some((25.0 / 60.0, 150.0 / 60.0)),
        10 => Some((100.0 / 60.0, 150.0 / 60.0)),
        20 => Some((200.0 / 60.0, 20.0)),
        50 => Some((16.0, 50.0)),
        250.. => Some((limit as f64, limit as f64)),
        _ => None,
    }
}

/// Forecasts a run of so many writes. `reserve` tokens are left alone; `cap` is the user's own rate, if any.
pub fn forecast(writes: usize, pace: &Pace, reserve: u64, cap: Option<f64>) -> Forecast {
    let known = pace.refill.map(|refill| (refill, refill));
    let (slow, fast) = match (known, pace.limit.and_then(published_refill), cap) {
        (Some(range), _, None) | (None, Some(range), None) => range,
        (Some((slow, fast)), _, Some(cap)) | (None, Some((slow, fast)), Some(cap)) => {
            (slow.min(cap), fast.min(cap))
        }
        (None, None, Some(cap)) => (cap, cap),
        (None, None, None) => return Forecast { requests: writes as u64, shortest: None, longest: None },
    };
    let spare = pace.remaining.or(pace.limit).unwrap_or(0).saturating_sub(reserve);
    let paced = (writes as u64).saturating_sub(if cap.is_some() { 0 } else { spare }) as f64;
    let time = |rate: f64| Some(Duration::from_secs_f64(paced / rate.max(0.001)));
    Forecast { requests: writes as u64, shortest: time(fast), longest: time(slow) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_refill_gives_one_time() {
        let pace = Pace { limit: Some(50), remaining: Some(50), refill: Some(16.0), ..Pace::default() };
        let forecast = forecast(300, &pace, 10, None);
        assert_eq!(forecast.shortest, Some(Duration::from_secs_f64(260.0 / 16.0)));
        assert_eq!(forecast.shortest, forecast.longest);
    }

    #[test]
    fn a_published_tier_gives_a_range() {
        let pace = Pace { limit: Some(50), remaining: Some(48), ..Pace::default() };
        let forecast = forecast(300, &pace, 10, None);
        assert_eq!(forecast.shortest, Some(Duration::from_secs_f64(262.0 / 50.0)));
        assert_eq!(forecast.longest, Some(Duration::from_secs_f64(262.0 / 16.0)));
    }

    #[test]
    fn without_any_headers_nothing_is_promised() {
        assert_eq!(forecast(300, &Pace::default(), 0, None).longest, None);
    }
}
