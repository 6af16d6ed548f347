//! One tenant's writes: claimed in blocks, taken in order, kept in flight up to the bound, stopped when there is reason to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, FutureExt as _, OptionFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::breaker::{Breaker, Next};
use super::coordinator::{RunSetup, TenantRun};
use super::queue::{Queue, Task};
use super::refresh::{Fresh, refresh};
use super::row::{self, RowRun, RowSetup};
use super::stop::{Failures, Stop};
use crate::auth0::{ApiError, Connection, Writer};
use crate::model::{Outcome, Progress, Reason, RowResult, StopReason, TenantName};
use crate::plan::{OnConflict, TenantPlan};

/// Writes claimed at first; more, where the disk cannot keep up.
const FIRST_BLOCK: usize = 32;

/// What a tenant's loop tells the coordinator.
#[derive(Debug)]
pub(super) enum News {
    /// These writes are about to be sent. They may be once the answer comes, and not where it is dropped.
    Claim { tenant: TenantName, writes: Vec<usize>, granted: oneshot::Sender<()> },
    /// A write came to its end.
    Outcome(Box<Outcome>),
    /// No more rows are taken here.
    TenantStopped { tenant: TenantName, reason: StopReason, message: String },
}

/// One tenant's part of a wave.
pub(super) struct TenantLoop {
    setup: RunSetup,
    plan: Arc<TenantPlan>,
    connection: Connection,
    rows: Arc<RowSetup>,
    /// Told true when nothing more may be sent; the writer listens.
    halt: watch::Sender<bool>,
    stop: Stop,
    /// Failures of the whole run, counted before another row is taken.
    failures: Arc<Failures>,
    /// The rows that are taken up, since when: reported here, or, where this loop does not live to do it, by the coordinator.
    in_flight: Mutex<BTreeMap<usize, Instant>>,
}

/// What had to be done before another block could be sent.
enum Prepared {
    /// Clients were read again.
    Fresh(Vec<usize>, Result<Fresh, ApiError>),
    /// A block was claimed, or could not be.
    Claimed(Vec<Task>, bool),
}

type Preparing = BoxFuture<'static, Prepared>;

/// Where a loop stands.
struct State {
    queue: Queue,
    breaker: Breaker,
    given_up: bool,
    preparing: Option<Preparing>,
    /// Whether what is being prepared is a claim.
    claiming: bool,
    /// Whether clients were read again for the block that comes next. It goes then, however long the reading took: with an
    /// age that is shorter than a reading, none would ever go.
    fresh: bool,
}

impl TenantLoop {
    pub(super) fn new(setup: &RunSetup, tenant: &TenantRun, failures: Arc<Failures>) -> Self {
        let halt = watch::Sender::new(false);
        let writer: Arc<Writer> = Arc::new(tenant.writer.clone().until(halt.subscribe()));
        let rows = RowSetup {
            run: setup.run.clone(),
            kinds: setup.kinds.clone(),
            plan: Arc::clone(&tenant.plan),
            writer,
            on_conflict: setup.on_conflict,
            max_age: setup.max_age,
            undo: setup.undo,
            secrets: Arc::clone(&tenant.secrets),
        };
        Self {
            setup: setup.clone(),
            plan: Arc::clone(&tenant.plan),
            connection: tenant.connection.clone(),
            rows: Arc::new(rows),
            halt,
            stop: setup.stop.clone(),
            failures,
            in_flight: Mutex::default(),
        }
    }

