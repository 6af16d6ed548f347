//! Values that may have one of several forms, which the catalogue's data tells as one field. Central function: [`alternatives`].

use serde_json::Value;

use super::super::formats;
use super::{AND, Field, in_words, type_name};

/// One form that a value may have.
#[derive(Debug, Clone, Copy)]
enum Form<'f> {
    Text,
    Texts,
    Format(&'f str),
}

/// Forms of which a value must have one.
pub(super) struct Alternatives<'f> {
    forms: Vec<Form<'f>>,
}

/// The forms at a place; none where a value has one form alone.
pub(super) fn alternatives<'f>(field: &'f Field, path: &str) -> Option<Alternatives<'f>> {
    if path == "addons.sharepoint.external_url" {
        return Some(Alternatives { forms: vec![Form::Texts, Form::Text] });
    }
    let formats = field.format.as_deref().filter(|format| format.contains('|'))?;
    Some(Alternatives { forms: formats.split('|').map(Form::Format).collect() })
}

impl Alternatives<'_> {
    /// What is wrong with a value: that it has none of the forms, and for each why.
    pub(super) fn check(&self, value: &Value, path: &str) -> Option<String> {
        if matches!(self.forms.first(), Some(Form::Format(_))) && !value.is_string() {
            return Some(in_words(&wrong_type("string", value), path));
        }
        let inner: Option<Vec<String>> = self.forms.iter().map(|form| form.fault(value, path)).collect();
        let mut told: Vec<String> = Vec::new();
        for fault in inner? {
            if !told.contains(&fault) {
                told.push(fault);
            }
        }
        let outer = in_words("None of the valid schemas were met", path);
        Some(format!("{outer} Inner errors: [ {} ].", told.join(AND)))
    }
}

impl Form<'_> {
    fn fault(self, value: &Value, path: &str) -> Option<String> {
        match (self, value) {
            (Form::Text, Value::String(_)) => None,
            (Form::Text, other) => Some(in_words(&wrong_type("string", other), path)),
            (Form::Texts, Value::Array(items)) => {
                let at = items.iter().rposition(|item| !item.is_string())?;
                Some(in_words(&wrong_type("string", &items[at]), &format!("{path}[{at}]")))
            }
            (Form::Texts, other) => Some(in_words(&wrong_type("array", other), path)),
            (Form::Format(format), Value::String(text)) if !formats::fits(format, text) => {
                let what = format!("Object didn't pass validation for format {format}: {text}");
                Some(in_words(&what, path))
            }
            (Form::Format(_), _) => None,
        }
    }
}

fn wrong_type(expected: &str, found: &Value) -> String {
    format!("Expected type {expected} but found type {}", type_name(found))
}
