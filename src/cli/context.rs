//! What the flags mean for every verb that looks at the state directory or a job.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::args::ReadArgs;
use super::error::CliError;
use super::output::{self, Output};
use crate::catalogue::load::unknown_kind;
use crate::catalogue::{self, Kind, Kinds};
use crate::config::Environment;
use crate::job::{self, Bases, Expression, Files, Input, Job, LoadOptions};
use crate::model::{Body, EntityId, FieldPath, Problem, SourceFile};
use crate::report::problems;
use crate::store::{StateDir, bases};

/// Finds the state directory.
pub(super) fn state_dir(flag: Option<&Path>, env: &Environment) -> Result<StateDir, CliError> {
    let var = |name| env.get(name).map(|var| var.expose());
    StateDir::find(flag, var("XDG_STATE_HOME"), var("HOME"))
        .ok_or_else(|| CliError::setup("there is no place to keep runs: neither HOME nor XDG_STATE_HOME is set; name one with --state-dir DIR"))
}

/// Reads a whole job file; `-` is standard input.
pub(super) fn read_job(name: &str) -> Result<Vec<u8>, Problem> {
    let read = if name == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(name)
    };
    read.map_err(|error| {
        let folder = Path::new(name).is_dir().then(|| format!("name the files in it, as in {name}/*.toml"));
        Problem::new(format!("cannot read the job {name}: {error}")).maybe_help(folder)
    })
}

/// How a job is to be read.
pub(super) struct Reading<'r> {
    pub(super) state: &'r StateDir,
    pub(super) args: &'r ReadArgs,
    /// Paths that the configuration lets through beside those of the flags.
    pub(super) extra_fields: &'r [String],
}

impl Reading<'_> {
    /// Reads and validates a job, and prints its warnings.
    pub(super) fn job(&self, name: &str, bytes: &[u8], output: &Output) -> Result<Job, CliError> {
        self.checked(name, bytes, output)
            .map_err(|problems| CliError::job(problems, output::check_line(name)))
    }

    /// The same, with the mistakes for the caller to tell.
    pub(super) fn checked(&self, name: &str, bytes: &[u8], output: &Output) -> Result<Job, Vec<Problem>> {
        let kinds = kinds_with(self.args.allow_field.iter().chain(self.extra_fields))?;
        let kind = kind_named(&kinds, self.args.kind.as_deref())?;
        let bases = Kept { state: self.state, cache: Mutex::default() };
        let files = Beside { job: Path::new(name) };
        let options = LoadOptions {
            kinds: &kinds,
            kind,
            bases: &bases,
            files: &files,
            without_base: self.args.no_base,
            ignored_columns: &self.args.ignore_column,
            encoding: self.args.encoding,
        };
        let job = job::load(Input { name, bytes }, options);
        let warnings = job.as_ref().ok().map(|job| &job.warnings).filter(|warnings| !warnings.is_empty());
        if let Some(warnings) = warnings {
            output.note(&problems::render(warnings));
        }
        job
    }
}

/// The kind that `--kind` names.
fn kind_named(kinds: &Kinds, name: Option<&str>) -> Result<&'static Kind, Vec<Problem>> {
    let Some(name) = name else { return Ok(kinds.default_kind()) };
    let unknown = || {
        let (what, help) = unknown_kind(name).unwrap_or_default();
        vec![Problem::new(format!("--kind: {what}")).help(help)]
    };
    catalogue::kind(name).map(|kind| kinds.get(kind.name)).ok_or_else(unknown)
}

/// The kinds, with fields that the user lets through.
fn kinds_with<'p>(paths: impl Iterator<Item = &'p String>) -> Result<Kinds, Vec<Problem>> {
    let mut extra = Vec::new();
    for text in paths {
        let path = text.parse::<FieldPath>();
        let wrong = |error| vec![Problem::new(format!("--allow-field (or extra_fields): `{text}` {error}"))];
        extra.push(path.map_err(wrong)?);
    }
    Kinds::with_extra_fields(&extra).map_err(|path| {
        let what = format!(
            "--allow-field (or extra_fields): `{path}` cannot be a field: what it stands in is no object"
        );
        vec![Problem::new(what)]
    })
}

/// Files that a job names, found beside it; those of a job on standard input in the current directory.
struct Beside<'b> {
    job: &'b Path,
}

impl Beside<'_> {
    fn beside(&self, path: &str) -> PathBuf {
        let folder = self.job.parent().filter(|_| self.job != Path::new("-")).unwrap_or(Path::new(""));
        folder.join(path)
    }
}

/// The absolute path of a file that a job names.
pub(super) fn path_beside(job: &str, path: &str) -> PathBuf {
    Beside { job: Path::new(job) }.path(path)
}

impl Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.beside(path)).map_err(|error| error.to_string())
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.beside(path);
        std::path::absolute(&path).unwrap_or(path)
    }
}

/// Compiles an expression of the command line.
pub(super) fn expression(flag: &str, text: &str, kind: &Kind) -> Result<Expression, CliError> {
    Expression::parse(text, kind).map_err(|wrong| {
        let file = SourceFile::new(flag, text);
        let problem =
            |one: job::template::Wrong| Problem::new(one.what).at(&file, one.at).maybe_help(one.help);
        CliError::usage(format!("{flag} cannot be understood"))
            .next(output::command_line())
            .with(wrong.into_iter().map(problem).collect())
    })
}

/// The clients of one fetch.
type Fetched = HashMap<EntityId, Arc<Body>>;

/// What `get` fetched, read from the state directory once per file.
struct Kept<'k> {
    state: &'k StateDir,
    cache: Mutex<HashMap<String, Option<Fetched>>>,
}

impl Bases for Kept<'_> {
    fn find(&self, kind: &Kind, digest: &str, id: &EntityId) -> Result<Option<Arc<Body>>, String> {
        let mut cache = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !cache.contains_key(digest) {
            let bodies = bases::find(self.state, digest, &kind.endpoint.id_field)
                .map_err(|error| error.to_string())?;
            let shared =
                bodies.map(|bodies| bodies.into_iter().map(|(id, body)| (id, Arc::new(body))).collect());
            cache.insert(digest.to_owned(), shared);
        }
        Ok(cache.get(digest).and_then(Option::as_ref).and_then(|bodies| bodies.get(id)).cloned())
    }
}
