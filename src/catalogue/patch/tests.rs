//! The laws of a PATCH, judged by a server written here from the recorded claims, without the catalogue.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::default_kind;
use crate::catalogue::redact::{SECRET_MARKER, strip};
use crate::model::ListOrder;
use crate::model::value::same;

/// Objects that the service merges at their first level; everything else is replaced.
const MERGED: [&str; 6] = [
    "client_metadata",
    "jwt_configuration",
    "session_transfer",
    "native_social_login",
    "mobile",
    "signed_request_object",
];

/// What the service was seen to do with a PATCH. Panics where it would refuse.
fn serve(before: &Body, patch: &Body) -> Body {
    let mut state = before.clone();
    for (field, value) in patch {
        assert_ne!(value.get("secret_encoded"), Some(&json!(false)), "read-only key sent");
        match value {
            Value::Null => drop(state.shift_remove(field)),
            Value::String(text) if text.is_empty() && field == "initiate_login_uri" => {
                state.shift_remove(field);
            }
            Value::Object(map) if MERGED.contains(&field.as_str()) => merge(&mut state, field, map),
            value => drop(state.insert(field.clone(), compact(value))),
        }
    }
    if let Some(urls) = patch.get("oidc_logout").and_then(|set| set.get("backchannel_logout_urls")) {
        state.insert("oidc_backchannel_logout".into(), json!({ "backchannel_logout_urls": urls }));
    }
    state
}

fn merge(state: &mut Body, field: &str, patch: &Body) {
    let fresh = match field {
        "session_transfer" => json!({
            "can_create_session_transfer_token": false, "enforce_cascade_revocation": true,
            "allowed_authentication_methods": [], "enforce_device_binding": "ip",
            "allow_refresh_token": false, "enforce_online_refresh_tokens": true,
        }),
        _ => json!({}),
    };
    let held = state.entry(field).or_insert(fresh).as_object_mut().unwrap();
    for (key, value) in patch {
        match value {
            Value::Null => drop(held.shift_remove(key)),
            value => drop(held.insert(key.clone(), compact(value))),
        }
    }
}

fn compact(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), compact(value)))
            .collect(),
        other => other.clone(),
    }
}

fn object(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn changes(pairs: &[(&str, Option<Value>)]) -> Vec<Change> {
    pairs.iter().map(|(path, value)| (path.parse().unwrap(), value.clone())).collect()
}

fn body_of(before: &Value, pairs: &[(&str, Option<Value>)]) -> Value {
    Value::Object(body(default_kind(), &object(before.clone()), &changes(pairs)).body)
}

/// A client with any of the objects whose siblings a PATCH could lose.
fn any_client() -> impl Strategy<Value = Body> {
    let full = json!({
        "name": "Shop", "description": "d", "initiate_login_uri": "https://a.example/login",
        "callbacks": ["https://a.example/cb"], "grant_types": ["implicit"],
        "client_metadata": {"owner": "x", "team": "y"},
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false},
        "session_transfer": {"allow_refresh_token": true, "delegation": {"allow_delegated_access": true, "enforce_device_binding": "asn"}},
        "mobile": {"android": {"app_package_name": "a", "sha256_cert_fingerprints": ["AA"]}, "ios": {"team_id": "t"}},
        "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 3, "policies": [{"audience": "a", "scope": ["b"]}]},
        "addons": {"samlp": {"audience": "urn:a", "logout": {"slo_enabled": true}}, "wsfed": {}},
        "oidc_logout": {"backchannel_logout_urls": ["https://a.example/bc"]},
    });
    let full = object(full);
    prop::collection::vec(any::<bool>(), full.len()).prop_map(move |keep| {
        full.clone().into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(pair, _)| pair).collect()
    })
}

