//! Every answer to a mistake, word for word. Where a form is only likely or assumed, not recorded, the row says so.

use super::*;

/// A mistake, and what the service says to it.
struct Row {
    request: (Method, String),
    body: Value,
    status: u16,
    code: Option<&'static str>,
    message: String,
}

/// `path` is below `/api/v2`.
fn row(
    method: Method,
    path: &str,
    body: Value,
    status: u16,
    code: Option<&'static str>,
    message: &str,
) -> Row {
    let request = (method, format!("/api/v2{path}"));
    Row { request, body, status, code, message: message.to_owned() }
}

/// A PATCH of the client `Till` that the schema refuses.
fn schema(body: Value, said: &str) -> Row {
    let message = format!("Payload validation error: {said}");
    row(Method::PATCH, "/clients/Till", body, 400, Some("invalid_body"), &message)
}

/// A GET whose query is refused.
fn query(path: &str, said: &str) -> Row {
    let message = format!("Query validation error: {said}");
    row(Method::GET, path, Value::Null, 400, Some("invalid_query_string"), &message)
}

async fn caller() -> Caller {
    let metadata: serde_json::Map<String, Value> = (0..6).map(|n| (format!("k{n}"), json!("v"))).collect();
    let clients = [
        json!({"name": "Till", "client_id": "Till", "app_type": "regular_web", "client_metadata": metadata,
            "client_aliases": ["till"], "jwt_configuration": {"alg": "RS256"}}),
        json!({"name": "Public", "client_id": "Public", "app_type": "spa", "token_endpoint_auth_method": "none"}),
        json!({"name": "Signer", "client_id": "Signer",
            "client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_a"}]}}}),
        json!({"name": "Partner", "client_id": "Partner", "is_first_party": false, "third_party_security_mode": "strict"}),
        json!({"name": "Document", "client_id": "Document", "external_client_id": "https://a.example/c.json"}),
        json!({"name": "Member", "client_id": "Member", "organization_usage": "allow"}),
    ];
    let scopes = "read:clients read:client_keys update:clients update:client_keys update:client_credentials \
        update:client_token_vault_privileged_access create:clients create:client_credentials delete:clients read:logs";
    Caller::with(|options| {
        options.load = loaded(&clients);
        options.scopes = scopes.split_whitespace().map(str::to_owned).collect();
    })
    .await
}

async fn hold(caller: &Caller, rows: Vec<Row>) {
    let before = caller.tenant().state();
    for Row { request: (method, path), body, status, code, message } in rows {
        let request = caller.request(method.clone(), &path);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = answer(request.send().await.unwrap()).await;
        let reason = match status {
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            _ => "?",
        };
        let mut expected = json!({"statusCode": status, "error": reason, "message": message});
        if let Some(code) = code {
            expected["errorCode"] = json!(code);
        }
        assert_eq!(answer, (status, expected), "{method} {path} {body}");
    }
    assert_eq!(caller.tenant().state(), before, "a refused call changes nothing");
}

