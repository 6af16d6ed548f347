//! From the bytes of a job file to a [`Job`], whichever of its forms it has.

use std::path::PathBuf;
use std::sync::Arc;

use encoding_rs::Encoding;
use sha2::{Digest, Sha256};

use super::{Input, Job, check, csv, json, toml};
use crate::catalogue::{Kind, Kinds};
use crate::model::{Body, EntityId, Problem};

/// Bodies that `get` fetched earlier, by the digest it wrote into its file.
pub trait Bases {
    /// The client's body as fetched then; `None` where this digest, or this client in it, is not known here.
    ///
    /// # Errors
    /// Where the stored file cannot be read.
    fn find(&self, kind: &Kind, digest: &str, id: &EntityId) -> Result<Option<Arc<Body>>, String>;
}

/// Files that a job names.
pub trait Files {
    /// The content of a file whose path is relative to the job file.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The absolute path of such a file, whether or not it is there.
    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// How to read a job.
#[derive(Clone, Copy)]
pub struct LoadOptions<'o> {
    /// The kinds that there are.
    pub kinds: &'o Kinds,
    /// Which kind of object it is about, where it does not say.
    pub kind: &'static Kind,
    /// Where the bodies that `get` fetched are kept.
    pub bases: &'o dyn Bases,
    /// Where the files are that `rows` names.
    pub files: &'o dyn Files,
    /// Whether a file of several clients may be compared with the live state for want of a base (`--no-base`).
    pub without_base: bool,
    /// Columns of CSV files that mean nothing (`--ignore-column`).
    pub ignored_columns: &'o [String],
    /// The encoding of CSV files, where it is none that a byte-order mark tells, nor UTF-8 (`--encoding`).
    pub encoding: Option<&'static Encoding>,
}

/// The form a job file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Toml,
    Csv,
    Json,
    /// An object a line.
    JsonLines,
}

/// Reads and validates a job.
///
/// # Errors
/// All that is wrong with the file, in the order of the file.
pub fn load(input: Input<'_>, options: LoadOptions<'_>) -> Result<Job, Vec<Problem>> {
    if input.bytes.starts_with(b"PK\x03\x04") {
        let what = format!("{} is a spreadsheet's own file, not text", input.name);
        return Err(vec![Problem::new(what).help("save it as CSV (in Excel: \"CSV UTF-8\")")]);
    }
    let mut job = match form_of(input) {
        Form::Toml => toml::read(input, options)?,
        Form::Csv => csv::read(input, options)?,
        Form::Json => json::read(input, options, false)?,
        Form::JsonLines => json::read(input, options, true)?,
    };
    let conflicts = check::across(&job.updates);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    // The readers leave the digests of further files there.
    job.digest = hex(&Sha256::new().chain_update(input.bytes).chain_update(&job.digest).finalize());
    Ok(job)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The extension says it; where there is none (standard input), the content does.
fn form_of(input: Input<'_>) -> Form {
    let extension = input.name.rsplit_once('.').map(|(_, ext)| ext.to_ascii_lowercase());
    match extension.as_deref() {
        Some("toml") => Form::Toml,
        Some("csv" | "tsv" | "txt") => Form::Csv,
        Some("json") => Form::Json,
        Some("jsonl" | "ndjson") => Form::JsonLines,
        _ => form_of_content(input.bytes),
    }
}

fn form_of_content(bytes: &[u8]) -> Form {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // `[` opens a JSON array or a TOML table; only JSON goes on with a value.
    let array = text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
    // Several lines that are each a whole object.
    let first_line = text.lines().next().unwrap_or_default();
    let more = text.lines().skip(1).any(|line| line.starts_with('{'));
    if text.starts_with('{') && more && first_line.trim_end().ends_with('}') {
        return Form::JsonLines;
    }
    if text.starts_with('{') || array {
        return Form::Json;
    }
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    match first {
        Some(line) if line.trim_start().starts_with('[') || line.contains('=') && !line.contains("sep=") => {
            Form::Toml
        }
        _ => Form::Csv,
    }
}

/// The text of a UTF-8 job file, without a byte-order mark.
pub(super) fn utf8<'i>(input: Input<'i>) -> Result<&'i str, Vec<Problem>> {
    let bytes = input.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input.bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        vec![
            Problem::new(format!("{} is not UTF-8 text: line {line} has a byte that cannot be", input.name))
                .help("save the file as UTF-8 in your editor"),
        ]
    })
}

/// What is said of a file of `get` whose base is not kept here: an error where it has several clients, since what was edited
/// cannot be told from what others changed; else a warning.
pub(super) fn no_base(file: &str, refused: bool) -> Problem {
    let names = format!("the state that `get` fetched for {file} is not kept here");
    if refused {
        let what = format!("{names}: what was edited cannot be told from what others changed since");
        Problem::new(what).help(
            "use the machine and state directory that `get` ran with, or fetch the file again; \
             with --no-base every field in the file that differs from the tenant is written",
        )
    } else {
        let what =
            format!("{names}: it is compared with the live state, and every field that differs is a change");
        Problem::new(what).warning()
    }
}

/// The file's name without folders and extension: names the run where the job does not.
pub(super) fn stem(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    if matches!(stem, "" | "-") { "job".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_told_apart_by_its_content() {
        for (text, form) in [
            ("{\"client_id\": \"a\"}", Form::Json),
            (" [ {\"client_id\": \"a\"} ]", Form::Json),
            ("{\"client_id\": \"a\"}\n{\"client_id\": \"b\"}\n", Form::JsonLines),
            ("[vars]\nx = 1", Form::Toml),
            ("[[update]]", Form::Toml),
            ("# a comment\nname = \"x\"", Form::Toml),
            ("client_id,name\n", Form::Csv),
            ("sep=;\nclient_id;name\n", Form::Csv),
        ] {
            assert_eq!(form_of(Input { name: "-", bytes: text.as_bytes() }), form, "{text}");
        }
    }

    #[test]
    fn a_run_is_named_after_the_file() {
        assert_eq!(stem("jobs/eu-rename.toml"), "eu-rename");
        assert_eq!(stem("-"), "job");
    }
}
