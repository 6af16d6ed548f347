//! Tokens, scopes, and who sees what.

use super::*;

#[tokio::test]
async fn a_token_is_had_by_json_by_form_and_by_basic() {
    let caller = Caller::with(|_| {}).await;
    let url = caller.url("/oauth/token");
    let credentials = caller.credentials();
    let pairs: Vec<(&str, &str)> =
        credentials.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
    let form: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key}={}", value.replace(':', "%3A"))).collect();
    let by_form = caller
        .http
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.join("&"))
        .send()
        .await
        .unwrap();
    let (status, body) = answer(by_form).await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(86_400)));
    assert!(body["scope"].as_str().unwrap().contains("update:clients"));
    let by_basic = caller
        .http
        .post(&url)
        .basic_auth(caller.tenant().client_id(), Some(caller.tenant().client_secret().expose()))
        .json(&json!({"grant_type": "client_credentials", "audience": caller.tenant().audience()}))
        .send()
        .await
        .unwrap();
    assert_eq!(by_basic.status(), 200);
    assert_eq!(caller.tenant().counters().token, 3);
}

#[tokio::test]
async fn the_http_spelling_of_the_audience_is_taken_and_another_service_is_not() {
    let caller = Caller::with(|_| {}).await;
    let ask = async |audience: &str| {
        let mut credentials = caller.credentials();
        credentials["audience"] = json!(audience);
        answer(caller.http.post(caller.url("/oauth/token")).json(&credentials).send().await.unwrap()).await
    };
    assert_eq!(ask(&caller.url("/api/v2/")).await.0, 200);
    let (status, body) = ask("https://login.acme.example/api/v2/").await;
    assert_eq!(status, 403);
    assert_eq!(
        body,
        json!({"error": "access_denied", "error_description": "Service not enabled within domain: https://login.acme.example/api/v2/"})
    );
}

#[tokio::test]
async fn a_call_needs_a_good_token_of_this_tenant() {
    let caller = Caller::with(|_| {}).await;
    let other = Caller::with(|options| options.seed = 2).await;
    let url = caller.url("/api/v2/clients");
    let bare = caller.http.get(&url).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(bare.headers()["www-authenticate"], "Bearer");
    assert_eq!(answer(bare).await.1["message"], "Missing authentication");
    for token in ["a.b.c", &other.token] {
        let response = caller.http.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Token error=\"Invalid token\"");
        let expected = json!({"statusCode": 401, "error": "Unauthorized", "message": "Invalid token", "attributes": {"error": "Invalid token"}});
        assert_eq!(answer(response).await, (401, expected));
    }
}

#[tokio::test]
async fn a_header_that_holds_no_jwt_is_refused_before_any_key_is_tried() {
    let caller = Caller::with(|_| {}).await;
    let url = caller.url("/api/v2/clients");
    let malformed = json!({"statusCode": 400, "error": "Bad Request", "message": "Bad HTTP authentication header format", "errorCode": "Bearer"});
    for header in ["Bearer", "Bearer opaque", "Bearer a.b", "Bearer a.b.c d", "Bearer: a.b.c d"] {
        let response = caller.http.get(&url).header("authorization", header).send().await.unwrap();
        assert_eq!(answer(response).await, (400, malformed.clone()), "{header}");
    }
    let basic = caller.http.get(&url).basic_auth("a", Some("b")).send().await.unwrap();
    assert_eq!(
        (basic.status().as_u16(), &basic.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
}

#[tokio::test]
async fn a_token_past_its_time_is_refused_and_a_fresh_one_works() {
    let mut caller = Caller::with(|_| {}).await;
    assert_eq!(caller.get("/api/v2/clients").await.0, 200);
    caller.tenant().expire_tokens();
    let said = "Expired token received for JSON Web Token validation";
    let response = caller.request(Method::GET, "/api/v2/clients").send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], format!("Token error=\"{said}\""));
    let expected =
        json!({"statusCode": 401, "error": "Unauthorized", "message": said, "attributes": {"error": said}});
    assert_eq!(answer(response).await, (401, expected));
    caller.token = caller.fresh_token().await;
    assert_eq!(caller.get("/api/v2/clients").await.0, 200);

    let short = Caller::with(|options| options.token_lifetime = Duration::ZERO).await;
    assert_eq!(short.get("/api/v2/clients").await.0, 401);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let caller = Caller::with(|options| options.scopes = vec!["read:clients".into()]).await;
    let (status, body) = caller.patch("x", &json!({"name": "y"})).await;
    assert_eq!(status, 403);
    assert_eq!(body["message"], "Insufficient scope, expected any of: update:clients,update:client_keys");
    assert_eq!(body["errorCode"], "insufficient_scope");
    assert_eq!(body["error"], "Forbidden");
}

