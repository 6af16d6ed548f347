//! One owner of a run's state: it hears of each outcome, makes it durable, tells the listeners, and decides to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::ledger::{Ledger, now};
use super::queue::Task;
use super::stop::{Failures, Stop};
use super::tenant::{News, TenantLoop};
use super::verify::{Made, mismatches};
use crate::auth0::{Connection, Writer};
use crate::catalogue::Kinds;
use crate::model::event::{Listener, TenantPace};
use crate::model::{
    Entry, Progress, ProgressSink, Remains, RunId, RunRecord, Secrets, StopReason, TenantName, WriteState,
    Written,
};
use crate::plan::waves::Wave;
use crate::plan::{OnConflict, TenantPlan};
use crate::store::{Append, StoreError};

/// Outcomes that may wait for the journal: so many may be lost with it, and a slower disk slows the run instead of filling
/// memory.
const QUEUE: usize = 512;

/// Between two groups of the journal, at the least. On a fast disk and without a limit every second row would be synced by
/// itself, and syncing would be what the machine does.
const GATHER: Duration = Duration::from_millis(10);

/// What bounds a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most requests in flight per tenant, where pace and latency need so many.
    pub concurrency: usize,
    /// Failures after which no more rows are taken.
    pub max_failures: u64,
}

/// A tenant's part of the plan, with the right to carry it out.
#[derive(Debug)]
pub struct TenantRun {
    /// Its place in the plan.
    pub place: usize,
    /// What to do.
    pub plan: Arc<TenantPlan>,
    /// What of it is to be done now, in the plan's order.
    pub tasks: Vec<Task>,
    /// The tenant's pace, which is told what is still to come.
    pub connection: Connection,
    /// The only thing that can write to the tenant.
    pub writer: Writer,
    /// The secrets that the plan sets.
    pub secrets: Arc<Secrets>,
}

/// What all tenants of a run have in common.
#[derive(Debug, Clone)]
pub struct RunSetup {
    /// The run.
    pub run: RunId,
    /// The kinds of objects that its plan is about.
    pub kinds: Kinds,
    /// What bounds it.
    pub limits: Limits,
    /// What to do about clients that somebody else changed.
    pub on_conflict: OnConflict,
    /// How old the state that a write was planned from may be.
    pub max_age: Duration,
    /// The plan's tenants in its order, also those that have no part in this session.
    pub places: Vec<TenantName>,
    /// The slices of the plan; one that has them all, where no others were asked for.
    pub waves: Vec<Wave>,
    /// Between two waves.
    pub pause: Duration,
    /// Whether each wave is read again and compared.
    pub verify: bool,
    /// Whether it takes another run back.
    pub undo: bool,
    /// Raised by whoever has reason to stop it.
    pub stop: Stop,
    /// Where progress is told.
    pub progress: ProgressSink,
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// What became of it, as the journal has it (or should: see its `stop`).
    pub record: RunRecord,
    /// Why the journal was lost, where it was.
    pub journal: Option<StoreError>,
}

/// Executes the tasks of a plan, all tenants beside each other, and returns when the last request in flight is over.
/// `record` is what the journal says so far.
pub async fn execute(
    setup: RunSetup,
    tenants: Vec<TenantRun>,
    record: RunRecord,
    journal: Box<dyn Append>,
    listeners: &mut [Box<dyn Listener>],
) -> Finished {
    let failures = Arc::new(Failures::up_to(setup.limits.max_failures));
    let ledger = Ledger::new(record, journal, listeners, setup.stop.clone());
    let mut run = Run { setup: &setup, tenants, failures, ledger };
    let judged = run.ledger.record().wave.as_ref().map_or(0, |(wave, _)| *wave);
    let mut pause = false;
    for (at, wave) in setup.waves.iter().enumerate() {
        let tasks = run.tasks_of(wave);
        if tasks.iter().all(Vec::is_empty) && at < judged {
            continue;
        }
        if pause {
            run.pause().await;
        }
        if setup.stop.reason().is_some() {
            break;
        }
        run.make(at + 1, wave, tasks).await;
        run.judge(at + 1, wave).await;
        pause = at + 1 < setup.waves.len();
    }
    run.close().await
}

/// What a look at a wave came to.
enum Verified {
    Good,
    Bad(String),
    /// Somebody stopped the run meanwhile.
    CutShort,
}

/// Takes in what else arrives until then.
async fn gather(arriving: &mut mpsc::Receiver<News>, batch: &mut Vec<News>, until: Instant) {
    while batch.len() < QUEUE {
        let room = QUEUE - batch.len();
        tokio::select! {
            biased;
            more = arriving.recv_many(batch, room) => if more == 0 { return },
            () = tokio::time::sleep_until(until) => return,
        }
    }
}

struct Run<'r, 'l> {
    setup: &'r RunSetup,
    tenants: Vec<TenantRun>,
    failures: Arc<Failures>,
    ledger: Ledger<'l>,
}

impl Run<'_, '_> {
    fn has_waves(&self) -> bool {
        self.setup.waves.len() > 1
    }

    /// Takes the tasks of a wave out of those of each tenant. A tenant that was stopped has none any more.
    fn tasks_of(&mut self, wave: &Wave) -> Vec<Vec<Task>> {
        let stopped = &self.ledger.record().tenant_stops;
        let of = |tenant: &mut TenantRun| {
            let Some((_, writes)) = wave.iter().find(|(place, _)| *place == tenant.place) else {
                return Vec::new();
            };
            if stopped.iter().any(|(name, ..)| *name == tenant.plan.tenant) {
                return Vec::new();
            }
            // The writes of a wave are a stretch of the plan's.
            let (Some(first), Some(last)) = (writes.first(), writes.last()) else { return Vec::new() };
            let (now, later) = std::mem::take(&mut tenant.tasks)
                .into_iter()
                .partition(|task| (*first..=*last).contains(&task.at));
            tenant.tasks = later;
            now
        };
        self.tenants.iter_mut().map(of).collect()
    }

