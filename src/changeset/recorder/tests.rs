use serde_json::json;

use super::*;
use crate::catalogue::{SECRET_MARKER, default_kind};
use crate::model::Domain;

fn recorded(clients: &[(&str, Value, Value)]) -> ChangeSet {
    let domain = Domain::parse("acme-dev.eu.auth0.com").unwrap();
    let source = Source::new(Some(&domain), &Body::new(), []);
    let mut recorder = Recorder::new(None, &source, &source);
    for (id, before, after) in clients {
        let id = EntityId::new(*id);
        let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
        recorder.take(default_kind(), Edited { id: &id, before, id_after: &id, after, masked: &[] });
    }
    recorder.finish(&Header { at: "2026-11-28T00:00:00Z".into(), by: "test".into(), ..Header::default() })
}

fn client(name: &str, organization: &str) -> Value {
    json!({"name": name, "default_organization": {"organization_id": organization, "flows": ["client_credentials"]}})
}

#[test]
fn an_id_is_one_variable_wherever_it_stands_and_none_stands_for_two() {
    let (a, b) = ("org_aaaaaaaaaaaaaaaa", "org_bbbbbbbbbbbbbbbb");
    let set = recorded(&[("2", client("B", a), client("B", b)), ("1", client("A", b), client("A", a))]);
    assert_eq!(set.required, ["organization_id_86fefc", "organization_id_5f8373"]);
    let text = set.text();
    let (first, second) = text.split_once("match.name = \"B\"").unwrap();
    assert!(
        first.contains("set.default_organization.organization_id = \"{{ vars.organization_id_86fefc }}\""),
        "{}",
        set.text()
    );
    assert!(
        first.contains("expect.default_organization.organization_id = \"{{ vars.organization_id_5f8373 }}\""),
        "{}",
        set.text()
    );
    assert!(
        second.contains("set.default_organization.organization_id = \"{{ vars.organization_id_5f8373 }}\""),
        "{}",
        set.text()
    );
    assert!(set.text().starts_with("# A recorded change set"), "{}", set.text());
    assert!(
        set.text()
            .contains("# Every target needs these variables: organization_id_5f8373, organization_id_86fefc"),
        "{}",
        set.text()
    );
}

#[test]
fn two_clients_of_one_name_are_left_out_and_nothing_is_guessed() {
    let set = recorded(&[
        ("1", json!({"name": "A", "sso": true}), json!({"name": "A", "sso": false})),
        ("2", json!({"name": "A", "sso": true}), json!({"name": "B", "sso": true})),
    ]);
    assert_eq!((set.clients(), set.left_out.len()), (0, 1), "{set:?}");
    assert!(set.text().contains("update = []"), "{}", set.text());
}

#[test]
fn a_value_that_nobody_shows_becomes_a_variable_of_its_own() {
    let source = Source::default();
    let mut recorder = Recorder::new(None, &source, &source);
    let body = json!({"name": "Shop {old}"});
    let body = body.as_object().unwrap();
    let id = EntityId::new("1");
    let masked = ["client_secret".parse().unwrap()];
    recorder
        .take(default_kind(), Edited { id: &id, before: body, id_after: &id, after: body, masked: &masked });
    let set = recorder.finish(&Header::default());
    assert_eq!(set.required, ["client_secret_of_shop_old"]);
    assert!(
        set.text().contains("set.client_secret = \"{{ vars.client_secret_of_shop_old }}\""),
        "{}",
        set.text()
    );
}

#[test]
fn a_client_that_takes_the_name_of_another_is_left_out_and_the_other_is_not() {
    let set = recorded(&[
        ("1", json!({"name": "A"}), json!({"name": "B"})),
        ("2", json!({"name": "B"}), json!({"name": "C"})),
    ]);
    assert_eq!((set.clients(), set.left_out.len()), (1, 1), "{set:?}");
    assert!(set.left_out[0].starts_with("A: it takes a name that another gives up"), "{set:?}");
}

#[test]
fn a_variable_of_the_source_is_never_taken_for_an_id_of_another_object() {
    let vars = json!({"organization_id_86fefc": "org_zzzzzzzzzzzzzzzz"});
    let source = Source::new(None, vars.as_object().unwrap(), []);
    let mut recorder = Recorder::new(None, &source, &source);
    let (before, after) = (client("A", "org_zzzzzzzzzzzzzzzz"), client("A", "org_aaaaaaaaaaaaaaaa"));
    let id = EntityId::new("1");
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    recorder.take(default_kind(), Edited { id: &id, before, id_after: &id, after, masked: &[] });
    let set = recorder.finish(&Header::default());
    assert_eq!(set.required, ["organization_id_86fefc_2"]);
    assert!(
        set.text()
            .contains("expect.default_organization.organization_id = \"{{ vars.organization_id_86fefc }}\"")
    );
}

#[test]
fn an_id_or_domain_where_no_placeholder_can_stand_keeps_the_client_out() {
    let before = json!({"name": "A"});
    for key in ["of_1abcdefghijklmnopqrst", "acme-dev.eu.auth0.com"] {
        let after = json!({"name": "A", "client_metadata": {key: "x"}});
        let set = recorded(&[("1abcdefghijklmnopqrst", before.clone(), after)]);
        assert_eq!((set.clients(), set.left_out.len()), (0, 1), "{set:?}");
    }
}

#[test]
fn the_job_that_a_run_was_of_is_named_only_where_its_name_says_nothing_of_the_tenant() {
    let domain = Domain::parse("acme-dev.eu.auth0.com").unwrap();
    let source = Source::new(Some(&domain), &Body::new(), []);
    for (job, named) in [("nightly", true), ("fix acme-dev.eu.auth0.com", false)] {
        let recorder = Recorder::new(None, &source, &source);
        let set = recorder.finish(&Header { job: Some(job.to_owned()), ..Header::default() });
        assert_eq!(set.text().contains("job = "), named, "{}", set.text());
    }
}

#[test]
fn an_add_on_that_goes_with_its_secret_goes_by_itself() {
    let held = json!({"name": "A", "addons": {"azure_blob": {"accountName": "a", "storageAccessKey": SECRET_MARKER}}});
    let set = recorded(&[("1", held.clone(), json!({"name": "A"}))]);
    assert!(
        set.text().contains("unset = [\"addons.azure_blob\"]\nexpect.addons.azure_blob.accountName = \"a\""),
        "{}",
        set.text()
    );
    let set = recorded(&[("1", json!({"name": "A"}), held)]);
    assert_eq!(set.required, ["addons_azure_blob_storageaccesskey_of_a"], "{}", set.text());
}
