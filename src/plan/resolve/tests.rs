use std::ops::Range;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalogue::{Kinds, default_kind};
use crate::job::{Action, Expect, Op, Origin, Pattern, RowLabel, Update};
use crate::model::value::same;
use crate::model::{EntityId, Packed, SourceFile};
use crate::plan::{RowState, predicted};
use serde_json::Value;

const NOWHERE: Range<usize> = 0..0;

fn update(number: usize, selector: Selector, ops: Vec<Op>) -> Update {
    let origin =
        Origin { file: SourceFile::new("job.toml", ""), span: NOWHERE, label: RowLabel::Update(number) };
    Update { ops, ..Update::new(default_kind(), origin, selector) }
}

fn set(path: &str, value: Value) -> Op {
    Op { path: path.parse().unwrap(), action: Action::Set(value.into()), span: NOWHERE }
}

fn unset(path: &str) -> Op {
    Op { path: path.parse().unwrap(), action: Action::Unset, span: NOWHERE }
}

fn job(updates: Vec<Update>) -> Job {
    Job { updates, ..Job::empty("job".into(), Kinds::built_in()) }
}

fn state(bodies: impl IntoIterator<Item = Value>) -> TenantState {
    let object = |body: Value| {
        (EntityId::new(body["client_id"].as_str().unwrap()), Packed::new(body.as_object().unwrap()))
    };
    TenantState { objects: bodies.into_iter().map(object).collect(), ..TenantState::default() }
}

fn plan(job: &Job, state: &TenantState) -> Resolved {
    let tenant = Arc::new(TenantScope::plain(&"dev".into()));
    plan_tenant(job, &tenant, &state.clone().into(), &PlanOptions::default()).unwrap()
}

fn name_is(name: &str) -> Selector {
    Selector::matching(vec![("name".parse().unwrap(), Pattern::glob(name))])
}

fn done(row: &Row) -> &Done {
    match &row.state {
        RowState::Done(done) => done,
        RowState::Write(_) => panic!("{row:?} is written"),
    }
}

fn a_value() -> impl Strategy<Value = Op> {
    let text = prop_oneof![Just(String::new()), "[a-z ]{1,8}"];
    let urls = prop::collection::vec("https://[a-c]\\.example", 0..3);
    prop_oneof![
        "[a-z]{1,6}".prop_map(|name| set("name", json!(name))),
        text.prop_map(|text| set("description", json!(text))),
        Just(unset("description")),
        urls.clone().prop_map(|urls| set("callbacks", json!(urls))),
        urls.prop_map(|urls| set("web_origins", json!(urls))),
        Just(unset("callbacks")),
        prop_oneof![Just(String::new()), Just("https://login.acme.example".to_owned())]
            .prop_map(|uri| set("initiate_login_uri", json!(uri))),
        Just(unset("initiate_login_uri")),
        "[a-z]{0,3}".prop_map(|owner| set("client_metadata.owner", json!(owner))),
        Just(unset("client_metadata.owner")),
        (0..3).prop_map(|leeway| set("refresh_token.leeway", json!(leeway))),
        (1..3).prop_map(|seconds| set("jwt_configuration.lifetime_in_seconds", json!(seconds))),
        any::<bool>().prop_map(|sso| set("sso", json!(sso))),
        Just(unset("token_quota")),
    ]
}

/// A client that lacks some fields, as most clients do.
fn a_client() -> impl Strategy<Value = Value> {
    let keys = ["description", "callbacks", "web_origins", "initiate_login_uri", "client_metadata", "sso"];
    prop::sample::subsequence(keys.to_vec(), 0..=keys.len()).prop_map(move |kept| {
        let mut client = json!({
            "client_id": "abc", "name": "Billing", "description": "For bills", "callbacks": ["https://a.example"],
            "web_origins": ["https://b.example", "https://a.example"], "initiate_login_uri": "https://x.example",
            "client_metadata": {"owner": "web", "tier": "gold"}, "sso": true,
            "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0,
                "token_lifetime": 100, "idle_token_lifetime": 50},
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
        });
        let client_fields = client.as_object_mut().unwrap();
        client_fields.retain(|key, _| !keys.contains(&key.as_str()) || kept.contains(&key.as_str()));
        client
    })
}

