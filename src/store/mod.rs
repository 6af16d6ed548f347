//! The state directory: what outlives a run. Central types: [`StateDir`], [`RunDir`], [`Journal`] and [`Lock`]. Uses `model`.
//!
//! Files are whole or absent ([`atomic`]), readable by their owner alone, and a run directory appears under `runs/`
//! by a rename, only once its plan is whole.

pub mod atomic;
pub mod bases;
pub mod history;
pub mod journal;
pub mod layout;
pub mod ledger;
pub mod lock;
pub mod paces;
pub mod runs;
pub mod snapshots;

pub use history::RunGlance;
pub use journal::{Append, Journal, JournalError};
pub use layout::StateDir;
pub use lock::{Holder, Lock};
pub use runs::RunDir;

/// What went wrong with a file of the state directory.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {path}: {cause}")]
pub struct StoreError {
    /// What was being done: `write`, `read`, `create`.
    pub verb: &'static str,
    /// To which file.
    pub path: String,
    /// What the operating system says.
    pub cause: std::io::Error,
}

impl StoreError {
    /// Puts an I/O error into its context.
    pub(crate) fn new(verb: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |cause| Self { verb, path, cause }
    }
}
