use serde_json::json;

use super::*;
use crate::catalogue::default_kind;

/// What differs, a line each.
fn told(before: &Value, after: &Value) -> Vec<String> {
    let (edits, left_out) =
        difference(default_kind(), before.as_object().unwrap(), after.as_object().unwrap());
    let edit = |edit: Edit| match edit.change {
        Change::Set(value) => format!("set {} {value}", edit.path),
        Change::EmptyObject => format!("empty {}", edit.path),
        Change::Unset => format!("unset {}", edit.path),
        Change::Items(items) => format!("{} +{} -{}", edit.path, json!(items.add), json!(items.remove)),
    };
    let out = left_out.into_iter().map(|left| format!("out {}: {}", left.path, left.why));
    edits.into_iter().map(edit).chain(out).collect()
}

#[test]
fn null_absent_and_empty_are_told_apart_where_the_api_does() {
    assert!(told(&json!({"logo_uri": null}), &json!({})).is_empty());
    assert_eq!(told(&json!({}), &json!({"description": ""})), ["set description \"\""]);
    assert_eq!(told(&json!({"description": "x"}), &json!({})), ["unset description"]);
    assert_eq!(
        told(&json!({"callbacks": ["https://a.example"]}), &json!({"callbacks": []})),
        ["callbacks +[] -[\"https://a.example\"]"]
    );
    assert_eq!(told(&json!({}), &json!({"callbacks": []})), ["set callbacks []"]);
}

#[test]
fn lists_are_edited_by_item_unless_their_order_is_what_changed() {
    let list = |items: Value| json!({"callbacks": items});
    let (a, b, c) = ("https://a.example", "https://b.example", "https://c.example");
    assert_eq!(
        told(&list(json!([a, b])), &list(json!([b, c]))),
        [format!("callbacks +[\"{c}\"] -[\"{a}\"]")]
    );
    assert_eq!(
        told(&list(json!([a, b])), &list(json!([b, a]))),
        [format!("set callbacks [\"{b}\",\"{a}\"]")]
    );
    assert_eq!(
        told(&list(json!([a, b])), &list(json!([c, a, b]))),
        [format!("set callbacks [\"{c}\",\"{a}\",\"{b}\"]")]
    );
    // Of a set the order says nothing.
    let grants = |items: Value| json!({"grant_types": items});
    assert!(
        told(&grants(json!(["implicit", "password"])), &grants(json!(["password", "implicit"]))).is_empty()
    );
}

#[test]
fn objects_are_taken_apart_down_to_what_differs() {
    let before = json!({"refresh_token": {"leeway": 0, "rotation_type": "rotating"}, "client_metadata": {"a": "1", "b": "2"}});
    let after = json!({"refresh_token": {"leeway": 9, "rotation_type": "rotating"}, "client_metadata": {"a": "1", "c": "3"}});
    assert_eq!(
        told(&before, &after),
        ["unset client_metadata.b", "set client_metadata.c \"3\"", "set refresh_token.leeway 9"]
    );
    assert_eq!(told(&json!({"addons": {"samlp": {"audience": "x"}}}), &json!({})), ["unset addons"]);
}

#[test]
fn an_object_with_nothing_in_it_is_something_where_a_key_alone_says_so() {
    assert_eq!(told(&json!({}), &json!({"addons": {"wsfed": {}}})), ["empty addons.wsfed"]);
    assert_eq!(told(&json!({"addons": {"wsfed": {}}}), &json!({"addons": {}})), ["unset addons.wsfed"]);
    assert!(told(&json!({}), &json!({"client_metadata": {}})).is_empty());
}

#[test]
fn what_the_service_does_by_itself_is_no_change_of_its_own() {
    let urls = |list: Value| json!({"oidc_logout": {"backchannel_logout_urls": list}, "oidc_backchannel_logout": {"backchannel_logout_urls": list}});
    let (a, b) = (json!(["https://a.example/out"]), json!(["https://b.example/out"]));
    let set = "oidc_logout.backchannel_logout_urls +[\"https://b.example/out\"] -[\"https://a.example/out\"]";
    assert_eq!(told(&urls(a), &urls(b)), [set]);
    let before =
        json!({"token_endpoint_auth_method": "client_secret_post", "jwt_configuration": {"alg": "RS256"}});
    let after = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_x"}]}}, "jwt_configuration": {"alg": "RS256"}});
    let told = told(&before, &after);
    assert!(told.len() == 1 && told[0].starts_with("set client_authentication_methods"), "{told:?}");
}

#[test]
fn an_object_that_springs_up_with_its_defaults_is_asked_for_by_what_is_no_default() {
    let after = json!({"session_transfer": {
        "allow_refresh_token": true, "allowed_authentication_methods": [], "can_create_session_transfer_token": false,
        "enforce_cascade_revocation": true, "enforce_device_binding": "ip", "enforce_online_refresh_tokens": true,
    }});
    assert_eq!(told(&json!({}), &after), ["set session_transfer.allow_refresh_token true"]);
}

#[test]
fn read_only_fields_and_secrets_are_not_compared_and_what_is_unknown_is_told() {
    let before = json!({"client_secret": "a", "tenant": "x", "signing_keys": [], "invented": 1});
    let after = json!({"client_secret": "b", "tenant": "y", "signing_keys": [{}], "invented": 2});
    let told = told(&before, &after);
    assert!(told.len() == 1 && told[0].starts_with("out invented: "), "{told:?}");
}
