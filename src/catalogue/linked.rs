//! Root fields that move, or forbid, each other: what a write of one does to another, and what Auth0 would refuse of both.
//! The facts are in each kind's overlay. Central functions: [`emptied_along`] and [`faults`]. Uses `model` and [`Kind`].

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fault, Kind, patch};
use crate::model::value::same;
use crate::model::{Body, FieldPath};

type Change = (FieldPath, Option<Value>);

/// What a kind's overlay says of fields that belong together.
#[derive(Debug, Clone, Default)]
pub(super) struct Linked {
    pub(super) links: Vec<Link>,
    pub(super) twins: Vec<Twin>,
}

/// What writing one field means for others. `field` is written, and holds `value` or has `item` afterwards where one is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// Where it is known from: for people who doubt it.
    #[serde(rename = "source")]
    _source: String,
    field: String,
    value: Option<Value>,
    item: Option<Value>,
    /// Fields that the service takes away then: the same request empties them.
    #[serde(default)]
    empties: Vec<FieldPath>,
    /// Fields that must hold nothing then.
    #[serde(default)]
    without: Vec<FieldPath>,
    /// Values that other fields must have then, as far as they hold one.
    #[serde(default)]
    with: IndexMap<FieldPath, Value>,
    /// Values that other fields must not have then.
    #[serde(default)]
    not_with: IndexMap<FieldPath, Value>,
    /// Fields that must hold nothing for all this to be said.
    #[serde(default)]
    absent: Vec<FieldPath>,
}

/// One setting under two names. Only the newer is sent; null for the older one empties both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Twin {
    #[serde(rename = "source")]
    _source: String,
    /// The newer name.
    field: String,
    /// The older name.
    older: String,
    /// The key that both show.
    shares: String,
}

impl Linked {
    /// Every root field that the overlay names here, for a check of the overlay.
    pub(super) fn roots(&self) -> impl Iterator<Item = &str> {
        let of_links = self.links.iter().flat_map(|link| link.others().chain([link.field.as_str()]));
        let of_twins = self.twins.iter().flat_map(|twin| [twin.field.as_str(), twin.older.as_str()]);
        of_links.chain(of_twins)
    }

    /// The field that is sent as null to empty this one, where that is not the field itself.
    pub(super) fn emptied_through(&self, root: &str) -> Option<&str> {
        self.twins.iter().find(|twin| twin.field == root).map(|twin| twin.older.as_str())
    }
}

impl Link {
    /// Whether a change of this path can break it: it writes the field, or what must or must not stand beside it.
    fn concerns(&self, path: &FieldPath) -> bool {
        let beside = |other: &FieldPath| other.encloses(path) || path.encloses(other);
        path.root() == self.field || self.without.iter().chain(self.with.keys()).any(beside)
    }

    /// The roots of the other fields that it speaks of.
    fn others(&self) -> impl Iterator<Item = &str> {
        let forbidden = self.without.iter().chain(self.with.keys()).chain(self.not_with.keys());
        let listed = self.empties.iter().chain(forbidden).chain(&self.absent);
        listed.map(FieldPath::root)
    }

    /// Whether writing another root field, this one, can break it.
    fn binds(&self, root: &str) -> bool {
        self.without.iter().chain(self.with.keys()).any(|other| other.root() == root)
    }

    /// Whether it speaks of a write that leaves the field with this value.
    fn applies(&self, after: Option<&Value>) -> bool {
        let Some(after) = after.filter(|value| !value.is_null()) else { return false };
        self.value.as_ref().is_none_or(|value| value == after)
            && self
                .item
                .as_ref()
                .is_none_or(|item| after.as_array().is_some_and(|items| items.contains(item)))
    }

    /// The field as a sentence begins with it.
    fn subject(&self) -> String {
        match (&self.value, &self.item) {
            (Some(value), _) => format!("{} {value}", self.field),
            (None, Some(item)) => format!("{item} in {}", self.field),
            (None, None) => self.field.clone(),
        }
    }

