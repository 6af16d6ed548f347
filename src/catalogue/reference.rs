//! The catalogue beside two readings of the API that it was not made from, or not alone: every field of the document's update
//! schema, and a table of fields that somebody else drew up. Each difference is listed here with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Field, FieldType, Merge, Writable, default_kind};

fn reference(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("skipped: {} cannot be read ({error})", path.display());
            None
        }
    }
}

/// `a.b[].c` from the root; `*` is any key of an open object.
fn find<'k>(root: &'k Field, path: &str) -> Option<&'k Field> {
    let mut at = root;
    for key in path.split('.') {
        let (key, lists) = (key.trim_end_matches("[]"), key.matches("[]").count());
        at = if key == "*" { at.items.as_deref()? } else { at.fields.get(key)? };
        for _ in 0..lists {
            at = at.items.as_deref()?;
        }
    }
    Some(at)
}

fn type_of(field: &Field) -> Value {
    json!(field.ty)
}

/// Collects `path: property` for every property of `said` that the catalogue holds otherwise.
fn compare(path: &str, said: &Map<String, Value>, held: &Map<String, Value>, into: &mut BTreeSet<String>) {
    let keys: BTreeSet<&String> = said.keys().chain(held.keys()).collect();
    for key in keys.into_iter().filter(|key| said.get(*key) != held.get(*key)) {
        into.insert(format!("{path}: {key}"));
    }
}

fn listed(differences: &[(&str, &str)]) -> BTreeSet<String> {
    differences.iter().map(|(difference, _)| (*difference).to_owned()).collect()
}

// --- The document's update schema. ---

/// A schema's properties in the catalogue's words, nothing beneath it.
fn limits(schema: &Map<String, Value>) -> Map<String, Value> {
    let names = [
        ("enum", "enum"),
        ("pattern", "pattern"),
        ("format", "format"),
        ("minLength", "min_length"),
        ("maxLength", "max_length"),
        ("minimum", "minimum"),
        ("maximum", "maximum"),
        ("minItems", "min_items"),
        ("maxItems", "max_items"),
        ("uniqueItems", "unique_items"),
        ("minProperties", "min_properties"),
        ("maxProperties", "max_properties"),
        ("required", "required"),
    ];
    let mut limits: Map<String, Value> = names
        .iter()
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), schema.get(*theirs)?.clone())))
        .filter(|(name, value)| !(name.starts_with("min_") && *value == json!(0)))
        .collect();
    if let Some(Value::Array(values)) = limits.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    if types.contains(&"null") {
        limits.insert("nullable".to_owned(), json!(true));
    }
    let real: Vec<&str> = types.into_iter().filter(|name| *name != "null").collect();
    limits.insert("type".to_owned(), json!(if let [one] = real.as_slice() { *one } else { "any" }));
    if real == ["object"] && schema.get("additionalProperties") != Some(&json!(false)) {
        limits.insert("open".to_owned(), json!(true));
    }
    limits
}

/// The catalogue's side of the same properties.
fn limits_of(field: &Field) -> Map<String, Value> {
    let Value::Object(mut held) = serde_json::to_value(field).unwrap() else {
        panic!("a field is an object")
    };
    let compared = [
        "type",
        "nullable",
        "open",
        "enum",
        "pattern",
        "format",
        "min_length",
        "max_length",
        "minimum",
        "maximum",
        "min_items",
        "max_items",
        "unique_items",
        "min_properties",
        "max_properties",
        "required",
    ];
    held.retain(|key, _| compared.contains(&key.as_str()));
    held
}

struct Walk<'d> {
    document: &'d Value,
    fields: usize,
    missing: Vec<String>,
    differing: BTreeSet<String>,
}

impl<'d> Walk<'d> {
    fn resolve(&self, schema: &'d Value) -> &'d Map<String, Value> {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                self.resolve(self.document.pointer(reference.trim_start_matches('#')).unwrap())
            }
            None => schema.as_object().unwrap(),
        }
    }

    fn schema(&mut self, schema: &'d Value, path: &str) {
        let schema = self.resolve(schema);
        self.fields += 1;
        match find(default_kind().root(), path) {
            None => self.missing.push(path.to_owned()),
            Some(field) => compare(path, &limits(schema), &limits_of(field), &mut self.differing),
        }
        self.below(schema, &format!("{path}."), path);
    }

    fn below(&mut self, schema: &'d Map<String, Value>, keys: &str, itself: &str) {
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.schema(inner, &format!("{keys}{name}"));
        }
        if let Some(items) = schema.get("items") {
            self.schema(items, &format!("{itself}[]"));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            self.schema(values, &format!("{keys}*"));
        }
    }
}

const ONE_ADDRESS: &str = "documented in prose: one address at present";

/// Where the catalogue says otherwise than the document, and why.
const AGAINST_THE_DOCUMENT: [(&str, &str); 12] = [
    ("oidc_logout.backchannel_logout_urls: max_items", ONE_ADDRESS),
    ("oidc_backchannel_logout.backchannel_logout_urls: max_items", ONE_ADDRESS),
    ("grant_types[]: format", "public issue threads: a grant that does not exist is refused"),
    ("addons: nullable", "recorded: null was answered 200, 24 times"),
    ("signed_request_object: nullable", "recorded: null was answered 200, 14 times"),
    ("token_vault_privileged_access: nullable", "recorded: null was answered 200, 3 times"),
    ("oidc_backchannel_logout: nullable", "recorded: null was answered 200, once"),
    ("app_type: enum", "b2b_integration is newer than the document"),
    ("encryption_key: min_properties", "recorded: an empty object is refused"),
    ("grant_types: unique_items", "public issue threads: doubles are refused"),
    ("name: min_length", "the pattern asks for a character too; a plain limit gives the plainer message"),
    ("token_vault_privileged_access.ip_allowlist[]: format", "four alternatives are one format with bars"),
];

#[test]
fn every_field_of_the_documents_update_schema_is_in_the_catalogue_with_its_type_and_limits() {
    let Some(document) = reference("auth0-management-api.openapi.json") else { return };
    let body = "/paths/~1clients~1{id}/patch/requestBody/content/application~1json/schema";
    let mut walk = Walk { document: &document, fields: 0, missing: Vec::new(), differing: BTreeSet::new() };
    let root = walk.resolve(document.pointer(body).unwrap());
    walk.below(root, "", "");
    assert_eq!(walk.missing, Vec::<String>::new());
    assert_eq!(walk.differing, listed(&AGAINST_THE_DOCUMENT));
    assert!(walk.fields > 250, "{}", walk.fields);
    println!("{} fields, items and map values of the document are in the catalogue", walk.fields);
}

// --- The table. ---

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

// --- Recorded bodies. ---

/// Collects the paths of a body that the catalogue does not know.
fn unknown_paths(field: &Field, at: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match field.fields.get(key) {
                    Some(known) => unknown_paths(known, &path, inner, into),
                    None if field.open => (),
                    None => drop(into.insert(path)),
                }
            }
        }
        Value::Array(items) => {
            if let Some(item) = &field.items {
                items.iter().for_each(|value| unknown_paths(item, &format!("{at}[]"), value, into));
            }
        }
        _ => (),
    }
}

#[test]
fn every_field_that_recorded_clients_have_is_in_the_catalogue() {
    let Some(clients) = reference("real-clients.json") else { return };
    let mut unknown = BTreeSet::new();
    let clients = clients.as_array().unwrap();
    clients.iter().for_each(|client| unknown_paths(default_kind().root(), "", client, &mut unknown));
    assert_eq!(unknown, BTreeSet::new());
    println!("{} recorded clients hold known fields alone", clients.len());
}
