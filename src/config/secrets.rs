//! Where a secret is kept, and fetching it from there when it is needed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::model::suggest::nearest;
use crate::model::{Problem, Secret, SigningAlgorithm, TenantName};

use super::env::Environment;
use super::select::Selected;

/// How long a secret's command may take. Password managers ask a person or a network, which takes seconds.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// What a [`SecretError`] calls a key.
const PRIVATE_KEY: &str = "private key";
/// What is no path, whatever follows.
const PEM_BEGINS: &str = "-----BEGIN";
/// No secret or token is near this size; what is larger is the wrong file.
const SIZE_LIMIT: u64 = 64 * 1024;

/// Where a secret is kept.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// It was given by a variable of the credential set from the environment.
    Given(Secret),
    /// In a variable of the credential set from the environment: itself, or the path of a file that holds it. Which of the two
    /// is seen when it is fetched; until then nothing of it is shown.
    TextOrPath {
        /// The variable's name.
        variable: &'static str,
        /// What it holds.
        value: Secret,
    },
    /// In a variable (of the process, or of the `.env` file).
    Env(String),
    /// In a file.
    File(PathBuf),
    /// On the standard output of a command, run by `sh -c` (`cmd /C` on Windows), in the current directory.
    Command(String),
}

impl SecretSource {
    /// Whether both are one variable or one file.
    pub fn is_the_place_of(&self, other: &Self) -> bool {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        match (self, other) {
            (Self::Env(a), Self::Env(b)) => a == b,
            (Self::File(a), Self::File(b)) => real(a) == real(b),
            (Self::TextOrPath { value, .. }, Self::File(b)) => real(Path::new(value.expose())) == real(b),
            _ => false,
        }
    }
}

impl CredentialSource {
    /// Where the secret of it is kept.
    pub fn place(&self) -> &SecretSource {
        match self {
            Self::Client { secret, .. } => secret,
            Self::Key { key, .. } => key,
            Self::Token(token) => token,
        }
    }
}

impl PartialEq for SecretSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(a), Self::Given(b)) => a.expose() == b.expose(),
            (Self::TextOrPath { variable: a, value: x }, Self::TextOrPath { variable: b, value: y }) => {
                a == b && x.expose() == y.expose()
            }
            (Self::Env(a), Self::Env(b)) | (Self::Command(a), Self::Command(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            _ => false,
        }
    }
}

/// How access to a tenant is had, its secret not fetched yet.
#[derive(Debug, Clone, PartialEq)]
pub enum CredentialSource {
    /// A machine-to-machine application, which is given tokens.
    Client {
        /// Its id.
        client_id: String,
        /// Where its secret is.
        secret: SecretSource,
    },
    /// The same, with a key that signs in place of a secret.
    Key {
        /// Its id.
        client_id: String,
        /// Where its private key is.
        key: SecretSource,
        /// What the key signs by.
        algorithm: SigningAlgorithm,
        /// How the tenant calls the key, where it was told a name (`kid`).
        key_id: Option<String>,
    },
    /// A token that is ready for use.
    Token(SecretSource),
}

/// How access to a tenant is had.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A machine-to-machine application, which is given tokens.
    Client {
        /// Its id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// The same, with a key that signs in place of a secret.
    Key {
        /// Its id.
        client_id: String,
        /// Its private key, as it was found: what is in it has not been looked at.
        key: Secret,
        /// What the key signs by.
        algorithm: SigningAlgorithm,
        /// How the tenant calls the key, where it was told a name (`kid`).
        key_id: Option<String>,
        /// Where it was found, in words.
        found: String,
    },
    /// A token that is ready for use.
    Token(Secret),
}

/// Why a tenant's secret could not be fetched (exit code 3). It never holds what was found there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant `{tenant}`: no {kind} from {source_text}: {cause}")]
pub struct SecretError {
    /// Whose.
    pub tenant: TenantName,
    /// `client secret`, `private key` or `token`.
    pub kind: &'static str,
    /// The source, in words.
    pub source_text: String,
    /// What happened.
    pub cause: String,
    /// What to do.
    pub help: String,
}

impl SecretError {
    /// The same, where no tenant is to be named.
    pub fn without_tenant(&self) -> String {
        format!("no {} from {}: {}", self.kind, self.source_text, self.cause)
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        Self::new(error.to_string()).help(error.help)
    }
}

/// What went wrong at a source, and what to do.
struct Failure {
    cause: String,
    help: String,
}

fn failure(cause: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure { cause: cause.into(), help: help.into() }
}

/// Fetches the secret of a selected tenant, running its command where that is its source.
///
/// # Errors
/// Where the source is missing, empty or fails, or holds what cannot be a secret.
pub async fn resolve(selected: &Selected, env: &Environment) -> Result<Credentials, SecretError> {
    let (kind, source) = match &selected.credential {
        CredentialSource::Client { secret, .. } => ("client secret", secret),
        CredentialSource::Key { key, .. } => (PRIVATE_KEY, key),
        CredentialSource::Token(token) => ("token", token),
    };
    let check = if kind == PRIVATE_KEY { check_text } else { check };
    let secret = fetch(source, env, check).await.map_err(|failure| SecretError {
        tenant: selected.tenant.clone(),
        kind,
        source_text: describe(source),
        cause: failure.cause,
        help: failure.help,
    })?;
    Ok(match &selected.credential {
        CredentialSource::Client { client_id, .. } => {
            Credentials::Client { client_id: client_id.clone(), secret }
        }
        CredentialSource::Key { client_id, algorithm, key_id, .. } => Credentials::Key {
            client_id: client_id.clone(),
            key: secret,
            algorithm: *algorithm,
            key_id: key_id.clone(),
            found: describe(source),
        },
        CredentialSource::Token(_) => Credentials::Token(secret),
    })
}

