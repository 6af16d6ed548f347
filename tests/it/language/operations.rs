//! What an update does: `set` and `unset`, and which paths they take.

use serde_json::{Value, json};

use super::{World, check};

fn on_a(lines: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\n{lines}\n")
}

fn planned(client: Value, lines: &str) -> String {
    World::new(Value::Array(vec![client])).plan("job.toml", on_a(lines))
}

/// The body of the one PATCH that is sent.
fn sent(client: Value, lines: &str) -> Value {
    body_of(&World::new(Value::Array(vec![client])), lines)
}

fn body_of(world: &World, lines: &str) -> Value {
    let sent = world.sent("job.toml", on_a(lines));
    let [(id, body)] = sent.as_slice() else { panic!("not one write: {sent:?}") };
    assert_eq!(id, "a");
    body.clone()
}

fn with_metadata() -> Value {
    json!({"client_id": "a", "name": "Billing", "client_metadata": {"owner": "web", "tier": "gold"}})
}

fn with_refresh_token() -> Value {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 100});
    json!({"client_id": "a", "name": "Billing", "refresh_token": token})
}

#[test]
fn set_sets_a_leaf() {
    let client = json!({"client_id": "a", "name": "Billing"});
    let told = planned(client, "set.name = \"Billing EU\"\nset.description = \"x\"\nset.sso = true");
    assert_eq!(
        told,
        "a name \"Billing\" → \"Billing EU\"\na description absent → \"x\"\na sso absent → true"
    );
}

#[test]
fn a_client_that_is_as_asked_already_is_unchanged() {
    assert_eq!(planned(with_metadata(), "set.client_metadata.owner = \"web\""), "a unchanged");
}

#[test]
fn only_fields_that_differ_are_sent() {
    let body = sent(with_metadata(), "set.name = \"Billing\"\nset.description = \"x\"");
    assert_eq!(body, json!({"description": "x"}));
}

#[test]
fn an_object_in_set_sets_its_leaves_and_leaves_their_siblings() {
    let lines = "set.client_metadata = { owner = \"identity\", team = \"x\" }";
    assert_eq!(
        planned(with_metadata(), lines),
        "a client_metadata.owner \"web\" → \"identity\"\na client_metadata.team absent → \"x\""
    );
}

#[test]
fn an_empty_object_in_set_is_an_error() {
    for lines in ["set.client_metadata = {}", "set.addons.samlp = {}"] {
        let told = check("job.toml", on_a(lines));
        assert!(told.contains("empty") && told.contains("job.toml:3:"), "{lines}: {told}");
    }
}

#[test]
fn of_an_object_that_the_api_merges_only_the_leaf_is_sent() {
    let body = sent(with_metadata(), "set.client_metadata.owner = \"identity\"");
    assert_eq!(body, json!({"client_metadata": {"owner": "identity"}}));
}

#[test]
fn an_object_that_the_api_replaces_is_sent_complete() {
    let lines = "set.refresh_token.leeway = 10";
    assert_eq!(planned(with_refresh_token(), lines), "a refresh_token.leeway 0 → 10");
    let whole = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 10, "token_lifetime": 100});
    assert_eq!(sent(with_refresh_token(), lines), json!({"refresh_token": whole}));
    assert_eq!(
        sent(with_refresh_token(), "set.refresh_token = { leeway = 10 }"),
        json!({"refresh_token": whole})
    );
}

#[test]
fn an_object_of_which_nobody_knows_whether_it_is_merged_is_sent_complete() {
    let logout = json!({"backchannel_logout_urls": ["https://a.example"], "backchannel_logout_initiators": {"mode": "all"}});
    let client = json!({"client_id": "a", "name": "Billing", "oidc_logout": logout});
    let body = sent(client, "set.oidc_logout.backchannel_logout_urls = [\"https://b.example\"]");
    let whole = json!({"backchannel_logout_urls": ["https://b.example"], "backchannel_logout_initiators": {"mode": "all"}});
    assert_eq!(body, json!({"oidc_logout": whole}));
}

#[test]
fn unset_sends_null_where_the_catalogue_says_null() {
    let quota = json!({"client_credentials": {"per_day": 5}});
    let client = json!({"client_id": "a", "name": "Billing", "token_quota": quota, "par_request_expiry": 60});
    let body = sent(client, "unset = [\"token_quota\", \"par_request_expiry\"]");
    assert_eq!(body, json!({"token_quota": null, "par_request_expiry": null}));
}

#[test]
fn unset_sends_an_empty_text_where_the_catalogue_says_so() {
    let uri = "https://login.example";
    let client =
        json!({"client_id": "a", "name": "Billing", "description": "For bills", "initiate_login_uri": uri});
    let body = sent(client, "unset = [\"description\", \"initiate_login_uri\"]");
    assert_eq!(body, json!({"description": "", "initiate_login_uri": ""}));
}

