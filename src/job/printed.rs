//! One `[[update]]` as text, for those who have too many to hold them all as updates. Central type: [`Printed`].
//!
//! What it writes is what [`print`](super::print) would write of the update that is read from it.

use std::fmt::Write;

use serde_json::Value;

use super::Pattern;
use super::print::{dotted, print_value, template_text, text};
use super::template::{escaped, is_template};
use crate::catalogue::Kind;
use crate::model::{Body, FieldPath};

/// Before an expression inside a text: all between the two signs is code.
pub const OPEN: char = '\u{F8F0}';
/// Behind it.
pub const CLOSE: char = '\u{F8F1}';

/// An update, line by line.
#[derive(Debug, Default)]
pub struct Printed {
    unguarded: bool,
    set: String,
    add: String,
    remove: String,
    replace: String,
    unset: Vec<String>,
    expect: String,
    expect_absent: Vec<String>,
}

impl Printed {
    /// An update that nothing guards: what stands there is overwritten.
    pub fn unguarded() -> Self {
        Self { unguarded: true, ..Self::default() }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        let lines = [&self.set, &self.add, &self.remove, &self.replace];
        lines.into_iter().all(String::is_empty) && self.unset.is_empty()
    }

    /// Whether a field is given another value.
    pub fn sets(&self, path: &FieldPath) -> bool {
        let start = format!("set.{} = ", dotted(path));
        self.set.lines().any(|line| line.starts_with(&start)) || self.unset.contains(&text(&path.to_string()))
    }

    /// A field is to hold this.
    pub fn set(&mut self, path: &FieldPath, value: &Value) {
        assign(&mut self.set, "set", path, value);
    }

    /// An object is to be there, with nothing in it.
    pub fn empty_object(&mut self, path: &FieldPath) {
        assign(&mut self.replace, "replace", path, &Value::Object(Body::new()));
    }

    /// A field is to be empty.
    pub fn unset(&mut self, path: &FieldPath) {
        self.unset.push(text(&path.to_string()));
    }

    /// A list is to have these items, and not to have those.
    pub fn items(&mut self, path: &FieldPath, add: &[Value], remove: &[Value]) {
        for (out, verb, items) in [(&mut self.add, "add", add), (&mut self.remove, "remove", remove)] {
            if !items.is_empty() {
                assign(out, verb, path, &Value::Array(items.to_vec()));
            }
        }
    }

    /// A field holds this before.
    pub fn expect(&mut self, path: &FieldPath, value: &Value) {
        assign(&mut self.expect, "expect", path, value);
    }

    /// A field is absent before.
    pub fn expect_absent(&mut self, path: &FieldPath) {
        self.expect_absent.push(text(&path.to_string()));
    }

    /// The whole update, for the object of a kind that has these values at these paths.
    pub fn finish(self, kind: &Kind, identity: &[(&FieldPath, &Value)]) -> String {
        let mut out = String::from("[[update]]\n");
        if !kind.name.is_default() {
            line(&mut out, format_args!("kind = {}", text(&kind.name)));
        }
        for (path, value) in identity {
            let pattern = match value {
                Value::String(text) => pattern_source(text),
                value => value.to_string(),
            };
            line(&mut out, format_args!("match.{} = {}", dotted(path), text(&pattern)));
        }
        if self.unguarded {
            out.push_str("unguarded = true\n");
        }
        out.extend([self.set, self.add, self.remove, self.replace]);
        list(&mut out, "unset", &self.unset);
        out.push_str(&self.expect);
        list(&mut out, "expect_absent", &self.expect_absent);
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "{text}");
}

fn assign(out: &mut String, verb: &str, path: &FieldPath, value: &Value) {
    line(out, format_args!("{verb}.{} = {}", dotted(path), print_value(value, &source_text)));
}

fn list(out: &mut String, key: &str, items: &[String]) {
    if !items.is_empty() {
        line(out, format_args!("{key} = [{}]", items.join(", ")));
    }
}

/// A text with expressions in it, as a TOML text.
fn source_text(inner: &str) -> String {
    if inner.contains(OPEN) { text(&template(inner, str::to_owned)) } else { template_text(inner) }
}

/// A text with expressions in it, as the pattern that fits it alone.
fn pattern_source(inner: &str) -> String {
    let literal = |text: &str| Pattern::literal(text).to_string();
    match inner {
        _ if inner.contains(OPEN) => template(inner, literal),
        // A block has no stars.
        _ if is_template(inner) => escaped(inner),
        _ => literal(inner),
    }
}

/// The template: what looks like code and is none stands in quotes.
fn template(inner: &str, literal: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((code, behind)) = after.split_once(CLOSE) else { break };
        piece(&mut out, before, &literal);
        out.push_str(&format!("{{{{ {OPEN}{code}{CLOSE} }}}}"));
        rest = behind;
    }
    piece(&mut out, rest, &literal);
    out
}

fn piece(out: &mut String, text: &str, literal: impl Fn(&str) -> String) {
    if is_template(text) || text.ends_with('{') {
        let quoted =
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        out.push_str(&format!("{{{{ \"{quoted}\" }}}}"));
    } else {
        out.push_str(&literal(text));
    }
}
