//! What code uses of its scope, and what of that cannot be right: all that can be known of a template before it meets a client.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use minijinja::ErrorKind;
use regex::Regex;

use super::engine::{ENGINE, has_global, regex_fault};
use super::scan::{NONE, Token, TokenKind, tokens};
use super::scope::RESERVED;
use crate::catalogue::{FieldType, Kind, Lookup};
use crate::model::FieldPath;
use crate::model::suggest::nearest;

/// What is wrong with a template, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, in one line.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
    /// The bytes of the template that it is about.
    pub at: Range<usize>,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), help: None, at }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Which names of its scope code uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Root fields of the client.
    pub fields: BTreeSet<String>,
    /// Whether the client is used as a whole, so that all of its fields may be.
    pub whole_client: bool,
    /// Whether a row of a `rows` file is used.
    pub row: bool,
    /// Whether variables, the tenant or the environment are used: what is known only once a tenant is chosen.
    pub tenant: bool,
    /// Dotted paths below a client, as far as the code spells them out.
    paths: BTreeSet<String>,
}

impl Uses {
    pub(super) fn add(&mut self, roots: HashSet<String>, paths: HashSet<String>) {
        for root in roots {
            match root.as_str() {
                "row" => self.row = true,
                "vars" | "tenant" | "env" => self.tenant = true,
                NONE | "client" => (),
                global if has_global(global) => (),
                _ => drop(self.fields.insert(root)),
            }
        }
        for path in paths {
            if path == "client" {
                self.whole_client = true;
            } else if let Some(field) = path.strip_prefix("client.") {
                self.fields.insert(field.split('.').next().unwrap_or(field).to_owned());
                self.paths.insert(field.to_owned());
            } else if !RESERVED.contains(&path.split('.').next().unwrap_or_default()) {
                self.paths.insert(path);
            }
        }
    }

    /// Adds what other code uses.
    pub fn merge(&mut self, other: &Self) {
        self.fields.extend(other.fields.iter().cloned());
        self.paths.extend(other.paths.iter().cloned());
        self.whole_client |= other.whole_client;
        self.row |= other.row;
        self.tenant |= other.tenant;
    }

    /// Whether anything of a client is used.
    pub fn client(&self) -> bool {
        self.whole_client || !self.fields.is_empty()
    }

    /// Whether nothing is used, so that the outcome is always the same.
    pub fn nothing(&self) -> bool {
        !self.client() && !self.row && !self.tenant
    }

    /// Root names that the catalogue does not know: some client must have them.
    pub fn unknown<'u>(&'u self, kind: &'u Kind) -> impl Iterator<Item = &'u str> {
        self.fields.iter().map(String::as_str).filter(|field| !kind.root().fields.contains_key(*field))
    }

    /// Fields that are misspelt, as far as that can be known without a client.
    pub(super) fn misspelt(&self, kind: &Kind, source: &str) -> Vec<Wrong> {
        let paths: BTreeSet<&str> = self
            .paths
            .iter()
            .chain(&self.fields)
            .map(String::as_str)
            .filter(|path| !path.is_empty())
            .collect();
        let wrong = paths.iter().filter_map(|path| misspelt(kind, path, source));
        let mut seen = BTreeSet::new();
        wrong.filter(|wrong| seen.insert(wrong.at.start)).collect()
    }
}

fn misspelt(kind: &Kind, text: &str, source: &str) -> Option<Wrong> {
    let path = FieldPath::from_keys(text.split('.'))?;
    if kind.is_secret(&path) {
        let what = format!(
            "`{text}` is a secret, which is never read: it would be none for every {}",
            kind.singular
        );
        return Some(Wrong::new(what, place(source, text)));
    }
    let Lookup::Unknown { near } = kind.lookup(&path) else { return None };
    let at = place(source, text);
    if path.depth() == 1 {
        // Without a near miss it may be a field that is newer than the catalogue.
        let names = kind.root().fields.keys().map(String::as_str).chain(RESERVED);
        let names = names.filter(|name| *name != text);
        let near = nearest(text, names).map(str::to_owned).or(near)?;
        return Some(
            Wrong::new(format!("there is no field `{text}`"), at).help(format!("did you mean `{near}`?")),
        );
    }
    let parent = path.parent()?;
    match kind.lookup(&parent) {
        Lookup::Unknown { .. } => None,
        Lookup::Field(field) | Lookup::OpenKey { value: Some(field), .. }
            if !matches!(field.ty, FieldType::Object | FieldType::Any) =>
        {
            let help = "what is done with a value is a filter, as in `name | upper`, or a test, as in `name is startingwith 'x'`";
            let what = format!("`{parent}` is {} and has no `.{}`", type_words(field.ty), path.last());
            Some(Wrong::new(what, at).help(help))
        }
        _ => {
            let near = near?;
            Some(
                Wrong::new(format!("there is no field `{text}`"), at).help(format!("did you mean `{near}`?")),
            )
        }
    }
}

