//! The journal of a run: one JSON line an entry, appended and synced before anybody else hears of it.
//!
//! Each line carries a checksum of itself and of all lines before it, so that a line that was changed, lost or moved is
//! found. Only the end may be torn: that is what a crash leaves.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::StoreError;
use crate::model::Entry;
use crate::model::deep::from_own;

/// Where a run's entries are made durable. What cannot be kept must not be done: an error stops the run.
pub trait Append: Send {
    /// Appends a group of entries and waits until they are durable.
    ///
    /// # Errors
    /// Where that fails; the entries may or may not be durable then.
    fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError>;
}

/// An open journal. Only the run's coordinator holds one.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    chain: Chain,
    /// The entry being written, kept for its room.
    entry: Vec<u8>,
}

/// The checksum of all lines so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Chain([u8; 32]);

impl Chain {
    /// Takes a line's entry in, and returns its checksum as it is written.
    fn add(&mut self, entry: &[u8]) -> String {
        self.0 = Sha256::new().chain_update(self.0).chain_update(entry).finalize().into();
        self.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A line: the entry as it stands in the file, and its checksum.
#[derive(Deserialize)]
struct Line<'l> {
    sum: String,
    #[serde(borrow)]
    of: &'l RawValue,
}

/// What was read of a journal, and where a process that takes the run up again goes on.
#[derive(Debug)]
pub struct Found {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Length of the whole lines, in bytes.
    length: u64,
    /// Length of the file.
    size: u64,
    chain: Chain,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line is not as it was written.
    #[error("{path}: line {line} is damaged: {why}")]
    Damaged {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Journal {
    /// Makes the journal of a new run.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).and_then(alone).map_err(StoreError::new("create", path))?;
        Ok(Self { file, path: path.to_owned(), chain: Chain::default(), entry: Vec::new() })
    }

    /// Its folder has another name by now; messages must name the one that people find.
    #[must_use]
    pub(super) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// Opens a journal where its whole lines end; what a crash left behind them is cut off.
    ///
    /// # Errors
    /// Where the file cannot be opened or cut, or another process writes it (its cause is `WouldBlock` then).
    pub fn go_on(path: &Path, found: &Found) -> Result<Self, StoreError> {
        let attempt = || -> std::io::Result<File> {
            let file = alone(OpenOptions::new().append(true).open(path)?)?;
            let size = file.metadata()?.len();
            if size != found.size {
                return Err(std::io::Error::new(
                    ErrorKind::WouldBlock,
                    "another process has just written it",
                ));
            }
            if size > found.length {
                file.set_len(found.length)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        let file = attempt().map_err(StoreError::new("open", path))?;
        Ok(Self { file, path: path.to_owned(), chain: found.chain, entry: Vec::new() })
    }
}

/// A journal has one writer. The tenants' locks see to that for runs; a run that leaves another one behind writes into a
/// journal whose tenants it may not all hold.
fn alone(file: File) -> std::io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(std::io::Error::new(ErrorKind::WouldBlock, "another process writes it"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Append for Journal {
    fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut lines = Vec::with_capacity(entries.len() * 400);
        let mut write = || -> std::io::Result<()> {
            for entry in entries {
                self.entry.clear();
                serde_json::to_writer(&mut self.entry, entry)?;
                let sum = self.chain.add(&self.entry);
                lines.extend_from_slice(format!("{{\"sum\":\"{sum}\",\"of\":").as_bytes());
                lines.extend_from_slice(&self.entry);
                lines.extend_from_slice(b"}\n");
            }
            self.file.write_all(&lines)?;
            self.file.sync_data()
        };
        write().map_err(StoreError::new("write", &self.path))
    }
}

/// Reads a journal. What stands behind the last whole line is passed over: a crash leaves it.
///
/// # Errors
/// Where the file cannot be read, or a whole line is not as it was written.
pub fn read(path: &Path) -> Result<Found, JournalError> {
    let bytes = std::fs::read(path).map_err(StoreError::new("read", path))?;
    parse(&bytes, path)
}

/// What the bytes of the journal at `path` hold.
///
/// # Errors
/// Where a whole line is not as it was written.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Found, JournalError> {
    let size = bytes.len() as u64;
    let mut found = Found { entries: Vec::new(), length: 0, size, chain: Chain::default() };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for (at, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        match entry(line, &mut found.chain) {
            Ok(entry) => found.entries.push(entry),
            Err(why) => {
                return Err(JournalError::Damaged { path: path.display().to_string(), line: at + 1, why });
            }
        }
        found.length += line.len() as u64;
    }
    Ok(found)
}

/// Whether a process has it open for writing: its run is under way.
pub fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn entry(line: &[u8], chain: &mut Chain) -> Result<Entry, String> {
    let line: Line<'_> = serde_json::from_slice(line)
        .map_err(|_| "it is not what a journal has, or another version wrote it".to_owned())?;
    if chain.add(line.of.get().as_bytes()) != line.sum {
        return Err("its checksum does not fit it and the lines before".to_owned());
    }
    from_own(line.of.get().as_bytes()).map_err(|error| format!("another version wrote it ({error})"))
}

/// The first and the last whole entry, for a look at many runs; neither is checked against the lines between them.
///
/// # Errors
/// Where the file cannot be read, or one of the two is no line of a journal.
pub fn ends(path: &Path) -> Result<(Entry, Entry), JournalError> {
    let bytes = outer_bytes(path).map_err(StoreError::new("read", path))?;
    let lines: Vec<&[u8]> =
        bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).collect();
    let damaged = |line: usize, why: &str| JournalError::Damaged {
        path: path.display().to_string(),
        line,
        why: why.to_owned(),
    };
    let unchecked = |line: &[u8]| -> Option<Entry> {
        let line: Line<'_> = serde_json::from_slice(line).ok()?;
        from_own(line.of.get().as_bytes()).ok()
    };
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        return Err(damaged(1, "it is empty"));
    };
    let first = unchecked(first).ok_or_else(|| damaged(1, "it is no line of a journal of this version"))?;
    let last = unchecked(last).ok_or_else(|| {
        // Of a long file only the ends were read: its lines are counted now.
        let whole = std::fs::read(path).unwrap_or_default();
        let number = whole.iter().filter(|byte| **byte == b'\n').count();
        damaged(number, "it is no line of a journal of this version")
    })?;
    Ok((first, last))
}

/// The file, or of a long one its first line and what stands near its end.
fn outer_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    const WHOLE: u64 = 1 << 18;
    const TAIL: i64 = 1 << 17;
    let mut file = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    if file.get_ref().metadata()?.len() <= WHOLE {
        file.read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    file.read_until(b'\n', &mut bytes)?;
    file.seek(SeekFrom::End(-TAIL))?;
    let head = bytes.len();
    file.read_to_end(&mut bytes)?;
    if bytes[head..].iter().filter(|byte| **byte == b'\n').count() < 2 {
        // The last line is longer than that: it names very many tenants.
        file.rewind()?;
        bytes.clear();
        file.read_to_end(&mut bytes)?;
    }
    // The line in which the tail begins is not whole; it is never the last.
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a crash of a test costs nothing")]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn resumed(second: i64) -> Entry {
        Entry::Resumed { at: Timestamp::from_second(second).unwrap() }
    }

