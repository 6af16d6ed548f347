//! What recorded exchanges prove of a PATCH, claim by claim, over HTTP. What is said of one field alone stands with the
//! merging itself.

use std::collections::HashMap;

use super::*;

const SCOPES: &str = "read:clients read:client_keys update:clients update:client_keys update:client_credentials \
    update:client_token_vault_privileged_access create:clients delete:clients";

async fn holding(client: Value) -> Caller {
    let mut client = client;
    client["client_id"] = json!("Till");
    client["name"] = json!("Till");
    Caller::with(|options| {
        options.load = loaded(&[client]);
        options.scopes = SCOPES.split_whitespace().map(str::to_owned).collect();
    })
    .await
}

/// What a client holds after a PATCH, as the answer and the next read agree.
async fn patched(before: Value, patch: Value) -> Value {
    let caller = holding(before).await;
    let (status, answer) = caller.patch("Till", &patch).await;
    assert_eq!(status, 200, "{patch}: {answer}");
    assert_eq!(caller.get("/api/v2/clients/Till").await, (200, answer.clone()));
    answer
}

#[tokio::test]
async fn a_field_that_is_not_named_stays_and_null_takes_one_away() {
    let after = patched(
        json!({"sso": true, "callbacks": ["https://a.example"], "addons": {"wsfed": {}}, "organization_usage": "allow"}),
        json!({"callbacks": [], "addons": null}),
    )
    .await;
    assert_eq!(
        (&after["sso"], &after["callbacks"], &after["organization_usage"]),
        (&json!(true), &json!([]), &json!("allow"))
    );
    assert_eq!(after.get("addons"), None);
}

#[tokio::test]
async fn null_is_taken_where_the_published_schema_forbids_it() {
    let patch = json!({"addons": null, "signed_request_object": null, "token_vault_privileged_access": null, "oidc_backchannel_logout": null});
    let before = json!({"addons": {"wsfed": {}}, "signed_request_object": {"required": false}, "sso": true});
    let after = patched(before, patch.clone()).await;
    assert!(patch.as_object().unwrap().keys().all(|key| after.get(key).is_none()), "{after}");
}

#[tokio::test]
async fn nested_objects_are_merged_key_by_key_and_add_ons_are_not() {
    for (field, before, patch, after) in [
        (
            "jwt_configuration",
            json!({"alg": "RS256", "lifetime_in_seconds": 60}),
            json!({"lifetime_in_seconds": 90}),
            json!({"alg": "RS256", "lifetime_in_seconds": 90}),
        ),
        (
            "session_transfer",
            json!({"allow_refresh_token": true, "delegation": {"allow_delegated_access": true}}),
            json!({"delegation": null}),
            json!({"allow_refresh_token": true}),
        ),
        (
            "native_social_login",
            json!({"apple": {"enabled": true}, "google": {"enabled": true}}),
            json!({"apple": {"enabled": false}}),
            json!({"apple": {"enabled": false}, "google": {"enabled": true}}),
        ),
        (
            "mobile",
            json!({"ios": {"team_id": "a"}}),
            json!({"android": {"app_package_name": "b"}}),
            json!({"ios": {"team_id": "a"}, "android": {"app_package_name": "b"}}),
        ),
        (
            "signed_request_object",
            json!({"required": false, "credentials": []}),
            json!({"required": true}),
            json!({"required": true, "credentials": []}),
        ),
        (
            "client_metadata",
            json!({"a": "1", "b": "2"}),
            json!({"a": null, "c": "3"}),
            json!({"b": "2", "c": "3"}),
        ),
        ("client_metadata", json!({"a": "1"}), json!({"a": null}), json!({})),
        ("client_metadata", json!({"a": "1"}), json!({}), json!({"a": "1"})),
        (
            "addons",
            json!({"samlp": {"audience": "a", "logout": {"slo_enabled": true}}}),
            json!({"samlp": {"audience": "b"}}),
            json!({"samlp": {"audience": "b"}}),
        ),
        (
            "addons",
            json!({"samlp": {"mappings": {"a": "b"}}}),
            json!({"samlp": {"mappings": {}}}),
            json!({"samlp": {"mappings": {}}}),
        ),
        ("addons", json!({"samlp": {}}), json!({}), json!({})),
    ] {
        let body = patched(json!({field: before}), json!({field: patch})).await;
        assert_eq!(body[field], after, "{field} {patch}");
    }
}

