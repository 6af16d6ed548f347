//! The writes of a tenant's plan, kept as the lines that the plan's file has of them. Central type: [`Writes`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::types::{Write, is_from_place};
use crate::catalogue::{KindName, redact};
use crate::model::{FieldChange, PackedList, SecretPlace};

/// The writes of one tenant, in the plan's order. They are opened one by one: as they stand in memory, a hundred thousand
/// would take half a gigabyte.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Writes {
    list: PackedList<Write>,
    /// Those that leave a field as it is, in ascending order: only an undo has any.
    leaving: Vec<usize>,
    /// Those that take a secret away which nobody can put back, in ascending order.
    losing: Vec<usize>,
    /// The root fields that any of them sends, kind by kind.
    fields: BTreeMap<KindName, BTreeSet<String>>,
    /// Those whose body is composed from a read at send time, in ascending order.
    composing: Vec<usize>,
    /// Where the secrets are kept that any of them sets.
    places: BTreeSet<SecretPlace>,
    /// How many there are of each kind, in the order in which they come.
    kinds: Vec<(KindName, usize)>,
    /// Of which new ones are made.
    creates: usize,
    creating: BTreeSet<KindName>,
    /// Of which some are changed.
    updating: BTreeSet<KindName>,
}

impl Writes {
    /// Adds one at the end.
    pub fn push(&mut self, write: &Write) {
        if !write.left.is_empty() {
            self.leaving.push(self.list.len());
        }
        if write.compose {
            self.composing.push(self.list.len());
        }
        let places = write.changes.iter().filter_map(|change| SecretPlace::of(change.after.as_ref()?));
        self.places.extend(places);
        // A new object has none to lose.
        if !write.create && write.changes.iter().any(loses_secret) {
            self.losing.push(self.list.len());
        }
        self.creates += usize::from(write.create);
        if write.create { &mut self.creating } else { &mut self.updating }.insert(write.kind);
        match self.kinds.iter_mut().find(|(kind, _)| *kind == write.kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((write.kind, 1)),
        }
        let fields = self.fields.entry(write.kind).or_default();
        for field in write.body.keys() {
            // A hundred thousand writes send the same few.
            if !fields.contains(field) {
                fields.insert(field.clone());
            }
        }
        self.list.push(write);
    }

    /// The root fields that any of them sends, kind by kind.
    pub fn fields(&self) -> &BTreeMap<KindName, BTreeSet<String>> {
        &self.fields
    }

    /// How many there are of each kind.
    pub fn by_kind(&self) -> &Vec<(KindName, usize)> {
        &self.kinds
    }

    /// How many of them make a new object.
    pub fn creates(&self) -> usize {
        self.creates
    }

    /// The kinds of which any of them makes a new object.
    pub fn creating(&self) -> Vec<KindName> {
        self.creating.iter().copied().collect()
    }

    /// The kinds of which any of them changes an object.
    pub fn updating(&self) -> Vec<KindName> {
        self.updating.iter().copied().collect()
    }

    /// Where the secrets are kept that any of them sets.
    pub fn places(&self) -> &BTreeSet<SecretPlace> {
        &self.places
    }

    /// What stands at a place.
    pub fn get(&self, at: usize) -> Option<Write> {
        self.list.get(at)
    }

    /// What stands at a place of which it is known that something stands there.
    ///
    /// # Panics
    /// Where nothing does, as an index into a list would.
    pub fn at(&self, at: usize) -> Write {
        match self.list.get(at) {
            Some(write) => write,
            None => panic!("a plan of {} writes has none at {at}", self.len()),
        }
    }

    /// All of them, each opened when its turn comes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Write> + '_ {
        self.list.iter()
    }

    /// Those at these places, each opened when its turn comes.
    pub fn some<'a>(
        &'a self,
        places: impl IntoIterator<Item = usize, IntoIter: 'a>,
    ) -> impl Iterator<Item = Write> + 'a {
        places.into_iter().filter_map(|at| self.list.get(at))
    }

    /// The JSON of what stands at a place, as the plan's file has it; null beyond the last.
    pub(super) fn raw(&self, at: usize) -> Result<&RawValue, serde_json::Error> {
        serde_json::from_str(self.list.text(at).unwrap_or("null"))
    }

    /// Those that take a secret away which nobody can put back, in ascending order.
    pub fn losing_secrets(&self) -> &[usize] {
        &self.losing
    }

    /// Whether the write at a place leaves a field as it is.
    pub fn leaves_fields(&self, at: usize) -> bool {
        self.leaving.binary_search(&at).is_ok()
    }

    /// Whether the write at a place is composed from a read at send time.
    pub fn is_composed(&self, at: usize) -> bool {
        self.composing.binary_search(&at).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives back memory that was taken for more of them.
    pub fn shrink(&mut self) {
        self.list.shrink();
    }
}

fn loses_secret(change: &FieldChange) -> bool {
    let holds = |value: &Option<Value>| value.as_ref().is_some_and(redact::has_marker);
    // Inside an object the tenant shows that there is one; a root field it may not show.
    let may_be_there = change.path.depth() == 1 || change.before.is_some();
    is_from_place(change) && may_be_there || holds(&change.before) && !holds(&change.after)
}

impl FromIterator<Write> for Writes {
    fn from_iter<I: IntoIterator<Item = Write>>(writes: I) -> Self {
        let mut all = Self::default();
        writes.into_iter().for_each(|write| all.push(&write));
        all.shrink();
        all
    }
}
