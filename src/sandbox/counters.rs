//! What a simulated tenant has seen, for tests and for people. Central type: [`Counters`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Notify;

use super::call::Call;
use super::store::lock;

/// How many writes are remembered.
const KEPT: usize = 2048;

/// A PATCH as it arrived, whatever became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenPatch {
    /// The kind of object it was for.
    pub kind: &'static str,
    /// The object's id.
    pub id: String,
    /// Where it went, with what stands below the object.
    pub path: String,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// Its `X-Correlation-ID`.
    pub correlation_id: Option<String>,
    /// Its `User-Agent`.
    pub user_agent: Option<String>,
}

/// What a tenant has seen until now. Calls are counted as they arrive, refused ones included.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Token requests.
    pub token: u64,
    /// Pages of lists.
    pub list: u64,
    /// Reads of one object, or of what belongs to it.
    pub get: u64,
    /// Updates, with those of what belongs to an object.
    pub patch: u64,
    /// Updates that were carried out and changed nothing: the object held all of it already.
    pub idle: u64,
    /// Creations.
    pub create: u64,
    /// Deletions.
    pub delete: u64,
    /// New secrets for clients.
    pub rotate_secret: u64,
    /// Reads of the tenant's log.
    pub logs: u64,
    /// Other calls below the API.
    pub other: u64,
    /// Answers by status; a broken connection or a hang is no answer.
    pub by_status: BTreeMap<u16, u64>,
    /// Calls answered 429 because a bucket was empty.
    pub throttled: u64,
    /// Requests that a fault struck.
    pub faults: u64,
    /// Fewest whole tokens that any call left in a bucket.
    pub lowest_tokens: u32,
    /// Competing calls that found a token.
    pub competing_served: u64,
    /// Competing calls that found none: production that was starved.
    pub competing_throttled: u64,
    /// Seconds from the first API call to the last one so far.
    pub seconds: f64,
    /// The last updates, oldest first; a few thousand are kept. Not among those that other processes are shown.
    #[serde(skip)]
    pub patches: Vec<SeenPatch>,
}

/// The live counts.
#[derive(Debug)]
pub(super) struct Tally {
    calls: [AtomicU64; Call::ALL.len()],
    statuses: Vec<AtomicU64>,
    pub(super) throttled: AtomicU64,
    faults: AtomicU64,
    patches: Mutex<VecDeque<SeenPatch>>,
    /// Wakes those who wait for a count.
    pub(super) news: Notify,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            calls: Default::default(),
            statuses: (0..600).map(|_| AtomicU64::new(0)).collect(),
            throttled: AtomicU64::default(),
            faults: AtomicU64::default(),
            patches: Mutex::default(),
            news: Notify::new(),
        }
    }
}

impl Tally {
    pub(super) fn call(&self, call: Call) {
        self.calls[call as usize].fetch_add(1, Ordering::Relaxed);
        self.news.notify_waiters();
    }

    pub(super) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.news.notify_waiters();
    }

    pub(super) fn status(&self, status: u16) {
        if let Some(count) = self.statuses.get(usize::from(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn patch(&self, seen: SeenPatch) {
        let mut patches = lock(&self.patches);
        if patches.len() == KEPT {
            patches.pop_front();
        }
        patches.push_back(seen);
    }

    /// The updates that are remembered.
    pub(super) fn patches(&self) -> Vec<SeenPatch> {
        lock(&self.patches).iter().cloned().collect()
    }

    /// Everything but the updates themselves, and what the buckets know.
    pub(super) fn snapshot(&self) -> Counters {
        let of = |call: Call| self.calls[call as usize].load(Ordering::Relaxed);
        let by_status =
            (0..).zip(&self.statuses).map(|(status, count)| (status, count.load(Ordering::Relaxed)));
        Counters {
            token: of(Call::Token),
            list: of(Call::List),
            get: of(Call::Get),
            patch: of(Call::Patch),
            create: of(Call::Create),
            delete: of(Call::Delete),
            rotate_secret: of(Call::RotateSecret),
            logs: of(Call::Logs) + of(Call::Log),
            other: of(Call::Other),
            by_status: by_status.filter(|(_, count)| *count > 0).collect(),
            throttled: self.throttled.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
            ..Counters::default()
        }
    }
}
