//! The text of faults, read. Central type: [`FaultsError`], for what cannot be.

use std::str::FromStr;
use std::time::Duration;

use super::super::bucket::LimitChange;
use super::super::call::Call;
use super::super::tier::{parse_limits, parse_rate};
use super::super::traffic::{Competing, Window};
use super::{Amount, Effect, Fault, Faults};

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
     `competing=8/s`, `competing-random=8/s`, both also `8/s@5s` or `8/s@5s-12s` (from then on, or between, counted from the first API call); \
     `limit=25,8/s@5s` (another limit from then on). WHERE: list, get, patch, create, delete, rotate-secret, logs, log, read, write, token (default: every call but token)";

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        for part in parts(text) {
            let (what, amount) = part.split_once('=').ok_or_else(|| FaultsError::Form(part.to_owned()))?;
            faults.add(what.trim(), amount.trim())?;
        }
        faults.check_sums()?;
        Ok(faults)
    }
}

/// A text's parts. The figures of a limit have commas of their own.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match parts.last_mut().filter(|last| last.starts_with("limit=") && !part.contains('=')) {
            Some(limit) => {
                limit.push(',');
                limit.push_str(part);
            }
            None => parts.push(part.to_owned()),
        }
    }
    parts
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
                let competing = parse_competing(amount, what == "competing-random");
                self.competing.push(
                    competing
                        .ok_or_else(|| refuse("a rate such as `8/s`, `90/min`, `8/s@5s` or `8/s@5s-12s`"))?,
                );
            }
            "limit" => {
                let change = parse_change(amount);
                self.limits.push(
                    change.ok_or_else(|| {
                        refuse("burst, refill and the time of the change, as in `25,8/s@5s`")
                    })?,
                );
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
}

fn calls_at(place: &str) -> Option<Vec<Call>> {
    let calls: &[Call] = match place {
        "api" => return Some(Call::ALL.into_iter().filter(|call| *call != Call::Token).collect()),
        "read" => &[Call::List, Call::Get],
        "write" => &[Call::Patch, Call::Create, Call::Delete, Call::RotateSecret],
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

fn parse_competing(text: &str, random: bool) -> Option<Competing> {
    let (rate, window) = match text.split_once('@') {
        None => (text, None),
        Some((rate, window)) => (rate, Some(parse_window(window)?)),
    };
    let per_second = parse_rate(rate.trim()).filter(|rate| *rate <= 10_000.0)?;
    Some(Competing { per_second, random, window })
}

fn parse_window(text: &str) -> Option<Window> {
    let (from, to) = match text.split_once('-') {
        None => (parse_time(text)?, None),
        Some((from, to)) => (parse_time(from)?, Some(parse_time(to)?)),
    };
    to.is_none_or(|to| to > from).then_some(Window { from, to })
}

fn parse_change(text: &str) -> Option<LimitChange> {
    let (limits, after) = text.split_once('@')?;
    Some(LimitChange { after: parse_time(after)?, limits: parse_limits(limits.trim())? })
}

/// Reads `500ms`, `5s` or `2min`.
fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "min" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

fn parse_amount(text: &str) -> Option<Amount> {
    if let Some(nth) = text.strip_prefix('#') {
        return nth.parse().ok().filter(|nth| *nth > 0).map(Amount::Nth);
    }
    let percent = text.strip_suffix('%')?.parse::<f64>().ok()?;
    (0.0..=100.0).contains(&percent).then_some(Amount::Percent(percent))
}
