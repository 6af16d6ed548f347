//! What must be true of the undo of any run: the state before comes back, but for what is reported; what others did stays.

use patchwave::catalogue::{self, Kind, Kinds, Unset, redact};
use patchwave::model::{Body, Domain, EntityId, FieldPath, Pace, Packed, Reason, TenantName};
use patchwave::plan::revive::Permits;
use patchwave::plan::undo::{Narrowed, undo};
use patchwave::plan::{
    OnConflict, Rejudged, Row, RowState, TenantPlan, TenantState, Write, predicted, rejudge,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::equal::differing;
use super::pool::{clients, ops};
use crate::language::World;
use crate::pool::{ANY, few, job};

fn bodies(clients: &Value) -> Vec<Body> {
    let mut bodies: Vec<Body> = serde_json::from_value(clients.clone()).unwrap();
    for body in &mut bodies {
        redact::strip(catalogue::default_kind(), body);
    }
    bodies
}

/// The clients once these writes are made, as they are predicted.
fn made(kind: &Kind, clients: &[Body], writes: &[Write]) -> Vec<Body> {
    let mut after = clients.to_vec();
    for write in writes {
        let client = after.iter_mut().find(|client| client["client_id"] == write.id.as_str()).unwrap();
        let predicted = predicted(kind, write);
        client.retain(|key, _| predicted.contains_key(key) || !write.before.contains_key(key));
        client.extend(predicted);
    }
    after
}

/// The undo of these writes against the clients as they are now.
fn taken_back(writes: Vec<Write>, rows: Vec<Row>, now: &[Body]) -> (Vec<Write>, Vec<Row>) {
    let domain = Domain::parse("dev.example.com").unwrap();
    let part = TenantPlan {
        writes: writes.into_iter().collect(),
        rows,
        ..TenantPlan::empty(TenantName::new("dev"), domain, String::new(), Pace::default())
    };
    let narrowed = Narrowed { writes: (0..part.writes.len()).collect(), fields: Vec::new() };
    let objects =
        now.iter().map(|body| (EntityId::new(body["client_id"].as_str().unwrap()), Packed::new(body)));
    let state = TenantState { objects: objects.collect(), ..TenantState::default() };
    let (writes, rows) =
        undo(Kinds::built_in(), &part, &narrowed, &state.into(), Permits::default()).unwrap();
    (writes.iter().collect(), rows)
}

/// What the undo of a client says of the fields that it leaves: the reason and the words of each.
fn left(writes: &[Write], rows: &[Row], id: &str) -> Vec<(Reason, String)> {
    let of_writes = writes.iter().filter(|write| write.id.as_str() == id).flat_map(|write| &write.left);
    let mut left: Vec<(Reason, String)> = of_writes.map(|left| (left.reason, left.message.clone())).collect();
    for row in rows.iter().filter(|row| row.id.as_ref().is_some_and(|of| of.as_str() == id)) {
        if let RowState::Done(done) = &row.state
            && let (Some(reason), Some(message)) = (done.reason, &done.message)
        {
            left.push((reason, message.clone()));
        }
    }
    left
}

/// Whether words name a field, or an object that it stands in.
pub(super) fn names(words: &str, path: &FieldPath) -> bool {
    let mut at = Some(path.clone());
    while let Some(path) = at {
        let named = path.to_string();
        if words.split("; ").any(|one| one.split(' ').next() == Some(named.as_str())) {
            return true;
        }
        at = path.parent();
    }
    false
}

proptest! {
    #![proptest_config(few(400))]

    #[test]
    fn the_undo_of_any_run_gives_the_state_before_and_its_own_undo_the_state_after(
        clients in clients(), job in job(&ANY, &ops())
    ) {
        let kind = catalogue::default_kind();
        let before = bodies(&clients);
        let Some((writes, rows)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let after = made(kind, &before, &writes);
        let (undo_writes, undo_rows) = taken_back(writes, rows, &after);
        let back = made(kind, &after, &undo_writes);
        for (before, back) in before.iter().zip(&back) {
            let left = left(&undo_writes, &undo_rows, before["client_id"].as_str().unwrap());
            for path in differing(kind, before, back) {
                let told = left.iter().any(|(_, words)| names(words, &path));
                prop_assert!(told, "{path}: {before:?}\n{back:?}\n{left:?}\n{job}");
            }
            for (reason, words) in &left {
                let honest = matches!(reason, Reason::CannotUnset | Reason::CannotRestore);
                prop_assert!(honest, "nobody else was there: {words}\n{job}");
                if let (Reason::CannotUnset, Ok(path)) = (reason, words.split(' ').next().unwrap().parse::<FieldPath>()) {
                    prop_assert!(path.get(before).is_none() && kind.unset_of(&path) == Unset::No, "{words}\n{before:?}\n{job}");
                }
            }
        }
        let (again, again_rows) = taken_back(undo_writes, undo_rows, &back);
        for (after, forth) in after.iter().zip(&made(kind, &back, &again)) {
            let left = left(&again, &again_rows, after["client_id"].as_str().unwrap());
            for path in differing(kind, after, forth) {
                let told = left.iter().any(|(_, words)| names(words, &path));
                prop_assert!(told, "forth {path}: {after:?}\n{forth:?}\n{left:?}\n{job}");
            }
        }
    }

    #[test]
    fn an_undo_plans_nothing_where_the_state_before_is_there_already(clients in clients(), job in job(&ANY, &ops())) {
        let kind = catalogue::default_kind();
        let before = bodies(&clients);
        let Some((writes, rows)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let after = made(kind, &before, &writes);
        let (undone, _) = taken_back(writes.clone(), rows.clone(), &after);
        for now in [before, made(kind, &after, &undone)] {
            let (again, _) = taken_back(writes.clone(), rows.clone(), &now);
            let empty: Vec<_> = again.iter().filter(|write| write.body.is_empty()).collect();
            prop_assert!(empty.is_empty(), "nothing to send: {empty:?}\n{job}");
            prop_assert!(again.is_empty(), "{:?}\n{job}", again.iter().map(|w| &w.changes).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_write_is_the_same_when_it_is_judged_anew_and_done_once_it_was_made(clients in clients(), job in job(&ANY, &ops())) {
        let kind = catalogue::default_kind();
        let before = bodies(&clients);
        let Some((writes, rows)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let after = made(kind, &before, &writes);
        let (undone, _) = taken_back(writes.clone(), rows, &after);
        let back = made(kind, &after, &undone);
        for (writes, before, after) in [(&writes, &before, &after), (&undone, &after, &back)] {
            for write in writes {
                let of = |state: &[Body]| state.iter().find(|body| body["client_id"] == write.id.as_str()).unwrap().clone();
                let anew = match rejudge(kind, write, &of(before), OnConflict::Skip) {
                    Rejudged::Apply(body) => !write.compose && body == write.body,
                    Rejudged::NeedsSecret => write.compose,
                    _ => false,
                };
                prop_assert!(anew, "{:?} of {:?}\n{job}", rejudge(kind, write, &of(before), OnConflict::Skip), write);
                prop_assert_eq!(rejudge(kind, write, &of(after), OnConflict::Skip), Rejudged::Already, "{:?}\n{}", write, job);
            }
        }
    }

    #[test]
    fn what_somebody_else_changed_since_stays_and_the_rest_goes_back(
        clients in clients(), job in job(&ANY, &ops()), edit in foreign()
    ) {
        let kind = catalogue::default_kind();
        let before = bodies(&clients);
        let Some((writes, rows)) = World::new(clients).resolved("job.toml", &job) else { return Ok(()) };
        let mut after = made(kind, &before, &writes);
        let (path, value) = edit;
        // Where there was no object around it, the edit makes one, as a person would.
        after.iter_mut().for_each(|client| path.put(client, value.clone()));
        let (undo_writes, undo_rows) = taken_back(writes, rows, &after);
        for (before, back) in before.iter().zip(&made(kind, &after, &undo_writes)) {
            let left = left(&undo_writes, &undo_rows, before["client_id"].as_str().unwrap());
            let stays = path.get(back).is_some_and(|now| holds(now, &value));
            prop_assert!(stays, "{path} was lost: {back:?}\n{left:?}\n{job}");
            // Its other name is the same setting.
            let same_setting = |other: &FieldPath| kind.read_along(path.root()).any(|root| root == other.root());
            let elsewhere = |other: &&FieldPath| !other.encloses(&path) && !path.encloses(other) && !same_setting(other);
            for other in differing(kind, before, back).iter().filter(elsewhere) {
                let told = left.iter().any(|(_, words)| names(words, other));
                prop_assert!(told, "{other}: {before:?}\n{back:?}\n{left:?}\n{job}");
            }
        }
    }
}

/// Of a list what was put in stays, whatever stands beside it.
fn holds(now: &Value, put: &Value) -> bool {
    match (now, put) {
        (Value::Array(now), Value::Array(put)) => put.iter().all(|item| now.contains(item)),
        (now, put) => now == put,
    }
}

fn foreign() -> impl Strategy<Value = (FieldPath, Value)> {
    let edits = vec![
        ("name", json!("By hand")),
        ("description", json!("By hand")),
        ("client_metadata.team", json!("by hand")),
        ("client_metadata.hand", json!("by hand")),
        ("callbacks", json!(["https://by-hand.example"])),
        ("web_origins", json!(["https://by-hand.example"])),
        ("session_transfer.enforce_device_binding", json!("asn")),
        ("session_transfer.delegation.enforce_device_binding", json!("none")),
        ("addons.samlp.recipient", json!("urn:by-hand")),
        ("addons.slack", json!({"team": "by-hand"})),
        ("native_social_login.google", json!({"enabled": false})),
        ("mobile.ios.app_bundle_identifier", json!("by.hand")),
        ("oidc_logout.backchannel_logout_urls", json!(["https://by-hand.example"])),
        ("jwt_configuration.lifetime_in_seconds", json!(777)),
        ("token_quota.client_credentials.per_hour", json!(77)),
    ];
    select(edits).prop_map(|(path, value)| (path.parse().unwrap(), value))
}

#[test]
fn the_pool_of_generated_runs_is_sound() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut planned = 0;
    for _ in 0..200 {
        let clients = clients().new_tree(&mut runner).unwrap().current();
        let job = job(&ANY, &ops()).new_tree(&mut runner).unwrap().current();
        planned += usize::from(
            World::new(clients).resolved("job.toml", &job).is_some_and(|(writes, _)| !writes.is_empty()),
        );
    }
    assert!(planned > 80, "only {planned} of 200 jobs write");
}
