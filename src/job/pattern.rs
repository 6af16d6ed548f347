//! The text that `match` compares a field with.

use std::fmt;

use crate::catalogue::Kind;
use crate::model::FieldPath;

/// Literal text in which, in TOML jobs, `*` stands for any run of characters (`\*` and `\\` escape it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The literal pieces between the stars: one more than there are stars.
    pieces: Vec<String>,
}

impl Pattern {
    /// Reads a pattern of a TOML job: `*` is special.
    pub fn glob(text: &str) -> Self {
        let mut pieces = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let literal = match c {
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => chars.next_if(|next| matches!(next, '*' | '\\')).unwrap_or(c),
                c => c,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        Self { pieces }
    }

    /// Takes text as it stands, as CSV cells are taken.
    pub fn literal(text: &str) -> Self {
        Self { pieces: vec![text.to_owned()] }
    }

    /// The pattern for what the service keeps where texts are written as this one is.
    #[must_use]
    pub fn as_kept(self, kind: &Kind, path: &FieldPath) -> Self {
        let kept = |piece: String| kind.as_kept(path, &piece).into_owned();
        Self { pieces: self.pieces.into_iter().map(kept).collect() }
    }

    /// The one text it fits, if it has no star.
    pub fn exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [text] => Some(text),
            _ => None,
        }
    }

    /// What every text that fits begins with.
    pub fn prefix(&self) -> &str {
        self.pieces.first().map(String::as_str).unwrap_or_default()
    }

    /// What every text that fits ends with.
    pub fn suffix(&self) -> &str {
        self.pieces.last().map(String::as_str).unwrap_or_default()
    }

    /// Whether the whole text fits; case-sensitive.
    pub fn fits(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.exact() == Some(text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        // The earliest place for each piece leaves the most for those behind it, so no backtracking is needed.
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

impl fmt::Display for Pattern {
    /// As a TOML job would spell it, so that parsing what is printed gives the same pattern.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, piece) in self.pieces.iter().enumerate() {
            if at > 0 {
                f.write_str("*")?;
            }
            f.write_str(&piece.replace('\\', "\\\\").replace('*', "\\*"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_star_is_special() {
        assert!(Pattern::glob("[DEV] Billing").fits("[DEV] Billing"));
        assert!(Pattern::glob("Shop {old}?").fits("Shop {old}?"));
        assert!(!Pattern::glob("Shop?").fits("Shops"));
    }

    #[test]
    fn a_star_stands_for_any_run_slashes_included() {
        assert!(Pattern::glob("acme-*-dev").fits("acme-a/b-dev"));
        assert!(Pattern::glob("acme-*-dev").fits("acme--dev"));
        assert!(!Pattern::glob("acme-*-dev").fits("acme-dev"));
        assert!(Pattern::glob("*a*b*").fits("xaxbx"));
        assert!(!Pattern::glob("a*a").fits("a"));
        assert!(Pattern::glob("*").fits(""));
    }

    #[test]
    fn an_escaped_star_is_a_star() {
        assert_eq!(Pattern::glob(r"5\* hotel").exact(), Some("5* hotel"));
        assert_eq!(Pattern::glob(r"C:\\dir\x").exact(), Some(r"C:\dir\x"));
    }

    proptest! {
        #[test]
        fn a_printed_pattern_parses_back_to_itself(text in r"[a*\\b]{0,12}") {
            let pattern = Pattern::glob(&text);
            prop_assert_eq!(Pattern::glob(&pattern.to_string()), pattern);
        }

        #[test]
        fn a_literal_fits_itself_and_survives_being_printed_as_a_glob(text in ".{0,12}") {
            prop_assert!(Pattern::literal(&text).fits(&text));
            prop_assert!(Pattern::glob(&Pattern::literal(&text).to_string()).fits(&text));
        }
    }
}
