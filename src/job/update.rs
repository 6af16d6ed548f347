//! What a job says, whatever form it was written in.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Pattern;
use crate::catalogue::Kind;
use crate::model::{EntityId, FieldPath, Problem, SourceFile, TenantName};

/// A job: what should be true of which clients.
#[derive(Debug, Clone)]
pub struct Job {
    /// Names the run: `name` of the file, else the file's own name without its extension.
    pub name: String,
    /// Which kind of object it is about.
    pub kind: &'static Kind,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Tenants that the job allows; it never chooses one. Empty: any.
    pub allowed_tenants: Vec<TenantName>,
    /// Limits that the job sets itself; flags override.
    pub guards: Guards,
    /// In the order of the file.
    pub updates: Vec<Update>,
    /// The file's own columns, repeated in the report. Only CSV has any.
    pub columns: Vec<String>,
    /// What a person should look at, though the job is valid.
    pub warnings: Vec<Problem>,
}

/// Limits on what a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guards {
    /// Refuse the run where a tenant would see more changed clients than this.
    pub max_changes: Option<Threshold>,
    /// Stop once more rows have failed than this.
    pub max_failures: Option<Threshold>,
}

/// `30%` or `12`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// So many.
    Count(u64),
    /// So many per cent of the whole.
    Percent(f64),
}

impl Threshold {
    /// How many of `whole` this allows, rounded down.
    pub fn of(self, whole: usize) -> u64 {
        match self {
            Self::Count(count) => count,
            // Truncation is the meaning: 30 % of 9 allows 2.
            Self::Percent(percent) => (whole as f64 * percent / 100.0).floor() as u64,
        }
    }
}

impl Guards {
    /// The stricter of two of a kind, for a whole of this size.
    pub fn strictest(of: impl IntoIterator<Item = Option<Threshold>>, whole: usize) -> Option<Threshold> {
        of.into_iter().flatten().min_by_key(|threshold| threshold.of(whole))
    }
}

impl std::str::FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither a number such as `12` nor a share such as `30%`");
        match text.trim().strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .filter(|p| (0.0..=100.0).contains(p))
                .map(Self::Percent)
                .ok_or_else(wrong),
            None => text.trim().parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// One update: whom it is about, and what should be true of them.
#[derive(Debug, Clone)]
pub struct Update {
    /// Where it stands.
    pub origin: Origin,
    /// The one tenant it is for; `None`: every selected tenant.
    pub tenant: Option<TenantName>,
    /// Whom it is about.
    pub selector: Selector,
    /// The digest of what `get` fetched, for an update that comes from such a file.
    pub base: Option<String>,
    /// What to change; paths are leaves, and none encloses another.
    pub ops: Vec<Op>,
    /// What must hold before.
    pub expects: Vec<Expect>,
    /// Fields that the file shows but nobody may change: they must equal the tenant's state.
    pub fixed: Vec<Op>,
    /// The input row's own cells, secret columns emptied; beside [`Job::columns`].
    pub cells: Vec<String>,
}

/// Where an update stands in its file.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes to show for the update as a whole.
    pub span: Range<usize>,
    /// What the report's `_row` says.
    pub label: RowLabel,
}

/// The `_row` column: a spreadsheet row (its header is row 1), or the number of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowLabel {
    /// Row of a CSV file, counted from 1 with the header.
    Row(usize),
    /// Update of a TOML or object of a JSON file, counted from 1.
    Update(usize),
}

impl std::fmt::Display for RowLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row(row) => write!(f, "{row}"),
            Self::Update(number) => write!(f, "update {number}"),
        }
    }
}

impl RowLabel {
    /// As a sentence names it: `row 7`, `update 3`.
    pub fn in_words(self) -> String {
        match self {
            Self::Row(row) => format!("row {row}"),
            Self::Update(number) => format!("update {number}"),
        }
    }

    /// As `X-Correlation-ID` carries it behind the run id.
    pub fn correlation(self) -> String {
        match self {
            Self::Row(row) => row.to_string(),
            Self::Update(number) => format!("u{number}"),
        }
    }
}

/// Whom an update is about.
#[derive(Debug, Clone)]
pub enum Selector {
    /// The client with this id.
    Id(EntityId),
    /// Clients whose fields fit all the patterns.
    Match {
        /// Field and pattern; several mean *and*.
        fields: Vec<(FieldPath, Pattern)>,
        /// Whether an exact name may fit several clients.
        every: bool,
    },
}

/// Pairs of operations of one update that change the same path, or one that encloses the other.
pub(super) fn overlaps(ops: &[Op]) -> Vec<(&Op, &Op)> {
    let earlier = |(at, op): (usize, &'_ Op)| -> Option<usize> {
        ops[..at].iter().position(|other| other.path.encloses(&op.path) || op.path.encloses(&other.path))
    };
    ops.iter().enumerate().filter_map(|(at, op)| Some((op, &ops[earlier((at, op))?]))).collect()
}

/// One leaf to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    /// Which field.
    pub path: FieldPath,
    /// What to do with it.
    pub action: Action,
    /// The bytes of the file that say so.
    pub span: Range<usize>,
}

/// What to do with a leaf.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make it this.
    Set(Value),
    /// Empty it, the way the catalogue says for that field.
    Unset,
}

impl Action {
    /// The value afterwards; `None` means absent.
    pub fn after(&self) -> Option<&Value> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset => None,
        }
    }
}

/// What a field must hold before.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// Which field.
    pub path: FieldPath,
    /// What it must hold; `None` means absent.
    pub value: Option<Value>,
    /// The bytes of the file that say so.
    pub span: Range<usize>,
}

/// A job file as it arrived: its name for messages, and its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i> {
    /// As the user named it; `-` for standard input.
    pub name: &'i str,
    /// Its content.
    pub bytes: &'i [u8],
}
