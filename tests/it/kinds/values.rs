//! Values that a field takes, made up from what the catalogue says of it.

use patchwave::catalogue::{Field, FieldType, Kind, Writable, validate};
use patchwave::model::{Body, FieldPath};
use serde_json::{Map, Value, json};

/// A value that a field may have and that is not the one it has; none where what it may be is known to the tenant alone.
pub(super) fn another(
    kind: &Kind,
    path: &FieldPath,
    field: &Field,
    now: Option<&Value>,
    number: usize,
) -> Option<Value> {
    let candidates = match field.ty {
        FieldType::Boolean => {
            let now = now.or(field.default.as_ref()).and_then(Value::as_bool).unwrap_or_default();
            vec![json!(!now)]
        }
        FieldType::Integer | FieldType::Number => numbers(field, now),
        FieldType::Array => lists(field, now, number),
        FieldType::Object => object(field, number).into_iter().collect(),
        FieldType::String | FieldType::Any => texts(field, number),
    };
    let fits = |value: &Value| Some(value) != now && validate::value(kind, path, value).is_empty();
    candidates.into_iter().find(fits)
}

/// Whether a field can be made up: what is kept secret, or is an id of the tenant's, cannot.
pub(super) fn is_open(field: &Field) -> bool {
    field.write == Writable::Patch && !field.secret && !field.tenant_specific && field.references.is_none()
}

/// Texts of several forms: one of them is what a pattern or a format asks for.
pub(super) fn texts(field: &Field, number: usize) -> Vec<Value> {
    if !field.values.is_empty() {
        let at = number % field.values.len();
        return field.values[at..].iter().chain(&field.values[..at]).map(|value| json!(value)).collect();
    }
    if field.ty == FieldType::Any {
        return Vec::new();
    }
    let format = field.format.as_deref().unwrap_or_default();
    let told = [
        ("email", format!("new-{number}@acme.example")),
        ("color", format!("#{:06x}", 0x10_0000 + number)),
        ("grant-type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
        ("name", format!("new-{number}")),
        ("date", "2026-03-01T09:00:00.000Z".to_owned()),
        ("ur", format!("https://new-{number}.example/it")),
        ("ip", "192.0.2.7".to_owned()),
        ("id", String::new()),
    ];
    let of_format = told.into_iter().find(|(part, _)| format.contains(part)).map(|(_, text)| text);
    let of_any = [
        format!("New text {number}"),
        format!("new-{number}"),
        format!("https://new-{number}.example"),
        format!("{number:064}"),
        format!("+49{number:07}"),
    ];
    of_format.into_iter().chain(of_any).filter(|text| !text.is_empty()).map(Value::from).collect()
}

fn numbers(field: &Field, now: Option<&Value>) -> Vec<Value> {
    let known = now.or(field.default.as_ref()).and_then(Value::as_i64);
    let near = [known.map(|now| now + 1), known.map(|now| now - 1), field.minimum, field.maximum, Some(7)];
    near.into_iter().flatten().map(Value::from).collect()
}

/// One item more, or another one where there is no room.
fn lists(field: &Field, now: Option<&Value>, number: usize) -> Vec<Value> {
    let Some(item) = field.items.as_deref().filter(|item| is_open(item)) else { return Vec::new() };
    let held = now.and_then(Value::as_array).cloned().unwrap_or_default();
    let made = match item.ty {
        FieldType::Object => object(item, number).into_iter().collect(),
        FieldType::String => texts(item, number),
        _ => Vec::new(),
    };
    let longer = made.iter().filter(|new| !held.contains(new)).map(|new| {
        let items = held.iter().chain([new]).cloned();
        Value::Array(items.collect())
    });
    let alone = made.iter().map(|new| json!([new]));
    longer.chain(alone).collect()
}

/// An object with what it must have; where it need have nothing, with its texts, or with the first thing that it may have.
fn object(field: &Field, number: usize) -> Option<Value> {
    let mut made = Map::new();
    let of_text = field.fields.values().any(|inner| inner.ty == FieldType::String);
    for (at, (name, inner)) in field.fields.iter().enumerate() {
        let required = field.required.contains(name);
        let other = if of_text { inner.ty == FieldType::String } else { at == 0 };
        if !required && (!field.required.is_empty() || !other) {
            continue;
        }
        if !is_open(inner) {
            if required {
                return None;
            }
            continue;
        }
        made.insert(name.clone(), one(inner, number)?);
    }
    (!made.is_empty()).then_some(Value::Object(made))
}

/// A value of a field that stands in something new.
pub(super) fn one(field: &Field, number: usize) -> Option<Value> {
    let many = match field.ty {
        FieldType::Boolean => vec![json!(true)],
        FieldType::Integer | FieldType::Number => numbers(field, None),
        FieldType::Array => lists(field, None, number),
        FieldType::Object => object(field, number).into_iter().collect(),
        FieldType::String | FieldType::Any => texts(field, number),
    };
    many.into_iter().next()
}

/// A value as TOML has it.
pub(super) fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{} = {}", json!(key), toml(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A path as a dotted TOML key.
pub(super) fn key(path: &FieldPath) -> String {
    path.keys().map(|key| json!(key).to_string()).collect::<Vec<_>>().join(".")
}

/// The text that a field of an object holds.
pub(super) fn text<'b>(body: &'b Body, field: &str) -> &'b str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}
