//! What the overlays say, beside what they say it of.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::find;
use crate::catalogue::{Field, FieldType, Kind, Lookup, Unset, Writable, default_kind, format, kind, kinds};
use crate::model::FieldPath;

/// Formats that nothing checks, each with the reason.
const IGNORED: [(&str, &str); 9] = [
    ("client-id", "ids are checked by what they name, not by their look"),
    ("user-attribute-profile-id", "of no kind that there is"),
    ("connection-profile-id", "of no kind that there is"),
    ("log-stream-id", "the server alone sets it"),
    ("connection-realm", "which texts it takes is in no document"),
    ("organization-name", "the server has the last word on its signs"),
    ("date-time", "in answers alone"),
    ("html-color", "the server has the last word"),
    ("email", "which addresses are taken differs by connection"),
];

fn each<'k>(field: &'k Field, at: &str, visit: &mut dyn FnMut(&str, &'k Field)) {
    visit(at, field);
    for (name, inner) in &field.fields {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        each(inner, &path, visit);
    }
    for inner in field.items.as_deref().into_iter().chain(field.keys.as_deref()).chain(&field.one_of) {
        each(inner, &format!("{at}[]"), visit);
    }
}

fn of_every_kind(mut visit: impl FnMut(&'static Kind, &str, &'static Field)) {
    for kind in kinds() {
        each(kind.root(), "", &mut |at, field| visit(kind, at, field));
    }
}

#[test]
fn every_root_field_that_an_endpoint_names_is_there() {
    for kind in kinds() {
        let (endpoint, name) = (&kind.endpoint, &kind.name);
        let has = |field: &String| assert!(kind.root().fields.contains_key(field), "{name}: {field}");
        assert!(!kind.identity.is_empty(), "{name}");
        kind.identity.iter().chain([&endpoint.id_field, &endpoint.name_field]).for_each(has);
        endpoint.filters.iter().map(|filter| &filter.field).for_each(has);
        endpoint.lookup.iter().map(|lookup| &lookup.field).for_each(has);
        endpoint.then.iter().map(|then| &then.keeps).for_each(has);
        endpoint.create_required.iter().for_each(has);
        for required in &endpoint.create_required {
            let write = kind.root().fields[required].write;
            assert!(write != Writable::Never, "{name}: a create names {required}, and may not");
        }
        let scopes = &endpoint.scopes;
        let principal = |scopes: &[String], verb: &str| {
            let first = scopes.first().unwrap();
            assert!(first.starts_with(verb) && !first.contains("current_user"), "{name}: {first}");
        };
        principal(&scopes.read, "read:");
        principal(&scopes.update, "update:");
        principal(&scopes.create, "create:");
    }
}

#[test]
fn what_an_association_shows_is_a_list_with_its_keys() {
    for kind in kinds() {
        for association in &kind.endpoint.associations {
            let field = find(kind.root(), &association.field).unwrap();
            assert_eq!(field.ty, FieldType::Array, "{}: {}", kind.name, association.field);
            let item = field.items.as_deref().unwrap();
            let shown = association.keys.iter().chain(&association.attributes);
            for key in shown.filter(|_| !association.plain) {
                assert!(item.fields.contains_key(key), "{}: {key}", kind.name);
            }
            assert!(!association.plain || item.ty == FieldType::String && association.attributes.is_empty());
            assert_eq!(association.attributes.is_empty(), association.change.is_none());
        }
    }
}

#[test]
fn what_is_kept_in_lower_case_is_text_and_a_users_mail_is() {
    let mut kept = BTreeSet::new();
    of_every_kind(|of, at, field| {
        if field.lower_case {
            assert_eq!(field.ty, FieldType::String, "{} {at}", of.name);
            kept.insert(format!("{}.{at}", of.name));
        }
    });
    assert!(kept.contains("users.email"), "{kept:?}");
}

#[test]
fn what_is_shown_elsewhere_is_a_key_of_the_items_of_a_list_of_the_same_kind() {
    let mut shown = BTreeSet::new();
    of_every_kind(|of, at, field| {
        let Some(place) = &field.shown_at else { return };
        let (list, key) = of.shown_at(at).unwrap();
        let items = of.root().fields[list].items.as_deref().unwrap();
        assert!(items.fields.contains_key(key), "{} {at}: {place}", of.name);
        shown.insert(format!("{}.{at}", of.name));
    });
    assert!(shown.contains("users.connection"), "{shown:?}");
}

#[test]
fn what_tells_a_new_object_from_others_has_a_default() {
    for kind in kinds() {
        for field in &kind.told_apart {
            assert!(kind.root().fields[field].default.is_some(), "{} {field}", kind.name);
        }
    }
}

