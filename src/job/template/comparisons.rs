//! Comparisons that cannot be meant: of a field with a value that it never has. Central function: [`mistyped`].

use super::scan::{Token, TokenKind, tokens};
use super::uses::Wrong;
use crate::catalogue::{FieldType, Kind};
use crate::model::FieldPath;

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
        FieldType::String if is_text => {
            let text = literal.text.get(1..literal.text.len().max(2) - 1).unwrap_or_default();
            let listed = field.spelt_otherwise(text)?;
            let what = format!("`{path}` is never {}", literal.text);
            Some(Wrong::new(what, at.clone()).help(format!("did you mean '{listed}'?")))
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
