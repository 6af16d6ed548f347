//! Fields that the service moves along with others.

use super::*;

fn urls(url: &str) -> Value {
    json!({"backchannel_logout_urls": [url]})
}

#[test]
fn of_two_names_of_a_setting_the_newer_is_recorded() {
    for sent in ["oidc_logout", "oidc_backchannel_logout"] {
        let story = shop(json!({})).ada(json!({sent: urls("https://a")}));
        let after = Value::Object(story.state.clone());
        assert_eq!(after["oidc_logout"], after["oidc_backchannel_logout"], "both show it");
        let squashed = story.squashed(&everything());
        assert_eq!(
            told(&squashed),
            [r#"oidc_logout.backchannel_logout_urls: absent → ["https://a"]"#],
            "{sent}"
        );
        let both = story.ada(json!({"oidc_logout": urls("https://b")}));
        let emptied = both.ada(json!({"oidc_backchannel_logout": null}));
        assert_eq!(told(&emptied.squashed(&everything())), [""; 0]);
    }
}

#[test]
fn without_a_snapshot_too_the_newer_of_two_names_is_recorded_where_both_were_sent() {
    let story = shop(json!({}))
        .ada(json!({"oidc_backchannel_logout": urls("https://a"), "oidc_logout": urls("https://a")}));
    assert_eq!(told(&story.without_base(&everything())), [format!("oidc_logout: {}", urls("https://a"))]);
    let older = shop(json!({})).ada(json!({"oidc_backchannel_logout": urls("https://a")}));
    assert_eq!(
        told(&older.without_base(&everything())),
        [format!("oidc_backchannel_logout: {}", urls("https://a"))]
    );
}

#[test]
fn a_method_that_vanishes_while_others_are_set_is_not_recorded_beside_them() {
    let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}});
    let story = shop(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .ada(json!({"client_authentication_methods": methods}));
    assert!(!story.state.contains_key("token_endpoint_auth_method"));
    assert_eq!(
        told(&story.squashed(&everything())),
        [r#"client_authentication_methods.private_key_jwt.credentials: absent → [{"id":"cred_1"}]"#]
    );
}

#[test]
fn a_method_that_is_set_while_the_others_are_emptied_is_recorded_with_them() {
    let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}});
    let story = shop(json!({"client_authentication_methods": methods})).ada(
        json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_basic"}),
    );
    assert_eq!(
        told(&story.squashed(&everything())),
        [
            format!("client_authentication_methods: {methods} → absent"),
            r#"token_endpoint_auth_method: absent → "client_secret_basic""#.to_owned(),
        ]
    );
}

#[test]
fn an_object_that_springs_up_with_its_defaults_is_no_gap() {
    let story = shop(json!({})).ada(json!({"session_transfer": {"can_create_session_transfer_token": true}}));
    let lines = told(&story.squashed(&everything()));
    assert!(
        lines.contains(&"session_transfer.can_create_session_transfer_token: absent → true".to_owned()),
        "{lines:?}"
    );
    assert!(lines.iter().all(|line| line.starts_with("session_transfer.")), "{lines:?}");
}
