//! What the flags mean for every verb that looks at the state directory or a job.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use super::error::CliError;
use super::output::Output;
use crate::catalogue;
use crate::config::Environment;
use crate::job::{self, Bases, Input, Job, LoadOptions};
use crate::model::{Body, EntityId, Problem};
use crate::report::problems;
use crate::store::{StateDir, bases};

/// Finds the state directory.
pub(super) fn state_dir(flag: Option<&Path>, env: &Environment) -> Result<StateDir, CliError> {
    let var = |name| env.get(name).map(|var| var.expose());
    StateDir::find(flag, var("XDG_STATE_HOME"), var("HOME"))
        .ok_or_else(|| CliError::setup("there is no place to keep runs: neither HOME nor XDG_STATE_HOME is set; name one with --state-dir DIR"))
}

/// Reads a whole job file; `-` is standard input.
fn read_job(name: &str) -> Result<Vec<u8>, Problem> {
    let read = if name == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(name)
    };
    read.map_err(|error| Problem::new(format!("cannot read the job {name}: {error}")))
}

/// Reads and validates a job, and prints its warnings.
pub(super) fn load_job(
    name: &str,
    state: &StateDir,
    no_base: bool,
    output: &Output,
) -> Result<Job, CliError> {
    read_checked(name, state, no_base, output)
        .map_err(|problems| CliError::job(problems, format!("patchwave check {name}")))
}

/// The same, with the mistakes for the caller to tell.
pub(super) fn read_checked(
    name: &str,
    state: &StateDir,
    no_base: bool,
    output: &Output,
) -> Result<Job, Vec<Problem>> {
    let bytes = read_job(name).map_err(|problem| vec![problem])?;
    let kind = catalogue::default_kind();
    let bases = Kept { state, id_field: &kind.endpoint.id_field, cache: Mutex::default() };
    let options = LoadOptions { kind, bases: &bases, without_base: no_base };
    let job = job::load(Input { name, bytes: &bytes }, options);
    if let Some(warnings) = job.as_ref().ok().map(|job| &job.warnings).filter(|warnings| !warnings.is_empty())
    {
        output.note(&problems::render(warnings));
    }
    job
}

/// What `get` fetched, read from the state directory once per file.
struct Kept<'k> {
    state: &'k StateDir,
    id_field: &'k str,
    cache: Mutex<HashMap<String, Option<HashMap<EntityId, Body>>>>,
}

impl Bases for Kept<'_> {
    fn find(&self, digest: &str, id: &EntityId) -> Result<Option<Body>, String> {
        let mut cache = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !cache.contains_key(digest) {
            let bodies = bases::find(self.state, digest, self.id_field).map_err(|error| error.to_string())?;
            cache.insert(digest.to_owned(), bodies);
        }
        Ok(cache.get(digest).and_then(Option::as_ref).and_then(|bodies| bodies.get(id)).cloned())
    }
}
