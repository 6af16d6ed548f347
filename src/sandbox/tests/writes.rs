//! What a PATCH, a POST and a DELETE do.

use super::*;

async fn till() -> (Caller, String) {
    let client = json!({
        "client_id": "TillTillTillTillTillTillTillTill",
        "name": "Till",
        "callbacks": ["https://till.acme.example/a", "https://till.acme.example/b"],
        "client_metadata": {"owner": "shop", "floor": "1"},
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 300},
        "description": "at the door",
        "app_type": "regular_web",
    });
    let scopes = "read:clients update:clients create:clients delete:clients read:client_keys update:client_credentials";
    let caller = Caller::with(|options| {
        options.load = loaded(&[client]);
        options.scopes = scopes.split(' ').map(str::to_owned).collect();
    })
    .await;
    let id = caller.id_of("Till");
    (caller, id)
}

#[tokio::test]
async fn a_patch_answers_the_whole_client_which_the_next_read_repeats() {
    let (caller, id) = till().await;
    let patch = json!({
        "name": "Till 2",
        "callbacks": ["https://till.acme.example/c"],
        "client_metadata": {"floor": null, "lane": "7"},
        "jwt_configuration": {"lifetime_in_seconds": 600},
        "description": "",
        "session_transfer": {"allow_refresh_token": true},
    });
    let (status, body) = caller.patch(&id, &patch).await;
    assert_eq!(status, 200);
    assert_eq!(body["name"], "Till 2");
    assert_eq!(body["callbacks"], json!(["https://till.acme.example/c"]));
    assert_eq!(body["client_metadata"], json!({"owner": "shop", "lane": "7"}));
    assert_eq!(body["jwt_configuration"], json!({"alg": "RS256", "lifetime_in_seconds": 600}));
    assert_eq!(body["description"], "");
    assert_eq!(body["session_transfer"]["enforce_device_binding"], "ip");
    assert_eq!(body["app_type"], "regular_web", "what was not named stays");
    assert_eq!(caller.get(&format!("/api/v2/clients/{id}")).await, (200, body.clone()));
    assert_eq!(Value::Object(caller.tenant().client(&id).unwrap()), body);
}

#[tokio::test]
async fn authentication_methods_hide_the_secret_which_then_comes_back() {
    let (caller, id) = till().await;
    let secret = caller.get(&format!("/api/v2/clients/{id}")).await.1["client_secret"].clone();
    let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_abc"}]}});
    let (_, with) = caller
        .patch(&id, &json!({"client_authentication_methods": methods, "token_endpoint_auth_method": null}))
        .await;
    assert_eq!((with.get("client_secret"), &with["client_authentication_methods"]), (None, &methods));
    let (_, without) = caller
        .patch(&id, &json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"}))
        .await;
    assert_eq!((&without["client_secret"], without.get("client_authentication_methods")), (&secret, None));
}

#[tokio::test]
async fn the_answer_to_a_patch_lacks_the_external_fields_that_a_read_shows() {
    let (caller, id) = till().await;
    caller.tenant().edit(&id, |body| {
        body.insert("external_client_id".into(), json!("https://till.acme.example/client.json"));
    });
    assert_eq!(caller.patch(&id, &json!({"description": "d"})).await.1.get("external_client_id"), None);
    let (_, read) = caller.get(&format!("/api/v2/clients/{id}")).await;
    assert_eq!(read["external_client_id"], "https://till.acme.example/client.json");
    let (_, found) =
        caller.get("/api/v2/clients?external_client_id=https://till.acme.example/client.json").await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["name"]), (1, &json!("Till")));
}

