//! What came of a command, as one text that people can read and snapshots can keep.

use std::fmt;
use std::path::Path;

use regex::Regex;

/// A command that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// The command, as it would be typed.
    pub(crate) command: String,
    /// Its exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// All of its standard output; what differs from run to run has been replaced.
    pub(crate) stdout: String,
    /// All of its standard error; what differs from run to run has been replaced.
    pub(crate) stderr: String,
}

impl Done {
    /// Asserts the exit code, showing everything where it is another.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Both outputs, for a search in all that was shown.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.command)?;
        match self.code {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

/// Replaces what differs from run to run: folders, ports, run ids, times, and the version.
pub(super) fn redact(text: &str, root: &Path) -> String {
    let rules = [
        (r"\b\d{8}T?-?\d{6}Z?-[0-9a-z]{4,8}\b", "[RUN]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"\b(127\.0\.0\.1|localhost|\[::1\]):\d+", "$1:[PORT]"),
    ];
    let text = text.replace(&*root.to_string_lossy(), "[ROOT]");
    let text = text.replace(&format!("patchwave {}", env!("CARGO_PKG_VERSION")), "patchwave [VERSION]");
    rules.iter().fold(text, |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}
