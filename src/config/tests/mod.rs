//! What a user can rely on about credentials and configuration, a file for each promise.

use std::path::Path;

use super::env::Environment;
use super::file::{self, Config};
use crate::model::Problem;

mod dotenv;
mod leaks;
mod matrix;
mod secrets;
mod select;
mod toml;

/// An environment from `NAME=value` words, and a `.env` file's text.
fn environment(real: &str, env_file: &str) -> Environment {
    with_file(real, env_file).unwrap()
}

fn with_file(real: &str, env_file: &str) -> Result<Environment, Vec<Problem>> {
    let pair = |word: &str| {
        let (name, value) = word.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    Environment::new(real.split_whitespace().map(pair)).with_file(".env", env_file)
}

fn config(text: &str) -> Result<Config, Vec<Problem>> {
    file::parse("patchwave.toml", text, Path::new("/etc/patchwave"))
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn put(path: &Path, text: &[u8]) {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, text).unwrap();
}
