use serde_json::json;

use super::*;
use crate::catalogue::default_kind;
use crate::model::Domain;

fn recorded(clients: &[(&str, Value, Value)]) -> ChangeSet {
    let domain = Domain::parse("acme-dev.eu.auth0.com").unwrap();
    let source = Source::new(Some(&domain), &Body::new(), []);
    let mut recorder = Recorder::new(default_kind(), None, &source, &source);
    for (id, before, after) in clients {
        let id = EntityId::new(*id);
        let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
        recorder.take(Edited { id: &id, before, id_after: &id, after, masked: &[] });
    }
    recorder.finish(&Header { at: "2026-11-28T00:00:00Z".into(), by: "test".into(), ..Header::default() })
}

fn client(name: &str, organization: &str) -> Value {
    json!({"name": name, "default_organization": {"organization_id": organization, "flows": ["client_credentials"]}})
}

#[test]
fn an_id_is_one_variable_wherever_it_stands_and_named_in_the_order_of_the_file() {
    let (a, b) = ("org_aaaaaaaaaaaaaaaa", "org_bbbbbbbbbbbbbbbb");
    let set = recorded(&[("2", client("B", a), client("B", b)), ("1", client("A", b), client("A", a))]);
    assert_eq!(set.required, ["organization_id", "organization_id_2"]);
    let text = set.text();
    let (first, second) = text.split_once("match.name = \"B\"").unwrap();
    assert!(
        first.contains("set.default_organization.organization_id = \"{{ vars.organization_id }}\""),
        "{}",
        set.text()
    );
    assert!(
        first.contains("expect.default_organization.organization_id = \"{{ vars.organization_id_2 }}\""),
        "{}",
        set.text()
    );
    assert!(
        second.contains("set.default_organization.organization_id = \"{{ vars.organization_id_2 }}\""),
        "{}",
        set.text()
    );
    assert!(set.text().starts_with("# A recorded change set"), "{}", set.text());
    assert!(
        set.text().contains("# Every target needs these variables: organization_id, organization_id_2"),
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
    assert_eq!((set.clients, set.left_out.len()), (0, 1), "{set:?}");
    assert!(set.text().contains("update = []"), "{}", set.text());
}

#[test]
fn a_value_that_nobody_shows_becomes_a_variable_of_its_own() {
    let source = Source::default();
    let mut recorder = Recorder::new(default_kind(), None, &source, &source);
    let body = json!({"name": "Shop {old}"});
    let body = body.as_object().unwrap();
    let id = EntityId::new("1");
    let masked = ["client_secret".parse().unwrap()];
    recorder.take(Edited { id: &id, before: body, id_after: &id, after: body, masked: &masked });
    let set = recorder.finish(&Header::default());
    assert_eq!(set.required, ["client_secret_of_shop_old"]);
    assert!(
        set.text().contains("set.client_secret = \"{{ vars.client_secret_of_shop_old }}\""),
        "{}",
        set.text()
    );
}

#[test]
fn a_name_that_moves_from_one_client_to_another_is_warned_of() {
    let set = recorded(&[
        ("1", json!({"name": "A"}), json!({"name": "B"})),
        ("2", json!({"name": "B"}), json!({"name": "C"})),
    ]);
    assert_eq!((set.clients, set.warnings.len()), (2, 1), "{set:?}");
    assert!(set.warnings[0].starts_with("A: it takes a name that another gives up"), "{set:?}");
}
