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
