//! Snapshots and tenants are compared: the exit code says whether they differ.

use serde_json::json;

use super::Tenants;

#[test]
fn a_snapshot_is_compared_with_the_tenant_it_is_of() {
    let tenants = Tenants::new(1, 5);
    tenants.case.run(["get", "--all", "--tenant=dev", "-o", "before.json"]).exits(0);
    tenants.case.run(["diff", "before.json", "dev"]).exits(0);
    tenants.edit(0, "App 001", &json!({"name": "Renamed", "callbacks": ["https://dev.acme.example/app1/callback", "https://x.example"]}));
    let done = tenants.case.run(["diff", "before.json", "dev"]);
    insta::assert_snapshot!(done.exits(2).stdout.replace(&tenants.id(0, "Renamed"), "[ID]"));
    let json = tenants.case.run(["diff", "before.json", "dev", "--output=json"]);
    let object: serde_json::Value = serde_json::from_str(&json.exits(2).stdout).unwrap();
    assert_eq!(object["clients"].as_array().unwrap().len(), 1, "{object}");
    assert_eq!(tenants.patches(), [0]);
}

#[test]
fn two_tenants_that_differ_as_their_variables_do_are_equal() {
    let tenants = Tenants::new(2, 5);
    tenants.edit(1, "App 004", &json!({"description": "other"}));
    let done = tenants.case.run(["diff", "dev", "staging", "--identity=client_metadata.slug"]);
    // The runners' own clients have no slug, and are in one tenant each.
    assert!(done.stdout.contains("1 of 5 clients differ"), "{done}");
    assert!(done.stdout.contains("10 values differ only as the tenants' variables"), "{done}");
    let raw = tenants.case.run(["diff", "dev", "staging", "--no-parametrize"]);
    assert!(raw.exits(2).stdout.contains("5 of 6 clients differ"), "{raw}");
}

#[test]
fn a_name_that_two_clients_have_is_no_match() {
    let tenants = Tenants::new(2, 3);
    tenants.edit(1, "App 001", &json!({"name": "App 000"}));
    let done = tenants.case.run(["diff", "dev", "staging"]);
    assert!(done.exits(1).stdout.contains("not compared: \"App 000\""), "{done}");
}