#[tokio::test]
async fn a_body_that_the_schema_refuses_is_answered_in_the_words_of_the_service() {
    let long = "x".repeat(256);
    let eleven: serde_json::Map<String, Value> = (0..11).map(|n| (format!("m{n}"), json!("v"))).collect();
    let rows = vec![
        schema(
            json!({"client_id": "x", "tenant": "t", "global": true}),
            "'Additional properties not allowed: client_id,tenant,global'.",
        ),
        schema(json!({"encrypted": true}), "'Additional properties not allowed: encrypted'."),
        schema(json!({"nmae": "x"}), "'Additional properties not allowed: nmae'."),
        schema(
            json!({"session_transfer": {"delegation": {"depth": 1}}}),
            "'Additional properties not allowed: depth' on property session_transfer.delegation.",
        ),
        schema(json!({}), "'Too few properties defined (0), minimum 1'."),
        schema(
            json!({"callbacks": null}),
            "'Expected type array but found type null' on property callbacks.",
        ),
        schema(
            json!({"mobile": {"android": {"sha256_cert_fingerprints": null}}}),
            "'Expected type array but found type null' on property mobile.android.sha256_cert_fingerprints.",
        ),
        schema(
            json!({"par_request_expiry": "60"}),
            "'Expected type integer,null but found type string' on property par_request_expiry.",
        ),
        schema(json!({"app_type": "SPA"}), "'Invalid value \"SPA\"' on property app_type."),
        schema(
            json!({"grant_types": [""]}),
            "'String is too short (0 chars), minimum 1' on property grant_types[0].",
        ),
        schema(
            json!({"grant_types": ["implicit", "password", "password"]}),
            "'Array items are not unique (indexes 1 and 2)' on property grant_types.",
        ),
        schema(
            json!({"callbacks": ["https://ok.example", "nowhere"]}),
            "'Object didn't pass validation for format callback-url: nowhere' on property callbacks[1].",
        ),
        schema(
            json!({"description": "x".repeat(141)}),
            "'String is too long (141 chars), maximum 140' on property description.",
        ),
        // Compared in characters, told in UTF-16 units.
        schema(
            json!({"description": "🚀".repeat(141)}),
            "'String is too long (282 chars), maximum 140' on property description.",
        ),
        schema(
            json!({"client_metadata": {"team": long}}),
            "'String is too long (256 chars), maximum 255' on property client_metadata.team.",
        ),
        schema(
            json!({"client_metadata": eleven}),
            "'Too many properties defined (11), maximum 10' on property client_metadata.",
        ),
        // Six are stored.
        schema(
            json!({"client_metadata": {"n0": "", "n1": "", "n2": "", "n3": "", "n4": ""}}),
            "'Too many properties defined (11), maximum 10' on property client_metadata.",
        ),
        schema(
            json!({"par_request_expiry": 9}),
            "'Value 9 is less than minimum 10' on property par_request_expiry.",
        ),
        schema(
            json!({"par_request_expiry": 601}),
            "'Value 601 is greater than maximum 600' on property par_request_expiry.",
        ),
        schema(json!({"name": "a<b"}), "'String does not match pattern ^[^<>]+$: a<b' on property name."),
        schema(
            json!({"name": ""}),
            "'String is too short (0 chars), minimum 1' on property name. (also) Payload validation error: 'String does not match pattern ^[^<>]+$: ' on property name.",
        ),
        schema(
            json!({"default_organization": {"organization_id": "org_0123456789abcdef"}}),
            "'Missing required property: flows' on property default_organization.",
        ),
        schema(
            json!({"default_organization": {"flows": ["client_credentials"]}}),
            "'Missing required property: organization_id' on property default_organization.",
        ),
        schema(
            json!({"refresh_token": {"leeway": 0}}),
            "'Missing required property: expiration_type' on property refresh_token. (also) Payload validation error: \
             'Missing required property: rotation_type' on property refresh_token.",
        ),
        schema(
            json!({"token_quota": {}}),
            "'Missing required property: client_credentials' on property token_quota.",
        ),
        schema(
            json!({"token_vault_privileged_access": {}}),
            "'Missing required property: credentials' on property token_vault_privileged_access.",
        ),
        schema(
            json!({"client_authentication_methods": {"private_key_jwt": {"credentials": []}, "tls_client_auth": {"credentials": []}}}),
            "'Too many properties defined (2), maximum 1' on property client_authentication_methods.",
        ),
        // The last key first, as the service's library walks.
        schema(
            json!({"name": 1, "callbacks": ["a", "b"], "sso": "yes"}),
            "'Expected type boolean but found type string' on property sso. (also) \
             Payload validation error: 'Object didn't pass validation for format callback-url: b' on property callbacks[1]. (also) \
             Payload validation error: 'Object didn't pass validation for format callback-url: a' on property callbacks[0]. (also) \
             Payload validation error: 'Expected type string but found type integer' on property name.",
        ),
        // That both forms of "one of several" are worded alike is assumed.
        schema(
            json!({"addons": {"sharepoint": {"external_url": 5}}}),
            "'None of the valid schemas were met' on property addons.sharepoint.external_url. Inner errors: [ \
             Payload validation error: 'Expected type array but found type integer' on property addons.sharepoint.external_url. (also) \
             Payload validation error: 'Expected type string but found type integer' on property addons.sharepoint.external_url. ].",
        ),
        schema(
            json!({"token_vault_privileged_access": {"credentials": [], "ip_allowlist": ["10.0.0.0/8", "here"]}}),
            "'None of the valid schemas were met' on property token_vault_privileged_access.ip_allowlist[1]. Inner errors: [ \
             Payload validation error: 'Object didn't pass validation for format ipv4: here' on property token_vault_privileged_access.ip_allowlist[1]. (also) \
             Payload validation error: 'Object didn't pass validation for format ipv6: here' on property token_vault_privileged_access.ip_allowlist[1]. (also) \
             Payload validation error: 'Object didn't pass validation for format cidr: here' on property token_vault_privileged_access.ip_allowlist[1]. (also) \
             Payload validation error: 'Object didn't pass validation for format ipv6_cidr: here' on property token_vault_privileged_access.ip_allowlist[1]. ].",
        ),
        schema(json!([]), "'Expected type object but found type array'."),
    ];
    hold(&caller().await, rows).await;
}

