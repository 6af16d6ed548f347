//! What must be true of any change set: replayed on a copy of the state before it gives the state after, and then nothing more.

use patchwave::catalogue::{self, Kind, Kinds, redact};
use patchwave::changeset::{ChangeSet, Edited, Header, Recorder, Snapshot, Source, from_run, pairs};
use patchwave::model::event::{JOURNAL_VERSION, TenantStart};
use patchwave::model::{
    Body, Domain, EntityId, Entry, FieldPath, Outcome, Pace, RowResult, RunRecord, TenantName, Written,
};
use patchwave::plan::{TenantPlan, Write, predicted};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::language::World;
use crate::pool::{ANY, few, job};
use crate::undo::{clients, differing, ops};

fn kind() -> &'static Kind {
    catalogue::default_kind()
}

fn bodies(clients: &Value) -> Vec<Body> {
    let mut bodies: Vec<Body> = serde_json::from_value(clients.clone()).unwrap();
    for body in &mut bodies {
        redact::strip(kind(), body);
    }
    bodies
}

fn made(clients: &[Body], writes: &[Write]) -> Vec<Body> {
    let mut after = clients.to_vec();
    for write in writes {
        let client = after.iter_mut().find(|client| client["client_id"] == write.id.as_str()).unwrap();
        let predicted = predicted(kind(), write);
        client.retain(|key, _| predicted.contains_key(key) || !write.before.contains_key(key));
        client.extend(predicted);
    }
    after
}

fn header() -> Header {
    Header { tenant: Some("dev".into()), at: "2026-11-28T00:00:00Z".into(), by: "a test".into(), job: None }
}

/// The source of the clients of `dev`.
fn source(bodies: &[Body], vars: &Value) -> Source<'static> {
    let ids: Vec<(EntityId, String)> = bodies
        .iter()
        .map(|body| {
            (EntityId::new(body["client_id"].as_str().unwrap()), body["name"].as_str().unwrap().to_owned())
        })
        .collect();
    let domain = Domain::parse("dev.example.com").unwrap();
    Source::new(
        Some(&domain),
        vars.as_object().unwrap(),
        ids.iter().map(|(id, name)| (kind().name, id, Some(name.clone()))),
    )
}

fn recorded(before: &[Body], after: &[Body], vars: &Value) -> ChangeSet {
    let source = source(before, vars);
    let mut recorder = Recorder::new(None, &source, &source);
    let (before, after) = (Snapshot::of(kind(), before.to_vec()), Snapshot::of(kind(), after.to_vec()));
    for ((id, before), (id_after, after)) in pairs(kind(), None, (&before, &after), None).both {
        recorder.take(kind(), Edited { id, before, id_after, after, masked: &[] });
    }
    recorder.finish(&header())
}

/// The same clients in another tenant, under ids of their own, which they may also have in their addresses.
fn elsewhere(bodies: &[Body]) -> Value {
    let client = |body: &Body| {
        let id = body["client_id"].as_str().unwrap().to_owned();
        let text = serde_json::to_string(body).unwrap().replace(&format!("/{id}"), &format!("/other-{id}"));
        let mut body: Body = serde_json::from_str(&text).unwrap();
        body.insert("client_id".into(), format!("other-{id}").into());
        Value::Object(body)
    };
    bodies.iter().map(client).collect()
}

fn of_run(before: &[Body], writes: Vec<Write>, vars: &Value) -> ChangeSet {
    let domain = Domain::parse("dev.example.com").unwrap();
    let tenant = TenantName::new("dev");
    let count = writes.len();
    let part = TenantPlan {
        writes: writes.into_iter().collect(),
        ..TenantPlan::empty(tenant.clone(), domain.clone(), String::new(), Pace::default())
    };
    let mut record = RunRecord::new([(tenant.clone(), count)]);
    let at = jiff::Timestamp::UNIX_EPOCH;
    let starts = vec![TenantStart { tenant: tenant.clone(), domain, writes: count }];
    let run = "20261128-000000-000aaa".into();
    record
        .take(Entry::Started {
            version: JOURNAL_VERSION,
            run,
            job: "job".into(),
            undoes: None,
            at,
            tenants: starts,
        })
        .unwrap();
    record.take(Entry::Claimed { tenant: tenant.clone(), writes: (0..count).collect() }).unwrap();
    for write in 0..count {
        record.take(Entry::Outcome(outcome(&tenant, write))).unwrap();
    }
    let source = source(before, vars);
    let mut recorder = Recorder::new(None, &source, &source);
    from_run::take(Kinds::built_in(), &part, &record, &mut recorder);
    recorder.finish(&header())
}

