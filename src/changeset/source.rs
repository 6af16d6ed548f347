//! What belongs to the source tenant alone, and becomes a placeholder: values of its variables, its domain, ids, secrets.
//! Central type: [`Source`].
//!
//! A placeholder stands in a text between two signs that no text has ([`OPEN`], [`CLOSE`]) until the change set is printed:
//! so two states can be compared with their placeholders in them, whatever tenants they are of.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::catalogue::{Field, Kind};
use crate::job::printed::{CLOSE, OPEN};
use crate::model::value::same;
use crate::model::{Body, Domain, EntityId, FieldPath, ListOrder};

/// What a placeholder begins with that has no name yet: `id:BASE:ID`.
pub(super) const UNNAMED: &str = "id:";
/// Inside a longer text a shorter value of a variable is left alone: it is likely to mean something else there.
const SHORTEST: usize = 4;
/// Prefixes of ids of other objects, with what a variable for one is called.
const IDS: [(&str, &str); 6] = [
    ("org_", "organization_id"),
    ("con_", "connection_id"),
    ("cred_", "credential_id"),
    ("rol_", "role_id"),
    ("cgr_", "client_grant_id"),
    ("lst_", "log_stream_id"),
];

/// Inside a number a smaller one is likely to mean something else.
const SMALLEST: f64 = 1000.0;

/// What is known of a client by its id.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What it is called.
    pub name: Option<String>,
    /// Whether it is certain that no other of the tenant is called so.
    pub alone: bool,
}

/// The client with an id, where the tenant has one.
type Clients<'c> = Box<dyn Fn(&str) -> Option<Known> + 'c>;

/// The tenant that states were read from.
pub struct Source<'c> {
    /// Whether its domain is known.
    has_domain: bool,
    /// Values of its variables, the longest first.
    vars: Vec<(String, Value)>,
    /// What is looked for inside texts, the longest first.
    needles: Vec<Needle>,
    clients: Clients<'c>,
}

impl Default for Source<'_> {
    /// A tenant of which nothing is known.
    fn default() -> Self {
        Self::new(None, &Body::new(), [])
    }
}

impl<'c> Source<'c> {
    /// `vars` are those whose values become placeholders; `clients` the ids and names that are known of the tenant.
    pub fn new<'i>(
        domain: Option<&Domain>,
        vars: &Body,
        clients: impl IntoIterator<Item = (&'i EntityId, Option<&'i str>)>,
    ) -> Self {
        let named = |(id, name): (&EntityId, Option<&str>)| (id.to_string(), name.map(str::to_owned));
        let known: HashMap<String, Option<String>> = clients.into_iter().map(named).collect();
        let mut called: HashMap<String, usize> = HashMap::new();
        for name in known.values() {
            *called.entry(slug(name.as_deref().unwrap_or_default())).or_default() += 1;
        }
        Self::looking_up(domain, vars, move |id| {
            let name = known.get(id)?.clone();
            let alone = called.get(&slug(name.as_deref().unwrap_or_default())) == Some(&1);
            Some(Known { name, alone })
        })
    }

    /// The same where clients are looked up one by one, since there are too many to have their names twice.
    pub fn looking_up(
        domain: Option<&Domain>,
        vars: &Body,
        clients: impl Fn(&str) -> Option<Known> + 'c,
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
        Self { has_domain, vars, needles, clients: Box::new(clients) }
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
        let lower = text.to_ascii_lowercase();
        let domain = self.needles.iter().find(|needle| needle.any_case && lower.contains(&needle.text));
        if domain.is_some() {
            return Some("the tenant's domain".to_owned());
        }
        let known = |word: &str| word == own.as_str() || (self.clients)(word).is_some();
        let word = words(text).into_iter().find(|range| known(&text[range.clone()]));
        word.map(|_| "an id of the tenant".to_owned())
    }

    /// A client's state with placeholders in it. `own` is its id, which templates know.
    pub fn marked(&self, kind: &Kind, own: &EntityId, body: &Body) -> Body {
        let marker = Marker {
            source: self,
            id_field: &kind.endpoint.id_field,
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

/// One client on its way to placeholders.
struct Marker<'s> {
    source: &'s Source<'s>,
    /// What its id is called.
    id_field: &'s str,
    own: &'s str,
    /// The tenant's short name, as the API tells it: the beginning of its domain.
    tenant: Option<&'s str>,
}

impl Marker<'_> {
    /// `foreign`: the value holds ids that mean nothing in another tenant.
    fn value(&self, field: Option<&Field>, value: &Value, foreign: bool) -> Value {
        let foreign = foreign || field.is_some_and(|field| field.tenant_specific);
        match value {
            Value::Object(map) => {
                let inner = |key: &str| {
                    field.and_then(|field| {
                        field.fields.get(key).or(field.items.as_deref().filter(|_| field.open))
                    })
                };
                map.iter().map(|(key, value)| (key.clone(), self.value(inner(key), value, foreign))).collect()
            }
            Value::Array(items) => {
                let item = field.and_then(|field| field.items.as_deref());
                items.iter().map(|value| self.value(item, value, foreign)).collect()
            }
            Value::String(text) => {
                let listed = field.is_some_and(|field| !field.values.is_empty());
                Value::String(if listed { text.clone() } else { self.text(text, foreign) })
            }
            value => self.whole(value).map_or_else(|| value.clone(), Value::String),
        }
    }

    /// A value that is one of a variable's.
    fn whole(&self, value: &Value) -> Option<String> {
        let (name, _) =
            self.source.vars.iter().find(|(_, var)| same(Some(var), Some(value), ListOrder::Ordered))?;
        Some(placeholder(&var_code(name)))
    }

    fn text(&self, text: &str, foreign: bool) -> String {
        if let Some(whole) = self.whole(&Value::String(text.to_owned())) {
            return whole;
        }
        let mut found: Vec<(Range<usize>, String)> = Vec::new();
        // The signs themselves, which no text should have, are written as code that gives them.
        for (at, sign) in text.match_indices([OPEN, CLOSE]) {
            let code = if sign.starts_with(OPEN) { "\"\\uf8f0\"" } else { "\"\\uf8f1\"" };
            found.push((at..at + sign.len(), code.to_owned()));
        }
        for needle in &self.source.needles {
            take(text, needle, &mut found);
        }
        self.domain_by_name(text, &mut found);
        for range in words(text) {
            let word = &text[range.clone()];
            if let Some(code) = self.id_code(word, foreign && range.len() == text.len())
                && is_free(&found, &range)
            {
                found.push((range, code));
            }
        }
        if found.is_empty() {
            return text.to_owned();
        }
        found.sort_by_key(|(range, _)| range.start);
        let mut out = String::new();
        let mut at = 0;
        for (range, code) in found {
            out.push_str(&text[at..range.start]);
            out.push_str(&placeholder(&code));
            at = range.end;
        }
        out + &text[at..]
    }

    /// Where nobody says what the tenant's domain is, its short name does: `NAME.eu.auth0.com`.
    fn domain_by_name(&self, text: &str, found: &mut Vec<(Range<usize>, String)>) {
        let Some(tenant) = self.tenant.filter(|tenant| !tenant.is_empty() && !self.source.has_domain) else {
            return;
        };
        let start = format!("{}.", tenant.to_lowercase());
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices(&start) {
            let host = lower[at..].find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
            let range = at..host.map_or(text.len(), |end| at + end);
            if lower[range.clone()].ends_with(".auth0.com")
                && is_bounded(text, &range)
                && is_free(found, &range)
            {
                found.push((range, "tenant.domain".to_owned()));
            }
        }
    }

    /// What stands for a word that is an id.
    fn id_code(&self, word: &str, foreign: bool) -> Option<String> {
        if word == self.own {
            return Some(self.id_field.to_owned());
        }
        let unnamed = |base: &str| Some(format!("{UNNAMED}{base}:{word}"));
        if let Some(Known { name, alone }) = (self.source.clients)(word) {
            let of = slug(name.as_deref().unwrap_or_default());
            let base = format!("{}_of_{of}", self.id_field);
            // In another tenant it is the same client under another id.
            return if alone { Some(format!("{UNNAMED}{base}:{of}")) } else { unnamed(&base) };
        }
        // Clients of third parties have ids that tell so, and others look like nothing else.
        if is_id(word, "tpc_") || is_of_a_client(word) {
            return unnamed(self.id_field);
        }
        let of_prefix = IDS.iter().find(|(prefix, _)| is_id(word, prefix));
        match of_prefix {
            Some((_, base)) => unnamed(base),
            None if foreign => unnamed("id"),
            None => None,
        }
    }
}

