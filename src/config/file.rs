//! `patchwave.toml`: where it is found, and what is in it.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use toml::de::DeTable;

use crate::model::secret::names_credential;
use crate::model::suggest::nearest;
use crate::model::{Problem, SourceFile, TagQuery, TenantName, tag};

use super::env::{Environment, Place};
use super::mask;
use super::reader::{Item, Key, Reader};
use super::tenants::{self, TenantConfig};

const FILE_NAME: &str = "patchwave.toml";

/// A configuration file as read and found good.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The tenants, in the file's order.
    pub tenants: IndexMap<TenantName, TenantConfig>,
    /// Groups of tenants; each member is in `tenants`.
    pub groups: IndexMap<String, Vec<TenantName>>,
    /// Environment variables that templates may read.
    pub allow_env: Vec<String>,
    /// Paths of fields that the catalogue does not know, and that jobs may use all the same.
    pub extra_fields: Vec<String>,
    /// Limits on every run.
    pub guards: GuardTexts,
    /// The file, with secrets struck out: it may be shown.
    pub source: Arc<SourceFile>,
}

/// `[guards]`, as written: what the values mean is known to those who use them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardTexts {
    /// `max_changes` or `max_failures`, with its value and its place.
    pub limits: Vec<(String, String, Range<usize>)>,
    /// Ids of clients that no rule may change.
    pub protect: Vec<String>,
}

/// Reads the file that `-c` names (`path`), else `patchwave.toml` in `cwd`, else in `$XDG_CONFIG_HOME/patchwave`
/// (`~/.config/patchwave` where that is not set). None of the latter two need exist.
///
/// # Errors
/// Where the file is missing though named, cannot be read, or has anything wrong in it: everything that is wrong.
pub fn load(path: Option<&Path>, cwd: &Path, env: &Environment) -> Result<Option<Config>, Vec<Problem>> {
    match find(path, cwd, env).map_err(|problem| vec![problem])? {
        None => Ok(None),
        Some(found) => parse(&found.name, &found.text, &found.folder).map(Some),
    }
}

struct Found {
    /// As shown to people.
    name: String,
    text: String,
    folder: PathBuf,
}

fn find(path: Option<&Path>, cwd: &Path, env: &Environment) -> Result<Option<Found>, Problem> {
    if let Some(path) = path {
        let name = path.display().to_string();
        return read(&name, &cwd.join(path))?.map(Some).ok_or_else(|| {
            Problem::new(format!("{name} (--config) does not exist")).help("name an existing file")
        });
    }
    if let Some(found) = read(FILE_NAME, &cwd.join(FILE_NAME))? {
        return Ok(Some(found));
    }
    match user_folder(env) {
        Some(folder) => {
            let path = folder.join("patchwave").join(FILE_NAME);
            read(&path.display().to_string(), &path)
        }
        None => Ok(None),
    }
}

/// From the process alone: a `.env` file that comes with a project must not choose the configuration.
fn user_folder(env: &Environment) -> Option<PathBuf> {
    let real = |name| env.at(Place::Environment, name).map(|var| PathBuf::from(var.expose()));
    // The XDG specification has relative paths ignored.
    real("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(real("HOME")?.join(".config")))
}

fn read(name: &str, path: &Path) -> Result<Option<Found>, Problem> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Problem::new(format!("{name} cannot be read: {error}"))
                .help("let this user read it, or name another file with --config"));
        }
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(format!("{name} is not UTF-8 text")).help("save it as UTF-8"))?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    Ok(Some(Found { name: name.to_owned(), text, folder }))
}

/// Reads a configuration file's text; `folder` is what paths in it are relative to.
pub(super) fn parse(name: &str, text: &str, folder: &Path) -> Result<Config, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax_problems(name, text, &errors));
    }
    let file = SourceFile::new(name, mask::toml(text, root.get_ref()));
    let mut reader = Reader { file: Arc::clone(&file), folder: folder.to_path_buf(), problems: Vec::new() };
    let config = read_root(&mut reader, root.get_ref(), file);
    if reader.problems.is_empty() {
        Ok(config)
    } else {
        reader.problems.sort_by_key(|problem| problem.place.as_ref().map(|(_, span)| span.start));
        Err(reader.problems)
    }
}

fn syntax_problems(name: &str, text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let file = SourceFile::new(name, mask::broken_toml(text));
    let problem = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        Problem::new(format!("not valid TOML: {}", error.message()))
            .at(&file, span)
            .help("docs/tenants.md shows a whole file")
    };
    errors.iter().map(problem).collect()
}