#[tokio::test]
async fn secrets_come_with_read_client_keys_alone() {
    let caller = Caller::with(|_| {}).await;
    let path = format!("/api/v2/clients/{}", caller.id_of("acme-billing-dev"));
    assert_eq!(caller.get(&path).await.1["client_secret"].as_str().unwrap().len(), 64);
    let blind =
        Caller::with(|options| options.scopes = vec!["read:clients".into(), "update:clients".into()]).await;
    let id = blind.id_of("acme-billing-dev");
    let path = format!("/api/v2/clients/{id}");
    for body in [blind.get(&path).await.1, blind.patch(&id, &json!({"sso": true})).await.1] {
        assert_eq!((body.get("client_secret"), body.get("signing_keys")), (None, None));
        assert_eq!(body["name"], "acme-billing-dev");
    }
    let (status, body) = blind.get(&format!("{path}?fields=name,client_secret")).await;
    assert_eq!(
        (status, &body["message"]),
        (403, &json!("You cannot read the following fields: client_secret"))
    );
    let (status, body) = blind.patch(&id, &json!({"client_secret": "new"})).await;
    assert_eq!(
        (status, &body["message"]),
        (403, &json!("You cannot update the following fields: client_secret"))
    );
}

#[tokio::test]
async fn a_runner_that_locks_itself_out_gets_no_more_tokens() {
    let caller = Caller::with(|_| {}).await;
    let id = caller.tenant().client_id().to_owned();
    let ask = async || {
        let url = caller.url("/oauth/token");
        answer(caller.http.post(url).json(&caller.credentials()).send().await.unwrap()).await
    };
    assert_eq!(caller.patch(&id, &json!({"grant_types": ["implicit"]})).await.0, 200);
    assert_eq!(ask().await.1["error"], "unauthorized_client");
    let deleted = caller.request(Method::DELETE, &format!("/api/v2/clients/{id}")).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(ask().await, (401, json!({"error": "access_denied", "error_description": "Unauthorized"})));
}

