//! What is wrong with an input, where, why, and what to do: the one form of all errors about files.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::SourceFile;

/// Whether a problem stops the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The job is refused.
    Error,
    /// The job goes on; a person should look.
    Warning,
}

/// One thing that is wrong with an input. Composed where most is known, printed once by the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub what: String,
    /// The file and the bytes in it that the problem is about.
    pub place: Option<(Arc<SourceFile>, Range<usize>)>,
    /// A few words to stand beside the marked source.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// An error that is about no place in particular (yet).
    pub fn new(what: impl Into<String>) -> Self {
        Self { severity: Severity::Error, what: what.into(), place: None, label: String::new(), help: None }
    }

    /// Makes it a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        self.place = Some((Arc::clone(file), span));
        self
    }

    /// Says a few words beside the marked source.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, where something is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into).or(self.help);
        self
    }
}

impl fmt::Display for Problem {
    /// One line: `file:line:column: what (help)`, for logs and JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, span)) = &self.place {
            let at = file.position(span.start);
            write!(f, "{}:{}:{}: ", file.name, at.line, at.column)?;
        }
        f.write_str(&self.what)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}
