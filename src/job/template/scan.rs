//! Where the code of a template is, and what stands in it: as much of the syntax as must be known before minijinja sees it.

use std::ops::Range;

/// The parts of a template, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands.
    Text(Range<usize>),
    /// What is between `{{` and `}}`.
    Expression(Range<usize>),
    /// What is between `{%` and `%}`.
    Statement(Range<usize>),
    /// A comment, or a raw block with what it keeps.
    Opaque,
}

/// An opening that is never closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) at: usize,
    pub(super) closing: &'static str,
}

/// Whether a text has anything of a template in it.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Takes a template apart.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Unclosed> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = next_open(text, at) {
        if open > at {
            parts.push(Part::Text(at..open));
        }
        let unclosed = |closing| Unclosed { at: open, closing };
        at = match &text[open..open + 2] {
            "{#" => {
                parts.push(Part::Opaque);
                text[open..].find("#}").map(|end| open + end + 2).ok_or(unclosed("#}"))?
            }
            "{{" => {
                let end = end_of_code(text, open + 2, "}}").ok_or(unclosed("}}"))?;
                parts.push(Part::Expression(open + 2..end));
                end + 2
            }
            _ => {
                let end = end_of_code(text, open + 2, "%}").ok_or(unclosed("%}"))?;
                if word_of(&text[open + 2..end]) == "raw" {
                    parts.push(Part::Opaque);
                    end_of_raw(text, end + 2).ok_or(unclosed("{% endraw %}"))?
                } else {
                    parts.push(Part::Statement(open + 2..end));
                    end + 2
                }
            }
        };
    }
    if at < text.len() {
        parts.push(Part::Text(at..text.len()));
    }
    Ok(parts)
}

fn next_open(text: &str, from: usize) -> Option<usize> {
    let opens = |at: usize| text[at + 1..].starts_with(['{', '%', '#']);
    text[from..].match_indices('{').map(|(at, _)| from + at).find(|at| opens(*at))
}

fn word_of(code: &str) -> &str {
    code.trim_matches(['-', '+', ' ', '\t', '\n', '\r'])
}

fn end_of_raw(text: &str, from: usize) -> Option<usize> {
    text[from..].match_indices("{%").find_map(|(at, _)| {
        let begin = from + at + 2;
        let close = begin + text[begin..].find("%}")?;
        (word_of(&text[begin..close]) == "endraw").then_some(close + 2)
    })
}

/// Where code ends: at the closing mark that stands neither in a text nor in brackets.
fn end_of_code(text: &str, from: usize, closing: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut chars = text[from..].char_indices();
    while let Some((offset, c)) = chars.next() {
        if depth == 0 && text[from + offset..].starts_with(closing) {
            return Some(from + offset);
        }
        match c {
            '"' | '\'' => loop {
                match chars.next()?.1 {
                    '\\' => drop(chars.next()),
                    end if end == c => break,
                    _ => (),
                }
            },
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => (),
        }
    }
    None
}

/// A word, a text or a sign in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'c> {
    pub(super) kind: TokenKind,
    /// Its characters, of a text with its quotes.
    pub(super) text: &'c str,
    /// Where it begins in the code.
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Text,
    Sign,
}

/// The tokens of code; numbers are words here, since nothing depends on them.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let (kind, length) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (TokenKind::Word, end)
        } else if c == '"' || c == '\'' {
            (TokenKind::Text, end_of_text(rest, c))
        } else {
            (TokenKind::Sign, c.len_utf8())
        };
        tokens.push(Token { kind, text: &rest[..length], at });
        at += length;
    }
    tokens
}

fn end_of_text(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => (),
        }
    }
    rest.len()
}

/// What `none` is called where minijinja evaluates it: see [`super::absent`]. As long as the word itself, so that places stay.
pub(super) const NONE: &str = "n0ne";

/// The filter that makes of what is absent minijinja's own none, which is less than anything.
pub(super) const LOW: &str = "l0w";

/// Code in which each literal `none` is the value that stands for an absent field. The test `is none` keeps its name.
pub(super) fn with_absent(code: &str) -> String {
    let tokens = tokens(code);
    let mut out = code.to_owned();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).map_or("", |at| tokens[at].text);
        let is_test = before(1) == "is" || before(1) == "not" && before(2) == "is";
        let is_name = matches!(before(1), "." | "|");
        if matches!(token.text, "none" | "None") && !is_test && !is_name {
            out.replace_range(token.at..token.at + NONE.len(), NONE);
        }
    }
    out
}

