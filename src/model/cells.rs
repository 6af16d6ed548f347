//! The cells of an input row, as one text: a report repeats them, and a hundred thousand rows have many. Central type: [`Cells`].

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The cells of an input row, byte for byte. Cheap to clone.
///
/// One piece of memory: how many there are, where each ends, then their text; numbers take four bytes each.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cells(Option<Arc<[u8]>>);

const NUMBER: usize = size_of::<u32>();

impl Cells {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.number(0).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of a column.
    pub fn get(&self, at: usize) -> Option<&str> {
        let count = self.len();
        if at >= count {
            return None;
        }
        let begin = if at == 0 { 0 } else { self.number(at)? };
        let text = self.0.as_ref()?.get((1 + count) * NUMBER..)?;
        std::str::from_utf8(text.get(begin..self.number(at + 1)?)?).ok()
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at).unwrap_or_default())
    }

    fn number(&self, at: usize) -> Option<usize> {
        let bytes = self.0.as_ref()?.get(at * NUMBER..(at + 1) * NUMBER)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    }
}

impl<T: AsRef<str>> FromIterator<T> for Cells {
    /// Of rows that are longer than 4 GiB, the cells beyond are left out; no reader takes such a row.
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        let (mut text, mut ends): (Vec<u8>, Vec<u32>) = (Vec::new(), Vec::new());
        for cell in cells {
            let Ok(end) = u32::try_from(text.len() + cell.as_ref().len()) else { break };
            text.extend_from_slice(cell.as_ref().as_bytes());
            ends.push(end);
        }
        let Some(count) = u32::try_from(ends.len()).ok().filter(|count| *count > 0) else {
            return Self(None);
        };
        let numbers = std::iter::once(count).chain(ends).flat_map(u32::to_le_bytes);
        Self(Some(numbers.chain(text).collect()))
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for cell in self.iter() {
            list.serialize_element(cell)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Cells;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cells, A::Error> {
                let mut cells: Vec<String> = Vec::new();
                while let Some(cell) = list.next_element()? {
                    cells.push(cell);
                }
                Ok(cells.into_iter().collect())
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_are_what_they_were_made_of(texts in prop::collection::vec(any::<String>(), 0..6)) {
            let cells: Cells = texts.iter().collect();
            prop_assert_eq!(cells.iter().collect::<Vec<_>>(), texts.iter().collect::<Vec<_>>());
            prop_assert_eq!(cells.get(texts.len()), None);
            let json = serde_json::to_string(&cells).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&texts).unwrap());
            prop_assert_eq!(serde_json::from_str::<Cells>(&json).unwrap(), cells);
        }
    }
}
