//! Prints the catalogue's data for one kind of object, from Auth0's published OpenAPI document.
//!
//! `cargo run --example generate-catalogue -- openapi.json > src/catalogue/kinds/clients.json`
//!
//! The same document gives the same bytes. What the document does not say is in the kind's overlay, which this never touches.

use std::io::Write;
use std::process::ExitCode;

use serde_json::Value;

mod openapi;
mod surface;
mod union;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let (path, kind) = match arguments {
        [path] => (path, "clients"),
        [path, kind] => (path, kind.as_str()),
        _ => return Err("usage: generate-catalogue OPENAPI.json [KIND]".to_owned()),
    };
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| format!("{path} is not JSON: {error}"))?;
    surface::catalogue(&document, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_catalogue_is_what_the_document_gives() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let document = root.join("../shared/reference/auth0-management-api.openapi.json");
        if !document.exists() {
            println!("skipped: no OpenAPI document at {}", document.display());
            return;
        }
        // Every file, so that a kind that is at the path of its name needs no line here.
        let files = std::fs::read_dir(root.join("src/catalogue/kinds")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|end| end == "json")) {
            let kind = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let generated = run(&[document.display().to_string(), kind]).unwrap();
            let committed = std::fs::read_to_string(&file).unwrap();
            assert!(generated == committed, "{} is stale: generate it again", file.display());
        }
    }

    #[test]
    fn an_unknown_kind_and_a_missing_file_are_told_apart() {
        assert!(run(&["/no/such/file.json".to_owned()]).unwrap_err().contains("cannot read"));
        assert!(run(&[]).unwrap_err().contains("usage"));
    }
}