/// Fetches a secret that a tenant's client is to be given.
///
/// # Errors
/// Where the source is missing, empty or fails, or holds what cannot be a secret.
pub async fn fetch_for(
    tenant: &TenantName,
    source: &SecretSource,
    env: &Environment,
) -> Result<Secret, SecretError> {
    fetch(source, env, check_text).await.map_err(|failure| SecretError {
        tenant: tenant.clone(),
        kind: "secret",
        source_text: describe(source),
        cause: failure.cause,
        help: failure.help,
    })
}

fn describe(source: &SecretSource) -> String {
    match source {
        SecretSource::Given(_) => "the environment".to_owned(),
        SecretSource::TextOrPath { variable, .. } => format!("variable {variable}"),
        SecretSource::Env(name) => format!("variable {name}"),
        SecretSource::File(path) => format!("file {}", path.display()),
        SecretSource::Command(command) => format!("command `{command}`"),
    }
}

/// Judges what was found.
type Check = fn(&[u8]) -> Result<Secret, Failure>;

async fn fetch(source: &SecretSource, env: &Environment, check: Check) -> Result<Secret, Failure> {
    match source {
        SecretSource::Given(secret) => check(secret.expose().as_bytes()),
        SecretSource::TextOrPath { value, .. } if value.expose().contains(PEM_BEGINS) => {
            check(value.expose().as_bytes())
        }
        SecretSource::TextOrPath { value, .. } => check(&read_unnamed(value)?),
        SecretSource::Env(name) => {
            let var = env.get(name).ok_or_else(|| unset(name, env))?;
            check(var.expose().as_bytes())
        }
        SecretSource::File(path) => check(&read_file(path)?),
        SecretSource::Command(command) => check(&run(command).await?),
    }
}

/// Reads the file whose path a variable holds. The path is not shown: it may be a key that lost its first line.
fn read_unnamed(path: &Secret) -> Result<Vec<u8>, Failure> {
    read_file(Path::new(path.expose())).map_err(|failed| {
        let cause = format!("it holds no key in PEM, and the file that it names as a path: {}", failed.cause);
        failure(
            cause,
            "put the key into it, from -----BEGIN PRIVATE KEY----- to its end, or the path of its file",
        )
    })
}

fn unset(name: &str, env: &Environment) -> Failure {
    let near = nearest(name, env.names());
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    failure("it is not set, or empty", format!("set {name} in the environment or in .env{near}"))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| failure(error.to_string(), "let this user read it, or correct the path");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

async fn run(line: &str) -> Result<Vec<u8>, Failure> {
    let unusable = |error: std::io::Error| failure(error.to_string(), "correct the command");
    let mut child = shell(line).spawn().map_err(unusable)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = async { tokio::join!(read_some(stdout), read_some(stderr), child.wait()) };
    let Ok((output, complaint, status)) = tokio::time::timeout(COMMAND_LIMIT, finished).await else {
        return Err(failure(
            format!("it took longer than {} seconds and was ended", COMMAND_LIMIT.as_secs()),
            "run it by hand; it must not wait for input",
        ));
    };
    let status = status.map_err(unusable)?;
    if status.success() {
        return Ok(output);
    }
    let help = match printable(&complaint) {
        said if said.is_empty() => "run it by hand; it said nothing on standard error".to_owned(),
        said => format!("it said: {said}"),
    };
    Err(failure(format!("it ended with {status}"), help))
}

fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.args([flag, line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// Reads up to the size limit; a source that breaks off is judged by its exit status.
async fn read_some(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error stays in `bytes`.
        let _ = pipe.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

/// The end of what a command said, on one line and harmless to a terminal.
fn printable(bytes: &[u8]) -> String {
    const SHOWN: usize = 400;
    let text = String::from_utf8_lossy(bytes);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let skipped = line.chars().count().saturating_sub(SHOWN);
    line.chars().skip(skipped).collect()
}

/// Takes text as the secret. A line end behind it is no part of it.
fn check(bytes: &[u8]) -> Result<Secret, Failure> {
    let secret = check_text(bytes)?;
    if secret.expose().contains(char::is_control) {
        return Err(failure("it holds more than one line of text", "it must hold the secret alone"));
    }
    Ok(secret)
}

/// Takes a text of any number of lines, as a key has.
fn check_text(bytes: &[u8]) -> Result<Secret, Failure> {
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(failure("it holds more than 64 KiB", "name the place of the secret itself"));
    }
    let not_text = |_| failure("what it holds is not UTF-8 text", "it must hold the secret itself, as text");
    let text = std::str::from_utf8(bytes).map_err(not_text)?;
    // Some editors write a byte-order mark before everything.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(failure("it is empty", "it must hold the secret itself"));
    }
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(failure("it holds what is no text", "it must hold the secret alone"));
    }
    Ok(Secret::new(text))
}
