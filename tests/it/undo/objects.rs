//! Objects: what the run brought into being goes as a whole, and what holds a secret is never half restored.

use patchwave::sandbox::Options;
use serde_json::json;

use super::Ran;
use crate::common::{Case, Served};

#[test]
fn an_object_that_the_run_brought_into_being_goes_with_what_the_service_filled_in() {
    let ran = Ran::new(&json!({"session_transfer": null}), "set.session_transfer.allow_refresh_token = true");
    assert_eq!(ran.client()["session_transfer"]["enforce_device_binding"], "ip", "the service filled it in");
    ran.undo(&["--yes"]).exits(0);
    assert!(!ran.client().contains_key("session_transfer"));
}

#[test]
fn an_object_to_which_somebody_added_something_stays() {
    let ran = Ran::new(&json!({"session_transfer": null}), "set.session_transfer.allow_refresh_token = true");
    let mut object = ran.client()["session_transfer"].clone();
    object["enforce_device_binding"] = json!("asn");
    ran.edit(&json!({ "session_transfer": object }));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(ran.client()["session_transfer"], object);
    assert_eq!(ran.row().1, "cannot_unset");
}

#[test]
fn an_inner_object_goes_where_somebody_added_another_beside_it() {
    let ran = Ran::new(&json!({"addons": null}), "set.addons.samlp.audience = \"urn:x\"");
    ran.edit(&json!({"addons": {"samlp": {"audience": "urn:x"}, "slack": {"team": "acme"}}}));
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(
        ran.client()["addons"],
        json!({"slack": {"team": "acme"}}),
        "an empty add-on would be switched on"
    );
}

#[test]
fn metadata_that_somebody_added_stays_where_the_run_brought_the_first() {
    let ran = Ran::new(&json!({"client_metadata": null}), "set.client_metadata.owner = \"identity\"");
    ran.edit(&json!({"client_metadata": {"owner": "identity", "tier": "gold"}}));
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["client_metadata"], json!({"tier": "gold"}));
}

#[test]
fn an_object_that_somebody_took_away_since_is_not_brought_to_life_by_one_of_its_fields() {
    let samlp = json!({"audience": "urn:a", "logout": {"callback": "https://o.example"}});
    let ran = Ran::new(&json!({"addons": {"samlp": samlp}}), "unset = [\"addons.samlp.logout\"]");
    ran.edit(&json!({"addons": {}}));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(ran.client()["addons"], json!({}));
    assert!(ran.row().2.starts_with("addons.samlp is gone"), "{:?}", ran.row());
}

#[test]
fn keys_that_replace_took_away_come_back() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 9, "token_lifetime": 100, "idle_token_lifetime": 50});
    let ran = Ran::new(
        &json!({ "refresh_token": token }),
        "replace.refresh_token = { rotation_type = \"non-rotating\", expiration_type = \"non-expiring\" }",
    );
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["refresh_token"], token);
}

#[test]
fn what_would_no_longer_be_valid_is_left_as_it_is_and_told() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "token_lifetime": 100, "idle_token_lifetime": 50});
    let ran = Ran::new(&json!({ "refresh_token": token }), "set.refresh_token.idle_token_lifetime = 20");
    let mut edited = ran.client()["refresh_token"].clone();
    edited["token_lifetime"] = json!(40);
    ran.edit(&json!({ "refresh_token": edited }));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(ran.client()["refresh_token"], edited);
    assert!(
        ran.row().2.contains("refresh_token.idle_token_lifetime cannot be put back by itself"),
        "{:?}",
        ran.row()
    );
}

#[test]
fn a_method_of_authentication_goes_back_with_the_one_that_it_shut_out() {
    let options = Options::default();
    let scopes = options.scopes.iter().cloned().chain(["update:client_credentials".to_owned()]).collect();
    let ran = Ran::on(
        Served::with(Options { tier: "unlimited".parse().unwrap(), scopes, ..options }),
        &json!({"token_endpoint_auth_method": "client_secret_post", "client_authentication_methods": null}),
        "unset = [\"token_endpoint_auth_method\"]\nset.client_authentication_methods.private_key_jwt.credentials = [{ id = \"cred_1234567890abcdef\" }]",
    );
    ran.undo(&["--yes"]).exits(0);
    let client = ran.client();
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_post");
    assert!(!client.contains_key("client_authentication_methods"));
}

#[test]
fn a_secret_that_was_taken_away_cannot_be_restored_and_is_nowhere() {
    let addons = json!({"azure_sb": {"namespace": "acme", "sasKey": "hush-hush-key"}});
    let ran = Ran::new(
        &json!({"addons": addons, "description": "Old"}),
        "unset = [\"addons\"]\nset.description = \"New\"",
    );
    let planned = ran.undo(&["--dry-run"]);
    assert!(planned.exits(1).stdout.contains("cannot_restore: addons held a secret"), "{planned}");
    let done = ran.undo(&["--yes", "--full"]);
    done.exits(1);
    assert_eq!(ran.client()["description"], "Old", "the other fields go back");
    assert_eq!(ran.row().1, "cannot_restore");
    assert!(!planned.shown().contains("hush") && !done.shown().contains("hush"), "{done}");
    assert_nowhere(&ran.case, "hush-hush-key");
}

#[test]
fn a_secret_beside_what_goes_back_stays_and_is_nowhere() {
    let addons = json!({"azure_sb": {"namespace": "acme", "sasKey": "hush-hush-key"}});
    let ran = Ran::new(
        &json!({ "addons": addons }),
        "set.addons.azure_sb.namespace = \"acme-eu\"\nset.addons.samlp.audience = \"urn:x\"",
    );
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["addons"], addons);
    assert_nowhere(&ran.case, "hush-hush-key");
}

/// Searches all that the commands left in their folders.
fn assert_nowhere(case: &Case, secret: &str) {
    let mut folders = vec![case.root().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains(secret), "{} holds a secret", path.display());
            }
        }
    }
}
