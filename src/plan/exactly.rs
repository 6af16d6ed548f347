//! `replace`: the leaves that differ between an object as it is and as it is to be, exactly.

use serde_json::{Map, Value};

use crate::catalogue::{FieldType, Kind, Lookup, Unset, Writable, patch, redact};
use crate::model::value::same;
use crate::model::{Body, FieldChange, FieldPath};

/// What must change so that the object at `path` is exactly `object`. A key that is not named equals its default, a read-only
/// key and a secret stay. Keys that nothing can empty and that have no default are the service's to fill: they go along where
/// the object is sent, and are no reason to send it. Whole objects (an add-on) are not: they are left out, and gone.
/// What holds a secret cannot be put back, and is not removed by being left unnamed: such a path is the error.
pub(super) fn exactly(
    kind: &Kind,
    path: &FieldPath,
    object: &Value,
    before: &Body,
) -> Result<Vec<FieldChange>, FieldPath> {
    let mut difference = Difference { kind, before, changes: Vec::new(), left: Vec::new(), secret: None };
    match object {
        Value::Object(map) => difference.object(path, map),
        other => difference.leaf(path.clone(), Some(other.clone())),
    }
    if let Some(secret) = difference.secret {
        return Err(secret);
    }
    if difference.changes.is_empty() {
        return Ok(Vec::new());
    }
    difference.changes.extend(difference.left);
    Ok(difference.changes)
}

struct Difference<'d> {
    kind: &'d Kind,
    before: &'d Body,
    changes: Vec<FieldChange>,
    left: Vec<FieldChange>,
    secret: Option<FieldPath>,
}

impl Difference<'_> {
    fn object(&mut self, path: &FieldPath, wanted: &Map<String, Value>) {
        let absent = path.get(self.before).is_none();
        if wanted.values().all(Value::is_null) && absent {
            // An add-on is on where it has an object, be it empty; elsewhere an empty object is as good as none.
            if !patch::is_sent_alone(self.kind, path) {
                self.leaf(path.clone(), Some(Value::Object(Map::new())));
            }
            return;
        }
        for (key, value) in wanted {
            let child = path.child(key);
            match value {
                Value::Object(inner) if self.holds_keys(&child) => self.object(&child, inner),
                Value::Null => self.leaf(child, None),
                value => self.leaf(child, Some(value.clone())),
            }
        }
        let held: Vec<String> = match path.get(self.before) {
            Some(Value::Object(held)) => {
                held.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect()
            }
            _ => Vec::new(),
        };
        for key in held {
            self.unnamed(path.child(&key));
        }
    }

    fn holds_keys(&self, path: &FieldPath) -> bool {
        matches!(self.kind.lookup(path), Lookup::Field(field) if field.ty == FieldType::Object)
    }

    fn unnamed(&mut self, path: FieldPath) {
        let kind = self.kind;
        if kind.writable(&path) != Writable::Patch || kind.is_secret(&path) {
            return;
        }
        if path.get(self.before).is_some_and(redact::has_marker) {
            self.secret.get_or_insert(path);
            return;
        }
        let default = kind.default_of(&path).filter(|default| !default.is_null());
        if default.is_some() && same(default, path.get(self.before), kind.order(&path)) {
            return;
        }
        let scalar = !path.get(self.before).is_some_and(Value::is_object);
        let fills = scalar
            && default.is_none()
            && kind.unset_of(&path) == Unset::No
            && !patch::is_sent_alone(kind, &path);
        if fills {
            self.left.extend(self.change(path, None));
        } else {
            self.leaf(path, None);
        }
    }

    fn leaf(&mut self, path: FieldPath, after: Option<Value>) {
        self.changes.extend(self.change(path, after));
    }

    fn change(&self, path: FieldPath, after: Option<Value>) -> Option<FieldChange> {
        let now = path.get(self.before);
        let order = self.kind.order(&path);
        // What differs is what Auth0 will hold afterwards.
        let after = after.or_else(|| patch::emptied_as(self.kind, &path));
        let change = FieldChange { before: now.cloned(), after, order, items: None, path };
        let wanted = [(change.path.clone(), change.after.clone())];
        let settled = patch::predict(self.kind, self.before, &wanted);
        let differs = !same(change.path.get(&settled), change.before.as_ref(), order);
        differs.then_some(change)
    }
}
