//! How a PATCH changes a stored client: written from recorded exchanges with the service, and on purpose not shared with the
//! code that computes what to send. Central function: [`merge`].

use serde_json::{Value, json};

use crate::catalogue::{Field, Merge};
use crate::model::Body;

/// Objects whose unnamed keys stay. All others are replaced whole: where nobody knows what the service does, the sandbox takes
/// the reading that punishes a partial object.
const MERGED: [&str; 7] = [
    "client_metadata",
    "jwt_configuration",
    "session_transfer",
    "native_social_login",
    "mobile",
    "signed_request_object",
    "fedcm_login",
];

/// Applies a valid PATCH body to a client.
pub(super) fn merge(client: &mut Body, patch: &Body) {
    for (key, value) in patch {
        match value {
            Value::Null => remove(client, key),
            Value::String(text) if text.is_empty() && key == "initiate_login_uri" => remove(client, key),
            Value::Object(sent) if MERGED.contains(&key.as_str()) => merge_keys(client, key, sent),
            _ => {
                client.insert(key.clone(), value.clone());
            }
        }
    }
    mirror_logout(client, patch);
}

fn remove(client: &mut Body, key: &str) {
    client.remove(key);
    // The two names are one setting: the old one removed takes the new one along, and the other way round.
    if matches!(key, "oidc_backchannel_logout" | "oidc_logout") {
        client.remove("oidc_logout");
        client.remove("oidc_backchannel_logout");
    }
}

/// Applies a valid PATCH body to an object of another kind than clients: what the catalogue calls merged is merged by key, all
/// else is replaced whole, and null removes.
pub(super) fn merge_into(object: &mut Body, patch: &Body, root: &Field) {
    let merged = |key: &str| root.fields.get(key).is_some_and(|field| field.merge == Merge::PerKey);
    for (key, value) in patch {
        match value {
            Value::Null => {
                object.shift_remove(key);
            }
            Value::Object(sent) if merged(key) => merge_keys(object, key, sent),
            _ => {
                object.insert(key.clone(), value.clone());
            }
        }
    }
}

fn merge_keys(client: &mut Body, key: &str, sent: &Body) {
    let stored = client.entry(key).or_insert(Value::Null);
    if !stored.is_object() {
        *stored = if key == "session_transfer" { session_transfer_defaults() } else { json!({}) };
    }
    let Some(stored) = stored.as_object_mut() else { return };
    for (inner, value) in sent {
        if value.is_null() {
            stored.remove(inner);
        } else {
            stored.insert(inner.clone(), value.clone());
        }
    }
}

/// What any object sent while there was none creates.
fn session_transfer_defaults() -> Value {
    json!({
        "can_create_session_transfer_token": false,
        "allowed_authentication_methods": [],
        "enforce_device_binding": "ip",
        "allow_refresh_token": false,
        "enforce_online_refresh_tokens": true,
        "enforce_cascade_revocation": true,
    })
}

