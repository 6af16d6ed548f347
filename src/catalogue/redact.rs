//! Takes secrets out of a fetched body, before anything stores, shows or compares it. Uses `model` and [`Field`].

use serde_json::{Map, Value};

use super::{Field, FieldType, Kind};
use crate::model::{Body, FieldPath};

/// Stands for a secret inside an object that may have to be sent whole. Coming back in a job it means: unchanged.
pub const SECRET_MARKER: &str = "(secret: kept as it is)";

/// Takes secret root fields away, lists that hold secrets with them (`signing_keys`), and puts [`SECRET_MARKER`] for secrets
/// inside objects. Returns whether there was any.
pub fn strip(kind: &Kind, body: &mut Body) -> bool {
    let before = body.len();
    body.retain(|name, _| {
        !kind.root().fields.get(name).is_some_and(|field| field.secret || is_secret_list(field))
    });
    let removed = body.len() < before;
    strip_object(kind.root(), body) || removed
}

/// A text in which no secret of a sent body can be read: a server's message may quote the value that it refuses.
pub fn scrub(kind: &Kind, sent: &Body, text: &str) -> String {
    let mut stripped = sent.clone();
    strip(kind, &mut stripped);
    let mut secrets = Vec::new();
    for (key, value) in sent {
        differing(value, stripped.get(key), &mut secrets);
    }
    secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

/// The texts of a value that its stripped form does not hold.
fn differing<'v>(value: &'v Value, stripped: Option<&Value>, out: &mut Vec<&'v str>) {
    match (value, stripped) {
        (value, Some(same)) if value == same => (),
        (Value::String(text), _) => out.push(text),
        (Value::Object(map), stripped) => {
            map.iter()
                .for_each(|(key, inner)| differing(inner, stripped.and_then(|other| other.get(key)), out));
        }
        (Value::Array(items), stripped) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, inner)| differing(inner, stripped.and_then(|other| other.get(at)), out));
        }
        _ => (),
    }
}

/// Whether the marker stands anywhere in a value.
pub fn has_marker(value: &Value) -> bool {
    match value {
        Value::String(text) => text == SECRET_MARKER,
        Value::Array(items) => items.iter().any(has_marker),
        Value::Object(map) => map.values().any(has_marker),
        _ => false,
    }
}

/// Whether a value at this path is, or has in it, something that must not be seen.
pub fn holds_secret(kind: &Kind, path: &FieldPath, value: &Value) -> bool {
    let mut body = Body::new();
    path.put(&mut body, value.clone());
    kind.is_secret(path) || strip(kind, &mut body)
}

/// Whether a root field is taken away whole wherever it is read, so that nobody knows what the tenant holds.
pub fn is_never_read(kind: &Kind, path: &FieldPath) -> bool {
    kind.root().fields.get(path.root()).is_some_and(|field| field.secret || is_secret_list(field))
}

fn is_secret_list(field: &Field) -> bool {
    field.ty == FieldType::Array && field.items.as_deref().is_some_and(can_hold_secret)
}

/// Whether a value of this field can hold a secret.
fn can_hold_secret(field: &Field) -> bool {
    field.secret || field.fields.values().chain(field.items.as_deref()).any(can_hold_secret)
}

fn strip_object(field: &Field, map: &mut Map<String, Value>) -> bool {
    let mut any = false;
    for (name, value) in map {
        let inner = field.fields.get(name).or_else(|| field.items.as_deref().filter(|_| field.open));
        any |= inner.is_some_and(|inner| strip_value(inner, value));
    }
    any
}

fn strip_value(field: &Field, value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        value if field.secret => {
            *value = Value::String(SECRET_MARKER.to_owned());
            true
        }
        Value::Object(map) => strip_object(field, map),
        Value::Array(items) => {
            let Some(item) = field.items.as_deref() else { return false };
            items.iter_mut().fold(false, |any, value| strip_value(item, value) | any)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use serde_json::json;

    #[test]
    fn no_secret_stays_and_everything_else_does() {
        let mut body = json!({
            "name": "Shop", "client_secret": "s3cret", "signing_keys": [{"cert": "c", "key": "s3cret"}],
            "addons": {
                "firebase": {"secret": "s3cret", "client_email": "a@b.example"},
                "layer": {"privateKey": "s3cret", "keyId": "k"},
                "azure_blob": {"storageAccessKey": "s3cret"}, "azure_sb": {"sasKey": "s3cret"},
                "sap_api": {"servicePassword": "s3cret"}, "wams": {"masterkey": "s3cret"}, "samlp": {"audience": "x"},
            },
        }).as_object().unwrap().clone();
        assert!(strip(default_kind(), &mut body));
        let text = serde_json::to_string(&body).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(!body.contains_key("signing_keys") && !body.contains_key("client_secret"));
        assert_eq!(
            body["addons"]["firebase"],
            json!({"secret": SECRET_MARKER, "client_email": "a@b.example"})
        );
        assert!(has_marker(&Value::Object(body)));
    }

    #[test]
    fn a_body_without_secrets_is_left_as_it_is() {
        let mut body =
            json!({"name": "Shop", "addons": {"firebase": {"secret": null}}}).as_object().unwrap().clone();
        let before = body.clone();
        assert!(!strip(default_kind(), &mut body));
        assert_eq!(body, before);
        assert!(!has_marker(&json!(["(secret)"])));
    }
}
