//! How the JSON Schema library names types, places and faults.

use serde_json::Value;

use crate::catalogue::FieldType;

/// What stands between two faults.
pub(super) const AND: &str = " (also) ";

/// A fault of a body in the service's words.
pub(super) fn in_words(what: &str, path: &str) -> String {
    let place = if path.is_empty() { String::new() } else { format!(" on property {path}") };
    format!("Payload validation error: '{what}'{place}.")
}

/// The place of a key; one that begins with digits is told like the index of an item.
pub(super) fn join(path: &str, key: &str) -> String {
    let rest = key.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &key[..key.len() - rest.len()];
    match (path.is_empty(), digits.is_empty()) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (false, false) => format!("{path}[{digits}]{rest}"),
    }
}

/// Whether a value has a type.
pub(super) fn is_of(ty: FieldType, value: &Value) -> bool {
    match ty {
        FieldType::Any => true,
        FieldType::String => value.is_string(),
        FieldType::Integer => type_name(value) == "integer",
        FieldType::Number => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Object => value.is_object(),
        FieldType::Array => value.is_array(),
    }
}

/// What the service calls a field's type.
pub(super) fn name_of(ty: FieldType) -> &'static str {
    match ty {
        FieldType::String => "string",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Object => "object",
        FieldType::Array => "array",
        FieldType::Any => "any",
    }
}

/// What the service calls a value's type.
pub(in crate::sandbox) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
