//! Where things are kept.

use std::path::{Path, PathBuf};

use super::{StoreError, atomic};

/// The state directory. The sandbox has one of its own inside it, so that rehearsals never mix with real runs.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Finds it: `--state-dir`, else `$XDG_STATE_HOME/patchwave`, else `~/.local/state/patchwave`. `None` where
    /// neither is known.
    pub fn find(flag: Option<&Path>, xdg_state_home: Option<&str>, home: Option<&str>) -> Option<Self> {
        let absolute = |text: &&str| Path::new(text).is_absolute();
        let root = match (flag, xdg_state_home.filter(absolute), home.filter(|h| !h.is_empty())) {
            (Some(flag), _, _) => flag.to_owned(),
            (None, Some(xdg), _) => Path::new(xdg).join("patchwave"),
            (None, None, Some(home)) => Path::new(home).join(".local/state/patchwave"),
            (None, None, None) => return None,
        };
        Some(Self { root })
    }

    /// The part of it that runs against the embedded sandbox use.
    #[must_use]
    pub fn sandbox(&self) -> Self {
        Self { root: self.root.join("sandbox") }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Run directories, and nothing else.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Tenants' locks.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// Bodies as `get` fetched them.
    pub fn bases(&self) -> PathBuf {
        self.root.join("bases")
    }

    /// Which change sets went to which tenants.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.jsonl")
    }

    /// When which tenant was read as a whole.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots.jsonl")
    }

    /// What was learned of tenants' rate limits.
    pub fn paces(&self) -> PathBuf {
        self.root.join("paces.json")
    }

    /// Makes the folder and proves that it can be written, before anything depends on it.
    ///
    /// # Errors
    /// Where it cannot be made or written.
    pub fn prepare(&self) -> Result<(), StoreError> {
        atomic::make_folder(&self.root)?;
        tempfile::tempfile_in(&self.root).map(drop).map_err(StoreError::new("write in", &self.root))
    }
}
