//! Values that the log does not show.

use super::*;

#[test]
fn a_secret_that_is_sent_is_masked_and_one_that_is_not_sent_is_no_change() {
    let story = shop(json!({})).ada(json!({"client_secret": "new and hush", "name": "Shop 2"}));
    let squashed = story.squashed(&everything());
    assert_eq!(told(&squashed), [r#"name: "Shop" → "Shop 2""#, "masked: client_secret"]);
    assert!(!format!("{squashed:?}").contains("hush"));
    let only = shop(json!({})).ada(json!({"client_secret": "new and hush"}));
    assert_eq!(told(&only.squashed(&everything())), ["masked: client_secret"]);
    assert_eq!(told(&only.without_base(&everything())), ["masked: client_secret"]);
    let neither = shop(json!({})).ada(json!({"name": "Shop"}));
    assert_eq!(told(&neither.squashed(&everything())), [""; 0]);
}

#[test]
fn a_value_that_the_log_masks_though_it_is_no_secret_is_masked_where_it_was_sent() {
    let mask = |body: &mut Body| {
        body["custom_login_page"] = json!("[REDACTED]");
    };
    let sent =
        shop(json!({"custom_login_page": "<p>"})).ada(json!({"custom_login_page": "<b>"})).answered(mask);
    let squashed = sent.squashed(&everything());
    assert_eq!(told(&squashed), ["masked: custom_login_page"]);
    assert_eq!(squashed.clients[0].after["custom_login_page"], "<p>", "as it was");
    let not_sent = shop(json!({"custom_login_page": "<p>"})).ada(json!({"name": "X"})).answered(mask);
    assert_eq!(told(&not_sent.squashed(&everything())), [r#"name: "Shop" → "X""#]);
}

#[test]
fn the_secret_of_an_add_on_is_masked_and_the_rest_of_it_recorded() {
    let story = shop(json!({})).ada(json!({"addons": {"firebase": {"secret": "hush", "client_id": "f"}}}));
    let squashed = story.squashed(&everything());
    assert_eq!(
        told(&squashed),
        [r#"addons.firebase.client_id: absent → "f""#, "masked: addons.firebase.secret"]
    );
    let gone = story.ada(json!({"addons": null}));
    assert_eq!(told(&gone.squashed(&everything())), [""; 0]);
}

#[test]
fn a_secret_that_the_log_shows_twice_alike_was_not_changed() {
    let firebase =
        |secret: &str, id: &str| json!({"addons": {"firebase": {"secret": secret, "client_id": id}}});
    let story = shop(firebase("hush", "f")).bob(json!({"sso": true})).ada(firebase("hush", "g"));
    let squashed = story.squashed(&by("ada@acme.example"));
    assert_eq!(told(&squashed), [r#"addons.firebase.client_id: "f" → "g""#]);
    let other = shop(firebase("hush", "f")).bob(json!({"sso": true})).ada(firebase("hush, hush", "f"));
    assert_eq!(told(&other.squashed(&by("ada@acme.example"))), ["masked: addons.firebase.secret"]);
}

#[test]
fn an_edit_without_an_answer_is_taken_at_its_word_and_its_secrets_are_not() {
    let mut story = shop(json!({}))
        .ada(json!({"name": "Shop 2", "client_secret": "hush", "addons": {"firebase": {"secret": "hush"}}}));
    story.events[0].response = None;
    let squashed = story.squashed(&everything());
    assert_eq!(
        told(&squashed),
        [
            r#"name: "Shop" → "Shop 2""#.to_owned(),
            "masked: addons.firebase.secret".to_owned(),
            "masked: client_secret".to_owned(),
            "warning: the log does not show what shop answered; what was sent at 2026-08-01T10:00:01Z is taken at its word"
                .to_owned(),
        ]
    );
    assert!(!format!("{squashed:?}").contains("hush"));
}

#[test]
fn without_a_snapshot_an_edit_without_an_answer_leaves_the_state_unknown() {
    let mut story =
        shop(json!({"sso": true})).ada(json!({"name": "Shop 2"})).ada(json!({"description": "x"}));
    story.events[0].response = None;
    let lines = told(&story.without_base(&everything()));
    assert_eq!(lines[..2], [r#"name: "Shop 2""#, r#"description: "x""#]);
    assert_eq!(story.without_base(&everything()).clients[0].known["sso"], true);
}

#[test]
fn an_edit_without_an_answer_moves_along_what_the_service_moves() {
    let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}});
    let mut story = shop(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .ada(json!({"client_authentication_methods": methods}))
        .ada(json!({"name": "Shop 2"}));
    story.events[0].response = None;
    let lines = told(&story.squashed(&everything()));
    assert_eq!(
        lines[..2],
        [
            r#"client_authentication_methods.private_key_jwt.credentials: absent → [{"id":"cred_1"}]"#,
            r#"name: "Shop" → "Shop 2""#,
        ]
    );
}
