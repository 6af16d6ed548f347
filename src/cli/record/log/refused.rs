//! Why nothing is recorded of a log.

use super::super::super::error::CliError;
use crate::auth0::LogWindow;
use crate::changeset::from_log::{RetentionGap, Squashed};
use crate::plan::Refusal;
use crate::report::term;

/// So many gaps are named.
const NAMED: usize = 10;

/// What is said where the log lacks something: nothing is recorded then.
pub(super) fn gaps(squashed: &Squashed, retention: Option<&RetentionGap>) -> CliError {
    let gaps = squashed.gaps.iter().take(NAMED).map(ToString::to_string);
    let more = squashed.gaps.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more like these"));
    let lines: Vec<String> = retention.map(ToString::to_string).into_iter().chain(gaps).chain(more).collect();
    CliError::refused(&[Refusal {
        what: format!("the log does not tell of every write; nothing was recorded\n{}", lines.join("\n")),
        help: "entries may be late: try again in some minutes; else record the difference of two snapshots, with --before A --after B"
            .to_owned(),
    }])
}

/// Of a write that could not be read nobody knows what it changed.
pub(super) fn unreadable(window: &LogWindow) -> CliError {
    let first = window.first_unreadable.clone().unwrap_or_default();
    CliError::refused(&[Refusal {
        what: format!(
            "{} of the log could not be read, and nothing was recorded: {first}",
            term::count(window.unreadable, "write")
        ),
        help: "record the difference of two snapshots, with --before A --after B".to_owned(),
    }])
}
