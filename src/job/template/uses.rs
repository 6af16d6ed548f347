//! What code uses of its scope, and what of that cannot be right: all that can be known of a template before it meets a client.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::engine::has_global;
use super::ids::FUNCTION;
use super::scan::NONE;
use super::scope::RESERVED;
use crate::catalogue::{FieldType, Kind, KindName, Lookup};
use crate::model::FieldPath;
use crate::model::suggest::nearest;

/// What is wrong with a template, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, in one line.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
    /// The bytes of the template that it is about.
    pub at: Range<usize>,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), help: None, at }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Which names of its scope code uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Root fields of the client.
    pub fields: BTreeSet<String>,
    /// Whether the client is used as a whole, so that all of its fields may be.
    pub whole_client: bool,
    /// Whether a row of a `rows` file is used.
    pub row: bool,
    /// Whether variables, the tenant or the environment are used: what is known only once a tenant is chosen.
    pub tenant: bool,
    /// Kinds whose objects are asked for by name.
    pub references: BTreeSet<KindName>,
    /// Dotted paths below a client, as far as the code spells them out.
    paths: BTreeSet<String>,
}

impl Uses {
    pub(super) fn add(&mut self, roots: HashSet<String>, paths: HashSet<String>) {
        for root in roots {
            match root.as_str() {
                "row" => self.row = true,
                "vars" | "tenant" | "env" | FUNCTION => self.tenant = true,
                NONE | "client" => (),
                global if has_global(global) => (),
                _ => drop(self.fields.insert(root)),
            }
        }
        for path in paths {
            if path == "client" {
                self.whole_client = true;
            } else if let Some(field) = path.strip_prefix("client.") {
                self.fields.insert(field.split('.').next().unwrap_or(field).to_owned());
                self.paths.insert(field.to_owned());
            } else if !RESERVED.contains(&path.split('.').next().unwrap_or_default()) {
                self.paths.insert(path);
            }
        }
    }

    /// Adds what other code uses.
    pub fn merge(&mut self, other: &Self) {
        self.fields.extend(other.fields.iter().cloned());
        self.references.extend(other.references.iter().copied());
        self.paths.extend(other.paths.iter().cloned());
        self.whole_client |= other.whole_client;
        self.row |= other.row;
        self.tenant |= other.tenant;
    }

    /// Whether anything of a client is used.
    pub fn client(&self) -> bool {
        self.whole_client || !self.fields.is_empty()
    }

    /// Whether nothing is used, so that the outcome is always the same.
    pub fn nothing(&self) -> bool {
        !self.client() && !self.row && !self.tenant
    }

    /// Root names that the catalogue does not know: some client must have them.
    pub fn unknown<'u>(&'u self, kind: &'u Kind) -> impl Iterator<Item = &'u str> {
        self.fields.iter().map(String::as_str).filter(|field| !kind.root().fields.contains_key(*field))
    }

    /// Fields that are misspelt, as far as that can be known without a client.
    pub(super) fn misspelt(&self, kind: &Kind, source: &str) -> Vec<Wrong> {
        let paths: BTreeSet<&str> = self
            .paths
            .iter()
            .chain(&self.fields)
            .map(String::as_str)
            .filter(|path| !path.is_empty())
            .collect();
        let wrong = paths.iter().filter_map(|path| misspelt(kind, path, source));
        let mut seen = BTreeSet::new();
        wrong.filter(|wrong| seen.insert(wrong.at.start)).collect()
    }
}

fn misspelt(kind: &Kind, text: &str, source: &str) -> Option<Wrong> {
    let path = FieldPath::from_keys(text.split('.'))?;
    if kind.is_secret(&path) {
        let what = format!(
            "`{text}` is a secret, which is never read: it would be none for every {}",
            kind.singular
        );
        return Some(Wrong::new(what, place(source, text)));
    }
    let Lookup::Unknown { near } = kind.lookup(&path) else { return None };
    let at = place(source, text);
    if path.depth() == 1 {
        // Without a near miss it may be a field that is newer than the catalogue.
        let names = kind.root().fields.keys().map(String::as_str).chain(RESERVED);
        let names = names.filter(|name| *name != text);
        let near = nearest(text, names).map(str::to_owned).or(near)?;
        return Some(
            Wrong::new(format!("there is no field `{text}`"), at).help(format!("did you mean `{near}`?")),
        );
    }
    let parent = path.parent()?;
    match kind.lookup(&parent) {
        Lookup::Unknown { .. } => None,
        // Below a key that a client may lack there is none, as below anything absent; only a call can mean nothing else.
        Lookup::OpenKey { .. } if !source.get(at.end..).is_some_and(|rest| rest.starts_with('(')) => None,
        Lookup::Field(field) | Lookup::OpenKey { value: Some(field), .. }
            if !matches!(field.ty, FieldType::Object | FieldType::Any) =>
        {
            let help = "what is done with a value is a filter, as in `name | upper`, or a test, as in `name is startingwith 'x'`";
            let what = format!("`{parent}` is {} and has no `.{}`", type_words(field.ty), path.last());
            Some(Wrong::new(what, at).help(help))
        }
        _ => {
            let near = near?;
            Some(
                Wrong::new(format!("there is no field `{text}`"), at).help(format!("did you mean `{near}`?")),
            )
        }
    }
}

fn type_words(ty: FieldType) -> &'static str {
    match ty {
        FieldType::String => "text",
        FieldType::Array => "a list",
        FieldType::Boolean => "true or false",
        _ => "a number",
    }
}

/// Where a dotted path stands in the source.
fn place(source: &str, path: &str) -> Range<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: &usize| !source[..*at].ends_with(word) && !source[at + path.len()..].starts_with(word);
    let found = source.match_indices(path).map(|(at, _)| at).find(whole);
    found.map_or(0..source.len(), |at| at..at + path.len())
}
