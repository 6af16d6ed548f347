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
