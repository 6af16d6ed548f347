//! Words about things, in sentences for people.

/// A thing with its article: `an action`, `a client`.
pub fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {noun}")
}
