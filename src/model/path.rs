//! Paths to fields inside a JSON body: `refresh_token.leeway`, `client_metadata."a.b"`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A path of object keys, at least one. Lists are leaves: no path leads into one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Arc<[Box<str>]>);

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Two dots in a row, a dot at an end, or nothing at all.
    #[error("has an empty key")]
    EmptyKey,
    /// So many keys that no field is there.
    #[error("is too deep")]
    TooDeep,
    /// A `"` that opens a key and is not closed, or stands inside an unquoted one.
    #[error("has a stray or unclosed quote")]
    Quote,
}

/// Keys of a path: JSON that nests deeper is not read either.
const DEEPEST: usize = 128;

impl FieldPath {
    /// A path of the one key `root`, taken literally.
    pub fn root_field(root: &str) -> Self {
        Self(Arc::from([Box::from(root)]))
    }

    /// A path of literal keys; `None` without any.
    pub fn from_keys<'k>(keys: impl IntoIterator<Item = &'k str>) -> Option<Self> {
        let keys: Vec<Box<str>> = keys.into_iter().map(Box::from).collect();
        (!keys.is_empty()).then(|| Self(Arc::from(keys)))
    }

    /// This path, one key deeper.
    pub fn child(&self, key: &str) -> Self {
        Self(self.0.iter().cloned().chain([Box::from(key)]).collect())
    }

    /// This path without its last key; `None` for a root field.
    pub fn parent(&self) -> Option<Self> {
        (self.0.len() > 1).then(|| Self(Arc::from(&self.0[..self.0.len() - 1])))
    }

    /// The first key: the field that the API is asked for.
    pub fn root(&self) -> &str {
        &self.0[0]
    }

    /// The last key.
    pub fn last(&self) -> &str {
        &self.0[self.0.len() - 1]
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|key| &**key)
    }

    /// How many keys it has.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether `self` is `other` or encloses it.
    pub fn encloses(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The value at this path. Null counts as absent, as everywhere in patchwave.
    pub fn get<'v>(&self, body: &'v Map<String, Value>) -> Option<&'v Value> {
        let mut value = body.get(self.root())?;
        for key in self.keys().skip(1) {
            value = value.as_object()?.get(key)?;
        }
        (!value.is_null()).then_some(value)
    }

    /// Writes `value` at this path, making objects on the way; what stood there and was no object goes.
    pub fn put(&self, body: &mut Map<String, Value>, value: Value) {
        let mut map = body;
        for key in self.keys().take(self.depth() - 1) {
            let slot = map.entry(key).or_insert(Value::Null);
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            let Value::Object(inner) = slot else { return };
            map = inner;
        }
        map.insert(self.last().to_owned(), value);
    }

    /// Takes the key at this path away; enclosing objects stay.
    pub fn remove(&self, body: &mut Map<String, Value>) -> Option<Value> {
        let mut map = body;
        for key in self.keys().take(self.depth() - 1) {
            map = map.get_mut(key)?.as_object_mut()?;
        }
        map.shift_remove(self.last())
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    /// Keys are separated by dots; a key in double quotes may hold dots (`\"` and `\\` inside it).
    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut keys = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = if let Some(quoted) = rest.strip_prefix('"') {
                split_quoted(quoted)?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                let (key, after) = rest.split_at(end);
                if key.contains('"') {
                    return Err(PathError::Quote);
                }
                (key.to_owned(), after)
            };
            if key.is_empty() {
                return Err(PathError::EmptyKey);
            }
            keys.push(key.into_boxed_str());
            if keys.len() > DEEPEST {
                return Err(PathError::TooDeep);
            }
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Self(Arc::from(keys))),
                None => return Err(PathError::Quote),
            }
        }
    }
}

/// Reads a key up to its closing quote; returns it with what follows the quote.
fn split_quoted(text: &str) -> Result<(String, &str), PathError> {
    let mut key = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((key, &text[at + 1..])),
            '\\' => key.extend(chars.next().map(|(_, escaped)| escaped)),
            c => key.push(c),
        }
    }
    Err(PathError::Quote)
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.keys().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            if key.contains(['.', '"', '\\']) || key.trim() != key || key.is_empty() {
                write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(key)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn a_printed_path_parses_back_to_itself(keys in prop::collection::vec(".{1,8}", 1..4)) {
            let path = FieldPath::from_keys(keys.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
        }
    }

    #[test]
    fn a_key_with_a_dot_is_quoted() {
        let path: FieldPath = r#"client_metadata."a.b""#.parse().unwrap();
        assert_eq!(path.keys().collect::<Vec<_>>(), ["client_metadata", "a.b"]);
    }

    #[test]
    fn empty_keys_and_stray_quotes_are_refused() {
        for (text, error) in [
            ("", PathError::EmptyKey),
            ("a..b", PathError::EmptyKey),
            ("a.", PathError::EmptyKey),
            ("a.\"b", PathError::Quote),
            ("a\"b", PathError::Quote),
            ("\"a\"b", PathError::Quote),
        ] {
            assert_eq!(text.parse::<FieldPath>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn put_makes_objects_on_the_way_and_keeps_siblings() {
        let mut body = json!({"a": {"x": 1}, "b": null}).as_object().unwrap().clone();
        "a.y".parse::<FieldPath>().unwrap().put(&mut body, json!(2));
        "b.c.d".parse::<FieldPath>().unwrap().put(&mut body, json!(3));
        assert_eq!(Value::Object(body), json!({"a": {"x": 1, "y": 2}, "b": {"c": {"d": 3}}}));
    }
}
