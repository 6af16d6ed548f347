//! Values that the log masks. How it masks is known of `client_secret` alone (`REDACTED`), so other usual ways are known too.

use serde_json::{Map, Value};

use crate::model::{Body, FieldPath};

/// Whether a value stands for one that is not shown, or has such a one in it.
pub(super) fn is_masked(value: &Value) -> bool {
    match value {
        Value::String(text) => is_mask(text),
        Value::Array(items) => items.iter().any(is_masked),
        Value::Object(map) => map.values().any(is_masked),
        _ => false,
    }
}

fn is_mask(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| matches!(c, '[' | ']' | '<' | '>' | '(' | ')' | '{' | '}'));
    let blotted = |c: char| matches!(c, '*' | '•');
    ["redacted", "masked", "hidden"]
        .iter()
        .any(|word| bare.eq_ignore_ascii_case(word) && is_shouted(text, bare))
        || bare.chars().count() >= 3 && bare.chars().all(blotted)
}

/// A client may well be called `Hidden`: a mask is in brackets, or in capitals.
fn is_shouted(text: &str, bare: &str) -> bool {
    text.len() > bare.len() || bare.chars().all(char::is_uppercase)
}

/// Puts what was there before where a value is masked; nothing, where nothing was.
pub(super) fn unmask(body: &mut Body, before: Option<&Body>) {
    let masked: Vec<String> =
        body.iter().filter(|(_, value)| is_masked(value)).map(|(key, _)| key.clone()).collect();
    for key in masked {
        let known = before.and_then(|before| before.get(&key));
        match (body.get_mut(&key), known) {
            (Some(Value::Object(inner)), known) => unmask(inner, known.and_then(Value::as_object)),
            (Some(value), Some(known)) => *value = known.clone(),
            _ => drop(body.shift_remove(&key)),
        }
    }
}

/// The leaves of a body with their paths: all that is no object, and objects without keys.
pub(super) fn leaves(body: &Body) -> Vec<(FieldPath, &Value)> {
    let mut out = Vec::new();
    for (key, value) in body {
        push_leaves(FieldPath::root_field(key), value, &mut out);
    }
    out
}

fn push_leaves<'v>(path: FieldPath, value: &'v Value, out: &mut Vec<(FieldPath, &'v Value)>) {
    match value.as_object().filter(|map: &&Map<_, _>| !map.is_empty()) {
        Some(map) => map.iter().for_each(|(key, value)| push_leaves(path.child(key), value, out)),
        None => out.push((path, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn masks_are_known_in_their_usual_forms_and_names_are_none() {
        for mask in
            ["REDACTED", "[REDACTED]", "[redacted]", "<redacted>", "***", "********", "•••••", "(hidden)"]
        {
            assert!(is_masked(&json!({"a": [mask]})), "{mask}");
        }
        for text in
            ["Redacted Documents", "hidden", "Hidden", "**", "", "[]", "* * *", "https://*.acme.example"]
        {
            assert!(!is_masked(&json!(text)), "{text}");
        }
    }

    #[test]
    fn what_is_masked_is_taken_as_it_was() {
        let mut body = json!({"a": "REDACTED", "b": {"c": "***", "d": 1, "e": "***"}, "f": ["REDACTED"]});
        let before = json!({"a": "x", "b": {"c": "y"}});
        unmask(body.as_object_mut().unwrap(), before.as_object());
        assert_eq!(body, json!({"a": "x", "b": {"c": "y", "d": 1}}));
    }
}
