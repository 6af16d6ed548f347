//! Rust source as far as these tests must understand it: code and string literals, without comments and tests.

use std::path::Path;

/// A file of `src/`.
pub(super) struct Source {
    /// Its path below `src/`, with `/`.
    pub(super) name: String,
    /// Its code; comments, the content of literals, and tests are blanks, so that lines stay where they are.
    pub(super) code: String,
    /// String literals outside tests, each with the offset of its opening quote.
    pub(super) literals: Vec<(usize, String)>,
}

impl Source {
    pub(super) fn read(path: &Path, src: &Path) -> Self {
        let name = path.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/");
        Self::parse(name, &std::fs::read_to_string(path).unwrap())
    }

    pub(super) fn parse(name: String, text: &str) -> Self {
        let (mut code, mut literals) = split(text);
        while let Some(test) = test_item(&code) {
            literals.retain(|(at, _)| !test.contains(at));
            code.replace_range(test.clone(), &blank(&code[test]));
        }
        Self { name, code, literals }
    }

    /// The folder of `src/` that it is in.
    pub(super) fn folder(&self) -> Option<&str> {
        self.name.split_once('/').map(|(folder, _)| folder)
    }

    /// `src/FILE:LINE` of an offset, ready to be opened.
    pub(super) fn place(&self, at: usize) -> String {
        format!("src/{}:{}", self.name, self.code[..at].matches('\n').count() + 1)
    }

    /// How many `super::` lead from the file's own module to the crate.
    pub(super) fn depth(&self) -> usize {
        let parts = self.name.split('/').count();
        if self.name.ends_with("/mod.rs") { parts - 1 } else { parts }
    }
}

/// Blanks of the same length, line breaks kept.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// Takes comments and literals out of the code.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut literals) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, literal) = token(rest, first, code.chars().next_back());
        let (piece, after) = rest.split_at(length);
        match literal {
            Token::Code => code.push_str(piece),
            Token::Hidden => code.push_str(&blank(piece)),
            Token::Literal(content) => {
                literals.push((code.len(), content));
                code.push_str(&blank(piece));
            }
        }
        rest = after;
    }
    (code, literals)
}

enum Token {
    Code,
    Hidden,
    Literal(String),
}

/// The length of what begins here, and what it is.
fn token(rest: &str, first: char, before: Option<char>) -> (usize, Token) {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Token::Hidden);
    }
    if rest.starts_with("/*") {
        return (rest.find("*/").map_or(rest.len(), |at| at + 2), Token::Hidden);
    }
    if first == 'r' && !in_word {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            let open = hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = rest[open..].find(&close).map_or(rest.len(), |at| open + at);
            return ((end + close.len()).min(rest.len()), Token::Literal(rest[open..end].to_owned()));
        }
    }
    match first {
        '"' => {
            let end = closing_quote(rest);
            (end + 1, Token::Literal(rest[1..end].replace("\\\"", "\"")))
        }
        '\'' => (character(rest), Token::Hidden),
        other => (other.len_utf8(), Token::Code),
    }
}

fn closing_quote(rest: &str) -> usize {
    let mut escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let end = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        end
    };
    rest.char_indices().skip(1).find(ends).map_or(rest.len() - 1, |(at, _)| at)
}

/// A character literal is hidden whole, of a lifetime only the `'`.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        Some((at, c)) if rest[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 1,
    }
}

/// The next item for tests: from its attribute to its end.
fn test_item(code: &str) -> Option<std::ops::Range<usize>> {
    let start = code.find("#[cfg(test)]")?;
    let mut depth = 0;
    for (at, c) in code[start..].char_indices().skip("#[cfg(test)]".len()) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => (),
        }
        if depth == 0 && matches!(c, '}' | ';') {
            return Some(start..start + at + 1);
        }
    }
    Some(start..code.len())
}

#[test]
fn comments_literals_and_tests_are_told_from_code() {
    let text = r##"
        use crate::a; // use crate::b;
        const X: &str = "crate::c\" \\"; const Y: &str = r#"say "d""#;
        fn f<'l>(c: &'l char) -> bool { *c == '"' || *c == '\'' || *c == 'é' } use crate::e;
        #[cfg(test)]
        mod tests { use crate::f; const Z: &str = "z"; fn g() { if true { } } }
        #[cfg(test)] use crate::g;
        fn h() {}
    "##;
    let source = Source::parse("x/y.rs".into(), text);
    let seen: Vec<char> = "abcefg".chars().filter(|c| source.code.contains(&format!("crate::{c}"))).collect();
    assert_eq!(seen, ['a', 'e']);
    assert!(source.code.contains("fn h() {}"));
    let literals: Vec<&str> = source.literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(literals, ["crate::c\" \\\\", "say \"d\""]);
    assert_eq!(source.place(source.code.find("crate::e").unwrap()), "src/x/y.rs:4");
}
