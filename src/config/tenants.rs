//! A tenant's table in `patchwave.toml`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::model::{Domain, SigningAlgorithm, TenantName};

use super::reader::{Item, Key, Reader, is_variable, looks_like_secret};
use super::secrets::{CredentialSource, SecretSource};

/// A tenant as configured. Domain, id and secret are the table's own; nothing is taken from the environment unasked.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantConfig {
    /// The table's name.
    pub name: TenantName,
    /// Where it is.
    pub domain: Domain,
    /// Where it is not the domain's default: the audience of its Management API.
    pub audience: Option<String>,
    /// How access is had.
    pub credential: CredentialSource,
    /// What templates see as `vars`.
    pub vars: Map<String, Value>,
    /// Those of them that say where a secret is kept.
    pub secrets: BTreeMap<String, SecretSource>,
    /// What templates see as `tenant.tags`.
    pub tags: Map<String, Value>,
    /// Whether a person must repeat the tenant's name before anything is written.
    pub protected: bool,
    /// The share of its refill that a run never exceeds, 0 to 1.
    pub rate_share: Option<f64>,
    /// Where it was configured, for headings: `patchwave.toml [tenants.dev]`.
    pub origin: String,
}

const KEYS: [&str; 12] = [
    "domain",
    "audience",
    "client_id",
    "client_secret",
    "private_key",
    "private_key_alg",
    "private_key_id",
    "token",
    "vars",
    "tags",
    "protected",
    "rate_share",
];
const SOURCE_HELP: &str = "{ env = \"NAME\" }, { file = \"PATH\" } or { command = \"…\" }";

#[derive(Default)]
struct Draft {
    domain: Option<Domain>,
    audience: Option<String>,
    client_id: Option<String>,
    secret: Option<SecretSource>,
    key: Option<SecretSource>,
    algorithm: SigningAlgorithm,
    key_id: Option<String>,
    token: Option<SecretSource>,
    vars: Map<String, Value>,
    secrets: BTreeMap<String, SecretSource>,
    tags: Map<String, Value>,
    protected: bool,
    rate_share: Option<f64>,
}

/// Reads one table; `None` where it has a problem, which the reader has then heard of.
pub(super) fn read(reader: &mut Reader, name: &Key<'_>, value: &Item<'_>) -> Option<TenantConfig> {
    let before = reader.problems.len();
    check_name(reader, name);
    let table = reader.table(name, value, &format!("a table: [tenants.{}]", name.get_ref()))?;
    let mut draft = Draft::default();
    for (key, value) in table {
        read_key(reader, &mut draft, key, value);
    }
    let has = |key: &str| table.contains_key(key);
    check_complete(reader, name, has);
    (reader.problems.len() == before).then(|| draft.finish(reader, name)).flatten()
}

/// A name must be usable on a command line, in a job's `tenants` and in a table of results without quoting.
fn check_name(reader: &mut Reader, name: &Key<'_>) {
    let text = name.get_ref();
    if text.is_empty() || !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        reader.problem(
            name.span(),
            format!("`{text}` cannot be a tenant's name"),
            "use letters, digits, `-`, `_` and `.`",
        );
    }
}

fn read_key(reader: &mut Reader, draft: &mut Draft, key: &Key<'_>, value: &Item<'_>) {
    match key.get_ref().as_ref() {
        "domain" => draft.domain = read_domain(reader, key, value),
        "audience" => draft.audience = reader.text(key, value),
        "client_id" => draft.client_id = reader.text(key, value),
        "client_secret" => draft.secret = read_source(reader, key, value),
        "token" => draft.token = read_source(reader, key, value),
        "vars" => {
            draft.vars = reader.json_table(key, value);
            draft.secrets = secrets_among(reader, &draft.vars);
        }
        "protected" => draft.protected = reader.boolean(key, value).unwrap_or_default(),
        "tags" => draft.tags = reader.json_table(key, value),
        "rate_share" => draft.rate_share = read_share(reader, key, value),
        "private_key" => draft.key = read_source(reader, key, value),
        "private_key_alg" => draft.algorithm = read_algorithm(reader, key, value).unwrap_or_default(),
        "private_key_id" => draft.key_id = reader.text(key, value),
        _ => reader.unknown_key(key, "a tenant's table", &KEYS),
    }
}

/// `50%`, or nothing that is one.
pub fn parse_share(text: &str) -> Option<f64> {
    let percent: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    (percent > 0.0 && percent <= 100.0).then_some(percent / 100.0)
}

