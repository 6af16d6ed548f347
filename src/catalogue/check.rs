//! One value against one field, recursively. Central type: [`Checker`]. Uses [`Field`], [`format`](super::format).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::redact::SECRET_MARKER;
use super::validate::Fault;
use super::{Field, FieldType, Kind, Unset, Writable, format};
use crate::model::{FieldPath, suggest};

/// Collects what is wrong.
pub(super) struct Checker<'k> {
    kind: &'k Kind,
    pub(super) faults: Vec<Fault>,
}

/// A value as messages quote it, cut where it is long.
pub(super) fn show(text: &str) -> String {
    const SHOWN: usize = 80;
    let cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{text:?}") }
}

fn child(at: &str, key: &str) -> String {
    format!("{at}.{}", FieldPath::root_field(key))
}

impl<'k> Checker<'k> {
    pub(super) fn new(kind: &'k Kind) -> Self {
        Self { kind, faults: Vec::new() }
    }

    fn fault(&mut self, at: &str, what: String) {
        self.faults.push(Fault::new(at, what));
    }

    fn fault_with_help(&mut self, at: &str, what: String, help: String) {
        self.faults.push(Fault::new(at, what).help(help));
    }

    /// Judges a value of a field that itself may be written.
    pub(super) fn value(&mut self, field: &Field, at: &str, value: &Value) {
        match (field.ty, value) {
            (_, Value::Null) if field.nullable || field.unset == Unset::Null => (),
            (FieldType::Any, value) if !field.one_of.is_empty() => self.alternatives(field, at, value),
            (FieldType::Any, _) | (FieldType::Boolean, Value::Bool(_)) => (),
            (FieldType::String, Value::String(text)) => self.text(field, at, text),
            (FieldType::Integer, Value::Number(number)) if is_whole(number) => self.number(field, at, number),
            (FieldType::Number, Value::Number(number)) => self.number(field, at, number),
            (FieldType::Array, Value::Array(items)) => self.list(field, at, items),
            (FieldType::Object, Value::Object(map)) => self.object(field, at, map),
            _ => self.wrong_type(field, at, value),
        }
    }

    fn alternatives(&mut self, field: &Field, at: &str, value: &Value) {
        let fits = field.one_of.iter().any(|one| {
            let mut inner = Checker::new(self.kind);
            inner.value(one, at, value);
            inner.faults.is_empty()
        });
        let right_type = field.one_of.iter().find(|one| is_of(one.ty, value));
        if let (false, Some(one)) = (fits, right_type) {
            self.value(one, at, value);
        } else if !fits {
            let types: Vec<&str> = field.one_of.iter().map(|one| wanted(one.ty)).collect();
            self.fault(at, format!("{at} must be {}, not {}", types.join(" or "), found(value)));
        }
    }

    fn wrong_type(&mut self, field: &Field, at: &str, value: &Value) {
        let what = format!("{at} must be {}, not {}", wanted(field.ty), found(value));
        match (field.ty, value) {
            (FieldType::String, Value::Number(_) | Value::Bool(_)) => {
                self.fault_with_help(at, what, format!("write it in quotes: \"{value}\""));
            }
            (FieldType::Array, Value::String(text)) => {
                self.fault_with_help(at, what, format!("write [{}]", show(text)));
            }
            (FieldType::Boolean, Value::String(text)) => {
                let word = text.trim().to_lowercase();
                let help = match word.as_str() {
                    "true" | "false" => format!("write {word} without quotes"),
                    _ => "allowed: true, false".to_owned(),
                };
                self.fault_with_help(at, what, help);
            }
            (FieldType::Integer | FieldType::Number, Value::String(text))
                if text.trim().parse::<f64>().is_ok() =>
            {
                self.fault_with_help(at, what, format!("write {} without quotes", text.trim()));
            }
            _ => self.fault(at, what),
        }
    }

    /// Judges text: listed values, length in characters, pattern, format.
    pub(super) fn text(&mut self, field: &Field, at: &str, text: &str) {
        if !field.values.is_empty() {
            return self.listed(field, at, text);
        }
        let length = text.chars().count() as u64;
        if field.max_length.is_some_and(|most| length > most) {
            let most = field.max_length.unwrap_or_default();
            self.fault(at, format!("{at} has {length} characters; at most {most} are allowed"));
        }
        match field.min_length {
            Some(_) if text.is_empty() => return self.fault(at, format!("{at} must not be empty")),
            Some(least) if length < least => {
                return self.fault(at, format!("{at} has {length} characters; at least {least} are needed"));
            }
            _ => (),
        }
        if let Some(pattern) = field.pattern.as_deref()
            && self.kind.pattern(pattern).is_some_and(|regex| !regex.is_match(text))
        {
            self.fault(at, format!("{at} cannot be {}: it must match {pattern}", show(text)));
        }
        if let Some(Err(why)) = field.format.as_deref().map(|name| format::check(name, text)) {
            self.fault(at, format!("{at} cannot be {}: it {why}", show(text)));
        }
    }

