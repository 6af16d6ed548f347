//! When two values are the same setting.

use serde_json::{Value, json};

use super::{World, check};

/// What is planned for a client whose `field` is this.
fn planned(field: &str, value: Value, lines: &str) -> String {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    client[field] = value;
    let job = format!("[[update]]\nclient_id = \"a\"\n{lines}\n");
    World::new(Value::Array(vec![client])).plan("job.toml", &job)
}

fn token(leeway: Value) -> Value {
    json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": leeway})
}

#[test]
fn seven_equals_seven_point_zero() {
    assert_eq!(planned("refresh_token", token(json!(7.0)), "set.refresh_token.leeway = 7"), "a unchanged");
    assert_eq!(planned("refresh_token", token(json!(7)), "set.refresh_token.leeway = 7.0"), "a unchanged");
    let lines = "set.sso = true\nexpect.refresh_token.leeway = 7.0";
    assert_eq!(planned("refresh_token", token(json!(7)), lines), "a sso absent → true");
}

#[test]
fn seven_is_not_the_text_seven() {
    let told = planned("client_metadata", json!({"n": "7"}), "set.client_metadata.n = \"7.0\"");
    assert_eq!(told, r#"a client_metadata.n "7" → "7.0""#);
}

#[test]
fn absent_equals_null() {
    assert_eq!(planned("token_quota", Value::Null, "unset = [\"token_quota\"]"), "a unchanged");
    assert_eq!(
        planned("client_metadata", json!({"owner": null}), "unset = [\"client_metadata.owner\"]"),
        "a unchanged"
    );
    let csv = "client_id,sso,expect.description\na,true,@null\n";
    let world = World::new(json!([{"client_id": "a", "name": "Billing", "description": null}]));
    assert_eq!(world.plan("job.csv", csv), "a sso absent → true");
}

#[test]
fn null_inside_an_object_equals_a_missing_key() {
    let world = World::new(json!([
        {"client_id": "a", "name": "Billing", "refresh_token": token(Value::Null)},
    ]));
    let mut file: Value = serde_json::from_str(&world.get("json")).unwrap();
    file[0]["refresh_token"].as_object_mut().unwrap().remove("leeway");
    assert_eq!(world.plan("all.json", file.to_string()), "a unchanged");
    file[0]["refresh_token"]["policies"] = Value::Null;
    assert_eq!(world.plan("all.json", file.to_string()), "a unchanged");
}

#[test]
fn the_order_of_keys_of_an_object_never_matters() {
    let policies = json!([{"audience": "urn:a", "scope": ["read"]}]);
    let mut token = token(json!(0));
    token["policies"] = policies;
    let lines = "set.refresh_token.policies = [{ scope = [\"read\"], audience = \"urn:a\" }]";
    assert_eq!(planned("refresh_token", token, lines), "a unchanged");
}

#[test]
fn the_order_of_a_list_matters_as_the_catalogue_says() {
    let both = || json!(["https://a.example", "https://b.example"]);
    let turned = r#"["https://b.example", "https://a.example"]"#;
    assert_eq!(planned("web_origins", both(), &format!("set.web_origins = {turned}")), "a unchanged");
    assert!(planned("callbacks", both(), &format!("set.callbacks = {turned}")).contains('→'));
    let expected = |field: &str| format!("set.sso = true\nexpect.{field} = {turned}");
    assert_eq!(planned("web_origins", both(), &expected("web_origins")), "a sso absent → true");
    assert_eq!(planned("callbacks", both(), &expected("callbacks")), "a conflict expect");
}

#[test]
fn a_list_in_which_only_membership_counts_may_stand_inside_an_object() {
    let held = json!({"allowed_authentication_methods": ["cookie", "query"]});
    let lines = "set.session_transfer.allowed_authentication_methods = [\"query\", \"cookie\"]";
    assert_eq!(planned("session_transfer", held, lines), "a unchanged");
}

#[test]
fn ids_are_case_sensitive() {
    let world = World::new(json!([{"client_id": "abC", "name": "Billing"}]));
    let told = world.plan("job.toml", "[[update]]\nclient_id = \"abc\"\nset.sso = true\n");
    assert!(told.ends_with(" failed not_found"), "{told}");
    let lines = "set.allowed_clients = [\"ABC\"]";
    assert_eq!(planned("allowed_clients", json!(["abc"]), lines), r#"a allowed_clients ["abc"] → ["ABC"]"#);
}

#[test]
fn listed_values_are_case_sensitive() {
    let told = check("job.toml", "[[update]]\nclient_id = \"a\"\nset.app_type = \"SPA\"\n");
    assert!(told.contains("app_type") && told.contains("spa"), "{told}");
}