#[tokio::test]
async fn every_operation_and_every_guarded_field_has_its_scope() {
    let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_a"}]}});
    let made = json!({"name": "n", "client_authentication_methods": {"private_key_jwt": {"credentials": [{"credential_type": "public_key", "pem": "p"}]}}});
    let any = |scopes: &str| format!("Insufficient scope, expected any of: {scopes}");
    let cannot = |verb: &str, field: &str| format!("You cannot {verb} the following fields: {field}");
    let reads = "read:clients,read:client_keys,read:client_credentials,read:client_summary";
    let vault = "token_vault_privileged_access";
    let by_method = "client_authentication_methods";
    let all = "read:clients read:client_keys read:client_credentials update:clients update:client_keys \
        update:client_credentials update:client_token_vault_privileged_access create:clients create:client_credentials \
        delete:clients read:logs";
    for (method, path, body, without, said, status) in [
        (Method::GET, "/clients", json!({}), "read:", any(reads), 200),
        (Method::GET, "/clients/Till", json!({}), "read:", any(reads), 200),
        (
            Method::PATCH,
            "/clients/Till",
            json!({"sso": true}),
            "update:",
            any("update:clients,update:client_keys"),
            200,
        ),
        (
            Method::PATCH,
            "/clients/Till",
            json!({"client_secret": "s"}),
            "update:client_keys",
            cannot("update", "client_secret"),
            200,
        ),
        (
            Method::PATCH,
            "/clients/Till",
            json!({by_method: methods}),
            "update:client_credentials",
            cannot("update", by_method),
            200,
        ),
        (
            Method::PATCH,
            "/clients/Till",
            json!({vault: {"credentials": []}}),
            "update:client_token_vault",
            cannot("update", vault),
            200,
        ),
        (Method::POST, "/clients", json!({"name": "n"}), "create:", any("create:clients"), 201),
        (Method::POST, "/clients", made, "create:client_credentials", cannot("create", by_method), 201),
        (
            Method::POST,
            "/clients/Till/rotate-secret",
            json!({}),
            "update:client_keys",
            any("update:client_keys"),
            200,
        ),
        (Method::DELETE, "/clients/Till", json!({}), "delete:", any("delete:clients"), 204),
        (Method::GET, "/logs", json!({}), "read:logs", any("read:logs,read:logs_users"), 200),
    ] {
        let call = async |scopes: Vec<String>| {
            let caller = Caller::with(|options| {
                options.load = loaded(&[json!({"client_id": "Till", "name": "Till"})]);
                options.scopes = scopes;
            })
            .await;
            let request = caller.request(method.clone(), &format!("/api/v2{path}"));
            answer(request.json(&body).send().await.unwrap()).await
        };
        let scopes =
            |kept: &dyn Fn(&&str) -> bool| all.split_whitespace().filter(kept).map(str::to_owned).collect();
        let (refused, refusal) = call(scopes(&|scope| !scope.starts_with(without))).await;
        assert_eq!((refused, &refusal["message"]), (403, &json!(said)), "{method} {path} {body}");
        assert_eq!(refusal["errorCode"], "insufficient_scope");
        assert_eq!(call(scopes(&|_| true)).await.0, status, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn credentials_given_at_creation_are_known_by_their_ids() {
    let caller = Caller::with(|options| {
        let scopes = "read:client_keys create:clients create:client_credentials";
        options.scopes = scopes.split(' ').map(str::to_owned).collect();
    })
    .await;
    let credential = json!({"credential_type": "public_key", "pem": "-----BEGIN"});
    let methods = json!({"private_key_jwt": {"credentials": [credential]}});
    let (_, made) = caller.post(&json!({"name": "n", "client_authentication_methods": methods})).await;
    let stored = &made["client_authentication_methods"]["private_key_jwt"]["credentials"][0];
    assert!(stored["id"].as_str().unwrap().starts_with("cred_"), "{made}");
    assert_eq!((stored.as_object().unwrap().len(), made.get("client_secret")), (1, None));
}

#[tokio::test]
async fn a_token_for_a_summary_or_for_credentials_sees_little() {
    let client =
        json!({"client_id": "Till", "name": "Till", "app_type": "spa", "callbacks": [], "signing_keys": []});
    let keys = async |scope: &str| {
        let caller = Caller::with(|options| {
            options.load = loaded(std::slice::from_ref(&client));
            options.scopes = vec![scope.to_owned()];
        })
        .await;
        let (_, body) = caller.get("/api/v2/clients/Till").await;
        let mut keys: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        (keys.join(" "), caller.get("/api/v2/clients/Till?fields=name,callbacks").await.1["message"].clone())
    };
    let refused = json!("You cannot read the following fields: callbacks");
    assert_eq!(keys("read:client_summary").await, ("app_type client_id name".to_owned(), refused.clone()));
    assert_eq!(
        keys("read:client_credentials").await,
        ("app_type client_id name signing_keys".to_owned(), refused)
    );
    assert_eq!(
        keys("read:client_keys").await,
        ("app_type callbacks client_id client_secret name signing_keys".to_owned(), Value::Null)
    );
}
