//! Source texts in which no secret can be read: errors print the lines that they are about, so secrets are struck out beforehand.
//! Every character is replaced by one of the same length, so that places stay where they are.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{is_variable, looks_like_secret};

/// A `.env` file in which only the names can be read.
pub(super) fn env_file(text: &str) -> String {
    let hide = |line: &str| match line.split_once('=') {
        Some((name, value)) if is_name(name) => format!("{name}={}", stars(value)),
        _ => stars(line),
    };
    text.split('\n').map(hide).collect::<Vec<_>>().join("\n")
}

fn is_name(text: &str) -> bool {
    let name = text.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A TOML file that cannot be read as such: only lines that certainly hold no secret are left.
pub(super) fn broken_toml(text: &str) -> String {
    let hide = |line: &str| match line.split_once('=') {
        _ if is_harmless(line) => line.to_owned(),
        Some((key, value)) if is_plain_key(key) => format!("{key}={}", stars(value)),
        _ => stars(line),
    };
    text.split('\n').map(hide).collect::<Vec<_>>().join("\n")
}

/// The last line of a key in PEM ends with `=` as well, and is no setting: those have small letters alone.
fn is_plain_key(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    text.trim().chars().all(legal)
}

fn is_harmless(line: &str) -> bool {
    let line = line.trim();
    let words = ["secret", "token", "key", "#"];
    if words.iter().any(|word| line.to_lowercase().contains(word)) {
        return false;
    }
    let header = (line.starts_with("[tenant") || line.starts_with("[group")) && !line.contains('=');
    let setting = ["domain", "audience", "client_id", "protected"].iter().any(|key| line.starts_with(key));
    header || (setting && line.matches('=').count() == 1)
}

/// A readable TOML file without the values that are, or by mistake may be, secrets:
/// everything but the values of known settings that are none.
pub(super) fn toml(text: &str, root: &DeTable<'_>) -> String {
    let mut spans = Vec::new();
    for (key, value) in root {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("tenants", DeValue::Table(tenants)) => tenants.values().for_each(|t| tenant(t, &mut spans)),
            ("groups", _) => {}
            _ => leaves(value, &mut spans),
        }
    }
    strike_out(text, spans)
}

fn tenant(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    let DeValue::Table(table) = value.get_ref() else { return leaves(value, spans) };
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("domain" | "audience" | "client_id" | "rate_share", DeValue::String(_)) => {}
            ("protected" | "vars" | "tags", _) => {}
            ("client_secret" | "token" | "private_key", DeValue::Table(source)) => {
                secret_source(source, spans);
            }
            _ => leaves(value, spans),
        }
    }
}

fn secret_source(source: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, value) in source {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("env", DeValue::String(text)) if is_variable(text) && !looks_like_secret(text) => {}
            ("file", DeValue::String(text)) if !looks_like_secret(text) => {}
            ("command", DeValue::String(_)) => {}
            _ => leaves(value, spans),
        }
    }
}

/// The spans of all values in a value. A table's own span may be no more than its header.
fn leaves(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => table.values().for_each(|value| leaves(value, spans)),
        DeValue::Array(items) => items.iter().for_each(|item| leaves(item, spans)),
        _ => spans.push(value.span()),
    }
}

fn strike_out(text: &str, spans: Vec<Range<usize>>) -> String {
    let mut masked = text.to_owned();
    for span in spans {
        let end = comment_end(text, span.end);
        if let Some(secret) = text.get(span.start..end) {
            masked.replace_range(span.start..end, &stars(secret));
        }
    }
    masked
}

/// Where the line ends if a comment follows, since a comment beside a secret is apt to be another one; else `from`.
fn comment_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
    if rest.contains('#') { from + rest.len() } else { from }
}

fn stars(text: &str) -> String {
    let star = |c: char| match (c, c.len_utf8()) {
        ('\n' | '\r', _) => c,
        (_, 1) => '*',
        (_, 2) => '·',
        (_, 3) => '•',
        _ => '🞄',
    };
    text.chars().map(star).collect()
}
