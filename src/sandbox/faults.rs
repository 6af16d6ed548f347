//! What goes wrong, how often, and where: read from a text such as `503=5%,reset-after=1%,hang=2%`.
//!
//! Central types: [`Faults`] (the text, understood) and [`FaultState`] (which request is hit). Uses nothing.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bucket::Competing;
use super::call::Call;
use super::tier::parse_rate;

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
    /// Other traffic on the tenant's bucket; where reads of clients have one of their own, on the other.
    pub competing: Option<Competing>,
}

/// A text that says no faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// Not of the form `what=amount`.
    #[error("`{0}` is not a fault; {ALLOWED}")]
    Form(String),
    /// The kind of fault, or where it strikes, is not known.
    #[error("no fault is called `{0}`; {ALLOWED}")]
    Unknown(String),
    /// The amount cannot be read.
    #[error("`{what}={amount}`: {expected} is expected")]
    Amount {
        /// The fault.
        what: String,
        /// What was written.
        amount: String,
        /// What can be written.
        expected: &'static str,
    },
    /// Percentages of one kind of call add up to more than all.
    #[error("the faults of {0} calls add up to more than 100 %")]
    TooMuch(&'static str),
}

const ALLOWED: &str = "write `[WHERE:]WHAT=AMOUNT`, several joined by commas. WHAT: a status (`503`), `503-after`, `reset-before`, `reset-after`, `hang`, \
     `hang-after`, `truncate`, `malformed` with an amount of `5%` or `#3` (the third such request); `expire-token-after=100`; \
     `competing=8/s`, `competing-random=8/s`. WHERE: list, get, patch, create, delete, read, write, token (default: every call but token)";

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (what, amount) = part.split_once('=').ok_or_else(|| FaultsError::Form(part.to_owned()))?;
            faults.add(what.trim(), amount.trim())?;
        }
        faults.check_sums()?;
        Ok(faults)
    }
}

impl Faults {
    fn add(&mut self, what: &str, amount: &str) -> Result<(), FaultsError> {
        let refuse =
            |expected| FaultsError::Amount { what: what.to_owned(), amount: amount.to_owned(), expected };
        match what {
            "expire-token-after" => {
                let count = amount.parse().ok().filter(|count| *count > 0);
                self.expire_token_after = Some(count.ok_or_else(|| refuse("a number of calls above 0"))?);
            }
            "competing" | "competing-random" => {
                let rate = parse_rate(amount).filter(|rate| *rate <= 10_000.0);
                let per_second = rate.ok_or_else(|| refuse("a rate such as `8/s` or `90/min`"))?;
                self.competing = Some(Competing { per_second, random: what == "competing-random" });
            }
            _ => {
                let (place, name) = what.split_once(':').unwrap_or(("api", what));
                let calls = calls_at(place).ok_or_else(|| FaultsError::Unknown(place.to_owned()))?;
                let effect = parse_effect(name).ok_or_else(|| FaultsError::Unknown(name.to_owned()))?;
                let amount = parse_amount(amount).ok_or_else(|| refuse("`5%` or `#3`"))?;
                self.faults.push(Fault { calls, effect, amount });
            }
        }
        Ok(())
    }

    fn check_sums(&self) -> Result<(), FaultsError> {
        for call in Call::ALL {
            if self.percent_of(call).map(|(percent, _)| percent).sum::<f64>() > 100.0 {
                return Err(FaultsError::TooMuch(call.name()));
            }
        }
        Ok(())
    }

    fn percent_of(&self, call: Call) -> impl Iterator<Item = (f64, Effect)> {
        self.faults.iter().filter(move |fault| fault.calls.contains(&call)).filter_map(|fault| {
            match fault.amount {
                Amount::Percent(percent) => Some((percent, fault.effect)),
                Amount::Nth(_) => None,
            }
        })
    }
}

fn calls_at(place: &str) -> Option<Vec<Call>> {
    let calls: &[Call] = match place {
        "api" => &[Call::List, Call::Get, Call::Patch, Call::Create, Call::Delete, Call::Other],
        "read" => &[Call::List, Call::Get],
        "write" => &[Call::Patch, Call::Create, Call::Delete],
        name => return Call::ALL.into_iter().find(|call| call.name() == name).map(|call| vec![call]),
    };
    Some(calls.to_vec())
}

fn parse_effect(name: &str) -> Option<Effect> {
    Some(match name {
        "reset-before" => Effect::ResetBefore,
        "reset-after" => Effect::ResetAfter,
        "hang" => Effect::Hang,
        "hang-after" => Effect::HangAfter,
        "truncate" => Effect::Truncate,
        "malformed" => Effect::Malformed,
        _ => {
            let (digits, after) = match name.strip_suffix("-after") {
                Some(digits) => (digits, true),
                None => (name, false),
            };
            let status = digits.parse().ok().filter(|status| (400..=599).contains(status))?;
            if after { Effect::StatusAfter(status) } else { Effect::Status(status) }
        }
    })
}

fn parse_amount(text: &str) -> Option<Amount> {
    if let Some(nth) = text.strip_prefix('#') {
        return nth.parse().ok().filter(|nth| *nth > 0).map(Amount::Nth);
    }
    let percent = text.strip_suffix('%')?.parse::<f64>().ok()?;
    (0.0..=100.0).contains(&percent).then_some(Amount::Percent(percent))
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
