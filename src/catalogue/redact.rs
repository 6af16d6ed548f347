//! Takes secrets out of a fetched body, before anything stores, shows or compares it. Uses `model` and [`Field`].

use serde_json::{Map, Value};

use super::{Field, FieldType, Kind};
use crate::model::{Body, FieldPath, SecretPlace, Secrets};

/// Stands for a secret inside an object that may have to be sent whole. Coming back in a job it means: unchanged.
pub const SECRET_MARKER: &str = "(secret: kept as it is)";

/// Takes secret root fields away, lists that hold secrets with them (`signing_keys`), and puts [`SECRET_MARKER`] for secrets
/// inside objects. Returns whether there was any. What stands for a secret already ([`mark`]) stays.
pub fn strip(kind: &Kind, body: &mut Body) -> bool {
    let before = body.len();
    body.retain(|name, value| {
        let field = kind.root().fields.get(name);
        !field.is_some_and(|field| field.secret && !is_marker(value) || is_secret_list(field))
    });
    let removed = body.len() < before;
    strip_object(kind.root(), body) || removed
}

/// Puts the place of a secret where the tenant holds just what was found there, so that the two can be compared without
/// anybody seeing them, and [`SECRET_MARKER`] for any other secret root field. Where a job sets no secret, all stays.
/// For a body as the tenant answered it, once: what is marked already would be taken for a secret that reads like a mark.
pub fn mark(kind: &Kind, body: &mut Body, secrets: &Secrets) {
    each_secret(kind.root(), body, &mut |value| {
        // A secret that reads like the place of one is not to be taken for it.
        if SecretPlace::of(value).is_some() {
            *value = Value::String(SECRET_MARKER.to_owned());
        }
    });
    if secrets.is_empty() {
        return;
    }
    each_secret(kind.root(), body, &mut |value| {
        if let Some(place) = value.as_str().and_then(|text| secrets.place_of(text)) {
            *value = place.marker();
        }
    });
    for (name, value) in body.iter_mut().filter(|(_, value)| !value.is_null() && !is_marker(value)) {
        if kind.root().fields.get(name).is_some_and(|field| field.secret) {
            *value = Value::String(SECRET_MARKER.to_owned());
        }
    }
}

/// Puts the secrets themselves in their places, for the request that sends them.
///
/// # Errors
/// The place of which nothing is known.
pub fn fill(kind: &Kind, body: &mut Body, secrets: &Secrets) -> Result<(), SecretPlace> {
    let mut unknown = None;
    each_secret(kind.root(), body, &mut |value| {
        let Some(place) = SecretPlace::of(value) else { return };
        match secrets.get(&place) {
            Some(secret) => *value = Value::String(secret.expose().to_owned()),
            None => unknown = Some(place),
        }
    });
    unknown.map_or(Ok(()), Err)
}

/// Shows every value of a secret field.
fn each_secret(field: &Field, map: &mut Map<String, Value>, visit: &mut dyn FnMut(&mut Value)) {
    for (name, value) in map {
        let inner = field.fields.get(name).or_else(|| field.items.as_deref().filter(|_| field.open));
        match (inner, value) {
            (Some(inner), value) if inner.secret => visit(value),
            (Some(inner), Value::Object(map)) => each_secret(inner, map, visit),
            _ => (),
        }
    }
}

/// A text in which no secret of a sent body can be read: a server's message may quote the value that it refuses.
pub fn scrub(kind: &Kind, sent: &Body, text: &str) -> String {
    let mut stripped = sent.clone();
    strip(kind, &mut stripped);
    let mut secrets = Vec::new();
    for (key, value) in sent {
        differing(value, stripped.get(key), &mut secrets);
    }
    secrets.into_iter().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| {
        // Of several lines, it may be quoted as JSON writes it.
        let escaped = Value::from(secret).to_string();
        text.replace(secret, "…").replace(&escaped[1..escaped.len() - 1], "…")
    })
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

/// Whether something that stands for a secret is anywhere in a value: the marker, or a place where one is kept.
pub fn has_marker(value: &Value) -> bool {
    any(value, &is_marker)
}

/// Whether the marker stands anywhere in a value, so that a secret of the tenant has to go along.
pub fn has_kept(value: &Value) -> bool {
    any(value, &|value| value == SECRET_MARKER)
}

/// Whether the place of a secret stands anywhere in a value.
pub fn has_place(value: &Value) -> bool {
    any(value, &|value| SecretPlace::of(value).is_some())
}

/// Whether a value stands for a secret.
pub fn is_marker(value: &Value) -> bool {
    value == SECRET_MARKER || SecretPlace::of(value).is_some()
}

fn any(value: &Value, is: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|inner| any(inner, is)),
        Value::Object(map) => map.values().any(|inner| any(inner, is)),
        value => is(value),
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
        value if field.secret && is_marker(value) => true,
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
    use crate::model::Secret;
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
    fn a_secret_is_told_by_its_place_where_it_is_the_one_that_was_found_there() {
        let kind = default_kind();
        let place = SecretPlace::Env("A".into());
        let secrets = [(place.clone(), Secret::new("hush"))].into_iter().collect();
        let held = json!({
            "name": "hush", "client_secret": "other",
            "addons": {"firebase": {"secret": "hush"}, "layer": {"privateKey": "other"}},
        });
        let mut body = held.as_object().unwrap().clone();
        mark(kind, &mut body, &secrets);
        strip(kind, &mut body);
        let marked = json!({
            "name": "hush", "client_secret": SECRET_MARKER,
            "addons": {"firebase": {"secret": place.marker()}, "layer": {"privateKey": SECRET_MARKER}},
        });
        assert_eq!(Value::Object(body), marked);
    }

    #[test]
    fn secrets_are_put_into_secret_fields_alone_and_what_is_not_known_is_named() {
        let kind = default_kind();
        let place = SecretPlace::Env("A".into());
        let mut body =
            json!({"name": place.marker(), "client_secret": place.marker()}).as_object().unwrap().clone();
        assert_eq!(fill(kind, &mut body, &Secrets::default()), Err(place.clone()));
        fill(kind, &mut body, &[(place.clone(), Secret::new("hush"))].into_iter().collect()).unwrap();
        assert_eq!(Value::Object(body), json!({"name": place.marker(), "client_secret": "hush"}));
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