/// `oidc_logout` and `oidc_backchannel_logout` share their list of addresses.
fn mirror_logout(client: &mut Body, patch: &Body) {
    let urls_of =
        |name: &str| patch.get(name).and_then(|value| value.get("backchannel_logout_urls")).cloned();
    if let Some(urls) = urls_of("oidc_logout") {
        client.insert("oidc_backchannel_logout".into(), json!({ "backchannel_logout_urls": urls }));
    } else if let Some(urls) = urls_of("oidc_backchannel_logout") {
        let new = client.entry("oidc_logout").or_insert(Value::Null);
        if !new.is_object() {
            *new = json!({});
        }
        new["backchannel_logout_urls"] = urls;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merged(before: Value, patch: Value) -> Value {
        let (Value::Object(mut client), Value::Object(patch)) = (before, patch) else { panic!("no objects") };
        merge(&mut client, &patch);
        Value::Object(client)
    }

    #[test]
    fn a_field_that_is_not_named_stays_and_scalars_and_lists_are_replaced() {
        assert_eq!(
            merged(
                json!({"name": "Till", "callbacks": ["https://a.example", "https://b.example"], "sso": true}),
                json!({"name": "Till 2", "callbacks": ["https://c.example"]})
            ),
            json!({"name": "Till 2", "callbacks": ["https://c.example"], "sso": true})
        );
        assert_eq!(
            merged(json!({"callbacks": ["https://a.example"]}), json!({"callbacks": []})),
            json!({"callbacks": []})
        );
    }

    #[test]
    fn null_removes_a_field() {
        assert_eq!(
            merged(json!({"name": "Till", "addons": {"wsfed": {}}}), json!({"addons": null})),
            json!({"name": "Till"})
        );
    }

    #[test]
    fn an_empty_text_is_kept_but_for_the_login_address() {
        let before =
            json!({"description": "old", "form_template": "old", "initiate_login_uri": "https://a.example"});
        let patch = json!({"description": "", "form_template": "", "initiate_login_uri": ""});
        assert_eq!(merged(before, patch), json!({"description": "", "form_template": ""}));
    }

    #[test]
    fn metadata_is_merged_by_key_and_stays_as_an_empty_object() {
        let before = json!({"client_metadata": {"owner": "till", "tier": "gold"}});
        let patch = json!({"client_metadata": {"tier": null, "floor": "2"}});
        assert_eq!(
            merged(before.clone(), patch),
            json!({"client_metadata": {"owner": "till", "floor": "2"}})
        );
        assert_eq!(merged(before.clone(), json!({"client_metadata": {}})), before);
        assert_eq!(
            merged(before, json!({"client_metadata": {"owner": null, "tier": null}})),
            json!({"client_metadata": {}})
        );
    }

    #[test]
    fn settings_objects_are_merged_by_key_and_null_inside_removes_that_key() {
        let before = json!({
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 300},
            "session_transfer": {"can_create_session_transfer_token": true, "delegation": {"allow_delegated_access": true}},
        });
        let patch = json!({"jwt_configuration": {"lifetime_in_seconds": 600}, "session_transfer": {"delegation": null}});
        assert_eq!(
            merged(before, patch),
            json!({
                "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 600},
                "session_transfer": {"can_create_session_transfer_token": true},
            })
        );
    }

    #[test]
    fn addons_are_replaced_so_that_an_inner_key_left_out_is_lost() {
        let before = json!({"addons": {"samlp": {"audience": "urn:till", "logout": {"callback": "https://a.example"}}}});
        let patch = json!({"addons": {"samlp": {"audience": "urn:till", "mappings": {}}}});
        assert_eq!(merged(before.clone(), patch.clone()), patch);
        assert_eq!(merged(before, json!({"addons": {}})), json!({"addons": {}}));
    }

    #[test]
    fn the_two_logout_names_are_one_setting() {
        let urls = json!({"backchannel_logout_urls": ["https://a.example/out"]});
        let set = merged(json!({}), json!({"oidc_logout": urls}));
        assert_eq!(set, json!({"oidc_logout": urls, "oidc_backchannel_logout": urls}));
        assert_eq!(merged(set, json!({"oidc_backchannel_logout": null})), json!({}));
        assert_eq!(
            merged(json!({}), json!({"oidc_backchannel_logout": urls})),
            json!({"oidc_logout": urls, "oidc_backchannel_logout": urls})
        );
    }

    #[test]
    fn any_session_transfer_object_creates_it_with_its_defaults() {
        let client =
            merged(json!({}), json!({"session_transfer": {"delegation": null, "allow_refresh_token": true}}));
        assert_eq!(client["session_transfer"]["allow_refresh_token"], json!(true));
        assert_eq!(client["session_transfer"]["enforce_device_binding"], json!("ip"));
        assert_eq!(client["session_transfer"].get("delegation"), None);
    }

    #[test]
    fn sending_a_client_its_own_values_changes_nothing() {
        let mut maker = crate::sandbox::generate::Maker::new(4, 1);
        for client in (0..300).map(|index| maker.client(index)) {
            for (key, value) in client.iter().filter(|(_, value)| !value.is_null()) {
                let mut after = client.clone();
                merge(&mut after, &Body::from_iter([(key.clone(), value.clone())]));
                assert_eq!(after, client, "{key}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_patch_sent_twice_does_what_it_does_once(client in any_body(), patch in any_body()) {
            let mut once = client.clone();
            merge(&mut once, &patch);
            let mut twice = once.clone();
            merge(&mut twice, &patch);
            prop_assert_eq!(&twice, &once);
            for (key, value) in client.iter().filter(|(key, _)| !patch.contains_key(*key) && !key.starts_with("oidc_")) {
                prop_assert_eq!(once.get(key), Some(value));
            }
        }
    }

    /// Bodies of fields that are treated differently, with inner keys that meet.
    fn any_body() -> impl Strategy<Value = Body> {
        let scalar = prop_oneof![Just(Value::Null), Just(json!("")), Just(json!("x")), Just(json!(["a"]))];
        let inner = prop::collection::btree_map("[ab]", scalar.clone(), 0..3);
        let object = inner.prop_map(|map| Value::Object(map.into_iter().collect()));
        let urls = Just(json!({"backchannel_logout_urls": ["https://a.example"]}));
        let key = prop::sample::select(vec![
            "name",
            "addons",
            "client_metadata",
            "session_transfer",
            "initiate_login_uri",
            "oidc_logout",
            "oidc_backchannel_logout",
        ]);
        let value = prop_oneof![scalar, object, urls];
        prop::collection::btree_map(key, value, 0..5)
            .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}
