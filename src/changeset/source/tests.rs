use serde_json::json;

use super::*;
use crate::catalogue::{KindName, default_kind};

/// A text of a client "own" of dev, with its placeholders in braces.
fn marked(vars: &Value, text: &str) -> String {
    let ids = [(EntityId::new("A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8"), "Billing API")];
    let domain = Domain::parse("acme-dev.eu.auth0.com").unwrap();
    let clients = ids.iter().map(|(id, name)| (KindName::default(), id, Some((*name).to_owned())));
    let source = Source::new(Some(&domain), vars.as_object().unwrap(), clients);
    let body = json!({ "client_metadata": { "x": text } });
    let marked =
        source.marked(default_kind(), &EntityId::new("own-id-of-the-client"), body.as_object().unwrap());
    let text = marked["client_metadata"]["x"].as_str().unwrap().to_owned();
    text.replace(OPEN, "<").replace(CLOSE, ">")
}

#[test]
fn whole_values_become_placeholders_whatever_their_length_and_parts_from_four_signs_on_between_bounds() {
    let vars = json!({"env": "dev", "host": "dev.acme.example", "stage": "prep"});
    for (text, wanted) in [
        ("dev", "<vars.env>"),
        ("developer", "developer"),
        ("the dev team", "the dev team"),
        ("https://dev.acme.example/x", "https://<vars.host>/x"),
        ("https://xdev.acme.example/x", "https://xdev.acme.example/x"),
        ("https://my-dev.acme.example/x", "https://my-<vars.host>/x"),
        ("prep prepared prep2 prep", "<vars.stage> prepared prep2 <vars.stage>"),
        ("éprep", "éprep"),
    ] {
        assert_eq!(marked(&vars, text), wanted);
    }
}

#[test]
fn the_longest_value_is_taken_first() {
    let vars = json!({"short": "acme.example", "long": "dev.acme.example"});
    assert_eq!(
        marked(&vars, "https://dev.acme.example https://acme.example"),
        "https://<vars.long> https://<vars.short>"
    );
}

#[test]
fn the_domain_and_ids_become_placeholders_by_themselves() {
    for (text, wanted) in [
        ("https://ACME-dev.eu.auth0.com/authorize", "https://<tenant.domain>/authorize"),
        ("https://acme-dev.eu.auth0.community", "https://acme-dev.eu.auth0.community"),
        ("?client_id=own-id-of-the-client", "?client_id=<client_id>"),
        ("A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8", "<id_of('clients', 'Billing API')>"),
        ("org_abcdefghijklmnop", "<id:organization_id_f4dac5:org_abcdefghijklmnop>"),
        ("org_short", "org_short"),
        // Where all clients are known, what looks like an id of one is none.
        ("Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz", "Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz9Zz"),
        ("https://dev-acme-dev.eu.auth0.com/x", "https://dev-acme-dev.eu.auth0.com/x"),
        ("https://*.acme-dev.eu.auth0.com", "https://*.<tenant.domain>"),
        ("https://acme-dev.eu.auth0.com.evil.example", "https://acme-dev.eu.auth0.com.evil.example"),
        ("see acme-dev.eu.auth0.com.", "see <tenant.domain>."),
        ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("?iss=https%3A%2F%2Facme-dev.eu.auth0.com%2F", "?iss=https%3A%2F%2F<tenant.domain>%2F"),
        ("id%3DA1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8", "id%3D<id_of('clients', 'Billing API')>"),
        ("app-A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8", "app-<id_of('clients', 'Billing API')>"),
        ("sign \u{f8f0} here", "sign <\"\\uf8f0\"> here"),
    ] {
        assert_eq!(marked(&json!({}), text), wanted);
    }
}

#[test]
fn without_a_known_domain_the_tenants_short_name_tells_it() {
    let source = Source::new(None, &Body::new(), []);
    let body = json!({"tenant": "acme-dev", "description": "see https://acme-dev.eu.auth0.com/x and https://acme-dev.example"});
    let marked = source.marked(default_kind(), &EntityId::new("own"), body.as_object().unwrap());
    let text = marked["description"].as_str().unwrap().replace(OPEN, "<").replace(CLOSE, ">");
    assert_eq!(text, "see https://<tenant.domain>/x and https://acme-dev.example");
}

#[test]
fn ids_of_fields_that_hold_ids_are_told_from_listed_values() {
    let source = Source::new(None, &Body::new(), []);
    let body = json!({
        "allowed_clients": ["unknownunknownunknown"],
        "default_organization": {"organization_id": "org_abcdefghijklmnop", "flows": ["client_credentials"]},
        "callbacks": ["unknownunknownunknown"],
    });
    let marked = source.marked(default_kind(), &EntityId::new("own"), body.as_object().unwrap());
    let text = Value::Object(marked).to_string().replace(OPEN, "<").replace(CLOSE, ">");
    assert!(text.contains(r#""allowed_clients":["<id:id_f1a033:unknownunknownunknown>"]"#), "{text}");
    assert!(text.contains(r#""flows":["client_credentials"]"#), "{text}");
    assert!(text.contains(r#""callbacks":["unknownunknownunknown"]"#), "{text}");
}

#[test]
fn a_number_of_a_variable_is_taken_as_a_whole() {
    let vars = json!({"life": 3600});
    let source = Source::new(None, vars.as_object().unwrap(), []);
    let body = json!({"jwt_configuration": {"lifetime_in_seconds": 3600.0}, "sso": true});
    let marked = source.marked(default_kind(), &EntityId::new("own"), body.as_object().unwrap());
    assert_eq!(marked["jwt_configuration"]["lifetime_in_seconds"], format!("{OPEN}vars.life{CLOSE}"));
}

#[test]
fn names_of_variables_are_made_of_letters_and_digits() {
    assert_eq!(
        (slug("Billing API (EU) "), slug("--"), slug("Überall 2")),
        ("billing_api_eu".into(), "client".into(), "berall_2".into())
    );
    assert_eq!(
        (var_code("host"), var_code("my host")),
        ("vars.host".to_owned(), "vars['my host']".to_owned())
    );
}
