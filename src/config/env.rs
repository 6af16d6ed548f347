//! Environment variables, each with where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::model::{Problem, Secret};

use super::dotenv;

/// The environment of this process. Names and values that are not Unicode are left out: nothing here could use them.
///
/// The one place that reads it; everything else takes an [`Environment`].
pub fn process_environment() -> impl Iterator<Item = (String, String)> {
    // `vars` would panic on a value that is not Unicode.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Where a variable was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the environment of the process.
    Environment,
    /// In a `.env` file: its name as shown to people, and the line, from 1.
    EnvFile(Arc<str>, usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::EnvFile(file, line) => write!(f, "{file}:{line}"),
        }
    }
}

/// A variable's value and origin. The value may be a secret: it shows in neither `Debug` nor any error.
#[derive(Debug, Clone)]
pub struct Var {
    value: Secret,
    /// Where it was set.
    pub origin: Origin,
}

impl Var {
    pub(super) fn new(value: String, origin: Origin) -> Self {
        Self { value: Secret::new(value), origin }
    }

    /// The value without blanks and line ends around it, which copying and mounted secrets leave behind.
    pub fn expose(&self) -> &str {
        self.value.expose().trim()
    }
}

/// Which of the two sources of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Environment,
    EnvFile,
}

/// The variables of the process and of a `.env` file. The process wins, variable by variable; an empty value is as good as none.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    real: BTreeMap<String, Var>,
    file: BTreeMap<String, Var>,
    file_name: Option<Arc<str>>,
}

impl Environment {
    /// Takes the variables of the process (`real`), and those of `env_file`, else of `.env` in `cwd` where there is one.
    ///
    /// # Errors
    /// Where the file was named and is missing, cannot be read, or has lines that mean nothing: all of them, without their values.
    pub fn read(
        env_file: Option<&Path>,
        cwd: &Path,
        real: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Problem>> {
        let found = dotenv::find(env_file, cwd).map_err(|problem| vec![problem])?;
        match found {
            None => Ok(Self::new(real)),
            Some((name, text)) => Self::new(real).with_file(&name, &text),
        }
    }

    /// The variables of the process alone.
    pub fn new(real: impl Iterator<Item = (String, String)>) -> Self {
        let var = |(name, value)| (name, Var::new(value, Origin::Environment));
        Self { real: real.map(var).collect(), ..Self::default() }
    }

    pub(super) fn with_file(mut self, name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        self.file = dotenv::parse(name, text)?;
        self.file_name = Some(Arc::from(name));
        Ok(self)
    }

    /// A variable from wherever it is set.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.at(Place::Environment, name).or_else(|| self.at(Place::EnvFile, name))
    }

    /// The value that an environment variable has for a flag: `PATCHWAVE_RATE` for `rate`.
    /// Flags that disarm a guard have none, so that nothing left lying in an environment can disarm it.
    pub fn flag(&self, flag: &str) -> Option<&Var> {
        let disarms = ["yes", "force", "on-conflict", "confirm-tenant", "no-base", "no-before"];
        if disarms.contains(&flag) || flag.starts_with("allow-") {
            return None;
        }
        self.get(&format!("PATCHWAVE_{}", flag.to_uppercase().replace('-', "_")))
    }

    pub(super) fn at(&self, place: Place, name: &str) -> Option<&Var> {
        let vars = match place {
            Place::Environment => &self.real,
            Place::EnvFile => &self.file,
        };
        vars.get(name).filter(|var| !var.expose().is_empty())
    }

    /// What a place is called before people.
    pub(super) fn place_name(&self, place: Place) -> &str {
        match place {
            Place::Environment => "environment",
            Place::EnvFile => self.file_name.as_deref().unwrap_or(".env"),
        }
    }

    /// All names that are set, for near misses.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.real.keys().chain(self.file.keys()).map(String::as_str)
    }
}
