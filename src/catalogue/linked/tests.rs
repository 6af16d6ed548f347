#![expect(clippy::needless_pass_by_value, reason = "called with literals")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{default_kind, validate};

fn object(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

fn changes(list: &[(&str, Value)]) -> Vec<Change> {
    let after = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
    list.iter().map(|(path, value)| (path.parse().unwrap(), after(value))).collect()
}

fn refused(before: Value, list: &[(&str, Value)]) -> Vec<String> {
    faults(default_kind(), &object(before), &changes(list)).into_iter().map(|fault| fault.what).collect()
}

fn sent(before: Value, list: &[(&str, Value)]) -> Value {
    Value::Object(patch::body(default_kind(), &object(before), &changes(list)).body)
}

fn predicted(before: Value, list: &[(&str, Value)]) -> Value {
    Value::Object(patch::predict(default_kind(), &object(before), &changes(list)))
}

fn methods() -> Value {
    json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}})
}

fn along(before: &Value, list: &[(&str, Value)]) -> Vec<(String, Option<Value>)> {
    let moved = moved_along(default_kind(), &object(before.clone()), &changes(list));
    moved.into_iter().map(|(path, after)| (path.to_string(), after)).collect()
}

#[test]
fn a_method_of_the_old_kind_is_emptied_along_where_methods_of_the_new_kind_are_set() {
    let before = json!({"token_endpoint_auth_method": "client_secret_post"});
    let set = [("client_authentication_methods", methods())];
    assert_eq!(along(&before, &set), [("token_endpoint_auth_method".to_owned(), None)]);
    assert_eq!(along(&json!({}), &set), []);
    assert_eq!(along(&before, &[("client_authentication_methods", Value::Null)]), []);
    let both = [set[0].clone(), ("token_endpoint_auth_method", Value::Null)];
    assert_eq!(along(&before, &both), [], "it is named already");
    assert_eq!(along(&before, &[("name", json!("x"))]), []);
}

#[test]
fn the_name_of_a_setting_that_was_not_written_moves_along() {
    let urls = |url: &str| json!({"backchannel_logout_urls": [url]});
    let full = json!({"backchannel_logout_urls": ["https://a.example"], "backchannel_logout_initiators": {"mode": "all"}});
    let before = json!({"oidc_logout": full, "oidc_backchannel_logout": urls("https://a.example")});
    let gone = [("oidc_backchannel_logout", Value::Null)];
    assert_eq!(along(&before, &gone), [("oidc_logout".to_owned(), None)]);
    assert_eq!(
        along(&before, &[("oidc_logout", Value::Null)]),
        [("oidc_backchannel_logout".to_owned(), None)]
    );
    let other = [("oidc_backchannel_logout.backchannel_logout_urls", json!(["https://b.example"]))];
    let addresses = Some(json!(["https://b.example"]));
    assert_eq!(
        along(&before, &other),
        [("oidc_logout.backchannel_logout_urls".to_owned(), addresses.clone())]
    );
    let newer = [("oidc_logout.backchannel_logout_urls", json!(["https://b.example"]))];
    assert_eq!(
        along(&before, &newer),
        [("oidc_backchannel_logout.backchannel_logout_urls".to_owned(), addresses)]
    );
    assert_eq!(along(&before, &[("oidc_logout.backchannel_logout_initiators.mode", json!("custom"))]), []);
    assert_eq!(along(&json!({}), &newer), [], "nothing was there to be moved");
}

#[test]
fn what_excludes_each_other_is_refused_with_the_value_that_stands_against_it() {
    let old = [("token_endpoint_auth_method", json!("client_secret_post"))];
    let said = refused(json!({"client_authentication_methods": {"tls_client_auth": {}}}), &old);
    assert_eq!(
        said,
        [
            "token_endpoint_auth_method does not go with client_authentication_methods ({\"tls_client_auth\":{}})"
        ]
    );
    let switched = [("client_authentication_methods", Value::Null), old[0].clone()];
    assert_eq!(refused(json!({"client_authentication_methods": methods()}), &switched), [""; 0]);
}

#[test]
fn a_value_that_another_field_must_have_is_asked_for_only_where_that_field_has_one() {
    let set = [("client_authentication_methods", methods())];
    assert_eq!(refused(json!({}), &set), [""; 0]);
    let said = refused(json!({"jwt_configuration": {"alg": "HS256"}}), &set);
    assert_eq!(
        said,
        ["client_authentication_methods needs jwt_configuration.alg to be \"RS256\"; it is \"HS256\""]
    );
    let both = [set[0].clone(), ("jwt_configuration.alg", json!("RS256"))];
    assert_eq!(refused(json!({"jwt_configuration": {"alg": "HS256"}}), &both), [""; 0]);
}

#[test]
fn a_link_with_a_value_speaks_of_that_value_alone() {
    let before = json!({"organization_usage": "allow", "oidc_conformant": false, "token_endpoint_auth_method": "none"});
    let said = |path: &str, value: Value| refused(before.clone(), &[(path, value)]);
    assert_eq!(said("is_first_party", json!(true)), [""; 0]);
    assert!(said("is_first_party", json!(false))[0].contains("organization_usage"));
    assert_eq!(said("organization_require_behavior", json!("no_prompt")), [""; 0]);
    assert!(
        said("organization_require_behavior", json!("post_login_prompt"))[0]
            .contains("oidc_conformant to be true")
    );
    assert_eq!(said("grant_types", json!(["implicit"])), [""; 0]);
    assert!(
        said("grant_types", json!(["client_credentials"]))[0].contains("token_endpoint_auth_method \"none\"")
    );
}

