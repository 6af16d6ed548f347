//! Values kept as JSON text: as maps, a hundred thousand clients of two fields each would take five times the memory.
//! Central types: [`Packed`], [`PackedList`].

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as JSON text. Opening it takes a microsecond for a client with some fields.
pub struct Packed<T> {
    text: Arc<str>,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// Packs a value.
    pub fn new(value: &T) -> Self {
        Self { text: Arc::from(printed(value)), of: PhantomData }
    }

    /// The value again.
    pub fn open(&self) -> T {
        opened(&self.text)
    }
}

impl<T> Clone for Packed<T> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), of: PhantomData }
    }
}

impl<T> PartialEq for Packed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Many values as JSON text, one behind the other.
pub struct PackedList<T> {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> PackedList<T> {
    /// Adds one at the end.
    pub fn push(&mut self, value: &T) {
        self.text.push_str(&printed(value));
        self.ends.push(self.text.len());
    }

    /// Takes out what stands at a place, as a value.
    pub fn get(&self, at: usize) -> Option<T> {
        self.text(at).map(opened)
    }

    /// All of them, each opened when its turn comes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + '_ {
        (0..self.len()).map(|at| opened(self.text(at).unwrap_or_default()))
    }

    /// Gives back memory that was taken for more of them.
    pub fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<T> PackedList<T> {
    /// The JSON text of what stands at a place.
    pub fn text(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[begin..end])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl<T> Default for PackedList<T> {
    fn default() -> Self {
        Self { text: String::new(), ends: Vec::new(), of: PhantomData }
    }
}

impl<T> Clone for PackedList<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), ends: self.ends.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for PackedList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl<T> fmt::Debug for PackedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).filter_map(|at| self.text(at))).finish()
    }
}

impl<T: Serialize + DeserializeOwned> FromIterator<T> for PackedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut list = Self::default();
        values.into_iter().for_each(|value| list.push(&value));
        list.shrink();
        list
    }
}

#[expect(
    clippy::expect_used,
    reason = "values of this program's own types, whose keys are texts, always print"
)]
fn printed<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a value of our own prints as JSON")
}

#[expect(clippy::expect_used, reason = "the text was printed by this very process from a value of this type")]
fn opened<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("what was printed as JSON reads back")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_as_it_was(values in prop::collection::vec(value(), 0..8)) {
            let list: PackedList<Value> = values.iter().cloned().collect();
            prop_assert_eq!(list.iter().collect::<Vec<_>>(), values.as_slice());
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(&Packed::new(value).open(), value);
                prop_assert_eq!(list.get(at), Some(value.clone()));
            }
            prop_assert_eq!(list.get(values.len()), None);
        }
    }

    #[test]
    fn the_keys_of_a_packed_body_keep_their_order() {
        let body: Body = json!({"b": 1, "a": 2, "c": null}).as_object().unwrap().clone();
        let opened = Packed::new(&body).open();
        assert_eq!(opened.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
    }
}
