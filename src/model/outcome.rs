//! What became of a row: closed lists, since users script against them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EntityId, Overwritten, TenantName};

/// The `_result` column of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowResult {
    /// Written, and the answer held what was planned.
    Updated,
    /// Made, and the answer held what was asked for.
    Created,
    /// Already as asked: nothing was sent.
    Unchanged,
    /// Could not be done.
    Failed,
    /// The client holds something else than was expected: left alone.
    Conflict,
    /// Left out on purpose.
    Skipped,
    /// The run stopped before this row.
    NotAttempted,
    /// Put back, in the run of an undo.
    Undone,
    /// Would be written, in the report of a plan.
    Planned,
}

/// The `_reason` column of a report. Closed: a new reason is a new line of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No client has this id, or this exact name.
    NotFound,
    /// Two or more clients fit what must fit one.
    Ambiguous,
    /// There is one of this identity already, and it differs from what is to be created.
    Exists,
    /// A precondition (`expect`) does not hold.
    Expect,
    /// A field holds neither what it held at planning nor what was asked for.
    ChangedMeanwhile,
    /// No client fits the pattern.
    NoMatch,
    /// `--limit` left it out.
    Limit,
    /// `--where` left it out.
    Where,
    /// Protected clients are not touched by rules.
    Protected,
    /// The server refused the change (4xx).
    Refused,
    /// The token or the tenant's plan may not change this (403).
    Forbidden,
    /// The tenant refuses the token, or it lacks a scope: no row would get through.
    AccessLost,
    /// The server went on failing (5xx, 408).
    ServerError,
    /// The tenant could not be reached, or its answer did not arrive.
    Network,
    /// Whether it was written could not be found out.
    Unknown,
    /// The stored client is not as planned after the write.
    NotAsPlanned,
    /// Written as planned, but a field that was not written moved as well: a warning.
    ChangedElsewhere,
    /// The field cannot be absent again, nor hold anything that means the same.
    CannotUnset,
    /// The field held a secret, of which nobody has kept a copy.
    CannotRestore,
    /// It was created, and nothing deletes.
    CannotDelete,
    /// Another run holds the tenant's lock.
    Locked,
    /// The run was stopped first.
    Stopped,
    /// Another tenant or an earlier stage failed before anything was sent here.
    TenantFailed,
}

macro_rules! snake_name {
    ($type:ident { $($variant:ident => $name:literal),* $(,)? }) => {
        impl $type {
            /// The word as reports spell it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

snake_name!(RowResult {
    Updated => "updated", Created => "created", Unchanged => "unchanged", Failed => "failed", Conflict => "conflict",
    Skipped => "skipped", NotAttempted => "not_attempted", Undone => "undone", Planned => "planned",
});
snake_name!(Reason {
    NotFound => "not_found", Ambiguous => "ambiguous", Exists => "exists", Expect => "expect", ChangedMeanwhile => "changed_meanwhile",
    NoMatch => "no_match", Limit => "limit", Where => "where", Protected => "protected", Refused => "refused", Forbidden => "forbidden", AccessLost => "access_lost",
    ServerError => "server_error", Unknown => "unknown", Network => "network", NotAsPlanned => "not_as_planned",
    ChangedElsewhere => "changed_elsewhere", CannotUnset => "cannot_unset", CannotRestore => "cannot_restore", CannotDelete => "cannot_delete",
    Locked => "locked", Stopped => "stopped", TenantFailed => "tenant_failed",
});

impl Outcome {
    /// Of a write that was taken up, and of which nothing is known yet.
    pub fn begun(tenant: TenantName, write: usize, id: EntityId, started: Timestamp) -> Self {
        Self {
            tenant,
            write,
            id,
            result: RowResult::Failed,
            reason: None,
            http_status: None,
            error_code: None,
            error: None,
            written: Written::No,
            settled: None,
            overwrote: Vec::new(),
            attempts: 0,
            waited_ms: 0,
            duration_ms: 0,
            started,
            ended: started,
        }
    }
}

/// Whether a write reached the tenant. An undo looks at those that did, or may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Certainly not.
    #[default]
    No,
    /// Nobody could find out.
    Perhaps,
    /// Yes.
    Yes,
}

impl Written {
    fn is_no(&self) -> bool {
        *self == Self::No
    }
}

/// What a look at the client said of a write whose answer did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledBy {
    /// It had been carried out.
    FoundInPlace,
    /// It had not, and was sent again.
    SentAgain,
    /// Somebody else had been there meanwhile.
    FoundNeither,
    /// The look failed as well.
    NotFoundOut,
}

/// What became of one planned write. Durable: the journal keeps it, reports are made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The tenant it went to.
    pub tenant: TenantName,
    /// Which write of that tenant's plan, counted from 0.
    pub write: usize,
    /// The client.
    pub id: EntityId,
    /// What became of it.
    pub result: RowResult,
    /// Why, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Status of the last HTTP answer, if one arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Auth0's `errorCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What went wrong, in the server's words where it said any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether it reached the tenant.
    #[serde(default, skip_serializing_if = "Written::is_no")]
    pub written: Written,
    /// How it was settled, where an answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<SettledBy>,
    /// What others had put there since the plan, where the write was made over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overwrote: Vec<Overwritten>,
    /// PATCH requests sent, those refused by the rate limit included.
    pub attempts: u32,
    /// Milliseconds spent waiting for the rate limit and between attempts.
    pub waited_ms: u64,
    /// Milliseconds from the row being taken up to its outcome, waiting included.
    pub duration_ms: u64,
    /// When the row was taken up.
    pub started: Timestamp,
    /// When its outcome was known.
    pub ended: Timestamp,
}