fn type_words(ty: FieldType) -> &'static str {
    match ty {
        FieldType::String => "text",
        FieldType::Array => "a list",
        FieldType::Boolean => "true or false",
        _ => "a number",
    }
}

/// Comparisons of a field with a value of another type: they are never true, or always, and nobody means that.
pub(super) fn mistyped(kind: &Kind, code: &str, base: usize) -> Vec<Wrong> {
    let tokens = tokens(code);
    let mut wrong = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !matches!(token.text, "=" | "<" | ">" | "!") || index == 0 {
            continue;
        }
        let right =
            if tokens.get(index + 1).is_some_and(|next| next.text == "=") { index + 2 } else { index + 1 };
        if matches!(tokens[index - 1].text, "=" | "<" | ">" | "!") {
            continue;
        }
        let before = path_before(&tokens, index).zip(tokens.get(right));
        let behind = path_behind(&tokens, right).zip(tokens.get(index - 1));
        // The literal must be the whole of its side.
        let alone = |at: usize, back: bool| {
            let next =
                if back { at.checked_sub(1).and_then(|at| tokens.get(at)) } else { tokens.get(at + 1) };
            next.is_none_or(|token| {
                matches!(token.text, "and" | "or" | ")" | "(" | "if" | "else" | "not" | "," | "|")
                    && token.text != "|"
            })
        };
        let found = match (before, behind) {
            (Some((path, literal)), _) if alone(right, false) => Some((path, literal)),
            (_, Some((path, literal))) if alone(index - 1, true) => Some((path, literal)),
            _ => None,
        };
        wrong.extend(found.and_then(|(path, literal)| mismatch(kind, &path, literal, base)));
    }
    wrong
}

/// The dotted path that ends right before a token.
fn path_before(tokens: &[Token<'_>], end: usize) -> Option<String> {
    let mut begin = end.checked_sub(1)?;
    while begin >= 2 && tokens[begin - 1].text == "." {
        begin -= 2;
    }
    let whole =
        begin == 0 || !matches!(tokens[begin - 1].text, "|" | "." | "is" | "~" | "+" | "-" | "*" | "/" | "%");
    (whole && tokens[begin].kind == TokenKind::Word).then(|| joined(&tokens[begin..end]))
}

/// The dotted path that begins at a token and is the whole of its side.
fn path_behind(tokens: &[Token<'_>], begin: usize) -> Option<String> {
    let mut end = begin + 1;
    while tokens.get(end).is_some_and(|token| token.text == ".") {
        end += 2;
    }
    let whole = tokens.get(end).is_none_or(|token| matches!(token.text, "and" | "or" | ")" | "if" | "else"));
    (whole && tokens.get(begin)?.kind == TokenKind::Word)
        .then(|| joined(tokens.get(begin..end).unwrap_or_default()))
}

fn joined(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.text).collect()
}

fn mismatch(kind: &Kind, path: &str, literal: &Token<'_>, base: usize) -> Option<Wrong> {
    let field = kind
        .lookup(&FieldPath::from_keys(path.strip_prefix("client.").unwrap_or(path).split('.'))?)
        .field()?;
    let at = base + literal.at..base + literal.at + literal.text.len();
    let is_number = literal.kind == TokenKind::Word && literal.text.starts_with(|c: char| c.is_ascii_digit());
    let is_flag = matches!(literal.text, "true" | "false" | "True" | "False");
    let is_text = literal.kind == TokenKind::Text;
    let wrong = |what: &str, help: String| {
        Some(Wrong::new(format!("`{path}` is {what}, and {} is not", literal.text), at.clone()).help(help))
    };
    match field.ty {
        FieldType::String if is_number => {
            wrong("text", format!("write `{path} | int` to compare numbers, or put quotes around it"))
        }
        FieldType::String if is_flag => wrong("text", format!("put quotes around it: '{}'", literal.text)),
        FieldType::Integer | FieldType::Number if is_text => {
            wrong("a number", "write it without quotes".to_owned())
        }
        FieldType::Boolean if is_text || is_number => {
            wrong("true or false", format!("write `{path}`, or `not {path}`"))
        }
        _ => None,
    }
}

/// Where a dotted path stands in the source.
fn place(source: &str, path: &str) -> Range<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: &usize| !source[..*at].ends_with(word) && !source[at + path.len()..].starts_with(word);
    let found = source.match_indices(path).map(|(at, _)| at).find(whole);
    found.map_or(0..source.len(), |at| at..at + path.len())
}