#[test]
fn what_holds_the_id_of_another_object_names_a_kind_and_means_nothing_elsewhere() {
    let mut references = BTreeSet::new();
    of_every_kind(|of, at, field| {
        let Some(name) = &field.references else { return };
        assert!(kind(name).is_some_and(|kind| *kind.name == **name), "{} {at}: {name}", of.name);
        let ty = field.items.as_deref().map_or(field.ty, |items| items.ty);
        assert_eq!(ty, FieldType::String, "{} {at}", of.name);
        references.insert(format!("{}.{at}: {name}", of.name));
    });
    for expected in [
        "clients.allowed_clients: clients",
        "clients.default_organization.organization_id: organizations",
        "clients.express_configuration.linked_clients[].client_id: clients",
        "client-grants.client_id: clients",
        "connections.enabled_clients: clients",
        "connections.options.idpinitiated.client_id: clients",
        "organizations.connections[].connection_id: connections",
        "resource-servers.client_id: clients",
        "roles.owner_id: organizations",
    ] {
        assert!(references.contains(expected), "{expected} is not among {references:#?}");
    }
}

#[test]
fn every_pattern_compiles_and_every_format_is_checked_or_left_on_purpose() {
    let (mut checked, mut left) = (BTreeSet::new(), BTreeSet::new());
    of_every_kind(|kind, at, field| {
        if let Some(pattern) = &field.pattern {
            assert!(kind.pattern(pattern).is_some(), "{} {at}: {pattern}", kind.name);
        }
        // No format takes an invisible sign; what nothing checks takes anything.
        for one in field.format.iter().flat_map(|format| format.split('|')) {
            let known = format::check(one, "\u{7}").is_err();
            if known {
                checked.insert(one)
            } else {
                left.insert(one)
            };
        }
    });
    let ignored: BTreeSet<&str> = IGNORED.iter().map(|(format, _)| *format).collect();
    assert!(left.is_subset(&ignored), "{left:?} are not all listed");
    assert!(checked.is_disjoint(&ignored));
}

#[test]
fn properties_that_only_one_type_can_have_stand_on_that_type() {
    of_every_kind(|kind, at, field| {
        let place = format!("{} {at}", kind.name);
        let list = matches!(field.ty, FieldType::Array);
        let object = matches!(field.ty, FieldType::Object);
        assert!(list || field.order == Default::default(), "{place}: order");
        assert!(object || field.merge == Default::default(), "{place}: merge");
        match field.unset {
            Unset::EmptyList => assert!(list, "{place}"),
            Unset::EachKey | Unset::EmptyObject => assert!(object, "{place}"),
            Unset::EmptyString => assert_eq!(field.ty, FieldType::String, "{place}"),
            Unset::Default => assert!(field.default.is_some() && !at.contains(['.', '[']), "{place}"),
            Unset::Null | Unset::Omit | Unset::No => (),
        }
        assert!(!field.sent_along || !at.contains(['.', '[']), "{place}: only root fields are sent along");
        let required = field.required.iter();
        required.for_each(|name| assert!(field.fields.contains_key(name), "{place}: {name}"));
        if let (Some(default), FieldType::String) = (&field.default, field.ty) {
            let listed = default.as_str().is_some_and(|text| {
                field.values.is_empty() || field.values.iter().any(|value| value == text)
            });
            assert!(listed, "{place}: {default}");
        }
    });
}

/// The keys of a schema, and of those that it is made of.
fn keys<'v>(schema: &'v Value, into: &mut BTreeSet<&'v str>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    into.extend(properties.map(|(name, _)| name.as_str()));
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|form| schema[form].as_array());
    parts.flatten().for_each(|part| keys(part, into));
}

/// Every key that the document gives to the options of some strategy can be written: none is taken for a misspelt secret.
#[test]
fn no_option_of_a_connection_is_a_near_miss_of_a_listed_one() {
    let Some(document) = super::reference("auth0-management-api.openapi.json") else { return };
    let connections = kind("connections").unwrap();
    let options = FieldPath::root_field("options");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut known = BTreeSet::new();
    let of_options = schemas.iter().filter(|(name, _)| name.contains("ConnectionOptions"));
    of_options.for_each(|(_, schema)| keys(schema, &mut known));
    assert!(known.len() > 300, "{}", known.len());
    known.retain(|key| matches!(connections.lookup(&options.child(key)), Lookup::Unknown { .. }));
    assert_eq!(known, BTreeSet::new());
}

#[test]
fn every_rule_says_where_it_is_known_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue/kinds");
    for kind in kinds() {
        let text = std::fs::read_to_string(folder.join(kind.name.as_str()).with_extension("toml")).unwrap();
        let overlay: toml::Table = text.parse().unwrap();
        for list in ["rule", "link", "twin"] {
            for rule in overlay.get(list).and_then(toml::Value::as_array).into_iter().flatten() {
                let source = rule["source"].as_str().unwrap();
                assert!(source.split_whitespace().count() > 0, "{}: {rule}", kind.name);
            }
        }
    }
    assert_eq!(default_kind().name.as_str(), "clients");
}
