//! A table of a client's fields that somebody else drew up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{ONE_ADDRESS, compare, find, listed, reference};
use crate::catalogue::{Field, FieldType, Merge, Writable, default_kind};

fn type_of(field: &Field) -> Value {
    json!(field.ty)
}

fn row_type(ty: &str) -> (Value, Option<Value>) {
    match ty.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
        Some(items) => (json!("array"), Some(json!(items))),
        None if ty.contains('|') => (json!("any"), None),
        None => (json!(ty), None),
    }
}

/// A row in the catalogue's words.
fn said(row: &Value) -> Map<String, Value> {
    let (ty, items) = row_type(row["type"].as_str().unwrap());
    let mut said = Map::from_iter([("type".to_owned(), ty)]);
    said.extend(items.map(|ty| ("items.type".to_owned(), ty)));
    let names = [
        ("nullable", "nullable"),
        ("enum", "enum"),
        ("pattern", "pattern"),
        ("format", "format"),
        ("min_length", "min_length"),
        ("max_length", "max_length"),
        ("min", "minimum"),
        ("max", "maximum"),
        ("min_items", "min_items"),
        ("max_items", "max_items"),
        ("min_properties", "min_properties"),
        ("max_properties", "max_properties"),
        ("extra_keys", "open"),
        ("schema_default", "default"),
        ("item_enum", "items.enum"),
        ("item_format", "items.format"),
        ("item_min_length", "items.min_length"),
        ("item_max_length", "items.max_length"),
        ("tenant_specific", "tenant_specific"),
        ("secret", "secret"),
    ];
    for (theirs, ours) in names {
        said.extend(row.get(theirs).map(|value| (ours.to_owned(), value.clone())));
    }
    said.retain(|key, value| *value != json!(false) && !(key == "min_items" && *value == json!(0)));
    // A default that the document states as false is stated, not left out.
    said.extend(row.get("schema_default").map(|value| ("default".to_owned(), value.clone())));
    let write = match row["patch"].as_str().unwrap() {
        "yes" => Writable::Patch,
        "no" => Writable::Never,
        _ => Writable::Create,
    };
    said.insert("write".to_owned(), json!(write));
    if row["merge"].as_str().is_some_and(|merge| merge.starts_with("per-key")) {
        said.insert("merge".to_owned(), json!(Merge::PerKey));
    }
    said
}

fn held(field: &Field) -> Map<String, Value> {
    let Value::Object(whole) = serde_json::to_value(field).unwrap() else { panic!("a field is an object") };
    let kept =
        ["nullable", "enum", "pattern", "format", "open", "default", "tenant_specific", "secret", "merge"];
    let mut held: Map<String, Value> = whole
        .into_iter()
        .filter(|(key, _)| kept.contains(&key.as_str()) || key.starts_with("min") || key.starts_with("max"))
        .collect();
    held.insert("type".to_owned(), type_of(field));
    held.insert("write".to_owned(), json!(field.write));
    if let (FieldType::Array, Some(items)) = (field.ty, &field.items) {
        held.insert("items.type".to_owned(), type_of(items));
        let Value::Object(items) = serde_json::to_value(items).unwrap() else {
            panic!("items are an object")
        };
        for key in ["enum", "format", "min_length", "max_length"] {
            held.extend(items.get(key).map(|value| (format!("items.{key}"), value.clone())));
        }
    }
    held
}

/// Where the catalogue says otherwise than the table, and why.
const AGAINST_THE_TABLE: [(&str, &str); 24] = [
    ("oidc_logout.backchannel_logout_urls: max_items", ONE_ADDRESS),
    ("oidc_backchannel_logout.backchannel_logout_urls: max_items", ONE_ADDRESS),
    ("grant_types: items.format", "the table lists the values apart, and says that no schema does"),
    ("cross_origin_authentication: default", FROM_CREATE),
    ("custom_login_page_on: default", FROM_CREATE),
    ("mobile.android.app_package_name: default", FROM_CREATE),
    ("mobile.ios.app_bundle_identifier: default", FROM_CREATE),
    ("mobile.ios.team_id: default", FROM_CREATE),
    ("sso: default", FROM_CREATE),
    ("sso_disabled: default", FROM_CREATE),
    ("custom_login_page_preview: write", "the table drops it on replay; the catalogue never writes it"),
    ("default_organization: tenant_specific", "the table says so in its note alone"),
    ("default_organization.organization_id: tenant_specific", "the catalogue marks the object around it"),
    ("token_vault_privileged_access: tenant_specific", "it holds credential and connection ids"),
    (
        "token_vault_privileged_access.credentials: tenant_specific",
        "the catalogue marks the object around it",
    ),
    ("token_vault_privileged_access.grants: max_items", "the table says so in its note alone"),
    ("encryption_key: min_properties", "the table says so in its note alone"),
    ("name: min_length", "the table says so in its note alone"),
    (
        "jwt_configuration.secret_encoded: default",
        "recorded: false where not asked for, against the document's true",
    ),
    (
        "refresh_token.infinite_idle_token_lifetime: default",
        "recorded: true where not asked for; the tenant's age decides",
    ),
    (
        "session_transfer.allowed_authentication_methods: default",
        "recorded: [] among the defaults of a first object",
    ),
    ("signing_keys[].cert: write", "the catalogue marks the list around it"),
    ("signing_keys[].pkcs7: write", "the catalogue marks the list around it"),
    ("signing_keys[].subject: write", "the catalogue marks the list around it"),
];

const FROM_CREATE: &str =
    "the table gives defaults of the update schema alone; this one stands in the create schema";

#[test]
fn an_independent_reading_of_the_api_differs_only_where_the_reason_is_known() {
    let Some(table) = reference("client-fields.json") else { return };
    let root = default_kind().root();
    let (mut missing, mut differing) = (Vec::new(), BTreeSet::new());
    let mut required: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let rows = table["fields"].as_array().unwrap();
    for row in rows {
        let path = row["path"].as_str().unwrap();
        let Some(field) = find(root, path) else {
            missing.push(path.to_owned());
            continue;
        };
        compare(path, &said(row), &held(field), &mut differing);
        if let (Some((parent, key)), true) = (path.rsplit_once('.'), row["required_in_parent"] == true) {
            required.entry(parent.to_owned()).or_default().insert(key.to_owned());
        }
    }
    for (parent, keys) in required {
        let held = find(root, &parent).unwrap().required.iter().cloned().collect();
        if keys != held {
            differing.insert(format!("{parent}: required"));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(differing, listed(&AGAINST_THE_TABLE));
    println!("{} rows compared", rows.len());
}
