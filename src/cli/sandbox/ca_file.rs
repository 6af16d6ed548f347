//! The file that tells others whom to trust: the certificate of the certificate authority behind a sandbox's TLS. Central type: [`CaFile`].

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::super::error::CliError;
use crate::store::atomic;

/// Its name where none was asked for.
const NAME: &str = "ca.pem";
/// What a file begins with that may be overwritten. Readers of PEM skip what stands before a certificate.
const FIRST_LINE: &str =
    "# Written by `patchwave sandbox`: whoever trusts this trusts the simulated tenants of one sandbox.";
/// Who reads which: patchwave, OpenSSL and most languages; Node; Python's requests.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"];

/// Where the certificate is to be, or is.
pub(super) struct CaFile {
    path: PathBuf,
    /// Goes with the sandbox where nobody said where the file should be.
    _temporary: Option<TempDir>,
}

impl CaFile {
    /// Decides on a place, and finds out before anything is started whether the file can be written there: the one asked
    /// for, else beside a written configuration, else a temporary folder.
    pub(super) fn at(asked: Option<&Path>, config_folder: Option<&Path>) -> Result<Self, CliError> {
        let (path, temporary) = match (asked, config_folder) {
            (Some(path), _) => (path.to_owned(), None),
            (None, Some(folder)) => (folder.join(NAME), None),
            (None, None) => {
                let folder = tempfile::Builder::new().prefix("patchwave-sandbox-").tempdir();
                let folder = folder.map_err(|error| {
                    CliError::setup(format!(
                        "no temporary folder for {NAME}: {error}; name a place with --ca-file"
                    ))
                })?;
                (folder.path().join(NAME), Some(folder))
            }
        };
        let path = std::path::absolute(&path)
            .map_err(|error| CliError::usage(format!("--ca-file {}: {error}", path.display())))?;
        check(&path)?;
        if asked.is_some() {
            atomic::can_write(&path)?;
        }
        Ok(Self { path, _temporary: temporary })
    }

    /// Writes it.
    pub(super) fn write(&self, authority: &str) -> Result<(), CliError> {
        Ok(atomic::write(&self.path, |out| write!(out, "{FIRST_LINE}\n{authority}"))?)
    }

    /// Where it is, from the root.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The environment lines that make others trust it, ready for a shell.
    pub(super) fn lines(&self) -> String {
        let path = quoted(&self.path.to_string_lossy());
        VARIABLES.map(|name| format!("export {name}={path}")).join("\n")
    }
}

/// A flag of this name gives other tools a certificate to read: what somebody else has written stays.
fn check(path: &Path) -> Result<(), CliError> {
    match atomic::read(path)? {
        Some(text) if !text.starts_with(FIRST_LINE) => Err(CliError::usage(format!(
            "--ca-file {}: it was not written by a sandbox, and is not overwritten; name another file. \
             The sandbox makes an authority of its own and writes its certificate there",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_whatever_is_in_it() {
        assert_eq!(quoted("/tmp/ca.pem"), "/tmp/ca.pem");
        assert_eq!(quoted("/tmp/it's a $folder"), r"'/tmp/it'\''s a $folder'");
    }
}
