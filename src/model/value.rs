//! When two JSON values are the same setting.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// Whether the order of a list carries meaning. The catalogue says it for each list field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListOrder {
    /// The order is part of the value (`callbacks`: its first entry has a meaning).
    #[default]
    Ordered,
    /// Only membership counts.
    Set,
}

impl ListOrder {
    /// Whether the order is part of the value: most fields are no sets, and a plan need not say it of each.
    pub(crate) fn is_ordered(&self) -> bool {
        *self == Self::Ordered
    }
}

/// Whether two values, either of which may be absent, are the same setting: null equals absent, 7 equals 7.0,
/// the order of object keys never matters, and that of the outermost list does as `order` says.
pub fn same(a: Option<&Value>, b: Option<&Value>, order: ListOrder) -> bool {
    match (a.filter(|v| !v.is_null()), b.filter(|v| !v.is_null())) {
        (None, None) => true,
        (Some(a), Some(b)) => same_present(a, b, order),
        _ => false,
    }
}

fn same_present(a: &Value, b: &Value, order: ListOrder) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Object(a), Value::Object(b)) => same_object(a, b),
        (Value::Array(a), Value::Array(b)) => same_list(a, b, order),
        (a, b) => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()))
}

fn same_object(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    // Each key once: a key that both have, compared from either side, would double the work with every level.
    a.iter().all(|(key, inner)| same(Some(inner), b.get(key), ListOrder::Ordered))
        && b.iter().all(|(key, inner)| inner.is_null() || a.contains_key(key))
}

fn same_list(a: &[Value], b: &[Value], order: ListOrder) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let equal = |a: &Value, b: &Value| same(Some(a), Some(b), ListOrder::Ordered);
    match order {
        ListOrder::Ordered => a.iter().zip(b).all(|(a, b)| equal(a, b)),
        // Lists of settings are short (tens of entries); counting both ways keeps doubles honest.
        ListOrder::Set => a.iter().all(|item| {
            let count = |list: &[Value]| list.iter().filter(|other| equal(item, other)).count();
            count(a) == count(b)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "called with literals")]
    fn eq(a: Value, b: Value) -> bool {
        same(Some(&a), Some(&b), ListOrder::Ordered)
    }

    #[test]
    fn null_equals_absent_and_seven_equals_seven_point_zero() {
        assert!(same(None, Some(&Value::Null), ListOrder::Ordered));
        assert!(eq(json!(7), json!(7.0)));
        assert!(eq(json!({"a": null, "b": 1}), json!({"b": 1.0})));
        assert!(!eq(json!(""), Value::Null));
        assert!(!eq(json!([]), Value::Null));
    }

    #[test]
    fn a_value_as_deep_as_can_be_read_is_compared_at_once() {
        let deep = |leaf: Value| (0..120).fold(leaf, |inner, _| json!({ "in": inner, "none": null }));
        assert!(eq(deep(json!(1)), deep(json!(1.0))));
        assert!(!eq(deep(json!(1)), deep(json!(2))));
    }

    #[test]
    fn a_key_that_one_side_alone_has_is_a_difference_unless_it_is_null() {
        assert!(eq(json!({"a": 1}), json!({"a": 1, "b": null})));
        for (a, b) in [(json!({"a": 1}), json!({"a": 1, "b": 2})), (json!({"a": null}), json!({"a": 0}))] {
            assert!(!eq(a.clone(), b.clone()) && !eq(b, a));
        }
    }

    #[test]
    fn large_integers_are_not_rounded_into_each_other() {
        assert!(!eq(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)));
    }

    #[test]
    fn a_set_ignores_order_but_not_doubles() {
        let set = |a: &Value, b: &Value| same(Some(a), Some(b), ListOrder::Set);
        assert!(set(&json!(["a", "b"]), &json!(["b", "a"])));
        assert!(!set(&json!(["a", "a", "b"]), &json!(["a", "b", "b"])));
        assert!(!eq(json!(["a", "b"]), json!(["b", "a"])));
    }
}
