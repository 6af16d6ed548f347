//! One tenant's writes: taken in order, kept in flight up to the bound, stopped when there is reason to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::breaker::{Breaker, Next};
use super::coordinator::{RunSetup, TenantRun};
use super::row::{self, RowRun};
use super::stop::{Failures, Stop};
use crate::auth0::{ApiError, Connection, Writer};
use crate::model::{Outcome, Progress, Reason, RowResult, StopReason, TenantName};
use crate::plan::TenantPlan;

/// What a tenant's loop tells the coordinator.
#[derive(Debug)]
pub(super) enum News {
    /// A write came to its end.
    Outcome(Box<Outcome>),
    /// No more rows are taken here.
    TenantStopped { tenant: TenantName, reason: StopReason, message: String },
}

/// One tenant's part of a run.
pub(super) struct TenantLoop {
    setup: RunSetup,
    plan: Arc<TenantPlan>,
    connection: Connection,
    writer: Arc<Writer>,
    /// Told true when nothing more may be sent; the writer listens.
    halt: watch::Sender<bool>,
    stop: Stop,
    /// Failures of the whole run, counted before another row is taken.
    failures: Arc<Failures>,
    /// The rows that are taken up, since when: reported here, or, where this loop does not live to do it, by the coordinator.
    in_flight: Mutex<BTreeMap<usize, Instant>>,
}

impl TenantLoop {
    pub(super) fn new(setup: &RunSetup, tenant: TenantRun, stop: Stop, failures: Arc<Failures>) -> Self {
        let halt = watch::Sender::new(false);
        Self {
            setup: setup.clone(),
            plan: tenant.plan,
            connection: tenant.connection,
            writer: Arc::new(tenant.writer.until(halt.subscribe())),
            halt,
            stop,
            failures,
            in_flight: Mutex::default(),
        }
    }

    /// The rows in flight. A panic elsewhere leaves the map as it was: whole.
    fn held(&self) -> MutexGuard<'_, BTreeMap<usize, Instant>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows that were under way when the loop ended without them.
    fn cut_off(&self, why: &str) -> Vec<News> {
        let left = std::mem::take(&mut *self.held());
        let news = |(at, since)| News::Outcome(Box::new(row::cut_off(&self.row(at, false), since, why)));
        left.into_iter().map(news).collect()
    }

    /// What a loop that panicked leaves to be told: never nothing, since rows were under way.
    pub(super) fn remains_of_a_defect(&self) -> Vec<News> {
        let mut news = self.cut_off("patchwave failed while the request was under way");
        let message = "a defect in patchwave ended this tenant's part; please report it".to_owned();
        news.push(News::TenantStopped {
            tenant: self.plan.tenant.clone(),
            reason: StopReason::Defect,
            message,
        });
        news
    }

    /// Runs to the end of the plan, or to a stop, and always until nothing is in flight.
    pub(super) async fn drive(self: Arc<Self>, news: mpsc::Sender<News>) {
        let mut flight = FuturesUnordered::new();
        // A row that waits for the tenant's return keeps what became of it so far.
        let mut queue: VecDeque<(usize, Option<Box<Outcome>>)> =
            (0..self.plan.writes.len()).map(|at| (at, None)).collect();
        let mut breaker = Breaker::default();
        let mut given_up = false;
        loop {
            // Rows that still wait for the tenant's pace have not been sent: they come back as not attempted.
            if given_up || self.stop.reason().is_some() {
                self.halt.send_replace(true);
            }
            let room = match breaker.next(Instant::now()) {
                Next::Go => self.setup.limits.concurrency.max(1),
                Next::One => 1,
                Next::Pause(_) | Next::GiveUp => 0,
            };
            while flight.len() < room && !given_up && self.stop.reason().is_none() {
                let Some((at, suspect)) = queue.pop_front() else { break };
                self.connection.expect((queue.len() + flight.len() + 1) as u64);
                self.held().insert(at, Instant::now());
                flight.push(self.row(at, suspect.is_some()).run());
            }
            if flight.is_empty() {
                if given_up || queue.is_empty() || self.stop.reason().is_some() {
                    break;
                }
                let Some((next, _)) = queue.front() else { break };
                let next = *next;
                given_up = self.wait_for_tenant(&mut breaker, next, &news).await;
                continue;
            }
            tokio::select! {
                // The row's own answer comes first: one that has arrived is never thrown away.
                biased;
                Some(outcome) = flight.next() => {
                    let since = self.held().remove(&outcome.write);
                    // What fails because the tenant is away says nothing about the job. Rows that were under way when
                    // that was found out wait for it with the others; the first few are reported, and count.
                    let away = since.is_some_and(|since| breaker.was_open_since(since)) && Breaker::is_tenants(&outcome);
                    breaker.observe(&outcome, Instant::now());
                    if away && self.stop.reason().is_none() && !given_up {
                        // Behind the others: a row that fails by itself must not be the probe again and again.
                        queue.push_back((outcome.write, Some(Box::new(outcome))));
                        continue;
                    }
                    if outcome.reason == Some(Reason::AccessLost) {
                        if !given_up {
                            given_up = true;
                            let message = outcome.error.clone().unwrap_or_default();
                            self.stopped(StopReason::AccessLost, message, &news).await;
                        }
                    } else if outcome.result == RowResult::Failed && self.failures.add_one_too_many() {
                        self.stop.raise(StopReason::MaxFailures);
                    }
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
        // Rows that were sent once, and not again, are told as they ended then: they may have been carried out.
        for outcome in queue.into_iter().filter_map(|(_, outcome)| outcome) {
            let _ = news.send(News::Outcome(outcome)).await;
        }
        for cut_off in self.cut_off("stopped while the request was under way") {
            let _ = news.send(cut_off).await;
        }
    }

    fn row(&self, at: usize, suspect: bool) -> RowRun {
        RowRun {
            run: self.setup.run.clone(),
            kind: self.setup.kind,
            plan: Arc::clone(&self.plan),
            at,
            writer: Arc::clone(&self.writer),
            read: self.setup.read,
            suspect,
        }
    }

    async fn stopped(&self, reason: StopReason, message: String, news: &mpsc::Sender<News>) {
        let tenant = self.plan.tenant.clone();
        let _ = news.send(News::TenantStopped { tenant, reason, message }).await;
    }

    /// Leaves the tenant in peace, then probes with one read; returns whether it was given up.
    async fn wait_for_tenant(&self, breaker: &mut Breaker, next: usize, news: &mpsc::Sender<News>) -> bool {
        let pause = match breaker.next(Instant::now()) {
            Next::Go | Next::One => return false,
            Next::Pause(pause) => pause,
            Next::GiveUp => {
                let message = "no request got through for 5 minutes".to_owned();
                self.stopped(StopReason::TenantLost, message, news).await;
                return true;
            }
        };
        self.setup.progress.tell(Progress::Paused { tenant: self.plan.tenant.clone(), wait: pause });
        tokio::select! {
            () = sleep(pause) => (),
            () = self.stop.at_least(StopReason::Deadline) => return false,
        }
        let reader = self.writer.reader().once();
        let probe = reader.get(&self.setup.kind.endpoint, &self.plan.writes[next].id, Some(&[]));
        let answer = tokio::select! {
            answer = probe => answer,
            () = self.stop.at_least(StopReason::Deadline) => return false,
        };
        // Whatever the tenant says of this client, it is there again.
        breaker.probed(!matches!(answer, Err(ApiError::Network { .. } | ApiError::Server { .. })));
        false
    }
}
