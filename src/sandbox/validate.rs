//! Checks bodies against the catalogue's data, in the words of the JSON Schema library that the service uses. Written apart
//! from the catalogue's own checks, so that a mistake there shows here. Central type: [`Validator`].

mod alternatives;
mod of_kind;
mod words;

use std::borrow::Cow;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use super::formats;
use super::reply::Refusal;
use crate::catalogue::{Field, FieldType, Writable};
use crate::model::Body;
use alternatives::alternatives;
pub(super) use words::type_name;
use words::{AND, in_words, is_of, join, name_of};

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Patch,
    Create,
}

/// Null is answered 200 for these by the service, whatever its published schema says.
const NULL_ALL_THE_SAME: [&str; 4] =
    ["addons", "signed_request_object", "token_vault_privileged_access", "oidc_backchannel_logout"];

/// Fields fixed at creation that an update may nevertheless name, as long as the value stays: judged with the state at hand.
const FIXED_BUT_NAMEABLE: [&str; 1] = ["third_party_security_mode"];

/// A catalogue's tree with its regular expressions ready.
pub(super) struct Validator<'c> {
    root: Cow<'c, Field>,
    /// What a creation must hold.
    required: Vec<String>,
    patterns: HashMap<String, Regex>,
}

/// Judges a value that is the body of no kind.
///
/// # Errors
/// With every fault.
pub(super) fn check_value(field: &Field, value: &Value) -> Result<(), Refusal> {
    let mut run = Run { patterns: &HashMap::new(), purpose: Purpose::Patch, held: None, faults: Vec::new() };
    run.value(field, value, "");
    run.verdict()
}

impl<'c> Validator<'c> {
    /// Of a tree whose objects must be given a name.
    #[cfg(test)]
    pub(super) fn new(root: &'c Field) -> Self {
        Self { required: vec!["name".to_owned()], ..Self::new_of(Cow::Borrowed(root)) }
    }

    fn new_of(root: Cow<'c, Field>) -> Self {
        let mut patterns = HashMap::new();
        collect_patterns(&root, &mut patterns);
        Self { root, required: Vec::new(), patterns }
    }

    /// Judges a whole body.
    ///
    /// # Errors
    /// With every fault, joined as the service joins them: a fault that is worded like another is told once.
    pub(super) fn check(&self, body: &Body, purpose: Purpose) -> Result<(), Refusal> {
        self.judge(body, purpose, None)
    }

    /// Judges an update of a client; what it gives back inside of an object as the client holds it is passed over, where the
    /// catalogue does not know it.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub(super) fn check_over(&self, held: &Body, body: &Body) -> Result<(), Refusal> {
        self.judge(body, Purpose::Patch, Some(held))
    }

    fn judge(&self, body: &Body, purpose: Purpose, held: Option<&Body>) -> Result<(), Refusal> {
        let mut run = Run { patterns: &self.patterns, purpose, held, faults: Vec::new() };
        for missing in
            self.required.iter().filter(|key| purpose == Purpose::Create && !body.contains_key(*key))
        {
            run.fault(&format!("Missing required property: {missing}"), "");
        }
        run.object(&self.root, body, "");
        run.verdict()
    }
}

fn collect_patterns(field: &Field, into: &mut HashMap<String, Regex>) {
    if let Some(pattern) = &field.pattern
        && let Ok(regex) = Regex::new(pattern)
    {
        into.insert(pattern.clone(), regex);
    }
    let boxed = [field.items.as_deref(), field.keys.as_deref()].into_iter().flatten();
    for inner in field.fields.values().chain(boxed) {
        collect_patterns(inner, into);
    }
}

struct Run<'v> {
    patterns: &'v HashMap<String, Regex>,
    purpose: Purpose,
    /// The client as it stands, where what it holds inside of its objects may stay.
    held: Option<&'v Body>,
    faults: Vec<String>,
}

