//! Why a run ends before its last row.

use serde::{Deserialize, Serialize};

/// Why no more rows are taken, weakest first: a stronger reason replaces a weaker one, never the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// `--deadline` has come.
    Deadline,
    /// A row conflicted, and `--on-conflict stop` was asked for.
    Conflict,
    /// More rows failed than `max-failures` allows.
    MaxFailures,
    /// A wave could not be finished in every tenant.
    WaveLeft,
    /// What a wave wrote was not there when it was verified.
    BadWave,
    /// The tenant could not be reached for too long.
    TenantLost,
    /// The token lacks a scope, or was refused and could not be renewed.
    AccessLost,
    /// A defect of patchwave itself ended a tenant's part.
    Defect,
    /// The journal could not be written: what cannot be recorded must not be done.
    JournalLost,
    /// Ctrl-C, SIGTERM or SIGHUP: rows in flight are finished.
    Interrupted,
    /// The second such signal: stop now.
    Killed,
}

impl StopReason {
    /// In words, to stand after "stopped: ".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Deadline => "the deadline came",
            Self::Conflict => "a row conflicted, and --on-conflict is stop",
            Self::WaveLeft => "a wave could not be finished in every tenant",
            Self::BadWave => "a wave was not good enough",
            Self::MaxFailures => "more rows failed than max-failures allows",
            Self::TenantLost => "the tenant could not be reached",
            Self::AccessLost => "the tenant refused the token or a scope",
            Self::Defect => "a defect in patchwave ended it",
            Self::JournalLost => "the journal could not be written",
            Self::Interrupted => "interrupted",
            Self::Killed => "interrupted twice",
        }
    }
}
