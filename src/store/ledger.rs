//! The ledger: which change set went to which tenant, when, by which run, with what result. One file of the state directory,
//! a line an entry.
//!
//! Processes that work on different tenants share it. Whoever writes holds the lock of a file beside it (beside, since a
//! rewrite replaces the file itself), for as long as a few lines take, and syncs them. A process that dies in the midst leaves
//! a line without its end at most: the next one ends it, and readers pass over it. So a line is whole or counts for nothing,
//! and an entry costs its own length, however long the history is. Once in a while, when the file has grown by another
//! `STEP`, lines that a later entry of the same run has taken the place of are dropped, by a rename.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{StateDir, StoreError, atomic};
use crate::model::LedgerEntry;
use crate::model::ledger::LEDGER_VERSION;

/// The file is looked through for lines that can go when it has grown by so many bytes.
const STEP: u64 = 1 << 20;

/// What the ledger holds.
#[derive(Debug, Default, PartialEq)]
pub struct Kept {
    /// In the order in which they were entered.
    pub entries: Vec<LedgerEntry>,
    /// Lines that could not be read: cut short by a crash, damaged, or another version's.
    pub unreadable: usize,
}

/// Reads it; an empty one where there is none.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn read(state: &StateDir) -> Result<Kept, StoreError> {
    let path = state.ledger();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(error) => return Err(StoreError::new("read", &path)(error)),
    };
    let mut kept = Kept::default();
    for line in lines(&bytes) {
        match parse(line) {
            Some(entry) => kept.entries.push(entry),
            None => kept.unreadable += 1,
        }
    }
    Ok(kept)
}

/// Enters what a run came to. An entry takes the place of the same run's earlier one.
///
/// # Errors
/// Where the file cannot be locked or written.
pub fn enter(state: &StateDir, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    enter_and_tidy(state, entries, STEP)
}

fn enter_and_tidy(state: &StateDir, entries: &[LedgerEntry], step: u64) -> Result<(), StoreError> {
    let path = state.ledger();
    // Freed when it is dropped, and when its process dies.
    let _lock = locked(&path.with_extension("lock")).map_err(StoreError::new("lock", &path))?;
    let (before, after) = append(&path, entries).map_err(StoreError::new("write", &path))?;
    if before / step == after / step { Ok(()) } else { tidy(&path) }
}

fn locked(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = private(&mut options).open(path)?;
    file.lock()?;
    Ok(file)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Its size before and after.
fn append(path: &Path, entries: &[LedgerEntry]) -> std::io::Result<(u64, u64)> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    let mut file = private(&mut options).open(path)?;
    let before = file.metadata()?.len();
    let mut text = Vec::new();
    if before > 0 && last_byte(&mut file)? != b'\n' {
        // What a crash cut short must not take the next line with it.
        text.push(b'\n');
    }
    for entry in entries {
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_data()?;
    Ok((before, before + text.len() as u64))
}

fn last_byte(file: &mut File) -> std::io::Result<u8> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last[0])
}

