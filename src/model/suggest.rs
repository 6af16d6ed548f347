//! Near misses for misspelt names.

/// The candidate that `word` most likely was meant to be, if one is near enough to be worth saying.
///
/// ```
/// use patchwave::model::suggest::nearest;
/// assert_eq!(nearest("calbacks", ["name", "callbacks"]), Some("callbacks"));
/// assert_eq!(nearest("colour", ["name", "callbacks"]), None);
/// ```
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let simple = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = simple(word);
    let allowed = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &simple(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
