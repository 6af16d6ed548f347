//! Tenants as they were found: for people a line each, for programs an object each. Central type: [`TenantCheck`].

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::term::{self, paint};
use crate::model::{Body, Domain, TenantName, tag};
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
    /// What it is tagged with.
    pub tags: Body,
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
    /// What it would let them do.
    pub to: Use,
    /// Whether whole verbs need it, and not single fields alone.
    pub essential: bool,
}

/// What a scope is needed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// To run whole verbs.
    Run,
    /// To write single fields.
    WriteFields,
    /// To see single fields; what cannot be seen is not compared either.
    ReadFields,
    /// To read the tenant's log.
    ReadLog,
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

const HEADINGS: [&str; 9] =
    ["tenant", "tags", "domain", "token for", "clients", "bucket", "refill", "clock", "credentials"];
/// Of those, the one that is left out where no tenant has any.
const TAGS: usize = 1;

/// A table, and below it what the tokens lack.
pub fn render(checks: &[TenantCheck], now: Timestamp) -> String {
    let rows: Vec<[String; 9]> = checks.iter().map(|check| check.cells(now)).collect();
    let tagged = checks.iter().any(|check| !check.tags.is_empty());
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 9] = std::array::from_fn(widest);
    let line = |cells: [&str; 9]| {
        let shown = cells.iter().zip(widths).enumerate().filter(|(at, _)| tagged || *at != TAGS);
        let padded = shown.map(|(_, (cell, width))| format!("{cell:width$}"));
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
    for (to, what) in OPTIONAL {
        let lacked = lacked(checks, to);
        if !lacked.is_empty() {
            let _ = writeln!(
                out,
                "{}",
                paint(term::FAINT, format!("Not granted everywhere, and needed {what}: {lacked}"))
            );
        }
    }
    out
}

/// What a run can do without, in words.
const OPTIONAL: [(Use, &str); 3] = [
    (Use::WriteFields, "to write single fields alone"),
    (Use::ReadFields, "to see single fields alone"),
    (Use::ReadLog, "to read the tenant's log"),
];

/// Scopes of one use, in one line for all tenants that lack any.
fn lacked(checks: &[TenantCheck], to: Use) -> String {
    let lacks = checks.iter().filter_map(|check| check.allows.as_ref()).flat_map(|allowed| &allowed.lacks);
    let words = lacks
        .filter(|lack| lack.to == to)
        .map(|lack| format!("{} ({})", lack.scope, lack.needed_for.join(", ")));
    let words: BTreeSet<String> = words.collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

impl TenantCheck {
    fn cells(&self, now: Timestamp) -> [String; 9] {
        let unknown = || "–".to_owned();
        let named = term::safe(self.tenant.as_str());
        [
            if self.protected { format!("{named} (protected)") } else { named },
            term::safe(&tag::written(&self.tags).collect::<Vec<_>>().join(", ")),
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
