//! Even a defect of patchwave itself, or a disk that fails, loses track of nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchwave::auth0::{Access, Connection, Credential, Settings, Writer};
use patchwave::job::{self, Input, TenantScope};
use patchwave::model::{
    EntityId, Entry, Listener, Outcome, ProgressSink, RowResult, RunId, RunRecord, StopReason, TenantName,
};
use patchwave::plan::waves::waves;
use patchwave::plan::{Header, Narrow, OnConflict, Plan, PlanOptions, TenantPlan, needs, plan_tenant};
use patchwave::run::{Finished, Limits, RunSetup, Stop, Task, TenantRun, execute, read_states};
use patchwave::store::{Append, Journal, StoreError};

use crate::common::{Served, alone};

/// A run of 20 renames in this process.
struct Renames<'s> {
    served: &'s Served,
    progress: ProgressSink,
    journal: Box<dyn Append>,
}

impl Renames<'_> {
    /// Plans, calls `begins`, and runs.
    fn run(self, begins: impl FnOnce(), listeners: &mut [Box<dyn Listener>]) -> Finished {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(self.execute(begins, listeners))
    }

    async fn execute(self, begins: impl FnOnce(), listeners: &mut [Box<dyn Listener>]) -> Finished {
        let rows: String = self.served.ids(20).iter().map(|id| format!("{id},NEW\n")).collect();
        let csv = format!("client_id,name\n{rows}");
        let job = job::load(Input { name: "job.csv", bytes: csv.as_bytes() }, alone()).unwrap();
        let tenant = self.served.tenant();
        let credential = Credential::ClientSecret {
            client_id: EntityId::new(tenant.client_id()),
            secret: tenant.client_secret().clone(),
        };
        let access = Access { domain: tenant.domain().clone(), audience: tenant.audience(), credential };
        let name = TenantName::new("dev");
        let scope = Arc::new(TenantScope::plain(&name));
        let connection =
            Connection::open(name.clone(), access, Settings::default(), self.progress.clone()).unwrap();
        let state =
            read_states(&connection.reader(), None, &job.kinds, &needs(&job, &scope, &Narrow::default()))
                .await
                .unwrap();
        let (writes, rows) = plan_tenant(&job, &scope, &state, &PlanOptions::default()).unwrap();
        let part =
            TenantPlan::empty(name.clone(), tenant.domain().clone(), "a test".into(), connection.pace());
        let part = Arc::new(TenantPlan { writes, rows, totals: state.totals(), ..part });
        let plan = Plan { header: header(), tenants: vec![Arc::clone(&part)] };
        let run = RunId::new("20260101-000000-000aaa");
        let writer = Writer::open(&connection, &run).unwrap();
        let setup = RunSetup {
            run,
            kinds: job.kinds.clone(),
            limits: Limits { concurrency: 4, max_failures: 10 },
            on_conflict: OnConflict::Skip,
            max_age: Duration::from_secs(300),
            places: vec![name.clone()],
            waves: waves(&plan),
            pause: Duration::ZERO,

            verify: false,
            undo: false,
            stop: Stop::default(),
            progress: self.progress,
        };
        begins();
        let now = tokio::time::Instant::now();
        let tasks = (0..part.writes.len()).map(|at| Task::planned(at, now)).collect();
        let record = RunRecord::new([(name, part.writes.len())]);
        let tenants =
            vec![TenantRun { place: 0, plan: part, tasks, connection, writer, secrets: Default::default() }];
        execute(setup, tenants, record, self.journal, listeners).await
    }
}

fn header() -> Header {
    Header {
        tool: "test".into(),
        job: "job".into(),
        job_digest: String::new(),
        source: String::new(),
        kind: Default::default(),
        other_kinds: Vec::new(),
        made: "2026-01-01T00:00:00Z".parse().unwrap(),
        columns: Vec::new(),
        extra_fields: Vec::new(),
        guards: patchwave::job::Guards::default(),
        waves_by: None,
        verify: false,
        pause_ms: 0,
        undoes: None,
        takes_back: None,
        unguarded: false,
        changeset: None,
        shard: None,
    }
}

fn count(finished: &Finished, result: RowResult) -> usize {
    let states = finished.record.writes(&TenantName::new("dev"));
    states.iter().filter_map(|state| state.outcome()).filter(|outcome| outcome.result == result).count()
}

