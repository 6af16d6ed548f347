//! Which edits are recorded, and what becomes of the others.

use super::*;

#[test]
fn edits_of_somebody_else_are_followed_and_not_recorded() {
    let story = shop(json!({"sso": false}))
        .ada(json!({"name": "Shop 2"}))
        .bob(json!({"sso": true}))
        .ada(json!({"description": "by Ada"}));
    let expected = [r#"description: absent → "by Ada""#, r#"name: "Shop" → "Shop 2""#];
    assert_eq!(told(&story.squashed(&by("ADA@acme.example"))), expected);
    assert_eq!(told(&story.squashed(&by("bob@acme.example"))), ["sso: false → true"]);
    let nobody = story.squashed(&by("eve@acme.example"));
    assert_eq!((nobody.clients.len(), nobody.edits, nobody.unchanged), (0, 0, 0));
    let seen: Vec<String> = nobody.authors.iter().map(Author::to_string).collect();
    assert_eq!(seen, ["ada@acme.example", "bob@acme.example"]);
}

#[test]
fn a_channel_is_the_dashboard_or_all_others() {
    let story = shop(json!({})).ada(json!({"name": "By hand"})).program(json!({"sso": true}));
    let of = |channel| told(&story.squashed(&Selection { channel, ..everything() }));
    assert_eq!(of(Channel::Dashboard), [r#"name: "Shop" → "By hand""#]);
    assert_eq!(of(Channel::Api), ["sso: absent → true"]);
    assert_eq!(of(Channel::All).len(), 2);
}

#[test]
fn edits_between_the_snapshot_and_the_window_are_what_the_window_found() {
    let story = shop(json!({}))
        .ada(json!({"name": "Before"}))
        .ada(json!({"sso": true}))
        .ada(json!({"description": "after"}));
    let window = Selection { since: at(2), until: at(2), ..everything() };
    assert_eq!(told(&story.squashed(&window)), ["sso: absent → true"]);
}

#[test]
fn the_ends_of_the_window_belong_to_it() {
    let story = shop(json!({})).ada(json!({"name": "A"})).ada(json!({"name": "B"})).ada(json!({"name": "C"}));
    let window = |since, until| Selection { since: at(since), until: at(until), ..everything() };
    assert_eq!(story.squashed(&window(1, 3)).edits, 3);
    assert_eq!(story.squashed(&window(2, 2)).edits, 1);
    assert_eq!(story.squashed(&window(4, 9)).edits, 0);
}

#[test]
fn a_field_that_somebody_else_changed_again_is_recorded_with_a_warning() {
    let story =
        shop(json!({"sso": false})).ada(json!({"name": "Ada's", "sso": true})).bob(json!({"name": "Bob's"}));
    assert_eq!(
        told(&story.squashed(&by("ada@acme.example"))),
        [
            r#"name: "Shop" → "Ada's""#,
            "sso: false → true",
            "warning: name was changed again by bob@acme.example, which is not recorded: the recorded value is no longer this tenant's",
        ]
    );
    let undone =
        shop(json!({})).ada(json!({"name": "A"})).bob(json!({"name": "B"})).bob(json!({"name": "A"}));
    assert_eq!(told(&undone.squashed(&by("ada@acme.example"))), [r#"name: "Shop" → "A""#]);
}

#[test]
fn a_field_that_somebody_else_changed_before_is_recorded_from_the_snapshot_on_with_a_warning() {
    let story = shop(json!({})).bob(json!({"name": "Bob's"})).ada(json!({"name": "Ada's"}));
    assert_eq!(
        told(&story.squashed(&by("ada@acme.example"))),
        [
            r#"name: "Shop" → "Ada's""#,
            "warning: name was changed by bob@acme.example before, which is not recorded: the recorded change starts from what was there before that",
        ]
    );
}

#[test]
fn items_that_two_people_add_to_a_list_are_each_ones_own() {
    let list = |items: &[&str]| json!({ "callbacks": items });
    let story = shop(list(&["a", "b"]))
        .bob(list(&["a", "b", "bob"]))
        .ada(list(&["a", "bob", "ada"]))
        .bob(list(&["a", "bob", "ada", "bob 2"]));
    assert_eq!(
        told(&story.squashed(&by("ada@acme.example"))),
        [
            r#"callbacks: ["a","b"] → ["a","ada"]"#,
            "warning: callbacks was changed by bob@acme.example before, which is not recorded: the recorded change starts from what was there before that",
        ]
    );
    let later = shop(list(&["a"])).ada(list(&["a", "ada"])).bob(list(&["a", "ada", "bob"]));
    assert_eq!(told(&later.squashed(&by("ada@acme.example"))), [r#"callbacks: ["a"] → ["a","ada"]"#]);
}

#[test]
fn what_cannot_be_recorded_is_left_out_by_name() {
    let left = |story: &Story| -> Vec<_> {
        let squashed = story.squashed(&everything());
        assert_eq!(squashed.clients, []);
        squashed.left_out.into_iter().map(|left| (left.name.unwrap(), left.why, left.events)).collect()
    };
    let rotated = shop(json!({})).ada_does(LogAction::RotateSecret);
    assert_eq!(left(&rotated), [("Shop".to_owned(), WhyLeftOut::SecretRotated, 1)]);
    let below = shop(json!({})).ada_does(LogAction::Below);
    assert_eq!(left(&below), [("Shop".to_owned(), WhyLeftOut::Credentials, 1)]);
    let deleted = shop(json!({})).ada(json!({"sso": true})).ada_does(LogAction::Delete);
    assert_eq!(left(&deleted), [("Shop".to_owned(), WhyLeftOut::Deleted, 2)]);
    assert_eq!(deleted.squashed(&by("bob@acme.example")).left_out, [], "nothing of it was chosen");
}

#[test]
fn a_client_that_the_snapshot_does_not_have_is_left_out() {
    let none = HashMap::new();
    let squashed = |story: &Story| {
        let base = Base { clients: &none, read_by: at(0) };
        squash(default_kind(), &Log { events: &story.events, base: Some(base), now: None }, &everything())
    };
    let made = squashed(&shop(json!({})).ada_does(LogAction::Create).ada(json!({"sso": true})));
    assert_eq!((made.left_out[0].why, made.left_out[0].events), (WhyLeftOut::Created, 2));
    let foreign = squashed(&shop(json!({})).ada(json!({"sso": true})));
    assert_eq!(
        (foreign.left_out[0].why, foreign.left_out[0].name.as_deref()),
        (WhyLeftOut::NotInBase, Some("Shop"))
    );
}

#[test]
fn an_event_from_while_the_snapshot_was_taken_is_in_it_or_not() {
    // The snapshot was read between the second and the third event, and the first two cannot be told from later ones.
    let mut story = shop(json!({})).bob(json!({"name": "1"})).bob(json!({"sso": true}));
    story.base = story.state.clone();
    let story = story.ada(json!({"name": "3"}));
    let clients = HashMap::from([("shop".into(), story.base.clone())]);
    let base = Base { clients: &clients, read_by: at(3) };
    let log = Log { events: &story.events, base: Some(base), now: None };
    assert_eq!(told(&squash(default_kind(), &log, &everything())), [r#"name: "1" → "3""#]);
    let early =
        squash(default_kind(), &Log { base: Some(Base { read_by: at(0), ..base }), ..log }, &everything());
    assert_eq!(early.gaps.len(), 1, "an event that is older than the snapshot contradicts it");
}
