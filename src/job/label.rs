//! How rows are called in reports.

use serde::{Deserialize, Serialize};

/// The `_row` column: a spreadsheet row (its header is row 1), or the number of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowLabel {
    /// Row of a CSV file, counted from 1 with the header.
    Row(usize),
    /// Update of a TOML or object of a JSON file, counted from 1.
    Update(usize),
    /// A row of the file that an update's `rows` names, where a job has several such updates.
    RowOf {
        /// The update.
        update: usize,
        /// The row.
        row: usize,
    },
    /// A create of a TOML file, counted from 1.
    Create(usize),
    /// A row of the file that a create's `rows` names, likewise.
    RowOfCreate {
        /// The create.
        create: usize,
        /// The row.
        row: usize,
    },
}

impl std::fmt::Display for RowLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row(row) => write!(f, "{row}"),
            Self::Update(number) => write!(f, "update {number}"),
            Self::RowOf { update, row } => write!(f, "update {update} row {row}"),
            Self::Create(number) => write!(f, "create {number}"),
            Self::RowOfCreate { create, row } => write!(f, "create {create} row {row}"),
        }
    }
}

impl RowLabel {
    /// As a sentence names it: `row 7`, `update 3`.
    pub fn in_words(self) -> String {
        match self {
            Self::Row(row) => format!("row {row}"),
            other => other.to_string(),
        }
    }

    /// As `X-Correlation-ID` carries it behind the run id.
    pub fn correlation(self) -> String {
        match self {
            Self::Row(row) => row.to_string(),
            Self::Update(number) => format!("u{number}"),
            Self::RowOf { update, row } => format!("u{update}.{row}"),
            Self::Create(number) => format!("c{number}"),
            Self::RowOfCreate { create, row } => format!("c{create}.{row}"),
        }
    }
}
