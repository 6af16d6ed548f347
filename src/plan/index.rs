//! The objects of a tenant by the texts of their fields, so that a file of ten thousand names or patterns is not laid beside
//! every client. Central type: [`Index`].

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use serde_json::Value;

use super::state::TenantState;
use crate::catalogue::Kind;
use crate::job::Pattern;
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldPath};

/// Near misses looked for in one tenant; a file that names the wrong tenant throughout has thousands of misses.
const HINTS: u32 = 20;

/// The objects of a tenant by the texts of fields. Each field is sorted when it is first asked for.
pub struct Index<'s> {
    kind: &'s Kind,
    state: &'s TenantState,
    by: RefCell<HashMap<FieldPath, Rc<Texts>>>,
    /// How many near misses are still looked for: each look compares with every name of the tenant.
    hints: Cell<u32>,
}

/// What the objects hold in one field: of a list, each item.
struct Texts {
    /// Text and the object's place, sorted by both.
    sorted: Vec<(Box<str>, u32)>,
    /// Places in `sorted`, sorted by the texts read backwards.
    backwards: Vec<u32>,
}

impl<'s> Index<'s> {
    /// Of nothing yet.
    pub fn new(kind: &'s Kind, state: &'s TenantState) -> Self {
        Self { kind, state, by: RefCell::default(), hints: Cell::new(HINTS) }
    }

    /// The objects that fit all of the patterns, in the order of the list.
    pub(super) fn fitting(&self, patterns: &[(&FieldPath, &Pattern)]) -> Vec<EntityId> {
        let texts = |path: &FieldPath| self.texts(path);
        let narrowest =
            patterns.iter().enumerate().min_by_key(|(_, (path, pattern))| texts(path).bound(pattern));
        let Some((chosen, (path, pattern))) = narrowest else {
            return self.state.objects.keys().cloned().collect();
        };
        let others =
            || patterns.iter().enumerate().filter(move |(at, _)| *at != chosen).map(|(_, other)| other);
        let fits = |body: &Body| {
            others().all(|(path, pattern)| texts_of(path.get(body)).any(|text| pattern.fits(&text)))
        };
        let found = texts(path).places(pattern).into_iter();
        let objects = found.filter_map(|at| self.state.objects.get_index(at as usize));
        let objects = objects.filter(|(_, body)| others().next().is_none() || fits(&body.open()));
        objects.map(|(id, _)| id.clone()).collect()
    }

    /// What is said of a name that nobody has.
    pub(super) fn not_found(&self, key: &FieldPath, name: &str) -> String {
        let message = format!("no {} {} \"{name}\"", self.kind.singular, called(self.kind, key));
        let hints = self.hints.get();
        self.hints.set(hints.saturating_sub(1));
        if hints == 0 {
            return message;
        }
        let texts = self.texts(key);
        match nearest(name, texts.sorted.iter().map(|(text, _)| &**text)) {
            Some(near) => format!("{message}; did you mean \"{near}\"?"),
            None => message,
        }
    }

    fn texts(&self, path: &FieldPath) -> Rc<Texts> {
        let mut by = self.by.borrow_mut();
        if let Some(texts) = by.get(path) {
            return Rc::clone(texts);
        }
        let texts = Rc::new(Texts::of(self.state, path));
        by.insert(path.clone(), Rc::clone(&texts));
        texts
    }
}

impl Texts {
    fn of(state: &TenantState, path: &FieldPath) -> Self {
        let mut sorted: Vec<(Box<str>, u32)> = Vec::with_capacity(state.objects.len());
        for (at, (_, body)) in (0..).zip(state.all()) {
            sorted.extend(texts_of(path.get(&body)).map(|text| (text.into(), at)));
        }
        sorted.sort_unstable();
        let mut backwards: Vec<u32> = (0..).take(sorted.len()).collect();
        backwards.sort_by(|a, b| reversed(&sorted[*a as usize].0).cmp(reversed(&sorted[*b as usize].0)));
        Self { sorted, backwards }
    }

    /// How many must be looked at for a pattern, at the most.
    fn bound(&self, pattern: &Pattern) -> usize {
        match pattern.exact() {
            Some(text) => self.equal(text).len(),
            None => self.beginning(pattern).len().min(self.ending(pattern).len()),
        }
    }