impl Run<'_> {
    fn verdict(self) -> Result<(), Refusal> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal::body(self.faults.join(AND))) }
    }

    fn fault(&mut self, what: &str, path: &str) {
        self.tell(in_words(what, path));
    }

    fn tell(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn accepts(&self, key: &str, field: &Field, path: &str) -> bool {
        match field.write {
            // The secret of a new client is made for it.
            Writable::Patch => self.purpose == Purpose::Patch || key != "client_secret" || !path.is_empty(),
            Writable::Create => self.purpose == Purpose::Create || FIXED_BUT_NAMEABLE.contains(&key),
            Writable::Never => false,
        }
    }

    /// A credential is named by its id in an update, and given whole when its client is created.
    fn makes_credential(&self, field: &Field) -> bool {
        self.purpose == Purpose::Create && field.fields.contains_key("credential_type")
    }

    /// Whether the client holds this very value there; of root fields it does not matter.
    fn is_held(&self, path: &str, value: &Value) -> bool {
        let mut keys = path.split('.');
        let root = keys.next().and_then(|root| self.held?.get(root));
        path.contains('.')
            && root.and_then(|root| keys.try_fold(root, |value, key| value.get(key))) == Some(value)
    }

    fn value(&mut self, field: &Field, value: &Value, path: &str) {
        let foreign = !is_of(field.ty, value) || value.as_str().is_some_and(|text| !knows(field, text));
        if foreign && self.is_held(path, value) {
            return;
        }
        let nullable = field.nullable || NULL_ALL_THE_SAME.contains(&path);
        if value.is_null() && nullable {
            return;
        }
        if let Some(alternatives) = alternatives(field, path) {
            return alternatives.check(value, path).into_iter().for_each(|fault| self.tell(fault));
        }
        if !is_of(field.ty, value) {
            let expected =
                if nullable { format!("{},null", name_of(field.ty)) } else { name_of(field.ty).into() };
            return self
                .fault(&format!("Expected type {expected} but found type {}", type_name(value)), path);
        }
        match value {
            Value::String(text) => self.text(field, text, path),
            Value::Number(number) => self.number(field, number, path),
            Value::Array(items) => self.list(field, items, path),
            // Where the document does not say what a value is, it does not say what an object holds either.
            Value::Object(_) if field.ty == FieldType::Any && field.fields.is_empty() => {}
            Value::Object(body) => self.object(field, body, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&mut self, field: &Field, text: &str, path: &str) {
        let length = text.chars().count() as u64;
        if let Some(least) = field.min_length.filter(|least| length < *least) {
            self.fault(&format!("String is too short ({length} chars), minimum {least}"), path);
        }
        if let Some(most) = field.max_length.filter(|most| length > *most) {
            // The library compares characters, and tells UTF-16 units.
            let told = text.encode_utf16().count();
            self.fault(&format!("String is too long ({told} chars), maximum {most}"), path);
        }
        if !knows(field, text) {
            self.fault(&format!("Invalid value \"{text}\""), path);
        }
        if let Some(pattern) = &field.pattern
            && self.patterns.get(pattern.as_str()).is_some_and(|regex| !regex.is_match(text))
        {
            self.fault(&format!("String does not match pattern {pattern}: {text}"), path);
        }
        if let Some(format) = field.format.as_deref().filter(|format| !formats::fits(format, text)) {
            self.fault(&format!("Object didn't pass validation for format {format}: {text}"), path);
        }
    }

    fn number(&mut self, field: &Field, number: &serde_json::Number, path: &str) {
        let Some(value) = number.as_f64() else { return };
        if let Some(least) = field.minimum.filter(|least| value < *least as f64) {
            self.fault(&format!("Value {number} is less than minimum {least}"), path);
        }
        if let Some(most) = field.maximum.filter(|most| value > *most as f64) {
            self.fault(&format!("Value {number} is greater than maximum {most}"), path);
        }
    }

    fn list(&mut self, field: &Field, items: &[Value], path: &str) {
        let count = items.len() as u64;
        if let Some(least) = field.min_items.filter(|least| count < *least) {
            self.fault(&format!("Array is too short ({count}), minimum {least}"), path);
        }
        if let Some(most) = field.max_items.filter(|most| count > *most) {
            self.fault(&format!("Array is too long ({count}), maximum {most}"), path);
        }
        if field.unique_items
            && let Some((first, second)) = first_double(items)
        {
            self.fault(&format!("Array items are not unique (indexes {first} and {second})"), path);
        }
        if let Some(item) = &field.items {
            for (at, value) in items.iter().enumerate().rev() {
                self.value(item, value, &format!("{path}[{at}]"));
            }
        }
    }

    /// The library walks keys and items from the last to the first.
    fn object(&mut self, field: &Field, body: &Body, path: &str) {
        self.keys(field, body, path);
        for (key, value) in body.iter().rev() {
            let inner = join(path, key);
            match field.fields.get(key) {
                Some(known) if self.accepts(key, known, path) => self.value(known, value, &inner),
                None if field.open => self.open_key(field, key, value, &inner),
                _ => {}
            }
        }
    }

    fn keys(&mut self, field: &Field, body: &Body, path: &str) {
        let extra: Vec<&str> = body
            .keys()
            .filter(|key| match field.fields.get(*key) {
                Some(_) if self.makes_credential(field) && *key == "id" => true,
                Some(known) => !self.accepts(key, known, path),
                None => !field.open && !self.is_held(&join(path, key), &body[*key]),
            })
            .map(String::as_str)
            .collect();
        if !extra.is_empty() {
            self.fault(&format!("Additional properties not allowed: {}", extra.join(",")), path);
        }
        let required: Vec<&str> = match self.makes_credential(field) {
            true => vec!["credential_type", "pem"],
            false => field.required.iter().map(String::as_str).collect(),
        };
        for key in required.into_iter().rev().filter(|key| !body.contains_key(*key)) {
            self.fault(&format!("Missing required property: {key}"), path);
        }
        let count = body.len() as u64;
        if let Some(least) = field.min_properties.filter(|least| count < *least) {
            self.fault(&format!("Too few properties defined ({count}), minimum {least}"), path);
        }
        if let Some(most) = field.max_properties.filter(|most| count > *most) {
            self.fault(&format!("Too many properties defined ({count}), maximum {most}"), path);
        }
    }

    fn open_key(&mut self, field: &Field, key: &str, value: &Value, path: &str) {
        if let Some(keys) = &field.keys {
            self.text(keys, key, path);
        }
        if let Some(items) = &field.items {
            self.value(items, value, path);
        }
    }
}

/// Whether a text is one of those that a field takes.
fn knows(field: &Field, text: &str) -> bool {
    field.values.is_empty() || field.values.iter().any(|known| known == text)
}

fn first_double(items: &[Value]) -> Option<(usize, usize)> {
    let mut seen = HashMap::with_capacity(items.len());
    items.iter().enumerate().find_map(|(at, item)| seen.insert(item.to_string(), at).map(|first| (first, at)))
}

#[cfg(test)]
mod tests;
