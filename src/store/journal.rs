//! The journal of a run: one JSON line an entry, appended and synced before anybody else hears of it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::model::Entry;

/// An open journal. Only the run's coordinator holds one.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal of a run for appending, and makes it where there is none.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(StoreError::new("open", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Appends a group of entries in one write and waits until they are on disk.
    ///
    /// # Errors
    /// Where writing or syncing fails. The entries may or may not be on disk then; the run has to stop.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut lines = Vec::with_capacity(entries.len() * 256);
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)
                .map_err(|e| StoreError::new("write", &self.path)(e.into()))?;
            lines.push(b'\n');
        }
        let durable = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        durable.map_err(StoreError::new("write", &self.path))
    }
}

/// Reads a journal. A last line that is cut short, as a crash leaves it, is passed over.
///
/// # Errors
/// Where the file cannot be read, or an earlier line is damaged.
pub fn read(path: &Path) -> Result<Vec<Entry>, StoreError> {
    let text = std::fs::read_to_string(path).map_err(StoreError::new("read", path))?;
    let mut entries = Vec::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if lines.peek().is_none() && !line.ends_with('\n') => break,
            Err(error) => return Err(StoreError::new("read", path)(error.into())),
        }
    }
    Ok(entries)
}
