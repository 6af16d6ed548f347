//! Kinds that the command line names.

use super::error::CliError;
use super::output;
use crate::catalogue::load::unknown_kind;
use crate::catalogue::{self, Kind};

/// The word for every kind there is.
pub(super) const ALL: &str = "all";

/// The kinds that are named; none where none is.
///
/// # Errors
/// A word that is no kind.
pub(super) fn named(words: &[String]) -> Result<Vec<&'static Kind>, CliError> {
    let mut kinds: Vec<&'static Kind> = Vec::new();
    for word in words {
        if word == ALL {
            kinds.extend(catalogue::kinds());
            continue;
        }
        let kind = catalogue::kind(word).ok_or_else(|| {
            let (what, help) = unknown_kind(word).unwrap_or_default();
            CliError::usage(format!("{what}; {help}")).next(output::help_line())
        })?;
        kinds.push(kind);
    }
    // The default one goes first, as everywhere.
    kinds.sort_by_key(|kind| (!kind.name.is_default(), kind.name));
    kinds.dedup_by_key(|kind| kind.name);
    Ok(kinds)
}

/// The same; clients where none is named.
pub(super) fn named_or_default(words: &[String]) -> Result<Vec<&'static Kind>, CliError> {
    let kinds = named(words)?;
    Ok(if kinds.is_empty() { vec![catalogue::default_kind()] } else { kinds })
}
