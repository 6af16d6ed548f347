//! `expect`: what a field must hold before.

use serde_json::{Value, json};

use super::World;

fn planned(client: Value, lines: &str) -> String {
    let job = format!("[[update]]\nclient_id = \"a\"\n{lines}\n");
    World::new(Value::Array(vec![client])).plan("job.toml", &job)
}

fn named(name: &str) -> Value {
    json!({"client_id": "a", "name": name, "app_type": "spa"})
}

const RENAME: &str = "set.name = \"Billing EU\"\nexpect.name = \"Billing\"";

#[test]
fn a_field_that_holds_what_is_expected_is_written() {
    assert_eq!(planned(named("Billing"), RENAME), r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn a_field_that_holds_neither_what_is_expected_nor_what_is_asked_is_a_conflict() {
    assert_eq!(planned(named("Invoices"), RENAME), "a conflict expect");
}

#[test]
fn a_field_that_holds_what_is_asked_already_fulfils_what_is_expected() {
    assert_eq!(planned(named("Billing EU"), RENAME), "a unchanged");
}

#[test]
fn an_unset_that_is_done_already_fulfils_what_is_expected() {
    let lines = "unset = [\"client_metadata.owner\"]\nexpect.client_metadata.owner = \"web\"";
    assert_eq!(planned(named("Billing"), lines), "a unchanged");
    let client = json!({"client_id": "a", "name": "Billing", "client_metadata": {"owner": "x"}});
    assert_eq!(planned(client, lines), "a conflict expect");
}

#[test]
fn what_is_expected_of_another_field_is_a_precondition() {
    let holds = "set.name = \"Billing EU\"\nexpect.app_type = \"spa\"";
    assert_eq!(planned(named("Billing"), holds), r#"a name "Billing" → "Billing EU""#);
    let broken = "set.name = \"Billing EU\"\nexpect.app_type = \"native\"";
    assert_eq!(planned(named("Billing"), broken), "a conflict expect");
}

#[test]
fn a_precondition_is_looked_at_only_while_something_remains_to_be_written() {
    let broken = "set.name = \"Billing EU\"\nexpect.app_type = \"native\"";
    assert_eq!(planned(named("Billing EU"), broken), "a unchanged");
}

#[test]
fn a_precondition_counts_while_any_field_remains_to_be_written() {
    let broken = "set.name = \"Billing EU\"\nset.sso = true\nexpect.app_type = \"native\"";
    assert_eq!(planned(named("Billing EU"), broken), "a conflict expect");
}

#[test]
fn one_conflicting_field_withholds_the_whole_client() {
    let lines = format!("{RENAME}\nset.sso = true");
    assert_eq!(planned(named("Invoices"), &lines), "a conflict expect");
}

#[test]
fn a_field_that_replace_writes_is_expected_before_it() {
    let lines = "replace.client_metadata = { owner = \"identity\" }\nexpect.client_metadata.owner = \"web\"";
    let client =
        |owner: &str| json!({"client_id": "a", "name": "Billing", "client_metadata": {"owner": owner}});
    assert_eq!(planned(client("identity"), lines), "a unchanged");
    assert_eq!(planned(client("other"), lines), "a conflict expect");
    assert!(planned(client("web"), lines).contains('→'));
}

#[test]
fn a_conflict_of_one_client_leaves_others_alone() {
    let clients = json!([
        {"client_id": "a", "name": "x-1", "app_type": "native"},
        {"client_id": "b", "name": "x-2", "app_type": "spa"},
    ]);
    let job = "[[update]]\nmatch = { name = \"x-*\" }\nset.sso = true\nexpect.app_type = \"spa\"\n";
    let told = World::new(clients).plan("job.toml", job);
    assert_eq!(told, "b sso absent → true\na conflict expect");
}
