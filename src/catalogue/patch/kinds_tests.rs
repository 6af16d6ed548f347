//! What a PATCH of each kind does, as it was recorded or is documented: merging, emptying, secrets.

use serde_json::{Value, json};

use super::*;
use crate::catalogue::redact::{has_marker, is_never_read, strip};
use crate::catalogue::{FieldType, kind, kinds, validate};

fn of(name: &str) -> &'static Kind {
    kind(name).unwrap()
}

fn map(value: Value) -> Body {
    let Value::Object(map) = value else { panic!("a body is an object") };
    map
}

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

/// What is sent for one change, and what is held afterwards.
fn change(kind: &Kind, before: &Value, at: &str, to: Value) -> (Value, Value) {
    let (before, changes) = (map(before.clone()), [(path(at), Some(to).filter(|to| !to.is_null()))]);
    (json!(body(kind, &before, &changes).body), json!(predict(kind, &before, &changes)))
}

fn refused(kind: &Kind, at: &str) -> bool {
    !validate::value(kind, &path(at), &json!("x")).is_empty()
}

#[test]
fn one_option_of_a_connection_sends_all_of_them_and_the_names_that_a_patch_would_set_back() {
    let before = json!({
        "id": "con_1", "name": "shop", "strategy": "auth0", "display_name": "The shop", "realms": ["shop"],
        "options": {"import_mode": false, "mfa": {"active": true}},
    });
    let (sent, after) = change(of("connections"), &before, "options.mfa.active", json!(false));
    let options = json!({"import_mode": false, "mfa": {"active": false}});
    assert_eq!(sent, json!({"options": options, "display_name": "The shop", "realms": ["shop"]}));
    assert_eq!(after["options"], options);
    assert_eq!(after["name"], "shop");
    // Whoever writes them has the last word; a connection that shows none is sent none.
    let (sent, _) = change(of("connections"), &before, "display_name", json!("Shop"));
    assert_eq!(sent, json!({"display_name": "Shop", "realms": ["shop"]}));
    let (sent, _) = change(of("connections"), &json!({"name": "shop"}), "show_as_button", json!(true));
    assert_eq!(sent, json!({"show_as_button": true}));
    let along: Vec<_> = of("connections").read_along("options").collect();
    assert_eq!(along, ["display_name", "realms"]);
}

#[test]
fn secrets_among_a_connections_options_are_marked_and_asked_for_when_it_is_sent() {
    let kind = of("connections");
    let held = json!({
        "name": "x", "strategy": "oidc",
        "options": {
            "client_id": "abc", "client_secret": "s3cret", "app_secret": "s3cret", "twilio_token": "s3cret",
            "configuration": {"API_KEY": "s3cret"}, "customHeaders": {"Authorization": "s3cret"},
            "gateway_authentication": {"method": "bearer", "secret": "s3cret"},
            "decryptionKey": {"key": "s3cret", "cert": "c"}, "signing_key": {"key": "s3cret", "cert": "public"},
            "ext_access_token": true, "signingCert": "public", "scope": ["email"],
        },
    });
    let mut seen = map(held.clone());
    assert!(strip(kind, &mut seen) && has_marker(&json!(seen)));
    let text = json!(seen).to_string();
    assert!(!text.contains("s3cret") && text.matches("public").count() == 2, "{text}");
    let changes = [(path("options.scope"), Some(json!(["email", "profile"])))];
    let planned = body(kind, &seen, &changes);
    assert!(planned.compose);
    let sent = body(kind, &map(held.clone()), &changes);
    assert!(!sent.compose);
    let again = body(kind, &map(held.clone()), &[(path("options"), Some(planned.body["options"].clone()))]);
    assert!(!again.compose);
    assert_eq!(again.body, sent.body);
    assert_eq!(sent.body["options"]["gateway_authentication"], held["options"]["gateway_authentication"]);
    assert_eq!(sent.body["options"]["decryptionKey"], held["options"]["decryptionKey"]);
    assert!(refused(kind, "options.client_secret") && refused(kind, "options.configuration.API_KEY"));
    assert!(!refused(kind, "options.client_id"));
}