fn read_root(reader: &mut Reader, root: &DeTable<'_>, source: Arc<SourceFile>) -> Config {
    let mut tenants = IndexMap::new();
    let mut groups = IndexMap::new();
    let (mut allow_env, mut extra_fields) = (Vec::new(), Vec::new());
    let mut guards = GuardTexts::default();
    // Tables that are themselves wrong count as known, lest each group that names them be called wrong too.
    let mut known = Vec::new();
    for (key, value) in root {
        match key.get_ref().as_ref() {
            "tenants" => {
                let table = reader.table(key, value, "a table for each tenant: [tenants.dev]");
                for (name, value) in table.into_iter().flatten() {
                    known.push(name.get_ref().to_string());
                    if let Some(tenant) = tenants::read(reader, name, value) {
                        tenants.insert(tenant.name.clone(), tenant);
                    }
                }
            }
            "groups" => {}
            "allow_env" => allow_env = read_variables(reader, key, value),
            "extra_fields" => {
                let paths = reader.texts(key, value).unwrap_or_default();
                extra_fields = paths.into_iter().map(|(path, _)| path).collect();
            }
            "guards" => guards = read_guards(reader, key, value),
            _ => {
                let known = ["tenants", "groups", "allow_env", "extra_fields", "guards"];
                reader.unknown_key(key, "patchwave.toml", &known);
            }
        }
    }
    for (key, value) in root.iter().filter(|(key, _)| key.get_ref() == "groups") {
        let table = reader.table(key, value, "[groups] with lines such as all = [\"dev\", \"prod\"]");
        for (name, value) in table.into_iter().flatten() {
            groups.insert(name.get_ref().to_string(), read_group(reader, (name, value), &known, &tenants));
        }
    }
    Config { tenants, groups, allow_env, extra_fields, guards, source }
}

fn read_guards(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> GuardTexts {
    let mut guards = GuardTexts::default();
    let table = reader.table(key, value, "[guards] with lines such as max_changes = \"30%\"");
    for (name, value) in table.into_iter().flatten() {
        match name.get_ref().as_ref() {
            limit @ ("max_changes" | "max_failures") => {
                if let Some(text) = reader.number_or_text(name, value) {
                    guards.limits.push((limit.to_owned(), text, value.span()));
                }
            }
            "protect" => {
                let ids = reader.texts(name, value).unwrap_or_default();
                guards.protect = ids.into_iter().map(|(id, _)| id).collect();
            }
            _ => reader.unknown_key(name, "[guards]", &["max_changes", "max_failures", "protect"]),
        }
    }
    guards
}

/// Names of variables that templates may read. What looks like a credential is no such name.
fn read_variables(reader: &mut Reader, key: &Key<'_>, value: &Item<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for (name, span) in reader.texts(key, value).unwrap_or_default() {
        if names_credential(&name) {
            let what = format!("`{name}` is, or may hold, a credential");
            reader.problem(span, what, "a template never sees credentials");
        } else {
            names.push(name);
        }
    }
    names
}

/// The members of a group: names, and tenants that have a tag.
fn read_group(
    reader: &mut Reader,
    (name, value): (&Key<'_>, &Item<'_>),
    known: &[String],
    tenants: &IndexMap<TenantName, TenantConfig>,
) -> Vec<TenantName> {
    let Some(members) = reader.texts(name, value) else { return Vec::new() };
    if members.is_empty() {
        reader.problem(
            name.span(),
            format!("group `{}` has no members", name.get_ref()),
            "name its tenants, or leave the group out",
        );
    }
    let mut group = IndexSet::new();
    for (member, span) in members {
        if let Some(query) = TagQuery::parse(&member) {
            let fitting = || tenants.values().filter(|tenant| query.fits(&tenant.tags));
            // Of a table that is itself wrong the tags are not known.
            if fitting().next().is_none() && tenants.len() == known.len() {
                let what = format!("group `{}` names `{query}`, a tag that no tenant has", name.get_ref());
                reader.problem(span, what, tag::help(&query, tenants.values().map(|tenant| &tenant.tags)));
            }
            group.extend(fitting().map(|tenant| tenant.name.clone()));
            continue;
        }
        if !known.contains(&member) {
            let near = nearest(&member, known.iter().map(String::as_str));
            let help = near.map_or_else(
                || format!("add [tenants.{member}], or leave it out"),
                |near| format!("did you mean `{near}`?"),
            );
            let what =
                format!("group `{}` names `{member}`, which is no tenant of this file", name.get_ref());
            reader.problem(span, what, help);
        }
        group.insert(TenantName::new(&member));
    }
    group.into_iter().collect()
}
