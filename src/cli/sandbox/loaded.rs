//! Clients that somebody kept, in the forms in which they are kept. Central function: [`parse`].

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::catalogue::{Kind, SECRET_MARKER, default_kind, kind};
use crate::job::json::{BASE_KEY, KIND_KEY};
use crate::model::{Body, Endpoint};

/// What stands in the sandbox for a secret that the file does not hold.
const SECRET: &str = "made-up-by-the-sandbox";

/// Clients as the API lists them (an array, or an object with `clients`), or as `get` writes them in JSON: an array, a client
/// alone, or one a line. Several of these may follow each other, such as the pages of a list.
pub(super) fn parse(text: &str) -> Result<Vec<Body>, String> {
    let mut clients = bodies(text)?;
    clients.iter_mut().for_each(make_storable);
    check_ids(&clients, endpoint())?;
    if clients.is_empty() { Err("holds no client".to_owned()) } else { Ok(clients) }
}

/// The clients that a text holds, in any of these forms, as they stand there.
pub(in crate::cli) fn bodies(text: &str) -> Result<Vec<Body>, String> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter() {
        found.extend(listed(value.map_err(|error| format!("not JSON: {error}"))?)?);
    }
    found.into_iter().zip(1..).map(|(value, at)| client(value, at)).collect()
}

/// The objects that a text holds, in any of these forms, each with its kind: as it says itself, else clients.
pub(in crate::cli) fn objects(text: &str) -> Result<Vec<(&'static Kind, Body)>, String> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter() {
        found.extend(listed(value.map_err(|error| format!("not JSON: {error}"))?)?);
    }
    found.into_iter().zip(1..).map(|(value, at)| object(value, at)).collect()
}

fn object(value: Value, at: usize) -> Result<(&'static Kind, Body), String> {
    let of_other = value.get(KIND_KEY).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Value::Object(mut body)) = (of_other, value.clone()) else {
        return client(value, at).map(|client| (default_kind(), client));
    };
    let kind = kind(&name)
        .ok_or_else(|| format!("entry {at} is of a kind `{name}`, which this version does not know"))?;
    if !body.contains_key(&kind.endpoint.id_field) {
        return Err(format!("entry {at} is no {}: it has no `{}`", kind.singular, kind.endpoint.id_field));
    }
    body.shift_remove(KIND_KEY);
    Ok((kind, body))
}

fn endpoint() -> &'static Endpoint {
    &default_kind().endpoint
}

/// The entries of a document.
fn listed(document: Value) -> Result<Vec<Value>, String> {
    match document {
        Value::Array(items) => Ok(items),
        Value::Object(mut object) => match object.remove(&endpoint().collection) {
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(format!("`{}` is no list", endpoint().collection)),
            None if object.contains_key("statusCode") => {
                Err("that is an error of the API, not a list".to_owned())
            }
            None => Ok(vec![Value::Object(object)]),
        },
        _ => Err("holds neither a list of clients nor a client".to_owned()),
    }
}

/// `at` counts from 1.
fn client(value: Value, at: usize) -> Result<Body, String> {
    let Value::Object(client) = value else {
        return Err(format!("entry {at} is no client: it is no object"));
    };
    let (id_field, name_field) = (&endpoint().id_field, &endpoint().name_field);
    if !client.contains_key(id_field) && !client.contains_key(name_field) {
        return Err(format!("entry {at} is no client: it has neither `{id_field}` nor `{name_field}`"));
    }
    let legal = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let good = |id: &Value| id.as_str().is_some_and(|id| (1..=64).contains(&id.len()) && legal(id));
    if let Some(id) = client.get(id_field).filter(|id| !good(id)) {
        return Err(format!("entry {at}: {id} is no {id_field}"));
    }
    Ok(client)
}

/// Takes out what `get` adds, and puts something in for what it hides.
pub(super) fn make_storable(object: &mut Body) {
    object.shift_remove(BASE_KEY);
    object.values_mut().for_each(fill_in);
}

/// Puts something in the place of secrets that `get` took out.
fn fill_in(value: &mut Value) {
    match value {
        Value::String(text) if text == SECRET_MARKER => *value = json!(SECRET),
        Value::Array(items) => items.iter_mut().for_each(fill_in),
        Value::Object(map) => map.values_mut().for_each(fill_in),
        _ => {}
    }
}

/// Of two objects with one id only one would be left.
pub(super) fn check_ids(objects: &[Body], endpoint: &Endpoint) -> Result<(), String> {
    let mut seen = HashMap::new();
    let id_field = &endpoint.id_field;
    for (at, id) in (1..).zip(objects.iter().map(|object| object.get(id_field))) {
        let first = id.and_then(|id| seen.insert(id.as_str(), at));
        if let (Some(first), Some(id)) = (first, id) {
            return Err(format!("entries {first} and {at} have one {id_field}, {id}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let clients = parse(text).unwrap();
        clients.iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn lists_of_the_api_and_what_get_writes_are_read() {
        let (a, b) =
            (r#"{"client_id": "a", "name": "A"}"#, r#"{"client_id": "b", "name": "B", "_base": "x"}"#);
        for text in [
            format!("[{a}, {b}]"),
            format!("{a}\n{b}\n"),
            format!("{{\"total\": 2, \"start\": 0, \"limit\": 50, \"clients\": [{a}, {b}]}}"),
            format!("{{\"next\": \"n\", \"clients\": [{a}]}}\n{{\"clients\": [{b}]}}"),
            format!("\u{feff}[{a}]\n[{b}]"),
        ] {
            assert_eq!(names(&text), ["A", "B"], "{text}");
        }
        assert_eq!(names(a), ["A"]);
        assert_eq!(parse(b).unwrap()[0].get("_base"), None);
    }

    #[test]
    fn a_secret_that_get_took_out_gets_a_made_up_one() {
        let text = json!({"name": "A", "addons": {"layer": {"privateKey": SECRET_MARKER, "keyId": "k"}}})
            .to_string();
        assert_eq!(
            parse(&text).unwrap()[0]["addons"],
            json!({"layer": {"privateKey": SECRET, "keyId": "k"}})
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("", "holds no client"),
            ("[]", "holds no client"),
            ("[1]", "entry 1 is no client: it is no object"),
            (
                "[{\"name\": \"A\"}, {\"id\": 1}]",
                "entry 2 is no client: it has neither `client_id` nor `name`",
            ),
            ("{\"client_id\": 7}", "entry 1: 7 is no client_id"),
            ("{\"client_id\": \"a b\"}", "entry 1: \"a b\" is no client_id"),
            (
                "[{\"client_id\": \"a\"}, {\"name\": \"B\"}, {\"client_id\": \"a\"}]",
                "entries 1 and 3 have one client_id, \"a\"",
            ),
            ("{\"clients\": {}}", "`clients` is no list"),
            ("{\"statusCode\": 401}", "that is an error of the API"),
            ("7", "holds neither a list of clients nor a client"),
            ("[{\"name\": \"A\"},\n nonsense]", "not JSON: expected ident at line 2 column 3"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
