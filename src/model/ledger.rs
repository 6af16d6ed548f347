//! What became of a change set in a tenant. Central type: [`LedgerEntry`], a line of the ledger.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ChangeSetId, Domain, RunId, TenantName};

/// Version of the ledger's lines. A reader passes over lines of another one.
///
/// 1: the first.
pub const LEDGER_VERSION: u32 = 1;

/// What a run of a change set came to in one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// [`LEDGER_VERSION`] of the writer.
    pub version: u32,
    /// Which change set.
    pub change_set: ChangeSetId,
    /// The tenant's name in the run.
    pub tenant: TenantName,
    /// Its canonical domain, by which it is the same under any name.
    pub domain: Domain,
    /// The run.
    pub run: RunId,
    /// The run that it takes back, where it is an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// When it ended, or began where it has not ended yet.
    pub at: Timestamp,
    /// What came of it, in a word.
    pub result: LedgerResult,
    /// Rows by result, as `results.csv` spells it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, usize>,
}

impl LedgerEntry {
    /// What a later entry takes the place of.
    pub fn key(&self) -> (&str, &Domain, &RunId) {
        (&self.change_set.digest, &self.domain, &self.run)
    }
}

/// What came of a change set in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerResult {
    /// All of it is in place, and this run has written some of it.
    Applied,
    /// All of it was in place already.
    Unchanged,
    /// Some of it is in place, and some is not.
    Partly,
    /// None of it: clients hold something else than it expects.
    Conflict,
    /// None of it: the tenant could not be reached, or no row got through.
    Failed,
    /// None of it: all rows were left out on purpose.
    Skipped,
    /// The run stopped early, and can be resumed.
    Stopped,
    /// The run began and has not come to an end: it is still at it, or was killed.
    Begun,
    /// It was taken back.
    Undone,
}

impl LedgerResult {
    /// All of them, those first that need no look.
    pub const ALL: [Self; 9] = [
        Self::Applied,
        Self::Unchanged,
        Self::Undone,
        Self::Skipped,
        Self::Partly,
        Self::Conflict,
        Self::Failed,
        Self::Stopped,
        Self::Begun,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Partly => "partly",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Stopped => "stopped",
            Self::Begun => "begun",
            Self::Undone => "undone",
        }
    }

    /// Whether the change set is in place as a whole.
    pub fn is_in_place(self) -> bool {
        matches!(self, Self::Applied | Self::Unchanged)
    }
}

impl fmt::Display for LedgerResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
