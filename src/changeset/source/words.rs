//! Parts of a text that may be ids, and where a part stands by itself.

use std::ops::Range;

/// Whether a word is an id with this prefix.
pub(super) fn is_id(word: &str, prefix: &str) -> bool {
    let rest = word.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.len() >= 14 && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Whether a word looks as the service makes ids of clients: 32 letters of both cases and digits.
pub(super) fn is_of_a_client(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && kinds.into_iter().all(has)
}

/// Whether no letter or digit stands at either end.
pub(super) fn is_bounded(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back().filter(|_| !is_behind_an_escape(text, range.start));
    let after = text[range.end..].chars().next();
    !before.into_iter().chain(after).any(char::is_alphanumeric)
}

/// The same of a host. With a longer label, or one behind it, it is another one; with one before, it is a part of that one.
pub(super) fn is_a_whole_host(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back().filter(|_| !is_behind_an_escape(text, range.start));
    let mut behind = text[range.end..].chars();
    let after = behind.next();
    let goes_on = after == Some('.') && behind.next().is_some_and(char::is_alphanumeric);
    let of_a_label = |c: char| c.is_alphanumeric() || c == '-';
    !before.is_some_and(of_a_label) && !after.is_some_and(of_a_label) && !goes_on
}

/// Whether what stands before a place is a character as addresses escape it, such as `%2F`.
pub(super) fn is_behind_an_escape(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.wrapping_sub(3)..at);
    before.is_some_and(|sign| sign[0] == b'%' && sign[1..].iter().all(u8::is_ascii_hexdigit))
}

pub(super) fn is_free(found: &[(Range<usize>, String)], range: &Range<usize>) -> bool {
    found.iter().all(|(taken, _)| taken.end <= range.start || range.end <= taken.start)
}

/// What may be an id: runs of letters, digits, `_` and `-`, then what stands between the latter two, without what is left of a
/// character that addresses escape.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = runs(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    words.extend(runs(text, |c| c.is_ascii_alphanumeric()));
    let behind_escapes = words.iter().filter(|range| is_behind_an_escape(text, range.start + 2));
    let behind: Vec<Range<usize>> = behind_escapes.map(|range| range.start + 2..range.end).collect();
    words.extend(behind);
    words
}

pub(super) fn runs(text: &str, is_part: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_part(c), start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                runs.push(begin..at);
                start = None;
            }
            _ => (),
        }
    }
    runs
}

/// A few letters that stand for an id, and do not tell it.
pub(super) fn short_hash(id: &str) -> String {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:06x}", (hash >> 20) & 0xff_ffff)
}
