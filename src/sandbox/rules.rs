//! What no schema says: values that the service refuses because of other values. Central functions: [`check_before`] judges a
//! change against the client as it is, [`check_after`] against the state that the change would lead to.

use serde_json::Value;

use super::reply::Refusal;
use crate::model::Body;

/// Judges a change against the client as it is.
///
/// # Errors
/// With the first rule it breaks.
pub(super) fn check_before(before: &Body, sent: &Body) -> Result<(), Refusal> {
    global_client(before, sent)?;
    registered_by_metadata(before, sent)?;
    security_mode(before, sent)
}

/// Judges a change against the state it would lead to.
///
/// # Errors
/// With the first rule it breaks.
pub(super) fn check_after(sent: &Body, after: &Body) -> Result<(), Refusal> {
    grant_types(sent, after)?;
    lifetimes(sent, after)?;
    authentication(sent, after)?;
    organizations(sent, after)?;
    metadata(after)
}

/// Judges whether a client has a secret to rotate.
///
/// # Errors
/// For one that signs with a key (OpenAPI, "Rotate a client secret"; the wording is assumed).
pub(super) fn check_rotation(client: &Body) -> Result<(), Refusal> {
    let methods = client.get("client_authentication_methods");
    if methods.is_some_and(|methods| methods.get("private_key_jwt").is_some()) {
        return Err(Refusal::new(
            400,
            "This endpoint cannot be used with clients configured with Private Key JWT authentication method",
        ));
    }
    Ok(())
}

fn global_client(before: &Body, sent: &Body) -> Result<(), Refusal> {
    let allowed = |key: &String| matches!(key.as_str(), "custom_login_page" | "custom_login_page_on");
    if before.get("global") == Some(&Value::Bool(true)) && !sent.keys().all(allowed) {
        return Err(Refusal::body(
            "Global client: only custom_login_page and custom_login_page_on can be updated",
        ));
    }
    Ok(())
}

/// What may be edited in a client whose metadata document says the rest (Auth0, "Client ID Metadata Documents").
const EDITABLE_BESIDE_METADATA: [&str; 14] = [
    "description",
    "app_type",
    "allowed_origins",
    "web_origins",
    "grant_types",
    "oidc_conformant",
    "organization_discovery_methods",
    "client_metadata",
    "default_organization",
    "require_proof_of_possession",
    "token_quota",
    "skip_non_verifiable_callback_uri_confirmation_prompt",
    "jwt_configuration",
    "refresh_token",
];

fn registered_by_metadata(before: &Body, sent: &Body) -> Result<(), Refusal> {
    if !before.contains_key("external_client_id") {
        return Ok(());
    }
    let fixed: Vec<&str> =
        sent.keys().map(String::as_str).filter(|key| !EDITABLE_BESIDE_METADATA.contains(key)).collect();
    if fixed.is_empty() {
        return Ok(());
    }
    Err(Refusal::body(format!("The client's metadata document says: {}", fixed.join(", "))))
}

const GRANT_TYPES: [&str; 13] = [
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    "password",
    "http://auth0.com/oauth/grant-type/password-realm",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "urn:openid:params:grant-type:ciba",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
];

/// A grant has to exist, and one that needs a secret does not fit a client that cannot keep one.
fn grant_types(sent: &Body, after: &Body) -> Result<(), Refusal> {
    let Some(grants) = sent.get("grant_types").and_then(Value::as_array) else { return Ok(()) };
    let public = is_public(after);
    let unfit: Vec<&str> = grants
        .iter()
        .filter_map(Value::as_str)
        .filter(|grant| !GRANT_TYPES.contains(grant) || (public && *grant == "client_credentials"))
        .collect();
    if unfit.is_empty() {
        return Ok(());
    }
    Err(Refusal::body(format!("Invalid grant types: {}", unfit.join(", "))))
}

/// Whether the client has no secret to authenticate with.
pub(super) fn is_public(client: &Body) -> bool {
    let text = |key: &str| client.get(key).and_then(Value::as_str);
    match text("token_endpoint_auth_method") {
        Some(method) => method == "none",
        None => matches!(text("app_type"), Some("spa" | "native")),
    }
}

fn lifetimes(sent: &Body, after: &Body) -> Result<(), Refusal> {
    if !sent.contains_key("refresh_token") {
        return Ok(());
    }
    let lifetime = |key: &str| after.get("refresh_token")?.get(key)?.as_f64();
    // Of a token that never ends, the lifetime that it would have means nothing.
    if after.get("refresh_token").and_then(|token| token.get("infinite_token_lifetime"))
        == Some(&Value::Bool(true))
    {
        return Ok(());
    }
    match (lifetime("idle_token_lifetime"), lifetime("token_lifetime")) {
        (Some(idle), Some(whole)) if idle >= whole => {
            Err(Refusal::new(400, "idle_token_lifetime must have a value less than token_lifetime"))
        }
        _ => Ok(()),
    }
}

