//! What an answer in the log says of the state, and what it cannot say.

use crate::catalogue::{Kind, patch, redact};
use crate::model::{Body, FieldPath, LogEvent, Packed};

use super::super::differing::comparable;
use super::masked::unmask;
use super::named::{Named, changes};

/// The state after an event. What answers in the log never show is taken over from before; without an answer, the request
/// is taken at its word.
pub(super) fn after(kind: &Kind, before: Option<&Body>, event: &LogEvent, named: &Named) -> Body {
    let answer = event.response.as_ref().map(Packed::open).filter(|body| !body.is_empty());
    let mut body = answer.unwrap_or_else(|| {
        let changes = changes(&event.request.open(), &named.units);
        patch::predict(kind, before.unwrap_or(&Body::new()), &changes)
    });
    redact::strip(kind, &mut body);
    body.retain(|key, _| comparable(kind, &FieldPath::root_field(key)));
    unmask(&mut body, before);
    for (key, value) in before.into_iter().flatten().filter(|(key, _)| is_unseen(kind, key, named)) {
        body.entry(key.as_str()).or_insert_with(|| value.clone());
    }
    body
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
