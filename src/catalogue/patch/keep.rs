//! Secrets that stay as they are: taken from a fresh read, and put where the marker stands for them.

use serde_json::{Map, Value};

use crate::catalogue::redact::{SECRET_MARKER, has_kept};

/// Puts the secrets of `before` where the marker stands for them.
pub(super) fn secrets(body: &mut Map<String, Value>, before: &Map<String, Value>) {
    for (key, value) in body {
        match (value, before.get(key)) {
            (Value::Object(inner), Some(Value::Object(before))) => secrets(inner, before),
            (Value::Array(items), Some(Value::Array(before))) => of_items(items, before),
            (value, Some(secret)) if *value == SECRET_MARKER => *value = secret.clone(),
            _ => (),
        }
    }
}

/// An item of a list is taken for the one of `before` that is the same but for what is marked; where several are, for none.
fn of_items(items: &mut [Value], before: &[Value]) {
    for item in items.iter_mut().filter(|item| has_kept(item)) {
        let mut fitting = before.iter().filter(|old| fits(item, old));
        if let (Some(old), None) = (fitting.next(), fitting.next()) {
            *item = old.clone();
        }
    }
}

/// Whether two values are the same where nothing is marked.
fn fits(marked: &Value, old: &Value) -> bool {
    match (marked, old) {
        (marked, _) if *marked == SECRET_MARKER => true,
        (Value::Object(marked), Value::Object(old)) => {
            marked.len() == old.len()
                && marked.iter().all(|(key, value)| old.get(key).is_some_and(|old| fits(value, old)))
        }
        (Value::Array(marked), Value::Array(old)) => {
            marked.len() == old.len() && marked.iter().zip(old).all(|(marked, old)| fits(marked, old))
        }
        (marked, old) => marked == old,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_secret_of_a_list_item_is_taken_from_the_item_that_is_the_same_beside_it() {
        let held = [json!({"header": "A", "value": "1"}), json!({"header": "B", "value": "2"})];
        let mut items =
            [json!({"header": "B", "value": SECRET_MARKER}), json!({"header": "C", "value": SECRET_MARKER})];
        of_items(&mut items, &held);
        assert_eq!(items, [held[1].clone(), json!({"header": "C", "value": SECRET_MARKER})]);
        let doubled = [held[0].clone(), json!({"header": "A", "value": "3"})];
        let mut items = [json!({"header": "A", "value": SECRET_MARKER})];
        of_items(&mut items, &doubled);
        assert!(has_kept(&items[0]));
    }
}