#[test]
fn a_listener_to_progress_that_panics_costs_its_news_and_no_row() {
    let served = Served::quick();
    let folder = tempfile::tempdir().unwrap();
    let armed = Arc::new(AtomicBool::new(false));
    let trap = Arc::clone(&armed);
    let progress = ProgressSink::new(move |_| assert!(!trap.load(Ordering::Relaxed), "a listener fails"));
    let journal = Box::new(Journal::create(&folder.path().join("journal.jsonl")).unwrap());
    let begins = || {
        armed.store(true, Ordering::Relaxed);
        // A failure is told at once.
        served.tenant().set_faults("patch:503=#1".parse().unwrap());
    };
    let finished = Renames { served: &served, progress, journal }.run(begins, &mut []);
    assert_eq!((finished.record.stop, finished.record.tenant_stops.len()), (None, 0));
    assert_eq!(count(&finished, RowResult::Updated), 20);
    assert!(served.counters().faults > 0, "there was news");
}

/// A disk that takes so many groups of entries and is full then; shared with the test, which sees what it took.
#[derive(Clone)]
struct Disk {
    room: usize,
    taken: Arc<Mutex<Vec<Entry>>>,
}

impl Append for Disk {
    fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        if self.room == 0 {
            let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(StoreError { verb: "write", path: "journal.jsonl".into(), cause });
        }
        self.room -= 1;
        self.taken.lock().unwrap().extend_from_slice(entries);
        Ok(())
    }
}

/// Writes down what it hears.
struct Ear(Arc<Mutex<Vec<Entry>>>);

impl Listener for Ear {
    fn hear(&mut self, entry: &Entry) {
        self.0.lock().unwrap().push(entry.clone());
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_stops_the_run_and_no_row_is_sent_that_was_not_claimed_on_it() {
    for room in 0..8 {
        let served = Served::quick();
        let taken = Arc::<Mutex<Vec<Entry>>>::default();
        let journal = Box::new(Disk { room, taken: Arc::clone(&taken) });
        let finished =
            Renames { served: &served, progress: ProgressSink::none(), journal }.run(|| (), &mut []);
        let claimed: usize = taken
            .lock()
            .unwrap()
            .iter()
            .map(|entry| if let Entry::Claimed { writes, .. } = entry { writes.len() } else { 0 })
            .sum();
        let sent = served.counters().patch as usize;
        assert!(sent <= claimed, "with room for {room} groups {sent} were sent and {claimed} claimed");
        if finished.record.stop == Some(StopReason::JournalLost) {
            assert!(finished.journal.is_some(), "why is told");
        } else {
            assert_eq!(count(&finished, RowResult::Updated), 20, "with room for {room} groups");
        }
        if room == 0 {
            assert_eq!((finished.record.stop, sent), (Some(StopReason::JournalLost), 0));
        }
    }
}

#[test]
fn nothing_is_heard_of_before_it_is_durable_and_everything_that_is_durable_is_heard_of() {
    let served = Served::quick();
    let (taken, heard) = (Arc::<Mutex<Vec<Entry>>>::default(), Arc::<Mutex<Vec<Entry>>>::default());
    let journal = Box::new(Disk { room: usize::MAX, taken: Arc::clone(&taken) });
    /// Hears an entry only where the disk has it already.
    struct Sceptic(Arc<Mutex<Vec<Entry>>>, Ear);
    impl Listener for Sceptic {
        fn hear(&mut self, entry: &Entry) {
            assert!(self.0.lock().unwrap().contains(entry), "{entry:?} is not durable yet");
            self.1.hear(entry);
        }
    }
    let sceptic = Sceptic(Arc::clone(&taken), Ear(Arc::clone(&heard)));
    let finished = Renames { served: &served, progress: ProgressSink::none(), journal }
        .run(|| (), &mut [Box::new(sceptic)]);
    assert_eq!(count(&finished, RowResult::Updated), 20);
    assert_eq!(*taken.lock().unwrap(), *heard.lock().unwrap());
    // What the journal has adds up to what the run knew.
    let mut record = RunRecord::new([(TenantName::new("dev"), 20)]);
    for entry in taken.lock().unwrap().iter() {
        record.take(entry.clone()).unwrap();
    }
    assert_eq!(record, finished.record);
    let ended = |entry: &&Entry| matches!(entry, Entry::Outcome(Outcome { result: RowResult::Updated, .. }));
    assert_eq!(taken.lock().unwrap().iter().filter(ended).count(), 20);
}
