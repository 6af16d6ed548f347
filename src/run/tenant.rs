//! One tenant's writes: taken in order, kept in flight up to the bound, stopped when there is reason to.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::breaker::{Breaker, Next};
use super::row::{self, RowRun};
use super::stop::Stop;
use crate::auth0::{ApiError, Connection, Writer};
use crate::catalogue::Kind;
use crate::model::{Outcome, Progress, ProgressSink, Reason, RunId, StopReason, TenantName};
use crate::plan::TenantPlan;

/// What a tenant's loop tells the coordinator.
#[derive(Debug)]
pub(super) enum News {
    /// A write came to its end.
    Outcome(Box<Outcome>),
    /// No more rows are taken here.
    TenantStopped { tenant: TenantName, reason: StopReason, message: String },
}

/// Everything that one tenant's loop needs.
pub(super) struct TenantLoop {
    pub(super) run: RunId,
    pub(super) kind: &'static Kind,
    pub(super) plan: Arc<TenantPlan>,
    pub(super) connection: Connection,
    pub(super) writer: Arc<Writer>,
    /// Told true when nothing more may be sent; the writer listens.
    pub(super) halt: watch::Sender<bool>,
    pub(super) concurrency: usize,
    pub(super) stop: Stop,
    pub(super) progress: ProgressSink,
}

impl TenantLoop {
    /// Runs to the end of the plan, or to a stop, and always until nothing is in flight.
    pub(super) async fn drive(self, news: mpsc::Sender<News>) {
        let mut flight = FuturesUnordered::new();
        let mut in_flight: BTreeMap<usize, Instant> = BTreeMap::new();
        let mut queue = 0..self.plan.writes.len();
        let mut breaker = Breaker::default();
        let mut given_up = false;
        loop {
            // Rows that still wait for the tenant's pace have not been sent: they come back as not attempted.
            if given_up || self.stop.reason().is_some() {
                self.halt.send_replace(true);
            }
            while flight.len() < self.concurrency.max(1)
                && !given_up
                && self.stop.reason().is_none()
                && breaker.next(Instant::now()) == Next::Go
            {
                let Some(at) = queue.next() else { break };
                self.connection.expect(queue.len() as u64 + 1);
                in_flight.insert(at, Instant::now());
                flight.push(self.row(at).run());
            }
            if flight.is_empty() {
                if given_up || queue.is_empty() || self.stop.reason().is_some() {
                    break;
                }
                given_up = self.wait_for_tenant(&mut breaker, queue.start, &news).await;
                continue;
            }
            tokio::select! {
                // The row's own answer comes first: one that has arrived is never thrown away.
                biased;
                Some(outcome) = flight.next() => {
                    in_flight.remove(&outcome.write);
                    breaker.observe(&outcome, Instant::now());
                    given_up |= self.lost_access(&outcome, &news).await;
                    // The coordinator outlives the loops; a closed channel would mean that nobody can record anything.
                    if news.send(News::Outcome(Box::new(outcome))).await.is_err() {
                        return;
                    }
                }
                () = self.stop.at_least(StopReason::Killed) => break,
                () = self.stop.at_least(StopReason::Deadline), if !*self.halt.borrow() => (),
            }
        }
        drop(flight);
        for (at, since) in in_flight {
            let _ = news.send(News::Outcome(Box::new(row::cut_off(&self.row(at), since)))).await;
        }
    }

    fn row(&self, at: usize) -> RowRun {
        RowRun {
            run: self.run.clone(),
            kind: self.kind,
            plan: Arc::clone(&self.plan),
            at,
            writer: Arc::clone(&self.writer),
        }
    }

    /// A refused token or a missing scope will not get better with the next row.
    async fn lost_access(&self, outcome: &Outcome, news: &mpsc::Sender<News>) -> bool {
        if outcome.reason != Some(Reason::AccessLost) {
            return false;
        }
        let message = outcome.error.clone().unwrap_or_default();
        self.stopped(StopReason::AccessLost, message, news).await;
        true
    }

    async fn stopped(&self, reason: StopReason, message: String, news: &mpsc::Sender<News>) {
        let tenant = self.plan.tenant.clone();
        let _ = news.send(News::TenantStopped { tenant, reason, message }).await;
    }

    /// Leaves the tenant in peace, then probes with one read; returns whether it was given up.
    async fn wait_for_tenant(&self, breaker: &mut Breaker, next: usize, news: &mpsc::Sender<News>) -> bool {
        let pause = match breaker.next(Instant::now()) {
            Next::Go => return false,
            Next::Pause(pause) => pause,
            Next::GiveUp => {
                let message = "no request got through for 5 minutes".to_owned();
                self.stopped(StopReason::TenantLost, message, news).await;
                return true;
            }
        };
        self.progress.tell(Progress::Paused { tenant: self.plan.tenant.clone(), wait: pause });
        tokio::select! {
            () = sleep(pause) => (),
            () = self.stop.at_least(StopReason::Deadline) => return false,
        }
        let reader = self.writer.reader();
        let probe = reader.get(&self.kind.endpoint, &self.plan.writes[next].id, Some(&[]));
        let answer = tokio::select! {
            answer = probe => answer,
            () = self.stop.at_least(StopReason::Deadline) => return false,
        };
        // Whatever the tenant says of this client, it is there again.
        breaker.probed(!matches!(answer, Err(ApiError::Network { .. } | ApiError::Server { .. })));
        false
    }
}