#[tokio::test]
async fn a_change_that_does_not_fit_the_client_is_refused() {
    let patch =
        |id: &str, body, code, said| row(Method::PATCH, &format!("/clients/{id}"), body, 400, code, said);
    let code = Some("invalid_body");
    let caller = caller().await;
    let global = caller.id_of("All Applications");
    let rows = vec![
        patch(
            "Public",
            json!({"grant_types": ["client_credentials"]}),
            code,
            "Invalid grant types: client_credentials",
        ),
        patch(
            "Till",
            json!({"grant_types": ["implicit", "telepathy"]}),
            code,
            "Invalid grant types: telepathy",
        ),
        patch(
            "Till",
            json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "token_lifetime": 60, "idle_token_lifetime": 60}}),
            None,
            "idle_token_lifetime must have a value less than token_lifetime",
        ),
        // The words of what follows are the sandbox's own: only that it is refused is known.
        patch(
            "Signer",
            json!({"token_endpoint_auth_method": "none"}),
            code,
            "client_authentication_methods and token_endpoint_auth_method cannot be set together",
        ),
        patch(
            "Member",
            json!({"is_first_party": false}),
            code,
            "A third-party client cannot use organizations",
        ),
        patch(
            "Till",
            json!({"organization_require_behavior": "post_login_prompt"}),
            code,
            "post_login_prompt needs an OIDC conformant client",
        ),
        patch(
            "Partner",
            json!({"third_party_security_mode": "permissive"}),
            code,
            "third_party_security_mode cannot be changed",
        ),
        patch(
            "Document",
            json!({"name": "x", "description": "y"}),
            code,
            "The client's metadata document says: name",
        ),
        patch(
            &global,
            json!({"name": "x"}),
            code,
            "Global client: only custom_login_page and custom_login_page_on can be updated",
        ),
    ];
    hold(&caller, rows).await;
}

#[tokio::test]
async fn what_does_not_exist_cannot_exist_or_must_not_be_is_told_apart() {
    let caller = caller().await;
    let global = caller.id_of("All Applications");
    let gone = (404, Some("inexistent_client"), "The client does not exist");
    let path = (
        400,
        Some("invalid_uri"),
        "Path validation error: 'Object didn't pass validation for format client-id: no such client' on property id.",
    );
    let of = |method, path: &str, body, (status, code, said)| row(method, path, body, status, code, said);
    let rows = vec![
        of(Method::GET, "/clients/nobody", Value::Null, gone),
        of(Method::PATCH, "/clients/nobody", json!({"name": "x"}), gone),
        of(Method::POST, "/clients/nobody/rotate-secret", Value::Null, gone),
        of(Method::GET, "/clients/no%20such%20client", Value::Null, path),
        of(Method::PATCH, "/clients/no%20such%20client", json!({"name": "x"}), path),
        of(Method::DELETE, "/clients/no%20such%20client", Value::Null, path),
        of(Method::GET, "/hooks", Value::Null, (404, None, "Not Found")),
        of(
            Method::DELETE,
            &format!("/clients/{global}"),
            Value::Null,
            (400, None, "Global client cannot be deleted."),
        ),
        of(
            Method::POST,
            "/clients",
            json!({"name": "Other", "client_aliases": ["till"]}),
            (409, None, "Another client exists with the same alias."),
        ),
        of(
            Method::POST,
            "/clients",
            json!({"app_type": "spa"}),
            (400, Some("invalid_body"), "Payload validation error: 'Missing required property: name'."),
        ),
        // The words are assumed; the reference says that it cannot be done.
        of(
            Method::POST,
            "/clients/Signer/rotate-secret",
            Value::Null,
            (
                400,
                None,
                "This endpoint cannot be used with clients configured with Private Key JWT authentication method",
            ),
        ),
        of(
            Method::GET,
            "/logs/90020260801101500123456000000000000001223372036854775807",
            Value::Null,
            (404, None, "Log not found."),
        ),
    ];
    hold(&caller, rows).await;
}

#[tokio::test]
async fn a_query_out_of_bounds_is_refused_by_name() {
    let rows = vec![
        query("/clients?per_page=101", "'Value 101 is greater than maximum 100' on property per_page."),
        query("/clients?take=101", "'Value 101 is greater than maximum 100' on property take."),
        query("/clients?take=0", "'Value 0 is less than minimum 1' on property take."),
        query("/clients?page=-1", "'Value -1 is less than minimum 0' on property page."),
        query("/clients?page=one", "'Expected type integer but found type string' on property page."),
        query(
            "/clients?include_totals=1",
            "'Expected type boolean but found type string' on property include_totals.",
        ),
        query("/clients?perpage=10&pag=1", "'Additional properties not allowed: perpage,pag'."),
        query(
            "/clients?external_client_id=",
            "'String is too short (0 chars), minimum 1' on property external_client_id.",
        ),
        query(
            &format!("/clients?external_client_id={}", "x".repeat(121)),
            "'String is too long (121 chars), maximum 120' on property external_client_id.",
        ),
        query("/clients/Till?field=name", "'Additional properties not allowed: field'."),
        query("/logs?per_page=101", "'Value 101 is greater than maximum 100' on property per_page."),
        query("/logs?from=x", "'Object didn't pass validation for format log-id: x' on property from."),
    ];
    hold(&caller().await, rows).await;
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_never_reaches_the_schema() {
    let caller = caller().await;
    let send = async |body: String| {
        answer(caller.request(Method::PATCH, "/api/v2/clients/Till").body(body).send().await.unwrap()).await
    };
    let unreadable =
        json!({"statusCode": 400, "error": "Bad Request", "message": "Invalid request payload JSON format"});
    assert_eq!(send("{\"name\": ".into()).await, (400, unreadable));
    // The status is assumed: the service says no more than that it takes 1 MB.
    let (status, body) = send(format!("{{\"description\": \"{}\"}}", "x".repeat(1 << 20))).await;
    assert_eq!((status, &body["statusCode"]), (413, &json!(413)));
}
