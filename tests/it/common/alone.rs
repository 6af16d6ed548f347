//! Reading a job that stands alone: nothing was fetched earlier, and no file is beside it.

use std::sync::Arc;

use patchwave::catalogue::{self, Kind, Kinds};
use patchwave::job::{Bases, Files, LoadOptions};
use patchwave::model::{Body, EntityId};

struct Alone;

impl Bases for Alone {
    fn find(&self, _kind: &Kind, _digest: &str, _id: &EntityId) -> Result<Option<Arc<Body>>, String> {
        Ok(None)
    }
}

impl Files for Alone {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }
}

/// Options of such a job.
pub(crate) fn alone() -> LoadOptions<'static> {
    LoadOptions {
        kinds: Kinds::built_in(),
        kind: catalogue::default_kind(),
        bases: &Alone,
        files: &Alone,
        without_base: false,
        ignored_columns: &[],
        encoding: None,
    }
}
