//! The validator of each kind, made when it is first asked for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use super::super::facts::facts;
use super::Validator;
use crate::catalogue::{Field, Kind, Writable, kinds};

/// One for all tenants: a hundred regular expressions take a megabyte, and a moment to be made.
static OF_KINDS: LazyLock<HashMap<&'static str, OnceLock<Validator<'static>>>> =
    LazyLock::new(|| kinds().map(|kind| (kind.name.as_str(), OnceLock::new())).collect());

impl Validator<'static> {
    /// That of a kind.
    pub(in crate::sandbox) fn of(kind: &'static Kind) -> &'static Self {
        // Every kind has its place.
        OF_KINDS[kind.name.as_str()].get_or_init(|| {
            let facts = facts(&kind.name);
            Self { required: facts.required.clone(), ..Self::new_of(body_of(kind)) }
        })
    }
}

/// What a body of a kind may hold. What belongs to an object and is kept behind an endpoint of its own does not stand in it.
fn body_of(kind: &'static Kind) -> Cow<'static, Field> {
    let facts = facts(&kind.name);
    let associations = kind.endpoint.associations.iter().map(|association| &association.field);
    let apart: Vec<&String> = associations.filter(|field| !facts.embedded.contains(field)).collect();
    if apart.is_empty() && !facts.open && facts.patched.is_empty() {
        return Cow::Borrowed(kind.root());
    }
    let mut root = kind.root().clone();
    root.fields.retain(|name, _| !apart.contains(&name));
    root.open = facts.open;
    for field in &facts.patched {
        if let Some(field) = root.fields.get_mut(field) {
            field.write = Writable::Patch;
        }
    }
    Cow::Owned(root)
}