#[test]
fn a_key_of_a_connections_metadata_goes_by_null_in_the_whole_of_it() {
    let before = json!({"metadata": {"a": "1", "b": "2"}});
    let (sent, after) = change(of("connections"), &before, "metadata.a", Value::Null);
    assert_eq!(sent, json!({"metadata": {"a": null, "b": "2"}}));
    assert_eq!(after, json!({"metadata": {"b": "2"}}));
}

#[test]
fn metadata_of_an_organization_is_sent_whole_and_is_gone_with_its_last_key() {
    let kind = of("organizations");
    let before =
        json!({"metadata": {"a": "1", "b": "2"}, "branding": {"logo_url": "https://a.example/l.svg"}});
    let (sent, after) = change(kind, &before, "metadata.a", Value::Null);
    assert_eq!(sent, json!({"metadata": {"b": "2"}}));
    assert_eq!(after["metadata"], json!({"b": "2"}));
    for (before, at) in [(before, "metadata"), (json!({"metadata": {"a": "1"}}), "metadata.a")] {
        let (sent, after) = change(kind, &before, at, Value::Null);
        assert_eq!(sent, json!({"metadata": {}}));
        assert_eq!(after.get("metadata"), None);
    }
    assert_eq!(emptied_as(kind, &path("metadata")), None);
    let colors = json!({"branding": {"colors": {"primary": "#000000", "page_background": "#ffffff"}}});
    let (sent, _) = change(kind, &colors, "branding.logo_url", json!("https://a.example/l.svg"));
    assert_eq!(sent["branding"]["colors"], colors["branding"]["colors"]);
}

#[test]
fn metadata_of_a_user_is_sent_key_by_key_and_whole_below() {
    let kind = of("users");
    let before = json!({"app_metadata": {"plan": "free", "address": {"city": "Bonn", "zip": "1"}}});
    let (sent, after) = change(kind, &before, "app_metadata.plan", json!("paid"));
    assert_eq!(sent, json!({"app_metadata": {"plan": "paid"}}));
    assert_eq!(after["app_metadata"]["address"]["city"], "Bonn");
    let (sent, _) = change(kind, &before, "app_metadata.address.city", json!("Ulm"));
    assert_eq!(sent, json!({"app_metadata": {"address": {"city": "Ulm", "zip": "1"}}}));
    let (sent, after) = change(kind, &before, "app_metadata.plan", Value::Null);
    assert_eq!(sent, json!({"app_metadata": {"plan": null}}));
    assert_eq!(after["app_metadata"].get("plan"), None);
    let (sent, after) = change(kind, &before, "app_metadata", Value::Null);
    assert_eq!(sent, json!({"app_metadata": {"plan": null, "address": null}}));
    assert_eq!(after, json!({"app_metadata": {}}));
}

#[test]
fn a_password_and_the_tokens_of_an_identity_are_never_kept() {
    let kind = of("users");
    let mut seen = map(json!({
        "user_id": "auth0|1", "password": "s3cret",
        "identities": [{"provider": "google-oauth2", "access_token": "s3cret"}],
    }));
    strip(kind, &mut seen);
    assert_eq!(json!(seen), json!({"user_id": "auth0|1"}));
    assert!(is_never_read(kind, &path("password")) && refused(kind, "password"));
    assert!(validate::unset(kind, &path("password")).is_some());
    assert!(validate::may_set_from_place(kind, &path("password")).is_none());
    assert!(refused(kind, "connection") && refused(kind, "client_id") && refused(kind, "verify_email"));
    let (sent, _) = change(kind, &json!({"nickname": "a"}), "nickname", Value::Null);
    assert_eq!(sent, json!({"nickname": null}));
}

