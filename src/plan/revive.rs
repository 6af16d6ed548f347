//! A saved plan against the tenant as it is now: exactly that plan, each client judged anew.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use super::creates;
use super::guard::{self, Refusal};
use super::needs::is_secret_root;
use super::rejudge::{OnConflict, Rejudged, along, open, rejudge};
use super::resolve::Resolved;
use super::state::{Missing, TenantState, TenantStates};
use super::types::{Done, Row, RowState, TenantPlan, Write};
use super::writes::Writes;
use crate::catalogue::{Kind, Kinds, redact};
use crate::model::words::a;
use crate::model::{Body, EntityId, FieldChange, Reason, RowResult};

/// What the user says of a plan that was made earlier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permits {
    /// What to do about a client that is neither as it was nor as planned.
    pub on_conflict: OnConflict,
    /// Whether the runner's own client may be changed whatever the field.
    pub own_client: bool,
    /// Whether protected clients may be changed.
    pub protected: bool,
}

/// Judges the writes of a saved plan against the state as read now. Rows that were settled when it was made stay so.
///
/// # Errors
/// Where it would change the runner's own client in a way that could lock it out.
pub fn revive(
    kinds: &Kinds,
    part: &TenantPlan,
    states: &TenantStates,
    permits: Permits,
) -> Result<Resolved, Vec<Refusal>> {
    let judged = |kind: &Kind, write: &Write, state: &TenantState| {
        if write.create { judge_create(kind, write, state) } else { judged(kind, write, state, permits) }
    };
    let Settled { writes, ends } = settle(kinds, states, permits, part.writes.iter().enumerate(), judged)?;
    let row = |row: &Row| match &row.state {
        RowState::Write(at) => ended(row, ends.get(at).cloned().unwrap_or_else(never)),
        RowState::Done(_) => row.clone(),
    };
    Ok((writes, part.rows.iter().map(row).collect()))
}

/// How the rows of a write go on, and the name that they say by themselves where no write does.
pub(super) type End = (RowState, Option<Box<str>>);

/// A row that ends so.
pub(super) fn ended(row: &Row, (state, name): End) -> Row {
    Row { state, name: name.or_else(|| row.name.clone()), ..row.clone() }
}

/// Writes that are still to be made, and how the rows of each go on.
pub(super) struct Settled {
    pub(super) writes: Writes,
    pub(super) ends: HashMap<usize, End>,
}

/// Judges writes one by one: each becomes a write that is to be made, or an end of its rows.
///
/// # Errors
/// Where one would change the runner's own client in a way that could lock it out.
pub(super) fn settle(
    kinds: &Kinds,
    states: &TenantStates,
    permits: Permits,
    all: impl Iterator<Item = (usize, Write)>,
    judge: impl Fn(&Kind, &Write, &TenantState) -> Result<Write, Done>,
) -> Result<Settled, Vec<Refusal>> {
    let mut settled = Settled { writes: Writes::default(), ends: HashMap::new() };
    let mut refusals = Vec::new();
    for (at, write) in all {
        let (kind, state) = (kinds.get(write.kind), states.of(write.kind));
        let end = match judge(kind, &write, state) {
            Ok(write) => {
                if !permits.own_client {
                    refusals.extend(guard::own_client(kind, state, &write.id, &write.changes, write.label));
                }
                settled.writes.push(&write);
                (RowState::Write(settled.writes.len() - 1), None)
            }
            Err(done) => (done.into(), write.name.map(Box::from)),
        };
        settled.ends.insert(at, end);
    }
    if refusals.is_empty() { Ok(settled) } else { Err(refusals) }
}

/// A create of a plan that was made earlier: somebody may have made such an object since.
fn judge_create(kind: &Kind, write: &Write, state: &TenantState) -> Result<Write, Done> {
    match creates::found(kind, write, state.objects.iter()).as_slice() {
        [] => Ok(write.clone()),
        [(id, now)] => {
            let now = state.with_elsewhere(id, now.clone());
            let differences = creates::differences(kind, &write.changes, &now);
            if differences.is_empty() {
                return Err(Done::plain(RowResult::Unchanged));
            }
            let what = format!(
                "{} of this identity has been made since, and differs: {}",
                a(&kind.singular),
                differences.join("; ")
            );
            Err(Done::because(RowResult::Conflict, Reason::Exists, what))
        }
        several => {
            let what = format!("{} {}s of this identity are there by now", several.len(), kind.singular);
            Err(Done::because(RowResult::Conflict, Reason::Ambiguous, what))
        }
    }
}

/// Of a row that names a write which its plan does not have; the digest of the plan keeps this from happening.
fn never() -> End {
    (Done::because(RowResult::Failed, Reason::NotFound, "the plan has no such write").into(), None)
}

