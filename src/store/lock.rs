//! One run per tenant at a time: a lock of the operating system on a file of the state directory. Central type: [`Lock`].
//!
//! The system frees it when the process ends, however it ends, so there are no stale locks. It guards this state
//! directory alone: two machines, or two state directories, know nothing of each other.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StateDir, StoreError, atomic};
use crate::model::Domain;

/// A tenant's lock, held until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    file: File,
}

/// Who holds a lock. Told for people: the lock itself is the system's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The machine that it runs on.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// What it does, such as `apply nightly.csv`.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC");
        write!(f, "process {} on {} (patchwave {}, since {since})", self.pid, self.host, self.command)
    }
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Taken(Lock),
    /// Somebody else's; who, where the file tells.
    Held(Option<Holder>),
}

/// Asks for the lock of a tenant, without waiting.
///
/// # Errors
/// Where its file cannot be opened, locked or written.
pub fn ask(state: &StateDir, domain: &Domain, me: &Holder) -> Result<Asked, StoreError> {
    let folder = state.locks();
    atomic::make_folder(&folder)?;
    let path = folder.join(format!("{}.lock", file_name(domain)));
    let mut file = open(&path).map_err(StoreError::new("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            introduce(&mut file, me).map_err(StoreError::new("write", &path))?;
            Ok(Asked::Taken(Lock { file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let told = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
            Ok(Asked::Held(told))
        }
        Err(TryLockError::Error(error)) => Err(StoreError::new("lock", &path)(error)),
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes who holds it; never waited for, since nothing but messages depends on it.
fn introduce(file: &mut File, me: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(me)?.as_bytes())
}

/// A domain may hold a port, whose `:` not every system takes in a file name.
fn file_name(domain: &Domain) -> String {
    domain
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' })
        .collect()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The next holder must not be told of as this one while it introduces itself. Closing the file frees the lock.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_names_its_holder_and_is_free_once_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        let domain = Domain::parse("http://127.0.0.1:4000").unwrap();
        let me = Holder {
            pid: 7,
            host: "here".into(),
            since: Timestamp::UNIX_EPOCH,
            command: "apply job.csv".into(),
        };
        let Asked::Taken(lock) = ask(&state, &domain, &me).unwrap() else { panic!("it is free") };
        let Asked::Held(holder) = ask(&state, &domain, &me).unwrap() else { panic!("it is held") };
        assert_eq!(holder, Some(me.clone()));
        let other = Domain::parse("acme.eu.auth0.com").unwrap();
        assert!(
            matches!(ask(&state, &other, &me).unwrap(), Asked::Taken(_)),
            "another tenant is another lock"
        );
        drop(lock);
        assert!(matches!(ask(&state, &domain, &me).unwrap(), Asked::Taken(_)));
    }
}