    fn journal(entries: i64) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).unwrap();
        for second in 0..entries {
            journal.append(&[resumed(second)]).unwrap();
        }
        (folder, path)
    }

    #[test]
    fn a_journal_cut_at_any_byte_holds_its_whole_lines_and_can_be_gone_on_with() {
        let (_folder, path) = journal(3);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let found = read(&path).unwrap();
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(found.entries.len(), whole, "cut at {cut}");
            Journal::go_on(&path, &found).unwrap().append(&[resumed(9)]).unwrap();
            let again = read(&path).unwrap();
            assert_eq!(again.entries.len(), whole + 1, "cut at {cut}");
            assert_eq!(again.entries.last(), Some(&resumed(9)));
        }
    }

    #[test]
    fn a_line_that_was_changed_lost_or_moved_is_named() {
        let (_folder, path) = journal(4);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let changed = lines[1].replace("1970", "1971");
        for (line, wrong) in [
            (2, [lines[0], &changed, lines[2], lines[3]].join("\n")),
            (2, [lines[0], lines[2], lines[3]].join("\n")),
            (2, [lines[0], lines[2], lines[1], lines[3]].join("\n")),
            (3, [lines[0], lines[1], "\0\0\0", lines[3]].join("\n")),
        ] {
            std::fs::write(&path, wrong + "\n").unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line} is damaged")), "{error}");
        }
    }

    #[test]
    fn a_journal_has_one_writer() {
        let (_folder, path) = journal(1);
        let found = read(&path).unwrap();
        let first = Journal::go_on(&path, &found).unwrap();
        assert_eq!(Journal::go_on(&path, &found).unwrap_err().cause.kind(), ErrorKind::WouldBlock);
        drop(first);
        Journal::go_on(&path, &found).unwrap().append(&[resumed(7)]).unwrap();
        let stale = Journal::go_on(&path, &found);
        assert_eq!(stale.unwrap_err().cause.kind(), ErrorKind::WouldBlock, "what was read of it is old");
    }

    #[test]
    fn the_ends_of_a_journal_are_read_without_what_is_between_them() {
        let (_folder, path) = journal(3);
        assert_eq!(ends(&path).unwrap(), (resumed(0), resumed(2)));
        std::fs::write(&path, "").unwrap();
        ends(&path).unwrap_err();
        let long = "{}\n".repeat(1 << 17);
        let (_folder, path) = journal(1);
        let first = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, first + &long).unwrap();
        let error = ends(&path).unwrap_err().to_string();
        assert!(error.contains("line 131073 is damaged"), "{error}");
    }
}
