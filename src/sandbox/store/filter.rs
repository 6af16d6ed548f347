//! Which objects a list is about. Central type: [`Filter`].

use serde_json::Value;

use super::{Slot, lock};
use crate::model::Body;

/// Which clients a list is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::sandbox) struct Filter {
    pub(in crate::sandbox) global: Option<bool>,
    pub(in crate::sandbox) first_party: Option<bool>,
    /// Any of these; all where empty.
    pub(in crate::sandbox) app_types: Vec<String>,
    /// The address of its metadata document.
    pub(in crate::sandbox) external: Option<String>,
    /// None at all.
    pub(in crate::sandbox) none: bool,
    /// What fields must hold.
    pub(in crate::sandbox) holds: Vec<Holds>,
}

/// A value that a field must hold.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Holds {
    pub(in crate::sandbox) field: String,
    /// Any of these.
    pub(in crate::sandbox) values: Vec<String>,
    /// Whether a part of it will do, in letters of either case.
    pub(in crate::sandbox) loose: bool,
}

impl Holds {
    /// Whether an object holds it.
    pub(super) fn fits(&self, object: &Body) -> bool {
        let Some(text) = object.get(&self.field).and_then(Value::as_str) else { return false };
        self.values.iter().any(|wanted| match self.loose {
            true => text.to_lowercase().contains(&wanted.to_lowercase()),
            false => text == wanted,
        })
    }
}

impl Filter {
    /// Whether it takes a look at what objects hold.
    pub(super) fn looks_inside(&self) -> bool {
        self.first_party.is_some()
            || !self.app_types.is_empty()
            || self.external.is_some()
            || !self.holds.is_empty()
    }

    /// Whether an object is among them.
    pub(super) fn fits(&self, slot: &Slot) -> bool {
        let stored = lock(&slot.stored);
        let app_type = stored.app_type.as_deref().unwrap_or_default();
        self.first_party.is_none_or(|wanted| wanted == stored.first_party)
            && (self.app_types.is_empty() || self.app_types.iter().any(|wanted| wanted == app_type))
            && self.external.as_deref().is_none_or(|wanted| stored.is_external(wanted))
            && (self.holds.is_empty() || stored.holds_all(&self.holds))
    }
}
