//! What a request names, and what moves along with it. Central type: [`Named`].

use serde_json::Value;

use crate::catalogue::Kind;
use crate::model::{Body, FieldPath};

/// The fields that a request can have changed.
#[derive(Debug)]
pub(super) struct Named {
    /// What it sends, in the units in which the service merges it.
    pub(super) units: Vec<FieldPath>,
    /// What moves along with these.
    along: Vec<FieldPath>,
}

impl Named {
    pub(super) fn of(kind: &Kind, request: &Body, before: Option<&Body>) -> Self {
        let mut units = Vec::new();
        for (key, value) in request {
            let root = FieldPath::root_field(key);
            // An object that springs up gets all its defaults at once.
            let fills = kind.lookup(&root).field().is_some_and(|field| field.fills_defaults);
            let springs_up = fills && before.is_none_or(|before| root.get(before).is_none());
            match value.as_object().filter(|map| kind.merges(&root) && !map.is_empty() && !springs_up) {
                Some(map) => units.extend(map.keys().map(|key| root.child(key))),
                None => units.push(root),
            }
        }
        // Left out, they are set back.
        let set_back = kind
            .root()
            .fields
            .iter()
            .filter(|(name, field)| field.sent_along && !request.contains_key(*name));
        let set_back: Vec<FieldPath> = set_back.map(|(name, _)| FieldPath::root_field(name)).collect();
        let along = units
            .iter()
            .flat_map(|unit| {
                let whole = kind.moves_with(unit.root()).into_iter().map(|root| FieldPath::root_field(&root));
                kind.moved_with(unit).into_iter().chain(whole)
            })
            .chain(set_back)
            .collect();
        Self { units, along }
    }

    /// Whether the request can have changed this path.
    pub(super) fn explains(&self, path: &FieldPath) -> bool {
        let touches = |other: &FieldPath| other.encloses(path) || path.encloses(other);
        self.units.iter().chain(&self.along).any(touches)
    }
}

/// The changes that a request asks for, as the catalogue's prediction takes them.
pub(super) fn changes(request: &Body, units: &[FieldPath]) -> Vec<(FieldPath, Option<Value>)> {
    units.iter().map(|unit| (unit.clone(), unit.get(request).cloned())).collect()
}
