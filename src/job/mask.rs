//! Source texts in which no secret can be read. Errors print the lines that they are about, so values of secret fields
//! are struck out beforehand; every byte keeps its place.

use crate::catalogue::{Kind, default_kind, kind, names};

/// A TOML or JSON text in which what stands behind the key of a secret field is struck out, up to the end of the line
/// (of a TOML text of several lines, up to its end). Works on text that does not parse, too.
pub(super) fn keyed(text: &str) -> String {
    let mut masked = text.to_owned();
    for key in kinds_in(text).flat_map(Kind::secret_keys) {
        let mut from = 0;
        while let Some(found) = masked[from..].find(key).map(|at| from + at) {
            from = found + key.len();
            if let Some(value) = value_behind(&masked, found, from) {
                let end = end_of_value(&masked, value);
                masked.replace_range(value..end, &stars(&masked[value..end]));
                from = end;
            }
        }
    }
    masked
}

/// The kinds that a text may be about: the default one, and those whose names stand in it.
fn kinds_in(text: &str) -> impl Iterator<Item = &'static Kind> {
    let named =
        move |name: &&str| *name == default_kind().name.as_str() || text.contains(name.trim_end_matches('s'));
    names().filter(named).filter_map(kind)
}

/// A text of which everything from `start` on is struck out, line breaks kept.
pub(super) fn from(text: &str, start: usize) -> String {
    format!("{}{}", &text[..start], stars(&text[start..]))
}

/// Where the value begins, if what stands at `begin..end` is a whole key and not a part of a longer word.
fn value_behind(text: &str, begin: usize, end: usize) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if text[..begin].ends_with(word) || text[end..].starts_with(word) {
        return None;
    }
    let rest = text[end..].trim_start_matches(['"', '\'', ' ', '\t']);
    let value = rest.strip_prefix(['=', ':'])?;
    Some(text.len() - value.len())
}

fn end_of_value(text: &str, start: usize) -> usize {
    let line = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let of_several_lines = ["\"\"\"", "'''"].into_iter().find_map(|quotes| {
        let open = text[start..line].find(quotes)? + start + quotes.len();
        Some(text[open..].find(quotes).map_or(text.len(), |at| open + at + quotes.len()))
    });
    of_several_lines.unwrap_or(line).max(line)
}

fn stars(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\n' | '\r') { c.to_string() } else { "*".repeat(c.len_utf8()) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_fields_are_struck_out_and_nothing_moves() {
        let text = "set.name = \"x\"\nset.client_secret = \"hush\" # hush\n{ \"client_secret\": \"hüsh\", \"name\": 1 }\n\
                    sasKey = \"\"\"\nhush\nhush\"\"\"\nlast = 1\nset.client_secret_hint = \"seen\"\n";
        let masked = keyed(text);
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("hush") && !masked.contains("hüsh"), "{masked}");
        assert!(
            masked.contains("set.name = \"x\"") && masked.contains("last = 1") && masked.contains("seen")
        );
        assert_eq!(masked.lines().count(), text.lines().count());
    }
}
