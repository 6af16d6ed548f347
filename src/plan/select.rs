//! Whom an update is about, in one tenant.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::state::TenantState;
use super::types::Done;
use crate::catalogue::Kind;
use crate::job::{Pattern, Selector, Update};
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldPath, Reason, RowResult};

/// The objects of a tenant by the text of a field, so that a file of exact values is not compared with every client.
/// Each field is sorted when it is first asked for.
pub struct Index<'s> {
    kind: &'s Kind,
    state: &'s TenantState,
    by: RefCell<HashMap<FieldPath, Rc<Sorted<'s>>>>,
    /// How many near misses are still looked for: each look compares with every name of the tenant.
    hints: Cell<u32>,
}

/// Positions of objects by the text of one field; of a list, by each item.
type Sorted<'s> = HashMap<Cow<'s, str>, Vec<usize>>;

/// Near misses looked for in one tenant; a file that names the wrong tenant throughout has thousands of misses.
const HINTS: u32 = 20;

impl<'s> Index<'s> {
    /// Of nothing yet.
    pub fn new(kind: &'s Kind, state: &'s TenantState) -> Self {
        Self { kind, state, by: RefCell::default(), hints: Cell::new(HINTS) }
    }

    fn sorted(&self, path: &FieldPath) -> Rc<Sorted<'s>> {
        let mut by = self.by.borrow_mut();
        if let Some(sorted) = by.get(path) {
            return Rc::clone(sorted);
        }
        let mut sorted = Sorted::new();
        for (at, body) in self.state.objects.values().enumerate() {
            for text in texts(path.get(body)) {
                sorted.entry(text).or_default().push(at);
            }
        }
        let sorted = Rc::new(sorted);
        by.insert(path.clone(), Rc::clone(&sorted));
        sorted
    }

    /// The objects that fit all of the patterns.
    fn fitting(&self, patterns: &[(&FieldPath, &Pattern)]) -> Vec<EntityId> {
        let fits = |body: &Body| {
            patterns.iter().all(|(path, pattern)| texts(path.get(body)).any(|text| pattern.fits(&text)))
        };
        let exact = patterns.iter().find_map(|(path, pattern)| Some((*path, pattern.exact()?)));
        let Some((path, text)) = exact else {
            return self
                .state
                .objects
                .iter()
                .filter(|(_, body)| fits(body))
                .map(|(id, _)| id.clone())
                .collect();
        };
        let sorted = self.sorted(path);
        let mut positions = sorted.get(text).cloned().unwrap_or_default();
        positions.dedup();
        let objects = positions.into_iter().filter_map(|at| self.state.objects.get_index(at));
        objects.filter(|(_, body)| fits(body)).map(|(id, _)| id.clone()).collect()
    }

    fn not_found(&self, name: &str) -> String {
        let message = format!("no {} is named \"{name}\"", self.kind.singular);
        let hints = self.hints.get();
        self.hints.set(hints.saturating_sub(1));
        let names = self.sorted(&FieldPath::root_field(&self.kind.endpoint.name_field));
        match nearest(name, names.keys().map(|name| &**name).filter(|_| hints > 0)) {
            Some(near) => format!("{message}; did you mean \"{near}\"?"),
            None => message,
        }
    }
}

/// The texts that a pattern is compared with: one of a scalar, each item of a list, none of an object.
fn texts(value: Option<&Value>) -> impl Iterator<Item = Cow<'_, str>> {
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

/// Whom an update is about.
pub struct Selected {
    /// Their ids, at least one.
    pub ids: Vec<EntityId>,
    /// Whether the client was found only under the name that it is to have: then it may be found as asked, and nothing
    /// may be written to it, since it may be somebody else's.
    pub renamed: bool,
}

/// Whom an update is about, or how its row ends for want of anybody.
pub fn select(
    kind: &Kind,
    update: &Update,
    state: &TenantState,
    index: &Index<'_>,
) -> Result<Selected, Done> {
    match &update.selector {
        Selector::Id(id) => by_id(kind, id, state).map(|id| Selected { ids: vec![id], renamed: false }),
        Selector::Match { fields, every } => by_match(kind, update, fields, *every, index),
    }
}

fn by_id(kind: &Kind, id: &EntityId, state: &TenantState) -> Result<EntityId, Done> {
    if state.objects.contains_key(id) {
        return Ok(id.clone());
    }
    let missing = state.missing.get(id).cloned().unwrap_or_default();
    let message =
        missing.message.unwrap_or_else(|| format!("no {} has this id in this tenant", kind.singular));
    Err(Done {
        http_status: missing.http_status,
        error_code: missing.error_code,
        ..Done::because(RowResult::Failed, Reason::NotFound, message)
    })
}

fn by_match(
    kind: &Kind,
    update: &Update,
    fields: &[(FieldPath, Pattern)],
    every: bool,
    index: &Index<'_>,
) -> Result<Selected, Done> {
    let name_path = FieldPath::root_field(&kind.endpoint.name_field);
    let patterns: Vec<(&FieldPath, &Pattern)> =
        fields.iter().map(|(path, pattern)| (path, pattern)).collect();
    let found = index.fitting(&patterns);
    let Some(name) =
        patterns.iter().find(|(path, _)| **path == name_path).and_then(|(_, pattern)| pattern.exact())
    else {
        let none = || {
            Done::because(
                RowResult::Skipped,
                Reason::NoMatch,
                format!("no {} fits this pattern", kind.singular),
            )
        };
        return if found.is_empty() { Err(none()) } else { Ok(Selected { ids: found, renamed: false }) };
    };
    let renamed = found.is_empty();
    let found = if renamed { under_new_name(update, &name_path, &patterns, index) } else { found };
    match found.len() {
        0 => Err(Done::because(RowResult::Failed, Reason::NotFound, index.not_found(name))),
        1 => Ok(Selected { ids: found, renamed }),
        _ if every => Ok(Selected { ids: found, renamed }),
        _ => Err(ambiguous(kind, name, &found)),
    }
}

/// A client that an earlier run of this very job has renamed is found under its new name.
fn under_new_name(
    update: &Update,
    name_path: &FieldPath,
    patterns: &[(&FieldPath, &Pattern)],
    index: &Index<'_>,
) -> Vec<EntityId> {
    let new = update.ops.iter().find(|op| op.path == *name_path).and_then(|op| op.action.after());
    let Some(new) = new.and_then(Value::as_str).map(Pattern::literal) else { return Vec::new() };
    let others = patterns.iter().filter(|(path, _)| *path != name_path).copied();
    index.fitting(&others.chain([(name_path, &new)]).collect::<Vec<_>>())
}

fn ambiguous(kind: &Kind, name: &str, found: &[EntityId]) -> Done {
    let ids: Vec<&str> = found.iter().map(EntityId::as_str).collect();
    let message =
        format!("{} {}s are named \"{name}\": {}; select by id", found.len(), kind.singular, ids.join(", "));
    Done::because(RowResult::Failed, Reason::Ambiguous, message)
}