#[test]
fn a_value_that_a_link_forbids_is_refused_whichever_of_the_two_is_written() {
    let before = json!({"client_authentication_methods": methods(), "jwt_configuration": {"alg": "RS256"}});
    assert!(refused(before, &[("jwt_configuration.alg", json!("HS256"))])[0].contains("to be \"RS256\""));
    let before = json!({"is_first_party": false});
    assert!(refused(before, &[("organization_usage", json!("allow"))])[0].contains("is_first_party false"));
    let before = json!({"organization_require_behavior": "post_login_prompt", "oidc_conformant": true});
    assert!(refused(before, &[("oidc_conformant", json!(false))])[0].contains("oidc_conformant to be true"));
}

#[test]
fn a_public_application_without_a_method_takes_no_client_credentials() {
    let grants = [("grant_types", json!(["client_credentials"]))];
    for app_type in ["spa", "native"] {
        assert_eq!(
            refused(json!({"app_type": app_type, "client_authentication_methods": null}), &grants).len(),
            1,
            "{app_type}"
        );
        let with_one = json!({"app_type": app_type, "client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
        assert_eq!(refused(with_one, &grants), [""; 0]);
    }
    assert_eq!(refused(json!({"client_id": "a", "app_type": "regular_web"}), &grants), [""; 0]);
}

#[test]
fn what_the_tenant_holds_already_is_not_refused() {
    let odd =
        json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials", "implicit"]});
    assert_eq!(refused(odd.clone(), &[("name", json!("x")), ("client_metadata.a", json!("b"))]), [""; 0]);
    assert_eq!(
        refused(odd, &[("grant_types", json!(["client_credentials"]))]),
        [""; 0],
        "it was there before"
    );
    let odd = json!({"client_authentication_methods": methods(), "jwt_configuration": {"alg": "HS256"}});
    assert_eq!(
        refused(odd, &[("client_authentication_methods.private_key_jwt.credentials", json!([]))]),
        [""; 0]
    );
}

#[test]
fn one_setting_under_two_names_is_sent_under_the_newer_and_read_under_both() {
    let new = json!({"backchannel_logout_urls": ["https://a.example"], "backchannel_logout_initiators": {"mode": "all"}});
    let old = json!({"backchannel_logout_urls": ["https://a.example"]});
    let both = [("oidc_logout", new.clone()), ("oidc_backchannel_logout", old.clone())];
    assert_eq!(sent(json!({}), &both), json!({"oidc_logout": new}));
    assert_eq!(predicted(json!({}), &both[..1]), json!({"oidc_logout": new, "oidc_backchannel_logout": old}));
    assert_eq!(refused(json!({}), &both), [""; 0]);
    let other = [
        both[0].clone(),
        ("oidc_backchannel_logout", json!({"backchannel_logout_urls": ["https://b.example"]})),
    ];
    assert_eq!(
        refused(json!({}), &other),
        ["oidc_backchannel_logout and oidc_logout are one setting under two names, and are asked to differ"]
    );
}

#[test]
fn the_older_name_moves_the_newer_one_and_null_for_it_empties_both() {
    let urls = |url: &str| json!({"backchannel_logout_urls": [url]});
    let before = json!({"oidc_logout": urls("https://a.example"), "oidc_backchannel_logout": urls("https://a.example"), "name": "x"});
    let old = [("oidc_backchannel_logout", urls("https://b.example"))];
    assert_eq!(sent(before.clone(), &old), json!({"oidc_backchannel_logout": urls("https://b.example")}));
    assert_eq!(predicted(before.clone(), &old)["oidc_logout"], urls("https://b.example"));
    for name in ["oidc_logout", "oidc_backchannel_logout"] {
        let gone = [(name, Value::Null)];
        assert_eq!(sent(before.clone(), &gone), json!({"oidc_backchannel_logout": null}), "{name}");
        assert_eq!(predicted(before.clone(), &gone), json!({"name": "x"}), "{name}");
        assert_eq!(validate::unset(default_kind(), &name.parse().unwrap()), None);
    }
    let contrary = [("oidc_backchannel_logout", Value::Null), ("oidc_logout", urls("https://b.example"))];
    assert_eq!(refused(before, &contrary).len(), 1);
}

#[test]
fn fields_that_concern_each_other_are_read_along() {
    let along = |root: &str| default_kind().read_along(root).map(str::to_owned).collect::<BTreeSet<_>>();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        along("client_authentication_methods"),
        names(&["token_endpoint_auth_method", "jwt_configuration"])
    );
    assert_eq!(along("jwt_configuration"), names(&["client_authentication_methods"]));
    assert_eq!(along("oidc_logout"), names(&["oidc_backchannel_logout"]));
    assert_eq!(along("oidc_backchannel_logout"), names(&["oidc_logout"]));
    assert_eq!(along("name"), names(&[]));
}

#[test]
fn an_overlay_that_links_a_field_which_does_not_exist_is_caught_by_the_load() {
    let linked = &default_kind().linked;
    assert!(linked.roots().count() > 8);
    assert!(linked.roots().all(|root| default_kind().root().fields.contains_key(root)));
}
