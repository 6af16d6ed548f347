//! What belongs to the source tenant alone, and becomes a placeholder: values of its variables, its domain, ids, secrets.
//! Central type: [`Source`].
//!
//! A placeholder stands in a text between two signs that no text has ([`OPEN`], [`CLOSE`]) until the change set is printed:
//! so two states can be compared with their placeholders in them, whatever tenants they are of.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::catalogue::{Kind, KindName, kinds};
use crate::job::printed::{CLOSE, OPEN};
use crate::model::{Body, Domain, EntityId, FieldPath};
use marker::{Marker, take};
use words::words;

/// What a placeholder begins with that has no name yet: `id:BASE:ID`.
pub(super) const UNNAMED: &str = "id:";
/// Inside a longer text a shorter value of a variable is left alone: it is likely to mean something else there.
const SHORTEST: usize = 4;
/// Prefixes of ids of objects that no kind is, with what a variable for one is called.
const OTHER_IDS: [(&str, &str); 2] = [("cred_", "credential_id"), ("lst_", "log_stream_id")];

/// Prefixes of ids, with what a variable for one is called.
static IDS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let of_kind = |kind: &'static Kind| Some((kind.endpoint.id_prefix.clone()?, id_name(kind)));
    let others = OTHER_IDS.iter().map(|(prefix, name)| ((*prefix).to_owned(), (*name).to_owned()));
    kinds().filter_map(of_kind).chain(others).collect()
});

/// What a variable for the id of an object is called: `client_id`, `connection_id`.
pub(super) fn id_name(kind: &Kind) -> String {
    match kind.endpoint.id_field.as_str() {
        "id" => format!("{}_id", kind.singular.replace(' ', "_")),
        own => own.to_owned(),
    }
}

/// Inside a number a smaller one is likely to mean something else.
const SMALLEST: f64 = 1000.0;

/// What is known of an object by its id.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What it is.
    pub kind: KindName,
    /// What it is called: what finds it in another tenant.
    pub name: Option<String>,
    /// Whether it is certain that no other of its kind in the tenant is called so.
    pub alone: bool,
}

/// An object of a tenant: its kind, its id, and what it is called.
pub type Named<'n> = (KindName, &'n EntityId, Option<String>);

/// The object with an id, where the tenant has one.
type Objects<'c> = Box<dyn Fn(&str) -> Option<Known> + 'c>;

/// The tenant that states were read from.
pub struct Source<'c> {
    /// Whether its domain is known.
    has_domain: bool,
    /// Values of its variables, the longest first.
    vars: Vec<(String, Value)>,
    /// What is looked for inside texts, the longest first.
    needles: Vec<Needle>,
    objects: Objects<'c>,
    /// Whether what looks like the id of a client is taken for one: where not all clients are known.
    guesses: bool,
}

impl Default for Source<'_> {
    /// A tenant of which nothing is known.
    fn default() -> Self {
        Self::new(None, &Body::new(), [])
    }
}

