//! Clients with every shape of field that goes back in its own way, and jobs that change them.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::pool::{OPS, plain_clients};

/// What jobs do to them, beside what the laws' jobs do.
const MORE: [&str; 51] = [
    "set.session_transfer.delegation.allow_delegated_access = true",
    "set.session_transfer.enforce_device_binding = \"none\"",
    "set.session_transfer.allowed_authentication_methods = [\"cookie\"]",
    "unset = [\"session_transfer\"]",
    "unset = [\"session_transfer.delegation\"]",
    "replace.session_transfer = { can_create_session_transfer_token = true }",
    "set.jwt_configuration.lifetime_in_seconds = 600",
    "set.jwt_configuration.alg = \"RS512\"",
    "replace.jwt_configuration = { alg = \"RS256\", lifetime_in_seconds = 60 }",
    "set.addons.samlp.audience = \"urn:x\"",
    "set.addons.samlp.logout.callback = \"https://l.example\"",
    "set.addons.azure_sb.namespace = \"acme-eu\"",
    "unset = [\"addons\"]",
    "unset = [\"addons.samlp.logout\"]",
    "unset = [\"addons.samlp.audience\", \"addons.samlp.mappings\"]",
    "replace.addons.samlp = { recipient = \"r\" }",
    "set.mobile.ios.team_id = \"T2\"",
    "set.mobile.android.app_package_name = \"p.q\"",
    "add.mobile.android.sha256_cert_fingerprints = [\"AB:CD\"]",
    "set.native_social_login.facebook.enabled = false",
    "unset = [\"native_social_login\"]",
    "unset = [\"native_social_login.google\"]",
    "replace.native_social_login = { apple = { enabled = true } }",
    "set.token_quota.client_credentials.per_day = 5",
    "unset = [\"token_quota\"]",
    "set.oidc_logout.backchannel_logout_urls = [\"https://n.example/out\"]",
    "add.oidc_logout.backchannel_logout_urls = [\"https://n.example/out\"]",
    "set.oidc_logout.backchannel_logout_session_metadata.include = false",
    "unset = [\"oidc_logout.backchannel_logout_urls\"]",
    "set.organization_discovery_methods = [\"organization_name\"]",
    "add.organization_discovery_methods = [\"organization_name\"]",
    "unset = [\"organization_discovery_methods\"]",
    "set.refresh_token.policies = [{ audience = \"https://api.example\", scope = [\"a\"] }]",
    "unset = [\"refresh_token\"]",
    "unset = [\"refresh_token.policies\"]",
    "set.refresh_token.idle_token_lifetime = 40",
    "set.logo_uri = \"https://logo.example/x.png\"",
    "unset = [\"logo_uri\", \"description\"]",
    "unset = [\"callbacks\"]",
    "set.callbacks = []",
    "set.web_origins = [\"https://b.example\", \"https://a.example\"]",
    "remove.web_origins = [\"https://b.example\"]",
    "set.client_metadata.\"a.b\" = \"x\"",
    "unset = ['client_metadata.team']",
    "set.signed_request_object.required = true",
    "unset = [\"signed_request_object\"]",
    "set.par_request_expiry = 60",
    "unset = [\"par_request_expiry\"]",
    "set.oidc_conformant = true",
    "set.fedcm_login.google.is_enabled = true",
    "replace.client_metadata = {}",
];

/// Everything that jobs do.
pub(crate) fn ops() -> Vec<&'static str> {
    OPS.iter().chain(&MORE).copied().collect()
}

/// Fields of a client beside those of the laws' clients, each with what it may hold.
fn shapes() -> Vec<(&'static str, Vec<Value>)> {
    let transfer = json!({"can_create_session_transfer_token": true, "enforce_device_binding": "asn", "allow_refresh_token": false,
        "allowed_authentication_methods": ["query"], "enforce_cascade_revocation": true, "enforce_online_refresh_tokens": true});
    let mut delegated = transfer.clone();
    delegated["delegation"] = json!({"allow_delegated_access": false, "enforce_device_binding": "asn"});
    vec![
        ("session_transfer", vec![transfer, delegated, json!({"allow_refresh_token": true}), Value::Null]),
        (
            "jwt_configuration",
            vec![
                json!({"alg": "RS256", "lifetime_in_seconds": 300, "secret_encoded": false}),
                json!({"lifetime_in_seconds": 36000}),
            ],
        ),
        (
            "addons",
            vec![
                json!({}),
                json!({"wsfed": {}}),
                json!({"samlp": {"audience": "urn:a", "mappings": {"a.b": "c"}, "logout": {"callback": "https://o.example"}, "destination": null}}),
                json!({"azure_sb": {"namespace": "acme", "sasKey": "hush-hush-key"}}),
                Value::Null,
            ],
        ),
        (
            "mobile",
            vec![
                json!({"ios": {"team_id": "T", "app_bundle_identifier": "b"}}),
                json!({"android": {"app_package_name": "a.b", "sha256_cert_fingerprints": ["00:11"]}}),
            ],
        ),
        (
            "native_social_login",
            vec![json!({"google": {"enabled": true}}), json!({"apple": {"enabled": false}}), Value::Null],
        ),
        ("token_quota", vec![json!({"client_credentials": {"enforce": true, "per_hour": 2}})]),
        (
            "oidc_logout",
            vec![
                json!({"backchannel_logout_urls": ["https://a.example/out"], "backchannel_logout_session_metadata": {"include": true}}),
            ],
        ),
        ("organization_discovery_methods", vec![json!(["email"]), json!(["organization_name", "email"])]),
        ("web_origins", vec![json!([]), json!(["https://b.example", "https://c.example"])]),
        ("logo_uri", vec![json!(""), json!("https://logo.example/old.png")]),
        ("signed_request_object", vec![json!({"required": false})]),
        ("par_request_expiry", vec![json!(30)]),
        ("fedcm_login", vec![json!({"google": {"is_enabled": false}}), Value::Null]),
    ]
}

/// Two clients, each with some of these fields.
pub(crate) fn clients() -> impl Strategy<Value = Value> {
    let field = |(name, values): (&'static str, Vec<Value>)| {
        prop_oneof![Just(None), select(values).prop_map(move |value| Some((name, value)))].boxed()
    };
    let rich = || shapes().into_iter().map(field).collect::<Vec<_>>();
    (plain_clients(), rich(), rich()).prop_map(|(mut clients, first, second)| {
        for (at, fields) in [first, second].into_iter().enumerate() {
            for (name, value) in fields.into_iter().flatten() {
                clients[at][name] = value;
            }
        }
        // The two names of the logout's addresses are one setting.
        for client in clients.as_array_mut().into_iter().flatten() {
            if let Some(urls) = client["oidc_logout"].get("backchannel_logout_urls").cloned() {
                client["oidc_backchannel_logout"] = json!({ "backchannel_logout_urls": urls });
            }
        }
        clients
    })
}
