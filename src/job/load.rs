//! From the bytes of a job file to a [`Job`], whichever of its forms it has.

use sha2::{Digest, Sha256};

use super::{Input, Job, check, csv, json, toml};
use crate::catalogue::Kind;
use crate::model::{Body, EntityId, Problem};

/// Bodies that `get` fetched earlier, by the digest it wrote into its file.
pub trait Bases {
    /// The client's body as fetched then; `None` where this digest, or this client in it, is not known here.
    ///
    /// # Errors
    /// Where the stored file cannot be read.
    fn find(&self, digest: &str, id: &EntityId) -> Result<Option<Body>, String>;
}

/// How to read a job.
#[derive(Clone, Copy)]
pub struct LoadOptions<'o> {
    /// Which kind of object it is about.
    pub kind: &'static Kind,
    /// Where the bodies that `get` fetched are kept.
    pub bases: &'o dyn Bases,
    /// Whether a file of several clients may be compared with the live state for want of a base (`--no-base`).
    pub without_base: bool,
}

/// The form a job file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Toml,
    Csv,
    Json,
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
        Form::Json => json::read(input, options)?,
    };
    let conflicts = check::contradictions(&job);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    job.digest = hex(&Sha256::digest(input.bytes));
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
        _ => form_of_content(input.bytes),
    }
}

fn form_of_content(bytes: &[u8]) -> Form {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // `[` opens a JSON array or a TOML table; only JSON goes on with a value.
    let array = text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
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
