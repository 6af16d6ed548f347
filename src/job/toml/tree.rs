//! TOML values as the common tree, and the questions that every table of a job asks.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned as TomlSpanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::Reader;
use crate::job::leaves::{self, Spanned, Tree};
use crate::job::template::{Template, Wrong, is_template};
use crate::job::{Count, Threshold, WaveSize, term};
use crate::model::{FieldPath, SourceFile};

/// An entry of a table with the place of its key.
pub(super) type Entry<'t> = (String, Range<usize>, TomlSpanned<DeValue<'t>>);

impl Reader<'_> {
    /// A text that is taken as it stands.
    pub(super) fn text(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Option<String> {
        let span = value.span();
        match value.into_inner() {
            DeValue::String(text) => Some(text.into_owned()),
            other => {
                self.fault(format!("`{key}` must be text, not {}", type_name(&other)), span, None);
                None
            }
        }
    }

    /// Compiles a text that is a template; says what is wrong with it, each mistake at its place inside the text.
    pub(super) fn template(&mut self, text: &str, span: &Range<usize>) -> Option<Template> {
        match Template::parse(text, self.options.kind) {
            Ok(template) => {
                if template.uses().row && !self.rows_here {
                    let help = "name the file with `rows = \"file.csv\"`";
                    let what = "`row` is used, but the update has no `rows`";
                    self.fault(what, self.inside(text, span, word(text, "row")), Some(help.to_owned()));
                    return None;
                }
                Some(template)
            }
            Err(wrong) => {
                self.wrong(text, span, wrong);
                None
            }
        }
    }

    /// Reports what is wrong with code that stands in a text of the file.
    pub(super) fn wrong(&mut self, text: &str, span: &Range<usize>, wrong: Vec<Wrong>) {
        for one in wrong {
            let at = self.inside(text, span, one.at);
            self.fault(one.what, at, one.help);
        }
    }

    /// The place of a part of a text: exact where the file has the text as it is, the whole of it where it is escaped.
    fn inside(&self, text: &str, span: &Range<usize>, part: Range<usize>) -> Range<usize> {
        match self.file.slice(span.clone()).find(text) {
            Some(begin) if !text.is_empty() => span.start + begin + part.start..span.start + begin + part.end,
            _ => span.clone(),
        }
    }

    /// The values below a table, each with the path that its keys make; a table for which `goes_on` holds is no value, but a
    /// part of the path. Keys that no path can have are reported.
    pub(super) fn paths<'t>(
        &mut self,
        key: &str,
        value: TomlSpanned<DeValue<'t>>,
        goes_on: impl Fn(&SourceFile, Range<usize>) -> bool,
    ) -> Vec<(FieldPath, TomlSpanned<DeValue<'t>>)> {
        let mut open = vec![(None::<FieldPath>, self.table(key, value))];
        let mut found = Vec::new();
        while let Some((outer, inner)) = open.pop() {
            for (key, span, value) in inner {
                let path =
                    outer.as_ref().map_or_else(|| FieldPath::root_field(&key), |outer| outer.child(&key));
                if let Some((what, help)) = leaves::unknown(self.kind(), &path) {
                    self.fault(what, span, help);
                } else if matches!(value.get_ref(), DeValue::Table(_)) && goes_on(&self.file, value.span()) {
                    open.push((Some(path), self.table(&key, value)));
                } else {
                    found.push((path, value));
                }
            }
        }
        found
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

    /// A number, or a text that is read as one kind of limit.
    fn limit<T: std::str::FromStr<Err = String>>(
        &mut self,
        key: &str,
        form: &str,
        value: TomlSpanned<DeValue<'_>>,
    ) -> Option<T> {
        let span = value.span();
        let text = match value.into_inner() {
            DeValue::String(text) => text.into_owned(),
            DeValue::Integer(number) => decimal(&number),
            other => {
                let what = format!("`{key}` must be {form}, not {}", type_name(&other));
                self.fault(what, span, None);
                return None;
            }
        };
        text.parse().map_err(|what: String| self.fault(format!("{key}: {what}"), span, None)).ok()
    }

    pub(super) fn threshold(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Option<Threshold> {
        self.limit(key, "a whole number or a share such as \"30%\"", value)
    }

    pub(super) fn wave(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<WaveSize> {
        self.limit("waves", "a whole number, a share such as \"10%\", or \"rest\"", value)
    }

    pub(super) fn count(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<Count> {
        self.limit("count", "a whole number, \">=1\" or \"3..5\"", value)
    }

    /// TOML's tree as the common one; integers and floats keep their kind, dates are refused, texts may be templates.
    pub(super) fn tree(&mut self, value: TomlSpanned<DeValue<'_>>) -> Spanned {
        let span = value.span();
        let value = match value.into_inner() {
            DeValue::Table(table) => self.object_tree(table),
            DeValue::String(text) if is_template(&text) => self.text_template(&text, &span),
            DeValue::String(text) => Tree::Value(Value::String(text.into_owned())),
            DeValue::Boolean(flag) => Tree::Value(Value::Bool(flag)),
            DeValue::Array(items) => self.list_tree(items.into_iter().collect()),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                parsed.map_or_else(|_| self.unreadable("number", &span), |number| Tree::Value(number.into()))
            }
            DeValue::Float(number) => {
                let parsed = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                parsed.map_or_else(|| self.unreadable("number", &span), |n| Tree::Value(Value::Number(n)))
            }
            DeValue::Datetime(_) => {
                let help = "write it as text, in quotes";
                self.fault("a date cannot be stored in a field", span.clone(), Some(help.to_owned()));
                Tree::Faulty
            }
        };
        Spanned { span, value }
    }

    fn object_tree(&mut self, table: DeTable<'_>) -> Tree {
        let mut found = Vec::new();
        for (key, span, inner) in entries(table) {
            // Marks that open and do not close may well stand in a key that somebody stored.
            if is_template(&key) && ["}}", "%}"].iter().any(|close| key.contains(close)) {
                let help = "a key is the same for every client";
                self.fault("a key is no template", span.clone(), Some(help.to_owned()));
            }
            found.push((key, span, self.tree(inner)));
        }
        Tree::Object(found)
    }

    /// A template that uses nothing (a raw block) is its text.
    fn text_template(&mut self, text: &str, span: &Range<usize>) -> Tree {
        let Some(template) = self.template(text, span) else { return Tree::Faulty };
        match template.constant() {
            Ok(Some(value)) => Tree::Value(value),
            Ok(None) => Tree::Template(Box::new(term::Tree::Text(Box::new(template)))),
            Err(fault) => {
                self.fault(fault.what, span.clone(), fault.help);
                Tree::Faulty
            }
        }
    }

    fn list_tree(&mut self, items: Vec<TomlSpanned<DeValue<'_>>>) -> Tree {
        // All of them, so that the mistakes of all are told.
        let items: Vec<Option<term::Tree>> =
            items.into_iter().map(|item| self.tree(item).into_tree()).collect();
        let Some(items) = items.into_iter().collect::<Option<Vec<_>>>() else { return Tree::Faulty };
        let plain: Option<Vec<Value>> = items
            .iter()
            .map(|item| match item {
                term::Tree::Value(value) => Some(value.clone()),
                _ => None,
            })
            .collect();
        match plain {
            Some(plain) => Tree::Value(Value::Array(plain)),
            None => Tree::Template(Box::new(term::Tree::List(items))),
        }
    }

    fn unreadable(&mut self, what: &str, span: &Range<usize>) -> Tree {
        self.fault(format!("this {what} cannot be stored in a field"), span.clone(), None);
        Tree::Faulty
    }
}

/// A whole number in digits, whatever its radix in the file.
pub(super) fn decimal(number: &DeInteger<'_>) -> String {
    let parsed = i64::from_str_radix(number.as_str(), number.radix());
    parsed.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
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

/// Where a word stands in a text; all of it where it does not.
fn word(text: &str, word: &str) -> Range<usize> {
    text.find(word).map_or(0..text.len(), |at| at..at + word.len())
}