    /// The rows in flight. A panic elsewhere leaves the map as it was: whole.
    fn held(&self) -> MutexGuard<'_, BTreeMap<usize, Instant>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, task: Task) -> RowRun {
        RowRun::new(Arc::clone(&self.rows), task)
    }

    /// Rows that were under way when the loop ended without them.
    fn cut_off(&self, why: &str) -> Vec<News> {
        let left = std::mem::take(&mut *self.held());
        let news = |(at, since)| {
            let row = self.row(Task::planned(at, since));
            News::Outcome(Box::new(row::cut_off(&row, since, why)))
        };
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

    /// Runs to the end of the tasks, or to a stop, and always until nothing is in flight.
    pub(super) async fn drive(self: Arc<Self>, tasks: Vec<Task>, news: mpsc::Sender<News>) {
        let most = self.setup.limits.concurrency.max(1);
        let mut state = State {
            queue: Queue::new(tasks, most.min(FIRST_BLOCK)),
            breaker: Breaker::default(),
            given_up: false,
            preparing: None,
            claiming: false,
            fresh: false,
        };
        let mut flight = FuturesUnordered::new();
        loop {
            let going = !state.given_up && self.stop.reason().is_none();
            // Rows that still wait for the tenant's pace have not been sent: they come back as not attempted.
            if !going {
                self.halt.send_replace(true);
                // Nobody needs any more what is being read; a claim is another matter.
                state.preparing = state.preparing.take().filter(|_| state.claiming);
            }
            let room = match state.breaker.next(Instant::now()) {
                Next::Go => most.min(self.connection.in_flight_needed()),
                Next::One => 1,
                Next::Pause(_) | Next::GiveUp => 0,
            };
            while going && flight.len() < room {
                let Some(task) = state.queue.take_ready() else { break };
                self.connection.expect((state.queue.len() + flight.len() + 1) as u64);
                self.held().insert(task.at, Instant::now());
                flight.push(self.row(task).run());
            }
            if going && room > 0 && state.preparing.is_none() && state.queue.runs_low() {
                state.preparing = Some(self.prepare(&mut state, &news));
            }
            if flight.is_empty() && state.preparing.is_none() {
                let Some(next) = state.queue.peek().filter(|_| going) else { break };
                state.given_up = self.wait_for_tenant(&mut state.breaker, next, &news).await;
                continue;
            }
            tokio::select! {
                // The row's own answer comes first: one that has arrived is never thrown away.
                biased;
                Some(outcome) = flight.next() => {
                    if !self.ended(&mut state, outcome, &news).await {
                        return;
                    }
                }
                Some(prepared) = OptionFuture::from(state.preparing.as_mut()) => {
                    state.preparing = None;
                    self.prepared(&mut state, prepared);
                }
                () = self.stop.at_least(StopReason::Killed) => break,
                () = self.stop.at_least(StopReason::Deadline), if !*self.halt.borrow() => (),
            }
        }
        drop(flight);
        // A block that is being claimed is either claimed or not, and is given back if it is: that takes no longer than the
        // disk. A read that is under way is of no use any more.
        if let Some(claim) = state.preparing.take().filter(|_| state.claiming) {
            let claimed = claim.await;
            self.prepared(&mut state, claimed);
        }
        self.hand_back(state.queue, &news).await;
    }

    /// What must be done before the next block can be sent: clients that were read too long ago are read again, then the block
    /// is claimed, so that after a crash only its rows need a look.
    fn prepare(&self, state: &mut State, news: &mpsc::Sender<News>) -> Preparing {
        let stale = state.queue.stale(Instant::now(), self.setup.max_age);
        state.claiming = stale.is_empty() || state.fresh;
        if !state.claiming {
            let reader = self.rows.writer.composing_reader();
            let (kinds, plan) = (self.setup.kinds.clone(), Arc::clone(&self.plan));
            let secrets = Arc::clone(&self.rows.secrets);
            self.setup.progress.tell(Progress::Rereading { tenant: plan.tenant.clone() });
            return async move {
                let writes: Vec<_> = plan.writes.some(stale.iter().copied()).collect();
                let fresh = refresh(&reader, &kinds, &plan, &writes, &secrets).await;
                Prepared::Fresh(stale, fresh)
            }
            .boxed();
        }
        state.fresh = false;
        let block = state.queue.take_block();
        let (granted, answer) = oneshot::channel();
        let writes = block.iter().map(|task| task.at).collect();
        let claim = News::Claim { tenant: self.plan.tenant.clone(), writes, granted };
        let news = news.clone();
        async move {
            let granted = news.send(claim).await.is_ok() && answer.await.is_ok();
            Prepared::Claimed(block, granted)
        }
        .boxed()
    }

    fn prepared(&self, state: &mut State, prepared: Prepared) {
        let queue = &mut state.queue;
        match prepared {
            Prepared::Fresh(stale, fresh) => {
                state.fresh = true;
                queue.freshen(&self.plan, &stale, fresh.as_ref().ok());
            }
            Prepared::Claimed(block, true) => queue.claimed(block),
            // The coordinator stops the run: what cannot be recorded must not be done.
            Prepared::Claimed(block, false) => queue.refused(block),
        }
    }

    /// A row came back. Tells whether anybody listens still.
    async fn ended(&self, state: &mut State, outcome: Outcome, news: &mpsc::Sender<News>) -> bool {
        let since = self.held().remove(&outcome.write);
        // What fails because the tenant is away says nothing about the job. Rows that were under way when that was found
        // out wait for it with the others; the first few are reported, and count.
        let away =
            since.is_some_and(|since| state.breaker.was_open_since(since)) && Breaker::is_tenants(&outcome);
        state.breaker.observe(&outcome, Instant::now());
        if away && self.stop.reason().is_none() && !state.given_up {
            state.queue.requeue(Task::by_itself(&outcome));
            return true;
        }
        if outcome.reason == Some(Reason::AccessLost) {
            if !state.given_up {
                state.given_up = true;
                let message = outcome.error.clone().unwrap_or_default();
                self.stopped(StopReason::AccessLost, message, news).await;
            }
        } else if outcome.result == RowResult::Failed && self.failures.add_one_too_many() {
            self.stop.raise(StopReason::MaxFailures);
        } else if outcome.result == RowResult::Conflict && self.setup.on_conflict == OnConflict::Stop {
            self.stop.raise(StopReason::Conflict);
        }
        // The coordinator outlives the loops; a closed channel would mean that nobody can record anything.
        news.send(News::Outcome(Box::new(outcome))).await.is_ok()
    }

    /// Tells of the rows that were claimed and will not be sent. Those that were sent once, and not again, are told as they
    /// ended then: they may have been carried out.
    async fn hand_back(&self, mut queue: Queue, news: &mpsc::Sender<News>) {
        for task in queue.release() {
            let _ = news.send(News::Outcome(Box::new(self.row(task).released()))).await;
        }
        for cut_off in self.cut_off("stopped while the request was under way") {
            let _ = news.send(cut_off).await;
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
        let reader = self.rows.writer.reader().once();
        let Some(write) = self.plan.writes.get(next) else { return false };
        let probe = reader.get(&self.setup.kinds.get(write.kind).endpoint, &write.id, Some(&[]));
        let answer = tokio::select! {
            answer = probe => answer,
            () = self.stop.at_least(StopReason::Deadline) => return false,
        };
        // Whatever the tenant says of this client, it is there again.
        breaker.probed(!matches!(answer, Err(ApiError::Network { .. } | ApiError::Server { .. })));
        false
    }
}
