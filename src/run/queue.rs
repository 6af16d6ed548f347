//! The writes of one tenant that are still to be made, and what is known of their clients. Central types: [`Queue`], [`Task`].

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::refresh::Fresh;
use crate::model::{Body, Outcome, Packed, Written};
use crate::plan::{Missing, TenantPlan};

/// The largest block of writes that is claimed at once.
const LARGEST_BLOCK: usize = 512;

/// What a write is made from.
#[derive(Debug, Clone)]
pub(super) enum Basis {
    /// The client as it was planned from.
    AsPlanned,
    /// The client as it was read again.
    Seen(Packed<Body>),
    /// Reading it again showed that it is gone.
    Gone(Missing),
    /// It must be read again, with others.
    Unseen,
    /// It must be read again, by itself.
    ByItself,
}

/// A write that is to be made.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) at: usize,
    pub(super) basis: Basis,
    /// When its client was read.
    pub(super) read: Instant,
    /// Whether it reached the tenant before.
    pub(super) written: Written,
    /// What became of it so far. Where nothing more does, that stands.
    pub(super) held: Option<Box<Outcome>>,
}

impl Task {
    /// A write of a plan, whose client was read at `read`.
    pub fn planned(at: usize, read: Instant) -> Self {
        Self { at, basis: Basis::AsPlanned, read, written: Written::No, held: None }
    }

    /// A write of which the client must be looked at first; `written` says whether it may have been sent.
    pub fn unseen(at: usize, written: Written) -> Self {
        Self { basis: Basis::Unseen, written, ..Self::planned(at, Instant::now()) }
    }

    /// The same, of which this became so far.
    #[must_use]
    pub fn after(self, outcome: Option<&Outcome>) -> Self {
        Self { held: outcome.cloned().map(Box::new), ..self }
    }

    /// A write that was sent, perhaps with effect: its client is looked at by itself before anything is sent again.
    pub(super) fn by_itself(outcome: &Outcome) -> Self {
        let written = outcome.written.max(Written::Perhaps);
        let task = Self { basis: Basis::ByItself, ..Self::unseen(outcome.write, written) };
        task.after(Some(outcome))
    }
}

/// The writes of one tenant, in order: those that wait to be claimed, and those that may be sent.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Task>,
    ready: VecDeque<Task>,
    block: usize,
}

impl Queue {
    /// So many may be in flight.
    pub(super) fn new(tasks: Vec<Task>, concurrency: usize) -> Self {
        Self { waiting: tasks.into(), ready: VecDeque::new(), block: concurrency.clamp(8, LARGEST_BLOCK) }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.ready.len()
    }

    /// Whether it is time to claim another block: before those that may be sent run out.
    pub(super) fn runs_low(&self) -> bool {
        self.ready.len() <= self.block / 2 && !self.waiting.is_empty()
    }

    /// The next write that may be sent.
    pub(super) fn take_ready(&mut self) -> Option<Task> {
        let task = self.ready.pop_front();
        if task.is_none() && !self.waiting.is_empty() {
            // Senders waited for the journal: it takes longer than a block lasts.
            self.block = (self.block * 2).min(LARGEST_BLOCK);
        }
        task
    }

    /// The write that comes next, for a probe.
    pub(super) fn peek(&self) -> Option<usize> {
        self.ready.front().or(self.waiting.front()).map(|task| task.at)
    }

    /// Those whose clients must be read before the next block can go, and others that would have to be soon.
    pub(super) fn stale(&self, now: Instant, max_age: Duration) -> Vec<usize> {
        let old = |task: &Task, limit: Duration| match task.basis {
            Basis::Unseen => true,
            Basis::ByItself | Basis::Gone(_) => false,
            Basis::AsPlanned | Basis::Seen(_) => now.duration_since(task.read) >= limit,
        };
        if !self.waiting.iter().take(self.block).any(|task| old(task, max_age)) {
            return Vec::new();
        }
        self.waiting.iter().filter(|task| old(task, max_age / 2)).map(|task| task.at).collect()
    }

    /// What was read; nothing where reading failed: then each is read by itself when its turn comes.
    pub(super) fn freshen(&mut self, plan: &TenantPlan, stale: &[usize], fresh: Option<&Fresh>) {
        let stale: std::collections::HashSet<usize> = stale.iter().copied().collect();
        for task in self.waiting.iter_mut().filter(|task| stale.contains(&task.at)) {
            let Some(fresh) = fresh else {
                task.basis = Basis::ByItself;
                continue;
            };
            let Some(write) = plan.writes.get(task.at) else { continue };
            task.read = fresh.read;
            task.basis = match fresh.of(&write) {
                Ok(body) => Basis::Seen(body.clone()),
                Err(Some(missing)) => Basis::Gone(missing.clone()),
                // A list without it says less than a look at it would.
                Err(None) => Basis::ByItself,
            };
        }
    }

    /// The next block, to be claimed.
    pub(super) fn take_block(&mut self) -> Vec<Task> {
        let size = self.block.min(self.waiting.len());
        self.waiting.drain(..size).collect()
    }

    /// A block was claimed: it may be sent.
    pub(super) fn claimed(&mut self, block: Vec<Task>) {
        self.ready.extend(block);
    }

    /// A block could not be claimed: it waits on.
    pub(super) fn refused(&mut self, block: Vec<Task>) {
        block.into_iter().rev().for_each(|task| self.waiting.push_front(task));
    }

    /// A write that has to wait for the tenant's return. Behind the others: one that fails by itself must not be the probe
    /// again and again.
    pub(super) fn requeue(&mut self, task: Task) {
        self.ready.push_back(task);
    }

    /// Those that were claimed and will not be sent.
    pub(super) fn release(&mut self) -> impl Iterator<Item = Task> {
        std::mem::take(&mut self.ready).into_iter()
    }
}
