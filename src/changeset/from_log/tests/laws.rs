//! Laws over random edits.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::changeset::differing::differing;

/// A few fields of every sort, with few values, so that edits meet.
fn patch() -> impl Strategy<Value = Value> {
    let text = || select(vec!["a", "b", "c"]);
    let list = proptest::sample::subsequence(vec!["u1", "u2", "u3", "u4"], 0..=4);
    let field = prop_oneof![
        text().prop_map(|text| json!({ "name": text })),
        text().prop_map(|text| json!({ "description": text })),
        any::<bool>().prop_map(|value| json!({ "sso": value })),
        list.clone().prop_map(|list| json!({ "callbacks": list })),
        list.prop_map(|list| json!({ "web_origins": list })),
        (text(), proptest::option::of(text()))
            .prop_map(|(key, value)| json!({"client_metadata": {key: value}})),
        text().prop_map(
            |text| json!({"jwt_configuration": {"lifetime_in_seconds": text.len(), "alg": "RS256"}})
        ),
        Just(json!({"organization_usage": null})),
        Just(json!({"organization_usage": "allow"})),
        (1..3_u64)
            .prop_map(|leeway| json!({"refresh_token": {"leeway": leeway, "rotation_type": "rotating"}})),
        Just(json!({"refresh_token": null})),
    ];
    proptest::collection::vec(field, 1..4).prop_map(|fields| {
        Value::Object(fields.into_iter().flat_map(|field| field.as_object().unwrap().clone()).collect())
    })
}

fn edits() -> impl Strategy<Value = Vec<(bool, Value)>> {
    proptest::collection::vec((any::<bool>(), patch()), 1..12)
}

fn start() -> Story {
    shop(json!({"callbacks": ["u1", "u2"], "client_metadata": {"a": "a"}, "sso": false}))
}

fn story(edits: Vec<(bool, Value)>) -> Story {
    edits
        .into_iter()
        .fold(start(), |story, (ada, patch)| if ada { story.ada(patch) } else { story.bob(patch) })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// All edits together lead from the snapshot to the final state, whatever the order of delivery and however many doubles.
    #[test]
    fn all_edits_together_make_the_final_state(edits in edits(), shuffle in any::<u64>(), doubles in 0..5_usize) {
        let mut story = story(edits);
        let twice: Vec<LogEvent> = story.events.iter().take(doubles).cloned().collect();
        story.events.extend(twice);
        fastrand::Rng::with_seed(shuffle).shuffle(&mut story.events);
        let squashed = story.squashed(&everything());
        prop_assert_eq!(&squashed.gaps, &[]);
        match squashed.clients.as_slice() {
            [client] => {
                prop_assert_eq!(differing(default_kind(), &client.after, &story.state), []);
                prop_assert!(!client.paths.is_empty());
                prop_assert_eq!(&client.warnings, &Vec::<String>::new());
            }
            _ => prop_assert_eq!(differing(default_kind(), &story.base, &story.state), []),
        }
        let now = story.with_now(Some(&story.state));
        prop_assert_eq!(now.gaps, []);
    }

    /// What one of two people did is nothing that the other did: paths that Ada never sent are not recorded as hers.
    #[test]
    fn what_is_recorded_of_one_author_is_what_that_author_sent(edits in edits()) {
        let sent: Vec<FieldPath> = edits.iter().filter(|(ada, _)| *ada).flat_map(|(_, patch)| {
            named::Named::of(default_kind(), &body(patch.clone()), None).units
        }).collect();
        let squashed = story(edits).squashed(&by("ada@acme.example"));
        prop_assert_eq!(&squashed.gaps, &[]);
        for path in squashed.clients.iter().flat_map(|client| &client.paths) {
            prop_assert!(sent.iter().any(|sent| sent.encloses(path) || path.encloses(sent)), "{path} was not sent");
        }
    }

    /// Two people who touch different fields can be recorded one after the other: together they make the final state.
    #[test]
    fn edits_of_different_fields_compose(edits in edits()) {
        let mut apart = edits;
        for (ada, patch) in &mut apart {
            let patch = patch.as_object_mut().unwrap();
            patch.retain(|key, _| ["name", "callbacks", "refresh_token"].contains(&key.as_str()) == *ada);
        }
        apart.retain(|(_, patch)| !patch.as_object().unwrap().is_empty());
        let story = story(apart);
        let mut state = story.base.clone();
        for author in ["ada@acme.example", "bob@acme.example"] {
            let squashed = story.squashed(&by(author));
            for client in &squashed.clients {
                prop_assert_eq!(&client.warnings, &Vec::<String>::new());
                for path in &client.paths {
                    match path.get(&client.after) {
                        Some(value) => path.put(&mut state, value.clone()),
                        None => drop(path.remove(&mut state)),
                    }
                }
            }
        }
        prop_assert_eq!(differing(default_kind(), &state, &story.state), []);
    }
}
