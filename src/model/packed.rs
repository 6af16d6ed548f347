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

/// Room that is taken at once for values. One text that doubles as it grows would be copied, and leave holes of half its size.
const CHUNK: usize = 256 * 1024;

/// Many values as JSON text, one behind the other.
pub struct PackedList<T> {
    chunks: Vec<String>,
    /// In which chunk each stands, and where in it it ends.
    ends: Vec<(u32, u32)>,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> PackedList<T> {
    /// Adds one at the end.
    pub fn push(&mut self, value: &T) {
        let text = printed(value);
        match self.chunks.last_mut().filter(|chunk| chunk.len() + text.len() <= CHUNK) {
            Some(chunk) => chunk.push_str(&text),
            // What is larger than a chunk has one of its own.
            None if text.len() > CHUNK / 4 => self.chunks.push(text),
            None => {
                let mut chunk = String::with_capacity(CHUNK);
                chunk.push_str(&text);
                self.chunks.push(chunk);
            }
        }
        let end = self.chunks.last().map_or(0, String::len);
        self.ends.push((number(self.chunks.len() - 1), number(end)));
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
        self.chunks.last_mut().into_iter().for_each(String::shrink_to_fit);
        self.ends.shrink_to_fit();
    }
}

impl<T> PackedList<T> {
    /// The JSON text of what stands at a place.
    pub fn text(&self, at: usize) -> Option<&str> {
        let (chunk, end) = *self.ends.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let begin = before.filter(|(of, _)| *of == chunk).map_or(0, |(_, end)| *end);
        self.chunks.get(chunk as usize)?.get(begin as usize..end as usize)
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

#[expect(
    clippy::expect_used,
    reason = "a chunk of 4 GiB, or as many chunks, would not fit into the memory of a machine"
)]
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("no value prints as 4 GiB of JSON")
}

impl<T> Default for PackedList<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), ends: Vec::new(), of: PhantomData }
    }
}

impl<T> Clone for PackedList<T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), ends: self.ends.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for PackedList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|at| self.text(at) == other.text(at))
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
    // What wraps a value is some levels deeper than what was read of a file or an answer, where depth is bounded.
    let mut json = serde_json::Deserializer::from_str(text);
    json.disable_recursion_limit();
    T::deserialize(&mut json).expect("what was printed as JSON reads back")
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
    fn values_of_any_size_stand_beside_each_other() {
        let long = |length: usize| Value::from("x".repeat(length));
        let values: Vec<Value> =
            [1, CHUNK, 10, CHUNK / 2, CHUNK / 2, 3, CHUNK / 5, CHUNK - 20, 0].map(long).to_vec();
        let list: PackedList<Value> = values.iter().cloned().collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), values);
    }

    #[test]
    fn what_is_as_deep_as_can_be_read_reads_back_when_it_is_wrapped() {
        let deepest = format!("{}1{}", "[".repeat(127), "]".repeat(127));
        let value: Value = serde_json::from_str(&deepest).unwrap();
        let wrapped = json!({ "changes": [{ "after": value }] });
        assert_eq!(Packed::new(&wrapped).open(), wrapped);
    }

    #[test]
    fn the_keys_of_a_packed_body_keep_their_order() {
        let body: Body = json!({"b": 1, "a": 2, "c": null}).as_object().unwrap().clone();
        let opened = Packed::new(&body).open();
        assert_eq!(opened.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
    }
}
