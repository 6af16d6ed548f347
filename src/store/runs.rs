//! Run directories: `runs/<run-id>/` with `plan.jsonl`, `journal.jsonl`, `results.csv`, `summary.json`,
//! `changeset.toml`.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Append, Journal, StateDir, StoreError, atomic};
use crate::model::{Entry, RunId};

/// What the name of a directory begins with that is not a run yet. A process that was killed may leave one.
pub(super) const DRAFT: &str = ".new-run-";

/// The directory of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

/// An id that sorts by time: `20261124-014231-417k3f`, with milliseconds. `random` tells runs of the same instant apart.
pub fn new_id(now: Timestamp, random: u32) -> RunId {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let suffix: String = (0..3).map(|at| char::from(LETTERS[(random >> (at * 5)) as usize % 32])).collect();
    RunId::new(format!("{}-{:03}{suffix}", now.strftime("%Y%m%d-%H%M%S"), now.subsec_millisecond()))
}

impl RunDir {
    /// Makes the directory of a new run with its plan and the first line of its journal, whole: it is built beside `runs/`
    /// and appears there by a rename.
    ///
    /// # Errors
    /// Where the state directory cannot be written.
    pub fn create(
        state: &StateDir,
        id: &RunId,
        plan: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
        started: &Entry,
    ) -> Result<(Self, Journal), StoreError> {
        let runs = state.runs();
        atomic::make_folder(&runs)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let draft = builder
            .prefix(DRAFT)
            .tempdir_in(state.root())
            .map_err(StoreError::new("create a folder in", state.root()))?;
        let drafted = Self { path: draft.path().to_owned() };
        atomic::write(&drafted.plan(), plan)?;
        let mut journal = Journal::create(&drafted.journal())?;
        journal.append(std::slice::from_ref(started))?;
        let path = runs.join(id.as_str());
        let placed = atomic::sync_folder(draft.path())
            .and_then(|()| std::fs::rename(draft.path(), &path))
            .and_then(|()| atomic::sync_folder(&runs));
        placed.map_err(StoreError::new("create", &path))?;
        // The temporary name is gone with the rename: dropping the guard has nothing left to remove.
        let placed = Self { path };
        let journal = journal.at(placed.journal());
        Ok((placed, journal))
    }

    /// The directory of a run that is there.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan that the run executes.
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.jsonl")
    }

    /// What became of each write.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// One line per input row, tenant and client.
    pub fn results(&self) -> PathBuf {
        self.path.join("results.csv")
    }

    /// What it did, as a job for other tenants.
    pub fn changeset(&self) -> PathBuf {
        self.path.join("changeset.toml")
    }

    /// The run in numbers.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_sort_by_time_and_leave_room_for_the_row_in_a_correlation_id() {
        let id = new_id("2026-11-24T01:42:31Z".parse().unwrap(), u32::MAX);
        assert!(id.as_str().starts_with("20261124-014231-"));
        assert!(id.as_str().len() + "/u1000000".len() <= 64);
    }

    #[test]
    fn a_run_appears_only_with_its_plan_whole() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        let id = RunId::new("20261124-014231-aaaa");
        let started = Entry::Resumed { at: Timestamp::UNIX_EPOCH };
        RunDir::create(&state, &id, |_| Err(std::io::Error::other("disk full")), &started).unwrap_err();
        assert_eq!(std::fs::read_dir(state.runs()).unwrap().count(), 0);
        let (run, _) = RunDir::create(&state, &id, |out| out.write_all(b"{}\n"), &started).unwrap();
        assert!(run.plan().exists() && run.journal().exists());
        assert_eq!(std::fs::read_dir(state.root()).unwrap().count(), 1, "no draft is left beside runs/");
    }
}
