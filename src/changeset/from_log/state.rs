//! What an answer in the log says of the state, and what it cannot say.

use serde_json::Value;

use crate::catalogue::{Kind, linked, patch, redact};
use crate::model::{Association, Body, FieldPath, LogAction, LogEvent, Packed};

use super::super::differing::comparable;
use super::masked::unmask;
use super::named::{Named, changes};

/// The state after an event. What answers in the log never show is taken over from before; without an answer, the request
/// is taken at its word.
pub(super) fn after(kind: &Kind, before: Option<&Body>, event: &LogEvent, named: &Named) -> Body {
    if event.action == LogAction::Associate {
        let mut body = before.cloned().unwrap_or_default();
        let request = event.request.open();
        for association in &kind.endpoint.associations {
            if let Some(items) = request.get(&association.field) {
                let list = list_with(association, body.get(&association.field), items);
                body.insert(association.field.clone(), list);
            }
        }
        return body;
    }
    let answer = event.response.as_ref().map(Packed::open).filter(|body| !body.is_empty());
    let mut body = answer.unwrap_or_else(|| {
        let (empty, mut changes) = (Body::new(), changes(&event.request.open(), &named.units));
        let before = before.unwrap_or(&empty);
        changes.extend(linked::moved_along(kind, before, &changes));
        patch::predict(kind, before, &changes)
    });
    redact::strip(kind, &mut body);
    body.retain(|key, _| comparable(kind, &FieldPath::root_field(key)));
    unmask(&mut body, before);
    for (key, value) in before.into_iter().flatten().filter(|(key, _)| is_unseen(kind, key, named)) {
        body.entry(key.as_str()).or_insert_with(|| value.clone());
    }
    // What has an endpoint of its own is not changed here, whatever of it an answer may show; but for requests of the older way,
    // which say the whole list.
    let request = event.request.open();
    for Association { field, .. } in &kind.endpoint.associations {
        if let Some(whole @ Value::Array(_)) = request.get(field) {
            body.insert(field.clone(), whole.clone());
            continue;
        }
        match before.and_then(|before| before.get(field)) {
            Some(list) => drop(body.insert(field.clone(), list.clone())),
            None => drop(body.shift_remove(field)),
        }
    }
    body
}

/// A list after items of it came and went.
fn list_with(association: &Association, list: Option<&Value>, items: &Value) -> Value {
    let of = |key: &str| items.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut list = list.and_then(Value::as_array).cloned().unwrap_or_default();
    list.retain(|item| !of("remove").any(|gone| association.is_same(gone, item)));
    for new in of("add") {
        match (list.iter_mut().find(|item| association.is_same(new, item)), new) {
            // What was sent of it; the rest of it stays.
            (Some(Value::Object(there)), Value::Object(new)) => there.extend(new.clone()),
            (Some(_), _) => (),
            (None, new) => list.push(new.clone()),
        }
    }
    Value::Array(list)
}

/// A state as it is compared and recorded: without secrets.
pub(super) fn stripped(kind: &Kind, body: &Body) -> Body {
    let mut body = body.clone();
    redact::strip(kind, &mut body);
    body
}

/// Whether a root field that is not in an answer may be there all the same: the log leaves some out, and not every token
/// sees every field.
fn is_unseen(kind: &Kind, root: &str, named: &Named) -> bool {
    let path = FieldPath::root_field(root);
    !comparable(kind, &path) || !kind.read_scopes_of(root).is_empty() && !named.explains(&path)
}