/// Whether a word is an id with this prefix.
fn is_id(word: &str, prefix: &str) -> bool {
    let rest = word.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.len() >= 14 && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Whether a word looks as the service makes ids of clients: 32 letters of both cases and digits.
fn is_of_a_client(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && kinds.into_iter().all(has)
}

/// Marks where a value stands in a text by itself.
fn take(text: &str, needle: &Needle, found: &mut Vec<(Range<usize>, String)>) {
    let lower;
    let searched = if needle.any_case {
        lower = text.to_ascii_lowercase();
        &lower
    } else {
        text
    };
    for (at, _) in searched.match_indices(&needle.text) {
        let range = at..at + needle.text.len();
        if is_bounded(text, &range) && is_free(found, &range) {
            found.push((range, needle.code.clone()));
        }
    }
}

/// Whether no letter or digit stands at either end.
fn is_bounded(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back().filter(|_| !is_behind_an_escape(text, range.start));
    let after = text[range.end..].chars().next();
    !before.into_iter().chain(after).any(char::is_alphanumeric)
}

/// Whether what stands before a place is a character as addresses escape it, such as `%2F`.
fn is_behind_an_escape(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.wrapping_sub(3)..at);
    before.is_some_and(|sign| sign[0] == b'%' && sign[1..].iter().all(u8::is_ascii_hexdigit))
}

fn is_free(found: &[(Range<usize>, String)], range: &Range<usize>) -> bool {
    found.iter().all(|(taken, _)| taken.end <= range.start || range.end <= taken.start)
}

/// What may be an id: runs of letters, digits, `_` and `-`, then what stands between the latter two, without what is left of a
/// character that addresses escape.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = runs(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    words.extend(runs(text, |c| c.is_ascii_alphanumeric()));
    let behind_escapes = words.iter().filter(|range| is_behind_an_escape(text, range.start + 2));
    let behind: Vec<Range<usize>> = behind_escapes.map(|range| range.start + 2..range.end).collect();
    words.extend(behind);
    words
}

fn runs(text: &str, is_part: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_part(c), start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                runs.push(begin..at);
                start = None;
            }
            _ => (),
        }
    }
    runs
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

#[cfg(test)]
mod tests;
