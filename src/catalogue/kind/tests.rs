use serde_json::json;

use super::*;
use crate::catalogue::default_kind;

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn near(text: &str) -> Option<String> {
    match default_kind().lookup(&path(text)) {
        Lookup::Unknown { near } => near,
        known => panic!("{text} is known: {known:?}"),
    }
}

#[test]
fn kinds_are_found_by_either_name() {
    assert_eq!(crate::catalogue::kind("client").unwrap().name.as_str(), "clients");
    assert_eq!(crate::catalogue::kind("clients").unwrap().endpoint.id_field, "client_id");
    assert_eq!(crate::catalogue::kind("client_grant").unwrap().singular, "client grant");
    assert!(crate::catalogue::kind("rolls").is_none());
}

#[test]
fn a_misspelt_path_is_put_right_at_the_key_that_is_wrong() {
    assert_eq!(near("calbacks").as_deref(), Some("callbacks"));
    assert_eq!(near("refresh_tokn.leeway").as_deref(), Some("refresh_token.leeway"));
    assert_eq!(near("refresh_token.leway").as_deref(), Some("refresh_token.leeway"));
    assert_eq!(near("rotation_type").as_deref(), Some("refresh_token.rotation_type"));
    assert_eq!(near("colour"), None);
    assert_eq!(near("callbacks.first"), None);
}

#[test]
fn open_objects_take_any_key_but_a_near_miss_of_a_known_one() {
    let kind = default_kind();
    assert!(matches!(kind.lookup(&path("client_metadata.owner")), Lookup::OpenKey { value: Some(_), .. }));
    assert!(matches!(kind.lookup(&path("addons.wsfed.mappings.deep")), Lookup::OpenKey { value: None, .. }));
    assert!(matches!(kind.lookup(&path("jwt_configuration.brand_new")), Lookup::OpenKey { .. }));
    assert_eq!(near("jwt_configuration.algo").as_deref(), Some("jwt_configuration.alg"));
    assert_eq!(near("client_metadata.a.b"), None);
}

#[test]
fn what_encloses_a_field_decides_for_it() {
    let kind = default_kind();
    assert_eq!(kind.writable(&path("tenant")), Writable::Never);
    assert_eq!(kind.writable(&path("signing_keys.key")), Writable::Never);
    assert_eq!(kind.writable(&path("jwt_configuration.secret_encoded")), Writable::Create);
    assert_eq!(kind.writable(&path("jwt_configuration.alg")), Writable::Patch);
    assert!(
        kind.is_safe_on_own(&path("client_metadata.owner")) && !kind.is_safe_on_own(&path("grant_types"))
    );
    assert!(kind.is_secret(&path("addons.wams.masterkey")) && !kind.is_secret(&path("addons.wams")));
    assert_eq!(
        kind.scopes_of(&path("client_authentication_methods.private_key_jwt")),
        ["update:client_credentials"]
    );
}

#[test]
fn the_first_entry_of_a_list_keeps_its_meaning() {
    let kind = default_kind();
    for ordered in ["callbacks", "allowed_logout_urls", "addons.samlp.nameIdentifierProbes", "nobody_knows"] {
        assert_eq!(kind.order(&path(ordered)), ListOrder::Ordered, "{ordered}");
    }
    for set in ["grant_types", "web_origins", "allowed_origins", "allowed_clients"] {
        assert_eq!(kind.order(&path(set)), ListOrder::Set, "{set}");
    }
}

#[test]
fn every_field_says_how_it_is_emptied() {
    let kind = default_kind();
    for (field, unset) in [
        ("refresh_token", Unset::Null),
        ("addons", Unset::Null),
        ("description", Unset::EmptyString),
        ("callbacks", Unset::EmptyList),
        ("client_metadata", Unset::EachKey),
        ("client_metadata.owner", Unset::Null),
        ("addons.samlp.logout", Unset::Omit),
        ("addons.layer.keyId", Unset::No),
        ("addons.wsfed.anything", Unset::Omit),
        ("session_transfer.delegation", Unset::Null),
        ("mobile.android.sha256_cert_fingerprints", Unset::No),
        ("name", Unset::No),
        ("client_id", Unset::No),
        ("refresh_token.rotation_type", Unset::No),
    ] {
        assert_eq!(kind.unset_of(&path(field)), unset, "{field}");
    }
}

#[test]
fn what_emptying_leaves_behind_counts_as_empty() {
    let kind = default_kind();
    assert!(kind.is_empty(&path("description"), Some(&json!(""))));
    assert!(kind.is_empty(&path("callbacks"), Some(&json!([]))));
    assert!(kind.is_empty(&path("name"), None));
    assert!(!kind.is_empty(&path("client_metadata.owner"), Some(&json!(""))));
}

#[test]
fn a_missing_key_has_the_default_that_the_catalogue_gives() {
    let kind = default_kind();
    assert_eq!(kind.default_of(&path("refresh_token.leeway")), Some(&json!(0)));
    assert_eq!(kind.default_of(&path("jwt_configuration.secret_encoded")), Some(&json!(false)));
    assert_eq!(kind.default_of(&path("token_endpoint_auth_method")), None);
}

#[test]
fn every_pattern_of_the_catalogue_compiles() {
    fn patterns<'f>(field: &'f Field, into: &mut Vec<&'f str>) {
        into.extend(field.pattern.as_deref());
        let below = field.fields.values().chain(field.keys.as_deref()).chain(field.items.as_deref());
        below.for_each(|field| patterns(field, into));
    }
    let mut all = Vec::new();
    patterns(default_kind().root(), &mut all);
    assert!(all.len() > 3);
    for pattern in all {
        assert!(default_kind().pattern(pattern).is_some(), "{pattern}");
    }
}