/// Drops the lines that later ones have taken the place of. Lines that cannot be read stay: they may be another version's.
fn tidy(path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::new("read", path))?;
    let lines: Vec<(&[u8], Option<LedgerEntry>)> = lines(&bytes).map(|line| (line, parse(line))).collect();
    let entries = || lines.iter().enumerate().filter_map(|(at, (_, entry))| Some((at, entry.as_ref()?)));
    let newest: HashMap<_, usize> = entries().map(|(at, entry)| (entry.key(), at)).collect();
    let stays = |at: usize, entry: Option<&LedgerEntry>| {
        entry.is_none_or(|entry| newest.get(&entry.key()) == Some(&at))
    };
    atomic::write(path, |out| {
        for (at, (line, entry)) in lines.iter().enumerate() {
            if stays(at, entry.as_ref()) {
                out.write_all(line)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    })
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn parse(line: &[u8]) -> Option<LedgerEntry> {
    let entry: LedgerEntry = serde_json::from_slice(line).ok()?;
    (entry.version == LEDGER_VERSION).then_some(entry)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a crash of a test costs nothing")]
mod tests {
    use super::*;
    use crate::model::{ChangeSetId, Domain, LedgerResult, RunId};
    use jiff::Timestamp;

    fn state() -> (tempfile::TempDir, StateDir) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        (folder, state)
    }

    fn entry(tenant: &str, run: &str, result: LedgerResult) -> LedgerEntry {
        LedgerEntry {
            version: LEDGER_VERSION,
            change_set: ChangeSetId { name: "rename".into(), digest: "abc".into(), edited: false },
            tenant: tenant.into(),
            domain: Domain::parse(&format!("{tenant}.auth0.com")).unwrap(),
            run: RunId::new(run),
            undoes: None,
            at: Timestamp::UNIX_EPOCH,
            result,
            rows: [("updated".to_owned(), 3)].into(),
        }
    }

    #[test]
    fn what_was_entered_is_read_in_its_order_and_none_is_an_empty_one() {
        let (_folder, state) = state();
        assert_eq!(read(&state).unwrap(), Kept::default());
        let (first, second) = (entry("a", "1", LedgerResult::Applied), entry("b", "2", LedgerResult::Partly));
        enter(&state, std::slice::from_ref(&first)).unwrap();
        enter(&state, std::slice::from_ref(&second)).unwrap();
        assert_eq!(read(&state).unwrap(), Kept { entries: vec![first, second], unreadable: 0 });
    }

    #[test]
    fn cut_at_any_byte_it_holds_its_whole_lines_and_takes_more() {
        let (_folder, state) = state();
        let all = [entry("a", "1", LedgerResult::Applied), entry("b", "1", LedgerResult::Failed)];
        enter(&state, &all).unwrap();
        let bytes = std::fs::read(state.ledger()).unwrap();
        let end_of_first = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let next = entry("c", "2", LedgerResult::Undone);
        for cut in 0..=bytes.len() {
            std::fs::write(state.ledger(), &bytes[..cut]).unwrap();
            enter(&state, std::slice::from_ref(&next)).unwrap();
            let kept = read(&state).unwrap();
            // A line that lacks its line break alone is whole.
            let whole = usize::from(cut >= end_of_first) + usize::from(cut + 1 >= bytes.len());
            assert_eq!(kept.entries[..whole], all[..whole], "cut at {cut}");
            assert_eq!(&kept.entries[whole..], std::slice::from_ref(&next), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_of_another_version_is_passed_over_and_never_dropped() {
        let (_folder, state) = state();
        let later = LedgerEntry { version: 99, ..entry("a", "1", LedgerResult::Applied) };
        let ours = entry("a", "2", LedgerResult::Applied);
        enter_and_tidy(&state, &[later, ours.clone()], 1).unwrap();
        enter_and_tidy(&state, std::slice::from_ref(&ours), 1).unwrap();
        let text = std::fs::read_to_string(state.ledger()).unwrap();
        assert!(text.lines().count() == 2 && text.contains("\"version\":99"), "{text}");
        assert_eq!(read(&state).unwrap(), Kept { entries: vec![ours], unreadable: 1 });
    }

    #[test]
    fn a_large_one_keeps_the_newest_of_each_run_in_each_tenant() {
        let (_folder, state) = state();
        let stopped = entry("a", "1", LedgerResult::Stopped);
        let (applied, other) =
            (entry("a", "1", LedgerResult::Applied), entry("b", "1", LedgerResult::Stopped));
        let undone = entry("a", "2", LedgerResult::Undone);
        enter(&state, &[stopped, other.clone()]).unwrap();
        assert_eq!(read(&state).unwrap().entries.len(), 2);
        enter_and_tidy(&state, &[applied.clone(), undone.clone()], 300).unwrap();
        assert_eq!(read(&state).unwrap().entries, [other, applied, undone]);
    }

    #[test]
    fn writers_beside_each_other_lose_no_line() {
        let (_folder, state) = state();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let state = &state;
                scope.spawn(move || {
                    for run in 0..20 {
                        let entry = entry(&format!("t{writer}"), &run.to_string(), LedgerResult::Applied);
                        // So small a step that the file is rewritten all the time.
                        enter_and_tidy(state, &[entry.clone(), entry], 64).unwrap();
                    }
                });
            }
        });
        let kept = read(&state).unwrap();
        assert_eq!((kept.entries.len(), kept.unreadable), (80, 0));
    }
}
