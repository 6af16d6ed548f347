//! Reads values out of a parsed TOML file and collects what is wrong with them, so that all of it is said at once.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::model::suggest::nearest;
use crate::model::{Problem, SourceFile};

/// A key as it stands in the file.
pub(super) type Key<'i> = Spanned<DeString<'i>>;
/// A value as it stands in the file.
pub(super) type Item<'i> = Spanned<DeValue<'i>>;

/// The file being read, and the problems found so far.
pub(super) struct Reader {
    /// The file, with secrets struck out.
    pub(super) file: Arc<SourceFile>,
    /// What relative paths in the file are relative to.
    pub(super) folder: PathBuf,
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn problem(&mut self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(what).at(&self.file, span).help(help));
    }

    /// Marks the key, not the value: what stands there by mistake may be a secret.
    fn wrong_type(&mut self, key: &Key<'_>, value: &Item<'_>, wanted: &str, example: &str) {
        let found = article(value.get_ref().type_str());
        self.problem(
            key.span(),
            format!("`{}` is {found}, but must be {wanted}", key.get_ref()),
            format!("write {example}"),
        );
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, key: &Key<'_>, value: &Item<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.problem(
                    key.span(),
                    format!("`{}` is empty", key.get_ref()),
                    "fill it in, or leave the line out",
                );
                None
            }
            DeValue::String(text) => Some(text.trim().to_owned()),
            _ => {
                self.wrong_type(key, value, "a string", &format!("{} = \"…\"", key.get_ref()));
                None
            }
        }
    }

    /// A whole number, or a text, as text.
    pub(super) fn number_or_text(&mut self, key: &Key<'_>, value: &Item<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
            }
            _ => self.text(key, value),
        }
    }

    pub(super) fn boolean(&mut self, key: &Key<'_>, value: &Item<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(key, value, "true or false", &format!("{} = true", key.get_ref()));
        }
        found
    }

    pub(super) fn table<'v, 'i>(
        &mut self,
        key: &Key<'_>,
        value: &'v Item<'i>,
        example: &str,
    ) -> Option<&'v DeTable<'i>> {
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong_type(key, value, "a table", example);
        }
        found
    }

    /// A list of texts, each with its place and without doubles.
    pub(super) fn texts(&mut self, key: &Key<'_>, value: &Item<'_>) -> Option<Vec<(String, Range<usize>)>> {
        let example = format!("{} = [\"…\"]", key.get_ref());
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of names", &example);
            return None;
        };
        let mut texts = Vec::new();
        let mut seen = HashSet::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) if seen.insert(text) => texts.push((text.to_owned(), item.span())),
                Some(_) => {}
                None => self.wrong_type(key, item, "a list of names", &example),
            }
        }
        Some(texts)
    }

    /// A table as JSON, for templates.
    pub(super) fn json_table(&mut self, key: &Key<'_>, value: &Item<'_>) -> serde_json::Map<String, Value> {
        let Some(table) = self.table(key, value, &format!("{} = {{ name = \"value\" }}", key.get_ref()))
        else {
            return serde_json::Map::new();
        };
        table.iter().map(|(key, value)| (key.get_ref().to_string(), self.json(key, value))).collect()
    }

    fn json(&mut self, key: &Key<'_>, value: &Item<'_>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(at) => Value::String(at.to_string()),
            DeValue::Array(items) => items.iter().map(|item| self.json(key, item)).collect(),
            DeValue::Table(table) => {
                table.iter().map(|(key, value)| (key.get_ref().to_string(), self.json(key, value))).collect()
            }
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.number(key, parsed.map(Value::from))
            }
            DeValue::Float(number) => self.number(key, number.as_str().parse::<f64>().ok().map(Value::from)),
        }
    }

    /// A number that JSON has, which infinity and what is beyond 64 bits are not (serde_json makes null of them).
    fn number(&mut self, key: &Key<'_>, number: Option<Value>) -> Value {
        let number = number.filter(|number| !number.is_null());
        if number.is_none() {
            self.problem(
                key.span(),
                format!("`{}` holds a number that JSON does not have", key.get_ref()),
                "write it as a string",
            );
        }
        number.unwrap_or_default()
    }

    /// A key that means nothing here.
    pub(super) fn unknown_key(&mut self, key: &Key<'_>, place: &str, known: &[&str]) {
        let name = key.get_ref();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{place} has {}", known.join(", ")),
        };
        self.problem(key.span(), format!("unknown key `{name}` in {place}"), help);
    }
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Whether a text that should name a variable or a file is more likely the secret itself: long, of mixed letters and digits.
/// Auth0's client secrets are 64 such characters; its tokens are much longer and have dots.
pub(super) fn looks_like_secret(text: &str) -> bool {
    text.len() >= 24
        && !text.contains(['/', '\\'])
        && (text.len() >= 100 || !text.contains('.'))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.contains(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_uppercase())
}

/// Whether a text can be the name of an environment variable.
pub(super) fn is_variable(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
