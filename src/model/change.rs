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
}

impl ItemEdit {
    /// The list afterwards; one that was absent and gets nothing stays absent.
    pub fn after(&self, now: Option<&Value>) -> Option<Value> {
        let mut items = now.and_then(Value::as_array).cloned().unwrap_or_default();
        items.retain(|item| !has(&self.remove, item));
        for item in &self.add {
            if !has(&items, item) {
                items.push(item.clone());
            }
        }
        (now.is_some() || !items.is_empty()).then_some(Value::Array(items))
    }

    /// Whether a list already is as asked.
    pub fn is_done(&self, now: Option<&Value>) -> bool {
        let items = now.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.add.iter().all(|item| has(items, item)) && !self.remove.iter().any(|item| has(items, item))
    }
}

fn has(list: &[Value], item: &Value) -> bool {
    list.iter().any(|other| same(Some(other), Some(item), ListOrder::Ordered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_appended_in_order_and_taken_out_and_the_others_stay() {
        let edit = ItemEdit { add: vec![json!("c"), json!("a")], remove: vec![json!("b"), json!("x")] };
        let now = json!(["a", "b", "d", "b"]);
        assert_eq!(edit.after(Some(&now)), Some(json!(["a", "d", "c"])));
        assert!(!edit.is_done(Some(&now)) && edit.is_done(edit.after(Some(&now)).as_ref()));
        assert_eq!(ItemEdit { add: vec![], remove: vec![json!("b")] }.after(None), None);
    }
}
