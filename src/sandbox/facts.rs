//! What the simulated service knows of each kind beside the catalogue, read from `kinds.toml`. Central type: [`Facts`].

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::Body;

/// What is known of a kind; `kinds.toml` says what each means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Facts {
    pub(super) required: Vec<String>,
    pub(super) defaults: Body,
    pub(super) created: Option<u16>,
    pub(super) deleted: Option<u16>,
    pub(super) unique: Vec<String>,
    pub(super) taken: Option<String>,
    pub(super) taken_code: Option<String>,
    pub(super) absent: Option<String>,
    pub(super) delete_absent: bool,
    pub(super) unshown: Vec<String>,
    pub(super) passing: Vec<String>,
    pub(super) patched: Vec<String>,
    pub(super) embedded: Vec<String>,
    pub(super) answered: Body,
    pub(super) open: bool,
    pub(super) stock: usize,
    /// What a tenant has of it, where nothing is made up.
    pub(super) samples: Vec<Body>,
}

/// A mistake in the file leaves no facts, and a test finds it.
static ALL: LazyLock<HashMap<String, Facts>> =
    LazyLock::new(|| toml::from_str(include_str!("kinds.toml")).unwrap_or_default());
static NONE: LazyLock<Facts> = LazyLock::new(Facts::default);

/// What is known of the kind of that name; of one that the file does not name, nothing but what goes without saying.
pub(super) fn facts(kind: &str) -> &'static Facts {
    ALL.get(kind).unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{kind, kinds};

    #[test]
    fn the_file_can_be_read_and_names_fields_that_exist() {
        let all: HashMap<String, Facts> = toml::from_str(include_str!("kinds.toml")).unwrap();
        for (name, facts) in &all {
            let kind = kind(name).unwrap_or_else(|| panic!("no kind {name}"));
            let defaults = facts.defaults.keys().chain(facts.answered.keys());
            let lists = [&facts.required, &facts.unique, &facts.unshown, &facts.passing, &facts.patched];
            let lists = lists.into_iter().chain([&facts.embedded]);
            for field in lists.flatten().chain(defaults) {
                assert!(kind.root().fields.contains_key(field), "{name} has no field {field}");
            }
        }
        for kind in kinds() {
            assert!(all.contains_key(kind.name.as_str()), "kinds.toml says nothing of {}", kind.name);
        }
    }
}
