//! A kind's fields: what PATCH takes, then what only POST takes, then what only answers show.

use patchwave::catalogue::{Field, Writable};
use serde_json::{Value, json};

use crate::openapi::Document;

/// The kinds that can be generated, with the paths of their calls.
const KINDS: [Surface; 1] = [Surface { kind: "clients", one: "/clients/{id}", all: "/clients" }];

struct Surface {
    kind: &'static str,
    /// The path that PATCH and GET of one object have.
    one: &'static str,
    /// The path that POST has.
    all: &'static str,
}

/// The catalogue's data of one kind, ready to be written to its file.
pub(crate) fn catalogue(document: &Value, kind: &str) -> Result<String, String> {
    let known: Vec<&str> = KINDS.iter().map(|surface| surface.kind).collect();
    let surface = KINDS
        .iter()
        .find(|surface| surface.kind == kind)
        .ok_or_else(|| format!("kind {kind} is not in the table; known: {}", known.join(", ")))?;
    let root = fields(&Document::new(document), surface)?;
    let text = serde_json::to_string_pretty(&json!({ "kind": kind, "fields": root.fields }));
    text.map(|text| text + "\n").map_err(|error| error.to_string())
}

fn fields(document: &Document<'_>, surface: &Surface) -> Result<Field, String> {
    let read = |path: &str, verb: &str, answer: Option<&str>| {
        let schema = document.body(path, verb, answer)?;
        document.field(schema, &format!("{verb} {path}"))
    };
    let mut root = read(surface.one, "patch", None)?;
    add_missing(&mut root, read(surface.all, "post", None)?, Writable::Create);
    add_missing(&mut root, read(surface.one, "get", Some("200"))?, Writable::Never);
    add_missing(&mut root, read(surface.one, "patch", Some("200"))?, Writable::Never);
    Ok(root)
}

/// Adds the fields that `into` lacks, at any depth, marked with who may write them. Of fields that both have, only a
/// missing default is filled in: what PATCH says of a field outranks the rest.
fn add_missing(into: &mut Field, from: Field, write: Writable) {
    if into.default.is_none() && into.write == Writable::Patch {
        into.default = from.default.filter(is_real_default);
    }
    for (name, mut field) in from.fields {
        if let Some(known) = into.fields.get_mut(&name) {
            add_missing(known, field, write);
            continue;
        }
        field.write = write;
        drop_examples(&mut field);
        into.fields.insert(name, field);
    }
    if let (Some(into), Some(from)) = (&mut into.items, from.items) {
        add_missing(into, *from, write);
    }
}

/// Outside the PATCH schema the document's text defaults are examples (sample keys, sample names).
fn is_real_default(value: &Value) -> bool {
    value.is_boolean() || value.is_number()
}

fn drop_examples(field: &mut Field) {
    field.default = field.default.take().filter(is_real_default);
    field.fields.values_mut().for_each(drop_examples);
    field.items.iter_mut().for_each(|items| drop_examples(items));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let body = |name: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}});
        json!({
            "paths": {
                "/clients": {"post": {"requestBody": body("Create"), "responses": {"201": body("Shown")}}},
                "/clients/{id}": {
                    "get": {"responses": {"200": body("Shown")}},
                    "patch": {"requestBody": body("Update"), "responses": {"200": body("Shown")}},
                },
            },
            "components": {"schemas": {
                "Update": {"type": "object", "additionalProperties": false, "properties": {
                    "title": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^x", "description": "words"},
                    "mode": {"type": ["string", "null"], "enum": ["on", "off", null], "default": "off"},
                    "old": {"$ref": "#/components/schemas/Inner", "x-release-lifecycle": "deprecated"},
                    "links": {"type": "array", "uniqueItems": true, "minItems": 1, "items": {"type": "string", "format": "url"}},
                    "either": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                    "address": {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}, {"type": "null"}]},
                    "free": {"type": "object", "maxProperties": 3, "additionalProperties": {"type": "string"}},
                }},
                "Inner": {"type": "object", "additionalProperties": false, "required": ["size"],
                    "properties": {"size": {"type": "integer", "minimum": 1, "maximum": 5}}},
                "Create": {"type": "object", "properties": {"title": {"type": "string"}, "audience": {"type": "string", "default": "sample"}}},
                "Shown": {"type": "object", "properties": {"id": {"type": "string", "default": "abc"}, "system": {"type": "boolean", "default": false},
                    "old": {"type": "object", "properties": {"size": {"type": "integer", "default": 2}, "seen": {"type": "boolean"}}}}},
            }},
        })
    }

    fn generated() -> Value {
        serde_json::from_str(&catalogue(&document(), "clients").unwrap()).unwrap()
    }

    #[test]
    fn every_field_says_who_may_write_it() {
        let fields = &generated()["fields"];
        assert_eq!(fields["title"].get("write"), None);
        assert_eq!(fields["audience"], json!({"type": "string", "write": "create"}));
        assert_eq!(fields["id"], json!({"type": "string", "write": "never"}));
        assert_eq!(fields["system"], json!({"type": "boolean", "write": "never", "default": false}));
        assert_eq!(fields["old"]["fields"]["seen"]["write"], "never");
    }

    #[test]
    fn limits_null_and_alternatives_carry_over_and_descriptions_do_not() {
        let fields = &generated()["fields"];
        assert_eq!(
            fields["title"],
            json!({"type": "string", "pattern": "^x", "min_length": 1, "max_length": 9})
        );
        assert_eq!(
            fields["mode"],
            json!({"type": "string", "nullable": true, "enum": ["on", "off"], "default": "off"})
        );
        assert_eq!(
            fields["links"],
            json!({"type": "array", "min_items": 1, "unique_items": true, "items": {"type": "string", "format": "url"}})
        );
        let either = json!([{"type": "string"}, {"type": "array", "items": {"type": "string"}}]);
        assert_eq!(fields["either"], json!({"type": "any", "one_of": either}));
        assert_eq!(fields["address"], json!({"type": "string", "nullable": true, "format": "ipv4|ipv6"}));
        assert_eq!(
            fields["free"],
            json!({"type": "object", "max_properties": 3, "open": true, "items": {"type": "string"}})
        );
        assert_eq!(fields["old"]["deprecated"], true);
        assert_eq!(fields["old"]["required"], json!(["size"]));
        assert_eq!(
            fields["old"]["fields"]["size"],
            json!({"type": "integer", "minimum": 1, "maximum": 5, "default": 2})
        );
    }

    #[test]
    fn the_same_document_gives_the_same_bytes() {
        assert_eq!(catalogue(&document(), "clients"), catalogue(&document(), "clients"));
    }

    #[test]
    fn a_construct_that_is_not_understood_is_an_error_and_not_a_loss() {
        let mut document = document();
        document["components"]["schemas"]["Update"]["properties"]["title"]["not"] = json!({});
        assert!(catalogue(&document, "clients").unwrap_err().contains("title: `not`"));
        assert!(catalogue(&document, "roles").unwrap_err().contains("roles"));
    }

    #[test]
    fn a_schema_that_contains_itself_is_an_error() {
        let mut document = document();
        document["components"]["schemas"]["Inner"]["properties"]["deeper"] =
            json!({"$ref": "#/components/schemas/Inner"});
        assert!(catalogue(&document, "clients").unwrap_err().contains("contains itself"));
    }
}