    /// Sends the tasks of a wave.
    async fn make(&mut self, number: usize, wave: &Wave, tasks: Vec<Vec<Task>>) {
        if self.has_waves() {
            let (of, clients) = (self.setup.waves.len(), crate::plan::waves::size(wave));
            self.setup.progress.tell(Progress::Wave { wave: number, of, clients });
        }
        let (news, mut arriving) = mpsc::channel(QUEUE);
        let mut loops: Vec<(Arc<TenantLoop>, JoinHandle<()>)> = Vec::new();
        for (tenant, tasks) in self.tenants.iter().zip(tasks).filter(|(_, tasks)| !tasks.is_empty()) {
            let tenant = Arc::new(TenantLoop::new(self.setup, tenant, Arc::clone(&self.failures)));
            let task = tokio::spawn(Arc::clone(&tenant).drive(tasks, news.clone()));
            loops.push((tenant, task));
        }
        drop(news);
        let mut batch = Vec::new();
        let mut due = Instant::now();
        while arriving.recv_many(&mut batch, QUEUE).await > 0 {
            gather(&mut arriving, &mut batch, due).await;
            self.ledger.take(std::mem::take(&mut batch)).await;
            due = Instant::now() + GATHER;
        }
        for (tenant, task) in loops {
            if task.await.is_err() {
                self.ledger.take(tenant.remains_of_a_defect()).await;
            }
        }
    }

    /// Says of a wave whether another may follow. One that was cut short by something else is not judged.
    async fn judge(&mut self, number: usize, wave: &Wave) {
        let reason = self.setup.stop.reason();
        if !(self.has_waves() || self.setup.verify)
            || reason.is_some_and(|reason| reason != StopReason::MaxFailures)
        {
            return;
        }
        if reason.is_none() && self.has_waves() && self.is_left(wave) {
            // A tenant was lost, is locked or was not chosen. Whoever resumes the run comes back to this wave.
            return self.setup.stop.raise(StopReason::WaveLeft);
        }
        let mut bad = reason.map(|_| "more rows failed than max-failures allows".to_owned());
        if self.setup.verify {
            match self.verify(wave).await {
                Verified::Good => (),
                Verified::Bad(why) => bad = bad.or(Some(why)),
                // It is not known whether the wave was good enough: whoever resumes the run finds out.
                Verified::CutShort => return,
            }
        }
        if bad.is_some() && reason.is_none() {
            self.setup.stop.raise(StopReason::BadWave);
        }
        self.ledger.record_all(vec![Entry::WaveEnded { wave: number, at: now(), bad }]).await;
    }

    /// Whether some client of a wave is still to be changed.
    fn is_left(&self, wave: &Wave) -> bool {
        let record = self.ledger.record();
        wave.iter().any(|(place, writes)| {
            let Some(tenant) = self.setup.places.get(*place) else { return false };
            let states = record.writes(tenant);
            let left = |at: &usize| {
                let remains = states.get(*at).map(WriteState::remains);
                matches!(remains, Some(Remains::Send | Remains::Look))
            };
            record.superseded_by(tenant).is_none() && writes.iter().any(left)
        })
    }

    /// Compares what a wave has written with what the tenants hold.
    async fn verify(&mut self, wave: &Wave) -> Verified {
        self.setup.progress.tell(Progress::Verifying);
        let mut wrong = 0;
        for (place, writes) in wave {
            let Some(tenant) = self.tenants.iter().find(|tenant| tenant.place == *place) else { continue };
            let states = self.ledger.record().writes(&tenant.plan.tenant);
            let made = |at: &usize| {
                let outcome = states.get(*at).and_then(WriteState::outcome)?;
                (outcome.written == Written::Yes).then(|| (*at, outcome.id.clone()))
            };
            let made: Vec<Made> = writes.iter().filter_map(made).collect();
            let reader = tenant.writer.reader();
            let name = tenant.plan.tenant.clone();
            let found = tokio::select! {
                found = mismatches(&reader, &self.setup.kinds, &tenant.plan, &made, &tenant.secrets) => found,
                () = self.setup.stop.at_least(StopReason::Interrupted) => return Verified::CutShort,
            };
            match found {
                Ok(found) => {
                    wrong += found.len();
                    let entry = |(write, message)| Entry::Mismatch {
                        tenant: name.clone(),
                        write,
                        at: now(),
                        message,
                    };
                    self.ledger.record_all(found.into_iter().map(entry).collect()).await;
                }
                Err(error) => return Verified::Bad(format!("{name} could not be verified: {error}")),
            }
        }
        match wrong {
            0 => Verified::Good,
            wrong => Verified::Bad(format!("{wrong} of its clients do not hold what was written")),
        }
    }

    /// Waits between two waves, unless there is reason to stop.
    async fn pause(&self) {
        if self.setup.pause.is_zero() {
            return;
        }
        self.setup.progress.tell(Progress::Pausing { wait: self.setup.pause });
        tokio::select! {
            () = tokio::time::sleep(self.setup.pause) => (),
            () = self.setup.stop.at_least(StopReason::Deadline) => (),
        }
    }

    async fn close(self) -> Finished {
        let paces = self
            .tenants
            .iter()
            .map(|tenant| TenantPace { tenant: tenant.plan.tenant.clone(), pace: tenant.connection.pace() });
        let paces: Vec<TenantPace> = paces.collect();
        self.ledger.close(paces).await
    }
}