fn outcome(tenant: &TenantName, write: usize) -> Outcome {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Outcome {
        written: Written::Yes,
        result: RowResult::Updated,
        ..Outcome::begun(tenant.clone(), write, EntityId::new("c"), at)
    }
}

/// Paths that a note of the recorder names.
fn is_left_out(set: &ChangeSet, name: &str, path: &FieldPath) -> bool {
    let mut at = Some(path.clone());
    while let Some(path) = at {
        if set.left_out.iter().any(|note| note.starts_with(&format!("{name}: {path}: "))) {
            return true;
        }
        at = path.parent();
    }
    set.left_out.iter().any(|note| note.starts_with(&format!("{name}: {path}.")))
}

proptest! {
    #![proptest_config(few(400))]

    #[test]
    fn a_change_set_replayed_elsewhere_on_the_state_before_gives_the_state_after_and_then_nothing_more(
        clients in clients(), job in job(&ANY, &ops())
    ) {
        let before = bodies(&clients);
        let Some((writes, _)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let after = made(&before, &writes);
        let set = recorded(&before, &after, &json!({}));
        let world = World::new(elsewhere(&before)).tenant("prod");
        let names: Vec<&str> = before.iter().map(|body| body["name"].as_str().unwrap()).collect();
        let replayed = world.resolved("changes.toml", set.text());
        let (writes, _) = replayed.ok_or_else(|| TestCaseError::fail(format!("{}\n{}", world.plan("changes.toml", set.text()), set.text())))?;
        let elsewhere_before = bodies(&elsewhere(&before));
        let there = made(&elsewhere_before, &writes);
        let wanted = bodies(&elsewhere(&after));
        for (at, (there, wanted)) in there.iter().zip(&wanted).enumerate() {
            // Of two clients of one name neither is found.
            if names.iter().filter(|name| **name == names[at]).count() > 1 {
                continue;
            }
            // One that is left out as a whole stays as it was.
            let whole = format!("{}: it takes a name that another gives up", names[at]);
            if set.left_out.iter().any(|note| note.starts_with(&whole)) {
                prop_assert_eq!(there, &elsewhere_before[at], "{}", set.text());
                continue;
            }
            for path in differing(kind(), there, wanted) {
                prop_assert!(is_left_out(&set, names[at], &path), "{path}\n{there:?}\n{wanted:?}\n{:?}\n{job}\n{}", set.left_out, set.text());
            }
        }
        let again = World::new(Value::Array(there.into_iter().map(Value::Object).collect())).tenant("prod");
        let told = again.plan("changes.toml", set.text());
        prop_assert!(!told.contains(" → "), "{}\n{told}", set.text());
    }

    #[test]
    fn a_run_and_two_snapshots_around_it_record_the_same(clients in clients(), job in job(&ANY, &ops())) {
        let before = bodies(&clients);
        let Some((writes, _)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let after = made(&before, &writes);
        let vars = json!({"host": "new.example", "team": "billing"});
        prop_assert_eq!(of_run(&before, writes, &vars).text(), recorded(&before, &after, &vars).text(), "{}", job);
    }

    #[test]
    fn what_a_change_set_says_is_read_back_as_it_was_recorded(clients in clients(), job in job(&ANY, &ops())) {
        let before = bodies(&clients);
        let Some((writes, _)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let set = recorded(&before, &made(&before, &writes), &json!({"host": "new.example", "the-team": "billing"}));
        let world = World::new(json!([]));
        let text = set.text();
        let input = patchwave::job::Input { name: "changes.toml", bytes: text.as_bytes() };
        let read = world.read(input).map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{}", set.text())))?;
        let id = patchwave::job::recorded::id(&read).unwrap();
        prop_assert_eq!(&id.digest, &set.digest, "{}\n{}", set.text(), patchwave::job::print::toml(&read));
        prop_assert!(!id.edited);
    }
}
