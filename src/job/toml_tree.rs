//! TOML values as the common tree, and the questions that every table of a job asks.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::leaves::{Spanned, Tree};
use super::toml::Reader;

/// An entry of a table with the place of its key.
pub(super) type Entry<'t> = (String, Range<usize>, TomlSpanned<DeValue<'t>>);

impl Reader {
    pub(super) fn text(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Option<String> {
        let span = value.span();
        match value.into_inner() {
            DeValue::String(text) => {
                self.no_template(&text, &span);
                Some(text.into_owned())
            }
            other => {
                self.fault(format!("`{key}` must be text, not {}", type_name(&other)), span, None);
                None
            }
        }
    }

    /// Text that a later version would evaluate must not be written as it stands by this one.
    pub(super) fn no_template(&mut self, text: &str, span: &Range<usize>) {
        if ["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
            let help = "write the text out, or use a CSV job, whose cells are always plain text";
            self.fault(
                "templates are not supported by this version of patchwave",
                span.clone(),
                Some(help.into()),
            );
        }
    }

    /// A list of texts, with their places.
    pub(super) fn list(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Vec<(String, Range<usize>)> {
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.fault(format!("`{key}` must be a list of texts"), span, None);
            return Vec::new();
        };
        let items = items.into_iter().map(|item| (item.span(), item));
        items.filter_map(|(span, item)| Some((self.text(key, item)?, span))).collect()
    }

    pub(super) fn table<'t>(&mut self, key: &str, value: TomlSpanned<DeValue<'t>>) -> Vec<Entry<'t>> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => entries(table),
            other => {
                self.fault(format!("`{key}` must be a table, not {}", type_name(&other)), span, None);
                Vec::new()
            }
        }
    }

    pub(super) fn boolean(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> bool {
        let span = value.span();
        match value.into_inner() {
            DeValue::Boolean(flag) => flag,
            other => {
                self.fault(format!("`{key}` must be true or false, not {}", type_name(&other)), span, None);
                false
            }
        }
    }

    pub(super) fn threshold(
        &mut self,
        key: &str,
        value: TomlSpanned<DeValue<'_>>,
    ) -> Option<super::Threshold> {
        let span = value.span();
        let text = match value.into_inner() {
            DeValue::String(text) => text.into_owned(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            other => {
                self.fault(
                    format!(
                        "`{key}` must be a whole number or a share such as \"30%\", not {}",
                        type_name(&other)
                    ),
                    span,
                    None,
                );
                return None;
            }
        };
        text.parse().map_err(|what: String| self.fault(format!("{key}: {what}"), span, None)).ok()
    }

    /// TOML's tree as the common one; integers and floats keep their kind, dates are refused.
    pub(super) fn tree(&mut self, value: TomlSpanned<DeValue<'_>>) -> Spanned {
        let span = value.span();
        let value = match value.into_inner() {
            DeValue::Table(table) => Tree::Object(
                entries(table).into_iter().map(|(key, span, inner)| (key, span, self.tree(inner))).collect(),
            ),
            DeValue::String(text) => {
                self.no_template(&text, &span);
                Tree::Value(Value::String(text.into_owned()))
            }
            DeValue::Boolean(flag) => Tree::Value(Value::Bool(flag)),
            DeValue::Array(items) => {
                Tree::Value(items.into_iter().map(|item| self.tree(item).into_value()).collect())
            }
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                Tree::Value(parsed.map_or_else(|_| self.unreadable("number", &span), Value::from))
            }
            DeValue::Float(number) => {
                let parsed = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                Tree::Value(parsed.map_or_else(|| self.unreadable("number", &span), Value::Number))
            }
            DeValue::Datetime(_) => {
                let help = "write it as text, in quotes";
                self.fault("a date cannot be stored in a field", span.clone(), Some(help.to_owned()));
                Tree::Value(Value::Null)
            }
        };
        Spanned { span, value }
    }

    fn unreadable(&mut self, what: &str, span: &Range<usize>) -> Value {
        self.fault(format!("this {what} cannot be stored in a field"), span.clone(), None);
        Value::Null
    }
}

/// The entries of a table, in the order of the file.
pub(super) fn entries(table: DeTable<'_>) -> Vec<Entry<'_>> {
    table.into_iter().map(|(key, value)| (key.get_ref().to_string(), key.span(), value)).collect()
}

pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