proptest! {
    #[test]
    fn a_plan_right_after_its_apply_is_empty(ops in prop::collection::vec(a_value(), 1..5), client in a_client()) {
        let mut chosen: Vec<Op> = Vec::new();
        for op in ops {
            if chosen.iter().all(|other| other.path != op.path) {
                chosen.push(op);
            }
        }
        let job = job(vec![update(1, Selector::Id("abc".into()), chosen)]);
        let before = state([client]);
        let (writes, rows) = plan(&job, &before);
        let Some(write) = writes.get(0) else {
            prop_assert_eq!(done(&rows[0]).result, RowResult::Unchanged);
            return Ok(());
        };
        prop_assert!(!write.body.is_empty(), "a write sends something");
        let after = predicted(default_kind(), &write);
        prop_assert!(!same(Some(&json!(after)), Some(&json!(*write.before)), crate::model::ListOrder::Ordered), "a write changes something");
        let (again, rows) = plan(&job, &state([Value::Object(after)]));
        prop_assert_eq!(again, Writes::default());
        prop_assert_eq!(done(&rows[0]).result, RowResult::Unchanged);
    }
}

#[test]
fn a_client_is_looked_for_under_its_new_name_only_where_the_old_one_is_gone() {
    let job = job(vec![update(1, name_is("Old"), vec![set("name", json!("New"))])]);
    let (writes, _) = plan(
        &job,
        &state([json!({"client_id": "a", "name": "Old"}), json!({"client_id": "b", "name": "New"})]),
    );
    assert_eq!(writes.at(0).id, "a".into());
    let (writes, rows) = plan(&job, &state([json!({"client_id": "b", "name": "New"})]));
    assert_eq!((writes.len(), done(&rows[0]).result), (0, RowResult::Unchanged));
}

#[test]
fn two_clients_of_an_exact_name_are_refused_with_both_ids() {
    let job = job(vec![update(1, name_is("Twin"), vec![set("sso", json!(true))])]);
    let (writes, rows) = plan(
        &job,
        &state([json!({"client_id": "a", "name": "Twin"}), json!({"client_id": "b", "name": "Twin"})]),
    );
    assert!(writes.is_empty());
    let done = done(&rows[0]);
    assert_eq!(done.reason, Some(Reason::Ambiguous));
    assert!(done.message.as_ref().unwrap().contains("a, b"));
}

#[test]
fn one_conflicting_field_withholds_the_whole_client() {
    let mut both =
        update(1, Selector::Id("a".into()), vec![set("name", json!("New")), set("sso", json!(true))]);
    both.expects.push(Expect {
        path: "name".parse().unwrap(),
        value: Some(json!("Old").into()),
        span: NOWHERE,
    });
    let (writes, rows) =
        plan(&job(vec![both]), &state([json!({"client_id": "a", "name": "Other", "sso": false})]));
    assert!(writes.is_empty());
    assert_eq!((done(&rows[0]).result, done(&rows[0]).reason), (RowResult::Conflict, Some(Reason::Expect)));
}

#[test]
fn a_condition_counts_only_while_something_remains_to_be_written() {
    let mut renamed = update(1, Selector::Id("a".into()), vec![set("name", json!("New"))]);
    renamed.expects.push(Expect {
        path: "sso".parse().unwrap(),
        value: Some(json!(true).into()),
        span: NOWHERE,
    });
    let job = job(vec![renamed]);
    let (_, rows) = plan(&job, &state([json!({"client_id": "a", "name": "New", "sso": false})]));
    assert_eq!(done(&rows[0]).result, RowResult::Unchanged);
    let (_, rows) = plan(&job, &state([json!({"client_id": "a", "name": "Old", "sso": false})]));
    assert_eq!(done(&rows[0]).result, RowResult::Conflict);
}
