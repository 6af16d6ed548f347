//! What made-up clients hold beyond the defaults: addresses, settings, metadata, rare things. Central function: [`add`].

use serde_json::{Value, json};

use crate::model::Body;

/// Fills in what people configure.
pub(super) fn add(client: &mut Body, name: &str, app_type: &str, index: usize, rng: &mut fastrand::Rng) {
    add_addresses(client, &slug(name, index), app_type, rng);
    add_settings(client, app_type, rng);
    add_metadata(client, index, rng);
    add_rarities(client, index, rng);
}

/// A host name's label for a client.
fn slug(name: &str, index: usize) -> String {
    let simple: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = simple.split('-').filter(|word| !word.is_empty()).collect();
    if words.is_empty() { format!("app-{index}") } else { words.join("-") }
}

fn add_addresses(client: &mut Body, slug: &str, app_type: &str, rng: &mut fastrand::Rng) {
    if app_type == "non_interactive" {
        return;
    }
    let home = format!("https://{slug}.acme.example");
    let mut callbacks = vec![json!(format!("{home}/callback"))];
    if app_type == "native" {
        callbacks.push(json!(format!("com.acme.{}://callback", slug.replace('-', "."))));
    }
    if rng.u8(..3) == 0 {
        callbacks.push(json!("http://localhost:3000/callback"));
    }
    client.insert("callbacks".into(), json!(callbacks));
    if rng.bool() {
        client.insert("allowed_logout_urls".into(), json!([home]));
    }
    if app_type == "spa" {
        client.insert("web_origins".into(), json!([home, "http://localhost:3000"]));
        client.insert("allowed_origins".into(), json!([home]));
    }
    if rng.u8(..4) == 0 {
        client.insert("initiate_login_uri".into(), json!(format!("{home}/login")));
    }
}

fn add_settings(client: &mut Body, app_type: &str, rng: &mut fastrand::Rng) {
    let method = match app_type {
        "spa" | "native" => "none",
        _ if rng.bool() => "client_secret_post",
        _ => "client_secret_basic",
    };
    client.insert("token_endpoint_auth_method".into(), json!(method));
    if app_type == "non_interactive" {
        client.insert("grant_types".into(), json!(["client_credentials"]));
    }
    if rng.u8(..3) == 0 {
        let lifetime = [3600, 7200, 86_400][rng.usize(..3)];
        client.insert(
            "jwt_configuration".into(),
            json!({ "alg": "RS256", "lifetime_in_seconds": lifetime, "secret_encoded": false }),
        );
    }
    if matches!(app_type, "spa" | "native") && rng.bool() {
        client.insert("refresh_token".into(), rotating());
    }
    if rng.u8(..3) == 0 {
        client.insert("description".into(), json!("Made up by the sandbox, with a comma"));
    }
}

fn rotating() -> Value {
    json!({
        "rotation_type": "rotating",
        "expiration_type": "expiring",
        "leeway": 0,
        "token_lifetime": 2_592_000,
        "infinite_token_lifetime": false,
        "idle_token_lifetime": 1_296_000,
        "infinite_idle_token_lifetime": false,
    })
}

fn add_metadata(client: &mut Body, index: usize, rng: &mut fastrand::Rng) {
    const TEAMS: [&str; 5] = ["billing", "identity", "shop", "mobile", "platform"];
    match rng.u8(..10) {
        0 => {}
        1 => {
            client.insert("client_metadata".into(), json!({}));
        }
        _ => {
            let mut metadata =
                json!({ "team": TEAMS[rng.usize(..TEAMS.len())], "slug": format!("app-{index}") });
            if rng.u8(..4) == 0 {
                metadata["cost.center"] = json!(format!("{}", rng.u32(1000..9999)));
            }
            client.insert("client_metadata".into(), metadata);
        }
    }
}

/// What few clients have: nulls of old days, add-ons with secrets, native and session settings.
fn add_rarities(client: &mut Body, index: usize, rng: &mut fastrand::Rng) {
    match index % 12 {
        1 => {
            client.insert(
                "addons".into(),
                json!({ "samlp": { "audience": "urn:acme", "logout": { "slo_enabled": false } } }),
            );
        }
        3 => {
            client.insert("allowed_clients".into(), Value::Null);
            client.insert("client_aliases".into(), json!([]));
        }
        4 => {
            client.insert(
                "mobile".into(),
                json!({ "ios": { "team_id": "A1B2C3D4E5", "app_bundle_identifier": "com.acme.app" } }),
            );
            client.insert(
                "native_social_login".into(),
                json!({ "apple": { "enabled": false }, "facebook": { "enabled": false } }),
            );
        }
        7 => {
            let password: String = std::iter::repeat_with(|| rng.alphanumeric()).take(20).collect();
            client.insert(
                "addons".into(),
                json!({ "azure_sb": { "namespace": "acme", "sasKeyName": "send", "sasKey": password } }),
            );
        }
        10 => {
            client.insert(
                "oidc_logout".into(),
                json!({ "backchannel_logout_urls": ["https://out.acme.example/bc"] }),
            );
            client.insert(
                "oidc_backchannel_logout".into(),
                json!({ "backchannel_logout_urls": ["https://out.acme.example/bc"] }),
            );
        }
        _ => {}
    }
}
