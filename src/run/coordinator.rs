//! One owner of a run's state: it hears of each outcome, makes it durable, tells the listeners, and decides to stop.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::stop::Failures;
use super::tenant::{News, TenantLoop};
use super::{Stop, signals};
use crate::auth0::{Connection, Writer};
use crate::catalogue::Kind;
use crate::model::event::{JOURNAL_VERSION, Listener, TenantStart};
use crate::model::{Entry, Progress, ProgressSink, RunId, StopReason, TenantName};
use crate::plan::TenantPlan;
use crate::store::{Journal, StoreError};

/// Outcomes that may wait for the journal: so many may be lost with it, and a slower disk slows the run instead of filling
/// memory.
const QUEUE: usize = 64;

/// What bounds a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests in flight per tenant.
    pub concurrency: usize,
    /// Failures after which no more rows are taken.
    pub max_failures: u64,
}

/// A tenant's part of the plan, with the right to carry it out.
#[derive(Debug)]
pub struct TenantRun {
    /// What to do.
    pub plan: Arc<TenantPlan>,
    /// The tenant's pace, which is told what is still to come.
    pub connection: Connection,
    /// The only thing that can write to the tenant.
    pub writer: Writer,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Finished {
    /// What the journal holds (or should: see `stop`), in order.
    pub entries: Vec<Entry>,
    /// Why the run as a whole ended early.
    pub stop: Option<StopReason>,
    /// Tenants that took no more rows, with the words for it.
    pub tenant_stops: Vec<(TenantName, StopReason, String)>,
}

/// What all tenants of a run have in common.
#[derive(Debug, Clone)]
pub struct RunSetup {
    /// The run.
    pub run: RunId,
    /// The kind of object that its plan is about.
    pub kind: &'static Kind,
    /// What bounds it.
    pub limits: Limits,
    /// When the tenants were read for the plan.
    pub read: Instant,
    /// Where progress is told.
    pub progress: ProgressSink,
}

/// Executes the writes of a plan, all tenants beside each other, and returns when the last request in flight is over.
///
/// # Errors
/// Where the journal's first line cannot be written: nothing was sent then.
pub async fn execute(
    setup: RunSetup,
    tenants: Vec<TenantRun>,
    journal: Journal,
    listeners: &mut [Box<dyn Listener>],
) -> Result<Finished, StoreError> {
    let stop = Stop::default();
    let mut ledger = Ledger::new(journal, listeners, stop.clone());
    ledger.append(vec![started(&setup, &tenants)]).await?;
    let progress = setup.progress.clone();
    let signals = signals::listen(stop.clone(), move || progress.tell(Progress::Stopping)).ok();
    let failures = Arc::new(Failures::up_to(setup.limits.max_failures));
    let (news, mut arriving) = mpsc::channel(QUEUE);
    let loops: Vec<(Arc<TenantLoop>, JoinHandle<()>)> = tenants
        .into_iter()
        .map(|tenant| {
            let tenant = Arc::new(TenantLoop::new(&setup, tenant, stop.clone(), Arc::clone(&failures)));
            let task = tokio::spawn(Arc::clone(&tenant).drive(news.clone()));
            (tenant, task)
        })
        .collect();
    drop(news);
    let mut batch = Vec::new();
    while arriving.recv_many(&mut batch, QUEUE).await > 0 {
        ledger.take(std::mem::take(&mut batch)).await;
    }
    for (tenant, task) in loops {
        if task.await.is_err() {
            ledger.take(tenant.remains_of_a_defect()).await;
        }
    }
    if let Some(signals) = signals {
        signals.abort();
    }
    ledger.close().await;
    Ok(ledger.finished)
}

fn started(setup: &RunSetup, tenants: &[TenantRun]) -> Entry {
    let start = |tenant: &TenantRun| TenantStart {
        tenant: tenant.plan.tenant.clone(),
        domain: tenant.plan.domain.clone(),
        writes: tenant.plan.writes.len(),
    };
    let tenants = tenants.iter().map(start).collect();
    Entry::Started { version: JOURNAL_VERSION, run: setup.run.clone(), at: now(), tenants }
}

#[expect(clippy::disallowed_methods, reason = "the run owns the wall clock of its journal")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The journal, and what follows from each entry.
struct Ledger<'l> {
    /// Away while a thread writes with it; gone for good after it failed.
    journal: Option<Journal>,
    finished: Finished,
    listeners: &'l mut [Box<dyn Listener>],
    stop: Stop,
}

impl<'l> Ledger<'l> {
    fn new(journal: Journal, listeners: &'l mut [Box<dyn Listener>], stop: Stop) -> Self {
        Self { journal: Some(journal), finished: Finished::default(), listeners, stop }
    }

    /// Takes what the tenants' loops report. After the journal has failed the run stops, but what was done is still told.
    async fn take(&mut self, news: Vec<News>) {
        let mut entries = Vec::with_capacity(news.len());
        for one in news {
            match one {
                News::Outcome(outcome) => entries.push(Entry::Outcome(*outcome)),
                News::TenantStopped { tenant, reason, message } => {
                    self.finished.tenant_stops.push((tenant.clone(), reason, message.clone()));
                    entries.push(Entry::TenantStopped { tenant, at: now(), reason, message });
                }
            }
        }
        if self.append(entries).await.is_err() {
            self.stop.raise(StopReason::JournalLost);
        }
    }

    async fn close(&mut self) {
        let finished = Entry::Finished { at: now(), stop: self.stop.reason() };
        if self.append(vec![finished]).await.is_err() {
            self.stop.raise(StopReason::JournalLost);
        }
        self.finished.stop = self.stop.reason();
    }

    /// Makes entries durable, then lets everybody hear of them. After the journal has failed they are kept for the
    /// report all the same: what was done must be told.
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let durable = match self.journal.take() {
            None => Ok(()),
            Some(mut journal) => {
                let entries = entries.clone();
                let write = move || journal.append(&entries).map(|()| journal);
                let written = tokio::task::spawn_blocking(write).await;
                let lost =
                    |panic| StoreError::new("write", Path::new("the journal"))(std::io::Error::other(panic));
                written.map_err(lost).and_then(|written| written).map(|journal| self.journal = Some(journal))
            }
        };
        for entry in entries {
            for listener in self.listeners.iter_mut() {
                listener.hear(&entry);
            }
            self.finished.entries.push(entry);
        }
        durable
    }
}
