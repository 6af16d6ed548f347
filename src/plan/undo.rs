//! What puts back what a run changed: an ordinary plan, made from the before-images, field by field.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::check_answer::as_planned;
use super::compose::predicted;
use super::guard::{self, Refusal};
use super::judge::{shown, wanted};
use super::rejudge::OnConflict;
use super::revive::{Permits, gone, is_marked, left_words};
use super::state::TenantState;
use super::types::{Done, Left, Row, RowState, TenantPlan, Write};
use crate::catalogue::{Kind, patch, validate};
use crate::model::three_way::judge;
use crate::model::value::same;
use crate::model::{Body, Expected, FieldChange, FieldPath, ItemEdit, ListOrder, Reason, RowResult, Verdict};

/// What of a run is to be taken back.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// Which writes of the tenant's plan: those that reached it, or may have.
    pub writes: BTreeSet<usize>,
    /// Only these fields and what is below them; all, where none is named.
    pub fields: Vec<FieldPath>,
}

impl Narrowed {
    fn takes(&self, path: &FieldPath) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|field| field.encloses(path))
    }
}

/// Plans the undo of one tenant's part of a run against its state as read now.
///
/// # Errors
/// Where it would change the runner's own client in a way that could lock it out.
pub fn undo(
    kind: &Kind,
    part: &TenantPlan,
    narrowed: &Narrowed,
    state: &TenantState,
    permits: Permits,
) -> Result<(Vec<Write>, Vec<Row>), Vec<Refusal>> {
    let (mut writes, mut rows, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    let mut ends: Vec<Option<RowState>> = vec![None; part.writes.len()];
    for at in &narrowed.writes {
        let Some(write) = part.writes.get(*at) else { continue };
        let end = match back(kind, write, narrowed, state, permits) {
            Ok(write) => {
                if !permits.own_client {
                    refusals.extend(guard::own_client(kind, state, &write.id, &write.changes, write.label));
                }
                writes.push(write);
                RowState::Write(writes.len() - 1)
            }
            Err(done) => RowState::Done(done),
        };
        ends[*at] = Some(end);
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    for row in &part.rows {
        let RowState::Write(at) = row.state else { continue };
        if let Some(state) = ends.get(at).cloned().flatten() {
            rows.push(Row { state, ..row.clone() });
        }
    }
    Ok((writes, rows))
}

/// The write that puts a client back, or how its rows end without one.
fn back(
    kind: &Kind,
    write: &Write,
    narrowed: &Narrowed,
    state: &TenantState,
    permits: Permits,
) -> Result<Write, Done> {
    if !permits.protected && state.protected.contains(&write.id) {
        return Err(Done::because(RowResult::Skipped, Reason::Protected, "it is protected"));
    }
    let live = state.objects.get(&write.id).ok_or_else(|| gone(kind, &write.id, state))?;
    let client = Client { kind, write, live, ran: predicted(kind, write), permits };
    let mut back = Back::default();
    client.put_back(narrowed, &mut back);
    client.keep_valid(&mut back);
    let patch = patch::body(kind, live, &wanted(&back.changes));
    let name = live.get(&kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned);
    let roots: BTreeSet<&str> = back.changes.iter().map(|change| change.path.root()).collect();
    let of_roots = live.iter().filter(|(key, _)| roots.contains(key.as_str()));
    let before: Body = of_roots.map(|(key, value)| (key.clone(), value.clone())).collect();
    let undo = Write {
        id: write.id.clone(),
        name: name.or_else(|| write.name.clone()),
        label: write.label,
        changes: back.changes,
        body: patch.body,
        compose: patch.compose,
        before: Arc::new(before),
        left: back.left,
    };
    match (undo.changes.is_empty(), undo.left.first()) {
        (false, _) => Ok(undo),
        (true, Some(left)) => Err(Done::because(RowResult::Conflict, left.reason, left_words(&undo))),
        (true, None) => Err(Done::plain(RowResult::Unchanged)),
    }
}

/// What is to become of a client's fields.
#[derive(Default)]
struct Back {
    changes: Vec<FieldChange>,
    left: Vec<Left>,
}

/// One client: as the run left it, and as it is now.
struct Client<'c> {
    kind: &'c Kind,
    write: &'c Write,
    live: &'c Body,
    ran: Body,
    permits: Permits,
}

impl Client<'_> {
    fn put_back(&self, narrowed: &Narrowed, back: &mut Back) {
        let mine: Vec<&FieldChange> =
            self.write.changes.iter().filter(|change| narrowed.takes(&change.path)).collect();
        let mut gone: Vec<FieldPath> = Vec::new();
        for change in &mine {
            if gone.iter().any(|outer| outer.encloses(&change.path)) {
                continue;
            }
            if let Some(outer) = self.sprang_up(&change.path, &mine) {
                back.changes.extend(self.emptied(&outer));
                gone.push(outer);
                continue;
            }
            match self.field(change) {
                Ok(change) => back.changes.extend(change),
                Err(left) => back.left.push(left),
            }
        }
    }

    /// The object around a field that was not there before the run, and that holds nothing which the run did not bring:
    /// it goes as a whole. Taken leaf by leaf it would stay, with what the service has filled in.
    fn sprang_up(&self, path: &FieldPath, mine: &[&FieldChange]) -> Option<FieldPath> {
        let outer = ancestors(path).into_iter().find(|outer| outer.get(&self.write.before).is_none())?;
        let brought = outer.get(self.live).is_none_or(|now| self.is_ours(&outer, now, mine));
        (brought && self.can_empty(&outer)).then_some(outer)
    }

    fn is_ours(&self, path: &FieldPath, now: &Value, mine: &[&FieldChange]) -> bool {
        if let Value::Object(entries) = now
            && !mine.iter().any(|change| change.path == *path)
        {
            return entries.iter().all(|(key, inner)| self.is_ours(&path.child(key), inner, mine));
        }
        let written = mine.iter().any(|change| change.path.encloses(path))
            && same(path.get(&self.ran), Some(now), self.kind.order(path));
        written || same(self.kind.default_of(path), Some(now), self.kind.order(path))
    }

    fn emptied(&self, path: &FieldPath) -> Option<FieldChange> {
        let now = path.get(self.live)?;
        let (before, order) = (Some(now.clone()), self.kind.order(path));
        Some(FieldChange { path: path.clone(), before, after: None, order, items: None })
    }

    /// One field: the change that puts it back, if it is not back already, or why it stays.
    fn field(&self, change: &FieldChange) -> Result<Option<FieldChange>, Left> {
        let now = change.path.get(self.live);
        if let Some(items) = &change.items {
            return Ok(self.items(change, items, now));
        }
        let ran = change.path.get(&self.ran);
        let as_run_left_it = as_planned(self.kind, change, ran, now);
        let left = |reason, message: String| Left { path: change.path.clone(), reason, message };
        if is_marked(change.before.as_ref()) {
            // Whoever put a secret there again knows which; the one that was there nobody has.
            if is_marked(now) && !as_run_left_it {
                return Ok(None);
            }
            let message = format!("{} held a secret before, and patchwave keeps none", change.path);
            return Err(left(Reason::CannotRestore, message));
        }
        let back = |now: Option<&Value>| FieldChange {
            before: now.cloned(),
            after: change.before.clone(),
            ..change.clone()
        };
        if change.before.is_none() && self.kind.is_empty(&change.path, now) {
            return Ok(None);
        }
        match judge(Expected::Value(ran), change.before.as_ref(), now, change.order) {
            Verdict::Already => Ok(None),
            Verdict::Conflict if !as_run_left_it && self.permits.on_conflict != OnConflict::Overwrite => {
                let (path, now, ran) = (&change.path, shown(now), shown(ran));
                let words = format!("{path} is {now}; the run left {ran}, so somebody changed it since");
                Err(left(Reason::ChangedMeanwhile, words))
            }
            _ if change.before.is_none() && !self.can_empty(&change.path) => {
                let message = format!("{} was absent before, and cannot be again", change.path);
                Err(left(Reason::CannotUnset, message))
            }
            _ => Ok(Some(back(now))),
        }
    }

    /// A list that the run edited by item. Where it is just as the run left it, it becomes what it was; else only the
    /// run's own items are taken back, whatever else stands there by now.
    fn items(&self, change: &FieldChange, items: &ItemEdit, now: Option<&Value>) -> Option<FieldChange> {
        let held = |item: &Value| list(change.before.as_ref()).iter().any(|other| other == item);
        let reverse = ItemEdit {
            add: list(change.before.as_ref())
                .iter()
                .filter(|item| items.remove.contains(item))
                .cloned()
                .collect(),
            remove: items.add.iter().filter(|item| !held(item)).cloned().collect(),
        };
        let exactly = |a: Option<&Value>, b: Option<&Value>| same(a, b, ListOrder::Ordered);
        let by_item = reverse.after(now);
        let untouched = exactly(change.path.get(&self.ran), now);
        let (after, items) = match (untouched, change.before.is_some() || self.can_empty(&change.path)) {
            // The order of the list, or that there was none, is more than its items say.
            (true, true) if !exactly(by_item.as_ref(), change.before.as_ref()) => {
                (change.before.clone(), None)
            }
            _ if reverse.is_done(now) => return None,
            _ => (by_item, Some(reverse)),
        };
        let differs = !exactly(after.as_ref(), now);
        differs.then(|| FieldChange { before: now.cloned(), after, items, ..change.clone() })
    }

    /// Whether a field can be absent again: emptied by itself, or left out of an object that is sent whole.
    fn can_empty(&self, path: &FieldPath) -> bool {
        !patch::is_sent_alone(self.kind, path) || validate::unset(self.kind, path).is_none()
    }

    /// What Auth0 would refuse is not sent: an object that lacks what it must have stays as it is.
    fn keep_valid(&self, back: &mut Back) {
        let after = patch::predict(self.kind, self.live, &wanted(&back.changes));
        let roots: BTreeSet<String> =
            back.changes.iter().map(|change| change.path.root().to_owned()).collect();
        for root in roots.iter().map(|root| FieldPath::root_field(root)) {
            let Some(value) = root.get(&after) else { continue };
            let Some(fault) = validate::object_after(self.kind, &root, value).into_iter().next() else {
                continue;
            };
            let (stay, go): (Vec<_>, Vec<_>) =
                std::mem::take(&mut back.changes).into_iter().partition(|change| root.encloses(&change.path));
            back.changes = go;
            back.left.extend(stay.into_iter().map(|change| {
                let message = format!("{} cannot be put back by itself: {}", change.path, fault.what);
                Left { path: change.path, reason: Reason::CannotUnset, message }
            }));
        }
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The paths around a path, the outermost first.
fn ancestors(path: &FieldPath) -> Vec<FieldPath> {
    let mut keys = path.keys();
    let Some(root) = keys.next() else { return Vec::new() };
    let mut at = FieldPath::root_field(root);
    let mut ancestors = Vec::new();
    for key in keys {
        ancestors.push(at.clone());
        at = at.child(key);
    }
    ancestors
}