#[tokio::test]
async fn any_object_sent_for_an_absent_session_transfer_makes_it_with_all_defaults() {
    let after = patched(json!({}), json!({"session_transfer": {"delegation": null}})).await;
    assert_eq!(after["session_transfer"].as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn the_two_names_of_back_channel_logout_are_one_setting() {
    let urls = json!({"backchannel_logout_urls": ["https://a.example/out"]});
    let after = patched(json!({}), json!({"oidc_logout": urls})).await;
    assert_eq!((&after["oidc_logout"], &after["oidc_backchannel_logout"]), (&urls, &urls));
    let after = patched(
        json!({"oidc_logout": urls, "oidc_backchannel_logout": urls}),
        json!({"oidc_backchannel_logout": null}),
    )
    .await;
    assert_eq!((after.get("oidc_logout"), after.get("oidc_backchannel_logout")), (None, None));
}

#[tokio::test]
async fn a_secret_may_be_set_and_a_rotated_one_is_new() {
    let caller = holding(json!({"client_secret": "old"})).await;
    assert_eq!(caller.patch("Till", &json!({"client_secret": "chosen"})).await.1["client_secret"], "chosen");
    let rotate = caller.request(Method::POST, "/api/v2/clients/Till/rotate-secret");
    let (status, rotated) = answer(rotate.send().await.unwrap()).await;
    assert_eq!((status, rotated["client_secret"].as_str().unwrap().len()), (200, 64));
    assert_eq!(rotated["name"], "Till", "the whole client comes back");
    assert_eq!(caller.get("/api/v2/clients/Till").await.1, rotated);
    assert_eq!(caller.tenant().counters().rotate_secret, 1);
}

#[tokio::test]
async fn a_fetched_client_cannot_be_sent_back_whole() {
    let caller = holding(json!({})).await;
    let (_, made) = caller.post(&json!({"name": "Kiosk"})).await;
    let id = made["client_id"].as_str().unwrap();
    let (status, refusal) = caller.patch(id, &made).await;
    assert_eq!(status, 400);
    let message = refusal["message"].as_str().unwrap();
    for key in [
        "client_id",
        "tenant",
        "global",
        "signing_keys",
        "callback_url_template",
        "cross_origin_auth",
        "encrypted",
    ] {
        assert!(message.contains(key), "{key}: {message}");
    }
    assert!(message.contains("not allowed: secret_encoded' on property jwt_configuration."), "{message}");
}

#[tokio::test]
async fn what_a_tenant_holds_beyond_the_catalogue_is_kept_and_served() {
    let strange = json!({
        "tomorrow": {"deep": [1, null, {"x": "y"}]},
        "jwt_configuration": {"alg": "RS256", "key_ring": "k"},
        "app_type": "hologram",
        "callbacks": null,
    });
    let caller = holding(strange.clone()).await;
    let (status, after) =
        caller.patch("Till", &json!({"jwt_configuration": {"lifetime_in_seconds": 60}})).await;
    assert_eq!(status, 200);
    let (_, list) = caller.get("/api/v2/clients?fields=client_id&include_fields=false&is_global=false").await;
    for body in [&after, &list[1], &caller.get("/api/v2/clients/Till").await.1] {
        assert_eq!((&body["tomorrow"], &body["app_type"]), (&strange["tomorrow"], &strange["app_type"]));
        assert_eq!(
            body["jwt_configuration"],
            json!({"alg": "RS256", "key_ring": "k", "lifetime_in_seconds": 60})
        );
        assert_eq!(body.get("callbacks"), Some(&Value::Null));
    }
}

#[tokio::test]
async fn real_clients_are_served_as_they_were_loaded() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/real-clients.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return println!("skipped: {} cannot be read", path.display());
    };
    let clients: Vec<Value> = serde_json::from_str(&text).unwrap();
    // Of those that were recorded more than once, the last counts.
    let by_id: HashMap<&str, &Value> =
        clients.iter().map(|client| (client["client_id"].as_str().unwrap(), client)).collect();
    let unique: Vec<Value> = by_id.values().map(|client| (*client).clone()).collect();
    let caller = Caller::with(|options| options.load = loaded(&unique)).await;
    assert!(unique.len() > 20, "{}", unique.len());
    for (id, client) in by_id {
        let (status, mut served) = caller.get(&format!("/api/v2/clients/{id}")).await;
        let mut client = client.clone();
        // One that came without a secret gets one, and one that signs with a key shows none.
        for body in [&mut served, &mut client] {
            body.as_object_mut().unwrap().remove("client_secret");
        }
        assert_eq!((status, served), (200, client));
    }
}