impl<'c> Source<'c> {
    /// `vars` are those whose values become placeholders; `objects` what is known of the tenant.
    pub fn new<'i>(
        domain: Option<&Domain>,
        vars: &Body,
        objects: impl IntoIterator<Item = Named<'i>>,
    ) -> Self {
        let named = |(kind, id, name): Named<'_>| (id.to_string(), (kind, name));
        let known: HashMap<String, (KindName, Option<String>)> = objects.into_iter().map(named).collect();
        let mut called: HashMap<(KindName, String), usize> = HashMap::new();
        for (kind, name) in known.values() {
            *called.entry((*kind, name.clone().unwrap_or_default())).or_default() += 1;
        }
        let looking_up = Self::looking_up(domain, vars, move |id| {
            let (kind, name) = known.get(id)?.clone();
            let alone = name.as_ref().is_some_and(|name| called.get(&(kind, name.clone())) == Some(&1));
            Some(Known { kind, name, alone })
        });
        Self { guesses: false, ..looking_up }
    }

    /// The same, of a tenant that may have more clients than these.
    #[must_use]
    pub fn with_others(self) -> Self {
        Self { guesses: true, ..self }
    }

    /// The same where objects are looked up one by one, since there are too many to have their names twice.
    pub fn looking_up(
        domain: Option<&Domain>,
        vars: &Body,
        objects: impl Fn(&str) -> Option<Known> + 'c,
    ) -> Self {
        let is_value = |value: &Value| match value {
            Value::String(text) => !text.trim().is_empty(),
            value => value.as_f64().is_some_and(|number| number.abs() >= SMALLEST),
        };
        let has_code = |name: &str| !name.contains(['\'', '\\']);
        let mut vars: Vec<(String, Value)> = vars
            .iter()
            .filter(|(name, v)| has_code(name) && is_value(v))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        vars.sort_by_key(|(_, value)| std::cmp::Reverse(value.as_str().map_or(0, str::len)));
        let texts = vars.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let texts = texts.map(|(name, text)| (text.to_owned(), var_code(name), false));
        let domain = domain.map(|domain| (domain.as_str().to_lowercase(), "tenant.domain".to_owned(), true));
        let has_domain = domain.is_some();
        let all = texts.chain(domain).filter(|(text, ..)| text.chars().count() >= SHORTEST);
        let mut needles: Vec<Needle> =
            all.map(|(text, code, any_case)| Needle { text, code, any_case }).collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.text.len()));
        Self { has_domain, vars, needles, objects: Box::new(objects), guesses: true }
    }

    /// Names of the variables whose values become placeholders.
    pub(super) fn var_names(&self) -> impl Iterator<Item = &str> {
        self.vars.iter().map(|(name, _)| name.as_str())
    }

    /// Whether any variable is known, whose values differ by tenant.
    pub fn has_vars(&self) -> bool {
        !self.vars.is_empty()
    }

    /// An id or the domain of the tenant that stands in a text all the same, where no placeholder can.
    pub(super) fn leak(&self, own: &EntityId, text: &str) -> Option<String> {
        let mut found = Vec::new();
        self.needles
            .iter()
            .filter(|needle| needle.any_case)
            .for_each(|needle| take(text, needle, &mut found));
        if !found.is_empty() {
            return Some("the tenant's domain".to_owned());
        }
        let known = |word: &str| word == own.as_str() || (self.objects)(word).is_some();
        let word = words(text).into_iter().find(|range| known(&text[range.clone()]));
        word.map(|_| "an id of the tenant".to_owned())
    }

    /// A client's state with placeholders in it. `own` is its id, which templates know.
    pub fn marked(&self, kind: &Kind, own: &EntityId, body: &Body) -> Body {
        let marker = Marker {
            source: self,
            kind,
            own: own.as_str(),
            tenant: body.get("tenant").and_then(Value::as_str),
        };
        let field = |key: &str| kind.root().fields.get(key);
        body.iter().map(|(key, value)| (key.clone(), marker.value(field(key), value, false))).collect()
    }
}

/// A value that is looked for inside texts.
#[derive(Debug, Clone)]
struct Needle {
    text: String,
    /// What stands for it.
    code: String,
    /// A domain is the same in any case; a value is not.
    any_case: bool,
}

fn placeholder(code: &str) -> String {
    format!("{OPEN}{code}{CLOSE}")
}

/// How a template names a variable.
pub(super) fn var_code(name: &str) -> String {
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain(name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("vars.{name}")
    } else {
        format!("vars['{name}']")
    }
}

/// How a template asks for the id of an object by what it is called.
fn id_of(kind: KindName, name: &str) -> String {
    let quoted = name.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
    format!("id_of('{kind}', '{quoted}')")
}

/// The variable that code reads, if it reads one.
pub(super) fn var_name(code: &str) -> Option<&str> {
    code.strip_prefix("vars.").or_else(|| code.strip_prefix("vars['")?.strip_suffix("']"))
}

/// A name as part of a variable's: `Billing API (EU)` as `billing_api_eu`.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('_') => slug.push('_'),
            _ => (),
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() { "client".to_owned() } else { slug.to_owned() }
}

/// A masked value, which every target must have a value of its own for.
pub(super) fn masked(path: &FieldPath, client: &str) -> Value {
    let base = format!("{}_of_{}", slug(&path.to_string()), slug(client));
    Value::String(placeholder(&format!("{UNNAMED}{base}:{client}/{path}")))
}

mod marker;
mod words;

#[cfg(test)]
mod tests;