/// A client authenticates by a method of the old kind or of the new kind: to switch, one is sent and the other is null.
fn authentication(sent: &Body, after: &Body) -> Result<(), Refusal> {
    let set = |body: &Body, key: &str| body.get(key).is_some_and(|value| !value.is_null());
    if set(sent, "token_endpoint_auth_method") && set(after, "client_authentication_methods") {
        return Err(Refusal::body(
            "client_authentication_methods and token_endpoint_auth_method cannot be set together",
        ));
    }
    Ok(())
}

fn organizations(sent: &Body, after: &Body) -> Result<(), Refusal> {
    let uses = |key: &str| after.get(key).is_some_and(|value| !value.is_null());
    let third_party = after.get("is_first_party") == Some(&Value::Bool(false));
    if sent.get("is_first_party") == Some(&Value::Bool(false))
        && third_party
        && (uses("organization_usage") || uses("organization_require_behavior"))
    {
        return Err(Refusal::body("A third-party client cannot use organizations"));
    }
    let prompt = sent.get("organization_require_behavior").and_then(Value::as_str);
    if prompt == Some("post_login_prompt") && after.get("oidc_conformant") != Some(&Value::Bool(true)) {
        return Err(Refusal::body("post_login_prompt needs an OIDC conformant client"));
    }
    Ok(())
}

fn security_mode(before: &Body, sent: &Body) -> Result<(), Refusal> {
    const KEY: &str = "third_party_security_mode";
    match sent.get(KEY) {
        Some(mode) if before.get(KEY).is_some_and(|stored| stored != mode) => {
            Err(Refusal::body("third_party_security_mode cannot be changed"))
        }
        _ => Ok(()),
    }
}

fn metadata(after: &Body) -> Result<(), Refusal> {
    let keys = after.get("client_metadata").and_then(Value::as_object).map_or(0, Body::len);
    if keys > 10 {
        return Err(Refusal::body(format!(
            "Payload validation error: 'Too many properties defined ({keys}), maximum 10' on property client_metadata."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::merge::merge;
    use serde_json::json;

    fn judge(before: Value, patch: Value) -> Result<(), String> {
        let (Value::Object(before), Value::Object(patch)) = (before, patch) else { panic!("no objects") };
        let mut after = before.clone();
        merge(&mut after, &patch);
        check_before(&before, &patch)
            .and_then(|()| check_after(&patch, &after))
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn values_are_refused_because_of_other_values() {
        let methods = json!({"private_key_jwt": {"credentials": []}});
        for (before, patch, said) in [
            (
                json!({"app_type": "spa"}),
                json!({"grant_types": ["implicit", "client_credentials"]}),
                "Invalid grant types: client_credentials",
            ),
            (json!({}), json!({"grant_types": ["telepathy"]}), "Invalid grant types: telepathy"),
            (
                json!({}),
                json!({"refresh_token": {"token_lifetime": 60, "idle_token_lifetime": 60}}),
                "less than token_lifetime",
            ),
            (
                json!({"client_authentication_methods": methods}),
                json!({"token_endpoint_auth_method": "none"}),
                "together",
            ),
            (json!({"organization_usage": "allow"}), json!({"is_first_party": false}), "organizations"),
            (
                json!({"third_party_security_mode": "strict"}),
                json!({"third_party_security_mode": "permissive"}),
                "cannot be changed",
            ),
            (json!({"global": true}), json!({"name": "x"}), "Global client"),
            (
                json!({"external_client_id": "https://a.example"}),
                json!({"name": "x", "description": "y"}),
                "says: name",
            ),
            (
                json!({"client_metadata": {"a":"","b":"","c":"","d":"","e":""}}),
                json!({"client_metadata": {"f":"","g":"","h":"","i":"","j":"","k":""}}),
                "Too many properties defined (11)",
            ),
        ] {
            let refusal = judge(before, patch.clone()).unwrap_err();
            assert!(refusal.contains(said), "{patch}: {refusal}");
        }
    }

    #[test]
    fn what_fits_passes() {
        for (before, patch) in [
            (
                json!({"app_type": "spa", "token_endpoint_auth_method": "client_secret_post"}),
                json!({"grant_types": ["client_credentials"]}),
            ),
            (
                json!({"token_endpoint_auth_method": "none"}),
                json!({"token_endpoint_auth_method": null, "client_authentication_methods": {"private_key_jwt": {"credentials": []}}}),
            ),
            (json!({"third_party_security_mode": "strict"}), json!({"third_party_security_mode": "strict"})),
            (json!({"global": true}), json!({"custom_login_page": "<html></html>"})),
        ] {
            assert_eq!(judge(before, patch), Ok(()));
        }
    }
}