    fn listed(&mut self, field: &Field, at: &str, text: &str) {
        if field.values.iter().any(|value| value == text) {
            return;
        }
        let near = suggest::nearest(text, field.values.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let help = format!("{near}allowed: {}", field.values.join(", "));
        self.fault_with_help(at, format!("{at} cannot be {}", show(text)), help);
    }

    fn number(&mut self, field: &Field, at: &str, number: &serde_json::Number) {
        let value = number.as_f64().unwrap_or_default();
        if field.minimum.is_some_and(|least| value < least as f64) {
            let least = field.minimum.unwrap_or_default();
            self.fault(at, format!("{at} cannot be {number}: the least is {least}"));
        }
        if field.maximum.is_some_and(|most| value > most as f64) {
            let most = field.maximum.unwrap_or_default();
            self.fault(at, format!("{at} cannot be {number}: the most is {most}"));
        }
    }

    fn list(&mut self, field: &Field, at: &str, items: &[Value]) {
        self.count(at, items.len(), field.min_items, field.max_items, "item");
        if field.unique_items
            && let Some((first, second)) = doubles(items)
        {
            self.fault(&format!("{at}[{second}]"), format!("{at}[{second}] is the same as {at}[{first}]"));
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(field) = &field.items {
                self.value(field, &format!("{at}[{index}]"), item);
            }
        }
    }

    fn object(&mut self, field: &Field, at: &str, map: &Map<String, Value>) {
        self.keys_there(field, at, map);
        for (key, value) in map {
            let at_key = child(at, key);
            match field.fields.get(key) {
                Some(inner) => self.inner(inner, &at_key, value),
                None => self.unlisted(field, at, key, value),
            }
        }
    }

    fn inner(&mut self, field: &Field, at: &str, value: &Value) {
        if field.write != Writable::Patch {
            let what = format!("{at} cannot be changed");
            self.fault_with_help(at, what, "leave it out".to_owned());
        } else if !field.secret {
            self.value(field, at, value);
        } else if value != SECRET_MARKER && !value.is_null() {
            let what = format!("{at} is a secret, and a job never holds one");
            self.fault_with_help(at, what, super::validate::PLACES.to_owned());
        }
    }

    fn unlisted(&mut self, field: &Field, at: &str, key: &str, value: &Value) {
        let at_key = child(at, key);
        let near = suggest::nearest(key, field.fields.keys().map(String::as_str));
        if !field.open || near.is_some() {
            let what = format!("{at_key} is not a field of {at}");
            let listed = || field.fields.keys().cloned().collect::<Vec<_>>().join(", ");
            let help = near
                .map_or_else(|| format!("{at} has: {}", listed()), |near| format!("did you mean `{near}`?"));
            return self.fault_with_help(&at_key, what, help);
        }
        self.key(field, &at_key, key);
        if let Some(field) = &field.items {
            self.value(field, &at_key, value);
        }
    }

    /// Judges a key of an open object.
    pub(super) fn key(&mut self, map: &Field, at: &str, key: &str) {
        let Some(keys) = &map.keys else { return };
        let mut inner = Checker::new(self.kind);
        inner.text(keys, at, key);
        for fault in inner.faults {
            self.fault(at, format!("the key of {}", fault.what));
        }
    }

    fn keys_there(&mut self, field: &Field, at: &str, map: &Map<String, Value>) {
        let there = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
        for key in field.required.iter().filter(|key| !there(key)) {
            let all = field.required.join(", ");
            self.fault_with_help(
                &child(at, key),
                format!("{at} needs {key}"),
                format!("{at} always has: {all}"),
            );
        }
        let count = map.values().filter(|value| !value.is_null()).count();
        self.count(at, count, field.min_properties, field.max_properties, "key");
    }

    fn count(&mut self, at: &str, count: usize, least: Option<u64>, most: Option<u64>, noun: &str) {
        let count = count as u64;
        let nouns = |number: u64| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        if let Some(least) = least.filter(|least| count < *least) {
            self.fault(at, format!("{at} has {}; it needs at least {least}", nouns(count)));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            self.fault(at, format!("{at} has {}; at most {most} are allowed", nouns(count)));
        }
    }

    /// Judges only that an object has not too many keys.
    pub(super) fn at_most(&mut self, at: &str, count: usize, most: Option<u64>) {
        self.count(at, count, None, most, "key");
    }

    /// Judges only which keys are there, at every depth.
    pub(super) fn structure(&mut self, field: &Field, at: &str, value: &Value) {
        match value {
            Value::Object(map) => {
                self.keys_there(field, at, map);
                for (key, inner) in map {
                    if let Some(field) = field.fields.get(key) {
                        self.structure(field, &child(at, key), inner);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(field) = &field.items {
                        self.structure(field, &format!("{at}[{index}]"), item);
                    }
                }
            }
            _ => (),
        }
    }
}

fn is_of(ty: FieldType, value: &Value) -> bool {
    match value {
        Value::String(_) => ty == FieldType::String,
        Value::Array(_) => ty == FieldType::Array,
        Value::Object(_) => ty == FieldType::Object,
        _ => false,
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

fn doubles(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(items.len());
    items.iter().enumerate().find_map(|(at, item)| seen.insert(item.to_string(), at).map(|first| (first, at)))
}

pub(super) fn wanted(ty: FieldType) -> &'static str {
    match ty {
        FieldType::String => "text",
        FieldType::Integer => "a whole number",
        FieldType::Number => "a number",
        FieldType::Boolean => "true or false",
        FieldType::Object => "an object",
        FieldType::Array => "a list",
        FieldType::Any => "anything",
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", show(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
