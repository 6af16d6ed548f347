//! A `patchwave.toml` of the simulated tenants, with their secrets in files beside it, as a real one would have them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use crate::sandbox::Sandbox;
use crate::store::atomic;

const FILE: &str = "patchwave.toml";
const SECRETS: &str = "secrets";
/// Where the private key is expected of tenants whose client signs in by one.
pub(super) const KEY_VARIABLE: &str = "SANDBOX_PRIVATE_KEY";
/// What a file begins with that may be overwritten: somebody's own never is.
const FIRST_LINE: &str =
    "# Written by `patchwave sandbox`: simulated tenants of this machine, there as long as it serves.";

/// Finds out before anything is started whether the configuration can be written.
pub(super) fn check(folder: &Path) -> Result<(), CliError> {
    let path = folder.join(FILE);
    match atomic::read(&path)? {
        Some(text) if !text.starts_with(FIRST_LINE) => Err(CliError::usage(format!(
            "--write-config {}: {} was not written by a sandbox, and is not overwritten; name another folder",
            folder.display(),
            path.display()
        ))),
        None if folder.join(SECRETS).exists() => Err(CliError::usage(format!(
            "--write-config {}: it has a folder `{SECRETS}` that no sandbox wrote; name another folder",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// Writes it, and tells where it is.
pub(super) fn write(folder: &Path, sandbox: &Sandbox) -> Result<PathBuf, CliError> {
    atomic::make_folder(&folder.join(SECRETS))?;
    let tenants = sandbox.tenants();
    let width = tenants.len().to_string().len();
    let mut text = format!("{FIRST_LINE}\n");
    let mut names = Vec::new();
    for (number, tenant) in (1..).zip(tenants) {
        let name = format!("sandbox-{number:0width$}");
        let proof = if tenant.wants_key() {
            // Its private half was never seen here.
            format!("private_key = {{ env = \"{KEY_VARIABLE}\" }}")
        } else {
            let secret = tenant.client_secret().expose();
            atomic::write(&folder.join(SECRETS).join(&name), |out| writeln!(out, "{secret}"))?;
            format!("client_secret = {{ file = \"{SECRETS}/{name}\" }}")
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[tenants.{name}]\ndomain = \"{}\"\nclient_id = \"{}\"\n{proof}\n",
            tenant.domain().base_url(),
            tenant.client_id(),
        );
        names.push(format!("\"{name}\""));
    }
    let _ = write!(text, "\n[groups]\nall = [{}]\n", names.join(", "));
    let path = folder.join(FILE);
    atomic::write(&path, |out| out.write_all(text.as_bytes()))?;
    Ok(path)
}
