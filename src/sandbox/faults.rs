//! What goes wrong, how often, and where: read from a text such as `503=5%,reset-after=1%,hang=2%`.
//!
//! Central types: [`Faults`] (the text, understood) and [`FaultState`] (which request is hit). Uses nothing.

use std::sync::atomic::{AtomicU64, Ordering};

mod text;

pub use text::FaultsError;

use super::bucket::LimitChange;
use super::call::Call;
use super::traffic::Competing;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// This status, and nothing is done.
    Status(u16),
    /// It is done, and answered with this status all the same.
    StatusAfter(u16),
    /// The connection is reset before anything is done. In HTTP/2 this ends every request on it.
    ResetBefore,
    /// It is done, and then the connection is reset.
    ResetAfter,
    /// Nothing is done and nothing is ever answered.
    Hang,
    /// It is done, and nothing is ever answered.
    HangAfter,
    /// It is done, and half the answer arrives.
    Truncate,
    /// It is done, and answered 200 with a body that is no JSON.
    Malformed,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    /// So many of a hundred requests, at random.
    Percent(f64),
    /// Exactly that request, counted from 1 among those the fault is for.
    Nth(u64),
}

#[derive(Debug, Clone, PartialEq)]
struct Fault {
    calls: Vec<Call>,
    effect: Effect,
    amount: Amount,
}

/// Everything that goes wrong in a sandbox. Without a text, nothing does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    faults: Vec<Fault>,
    /// After so many API calls every token issued until then has expired; counted anew from there.
    pub expire_token_after: Option<u64>,
    /// Other traffic on the tenant's bucket, which adds up; where reads of clients have a bucket of their own, on the other.
    pub competing: Vec<Competing>,
    /// Limits that come into force in mid-run; where reads of clients have a bucket of their own, those of the other.
    pub limits: Vec<LimitChange>,
}

impl Faults {
    fn percent_of(&self, call: Call) -> impl Iterator<Item = (f64, Effect)> {
        self.faults.iter().filter(move |fault| fault.calls.contains(&call)).filter_map(|fault| {
            match fault.amount {
                Amount::Percent(percent) => Some((percent, fault.effect)),
                Amount::Nth(_) => None,
            }
        })
    }
}

/// Faults at work: counts requests, so that each is hit or spared by its number and the seed alone.
#[derive(Debug)]
pub(super) struct FaultState {
    pub(super) faults: Faults,
    /// Requests seen by each fault.
    seen: Vec<AtomicU64>,
}

impl FaultState {
    pub(super) fn new(faults: Faults) -> Self {
        let seen = faults.faults.iter().map(|_| AtomicU64::new(0)).collect();
        Self { faults, seen }
    }

    /// What happens to this request. `luck` is uniform in 0..1.
    pub(super) fn strike(&self, call: Call, luck: f64) -> Option<Effect> {
        let mut exact = None;
        for (fault, seen) in self.faults.faults.iter().zip(&self.seen) {
            if fault.calls.contains(&call) {
                let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
                exact = exact.or((fault.amount == Amount::Nth(number)).then_some(fault.effect));
            }
        }
        exact.or_else(|| {
            let mut left = luck * 100.0;
            self.faults.percent_of(call).find_map(|(percent, effect)| {
                left -= percent;
                (left < 0.0).then_some(effect)
            })
        })
    }
}

#[cfg(test)]
mod tests;
