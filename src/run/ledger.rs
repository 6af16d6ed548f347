//! The journal as a gate: what happens is durable first, and seen and heard of then. Central type: [`Ledger`].

use std::path::Path;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Finished;
use super::stop::Stop;
use super::tenant::News;
use crate::model::event::{Listener, TenantPace};
use crate::model::{Entry, RunRecord, StopReason};
use crate::store::{Append, StoreError};

#[expect(clippy::disallowed_methods, reason = "the run owns the wall clock of its journal")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// The journal, and what its entries add up to.
pub(super) struct Ledger<'l> {
    /// Away while a thread writes with it; gone for good after it failed.
    journal: Option<Box<dyn Append>>,
    /// Why it failed.
    lost: Option<StoreError>,
    record: RunRecord,
    listeners: &'l mut [Box<dyn Listener>],
    stop: Stop,
}

impl<'l> Ledger<'l> {
    pub(super) fn new(
        record: RunRecord,
        journal: Box<dyn Append>,
        listeners: &'l mut [Box<dyn Listener>],
        stop: Stop,
    ) -> Self {
        Self { journal: Some(journal), lost: None, record, listeners, stop }
    }

    /// What is known of the run.
    pub(super) fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Takes what the tenants' loops report, as one group. After the journal has failed the run stops, but what was done is
    /// still told.
    pub(super) async fn take(&mut self, news: Vec<News>) {
        let mut entries = Vec::with_capacity(news.len());
        let mut claims: Vec<oneshot::Sender<()>> = Vec::new();
        for one in news {
            match one {
                News::Claim { tenant, writes, granted } => {
                    // What cannot be recorded must not be done: dropped, it is refused.
                    if self.journal.is_some() {
                        entries.push(Entry::Claimed { tenant, writes });
                        claims.push(granted);
                    }
                }
                News::Outcome(outcome) => entries.push(Entry::Outcome(*outcome)),
                News::TenantStopped { tenant, reason, message } => {
                    entries.push(Entry::TenantStopped { tenant, at: now(), reason, message });
                }
            }
        }
        if self.record_all(entries).await {
            // Nobody waits where the loop was ended meanwhile.
            for granted in claims {
                let _ = granted.send(());
            }
        }
    }

    /// Makes entries durable, then lets everybody hear of them; tells whether they are. After the journal has failed they are
    /// told all the same: what was done must be in the report.
    pub(super) async fn record_all(&mut self, entries: Vec<Entry>) -> bool {
        if entries.is_empty() {
            return true;
        }
        let (entries, durable) = self.append(entries).await;
        for entry in entries {
            self.listeners.iter_mut().for_each(|listener| listener.hear(&entry));
            if let Err(impossible) = self.record.take(entry) {
                tracing::error!(%impossible, "a defect in patchwave: the run's states do not follow from each other");
                self.stop.raise(StopReason::Defect);
            }
        }
        durable
    }

    async fn append(&mut self, entries: Vec<Entry>) -> (Vec<Entry>, bool) {
        let Some(mut journal) = self.journal.take() else { return (entries, false) };
        let write = move || {
            let written = journal.append(&entries);
            (journal, entries, written)
        };
        let (entries, error) = match tokio::task::spawn_blocking(write).await {
            Ok((journal, entries, Ok(()))) => {
                self.journal = Some(journal);
                return (entries, true);
            }
            Ok((_, entries, Err(error))) => (entries, error),
            // A panic while writing: what was to be written is gone with it.
            Err(panic) => {
                let cause = std::io::Error::other(panic);
                (Vec::new(), StoreError::new("write", Path::new("the journal"))(cause))
            }
        };
        tracing::error!(%error, "the journal is lost");
        self.lost = Some(error);
        self.stop.raise(StopReason::JournalLost);
        (entries, false)
    }

    /// Writes the last line.
    pub(super) async fn close(mut self, paces: Vec<TenantPace>) -> Finished {
        let (stop, tally) = (self.stop.reason(), self.record.tally());
        let finished = Entry::Finished { at: now(), stop, paces, tally };
        self.record_all(vec![finished]).await;
        self.record.stop = self.stop.reason();
        Finished { record: self.record, journal: self.lost }
    }
}