#[test]
fn a_change_of_an_action_never_sends_its_secrets() {
    let kind = of("actions");
    let before = json!({"name": "a", "code": "old", "secrets": [{"name": "KEY", "updated_at": "t"}]});
    let (sent, _) = change(kind, &before, "code", json!("new"));
    assert_eq!(sent, json!({"code": "new"}));
    for value in [json!([]), json!([{"name": "KEY"}]), json!([{"name": "KEY", "value": "s3cret"}])] {
        assert!(!validate::value(kind, &path("secrets"), &value).is_empty(), "{value}");
        assert_eq!(change(kind, &before, "secrets", value).0, json!({}));
    }
    let mut seen = map(before);
    strip(kind, &mut seen);
    assert!(!seen.contains_key("secrets"));
    let modules =
        json!([{"module_id": "m", "module_name": "n", "module_version_id": "v", "module_version_number": 1}]);
    let (sent, _) = change(kind, &json!({}), "modules", modules);
    assert_eq!(sent, json!({"modules": [{"module_id": "m", "module_version_id": "v"}]}));
}

#[test]
fn a_grant_of_all_scopes_has_no_list_of_them() {
    let kind = of("client-grants");
    let before = map(json!({"scope": ["read:x"], "client_id": "c", "audience": "a"}));
    let changes = [(path("allow_all_scopes"), Some(json!(true)))];
    assert_eq!(linked::moved_along(kind, &before, &changes), [(path("scope"), None)]);
    let (sent, after) = change(kind, &json!({"scope": ["read:x"]}), "scope", json!([]));
    assert_eq!((sent, after), (json!({"scope": []}), json!({"scope": []})));
    assert!(refused(kind, "client_id") && refused(kind, "audience") && refused(kind, "subject_type"));
}

#[test]
fn an_api_keeps_its_identifier_and_hides_what_its_tokens_are_signed_with() {
    let kind = of("resource-servers");
    let before = json!({
        "identifier": "https://api.example", "signing_secret": "s3cret", "signing_alg": "HS256",
        "subject_type_authorization": {"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}},
    });
    let (sent, _) = change(kind, &before, "subject_type_authorization.user.policy", json!("deny_all"));
    let whole = json!({"user": {"policy": "deny_all"}, "client": {"policy": "require_client_grant"}});
    assert_eq!(sent, json!({ "subject_type_authorization": whole }));
    let mut seen = map(before);
    assert!(strip(kind, &mut seen) && !seen.contains_key("signing_secret"));
    assert!(refused(kind, "identifier") && refused(kind, "is_system") && refused(kind, "client_id"));
}

#[test]
fn a_roles_description_is_emptied_by_an_empty_text_and_its_owner_stays() {
    let kind = of("roles");
    let (sent, after) = change(kind, &json!({"description": "x"}), "description", Value::Null);
    assert_eq!((sent, after), (json!({"description": ""}), json!({"description": ""})));
    assert!(refused(kind, "type") && refused(kind, "owner_id"));
    assert!(refused(of("rules"), "stage"));
}

/// A value that has a secret wherever the field can hold one; null where it holds none.
fn with_secrets(field: &Field) -> Value {
    if field.secret {
        return json!("s3cret");
    }
    let item = field.items.as_deref().map(with_secrets).filter(|value| !value.is_null());
    let inner = field.fields.iter().map(|(name, inner)| (name.clone(), with_secrets(inner)));
    let mut inner: Body = inner.filter(|(_, value)| !value.is_null()).collect();
    match (field.ty, item) {
        (FieldType::Array, Some(item)) => json!([item]),
        (_, item) => {
            inner.extend(item.map(|item| ("any".to_owned(), item)));
            if inner.is_empty() { Value::Null } else { json!(inner) }
        }
    }
}

#[test]
fn no_secret_of_any_kind_is_seen_and_each_that_is_sent_along_is_asked_for() {
    for kind in kinds() {
        let held = with_secrets(kind.root());
        let Value::Object(held) = held else { continue };
        let mut seen = held.clone();
        assert!(strip(kind, &mut seen), "{}", kind.name);
        assert!(!json!(seen).to_string().contains("s3cret"), "{}", kind.name);
        for (root, value) in seen.iter().filter(|(root, _)| kind.writable(&path(root)) == Writable::Patch) {
            let changes = [(path(root), Some(value.clone()))];
            assert!(body(kind, &seen, &changes).compose, "{}: {root}", kind.name);
            let sent = body(kind, &held, &changes);
            assert!(!sent.compose && sent.body[root] == held[root], "{}: {root}", kind.name);
        }
    }
}