/// Code in which nothing that is absent is more or less than anything. To minijinja an object, which stands for what is
/// absent, is more than any number or text: so what is to be the greater of two is first made less than all.
pub(super) fn with_order(code: &str) -> String {
    let tokens = tokens(code);
    let mut ends: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            ">" if index > 0 => ends.push(tokens[index - 1].at + tokens[index - 1].text.len()),
            "<" => ends.extend(end_of_operand(&tokens, index + 1)),
            _ => (),
        }
    }
    let mut out = code.to_owned();
    ends.sort_unstable();
    for end in ends.into_iter().rev() {
        out.insert_str(end, &format!("|{LOW}"));
    }
    out
}

/// Where the operand ends that begins at a token: a name, text or bracket with what is attached to it.
fn end_of_operand(tokens: &[Token<'_>], from: usize) -> Option<usize> {
    let mut at = from;
    while matches!(tokens.get(at)?.text, "=" | "-" | "not") {
        at += 1;
    }
    at = past(tokens, at)?;
    loop {
        match tokens.get(at).map(|token| token.text) {
            Some("." | "|") => at += 2,
            Some("[" | "(") => at = past(tokens, at)?,
            _ => break,
        }
    }
    tokens.get(at - 1).map(|last| last.at + last.text.len())
}

/// The token behind one, or behind the bracket that it opens.
fn past(tokens: &[Token<'_>], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => (),
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The first sign that means nothing in code, with what to write instead. minijinja does not see all of them: behind a text
/// it takes the code for ended, and what stands there would be dropped without a word.
pub(super) fn foreign_sign(code: &str) -> Option<(Range<usize>, Option<&'static str>)> {
    const KNOWN: &str = "+-*/%~=<>!()[]{}.,:|";
    let tokens = tokens(code);
    tokens.iter().enumerate().find_map(|(index, token)| {
        let twice = tokens.get(index + 1).is_some_and(|next| next.text == token.text);
        let help = match token.text {
            "&" => Some("write `and`"),
            "|" if twice => Some("write `or`"),
            "!" if tokens.get(index + 1).is_none_or(|next| next.text != "=") => Some("write `not`"),
            sign if token.kind == TokenKind::Sign && !KNOWN.contains(sign) => None,
            _ => return None,
        };
        Some((token.at..token.at + token.text.len(), help))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let part = |part: Part| match part {
            Part::Text(at) => format!("text {}", &text[at]),
            Part::Expression(at) => format!("expression {}", &text[at]),
            Part::Statement(at) => format!("statement {}", &text[at]),
            Part::Opaque => "opaque".to_owned(),
        };
        parts(text).unwrap().into_iter().map(part).collect()
    }

    #[test]
    fn code_ends_at_its_own_closing_and_not_at_one_inside_a_text_or_an_object() {
        assert_eq!(
            shown("a {{ x | f('}}') }} b {{ {'k': {}} }}"),
            ["text a ", "expression  x | f('}}') ", "text  b ", "expression  {'k': {}} "]
        );
        assert_eq!(
            shown("{% if x %}y{% endif %}{# }} #}"),
            ["statement  if x ", "text y", "statement  endif ", "opaque"]
        );
        assert_eq!(shown("{% raw %}{{ x }}{% endraw %}z"), ["opaque", "text z"]);
    }

    #[test]
    fn an_opening_without_its_closing_is_found_where_it_stands() {
        assert_eq!(parts("ab {{ x }"), Err(Unclosed { at: 3, closing: "}}" }));
        assert_eq!(parts("{% if x"), Err(Unclosed { at: 0, closing: "%}" }));
        assert_eq!(parts("{{ 'x }}"), Err(Unclosed { at: 0, closing: "}}" }));
    }

    #[test]
    fn what_is_to_be_the_greater_is_lowered_first() {
        assert_eq!(with_order("a.b > 5 and x >= y"), "a.b|l0w > 5 and x|l0w >= y");
        assert_eq!(
            with_order("5 < a.b['c'] | int or 1 <= (x or 2)"),
            "5 < a.b['c'] | int|l0w or 1 <= (x or 2)|l0w"
        );
        assert_eq!(with_order("a == 'x > y'"), "a == 'x > y'");
    }

    #[test]
    fn none_is_renamed_as_a_value_and_kept_as_a_test_and_in_texts() {
        assert_eq!(
            with_absent("a == none or b is not none and c is none"),
            "a == n0ne or b is not none and c is none"
        );
        assert_eq!(with_absent("x | default(None) ~ 'none' ~ y.none"), "x | default(n0ne) ~ 'none' ~ y.none");
    }
}