    fn faults(&self, after: &Body) -> Vec<Fault> {
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

impl Twin {
    /// What becomes of the name that was not written: it goes, or shows the other addresses.
    fn moves(&self, name: &str, before: &Body, after: &Body) -> Option<Change> {
        let root = FieldPath::root_field(name);
        let now = root.get(after).filter(|value| !value.is_null());
        if now.is_none() {
            return Some((root, None));
        }
        let shown =
            |value: &Value| value.as_object().is_some_and(|map| map.keys().all(|key| *key == self.shares));
        let only_addresses = name == self.field || root.get(before).is_some_and(shown);
        let path = if only_addresses { root.child(&self.shares) } else { root };
        Some((path.clone(), path.get(after).cloned()))
    }

    /// What a write that names one of the two makes of the other.
    fn mirror(&self, state: &mut Body, written: impl Fn(&str) -> bool) {
        let (newer, older) = (written(&self.field), written(&self.older));
        let gone = |name: &str| state.get(name).is_none_or(Value::is_null);
        if (newer && gone(&self.field)) || (older && !newer && gone(&self.older)) {
            state.shift_remove(&self.field);
            state.shift_remove(&self.older);
        } else if newer {
            if let Some(shared) = state.get(&self.field).and_then(|value| value.get(&self.shares)).cloned() {
                state.insert(
                    self.older.clone(),
                    Value::Object(Map::from_iter([(self.shares.clone(), shared)])),
                );
            }
        } else if older
            && let Some(shared) = state.get(&self.older).and_then(|value| value.get(&self.shares)).cloned()
        {
            let entry = state.entry(self.field.clone()).or_insert(Value::Null);
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            entry[&self.shares] = shared;
        }
    }

    fn fault(&self, kind: &Kind, before: &Body, changes: &[Change]) -> Option<Fault> {
        let (older, others): (Vec<&Change>, Vec<&Change>) =
            changes.iter().partition(|(path, _)| path.root() == self.older);
        if !others.iter().any(|(path, _)| path.root() == self.field) {
            return None;
        }
        let others: Vec<Change> = others.into_iter().cloned().collect();
        let shown = patch::predict(kind, before, &others);
        let (path, _) = older
            .into_iter()
            .find(|(path, after)| !same(path.get(&shown), after.as_ref(), kind.order(path)))?;
        let what = format!(
            "{} and {} are one setting under two names, and are asked to differ",
            self.older, self.field
        );
        let help = format!("leave {} out, and set {} alone", self.older, self.field);
        Some(Fault::new(path.to_string(), what).help(help))
    }
}

impl Kind {
    /// Further root fields to read where this one is written: it moves them, or they forbid what is written.
    pub fn read_along<'k>(&'k self, root: &'k str) -> impl Iterator<Item = &'k str> {
        let written = self.linked.links.iter().filter(move |link| link.field == root).flat_map(Link::others);
        let beside =
            self.linked.links.iter().filter(move |link| link.binds(root)).map(|link| link.field.as_str());
        let links = written.chain(beside);
        let twins = self.linked.twins.iter().filter_map(move |twin| match root {
            _ if twin.field == root => Some(twin.older.as_str()),
            _ if twin.older == root => Some(twin.field.as_str()),
            _ => None,
        });
        links.chain(twins)
    }

    /// Root fields that a write of this one moves, or that move it: they are put back together.
    pub fn moves_with(&self, root: &str) -> BTreeSet<&str> {
        let links = self
            .linked
            .links
            .iter()
            .flat_map(|link| link.empties.iter().map(|path| (link.field.as_str(), path.root())));
        let twins = self.linked.twins.iter().map(|twin| (twin.field.as_str(), twin.older.as_str()));
        links
            .chain(twins)
            .filter_map(|(one, two)| match root {
                _ if one == root => Some(two),
                _ if two == root => Some(one),
                _ => None,
            })
            .collect()
    }

    /// Whether this is a setting under its older name, which the service shows of its own accord.
    pub fn is_older_name(&self, path: &FieldPath) -> bool {
        path.depth() == 1 && self.linked.twins.iter().any(|twin| twin.older == path.root())
    }

    /// Whether writing this root field can concern other fields.
    pub fn is_linked(&self, root: &str) -> bool {
        self.read_along(root).next().is_some()
    }
}

/// What the service does to other fields that hold something, when these changes are made: changes too, to be shown, judged
/// and put back.
pub fn moved_along(kind: &Kind, before: &Body, changes: &[Change]) -> Vec<Change> {
    if !changes.iter().any(|(path, _)| kind.is_linked(path.root())) {
        return Vec::new();
    }
    let after = patch::predict(kind, before, changes);
    let emptied = applying(kind, changes, &after).flat_map(|link| &link.empties);
    let mut moved: Vec<Change> = emptied.map(|path| (path.clone(), None)).collect();
    for twin in &kind.linked.twins {
        let written = |name: &str| changes.iter().any(|(path, _)| path.root() == name);
        match (written(&twin.field), written(&twin.older)) {
            (true, false) => moved.extend(twin.moves(&twin.older, before, &after)),
            (false, true) => moved.extend(twin.moves(&twin.field, before, &after)),
            _ => (),
        }
    }
    let named = |path: &FieldPath| {
        changes.iter().any(|(changed, _)| path.encloses(changed) || changed.encloses(path))
    };
    let held = |path: &FieldPath| path.get(before).filter(|value| !value.is_null());
    moved.retain(|(path, after)| {
        !named(path) && held(path).is_some_and(|now| !same(Some(now), after.as_ref(), kind.order(path)))
    });
    moved
}

/// What Auth0 would refuse of these changes for the sake of other fields, changed along with them or held already.
pub fn faults(kind: &Kind, before: &Body, changes: &[Change]) -> Vec<Fault> {
    if !changes.iter().any(|(path, _)| kind.is_linked(path.root())) {
        return Vec::new();
    }
    let after = patch::predict(kind, before, changes);
    // What the tenant holds already is not ours to refuse.
    let held =
        |link: &Link| if link.applies(before.get(&link.field)) { link.faults(before) } else { Vec::new() };
    let known = |link: &&Link| link.absent.is_empty() || !before.is_empty();
    let mut faults: Vec<Fault> = Vec::new();
    for link in applying(kind, changes, &after).filter(known) {
        let held = held(link);
        let of_field = changes.iter().find(|(path, _)| path.root() == link.field);
        let Some((path, _)) = of_field.or_else(|| changes.iter().find(|(path, _)| link.concerns(path)))
        else {
            continue;
        };
        let new = link.faults(&after).into_iter().filter(|fault| !held.contains(fault));
        faults.extend(new.map(|fault| Fault { path: path.to_string(), ..fault }));
    }
    faults.extend(kind.linked.twins.iter().filter_map(|twin| twin.fault(kind, before, changes)));
    faults
}

fn applying<'k>(kind: &'k Kind, changes: &[Change], after: &Body) -> impl Iterator<Item = &'k Link> {
    let concerned = |link: &&Link| changes.iter().any(|(path, _)| link.concerns(path));
    kind.linked.links.iter().filter(concerned).filter(|link| link.applies(after.get(&link.field)))
}

/// Of two names of one setting, the body names one.
pub(super) fn send_one_name(kind: &Kind, body: &mut Body) {
    for twin in &kind.linked.twins {
        if body.get(&twin.field).is_some_and(|value| !value.is_null()) {
            body.shift_remove(&twin.older);
        }
    }
}

/// Makes a predicted state whole: the other name of a setting that was written.
pub(super) fn mirror(kind: &Kind, state: &mut Body, written: &[String]) {
    for twin in &kind.linked.twins {
        twin.mirror(state, |root| written.iter().any(|name| name == root));
    }
}

#[cfg(test)]
mod tests;
