//! Signs that the log does not tell of every write.

use super::*;

fn gaps(squashed: &Squashed) -> Vec<String> {
    squashed.gaps.iter().map(Gap::to_string).collect()
}

#[test]
fn a_field_that_moved_without_an_event_is_a_gap() {
    let story = shop(json!({"sso": false}))
        .ada(json!({"name": "X"}))
        .unseen(json!({"sso": true}))
        .ada(json!({"name": "Y"}));
    assert_eq!(
        gaps(&story.squashed(&everything())),
        [
            r#""Shop" (shop): sso was false and is true, and no event says why (seen at 2026-08-01T10:00:02Z, in event 900202600000002)"#
        ]
    );
    let before_the_first = shop(json!({"sso": false})).unseen(json!({"sso": true})).ada(json!({"name": "Y"}));
    assert_eq!(before_the_first.squashed(&everything()).gaps.len(), 1);
    assert_eq!(before_the_first.without_base(&everything()).gaps, [], "nothing is known of before");
}

#[test]
fn a_lost_write_of_a_field_that_the_next_request_names_cannot_be_seen_and_makes_no_difference() {
    let story = shop(json!({})).unseen(json!({"name": "lost"})).ada(json!({"name": "Y"}));
    assert_eq!(told(&story.squashed(&everything())), [r#"name: "Shop" → "Y""#]);
}

#[test]
fn a_gap_is_found_in_a_merged_object_beside_the_keys_that_were_sent() {
    let story = shop(json!({"client_metadata": {"a": "1"}}))
        .unseen(json!({"client_metadata": {"b": "lost"}}))
        .ada(json!({"client_metadata": {"a": "2"}}));
    let [gap] = story.squashed(&everything()).gaps.try_into().unwrap();
    assert_eq!(gap.path.unwrap().to_string(), "client_metadata.b");
}

#[test]
fn what_the_log_never_shows_and_what_nobody_can_judge_is_no_gap() {
    let story = shop(json!({
        "signing_keys": [{"cert": "c"}], "global": false, "encryption_key": {"pub": "p"}, "callbacks": null,
        "jwt_configuration": {"alg": "RS256", "secret_encoded": false},
    }))
    .ada(json!({"name": "X"}))
    .answered(|answer| {
        for unseen in ["signing_keys", "global", "client_secret", "encryption_key"] {
            answer.shift_remove(unseen);
        }
        answer.insert("callbacks".into(), json!([]));
        answer.insert("field_of_tomorrow".into(), json!(1));
        answer["jwt_configuration"].as_object_mut().unwrap().shift_remove("secret_encoded");
    })
    .ada(json!({"sso": true}));
    assert_eq!(told(&story.squashed(&everything())), [r#"name: "Shop" → "X""#, "sso: absent → true"]);
}

#[test]
fn the_state_now_shows_writes_after_the_last_event() {
    let story = shop(json!({"sso": false})).ada(json!({"name": "X"}));
    assert_eq!(story.with_now(Some(&story.state)).gaps, []);
    let story = story.unseen(json!({"sso": true}));
    assert_eq!(
        gaps(&story.with_now(Some(&story.state))),
        [r#""X" (shop): sso was false and is true, and no event says why (seen now)"#]
    );
    assert_eq!(gaps(&story.with_now(None)), [r#""X" (shop) is gone, and no event says so"#]);
    let deleted = shop(json!({})).ada_does(LogAction::Delete);
    assert_eq!(deleted.with_now(None).gaps, []);
}

#[test]
fn the_state_now_shows_lost_writes_to_clients_without_any_event() {
    let story = shop(json!({"sso": false})).unseen(json!({"sso": true}));
    assert_eq!(story.squashed(&everything()).gaps, [], "events alone do not show it");
    assert_eq!(story.with_now(Some(&story.state)).gaps.len(), 1);
    let quiet = shop(json!({"addons": {"firebase": {"secret": "hush"}}}));
    assert_eq!(quiet.with_now(Some(&quiet.state)).gaps, []);
}

#[test]
fn how_sure_it_is_that_nothing_is_missing_depends_on_what_was_compared() {
    let story = shop(json!({"sso": false})).ada(json!({"name": "X"}));
    let clients = HashMap::from([("shop".into(), story.base.clone())]);
    let now = HashMap::from([("shop".into(), story.state.clone())]);
    let base = Some(Base { clients: &clients, read_by: at(0) });
    let proof = |base, now| {
        let log = Log { events: &story.events, base, now };
        squash(default_kind(), &log, &everything()).proof(&log)
    };
    assert_eq!(proof(base, Some(&now)), Proof::Complete);
    assert_eq!(proof(base, None), Proof::Continuous);
    assert_eq!(proof(None, Some(&now)), Proof::Nothing);
    assert_eq!(proof(base, Some(&clients)), Proof::Nothing, "there is a gap");
}

#[test]
fn a_secret_is_in_no_gap() {
    let story = shop(json!({}))
        .unseen(
            json!({"addons": {"firebase": {"secret": "hush", "client_id": "f"}}, "client_secret": "hush"}),
        )
        .ada(json!({"name": "X"}));
    let squashed = story.squashed(&everything());
    assert_eq!(squashed.gaps.len(), 1);
    assert!(!format!("{squashed:?}").contains("hush"));
}