fn judged(kind: &Kind, write: &Write, state: &TenantState, permits: Permits) -> Result<Write, Done> {
    if !permits.protected && state.protected.contains(&write.id) {
        return Err(Done::because(RowResult::Skipped, Reason::Protected, "it is protected"));
    }
    let live = state.object(&write.id).ok_or_else(|| gone(kind, &write.id, state))?;
    let live = &mut Arc::unwrap_or_clone(live);
    state.secrets.agree(&write.changes, live);
    let live = &*live;
    let left = |write: Write| match write.left.first() {
        Some(left) => Done::because(RowResult::Conflict, left.reason, left_words(&write)),
        None => Done::plain(RowResult::Unchanged),
    };
    let body = match rejudge(kind, write, live, permits.on_conflict) {
        Rejudged::Apply(body) => Some(body),
        // The secret is read when it is sent.
        Rejudged::NeedsSecret => None,
        Rejudged::Already => return Err(left(write.clone())),
        Rejudged::Conflict(words) => {
            return Err(Done::because(RowResult::Conflict, Reason::ChangedMeanwhile, words));
        }
    };
    let mut changes: Vec<FieldChange> = open(kind, write, live).map(|change| rebased(change, live)).collect();
    // Moved all the same, as was asked for: shown, and put back by an undo.
    changes.extend(along(kind, write, live));
    // Of an object that was absent when planned, what somebody has put there since is a before-image as well.
    let kept = |(key, _): &(&String, &serde_json::Value)| {
        write.before.contains_key(*key) || changes.iter().any(|change| change.path.root() == *key)
    };
    let before: Body = live.iter().filter(kept).map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Write {
        compose: body.is_none() || write.compose,
        body: body.unwrap_or_else(|| write.body.clone()),
        changes,
        before: Arc::new(before),
        ..write.clone()
    })
}

/// The same change, from what the client holds now.
fn rebased(change: &FieldChange, live: &Body) -> FieldChange {
    let now = change.path.get(live);
    let after = match &change.items {
        Some(items) => items.after(now),
        None => change.after.clone(),
    };
    FieldChange { before: now.cloned(), after, ..change.clone() }
}

/// What is said of a client that was planned for and is not there any more.
pub(super) fn gone(kind: &Kind, id: &EntityId, state: &TenantState) -> Done {
    let missing = state.missing.get(id).cloned().unwrap_or_else(Missing::default);
    let message = missing.message.unwrap_or_else(|| format!("no {} has the id {id} any more", kind.singular));
    Done {
        http_status: missing.http_status,
        error_code: missing.error_code,
        ..Done::because(RowResult::Failed, Reason::NotFound, message)
    }
}

/// What an undo leaves of a client, in words.
pub fn left_words(write: &Write) -> String {
    write.left.iter().map(|left| left.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// The root fields that judging these writes takes.
pub fn roots(kind: &Kind, writes: impl IntoIterator<Item = impl Borrow<Write>>) -> Vec<String> {
    let mut roots: indexmap::IndexSet<String> = indexmap::IndexSet::new();
    for write in writes {
        let write = write.borrow();
        let written = || write.changes.iter().map(|change| change.path.root());
        // What they would move may have come since.
        let linked = written().filter(|root| kind.is_linked(root));
        let moved: Vec<String> = linked.flat_map(|root| kind.moves_with(root)).collect();
        // A field that needs a scope of its own is not asked for unawares: another token may have made the plan.
        let compared: Vec<String> = match write.create {
            true => creates::compared_by(kind, written()).map(str::to_owned).collect(),
            false => Vec::new(),
        };
        let beside = write
            .before
            .keys()
            .chain(&moved)
            .chain(&compared)
            .filter(|root| kind.read_scopes_of(root).is_empty());
        for root in beside.map(String::as_str).chain(written()) {
            if !roots.contains(root) {
                roots.insert(root.to_owned());
            }
        }
    }
    let known = [kind.endpoint.id_field.as_str(), kind.endpoint.name_field.as_str()];
    roots.retain(|root| !known.contains(&root.as_str()));
    roots.into_iter().collect()
}

/// Those that a single read asks for. A secret that stands by itself is not: a token that may write one need not be one that
/// sees it, and the request would be refused. It is written whatever the tenant holds.
pub fn visible_roots(kind: &Kind, write: &Write) -> Vec<String> {
    let mut roots = roots(kind, [write]);
    roots.retain(|root| !is_secret_root(kind, root));
    // Of an object of which nothing but its lists is asked for, the object itself is not read, nor is its name.
    let name = &kind.endpoint.name_field;
    if !kind.endpoint.associations.is_empty() && write.changes.iter().any(|change| change.path.root() == name)
    {
        roots.push(name.clone());
    }
    roots
}

/// Whether a value of a plan stands for a secret.
pub(super) fn is_marked(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(redact::has_marker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use crate::job::RowLabel;
    use crate::model::ListOrder;
    use serde_json::{Value, json};

    fn write(path: &str, before: &Value) -> Write {
        let path: crate::model::FieldPath = path.parse().unwrap();
        let change = FieldChange {
            path,
            before: None,
            after: Some(json!("x")),
            order: ListOrder::Ordered,
            items: None,
        };
        Write {
            kind: Default::default(),
            create: false,
            id: "a".into(),
            name: None,
            label: RowLabel::Row(2),
            changes: vec![change],
            body: Body::new(),
            compose: false,
            before: Arc::new(before.as_object().unwrap().clone()),
            left: Vec::new(),
        }
    }

    #[test]
    fn a_field_that_needs_a_scope_of_its_own_is_read_again_only_where_it_is_written() {
        let methods =
            json!({"client_authentication_methods": null, "token_endpoint_auth_method": "none", "name": "n"});
        let read = |path: &str| roots(default_kind(), [write(path, &methods)]);
        assert_eq!(read("token_endpoint_auth_method"), ["token_endpoint_auth_method"]);
        assert_eq!(
            read("client_authentication_methods"),
            ["token_endpoint_auth_method", "client_authentication_methods"]
        );
    }

    #[test]
    fn what_a_write_would_move_is_read_again_though_it_was_not_there() {
        let read = roots(default_kind(), [write("oidc_logout.backchannel_logout_urls", &json!({}))]);
        assert_eq!(read, ["oidc_backchannel_logout", "oidc_logout"]);
        assert_eq!(roots(default_kind(), [write("sso", &json!({}))]), ["sso"]);
    }
}
