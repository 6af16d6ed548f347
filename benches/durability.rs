//! What it costs that every row is on disk before it is sent and before it is told: `cargo bench --bench durability`.
//!
//! 20,000 renames against a simulated tenant without a rate limit, in this process over real HTTP on loopback: with the
//! run's directory and its synced journal, and without either, in turn, five times each. What is printed is the ratio of the
//! medians, so that figures of different machines compare. The state directory is below `target/`, on the disk that the
//! checkout is on (a folder in memory would sync for nothing). Takes about a minute.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchwave::auth0::{Access, Connection, Credential, Settings, Writer};
use patchwave::job::{self, Bases, Files, Input, Job, LoadOptions, TenantScope};
use patchwave::model::{Body, EntityId, Entry, ProgressSink, RunId, RunRecord, TenantName};
use patchwave::plan::waves::waves;
use patchwave::plan::{Header, Narrow, OnConflict, Plan, PlanOptions, TenantPlan, file, needs, plan_tenant};
use patchwave::run::{Limits, RunSetup, Stop, Task, TenantRun, execute, read_states};
use patchwave::sandbox::{Options, Sandbox, TenantHandle};
use patchwave::store::{Append, RunDir, StateDir, StoreError};

const RENAMES: usize = 20_000;
const TURNS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = Options { clients: RENAMES, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let tenant = &sandbox.tenants()[0];
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        with.push(runtime.block_on(run(tenant, Some(folder.path()), turn * 2)));
        without.push(runtime.block_on(run(tenant, None, turn * 2 + 1)));
    }
    let (with, without) = (median(with), median(without));
    println!(
        "{RENAMES} renames, median of {TURNS}: {:.0}/s with journal, {:.0}/s without, ratio of times {:.3}",
        RENAMES as f64 / with,
        RENAMES as f64 / without,
        with / without
    );
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// Nothing is kept.
struct Nowhere;

impl Append for Nowhere {
    fn append(&mut self, _entries: &[Entry]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Renames every client and returns what that took, from the plan in hand to the last row told.
async fn run(tenant: &TenantHandle, folder: Option<&Path>, turn: usize) -> Duration {
    let job = job(tenant, turn);
    let name = TenantName::new("bench");
    let credential = Credential::ClientSecret {
        client_id: EntityId::new(tenant.client_id()),
        secret: tenant.client_secret().clone(),
    };
    let access = Access { domain: tenant.domain().clone(), audience: tenant.audience(), credential };
    let connection =
        Connection::open(name.clone(), access, Settings::default(), ProgressSink::none()).unwrap();
    let scope = Arc::new(TenantScope::plain(&name));
    let state = read_states(&connection.reader(), None, &job.kinds, &needs(&job, &scope, &Narrow::default()))
        .await
        .unwrap();
    let (writes, rows) = plan_tenant(&job, &scope, &state, &PlanOptions::default()).unwrap();
    assert_eq!(writes.len(), RENAMES);
    let part =
        TenantPlan::empty(name.clone(), tenant.domain().clone(), "a benchmark".into(), connection.pace());
    let part = Arc::new(TenantPlan { writes, rows, totals: state.totals(), ..part });
    let plan = Plan { header: header(), tenants: vec![Arc::clone(&part)] };
    let began = Instant::now();
    let run = RunId::new(format!("20260101-000000-000a{turn:02}"));
    let journal = journal(folder, &run, &plan);
    let writer = Writer::open(&connection, &run).unwrap();
    let now = tokio::time::Instant::now();
    let tasks = (0..RENAMES).map(|at| Task::planned(at, now)).collect();
    let setup = RunSetup {
        run,
        kinds: job.kinds.clone(),
        limits: Limits { concurrency: 32, max_failures: 0 },
        on_conflict: OnConflict::Skip,
        max_age: Duration::from_secs(300),
        places: vec![name.clone()],
        waves: waves(&plan),
        pause: Duration::ZERO,
        verify: false,
        undo: false,
        stop: Stop::default(),
        progress: ProgressSink::none(),
    };
    let tenants = vec![TenantRun {
        place: 0,
        plan: part,
        tasks,
        connection,
        writer,
        secrets: std::sync::Arc::default(),
    }];
    let finished = execute(setup, tenants, RunRecord::new([(name, RENAMES)]), journal, &mut []).await;
    let tally = finished.record.tally();
    assert_eq!((tally.written, tally.left), (RENAMES, 0));
    began.elapsed()
}

fn journal(folder: Option<&Path>, run: &RunId, plan: &Plan) -> Box<dyn Append> {
    let Some(folder) = folder else { return Box::new(Nowhere) };
    let state = StateDir::find(Some(folder), None, None).unwrap();
    let started = Entry::Resumed { at: plan.header.made };
    let (_, journal) = RunDir::create(&state, run, |out| file::print(plan, out), &started).unwrap();
    Box::new(journal)
}

fn job(tenant: &TenantHandle, turn: usize) -> Job {
    let clients = tenant.state();
    let ordinary = clients.iter().filter(|c| c["global"] == false && c["client_id"] != tenant.client_id());
    let rows: String =
        ordinary.map(|c| format!("{},NEW-{turn}\n", c["client_id"].as_str().unwrap())).collect();
    let csv = format!("client_id,name\n{rows}");
    let options = LoadOptions {
        kinds: patchwave::catalogue::Kinds::built_in(),
        kind: patchwave::catalogue::default_kind(),
        bases: &Alone,
        files: &Alone,
        without_base: false,
        ignored_columns: &[],
        encoding: None,
    };
    job::load(Input { name: "job.csv", bytes: csv.as_bytes() }, options).unwrap()
}

/// The job stands alone.
struct Alone;

impl Bases for Alone {
    fn find(
        &self,
        _kind: &patchwave::catalogue::Kind,
        _digest: &str,
        _id: &EntityId,
    ) -> Result<Option<Arc<Body>>, String> {
        Ok(None)
    }
}

impl Files for Alone {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }
}

fn header() -> Header {
    Header {
        tool: "benchmark".into(),
        job: "renames".into(),
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
