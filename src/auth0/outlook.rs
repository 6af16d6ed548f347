//! What the state of the pacing machine means for the requests that are still to come. Pure. Central type: [`Bounds`].

use std::time::Duration;

use super::gauge::Slope;
use super::groups::Groups;
use crate::model::Outlook;

/// Refill that must have been seen before people are told a time, and how sure of it one must be: then the time is right
/// within some 5 %.
const TOLD_FROM: f64 = 12.0;
const TOLD_ERROR: f64 = 0.02;

/// What bounds the requests to a tenant beside its own limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The user's cap: seconds between two requests, and how many may go at once.
    pub(crate) cap: Option<(f64, u32)>,
    /// Requests in flight.
    pub(crate) concurrency: usize,
}

impl Bounds {
    /// The same, and no faster than so many requests a second.
    pub(crate) fn within(self, rate: f64) -> Self {
        let interval = 1.0 / rate.max(1e-6);
        match self.cap {
            Some((own, _)) if own >= interval => self,
            _ => Self { cap: Some((interval, 1)), ..self },
        }
    }

    /// Writes that are in flight at once: as many as the pace needs, and no more than may be.
    pub(crate) fn in_flight(self, groups: &Groups) -> usize {
        self.concurrency.min(groups.of_writes().in_flight_needed())
    }

    /// What is to be expected of writes.
    pub(crate) fn outlook(self, groups: &Groups, now: Duration, in_flight: u64) -> Option<Outlook> {
        let (spare, fastest) = groups.of_writes().room(now)?;
        let (trip, deviation) = groups.latency()?;
        let sure =
            |refill: &Slope| refill.seen >= TOLD_FROM && refill.error <= TOLD_ERROR * refill.per_second;
        let refill = groups.gauge_of_writes().refill_of_late().filter(sure);
        let refill = refill.map(|refill| (refill.per_second, refill.error));
        let by_connections = self.in_flight(groups) as f64 / trip.max(1e-6);
        let cap = self.cap.map_or(f64::INFINITY, |(interval, _)| 1.0 / interval);
        // Under a cap that is the slower of the two nothing is spent but what the cap gives.
        let capped = cap.is_finite() && refill.is_none_or(|(refill, _)| cap < refill);
        Some(Outlook {
            spare: if capped { 0.0 } else { spare },
            fastest: fastest.min(by_connections).min(cap),
            refill: if capped { Some((cap, 0.0)) } else { refill },
            in_flight,
            // The last answer is the slowest of the last few.
            trip: Duration::try_from_secs_f64(trip + deviation).unwrap_or_default(),
        })
    }
}
