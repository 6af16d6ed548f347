//! Root fields that move, or forbid, each other: what a write of one does to another, and what Auth0 would refuse of both.
//! The facts are in each kind's overlay. Central functions: [`moved_along`] and [`faults`]. Uses `model` and [`Kind`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Fault, Kind, patch};
use crate::model::value::same;
use crate::model::{Body, FieldPath};
pub(super) use link::Link;
pub(super) use twin::Twin;

mod link;
mod twin;

type Change = (FieldPath, Option<Value>);

/// What a kind's overlay says of fields that belong together.
#[derive(Debug, Clone, Default)]
pub(super) struct Linked {
    pub(super) links: Vec<Link>,
    pub(super) twins: Vec<Twin>,
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

impl Kind {
    /// Further root fields to read where this one is written: it moves them, they forbid what is written, or they are sent along.
    pub fn read_along<'k>(&'k self, root: &'k str) -> impl Iterator<Item = &'k str> {
        let along = self.root().fields.iter().filter(move |(name, field)| field.sent_along && *name != root);
        self.linked_to(root).chain(along.map(|(name, _)| name.as_str()))
    }

    fn linked_to<'k>(&'k self, root: &'k str) -> impl Iterator<Item = &'k str> {
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

    /// Paths that a change of this one moves, or that move it.
    pub fn moved_with(&self, path: &FieldPath) -> Vec<FieldPath> {
        let touches = |other: &FieldPath| other.encloses(path) || path.encloses(other);
        let mut paths = Vec::new();
        for link in &self.linked.links {
            let field = FieldPath::root_field(&link.field);
            if touches(&field) {
                paths.extend(link.empties.iter().cloned());
            } else if link.empties.iter().any(touches) {
                paths.push(field);
            }
        }
        for twin in &self.linked.twins {
            let names = [&twin.field, &twin.older].map(|name| FieldPath::root_field(name));
            if names.contains(path) {
                paths.extend(names);
            } else if names.iter().any(|name| touches(&name.child(&twin.shares))) {
                paths.extend(names.map(|name| name.child(&twin.shares)));
            }
        }
        paths
    }

    /// Other root fields that a write of this one moves, or that move it: they are put back together.
    pub fn moves_with(&self, root: &str) -> BTreeSet<String> {
        let paths = self.moved_with(&FieldPath::root_field(root));
        paths.iter().map(FieldPath::root).filter(|other| *other != root).map(str::to_owned).collect()
    }

    /// Whether this is a setting under its older name, which the service shows of its own accord.
    pub fn is_older_name(&self, path: &FieldPath) -> bool {
        path.depth() == 1 && self.linked.twins.iter().any(|twin| twin.older == path.root())
    }

    /// Whether writing this root field can concern other fields.
    pub fn is_linked(&self, root: &str) -> bool {
        self.linked_to(root).next().is_some()
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
    for (twin, newer, older) in written_twins(kind, changes) {
        match (newer, older) {
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
    // What a token could not read is not known to be absent, nor is anything without a client.
    let read = |root: &str| {
        if kind.read_scopes_of(root).is_empty() { !before.is_empty() } else { before.contains_key(root) }
    };
    let known = |link: &&Link| link.absent.iter().all(|path| read(path.root()));
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

/// A setting with two names, and which of them is written: the newer, the older.
pub(super) type Written<'k> = (&'k Twin, bool, bool);

/// The settings with two names of which these changes write one or both; most changes write none.
pub(super) fn written_twins<'k>(kind: &'k Kind, changes: &[Change]) -> Vec<Written<'k>> {
    let written = |name: &str| changes.iter().any(|(path, _)| path.root() == name);
    let twins = kind.linked.twins.iter().map(|twin| (twin, written(&twin.field), written(&twin.older)));
    twins.filter(|(_, newer, older)| *newer || *older).collect()
}

/// Makes a predicted state whole: the other name of a setting that was written.
pub(super) fn mirror(state: &mut Body, twins: &[Written<'_>]) {
    for (twin, newer, older) in twins {
        twin.mirror(state, *newer, *older);
    }
}

#[cfg(test)]
mod tests;
