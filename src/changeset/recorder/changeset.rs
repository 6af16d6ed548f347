//! What a recorder makes. Central type: [`ChangeSet`].

use std::fmt::Write;
use std::io;

/// A change set.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// The file down to its header.
    pub(super) head: String,
    /// The updates, below the header. There may be a hundred thousand of them.
    pub(super) updates: Vec<Box<str>>,
    /// What one of the objects is called that it changes.
    pub noun: String,
    /// SHA-256 of what it asks for.
    pub digest: String,
    /// Placeholders that stand in it, in the order of the file.
    pub replaced: Vec<Replaced>,
    /// Variables that nobody but the target can give.
    pub required: Vec<String>,
    /// What differs and is not in it, in words.
    pub left_out: Vec<String>,
    /// What somebody who reviews it should know.
    pub warnings: Vec<String>,
}

impl ChangeSet {
    /// How many clients it changes.
    pub fn clients(&self) -> usize {
        self.updates.len()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.head.as_bytes())?;
        for update in &self.updates {
            out.write_all(b"\n")?;
            out.write_all(update.as_bytes())?;
        }
        Ok(())
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let updates = self.updates.iter().flat_map(|update| ["\n", update]);
        std::iter::once(self.head.as_str()).chain(updates).collect()
    }
}

/// A value of the source tenant that became a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// What stands for it: `vars.host`.
    pub code: String,
    /// How often.
    pub count: usize,
    /// A client that has it.
    pub client: String,
}

/// What stands above the header, for whoever opens the file.
pub(super) fn comment(mut vars: Vec<&str>) -> String {
    let mut text = String::from(
        "# A recorded change set: see what it would do elsewhere with `patchwave replay FILE --tenant NAME --dry-run`.\n",
    );
    vars.sort_unstable();
    vars.dedup();
    if !vars.is_empty() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# Every target needs these variables: {}", vars.join(", "));
    }
    text
}
