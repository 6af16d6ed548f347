//! What writing one field means for others. Central type: [`Link`].

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::catalogue::Fault;
use crate::model::{Body, FieldPath};

/// What writing one field means for others. `field` is written, and holds `value` or has `item` afterwards where one is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalogue) struct Link {
    /// Where it is known from: for people who doubt it.
    #[serde(rename = "source")]
    _source: String,
    pub(super) field: String,
    pub(super) value: Option<Value>,
    pub(super) item: Option<Value>,
    /// Fields that the service takes away then: the same request empties them.
    #[serde(default)]
    pub(super) empties: Vec<FieldPath>,
    /// Fields that must hold nothing then.
    #[serde(default)]
    pub(super) without: Vec<FieldPath>,
    /// Values that other fields must have then, as far as they hold one.
    #[serde(default)]
    pub(super) with: IndexMap<FieldPath, Value>,
    /// Values that other fields must not have then.
    #[serde(default)]
    pub(super) not_with: IndexMap<FieldPath, Value>,
    /// Fields that must hold nothing for all this to be said.
    #[serde(default)]
    pub(super) absent: Vec<FieldPath>,
}

impl Link {
    /// Whether a change of this path can break it: it writes the field, or what must or must not stand beside it.
    pub(super) fn concerns(&self, path: &FieldPath) -> bool {
        let beside = |other: &FieldPath| other.encloses(path) || path.encloses(other);
        path.root() == self.field || self.without.iter().chain(self.with.keys()).any(beside)
    }

    /// The roots of the other fields that it speaks of.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        let forbidden = self.without.iter().chain(self.with.keys()).chain(self.not_with.keys());
        let listed = self.empties.iter().chain(forbidden).chain(&self.absent);
        listed.map(FieldPath::root)
    }

    /// Whether writing another root field, this one, can break it.
    pub(super) fn binds(&self, root: &str) -> bool {
        self.without.iter().chain(self.with.keys()).any(|other| other.root() == root)
    }

    /// Whether it speaks of a write that leaves the field with this value.
    pub(super) fn applies(&self, after: Option<&Value>) -> bool {
        let Some(after) = after.filter(|value| !value.is_null()) else { return false };
        self.value.as_ref().is_none_or(|value| value == after)
            && self
                .item
                .as_ref()
                .is_none_or(|item| after.as_array().is_some_and(|items| items.contains(item)))
    }

    /// The field as a sentence begins with it.
    pub(super) fn subject(&self) -> String {
        match (&self.value, &self.item) {
            (Some(value), _) => format!("{} {value}", self.field),
            (None, Some(item)) => format!("{item} in {}", self.field),
            (None, None) => self.field.clone(),
        }
    }

    pub(super) fn faults(&self, after: &Body) -> Vec<Fault> {
        let held = |path: &FieldPath| path.get(after).filter(|value| !value.is_null()).cloned();
        if self.absent.iter().any(|path| held(path).is_some()) {
            return Vec::new();
        }
        let mut faults = Vec::new();
        for (path, now) in self.without.iter().filter_map(|path| Some((path, held(path)?))) {
            let what = format!("{} does not go with {path} ({now})", self.subject());
            let help = "give one of the two; where the client holds the other, empty it in the same job";
            faults.push(Fault::new(self.field.clone(), what).help(help));
        }
        for (path, value) in &self.with {
            if let Some(now) = held(path).filter(|now| now != value) {
                let what = format!("{} needs {path} to be {value}; it is {now}", self.subject());
                faults.push(
                    Fault::new(self.field.clone(), what)
                        .help(format!("set {path} to {value} in the same job")),
                );
            }
        }
        for (path, value) in &self.not_with {
            if held(path).as_ref() == Some(value) {
                let what = format!("{} does not go with {path} {value}", self.subject());
                faults.push(
                    Fault::new(self.field.clone(), what)
                        .help(format!("leave it out, or change {path} in the same job")),
                );
            }
        }
        faults
    }
}
