//! Filters, tests and regular expressions in code that do not exist or do not compile. Central function: [`unknown_words`].

use minijinja::ErrorKind;
use regex::Regex;

use super::engine::{ENGINE, regex_fault};
use super::scan::{TokenKind, tokens};
use super::uses::Wrong;
use crate::model::suggest::nearest;

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
