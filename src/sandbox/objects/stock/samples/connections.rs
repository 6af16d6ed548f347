//! Connections: a database, two social ones and two of enterprises, each with options of its own strategy.

use serde_json::{Value, json};

use super::{Around, name};

/// The connection with that index.
pub(super) fn connection(index: usize, around: &Around<'_>) -> Value {
    const NAMES: [&str; 5] =
        ["Username-Password-Authentication", "google-oauth2", "acme-employees", "acme-partners", "email"];
    let strategies = ["auth0", "google-oauth2", "samlp", "oidc", "email"];
    let strategy = strategies.get(index).copied().unwrap_or("auth0");
    let name = name(&NAMES, index);
    // Not all are for everybody.
    let enabled: Vec<&str> = (0..around.clients.len())
        .filter(|at| index == 0 || (at + index).is_multiple_of(3))
        .filter_map(|at| around.client(at))
        .collect();
    let mut made = json!({
        "name": name,
        "strategy": strategy,
        "options": options(strategy),
        "is_domain_connection": false,
        "realms": [name],
        "enabled_clients": enabled,
    });
    if strategy == "auth0" {
        made["authentication"] = json!({ "active": true });
        made["connected_accounts"] = json!({ "active": false });
    }
    if matches!(strategy, "samlp" | "oidc") {
        made["display_name"] = format!("Sign in to {name}").into();
        made["show_as_button"] = true.into();
    }
    made
}

fn options(strategy: &str) -> Value {
    match strategy {
        "auth0" => json!({
            "mfa": { "active": true, "return_enroll_settings": true },
            "passwordPolicy": "good",
            "passkey_options": {
                "challenge_ui": "both",
                "local_enrollment_enabled": true,
                "progressive_enrollment_enabled": true,
            },
            "strategy_version": 2,
            "authentication_methods": {
                "passkey": { "enabled": false },
                "password": { "enabled": true, "api_behavior": "required", "signup_behavior": "allow" },
            },
            "brute_force_protection": true,
        }),
        "google-oauth2" => json!({
            "email": true,
            "profile": true,
            "scope": ["email", "profile"],
            "client_id": "made-up.apps.example",
            "client_secret": "made-up-by-the-sandbox",
        }),
        "samlp" => json!({
            "signInEndpoint": "https://login.acme.example/saml",
            "signatureAlgorithm": "rsa-sha256",
            "digestAlgorithm": "sha256",
        }),
        "oidc" => json!({
            "type": "back_channel",
            "issuer": "https://partners.acme.example",
            "client_id": "acme",
            "client_secret": "made-up-by-the-sandbox",
            "scope": "openid profile email",
        }),
        _ => json!({ "name": "email", "brute_force_protection": true }),
    }
}