#[test]
fn unset_sends_an_empty_list_for_a_list() {
    let client = json!({"client_id": "a", "name": "Billing", "callbacks": ["https://a.example"]});
    assert_eq!(sent(client, "unset = [\"callbacks\"]"), json!({"callbacks": []}));
}

#[test]
fn unset_of_a_key_of_a_merged_object_takes_that_key_alone() {
    let lines = "unset = [\"client_metadata.owner\"]";
    assert_eq!(planned(with_metadata(), lines), "a client_metadata.owner \"web\" → absent");
    assert_eq!(sent(with_metadata(), lines), json!({"client_metadata": {"owner": null}}));
}

#[test]
fn unset_of_the_metadata_takes_each_key() {
    let body = sent(with_metadata(), "unset = [\"client_metadata\"]");
    assert_eq!(body, json!({"client_metadata": {"owner": null, "tier": null}}));
}

#[test]
fn unset_of_a_key_that_goes_by_being_left_out_sends_the_object_without_it() {
    let samlp = json!({"audience": "urn:a", "recipient": "https://a.example"});
    let client = json!({"client_id": "a", "name": "Billing", "addons": {"samlp": samlp}});
    let body = sent(client, "unset = [\"addons.samlp.audience\"]");
    assert_eq!(body, json!({"addons": {"samlp": {"recipient": "https://a.example"}}}));
}

#[test]
fn unset_of_what_cannot_be_emptied_is_an_error_offline() {
    for path in ["name", "sso", "app_type", "refresh_token.rotation_type"] {
        let told = check("job.toml", on_a(&format!("unset = [\"{path}\"]")));
        assert!(told.contains(path) && told.contains("job.toml:3:"), "{path}: {told}");
    }
}

#[test]
fn unset_of_what_is_empty_already_changes_nothing() {
    for client in [
        json!({"client_id": "a", "name": "Billing"}),
        json!({"client_id": "a", "name": "Billing", "description": null, "callbacks": null, "token_quota": null}),
        json!({"client_id": "a", "name": "Billing", "description": "", "callbacks": [], "client_metadata": {}}),
        json!({"client_id": "a", "name": "Billing", "client_metadata": {"owner": null}}),
    ] {
        let lines = "unset = [\"description\", \"callbacks\", \"token_quota\", \"client_metadata.owner\"]";
        assert_eq!(planned(client.clone(), lines), "a unchanged", "{client}");
    }
}

#[test]
fn an_empty_text_that_reads_back_as_absent_is_absent() {
    let client = json!({"client_id": "a", "name": "Billing"});
    assert_eq!(planned(client, "set.initiate_login_uri = \"\""), "a unchanged");
}

#[test]
fn keys_with_dots_are_quoted_in_paths() {
    let told = planned(with_metadata(), "set.client_metadata.\"a.b\" = \"x\"");
    assert_eq!(told, "a client_metadata.\"a.b\" absent → \"x\"");
    let client = json!({"client_id": "a", "name": "Billing", "client_metadata": {"a.b": "x"}});
    let told = planned(client, "unset = ['client_metadata.\"a.b\"']");
    assert_eq!(told, "a client_metadata.\"a.b\" \"x\" → absent");
}

#[test]
fn a_field_that_the_catalogue_does_not_know_is_an_error_with_its_near_miss() {
    for lines in ["set.calbacks = []", "add.calbacks = [\"https://a.example\"]", "unset = [\"calbacks\"]"] {
        let told = check("job.toml", on_a(lines));
        assert!(told.contains("calbacks") && told.contains("`callbacks`"), "{lines}: {told}");
    }
    assert!(check("job.toml", on_a("set.brand_new = \"x\"")).contains("brand_new"));
}

#[test]
fn a_field_that_was_allowed_is_let_through() {
    let world = || World::new(json!([{"client_id": "a", "name": "Billing"}])).allow_field("brand_new");
    assert_eq!(world().plan("job.toml", on_a("set.brand_new = \"x\"")), "a brand_new absent → \"x\"");
    let told = world().plan("job.toml", on_a("set.brand_newer = \"x\""));
    assert!(told.starts_with("exit 64: ") && told.contains("brand_newer"), "{told}");
}

#[test]
fn an_object_that_was_allowed_is_sent_whole() {
    // guess: `set` of one leaf keeps its siblings here too, since "nobody knows" means read and sent complete.
    let client = json!({"client_id": "a", "name": "Billing", "brand_new": {"x": 1, "y": 2}});
    let world = World::new(Value::Array(vec![client])).allow_field("brand_new");
    assert_eq!(body_of(&world, "set.brand_new.x = 3"), json!({"brand_new": {"x": 3, "y": 2}}));
}
