//! One field of one client, before and after.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::same;
use super::{FieldPath, ListOrder};

/// A field that differs between the tenant's state and what a job asks for.
/// `None` means absent, which is the same as null. Holds no secret: secrets are neither planned nor stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which field: always a leaf (a scalar or a whole list).
    pub path: FieldPath,
    /// What the tenant held when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it holds once the change is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// How two values of this field compare.
    #[serde(default, skip_serializing_if = "ListOrder::is_ordered")]
    pub order: ListOrder,
    /// Of a list that is edited by item: which. What else stands in the list is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemEdit>,
}

/// What a field held that was written though somebody else had changed it (`--on-conflict overwrite`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overwritten {
    /// Which field.
    pub path: FieldPath,
    /// What stood there; nothing where it was absent. Holds no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Items to append to a list, and items to take out of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ItemEdit {
    /// Appended where they are not there, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Value>,
    /// Taken out wherever they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Value>,
    /// The keys that tell items apart which say more than that: one that is there already gets those of its attributes that are
    /// named and keeps the others, and one that goes goes whatever they are. Empty where items are told apart by all they say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

impl ItemEdit {
    /// The list afterwards; one that was absent and gets nothing stays absent.
    pub fn after(&self, now: Option<&Value>) -> Option<Value> {
        let mut items = now.and_then(Value::as_array).cloned().unwrap_or_default();
        items.retain(|item| !self.remove.iter().any(|gone| self.is_same(gone, item)));
        for item in &self.add {
            match (items.iter_mut().find(|held| self.is_same(held, item)), item) {
                (Some(Value::Object(held)), Value::Object(named)) => held.extend(named.clone()),
                (Some(_), _) => (),
                (None, item) => items.push(item.clone()),
            }
        }
        (now.is_some() || !items.is_empty()).then_some(Value::Array(items))
    }

    /// Whether a list already is as asked.
    pub fn is_done(&self, now: Option<&Value>) -> bool {
        let items = now.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let there = |item: &Value| items.iter().find(|held| self.is_same(held, item));
        self.add.iter().all(|item| there(item).is_some_and(|held| self.says(held, item)))
            && !self.remove.iter().any(|item| there(item).is_some())
    }

    /// Whether two items are one, whatever their attributes.
    pub fn is_same(&self, a: &Value, b: &Value) -> bool {
        match self.keys.as_slice() {
            [] => same(Some(a), Some(b), ListOrder::Ordered),
            keys => keys.iter().all(|key| a.get(key) == b.get(key)),
        }
    }

    /// Whether an item that is there has every attribute that is named.
    fn says(&self, held: &Value, item: &Value) -> bool {
        match item {
            Value::Object(named) if !self.keys.is_empty() => {
                named.iter().all(|(key, value)| held.get(key) == Some(value))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_with_keys_get_what_is_named_and_go_whatever_else_they_say() {
        let keys = vec!["id".to_owned()];
        let edit = ItemEdit { add: vec![json!({"id": 1, "on": true})], remove: vec![json!({"id": 2})], keys };
        let now = json!([{"id": 1, "on": false, "shown": true}, {"id": 2, "on": true}, {"id": 3}]);
        let after = json!([{"id": 1, "on": true, "shown": true}, {"id": 3}]);
        assert_eq!(edit.after(Some(&now)), Some(after.clone()));
        assert!(!edit.is_done(Some(&now)) && edit.is_done(Some(&after)));
        assert_eq!(edit.after(None), Some(json!([{"id": 1, "on": true}])));
    }

    #[test]
    fn items_are_appended_in_order_and_taken_out_and_the_others_stay() {
        let edit = ItemEdit {
            add: vec![json!("c"), json!("a")],
            remove: vec![json!("b"), json!("x")],
            keys: Vec::new(),
        };
        let now = json!(["a", "b", "d", "b"]);
        assert_eq!(edit.after(Some(&now)), Some(json!(["a", "d", "c"])));
        assert!(!edit.is_done(Some(&now)) && edit.is_done(edit.after(Some(&now)).as_ref()));
        assert_eq!(ItemEdit { add: vec![], remove: vec![json!("b")], keys: vec![] }.after(None), None);
    }
}
