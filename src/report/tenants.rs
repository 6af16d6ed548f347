//! Tenants as they were found: for people a line each, for programs an object each. Central type: [`TenantCheck`].

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::term::{self, paint};
use crate::model::{Domain, TenantName};
use crate::plan::TenantFailure;

/// What was found of a tenant.
#[derive(Debug, Clone, Serialize)]
pub struct TenantCheck {
    /// Its name.
    pub tenant: TenantName,
    /// Its domain.
    pub domain: Domain,
    /// Where its credentials come from.
    pub credentials: String,
    /// Whether it asks for its name before anything is written.
    pub protected: bool,
    /// Whether it answered at all; null where nobody tried, since there were no credentials.
    pub reachable: Option<bool>,
    /// Whether a token was to be had.
    pub token: bool,
    /// When the token ends, where that is known.
    pub token_expires: Option<Timestamp>,
    /// The token's scopes; null where it does not tell.
    pub scopes: Option<BTreeSet<String>>,
    /// What the token allows; null where it does not tell its scopes.
    pub allows: Option<Allowed>,
    /// How many clients there are.
    pub clients: Option<usize>,
    /// The bucket that reads draw on, as the tenant just said.
    pub bucket: Option<Bucket>,
    /// The refill as runs have learned it.
    pub refill: Option<Refill>,
    /// Seconds by which the tenant's clock is ahead of ours, to about one; below zero where it is behind.
    pub clock_ahead_seconds: Option<f64>,
    /// Why it cannot be worked on.
    pub error: Option<TenantFailure>,
}

/// What a token allows.
#[derive(Debug, Clone, Serialize)]
pub struct Allowed {
    /// `plan`, `get` and whatever else reads.
    pub read: bool,
    /// `apply`, `resume` and `undo`.
    pub write: bool,
    /// Scopes that it lacks, each with what for.
    pub lacks: Vec<Lack>,
}

/// A scope that a token lacks.
#[derive(Debug, Clone, Serialize)]
pub struct Lack {
    /// The scope.
    pub scope: String,
    /// The verbs or fields that need it.
    pub needed_for: Vec<String>,
    /// Whether whole verbs need it, and not single fields alone.
    pub essential: bool,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bucket {
    /// Its size.
    pub size: u64,
    /// Tokens left in it.
    pub left: u64,
}

/// A refill that was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Refill {
    /// Tokens per second, what others took being off already.
    pub per_second: f64,
    /// Size of the bucket that it was measured of, which is that of writes.
    pub bucket: Option<u64>,
    /// When.
    pub measured: Option<Timestamp>,
    /// How long ago.
    pub age_seconds: Option<i64>,
}

const HEADINGS: [&str; 8] =
    ["tenant", "domain", "token for", "clients", "bucket", "refill", "clock", "credentials"];

/// A table, and below it what the tokens lack.
pub fn render(checks: &[TenantCheck], now: Timestamp) -> String {
    let rows: Vec<[String; 8]> = checks.iter().map(|check| check.cells(now)).collect();
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 8] = std::array::from_fn(widest);
    let line = |cells: [&str; 8]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = format!("{}\n", paint(term::STRONG, line(HEADINGS)));
    for (row, check) in rows.iter().zip(checks) {
        let text = line(std::array::from_fn(|column| row[column].as_str()));
        let text = if check.error.is_some() { paint(term::BAD, text) } else { text };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{text}");
    }
    for check in checks {
        for lack in check.allows.iter().flat_map(|allowed| &allowed.lacks).filter(|lack| lack.essential) {
            let what = format!("{} lacks the scope {}:", check.tenant, lack.scope);
            let _ = writeln!(out, "{} needed for {}", paint(term::WARN, what), lack.needed_for.join(", "));
        }
    }
    let optional = lacked_by_fields(checks);
    if !optional.is_empty() {
        let _ = writeln!(out, "{}", paint(term::FAINT, optional));
    }
    out
}

/// Scopes that only single fields need, in one line for all tenants that lack any.
fn lacked_by_fields(checks: &[TenantCheck]) -> String {
    let lacks = checks.iter().filter_map(|check| check.allows.as_ref()).flat_map(|allowed| &allowed.lacks);
    let words = lacks
        .filter(|lack| !lack.essential)
        .map(|lack| format!("{} ({})", lack.scope, lack.needed_for.join(", ")));
    let words: BTreeSet<String> = words.collect();
    if words.is_empty() {
        return String::new();
    }
    let words: Vec<String> = words.into_iter().collect();
    format!("Not granted everywhere, and needed to write single fields alone: {}", words.join(", "))
}

impl TenantCheck {
    fn cells(&self, now: Timestamp) -> [String; 8] {
        let unknown = || "–".to_owned();
        let named = term::safe(self.tenant.as_str());
        [
            if self.protected { format!("{named} (protected)") } else { named },
            self.domain.to_string(),
            self.token_for().to_owned(),
            self.clients.map_or_else(unknown, |clients| clients.to_string()),
            self.bucket.map_or_else(unknown, |bucket| format!("{} of {} left", bucket.left, bucket.size)),
            self.refill.map_or_else(|| "not learned yet".to_owned(), |refill| refill.words(now)),
            self.clock_ahead_seconds.map_or_else(unknown, clock_words),
            term::safe(&self.credentials),
        ]
    }

    /// What the token is good for.
    fn token_for(&self) -> &'static str {
        match (&self.allows, self.reachable) {
            (_, Some(false)) => "unreachable",
            _ if !self.token => "no token",
            (Some(Allowed { read: false, .. }), _) => "nothing",
            (Some(Allowed { write: false, .. }), _) => "plan",
            (Some(_), _) => "plan, apply",
            (None, _) => "not told",
        }
    }
}

impl Refill {
    fn words(&self, now: Timestamp) -> String {
        let age = self.measured.map_or_else(|| "earlier".to_owned(), |at| term::age(at, now));
        format!("{:.1}/s, {age}", self.per_second)
    }
}

/// A date of whole seconds is no clock to a second.
fn clock_words(ahead: f64) -> String {
    let seconds = ahead.abs().round();
    match ahead {
        _ if seconds <= 1.0 => "in step".to_owned(),
        0.0.. => format!("{seconds} s ahead"),
        _ => format!("{seconds} s behind"),
    }
}
