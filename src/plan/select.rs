//! Whom an update is about, in one tenant.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::Value;

use super::state::TenantState;
use super::types::Done;
use crate::catalogue::Kind;
use crate::job::{Pattern, Selector, Update};
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldPath, Reason, RowResult};

/// The objects of a tenant by name, so that a file of exact names is not compared with every client.
pub struct ByName<'s> {
    ids: HashMap<&'s str, Vec<usize>>,
    /// How many near misses are still looked for: each look compares with every name of the tenant.
    hints: Cell<u32>,
}

/// Near misses looked for in one tenant; a file that names the wrong tenant throughout has thousands of misses.
const HINTS: u32 = 20;

impl<'s> ByName<'s> {
    /// Sorts a state by its name field.
    pub fn new(kind: &Kind, state: &'s TenantState) -> Self {
        let mut ids: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, body) in state.objects.values().enumerate() {
            if let Some(name) = body.get(&kind.endpoint.name_field).and_then(Value::as_str) {
                ids.entry(name).or_default().push(at);
            }
        }
        Self { ids, hints: Cell::new(HINTS) }
    }

    fn named(&self, name: &str) -> &[usize] {
        self.ids.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The ids an update is about, or how its row ends for want of any.
pub fn select(
    kind: &Kind,
    update: &Update,
    state: &TenantState,
    names: &ByName<'_>,
) -> Result<Vec<EntityId>, Done> {
    match &update.selector {
        Selector::Id(id) => by_id(kind, id, state).map(|id| vec![id]),
        Selector::Match { fields, every } => by_match(kind, update, fields, *every, state, names),
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
    state: &TenantState,
    names: &ByName<'_>,
) -> Result<Vec<EntityId>, Done> {
    let name_path = FieldPath::root_field(&kind.endpoint.name_field);
    let exact_name =
        fields.iter().find(|(path, _)| *path == name_path).and_then(|(_, pattern)| pattern.exact());
    let fitting = |name: Option<&str>| -> Vec<EntityId> {
        let others = fields.iter().filter(|(path, _)| name.is_none() || *path != name_path);
        let fits = |body: &Body| others.clone().all(|(path, pattern)| fits(path.get(body), pattern));
        match name {
            Some(name) => names
                .named(name)
                .iter()
                .filter_map(|at| state.objects.get_index(*at))
                .filter(|(_, b)| fits(b))
                .map(|(id, _)| id.clone())
                .collect(),
            None => state.objects.iter().filter(|(_, body)| fits(body)).map(|(id, _)| id.clone()).collect(),
        }
    };
    let Some(name) = exact_name else {
        let found = fitting(None);
        let none = || {
            Done::because(
                RowResult::Skipped,
                Reason::NoMatch,
                format!("no {} fits this pattern", kind.singular),
            )
        };
        return if found.is_empty() { Err(none()) } else { Ok(found) };
    };
    let mut found = fitting(Some(name));
    if found.is_empty() {
        // Renamed by an earlier run of this very job: it is found under its new name, and is as asked.
        let renamed = update.ops.iter().find(|op| op.path == name_path).and_then(|op| op.action.after());
        found = renamed.and_then(Value::as_str).map(|new| fitting(Some(new))).unwrap_or_default();
    }
    match found.len() {
        0 => Err(Done::because(RowResult::Failed, Reason::NotFound, not_found(kind, name, names))),
        1 => Ok(found),
        _ if every => Ok(found),
        _ => {
            let ids: Vec<&str> = found.iter().map(EntityId::as_str).collect();
            let message = format!(
                "{} {}s are named \"{name}\": {}; select by id",
                found.len(),
                kind.singular,
                ids.join(", ")
            );
            Err(Done::because(RowResult::Failed, Reason::Ambiguous, message))
        }
    }
}

fn not_found(kind: &Kind, name: &str, names: &ByName<'_>) -> String {
    let message = format!("no {} is named \"{name}\"", kind.singular);
    let hints = names.hints.get();
    names.hints.set(hints.saturating_sub(1));
    match nearest(name, names.ids.keys().copied().filter(|_| hints > 0)) {
        Some(near) => format!("{message}; did you mean \"{near}\"?"),
        None => message,
    }
}

/// Whether a field fits a pattern; of a list, one item suffices.
fn fits(value: Option<&Value>, pattern: &Pattern) -> bool {
    match value {
        Some(Value::String(text)) => pattern.fits(text),
        Some(Value::Array(items)) => items.iter().any(|item| fits(Some(item), pattern)),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => pattern.fits(&value.to_string()),
        _ => false,
    }
}
