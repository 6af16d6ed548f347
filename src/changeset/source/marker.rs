//! Placeholders in the state of one client. Central type: [`Marker`].

use std::ops::Range;

use serde_json::Value;

use super::words::{is_a_whole_host, is_bounded, is_free, is_id, is_of_a_client, short_hash, words};
use super::{IDS, Known, Needle, Source, UNNAMED, id_name, id_of, placeholder, slug, var_code};
use crate::catalogue::{Field, Kind, default_kind};
use crate::job::printed::{CLOSE, OPEN};
use crate::model::ListOrder;
use crate::model::value::same;

/// One client on its way to placeholders.
pub(super) struct Marker<'s> {
    pub(super) source: &'s Source<'s>,
    /// What it is.
    pub(super) kind: &'s Kind,
    pub(super) own: &'s str,
    /// The tenant's short name, as the API tells it: the beginning of its domain.
    pub(super) tenant: Option<&'s str>,
}

impl Marker<'_> {
    /// `foreign`: the value holds ids that mean nothing in another tenant.
    pub(super) fn value(&self, field: Option<&Field>, value: &Value, foreign: bool) -> Value {
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

    /// Whether a name says nothing of the tenant: no value of a variable, no domain, no id stands in it.
    fn is_anybodys(&self, name: &str) -> bool {
        let mut found = Vec::new();
        self.source.needles.iter().for_each(|needle| take(name, needle, &mut found));
        self.domain_by_name(name, &mut found);
        let is_id = |range: Range<usize>| (self.source.objects)(&name[range]).is_some();
        found.is_empty()
            && self.whole(&Value::String(name.to_owned())).is_none()
            && !name.contains([OPEN, CLOSE])
            && !words(name).into_iter().any(is_id)
    }

    /// What stands for a word that is an id.
    fn id_code(&self, word: &str, foreign: bool) -> Option<String> {
        if word == self.own {
            return Some(self.kind.endpoint.id_field.clone());
        }
        // In no two change sets one name stands for two objects: what cannot be told by a name is told by a part of a hash.
        let unnamed = |base: &str| Some(format!("{UNNAMED}{base}_{}:{word}", short_hash(word)));
        if let Some(Known { kind, name, alone }) = (self.source.objects)(word) {
            let base = format!("{}_of_{}", id_name(kind.kind()), slug(name.as_deref().unwrap_or_default()));
            // In another tenant it is the same object under another id, as long as its name is the same there.
            let name = name.filter(|name| alone && self.is_anybodys(name));
            return name.map(|name| id_of(kind, &name)).or_else(|| unnamed(&base));
        }
        // Clients of third parties have ids that tell so, and others look like nothing else.
        if is_id(word, "tpc_") || self.source.guesses && is_of_a_client(word) {
            return unnamed(&id_name(default_kind()));
        }
        let of_prefix = IDS.iter().find(|(prefix, _)| is_id(word, prefix));
        match of_prefix {
            Some((_, base)) => unnamed(base),
            None if foreign => unnamed("id"),
            None => None,
        }
    }
}

/// Marks where a value stands in a text by itself.
pub(super) fn take(text: &str, needle: &Needle, found: &mut Vec<(Range<usize>, String)>) {
    let lower;
    let searched = if needle.any_case {
        lower = text.to_ascii_lowercase();
        &lower
    } else {
        text
    };
    for (at, _) in searched.match_indices(&needle.text) {
        let range = at..at + needle.text.len();
        let stands_alone = if needle.any_case { is_a_whole_host } else { is_bounded };
        if stands_alone(text, &range) && is_free(found, &range) {
            found.push((range, needle.code.clone()));
        }
    }
}