#[tokio::test]
async fn a_refused_patch_changes_nothing_and_says_why() {
    let (caller, id) = till().await;
    let before = caller.tenant().state();
    for (patch, message, code) in [
        (
            json!({"name": "New", "encrypted": true}),
            "Payload validation error: 'Additional properties not allowed: encrypted'.",
            "invalid_body",
        ),
        (
            json!({"name": "New", "app_type": "SPA"}),
            "Payload validation error: 'Invalid value \"SPA\"' on property app_type.",
            "invalid_body",
        ),
        (
            json!({"name": "New", "grant_types": ["telepathy"]}),
            "Invalid grant types: telepathy",
            "invalid_body",
        ),
    ] {
        let (status, body) = caller.patch(&id, &patch).await;
        assert_eq!((status, &body["statusCode"], &body["error"]), (400, &json!(400), &json!("Bad Request")));
        assert_eq!((body["message"].as_str(), body["errorCode"].as_str()), (Some(message), Some(code)));
    }
    assert_eq!(caller.tenant().state(), before);
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_and_what_cannot_exist_a_400() {
    let (caller, _) = till().await;
    let gone = json!({"statusCode": 404, "error": "Not Found", "message": "The client does not exist", "errorCode": "inexistent_client"});
    assert_eq!(caller.get("/api/v2/clients/no-such-client").await, (404, gone.clone()));
    assert_eq!(caller.patch("no-such-client", &json!({"name": "x"})).await, (404, gone));
    let (status, body) = caller.get("/api/v2/clients/no%20such%20client").await;
    assert_eq!((status, &body["errorCode"]), (400, &json!("invalid_uri")));
    assert_eq!(caller.get("/api/v2/hooks").await.0, 404);
    let not_json = caller.request(Method::PATCH, "/api/v2/clients/x").body("{").send().await.unwrap();
    assert_eq!(answer(not_json).await.0, 400);
}

#[tokio::test]
async fn a_created_client_has_the_defaults_and_a_deleted_one_is_gone() {
    let (caller, _) = till().await;
    let (status, body) = caller.post(&json!({"name": "Kiosk", "app_type": "non_interactive"})).await;
    assert_eq!(status, 201);
    assert_eq!(body["encrypted"], true);
    assert_eq!(
        (&body["is_first_party"], &body["custom_login_page_on"], &body["oidc_conformant"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        body["grant_types"],
        json!(["authorization_code", "implicit", "refresh_token", "client_credentials"])
    );
    assert_eq!(body["jwt_configuration"], json!({"lifetime_in_seconds": 36000, "secret_encoded": false}));
    let id = body["client_id"].as_str().unwrap();
    assert_eq!((id.len(), &body["tenant"]), (32, &json!("sandbox-1")));
    let path = format!("/api/v2/clients/{id}");
    assert_eq!(caller.get(&path).await.1.get("encrypted"), None, "a read does not show it");
    for _ in 0..2 {
        let deleted = caller.request(Method::DELETE, &path).send().await.unwrap();
        assert_eq!((deleted.status().as_u16(), deleted.text().await.unwrap()), (204, String::new()));
    }
    assert_eq!(caller.get(&path).await.0, 404);
    assert_eq!(
        caller.post(&json!({"name": "Spa", "app_type": "spa"})).await.1["grant_types"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(caller.post(&json!({"app_type": "spa"})).await.0, 400);
}

#[tokio::test]
async fn the_global_client_takes_its_login_page_alone_and_cannot_be_deleted() {
    let (caller, _) = till().await;
    let id = caller.id_of("All Applications");
    assert_eq!(caller.patch(&id, &json!({"custom_login_page": "<html></html>"})).await.0, 200);
    assert_eq!(caller.patch(&id, &json!({"name": "All"})).await.0, 400);
    let deleted = caller.request(Method::DELETE, &format!("/api/v2/clients/{id}")).send().await.unwrap();
    assert_eq!(
        answer(deleted).await,
        (
            400,
            json!({"statusCode": 400, "error": "Bad Request", "message": "Global client cannot be deleted."})
        )
    );
}

#[tokio::test]
async fn changes_to_one_client_from_many_sides_are_all_kept() {
    let (caller, id) = till().await;
    let patches = (0..8).map(|n| {
        let body = json!({"client_metadata": {format!("k{n}"): "v"}});
        let (caller, id) = (&caller, &id);
        async move { caller.patch(id, &body).await.0 }
    });
    assert_eq!(futures::future::join_all(patches).await, [200; 8]);
    assert_eq!(caller.tenant().client(&id).unwrap()["client_metadata"].as_object().unwrap().len(), 10);
}

#[tokio::test]
async fn a_patch_is_remembered_with_its_trace() {
    let (caller, id) = till().await;
    caller
        .request(Method::PATCH, &format!("/api/v2/clients/{id}"))
        .header("x-correlation-id", "run/7")
        .json(&json!({"name": "Till 3"}))
        .send()
        .await
        .unwrap();
    let counters = caller.tenant().counters();
    let [seen] = counters.patches.as_slice() else { panic!("{counters:?}") };
    assert_eq!((seen.id.as_str(), &seen.body[..]), (id.as_str(), br#"{"name":"Till 3"}"#.as_slice()));
    assert_eq!(seen.correlation_id.as_deref(), Some("run/7"));
    assert_eq!((counters.patch, counters.by_status[&200]), (1, 2), "the token and the patch");
}

#[tokio::test]
async fn an_update_that_finds_nothing_to_change_is_counted() {
    let (caller, id) = till().await;
    for (name, idle) in [("Till 3", 0), ("Till 3", 1), ("Till 4", 1)] {
        caller.patch(&id, &json!({"name": name})).await;
        assert_eq!(caller.tenant().counters().idle, idle);
    }
}