/// Some changes, no two of one path.
fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    let pool = changes(&[
        ("name", Some(json!("New"))),
        ("description", None),
        ("initiate_login_uri", None),
        ("callbacks", Some(json!(["https://b.example"]))),
        ("grant_types", None),
        ("client_metadata.owner", Some(json!("z"))),
        ("client_metadata.team", None),
        ("client_metadata.\"a.b\"", Some(json!("dots"))),
        ("jwt_configuration.lifetime_in_seconds", Some(json!(60))),
        ("session_transfer.enforce_device_binding", Some(json!("none"))),
        ("session_transfer.delegation.enforce_device_binding", Some(json!("ip"))),
        ("mobile.android.app_package_name", Some(json!("b"))),
        ("refresh_token.leeway", Some(json!(9))),
        ("refresh_token.policies", None),
        ("addons.samlp.audience", Some(json!("urn:b"))),
        ("addons.samlp.logout", None),
        ("oidc_logout.backchannel_logout_urls", None),
        ("token_quota", None),
    ]);
    prop::sample::subsequence(pool, 1..8)
}

proptest! {
    #[test]
    fn what_is_predicted_is_what_the_service_holds_and_siblings_stay(before in any_client(), changes in any_changes()) {
        let patch = body(default_kind(), &before, &changes);
        let after = serve(&before, &patch.body);
        prop_assert_eq!(&predict(default_kind(), &before, &changes), &after, "sent {:?}", patch.body);
        for (path, value) in &changes {
            if value.is_some() {
                prop_assert_eq!(path.get(&after), value.as_ref());
            }
        }
        for (field, value) in &before {
            if changes.iter().all(|(path, _)| path.root() != field) {
                prop_assert_eq!(after.get(field), Some(value));
                prop_assert!(!patch.body.contains_key(field), "{} was sent", field);
            }
        }
    }

    #[test]
    fn the_same_changes_again_change_nothing(before in any_client(), changes in any_changes()) {
        let once = predict(default_kind(), &before, &changes);
        prop_assert_eq!(predict(default_kind(), &once, &changes), once);
    }
}

#[test]
fn merged_objects_are_sent_by_the_leaf_and_deeper_ones_whole() {
    let before = json!({
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false},
        "client_metadata": {"owner": "x", "team": "y"},
        "mobile": {"android": {"app_package_name": "a", "sha256_cert_fingerprints": ["AA"]}, "ios": {"team_id": "t"}},
    });
    let sent = body_of(
        &before,
        &[
            ("jwt_configuration.alg", Some(json!("PS256"))),
            ("client_metadata.team", None),
            ("mobile.android.app_package_name", Some(json!("b"))),
        ],
    );
    assert_eq!(
        sent,
        json!({
            "jwt_configuration": {"alg": "PS256"},
            "client_metadata": {"team": null},
            "mobile": {"android": {"app_package_name": "b", "sha256_cert_fingerprints": ["AA"]}},
        })
    );
}

#[test]
fn other_objects_are_sent_whole_without_what_cannot_be_written() {
    let before = json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": null}});
    let sent = body_of(&before, &[("refresh_token.leeway", Some(json!(5)))]);
    assert_eq!(
        sent,
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 5}})
    );
    let sent =
        body_of(&json!({}), &[("jwt_configuration", Some(json!({"alg": "RS256", "secret_encoded": false})))]);
    assert_eq!(sent, json!({"jwt_configuration": {"alg": "RS256"}}));
    assert_eq!(body_of(&json!({}), &[("tenant", Some(json!("other")))]), json!({}));
}

#[test]
fn replacing_a_merged_object_empties_the_keys_that_are_not_named() {
    let before = json!({"client_metadata": {"owner": "x", "team": "y"}});
    let replaced = [("client_metadata", Some(json!({"team": "z"})))];
    assert_eq!(body_of(&before, &replaced), json!({"client_metadata": {"team": "z", "owner": null}}));
    let emptied = changes(&[("client_metadata", None)]);
    assert_eq!(predict(default_kind(), &object(before), &emptied), object(json!({"client_metadata": {}})));
}

