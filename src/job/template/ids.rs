//! Objects of the tenant at hand by what they are called: `id_of("clients", "Shop")`. Ids differ from tenant to tenant, names do
//! not. Central type: [`Ids`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use minijinja::{Error, ErrorKind, Value};

use super::notes;
use super::scan::{TokenKind, tokens};
use super::uses::Wrong;
use crate::catalogue::load::unknown_kind;
use crate::catalogue::{KindName, kind};
use crate::model::suggest::nearest;
use crate::model::{EntityId, Reason};

/// What the function is called.
pub(super) const FUNCTION: &str = "id_of";

/// The ids of a tenant's objects, by kind and by what they are called.
#[derive(Debug, Clone, Default)]
pub struct Ids(Arc<HashMap<KindName, HashMap<String, Vec<EntityId>>>>);

impl Ids {
    /// Of objects with what each is called.
    pub fn new(objects: impl IntoIterator<Item = (KindName, String, EntityId)>) -> Self {
        let mut ids: HashMap<KindName, HashMap<String, Vec<EntityId>>> = HashMap::new();
        for (kind, key, id) in objects {
            let known = ids.entry(kind).or_default().entry(key).or_default();
            if !known.contains(&id) {
                known.push(id);
            }
        }
        Self(Arc::new(ids))
    }

    /// The id, or why there is none.
    fn find(&self, name: &str, key: &str) -> Result<EntityId, (String, Reason)> {
        let Some(of) = kind(name) else {
            return Err((format!("there is no kind `{name}`"), Reason::NotFound));
        };
        let none = HashMap::new();
        let known = self.0.get(&of.name).unwrap_or(&none);
        match known.get(key).map(Vec::as_slice) {
            Some([id]) => Ok(id.clone()),
            Some([_, _, ..]) => {
                let ids: Vec<&str> = known[key].iter().map(EntityId::as_str).collect();
                let what = format!("{} {}s are called \"{key}\": {}", ids.len(), of.singular, ids.join(", "));
                Err((what, Reason::Ambiguous))
            }
            _ => {
                let near = nearest(key, known.keys().map(String::as_str));
                let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                Err((
                    format!("no {} of this tenant is called \"{key}\"{near}", of.singular),
                    Reason::NotFound,
                ))
            }
        }
    }

    /// As templates call it.
    pub(super) fn function(self) -> Value {
        Value::from_function(move |kind: String, key: String| {
            self.find(&kind, &key).map(|id| id.to_string()).map_err(|(what, reason)| {
                notes::lost(what.clone(), reason);
                Error::new(ErrorKind::InvalidOperation, what)
            })
        })
    }
}

/// The kinds whose objects code asks for by name; what is wrong where it does not say which kind.
pub(super) fn referenced(code: &str, base: usize) -> Result<BTreeSet<KindName>, Wrong> {
    let mut kinds = BTreeSet::new();
    let tokens = tokens(code);
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text);
        if token.kind != TokenKind::Word || token.text != FUNCTION || before == "." {
            continue;
        }
        let place = base + token.at..base + token.at + token.text.len();
        let of = tokens.get(at + 1).filter(|open| open.text == "(").and(tokens.get(at + 2));
        let Some(name) = of.filter(|name| name.kind == TokenKind::Text) else {
            let wrong = Wrong::new("`id_of` must say the kind as a text", place);
            return Err(wrong.help("write `id_of('clients', 'Name of the client')`"));
        };
        let name = name.text.trim_matches(['"', '\'']);
        match kind(name) {
            Some(kind) => drop(kinds.insert(kind.name)),
            None => {
                let (what, help) = unknown_kind(name).unwrap_or_default();
                return Err(Wrong::new(what, place).help(help));
            }
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_that_code_refers_to_are_told_and_must_be_spelt_out() {
        let told = |code: &str| referenced(code, 0).map(|kinds| kinds.into_iter().collect::<Vec<_>>());
        assert_eq!(told("id_of('clients', 'A') ~ id_of(\"role\", x)").unwrap().len(), 2);
        assert!(told("vars.id_of ~ 'id_of'").unwrap().is_empty());
        assert!(told("id_of(x, 'A')").unwrap_err().what.contains("as a text"));
        assert!(told("id_of('clinets', 'A')").unwrap_err().help.unwrap().contains("clients"));
    }

    #[test]
    fn a_name_that_two_have_or_nobody_has_has_no_id() {
        let roles = kind("roles").unwrap().name;
        let of = |key: &str, id: &str| (roles, key.to_owned(), EntityId::new(id));
        let ids = Ids::new([of("Admin", "r1"), of("Reader", "r2"), of("Reader", "r3")]);
        assert_eq!(ids.find("roles", "Admin").unwrap().as_str(), "r1");
        assert_eq!(ids.find("role", "Reader").unwrap_err().1, Reason::Ambiguous);
        let (what, reason) = ids.find("roles", "Admn").unwrap_err();
        assert_eq!(reason, Reason::NotFound);
        assert!(what.contains("did you mean \"Admin\"?"), "{what}");
    }
}
