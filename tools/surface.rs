//! A kind's fields: what PATCH takes, then what only POST takes, then what only answers show.

use patchwave::catalogue::{Field, Writable};
use serde_json::{Value, json};

use crate::openapi::Document;

/// The kinds that are generated, with the path of the call that lists them. That of a single object ends in `/{id}`.
///
/// The values of fields that are `loose` are different for each flavour of the object, and the document has them all: what it
/// says of them is not carried over, and any object is taken.
const KINDS: [Surface; 9] = [
    Surface { kind: "clients", all: "/clients", loose: &[] },
    Surface { kind: "connections", all: "/connections", loose: &["options"] },
    Surface { kind: "resource-servers", all: "/resource-servers", loose: &[] },
    Surface { kind: "client-grants", all: "/client-grants", loose: &[] },
    Surface { kind: "roles", all: "/roles", loose: &[] },
    Surface { kind: "organizations", all: "/organizations", loose: &[] },
    Surface { kind: "actions", all: "/actions/actions", loose: &[] },
    Surface { kind: "rules", all: "/rules", loose: &[] },
    Surface { kind: "users", all: "/users", loose: &[] },
];

struct Surface {
    kind: &'static str,
    all: &'static str,
    loose: &'static [&'static str],
}

/// The catalogue's data of one kind, ready to be written to its file. A kind that is not in the table is looked for at the path
/// of its name.
pub(crate) fn catalogue(document: &Value, kind: &str) -> Result<String, String> {
    let named = format!("/{kind}");
    let listed = KINDS.iter().find(|surface| surface.kind == kind);
    let (all, loose) =
        listed.map_or((named.as_str(), &[] as &[&str]), |surface| (surface.all, surface.loose));
    let document = Document::new(document);
    let endpoint = endpoint(&document, all, loose)?;
    let root = fields(&document, all, loose)?;
    let text =
        serde_json::to_string_pretty(&json!({ "kind": kind, "endpoint": endpoint, "fields": root.fields }));
    text.map(|text| text + "\n").map_err(|error| error.to_string())
}

/// What the document says of the calls.
fn endpoint(document: &Document<'_>, all: &str, loose: &[&str]) -> Result<Value, String> {
    let one = format!("{all}/{{id}}");
    let parameters = document.parameters(all, "get")?;
    let has = |name: &str| parameters.iter().any(|parameter| parameter == name);
    let paging = json!({
        "numbers": has("page"),
        "totals": has("include_totals"),
        "checkpoints": has("from"),
    });
    let created = document.object(document.body(all, "post", None)?, &format!("post {all}"), loose)?;
    let scopes = json!({
        "read": document.scopes(all, "get"),
        "update": document.scopes(&one, "patch"),
        "create": document.scopes(all, "post"),
    });
    Ok(json!({
        "path": all.trim_start_matches('/'),
        "collection": document.collection(all)?.unwrap_or_else(|| all.trim_start_matches('/').replace(['-', '/'], "_")),
        "paging": paging,
        "projection": has("fields"),
        "scopes": scopes,
        "create_required": created.required,
    }))
}

fn fields(document: &Document<'_>, all: &str, loose: &[&str]) -> Result<Field, String> {
    let one = format!("{all}/{{id}}");
    let read = |path: &str, verb: &str, answer: Option<&str>| {
        let schema = document.body(path, verb, answer)?;
        document.object(schema, &format!("{verb} {path}"), loose)
    };
    let mut root = read(&one, "patch", None)?;
    add_missing(&mut root, read(all, "post", None)?, Writable::Create);
    add_missing(&mut root, read(&one, "get", Some("200"))?, Writable::Never);
    // One kind's update is said to answer 201.
    let updated = read(&one, "patch", Some("200")).or_else(|_| read(&one, "patch", Some("201")));
    add_missing(&mut root, updated?, Writable::Never);
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
                "/clients": {"get": {
                    "parameters": [{"name": "page"}, {"$ref": "#/components/parameters/Take"}],
                    "security": [{"bearer": []}, {"oauth": ["read:clients"]}],
                    "responses": {"200": {"content": {"application/json": {"schema": {"oneOf": [
                        {"type": "array", "items": {}},
                        {"type": "object", "properties": {"total": {"type": "integer"}, "found": {"type": "array", "items": {}}}},
                    ]}}}}},
                }, "post": {"requestBody": body("Create"), "responses": {"201": body("Shown")}}},
                "/clients/{id}": {
                    "get": {"responses": {"200": body("Shown")}},
                    "patch": {"requestBody": body("Update"), "responses": {"200": body("Shown")}},
                },
            },
            "components": {"parameters": {"Take": {"name": "from"}}, "schemas": {
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
                "Create": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "audience": {"type": "string", "default": "sample"}}},
                "Shown": {"type": "object", "properties": {"id": {"type": "string", "default": "abc"}, "system": {"type": "boolean", "default": false},
                    "old": {"type": "object", "properties": {"size": {"type": "integer", "default": 2}, "seen": {"type": "boolean"}}}}},
            }},
        })
    }

    fn generated() -> Value {
        serde_json::from_str(&catalogue(&document(), "clients").unwrap()).unwrap()
    }

    #[test]
    fn what_the_calls_take_carries_over() {
        assert_eq!(
            generated()["endpoint"],
            json!({
                "path": "clients", "collection": "found", "projection": false,
                "paging": {"numbers": true, "totals": false, "checkpoints": true},
                "scopes": {"read": ["read:clients"], "update": [], "create": []},
                "create_required": ["title"],
            })
        );
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
