//! Job files, in each of their forms.

use std::sync::Arc;

use patchwave::catalogue::{Lookup, Writable};
use patchwave::job::{Action, Input, Job, Selector, print};
use patchwave::model::{Pace, Problem};
use patchwave::plan::{Header, Plan, RowState, TenantPlan, Unplannable, resolve::Resolved};
use patchwave::report::problems;

use super::kept;
use super::world::{self, Beside, clients, kind};

/// A TOML job, and behind a NUL byte the file that its `rows` names.
pub fn toml_job(data: &[u8]) {
    let mut parts = super::parts(data);
    let bytes = parts.next().unwrap_or_default();
    let beside = Beside { rows: parts.next().unwrap_or_default() };
    let Some(job) = loaded("job.toml", bytes, &beside, false) else { return };
    // A row that `rows` gave, and a tenant that it named, have no spelling in a job that stands alone.
    if job.updates.iter().all(|update| update.row.is_none() && update.tenant.is_none()) {
        let printed = print::toml(&job);
        match world::read(Input { name: "job.toml", bytes: printed.as_bytes() }, &beside, false) {
            Ok(again) => assert_eq!(said(&again), said(&job), "{printed}"),
            Err(problems) => panic!("what was printed does not load: {}\n{printed}", told(&problems)),
        }
    }
}

/// A CSV job.
pub fn csv_job(data: &[u8]) {
    loaded("job.csv", data, &Beside { rows: b"" }, false);
    loaded("job.csv", data, &Beside { rows: b"" }, true);
}

/// A JSON job, as one document, as lines, and as standard input whose form is told by its content.
pub fn json_job(data: &[u8]) {
    for name in ["job.json", "job.jsonl", "-"] {
        loaded(name, data, &Beside { rows: b"" }, false);
        loaded(name, data, &Beside { rows: b"" }, true);
    }
}

/// Loads a job and plans it, holding both against the laws of all jobs.
fn loaded(name: &str, bytes: &[u8], beside: &Beside<'_>, without_base: bool) -> Option<Job> {
    let job = match world::read(Input { name, bytes }, beside, without_base) {
        Ok(job) => job,
        Err(problems) => {
            assert!(!problems.is_empty(), "a refusal without a reason");
            sound(&problems);
            return None;
        }
    };
    sound(&job.warnings);
    planned(&job);
    Some(job)
}

/// Problems can be shown, and are about something in their file.
fn sound(problems: &[Problem]) {
    for problem in problems {
        assert!(!problem.what.is_empty());
        let Some((file, at)) = &problem.place else { continue };
        assert!(
            at.start <= at.end && at.start <= file.text.len(),
            "{problem}: {at:?} of {}",
            file.text.len()
        );
        // One beyond the end is how the end itself is marked.
        assert!(at.end <= file.text.len() + 1, "{problem}: {at:?} of {}", file.text.len());
        assert!(file.text.is_char_boundary(at.start), "{problem}: {at:?} begins within a character");
    }
    assert!(problems.is_empty() || !problems::render(problems).is_empty());
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn planned(job: &Job) {
    let resolved = match world::plan(job, clients()) {
        Ok(resolved) => resolved,
        Err(Unplannable::Job(problems)) => return sound(&problems),
        Err(Unplannable::Refused(refusals)) => return assert!(!refusals.is_empty()),
    };
    only_what_may_be_written(&resolved);
    if job.updates.iter().all(|update| update.repeatable) {
        let again = world::plan(job, &world::applied(&resolved));
        match again {
            Ok((writes, _)) => {
                assert!(writes.is_empty(), "planned again: {:?}\nfirst: {:?}", writes, resolved.0);
            }
            Err(error) => assert!(resolved.0.is_empty() || conflicts(job), "planned again: {error:?}"),
        }
    }
    kept::reads_back(&plan_of(job, resolved));
}

/// Whether the job may well be refused once it was applied: what it expects is no more, or fits other clients.
fn conflicts(job: &Job) -> bool {
    job.updates.iter().any(|update| {
        !update.expects.is_empty()
            || update.extras().count.is_some()
            || !matches!(update.selector, Selector::Id(_))
            || update.ops.iter().any(|op| op.action.term().is_some_and(|term| term.literal().is_none()))
    })
}

fn only_what_may_be_written((writes, rows): &Resolved) {
    let states = rows.iter().map(|row| &row.state);
    let places = states.filter_map(|state| match state {
        RowState::Write(at) => Some(*at),
        RowState::Done(_) => None,
    });
    assert!(places.into_iter().all(|at| at < writes.len()));
    for write in writes.iter() {
        assert!(!write.changes.is_empty() && !write.body.is_empty(), "{write:?}");
        for change in &write.changes {
            assert_eq!(kind().writable(&change.path), Writable::Patch, "{}", change.path);
            assert!(!matches!(kind().lookup(&change.path), Lookup::Unknown { .. }), "{}", change.path);
            assert!(write.body.contains_key(change.path.root()), "{} is not sent", change.path);
        }
        for key in write.body.keys() {
            let root = patchwave::model::FieldPath::root_field(key);
            assert_eq!(kind().writable(&root), Writable::Patch, "{key} is sent");
            assert!(!kind().is_secret(&root), "{key} is sent");
        }
    }
}

fn plan_of(job: &Job, (writes, rows): Resolved) -> Plan {
    let header = Header {
        tool: "0.0.0".into(),
        job: job.name.clone(),
        job_digest: job.digest.clone(),
        source: "job".into(),
        kind: kind().name,
        other_kinds: Vec::new(),
        made: Default::default(),
        columns: job.columns.clone(),
        extra_fields: Vec::new(),
        guards: job.guards.clone(),
        waves_by: None,
        verify: false,
        pause_ms: 0,
        undoes: None,
        takes_back: None,
        unguarded: false,
        changeset: None,
        shard: None,
    };
    let part = TenantPlan::empty(world::tenant(), world::domain(), "fuzz".into(), Pace::default());
    Plan { header, tenants: vec![Arc::new(TenantPlan { writes, rows, ..part })] }
}

/// What a job says, without where it says it.
fn said(job: &Job) -> String {
    let update = |update: &patchwave::job::Update| {
        // Printed operations stand in order, but for `unset`, which is one list.
        let (unset, mut ops): (Vec<_>, Vec<_>) =
            update.ops.iter().partition(|op| matches!(op.action, Action::Unset));
        ops.extend(unset);
        let ops: Vec<String> = ops.iter().map(|op| format!("{} {:?}", op.path, op.action)).collect();
        let expects: Vec<String> =
            update.expects.iter().map(|of| format!("{} {:?}", of.path, of.value)).collect();
        let extras = update.extras();
        let told = (&update.selector, &extras.count, &extras.base, update.repeatable, ops, expects);
        format!("{told:?}")
    };
    let updates: Vec<String> = job.updates.iter().map(update).collect();
    let head = (&job.name, &job.allowed_tenants, &job.identity, &job.vars, &job.guards);
    format!("{head:?}\n{}", updates.join("\n"))
}
