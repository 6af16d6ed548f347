//! When which tenant's clients were read as a whole: what `get --all` and others kept in `bases/` can be the state that a
//! recording starts from. One line a snapshot, appended; a line that a crash cut off is passed over.

use std::io::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StateDir, StoreError, atomic, bases};
use crate::model::{Body, Domain};

/// A snapshot that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Under which its bodies are kept.
    pub digest: String,
    /// Of which tenant.
    pub domain: Domain,
    /// Kind of object.
    pub kind: String,
    /// When its first page was asked for: what was changed later may be missing in it.
    pub at: Timestamp,
    /// When the last one had been read: it has whatever was changed before `at`, and may have what was changed until then.
    pub read_by: Timestamp,
    /// Whether it has every object of that kind.
    pub whole: bool,
}

/// Keeps bodies (without secrets) with where they are from, and returns their digest.
///
/// # Errors
/// Where the state directory cannot be written.
pub fn keep(
    state: &StateDir,
    bodies: &[Body],
    (domain, kind): (&Domain, &str),
    (at, read_by, whole): (Timestamp, Timestamp, bool),
) -> Result<String, StoreError> {
    let digest = bases::keep(state, bodies)?;
    let entry = Snapshot {
        digest: digest.clone(),
        domain: domain.clone(),
        kind: kind.to_owned(),
        at,
        read_by,
        whole,
    };
    let path = state.snapshots();
    // One write of one short line is whole, whoever else appends at that time.
    let append = || -> std::io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        file.write_all(&line)?;
        file.sync_all()
    };
    append().map_err(StoreError::new("write", &path))?;
    Ok(digest)
}

/// All snapshots that were kept, oldest first.
///
/// # Errors
/// Where the list is there and cannot be read.
pub fn list(state: &StateDir) -> Result<Vec<Snapshot>, StoreError> {
    let text = atomic::read(&state.snapshots())?.unwrap_or_default();
    let mut found: Vec<Snapshot> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    found.sort_by_key(|snapshot| snapshot.at);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_snapshot_is_found_with_its_tenant_and_its_time_and_a_torn_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        let bodies = [json!({"client_id": "a"}).as_object().unwrap().clone()];
        let domain = Domain::parse("acme.eu.auth0.com").unwrap();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let first = keep(&state, &bodies, (&domain, "clients"), (at(20), at(21), true)).unwrap();
        let torn = std::fs::read_to_string(state.snapshots()).unwrap() + "{\"digest\": \"x\n";
        atomic::write(&state.snapshots(), |out| out.write_all(torn.as_bytes())).unwrap();
        keep(&state, &[], (&domain, "clients"), (at(10), at(10), false)).unwrap();
        let found = list(&state).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.at.as_second(), one.whole)).collect();
        assert_eq!(told, [(10, false), (20, true)]);
        assert_eq!(bases::find(&state, &found[1].digest, "client_id").unwrap().unwrap().len(), 1);
        assert_eq!(found[1].digest, first);
    }
}