    /// The objects that fit a pattern, each once, in the order of the list.
    fn places(&self, pattern: &Pattern) -> Vec<u32> {
        let fits = |(text, _): &&(Box<str>, u32)| pattern.fits(text);
        let (beginning, ending) = (self.beginning(pattern), self.ending(pattern));
        let mut places: Vec<u32> = match pattern.exact() {
            Some(text) => self.sorted[self.equal(text)].iter().map(|(_, at)| *at).collect(),
            None if beginning.len() <= ending.len() => {
                self.sorted[beginning].iter().filter(fits).map(|(_, at)| *at).collect()
            }
            None => {
                let candidates = self.backwards[ending].iter().map(|at| &self.sorted[*at as usize]);
                candidates.filter(fits).map(|(_, at)| *at).collect()
            }
        };
        places.sort_unstable();
        places.dedup();
        places
    }

    fn equal(&self, wanted: &str) -> Range<usize> {
        let begin = self.sorted.partition_point(|(text, _)| **text < *wanted);
        let length = self.sorted[begin..].partition_point(|(text, _)| **text == *wanted);
        begin..begin + length
    }

    fn beginning(&self, pattern: &Pattern) -> Range<usize> {
        let prefix = pattern.prefix();
        let begin = self.sorted.partition_point(|(text, _)| **text < *prefix);
        let length = self.sorted[begin..].partition_point(|(text, _)| text.starts_with(prefix));
        begin..begin + length
    }

    fn ending(&self, pattern: &Pattern) -> Range<usize> {
        let suffix = pattern.suffix();
        let text = |at: &u32| &*self.sorted[*at as usize].0;
        let begin = self.backwards.partition_point(|at| reversed(text(at)).lt(reversed(suffix)));
        let length = self.backwards[begin..].partition_point(|at| text(at).ends_with(suffix));
        begin..begin + length
    }
}

fn reversed(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().rev()
}

/// The texts that a pattern is compared with: one of a scalar, each item of a list, none of an object.
pub(super) fn texts_of(value: Option<&Value>) -> impl Iterator<Item = Cow<'_, str>> {
    let (list, scalar) = match value {
        Some(Value::Array(items)) => (items.as_slice(), None),
        scalar => (&[] as &[Value], scalar),
    };
    list.iter().chain(scalar).filter_map(|value| match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        value @ (Value::Bool(_) | Value::Number(_)) => Some(Cow::Owned(value.to_string())),
        _ => None,
    })
}

/// How a name or key is said to belong to a client.
pub(super) fn called(kind: &Kind, key: &FieldPath) -> String {
    if key.depth() == 1 && key.root() == kind.endpoint.name_field {
        "is named".to_owned()
    } else {
        format!("has the {key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use crate::model::Packed;
    use proptest::prelude::*;
    use serde_json::json;

    fn state(names: &[(String, Vec<String>)]) -> TenantState {
        let object = |(at, (name, urls)): (usize, &(String, Vec<String>))| {
            let body = json!({ "name": name, "callbacks": urls, "sso": at % 2 == 0 });
            (EntityId::new(at.to_string()), Packed::new(body.as_object().unwrap()))
        };
        TenantState { objects: names.iter().enumerate().map(object).collect(), ..TenantState::default() }
    }

    proptest! {
        /// The order in which the texts are kept is a means, and must not change who fits.
        #[test]
        fn whoever_fits_by_the_index_fits_by_looking_at_each(
            names in prop::collection::vec(("[abé]{0,4}", prop::collection::vec("[ab]{0,3}", 0..3)), 0..12),
            globs in prop::collection::vec((0_usize..3, "[abé*]{0,4}"), 0..3),
        ) {
            let state = state(&names);
            let paths: Vec<FieldPath> = ["name", "callbacks", "sso"].iter().map(|p| p.parse().unwrap()).collect();
            let patterns: Vec<(&FieldPath, Pattern)> =
                globs.iter().map(|(at, glob)| (&paths[*at], Pattern::glob(glob))).collect();
            let wanted: Vec<(&FieldPath, &Pattern)> = patterns.iter().map(|(path, p)| (*path, p)).collect();
            let each = state.all().filter(|(_, body)| {
                wanted.iter().all(|(path, p)| texts_of(path.get(body)).any(|text| p.fits(&text)))
            });
            let each: Vec<EntityId> = each.map(|(id, _)| id.clone()).collect();
            prop_assert_eq!(Index::new(default_kind(), &state).fitting(&wanted), each);
        }
    }
}
