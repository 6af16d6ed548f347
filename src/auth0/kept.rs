//! An object of which only some fields are looked at: a stored client has forty, and a write touches one or two of them.
//! Central function: [`object`].

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::model::Body;

/// Reads a JSON object, of its fields those that are `wanted`. The others are read over; that they are JSON is seen to.
pub(crate) fn object(json: &[u8], wanted: &dyn Fn(&str) -> bool) -> serde_json::Result<Body> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let body = Kept(wanted).deserialize(&mut json)?;
    json.end()?;
    Ok(body)
}

struct Kept<'w>(&'w dyn Fn(&str) -> bool);

/// A key, which mostly need not be copied to be looked at.
#[derive(Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

impl<'de> DeserializeSeed<'de> for Kept<'_> {
    type Value = Body;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Body, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Kept<'_> {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut body = Body::new();
        while let Some(Key(key)) = map.next_key()? {
            if (self.0)(&key) {
                body.insert(key.into_owned(), map.next_value::<Value>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wanted_is_kept_and_the_rest_is_read_over() {
        let json = br#" {"a": {"x": [1, {"y": null}]}, "b\u0062": 2, "c": "d", "a2": 0.5} "#;
        let some = object(json, &|key| key == "a" || key == "bb").unwrap();
        assert_eq!(Value::Object(some), json!({"a": {"x": [1, {"y": null}]}, "bb": 2}));
        assert_eq!(object(json, &|_| true).unwrap(), serde_json::from_slice::<Body>(json).unwrap());
    }

    #[test]
    fn what_is_no_object_or_no_json_is_refused_wherever_it_is_wrong() {
        for json in ["", "[]", "null", "{", "{\"a\": [1,}", "{\"a\": {\"b\": tru}}", "{} {}", "{\"a\": 1"] {
            object(json.as_bytes(), &|_| false).unwrap_err();
        }
    }
}
