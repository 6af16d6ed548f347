//! Even a defect of patchwave itself loses track of nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use patchwave::auth0::{Access, Connection, Credential, Settings, Writer};
use patchwave::job::{self, Input, TenantScope};
use patchwave::model::{EntityId, Entry, Pace, ProgressSink, RowResult, RunId, TenantName};
use patchwave::plan::{PlanOptions, TenantPlan, needs, plan_tenant};
use patchwave::run::{Finished, Limits, RunSetup, TenantRun, execute, read_state};
use patchwave::store::Journal;

use crate::common::{Served, alone};

/// Runs a job of some renames with a listener to progress that panics at the first news once the run has begun.
async fn run_with_a_panic(served: &Served, journal: &std::path::Path) -> Finished {
    let rows: String = served.ids(20).iter().map(|id| format!("{id},NEW\n")).collect();
    let csv = format!("client_id,name\n{rows}");
    let job = job::load(Input { name: "job.csv", bytes: csv.as_bytes() }, alone()).unwrap();
    let tenant = served.tenant();
    let credential = Credential::ClientSecret {
        client_id: EntityId::new(tenant.client_id()),
        secret: tenant.client_secret().clone(),
    };
    let access = Access { domain: tenant.domain().clone(), audience: tenant.audience(), credential };
    let armed = Arc::new(AtomicBool::new(false));
    let trap = Arc::clone(&armed);
    let progress = ProgressSink::new(move |_| assert!(!trap.load(Ordering::Relaxed), "a listener fails"));
    let name = TenantName::new("dev");
    let connection = Connection::open(name.clone(), access, Settings::default(), progress.clone()).unwrap();
    let state = read_state(&connection.reader(), None, job.kind, &needs(&job, &name, None)).await.unwrap();
    let (writes, rows) =
        plan_tenant(&job, &Arc::new(TenantScope::plain(&name)), &state, &PlanOptions::default()).unwrap();
    let plan = TenantPlan {
        tenant: name,
        domain: tenant.domain().clone(),
        origin: "a test".into(),
        total: state.total,
        pace: Pace::default(),
        writes,
        rows,
        failure: None,
    };
    let run = RunId::new("20260101-000000-000aaa");
    let writer = Writer::open(&connection, &run).unwrap();
    let setup = RunSetup {
        run,
        kind: job.kind,
        limits: Limits { concurrency: 4, max_failures: 10 },
        read: tokio::time::Instant::now(),
        progress,
    };
    armed.store(true, Ordering::Relaxed);
    // A failure is told at once.
    served.tenant().set_faults("patch:503=#1".parse().unwrap());
    let tenants = vec![TenantRun { plan: Arc::new(plan), connection, writer }];
    execute(setup, tenants, Journal::open(journal).unwrap(), &mut []).await.unwrap()
}

#[test]
fn a_listener_to_progress_that_panics_costs_its_news_and_no_row() {
    let served = Served::quick();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let finished = runtime.block_on(run_with_a_panic(&served, &folder.path().join("journal.jsonl")));
    assert_eq!((finished.stop, finished.tenant_stops.len()), (None, 0));
    let updated =
        |entry: &&Entry| matches!(entry, Entry::Outcome(outcome) if outcome.result == RowResult::Updated);
    assert_eq!(finished.entries.iter().filter(updated).count(), 20);
    assert!(served.counters().faults > 0, "there was news");
}
