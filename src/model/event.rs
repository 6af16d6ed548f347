//! News of a run. An [`Entry`] may never be lost: the journal has it before anybody else hears of it.
//! A [`Progress`] may: it only makes waiting bearable.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Domain, Outcome, Outlook, RunId, StopReason, TenantName};

/// Version of the journal's lines. A reader refuses a journal of another one.
///
/// 1: entries without checksums. 2: checksums in a chain, claims, waves, several sessions.
pub const JOURNAL_VERSION: u32 = 2;

/// A line of the journal, and the event that listeners hear once it is durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The first line: the plan beside it is whole and the first write may be sent.
    Started {
        /// [`JOURNAL_VERSION`] of the writer.
        version: u32,
        /// The run.
        run: RunId,
        /// Name of its job.
        job: String,
        /// The run that it takes back, where it is an undo.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<RunId>,
        /// When.
        at: Timestamp,
        /// The tenants, in order.
        tenants: Vec<TenantStart>,
    },
    /// Another process took the run up again.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// From here on these writes may have been sent: after a crash each needs a look, and no other does.
    Claimed {
        /// Of which tenant.
        tenant: TenantName,
        /// Which writes of its plan, counted from 0.
        writes: Vec<usize>,
    },
    /// A write came to its end, whichever.
    Outcome(Outcome),
    /// A later look at the client found that it does not hold what the write was answered with.
    Mismatch {
        /// Of which tenant.
        tenant: TenantName,
        /// Which write of its plan.
        write: usize,
        /// When it was seen.
        at: Timestamp,
        /// What the client holds, and what was planned.
        message: String,
    },
    /// A wave is over.
    WaveEnded {
        /// Which, counted from 1.
        wave: usize,
        /// When.
        at: Timestamp,
        /// Why no other wave may follow it; nothing where one may.
        bad: Option<String>,
    },
    /// A tenant takes no more rows.
    TenantStopped {
        /// Which.
        tenant: TenantName,
        /// When.
        at: Timestamp,
        /// Why.
        reason: StopReason,
        /// In words, with the server's own where it said any.
        message: String,
    },
    /// A session of the run ended in good order.
    Finished {
        /// When.
        at: Timestamp,
        /// The strongest reason for an early end, if it ended early.
        stop: Option<StopReason>,
        /// What this session saw of each tenant's rate limit.
        paces: Vec<TenantPace>,
        /// How far the run is.
        tally: Tally,
    },
    /// Another run of the same tenants began: what is left of this one is not to be finished any more.
    Superseded {
        /// The other run.
        by: RunId,
        /// When.
        at: Timestamp,
        /// In which tenants.
        tenants: Vec<TenantName>,
        /// How far the run is.
        tally: Tally,
    },
}

/// How far a run is: the last line of its journal tells it, so that a list of runs need not read the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Clients that it has written to.
    pub written: usize,
    /// Clients that it may have written to: nobody found out.
    pub unknown: usize,
    /// Writes that failed or conflicted.
    pub failed: usize,
    /// Writes that `resume` would take up.
    pub left: usize,
}

/// What a session saw of a tenant's rate limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantPace {
    /// The tenant.
    pub tenant: TenantName,
    /// What was seen.
    pub pace: Pace,
}

/// A tenant as the journal's first line names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantStart {
    /// Its name in this run.
    pub tenant: TenantName,
    /// Its domain.
    pub domain: Domain,
    /// How many writes are planned for it.
    pub writes: usize,
}

/// News that may be dropped when nobody keeps up.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A page of a list, or single objects, arrived while planning.
    Read {
        /// From which tenant.
        tenant: TenantName,
        /// Objects so far.
        seen: usize,
        /// Objects expected, once the tenant said so.
        total: Option<usize>,
    },
    /// An answer told about the tenant's rate limit.
    Pace {
        /// Of which tenant.
        tenant: TenantName,
        /// What is known now.
        pace: Pace,
        /// What that means for the requests to come; nothing where the tenant tells of no limit.
        outlook: Option<Outlook>,
    },
    /// A request will be sent again.
    Retry {
        /// To which tenant.
        tenant: TenantName,
        /// After how long.
        wait: Duration,
        /// Why, in a few words (`503`, `connection reset`).
        cause: String,
    },
    /// A request was refused by the rate limit (429).
    Throttled {
        /// By which tenant.
        tenant: TenantName,
    },
    /// The run was told to stop; what is under way is finished.
    Stopping,
    /// A wave begins.
    Wave {
        /// Which, counted from 1.
        wave: usize,
        /// Of how many.
        of: usize,
        /// Clients in it.
        clients: usize,
    },
    /// Nothing is sent for so long, between two waves.
    Pausing {
        /// The pause.
        wait: Duration,
    },
    /// What a wave has written is read again.
    Verifying,
    /// Clients that were read too long ago are read again.
    Rereading {
        /// Of which tenant.
        tenant: TenantName,
    },
    /// A tenant is being left in peace after failures in a row; one probe will be sent.
    Paused {
        /// Which.
        tenant: TenantName,
        /// Until the next probe.
        wait: Duration,
    },
}

/// What is known of a tenant's rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pace {
    /// Size of the bucket, as `x-ratelimit-limit` says.
    pub limit: Option<u64>,
    /// Tokens left, as the newest answer said.
    pub remaining: Option<u64>,
    /// The lowest `remaining` seen.
    pub lowest: Option<u64>,
    /// Estimated net refill in tokens per second, once enough was seen.
    pub refill: Option<f64>,
    /// Its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill_error: Option<f64>,
    /// Seconds from a request to its answer, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<f64>,
    /// Requests sent, of any kind.
    pub requests: u64,
    /// Answers 429.
    pub throttled: u64,
}

/// Where progress is told. Must return at once and never block.
#[derive(Clone)]
pub struct ProgressSink(Arc<dyn Fn(Progress) + Send + Sync>);

impl ProgressSink {
    /// Tells `listener`, on whatever task the news arises.
    pub fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Tells nobody.
    pub fn none() -> Self {
        Self::new(|_| ())
    }

    /// Tells it. A listener that panics costs its news and nothing else: it runs on the task that sends requests, and
    /// must not take that down with it.
    pub fn tell(&self, progress: Progress) {
        let listener = AssertUnwindSafe(|| (self.0)(progress));
        drop(std::panic::catch_unwind(listener));
    }
}

impl fmt::Debug for ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressSink")
    }
}

/// Hears each entry once it is durable. Must return soon: the run waits. What it cannot do (a full disk, a closed
/// terminal) it keeps to itself and says at the end; a listener never stops a run.
pub trait Listener: Send {
    /// Takes note.
    fn hear(&mut self, entry: &Entry);
}