/// Names that minijinja has itself, for near misses alone: whether a name exists is asked of the engine.
const FILTERS: [&str; 47] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "regex_replace",
    "reject",
    "rejectattr",
    "removeprefix",
    "removesuffix",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];
const TESTS: [&str; 27] = [
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "matching",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "upper",
];

/// Filters, tests and regular expressions that do not exist or do not compile; `base` is where the code begins in the source.
pub(super) fn unknown_words(code: &str, base: usize) -> Vec<Wrong> {
    let tokens = tokens(code);
    let mut wrong = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).map_or("", |at| tokens[at].text);
        let at = base + token.at..base + token.at + token.text.len();
        match token.kind {
            TokenKind::Word if before(1) == "|" => {
                wrong.extend(
                    unknown_filter(token.text).map(|help| {
                        Wrong::new(format!("there is no filter `{}`", token.text), at).help(help)
                    }),
                );
            }
            TokenKind::Word
                if (before(1) == "is" && token.text != "not")
                    || (before(1) == "not" && before(2) == "is") =>
            {
                wrong.extend(
                    unknown_test(token.text)
                        .map(|help| Wrong::new(format!("there is no test `{}`", token.text), at).help(help)),
                );
            }
            TokenKind::Text if matches!(before(2), "matching" | "regex_replace") && before(1) == "(" => {
                let pattern = &token.text[1..token.text.len().max(2) - 1];
                let pattern = pattern.replace("\\\\", "\\");
                if let Err(error) = Regex::new(&pattern) {
                    wrong.push(Wrong::new(regex_fault(&pattern, &error), at));
                }
            }
            _ => (),
        }
    }
    wrong
}

fn unknown_filter(name: &str) -> Option<String> {
    let known = ENGINE.compile_expression_owned(format!("''|{name}")).map(|probe| probe.eval(()));
    let unknown = matches!(known, Ok(Err(error)) if error.kind() == ErrorKind::UnknownFilter);
    unknown.then(|| help("filters", name, &FILTERS))
}

fn unknown_test(name: &str) -> Option<String> {
    let known = ENGINE.compile_expression_owned(format!("'' is {name}")).map(|probe| probe.eval(()));
    let unknown = matches!(known, Ok(Err(error)) if error.kind() == ErrorKind::UnknownTest);
    unknown.then(|| help("tests", name, &TESTS))
}

/// How other languages call what templates call otherwise.
const ELSEWHERE: [(&str, &str); 8] = [
    ("endswith", "endingwith"),
    ("ends_with", "endingwith"),
    ("startswith", "startingwith"),
    ("starts_with", "startingwith"),
    ("match", "matching"),
    ("regex", "matching"),
    ("contains", "in"),
    ("null", "none"),
];

fn help(what: &str, name: &str, known: &[&str]) -> String {
    let elsewhere = ELSEWHERE.iter().find(|(other, ours)| *other == name && known.contains(ours));
    if let Some((_, ours)) = elsewhere {
        return match *ours {
            "in" => "write `'text' in field`".to_owned(),
            ours => format!("did you mean `{ours}`?"),
        };
    }
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}: {}", known.join(", ")),
    }
}
