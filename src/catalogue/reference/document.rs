//! Every field of the document's update schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{ONE_ADDRESS, compare, find, listed, reference};
use crate::catalogue::{Field, Kind, kinds};

/// Objects of which the catalogue says no more than that they are objects: each strategy has other keys in them.
const LOOSE: [(&str, &str); 1] = [("connections", "options")];

/// Where the catalogue says otherwise than the document, and why.
const AGAINST_THE_DOCUMENT: &[(&str, &[(&str, &str)])] = &[
    ("clients", CLIENTS),
    ("connections", &[("options: nullable", "null would take every setting away, the secrets with them")]),
    ("actions", &[("supported_triggers: max_items", "documented in prose: one trigger at present")]),
];

const CLIENTS: &[(&str, &str)] = &[
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

fn forms(schema: &Map<String, Value>) -> Option<&Vec<Value>> {
    schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array)
}

struct Walk<'d> {
    kind: &'static Kind,
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
        match find(self.kind.root(), path) {
            None => self.missing.push(path.to_owned()),
            Some(field) => {
                let mut said = limits(schema);
                // Of objects alone the catalogue has one that takes the keys of all.
                let is_object = |form| self.resolve(form).get("type").is_some_and(|ty| ty == "object");
                if forms(schema).is_some_and(|forms| forms.iter().all(is_object)) {
                    said.insert("type".to_owned(), json!("object"));
                }
                compare(path, &said, &limits_of(field), &mut self.differing);
            }
        }
        if !LOOSE.contains(&(self.kind.name.as_str(), path)) {
            self.below(schema, &format!("{path}."), path);
        }
    }

    fn below(&mut self, schema: &'d Map<String, Value>, keys: &str, itself: &str) {
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.schema(inner, &format!("{keys}{name}"));
        }
        // Of values of several types the catalogue has each apart.
        let apart = find(self.kind.root(), itself).is_some_and(|field| !field.one_of.is_empty());
        for form in forms(schema).into_iter().flatten().filter(|_| !apart) {
            let form = self.resolve(form);
            self.below(form, keys, itself);
        }
        if let Some(items) = schema.get("items") {
            self.schema(items, &format!("{itself}[]"));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            self.schema(values, &format!("{keys}*"));
        }
    }
}

#[test]
fn every_field_of_the_documents_update_schemas_is_in_the_catalogue_with_its_type_and_limits() {
    let Some(document) = reference("auth0-management-api.openapi.json") else { return };
    for kind in kinds() {
        let path = kind.endpoint.path.replace('/', "~1");
        let body = format!("/paths/~1{path}~1{{id}}/patch/requestBody/content/application~1json/schema");
        let (missing, differing) = (Vec::new(), BTreeSet::new());
        let mut walk = Walk { kind, document: &document, fields: 0, missing, differing };
        let root = walk.resolve(document.pointer(&body).unwrap());
        walk.below(root, "", "");
        assert_eq!(walk.missing, Vec::<String>::new(), "{}", kind.name);
        let reasons = AGAINST_THE_DOCUMENT.iter().find(|(name, _)| **name == *kind.name);
        assert_eq!(walk.differing, listed(reasons.map_or(&[], |(_, reasons)| reasons)), "{}", kind.name);
        assert!(!kind.name.is_default() || walk.fields > 250, "{}", walk.fields);
        println!("{}: {} fields, items and map values are in the catalogue", kind.name, walk.fields);
    }
}
