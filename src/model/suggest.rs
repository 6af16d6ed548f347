//! Near misses for misspelt names.

/// Characters of the longest word that is taken for a misspelt name: comparing takes the product of both lengths.
const LONGEST: usize = 200;

/// The candidate that `word` most likely was meant to be, if one is near enough to be worth saying.
///
/// ```
/// use patchwave::model::suggest::nearest;
/// assert_eq!(nearest("calbacks", ["name", "callbacks"]), Some("callbacks"));
/// assert_eq!(nearest("colour", ["name", "callbacks"]), None);
/// ```
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let simple = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    // Of a long text not even the lower case is worth making.
    if word.len() > LONGEST * 4 {
        return None;
    }
    let wanted = simple(word);
    let length = wanted.chars().count();
    let allowed = (length / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (simple(candidate), candidate))
        // So many characters more or less are as many mistakes at least.
        .filter(|(text, _)| length <= LONGEST && text.chars().count().abs_diff(length) <= allowed)
        .map(|(text, candidate)| (strsim::damerau_levenshtein(&wanted, &text), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_is_the_one_with_the_fewest_mistakes(word in "[a-f_ ]{0,9}", names in prop::collection::vec("[a-f_]{0,12}", 0..6)) {
            let simple = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
            let allowed = (word.chars().count() / 3).max(1);
            let mistakes = |name: &str| strsim::damerau_levenshtein(&simple(&word), &simple(name));
            let fewest = names.iter().map(|name| mistakes(name)).min().filter(|fewest| *fewest <= allowed);
            prop_assert_eq!(nearest(&word, names.iter().map(String::as_str)).map(mistakes), fewest);
        }
    }

    #[test]
    fn a_text_of_megabytes_is_no_misspelt_name() {
        let long = "a".repeat(3_000_000);
        let nearly = format!("{long}b");
        assert_eq!(nearest(&long, ["name", nearly.as_str()]), None);
        assert_eq!(nearest("name", [long.as_str()]), None);
    }
}
