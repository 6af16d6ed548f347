//! One owner of a run's state: it hears of each outcome, makes it durable, tells the listeners, and decides to stop.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::tenant::{News, TenantLoop};
use super::{Stop, signals};
use crate::auth0::{Connection, Writer};
use crate::catalogue::Kind;
use crate::model::event::{JOURNAL_VERSION, Listener, TenantStart};
use crate::model::{Entry, Outcome, ProgressSink, RowResult, RunId, StopReason, TenantName};
use crate::plan::TenantPlan;
use crate::store::{Journal, StoreError};

/// Outcomes that may wait for the journal; a slower disk slows the run instead of filling memory.
const QUEUE: usize = 1024;

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

/// Executes the writes of a plan, all tenants beside each other, and returns when the last request in flight is over.
///
/// # Errors
/// Where the journal's first line cannot be written: nothing was sent then.
pub async fn execute(
    run: RunId,
    kind: &'static Kind,
    tenants: Vec<TenantRun>,
    journal: Journal,
    limits: Limits,
    listeners: &mut [Box<dyn Listener>],
    progress: ProgressSink,
) -> Result<Finished, StoreError> {
    let stop = Stop::default();
    let mut ledger = Ledger {
        journal: Some(journal),
        finished: Finished::default(),
        listeners,
        failures: 0,
        limits,
        stop: stop.clone(),
    };
    let starts = tenants.iter().map(|t| TenantStart {
        tenant: t.plan.tenant.clone(),
        domain: t.plan.domain.clone(),
        writes: t.plan.writes.len(),
    });
    let started =
        Entry::Started { version: JOURNAL_VERSION, run: run.clone(), at: now(), tenants: starts.collect() };
    ledger.append(vec![started]).await?;
    let signals = signals::listen(stop.clone()).ok();
    let (news, mut arriving) = mpsc::channel(QUEUE);
    let loops: Vec<_> = tenants
        .into_iter()
        .map(|tenant| {
            let halt = watch::Sender::new(false);
            let of = TenantLoop {
                run: run.clone(),
                kind,
                plan: tenant.plan,
                connection: tenant.connection,
                writer: Arc::new(tenant.writer.until(halt.subscribe())),
                halt,
                concurrency: limits.concurrency,
                stop: stop.clone(),
                progress: progress.clone(),
            };
            tokio::spawn(of.drive(news.clone()))
        })
        .collect();
    drop(news);
    let mut batch = Vec::new();
    while arriving.recv_many(&mut batch, QUEUE).await > 0 {
        let entries = batch.drain(..).map(entry_of).collect();
        if ledger.append(entries).await.is_err() {
            stop.raise(StopReason::JournalLost);
        }
    }
    for task in loops {
        // A panic in a tenant's loop is a bug; its rows are reported as not attempted, the others are not lost.
        let _ = task.await;
    }
    if let Some(signals) = signals {
        signals.abort();
    }
    let finished = Entry::Finished { at: now(), stop: stop.reason() };
    if ledger.append(vec![finished]).await.is_err() {
        stop.raise(StopReason::JournalLost);
    }
    ledger.finished.stop = stop.reason();
    Ok(ledger.finished)
}

fn entry_of(news: News) -> Entry {
    match news {
        News::Outcome(outcome) => Entry::Outcome(*outcome),
        News::TenantStopped { tenant, reason, message } => {
            Entry::TenantStopped { tenant, at: now(), reason, message }
        }
    }
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
    failures: u64,
    limits: Limits,
    stop: Stop,
}

impl Ledger<'_> {
    /// Makes entries durable, then lets everybody hear of them. After the journal has failed they are kept for the
    /// report all the same: what was done must be told.
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let durable = match self.journal.take() {
            None => Ok(()),
            Some(mut journal) => {
                let entries = entries.clone();
                let written =
                    tokio::task::spawn_blocking(move || journal.append(&entries).map(|()| journal)).await;
                match written {
                    Ok(Ok(journal)) => {
                        self.journal = Some(journal);
                        Ok(())
                    }
                    Ok(Err(error)) => Err(error),
                    Err(panic) => Err(StoreError::new("write", std::path::Path::new("the journal"))(
                        std::io::Error::other(panic),
                    )),
                }
            }
        };
        for entry in entries {
            self.hear(entry);
        }
        durable
    }

    fn hear(&mut self, entry: Entry) {
        for listener in self.listeners.iter_mut() {
            listener.hear(&entry);
        }
        match &entry {
            Entry::Outcome(Outcome { result: RowResult::Failed, .. }) => {
                self.failures += 1;
                if self.failures > self.limits.max_failures {
                    self.stop.raise(StopReason::MaxFailures);
                }
            }
            Entry::TenantStopped { tenant, reason, message, .. } => {
                self.finished.tenant_stops.push((tenant.clone(), *reason, message.clone()));
            }
            _ => (),
        }
        self.finished.entries.push(entry);
    }
}