#[test]
fn emptying_is_sent_as_the_catalogue_says_and_read_back_as_recorded() {
    let before = object(
        json!({"description": "d", "initiate_login_uri": "https://a.example", "callbacks": ["x"], "token_quota": {}}),
    );
    let gone = changes(&[
        ("description", None),
        ("initiate_login_uri", None),
        ("callbacks", None),
        ("token_quota", None),
    ]);
    let sent = body(default_kind(), &before, &gone).body;
    assert_eq!(
        sent,
        object(json!({"description": "", "initiate_login_uri": "", "callbacks": [], "token_quota": null}))
    );
    assert_eq!(predict(default_kind(), &before, &gone), object(json!({"description": "", "callbacks": []})));
}

#[test]
fn a_secret_beside_a_change_is_taken_from_a_read_at_send_time() {
    let live = object(json!({"addons": {"firebase": {"secret": "s3cret", "client_email": "a@b.example"}}}));
    let mut stored = live.clone();
    strip(default_kind(), &mut stored);
    let change = changes(&[("addons.firebase.client_email", Some(json!("c@d.example")))]);
    assert!(body(default_kind(), &stored, &change).compose);
    let patch = body(default_kind(), &live, &change);
    assert!(!patch.compose);
    assert_eq!(patch.body["addons"]["firebase"], json!({"secret": "s3cret", "client_email": "c@d.example"}));
    let whole = changes(&[("addons", Some(json!({"firebase": {"secret": SECRET_MARKER}})))]);
    assert_eq!(body(default_kind(), &live, &whole).body["addons"]["firebase"]["secret"], "s3cret");
    assert!(body(default_kind(), &Body::new(), &whole).compose, "a secret that is gone is not made up");
}

/// The leaves in which two values of a field differ, as a plan would hold them.
fn differences(path: &FieldPath, before: Option<&Value>, after: Option<&Value>, into: &mut Vec<Change>) {
    let map = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    match (map(before), map(after)) {
        (Some(before), Some(after)) => {
            let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
            keys.dedup();
            for key in keys {
                if !into.iter().any(|(done, _)| *done == path.child(key)) {
                    differences(&path.child(key), before.get(key), after.get(key), into);
                }
            }
        }
        _ if same(before, after, ListOrder::Ordered) => (),
        _ => into.push((path.clone(), after.cloned())),
    }
}

#[test]
fn recorded_exchanges_are_predicted_and_their_bodies_lead_there() {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/patch-exchanges.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: no recorded exchanges at {}", file.display());
        return;
    };
    let (mut seen, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let (Some(before), Some(after)) = (exchange["before"].as_object(), exchange["after"].as_object())
        else {
            continue;
        };
        let patched = exchange["patch"].as_object().unwrap().keys().filter(|field| *field != "client_secret");
        let (mut changes, roots) =
            (Vec::new(), patched.map(|field| FieldPath::root_field(field)).collect::<Vec<_>>());
        for root in &roots {
            // "" and {} over something are what emptying leaves behind, and a plan says it as emptied.
            let was = root.get(before);
            let emptied = |value: &Value| was.is_some() && default_kind().is_empty(root, Some(value));
            let now = root.get(after).filter(|value| !emptied(value));
            differences(root, was, now, &mut changes);
        }
        let predicted = predict(default_kind(), before, &changes);
        let served = serve(before, &body(default_kind(), before, &changes).body);
        for root in &roots {
            let place = format!("{} {root}: {changes:?}", exchange["source"]);
            // A read-only key may spring up beside a written one; whatever was planned has to be as planned.
            let held =
                |state: &Body| root.get(state).map(|value| sendable(default_kind(), root, value.clone()));
            if !same(held(&predicted).as_ref(), held(after).as_ref(), ListOrder::Ordered) {
                wrong.push(format!("predicted {place}: {:?}", root.get(after)));
            }
            if !same(held(&served).as_ref(), held(after).as_ref(), ListOrder::Ordered) {
                wrong.push(format!("served {place}: {:?}", root.get(after)));
            }
            seen += usize::from(changes.iter().any(|(path, _)| path.root() == root.root()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 60, "{seen}");
}
