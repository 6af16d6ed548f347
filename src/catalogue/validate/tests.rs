use serde_json::{Value, json};

use super::*;
use crate::catalogue::{SECRET_MARKER, default_kind};

fn faults(path: &str, set: &Value) -> Vec<String> {
    let faults = value(default_kind(), &path.parse().unwrap(), set);
    let text = |fault: Fault| {
        fault.help.map_or_else(|| fault.what.clone(), |help| format!("{} ({help})", fault.what))
    };
    faults.into_iter().map(text).collect()
}

fn only_fault(path: &str, set: &Value) -> String {
    let mut faults = faults(path, set);
    assert_eq!(faults.len(), 1, "{path}: {faults:?}");
    faults.remove(0)
}

#[test]
fn what_auth0_takes_passes() {
    for (path, set) in [
        ("name", json!("Billing EU")),
        ("description", json!("")),
        ("app_type", json!("spa")),
        ("callbacks", json!(["https://a.example/cb", "com.acme.app://login"])),
        ("client_metadata.owner", json!("identity")),
        ("client_metadata", json!({"owner": "identity", "gone": null})),
        ("par_request_expiry", json!(60.0)),
        ("refresh_token", json!({"rotation_type": "rotating", "expiration_type": "expiring"})),
        ("addons.samlp.logout", json!({"slo_enabled": true})),
        ("addons.sharepoint.external_url", json!(["a", "b"])),
        ("token_quota", Value::Null),
        ("addons.firebase", json!({"secret": SECRET_MARKER, "client_email": "a@b.example"})),
    ] {
        assert_eq!(faults(path, &set), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_listed_value_is_suggested() {
    assert!(
        only_fault("app_type", &json!("SPA"))
            .starts_with(r#"app_type cannot be "SPA" (did you mean "spa"? allowed: native, spa, "#)
    );
    assert_eq!(
        only_fault("organization_usage", &json!("maybe")),
        r#"organization_usage cannot be "maybe" (allowed: deny, allow, require)"#
    );
}

#[test]
fn types_are_named_in_words_and_the_way_to_write_them() {
    assert_eq!(
        only_fault("sso", &json!("True")),
        r#"sso must be true or false, not the text "True" (write true without quotes)"#
    );
    assert_eq!(
        only_fault("addons.sharepoint.external_url", &json!(3)),
        "addons.sharepoint.external_url must be a list or text, not the number 3"
    );
    assert_eq!(
        only_fault("client_metadata.tier", &json!(3)),
        r#"client_metadata.tier must be text, not the number 3 (write it in quotes: "3")"#
    );
    assert_eq!(
        only_fault("callbacks", &json!("https://a.example")),
        r#"callbacks must be a list, not the text "https://a.example" (write ["https://a.example"])"#
    );
    assert_eq!(
        only_fault("par_request_expiry", &json!(60.5)),
        "par_request_expiry must be a whole number, not the number 60.5"
    );
}

#[test]
fn limits_are_counted_in_characters_and_named() {
    assert_eq!(faults("description", &json!("ü".repeat(140))), Vec::<String>::new());
    assert_eq!(
        only_fault("description", &json!("ü".repeat(141))),
        "description has 141 characters; at most 140 are allowed"
    );
    assert_eq!(only_fault("name", &json!("")), "name must not be empty");
    assert_eq!(only_fault("name", &json!("a<b")), r#"name cannot be "a<b": it must match ^[^<>]+$"#);
    assert_eq!(
        only_fault("par_request_expiry", &json!(9)),
        "par_request_expiry cannot be 9: the least is 10"
    );
    assert_eq!(
        only_fault("grant_types", &json!(["implicit", "password", "implicit"])),
        "grant_types[2] is the same as grant_types[0]"
    );
    assert!(
        only_fault("callbacks", &json!(["https://a.example", "a.example"]))
            .starts_with("callbacks[1] cannot be")
    );
    assert!(
        only_fault("initiate_login_uri", &json!("http://a.example")).contains("must begin with https://")
    );
    assert_eq!(value(default_kind(), &"client_metadata.\"a.b\"".parse().unwrap(), &json!("x")), vec![]);
    assert!(only_fault("client_metadata.owner", &json!("x".repeat(256))).contains("at most 255"));
}

#[test]
fn objects_are_judged_key_by_key() {
    assert!(
        only_fault("refresh_token", &json!({"rotation_type": "rotating"}))
            .starts_with("refresh_token needs expiration_type")
    );
    assert!(
        only_fault("session_transfer", &json!({"alow_refresh_token": true}))
            .contains("did you mean `allow_refresh_token`?")
    );
    assert!(only_fault("jwt_configuration", &json!({"secret_encoded": false})).contains("cannot be changed"));
    assert_eq!(faults("refresh_token.policies", &json!([{"audience": "", "scope": [1]}])).len(), 2);
}

#[test]
fn what_cannot_be_written_says_why() {
    assert!(only_fault("calbacks", &json!([])).contains("did you mean `callbacks`?"));
    assert!(only_fault("nobody_knows", &json!(1)).contains("does not know it yet"));
    assert!(only_fault("tenant", &json!("x")).contains("read-only"));
    assert!(only_fault("third_party_security_mode", &json!("strict")).contains("when a client is created"));
    assert!(only_fault("client_metadata.a.b", &json!("x")).contains(r#"client_metadata."a.b""#));
}

#[test]
fn a_secret_is_refused_without_being_shown() {
    for (path, set) in [
        ("client_secret", json!("s3cret")),
        ("addons.firebase", json!({"secret": "s3cret"})),
        ("addons.wams.masterkey", json!("s3cret")),
    ] {
        let fault = only_fault(path, &set);
        assert!(fault.contains("is a secret") && !fault.contains("s3cret"), "{fault}");
    }
    let path = "addons.azure_blob.storageAccessKey".parse().unwrap();
    let fault = secret_value(default_kind(), &path, "s3cret").unwrap();
    assert!(!format!("{fault:?}").contains("s3cret"));
    assert_eq!(secret_value(default_kind(), &"client_secret".parse().unwrap(), "s3cret"), None);
}

#[test]
fn emptying_is_refused_where_the_api_has_no_way() {
    let refused = |path: &str| unset(default_kind(), &path.parse().unwrap());
    for path in ["description", "callbacks", "refresh_token", "client_metadata.owner", "addons"] {
        assert_eq!(refused(path), None, "{path}");
    }
    assert!(refused("name").unwrap().what.contains("cannot be emptied"));
    assert!(refused("refresh_token.rotation_type").unwrap().help.unwrap().contains("whole of refresh_token"));
    assert!(refused("client_id").unwrap().what.contains("read-only"));
    assert!(refused("calbacks").unwrap().help.unwrap().contains("callbacks"));
}

#[test]
fn the_planned_state_is_judged_as_a_whole() {
    let after = |root: &str, state: Value| object_after(default_kind(), &root.parse().unwrap(), &state);
    let keys = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<Value>();
    assert_eq!(after("client_metadata", keys(10)), []);
    assert_eq!(
        after("client_metadata", keys(11))[0].what,
        "client_metadata has 11 keys; at most 10 are allowed"
    );
    assert_eq!(after("refresh_token", json!({"leeway": 5})).len(), 2);
    let tokens = |idle: u64, endless: bool| {
        after(
            "refresh_token",
            json!({"rotation_type": "rotating", "expiration_type": "expiring", "infinite_token_lifetime": endless,
            "token_lifetime": 100, "idle_token_lifetime": idle}),
        )
    };
    assert_eq!((tokens(99, false).len(), tokens(100, false).len(), tokens(100, true).len()), (0, 1, 0));
    assert_eq!(after("jwt_configuration", json!({"secret_encoded": false, "alg": "RS256"})), []);
}

#[test]
fn what_real_clients_hold_may_be_written_again() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/real-clients.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: no client bodies at {}", file.display());
        return;
    };
    let mut refused = Vec::new();
    for client in serde_json::from_str::<Vec<crate::model::Body>>(&text).unwrap() {
        let mut client = client;
        crate::catalogue::redact::strip(default_kind(), &mut client);
        for (name, held) in &client {
            let path = FieldPath::root_field(name);
            assert!(!matches!(default_kind().lookup(&path), Lookup::Unknown { .. }), "{name} is unknown");
            if default_kind().writable(&path) == Writable::Patch && !held.is_null() {
                let fixed = |fault: &Fault| fault.path == "jwt_configuration.secret_encoded";
                refused.extend(object_after(default_kind(), &path, held));
                refused.extend(value(default_kind(), &path, held).into_iter().filter(|fault| !fixed(fault)));
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
