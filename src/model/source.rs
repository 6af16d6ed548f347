//! Input files kept in memory, so that an error can show the line it is about.

use std::ops::Range;
use std::sync::Arc;

/// A job or configuration file as read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The name to show: as the user gave it.
    pub name: String,
    /// Its whole text, without a byte-order mark.
    pub text: String,
}

/// A place in a file, as people count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl SourceFile {
    /// Keeps a file's text under the name to show for it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// Where a byte offset is; an offset beyond the end is the end.
    pub fn position(&self, offset: usize) -> Position {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        Position { line: before.iter().filter(|b| **b == b'\n').count() + 1, column }
    }

    /// The text of a span, cut to what exists.
    pub fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }
}