fn read_share(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> Option<f64> {
    let text = reader.text(key, value)?;
    let share = parse_share(&text);
    if share.is_none() {
        reader.problem(value.span(), format!("`{text}` is no share of a rate limit"), "write \"50%\"");
    }
    share
}

/// The word is not shown: it may be a secret that got into the wrong line.
fn read_algorithm(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> Option<SigningAlgorithm> {
    let read: Result<SigningAlgorithm, _> = reader.text(key, value)?.parse();
    if let Err(unknown) = read {
        let help = "write that of the application's credential, or leave the line out for RS256";
        reader.problem(key.span(), format!("`{}`: {unknown}", key.get_ref()), help);
    }
    read.ok()
}

fn read_domain(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> Option<Domain> {
    let text = reader.text(key, value)?;
    match Domain::parse(&text) {
        Ok(domain) => Some(domain),
        Err(error) => {
            reader.problem(
                value.span(),
                error.to_string(),
                "write the tenant's domain as the Dashboard shows it",
            );
            None
        }
    }
}

/// A secret's source. The key alone is ever marked, and values that may be the secret are struck out of the source text.
fn read_source(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> Option<SecretSource> {
    let name = key.get_ref();
    let DeValue::Table(table) = value.get_ref() else {
        let what = format!("`{name}` is written into the file; a secret must come from elsewhere");
        reader.problem(
            key.span(),
            what,
            format!("write {name} = {SOURCE_HELP}; and replace the secret, if this file was shared"),
        );
        return None;
    };
    let mut sources = table.iter();
    let (Some((kind, value)), None) = (sources.next(), sources.next()) else {
        let what = format!("`{name}` has {} sources, but needs one", table.len());
        reader.problem(key.span(), what, format!("write {name} = {SOURCE_HELP}"));
        return None;
    };
    if !matches!(kind.get_ref().as_ref(), "env" | "file" | "command") {
        reader.unknown_key(kind, &format!("`{name}`"), &["env", "file", "command"]);
        return None;
    }
    let text = reader.text(kind, value)?;
    match kind.get_ref().as_ref() {
        "command" => Some(SecretSource::Command(text)),
        _ if looks_like_secret(&text) => {
            let what = format!("`{kind}` of `{name}` looks like the secret itself", kind = kind.get_ref());
            reader.problem(kind.span(), what, "it names a variable or a file that holds the secret");
            None
        }
        "file" => Some(SecretSource::File(reader.folder.join(text))),
        _ if is_variable(&text) => Some(SecretSource::Env(text)),
        _ => {
            let what = format!("`env` of `{name}` is not a variable's name");
            reader.problem(kind.span(), what, "a name has letters, digits and `_`, such as DEV_SECRET");
            None
        }
    }
}

/// Variables that say where a secret is kept. Any table may be a variable: one that says so badly is an ordinary one, and is
/// refused where a secret is to be taken from it.
fn secrets_among(reader: &Reader, vars: &Map<String, Value>) -> BTreeMap<String, SecretSource> {
    let source = |value: &Value| {
        let table = value.as_object().filter(|table| table.len() == 1)?;
        let (kind, text) = table.iter().next()?;
        let text = text.as_str().filter(|text| !text.is_empty())?.to_owned();
        match kind.as_str() {
            "env" if is_variable(&text) => Some(SecretSource::Env(text)),
            "file" => Some(SecretSource::File(reader.folder.join(text))),
            "command" => Some(SecretSource::Command(text)),
            _ => None,
        }
    };
    vars.iter().filter_map(|(name, value)| Some((name.clone(), source(value)?))).collect()
}

/// Says which keys a table lacks, or has too many of.
fn check_complete(reader: &mut Reader, name: &Key<'_>, has: impl Fn(&str) -> bool) {
    let mut missing = Vec::new();
    if !has("domain") {
        missing.push("domain");
    }
    let ways = ["token", "client_secret", "private_key"].map(|way| (way, has(way)));
    let given: Vec<&str> = ways.into_iter().filter(|(_, has)| *has).map(|(way, _)| way).collect();
    let needed: &[&str] = match given.first() {
        Some(&"token") => &[],
        Some(_) => &["client_id"],
        None => &["client_id", "client_secret"],
    };
    missing.extend(needed.iter().filter(|key| !has(key)));
    if !missing.is_empty() {
        let what = format!("tenant `{}` has no {}", name.get_ref(), missing.join(" and no "));
        let help = "a tenant's domain and credentials all stand in its own table: domain, client_id, and client_secret or private_key (or a token)";
        reader.problem(name.span(), what, help);
    }
    if let [first, second, ..] = given.as_slice() {
        let what = format!("tenant `{}` has both {first} and {second}", name.get_ref());
        reader.problem(name.span(), what, "keep the one to be used");
    }
    let alone =
        ["private_key_alg", "private_key_id"].into_iter().filter(|key| has(key) && !has("private_key"));
    for key in alone {
        let what = format!("tenant `{}` has {key}, but no private_key", name.get_ref());
        reader.problem(name.span(), what, format!("add private_key = {SOURCE_HELP}, or leave {key} out"));
    }
}

impl Draft {
    fn finish(self, reader: &Reader, name: &Key<'_>) -> Option<TenantConfig> {
        let credential = match (self.token, self.client_id, self.secret, self.key) {
            (Some(token), ..) => CredentialSource::Token(token),
            (None, Some(client_id), Some(secret), _) => CredentialSource::Client { client_id, secret },
            (None, Some(client_id), None, Some(key)) => {
                CredentialSource::Key { client_id, key, algorithm: self.algorithm, key_id: self.key_id }
            }
            _ => return None,
        };
        Some(TenantConfig {
            name: TenantName::new(name.get_ref()),
            domain: self.domain?,
            audience: self.audience,
            credential,
            vars: self.vars,
            secrets: self.secrets,
            tags: self.tags,
            protected: self.protected,
            rate_share: self.rate_share,
            origin: format!("{} [tenants.{}]", reader.file.name, name.get_ref()),
        })
    }
}
