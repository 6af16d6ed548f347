#![expect(clippy::needless_pass_by_value, reason = "called with literals")]

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

#[test]
fn a_method_of_the_old_kind_is_emptied_along_where_methods_of_the_new_kind_are_set() {
    let before = json!({"token_endpoint_auth_method": "client_secret_post"});
    let along = |before: &Value, list: &[(&str, Value)]| {
        emptied_along(default_kind(), &object(before.clone()), &changes(list))
    };
    let set = [("client_authentication_methods", methods())];
    assert_eq!(along(&before, &set), ["token_endpoint_auth_method".parse().unwrap()]);
    assert_eq!(along(&json!({}), &set), []);
    assert_eq!(along(&before, &[("client_authentication_methods", Value::Null)]), []);
    let both = [set[0].clone(), ("token_endpoint_auth_method", Value::Null)];
    assert_eq!(along(&before, &both), [], "it is named already");
    assert_eq!(along(&before, &[("name", json!("x"))]), []);
}

#[test]
fn what_excludes_each_other_is_refused_with_the_value_that_stands_against_it() {
    let old = [("token_endpoint_auth_method", json!("client_secret_post"))];
    let said = refused(json!({"client_authentication_methods": {"tls_client_auth": {}}}), &old);
    assert_eq!(
        said,
        [
            "token_endpoint_auth_method does not go with client_authentication_methods, which holds {\"tls_client_auth\":{}}"
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
fn what_the_tenant_holds_already_is_not_refused_when_something_else_is_written() {
    let odd = json!({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]});
    assert_eq!(refused(odd, &[("name", json!("x")), ("client_metadata.a", json!("b"))]), [""; 0]);
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
        ["oidc_backchannel_logout and oidc_logout are one setting under two names"]
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
    let along = |root: &str| default_kind().read_along(root).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(along("client_authentication_methods"), ["token_endpoint_auth_method", "jwt_configuration"]);
    assert_eq!(along("oidc_logout"), ["oidc_backchannel_logout"]);
    assert_eq!(along("oidc_backchannel_logout"), ["oidc_logout"]);
    assert_eq!(along("name"), [""; 0]);
}

#[test]
fn an_overlay_that_links_a_field_which_does_not_exist_is_caught_by_the_load() {
    let linked = &default_kind().linked;
    assert!(linked.roots().count() > 8);
    assert!(linked.roots().all(|root| default_kind().root().fields.contains_key(root)));
}
