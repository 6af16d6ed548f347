//! Bodies that the real service took and gave.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reference;
use crate::catalogue::{Field, FieldType, default_kind, kind};

/// Collects the paths of a body that the catalogue does not know.
fn unknown_paths(field: &Field, at: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        // Of values of several forms, nothing is known below.
        _ if field.ty == FieldType::Any => (),
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

/// Every body that was recorded of a kind: what lists, single reads and writes answered, and what was sent.
fn bodies<'v>(recorded: &'v Value, collection: &str) -> Vec<&'v Value> {
    let all = |name: &str| recorded[name].as_array().unwrap().iter();
    let listed = all("lists").flat_map(|list| {
        let body = &list["body"];
        body.as_array().or_else(|| body[collection].as_array()).into_iter().flatten()
    });
    let items = all("items").map(|item| &item["body"]);
    let written = all("creates").chain(all("updates")).flat_map(|call| [&call["request"], &call["body"]]);
    listed.chain(items).chain(written).collect()
}

#[test]
fn every_field_that_recorded_objects_of_other_kinds_have_is_in_the_catalogue() {
    let Some(others) = reference("real-others.json") else { return };
    for (name, recorded) in others.as_object().unwrap() {
        let kind = kind(name).unwrap();
        let bodies = bodies(recorded, &kind.endpoint.collection);
        let mut unknown = BTreeSet::new();
        bodies.iter().for_each(|body| unknown_paths(kind.root(), "", body, &mut unknown));
        assert_eq!(unknown, BTreeSet::new(), "{name}");
        println!("{} recorded bodies of {name} hold known fields alone", bodies.len());
    }
}

#[test]
fn what_a_create_must_name_is_in_every_create_that_was_taken() {
    let Some(others) = reference("real-others.json") else { return };
    for (name, recorded) in others.as_object().unwrap() {
        let kind = kind(name).unwrap();
        for create in recorded["creates"].as_array().unwrap() {
            for required in &kind.endpoint.create_required {
                assert!(create["request"].get(required).is_some(), "{name}: {required}");
            }
        }
    }
}
