//! `replace`: exactly this afterwards.

use serde_json::{Value, json};

use super::{World, check};

fn on_a(lines: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\n{lines}\n")
}

fn client(field: &str, value: Value) -> World {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    client[field] = value;
    World::new(Value::Array(vec![client]))
}

fn sent(world: &World, lines: &str) -> Value {
    let sent = world.sent("job.toml", on_a(lines));
    let [(_, body)] = sent.as_slice() else { panic!("not one write: {sent:?}") };
    body.clone()
}

#[test]
fn replace_gives_null_to_the_keys_of_a_merged_object_that_it_does_not_name() {
    let world = client("client_metadata", json!({"owner": "web", "tier": "gold"}));
    assert_eq!(
        sent(&world, "replace.client_metadata = { owner = \"identity\" }"),
        json!({"client_metadata": {"owner": "identity", "tier": null}})
    );
    let world = client("native_social_login", json!({"google": {"enabled": true}}));
    assert_eq!(
        sent(&world, "replace.native_social_login = { apple = { enabled = true } }"),
        json!({"native_social_login": {"apple": {"enabled": true}, "google": null}})
    );
}

#[test]
fn replace_of_an_object_that_the_api_replaces_sends_exactly_this() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 10});
    let body = sent(
        &client("refresh_token", token),
        "replace.refresh_token = { rotation_type = \"non-rotating\", expiration_type = \"non-expiring\" }",
    );
    let exact = json!({"rotation_type": "non-rotating", "expiration_type": "non-expiring"});
    assert_eq!(body, json!({"refresh_token": exact}));
}

#[test]
fn replace_of_what_is_exactly_so_changes_nothing() {
    let world = client("client_metadata", json!({"owner": "web"}));
    assert_eq!(world.plan("job.toml", on_a("replace.client_metadata = { owner = \"web\" }")), "a unchanged");
}

#[test]
fn replace_that_would_have_to_empty_what_the_api_keeps_is_an_error_offline() {
    let told = check("job.toml", on_a("replace.jwt_configuration = { lifetime_in_seconds = 3600 }"));
    assert!(told.contains("alg") && told.contains("job.toml:3:"), "{told}");
}

#[test]
fn a_key_that_replace_does_not_name_may_hold_its_default() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0});
    let lines = "replace.refresh_token = { rotation_type = \"rotating\", expiration_type = \"expiring\" }";
    assert_eq!(client("refresh_token", token).plan("job.toml", on_a(lines)), "a unchanged");
}

#[test]
fn a_key_that_replace_does_not_name_may_be_read_only() {
    let jwt =
        json!({"lifetime_in_seconds": 60, "alg": "RS256", "scopes": {"x": "y"}, "secret_encoded": true});
    let lines =
        "replace.jwt_configuration = { lifetime_in_seconds = 60, alg = \"RS256\", scopes = { x = \"y\" } }";
    assert_eq!(client("jwt_configuration", jwt).plan("job.toml", on_a(lines)), "a unchanged");
}

#[test]
fn the_keys_before_the_braces_are_the_path_of_what_is_replaced() {
    let addons =
        json!({"samlp": {"audience": "urn:a", "recipient": "https://a.example"}, "wsfed": {"x": "y"}});
    let body = sent(&client("addons", addons), "replace.addons.samlp = { audience = \"urn:b\" }");
    assert_eq!(body, json!({"addons": {"samlp": {"audience": "urn:b"}, "wsfed": {"x": "y"}}}));
}

#[test]
fn an_add_on_that_replace_of_all_add_ons_does_not_name_is_removed() {
    let addons = json!({"samlp": {"audience": "urn:a"}, "wsfed": {"x": "y"}});
    let body = sent(&client("addons", addons), "replace.addons = { samlp = { audience = \"urn:a\" } }");
    assert_eq!(body, json!({"addons": {"samlp": {"audience": "urn:a"}}}));
}

#[test]
fn an_add_on_without_settings_is_turned_on_by_an_empty_object() {
    let lines = "replace.addons.wsfed = {}";
    let world = client("addons", json!({"samlp": {"audience": "urn:a"}}));
    assert_eq!(sent(&world, lines), json!({"addons": {"samlp": {"audience": "urn:a"}, "wsfed": {}}}));
    assert_eq!(sent(&client("sso", json!(true)), lines), json!({"addons": {"wsfed": {}}}));
    let on = client("addons", json!({"wsfed": {}}));
    assert_eq!(on.plan("job.toml", on_a(lines)), "a unchanged");
}

#[test]
fn replace_may_be_a_table_of_its_own() {
    let world = client("client_metadata", json!({"owner": "web", "tier": "gold"}));
    let body = sent(&world, "[update.replace.client_metadata]\nowner = \"identity\"");
    assert_eq!(body, json!({"client_metadata": {"owner": "identity", "tier": null}}));
}

#[test]
fn replace_of_a_single_value_is_an_error_that_says_set() {
    for lines in ["replace.name = \"x\"", "replace.refresh_token.leeway = 0"] {
        let told = check("job.toml", on_a(lines));
        assert!(told.contains("set"), "{lines}: {told}");
    }
}

#[test]
fn replace_of_a_list_is_the_same_as_set() {
    let world = client("callbacks", json!(["https://a.example"]));
    assert_eq!(
        world.plan("job.toml", on_a("replace.callbacks = [\"https://b.example\"]")),
        r#"a callbacks ["https://a.example"] → ["https://b.example"]"#
    );
}
