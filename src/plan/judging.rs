//! What is to become of each client that a job hits: the second half of [`Draft`].

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::hits::{Client, Draft, Judged};
use super::judge::{Filled, Judgement, shown, united, wanted};
use super::select::{exact_name, under_old_name};
use super::types::Done;
use crate::catalogue::{Kind, linked, validate};
use crate::job::check::{Asked, clashes};
use crate::job::template::RenderFault;
use crate::job::{Op, Scope, Term, Update, Want};
use crate::model::value::same;
use crate::model::{
    Body, EntityId, FieldChange, FieldPath, ListOrder, Problem, Reason, RowResult, SecretPlace,
};

impl<'j> Draft<'j> {
    /// Judges each client, in the order in which they were hit, and hands it on at once.
    pub(super) fn judge_each(&mut self, mut take: impl FnMut(&mut Self, &Client, Judged<'j>)) {
        for at in 0..self.hits.clients() {
            let Some(place) = self.hits.client(at) else { continue };
            let Some((id, body)) = self.state.objects.get_index(place) else { continue };
            let client = Client { place, id: id.clone(), before: Arc::new(body.open()) };
            self.set_renamed_apart(&client);
            let rows = self.hits.rows(place).into_iter();
            let updates: Vec<&'j Update> = rows.map(|row| self.update_of(row)).collect();
            if !updates.is_empty() {
                let judged = self.judge(&client.id, &updates, &client.before, &client.before);
                take(self, &client, judged);
            }
        }
    }

    /// An update that found a client only under its new name may find it as asked, but must not write to it. Its row ends
    /// here; the other updates of the client go on without it.
    fn set_renamed_apart(&mut self, client: &Client) {
        let Client { place, id, before } = client;
        let rows = self.hits.rows(*place).into_iter();
        for row in rows.filter(|row| self.renamed.contains(row)).collect::<Vec<_>>() {
            let update = self.update_of(row);
            let as_was = under_old_name(self.kind, update, before);
            let state = match self.judge(id, &[update], before, as_was.as_ref().unwrap_or(before)) {
                // What it asks is made of the client as it was, and cannot be laid beside what others ask of it now.
                Judged::Done { done } if done.result == RowResult::Unchanged && as_was.is_some() => done,
                Judged::Done { done } if done.result == RowResult::Unchanged => continue,
                _ if knows_more_than_the_name(self.kind, update) => continue,
                _ => self.not_ours(id, update),
            };
            self.end(row, state.into(), before);
            self.hits.leave(row);
        }
    }

    /// Of a client that has the new name, but is not as the job would have left it: it may be another one.
    fn not_ours(&self, id: &EntityId, update: &Update) -> Done {
        let kind = self.kind;
        let message = format!(
            "no {} is named \"{}\"; {id} has the new name already, but is not as asked otherwise: select it by its id (or with --map) if it is meant",
            kind.singular,
            exact_name(kind, update).unwrap_or_default()
        );
        Done::because(RowResult::Failed, Reason::NotFound, message)
    }

    /// Compares what the updates of one client ask for with what it holds; `seen` is the client as their templates see it.
    fn judge(
        &mut self,
        id: &EntityId,
        updates: &[&'j Update],
        before: &Arc<Body>,
        seen: &Arc<Body>,
    ) -> Judged<'j> {
        let unchanged = || Judged::Done { done: Done::plain(RowResult::Unchanged) };
        let kind = self.kind;
        for (update, op) in
            updates.iter().flat_map(|update| update.extras().fixed.iter().map(move |op| (*update, op)))
        {
            self.fixed(update, op, before);
        }
        let filled = match self.filled(id, updates, seen) {
            Ok(filled) => filled,
            Err(None) => return unchanged(),
            Err(Some(done)) => return Judged::Done { done },
        };
        let asked: Vec<_> = filled.iter().flat_map(|filled| filled.asked.iter().cloned()).collect();
        // Of a single update only items that templates gave can clash.
        if asked.len() > 1 {
            for (_, mut problem) in clashes(&asked) {
                let name = self.name_of(id).unwrap_or_else(|| id.to_string());
                problem.what.push_str(&format!("; both hit {} {name:?}", kind.singular));
                self.problems.push(problem);
            }
        }
        let items = united(self.kind, &filled);
        let mut changes: Vec<FieldChange> = Vec::new();
        let mut conflicts: Vec<String> = Vec::new();
        let mut lists: HashSet<&FieldPath> = HashSet::new();
        for one in &filled {
            for asked in &one.asked {
                // What all updates ask of a list by item has been united, and is judged once.
                if asked.want.is_by_item() && !lists.insert(&asked.path) {
                    continue;
                }
                if self.holds_secret(&asked.path, &asked.want, before) {
                    continue;
                }
                match one.judge(kind, asked, &items, before, self.options.overwrite) {
                    Judgement::Already => (),
                    Judgement::Apply(new) => {
                        let new = new.into_iter().filter(|new| changes.iter().all(|c| c.path != new.path));
                        let new: Vec<FieldChange> = new.collect();
                        changes.extend(new);
                    }
                    Judgement::Conflict(words) => conflicts.push(words),
                    Judgement::LosesSecret(path) => {
                        self.fault(one.update, id, asked.op.span.clone(), loses_secret(kind, &path));
                    }
                    Judgement::Wipes(lacking) => {
                        self.fault(one.update, id, asked.op.span.clone(), wipes(&lacking, &asked.path));
                    }
                }
            }
        }
        if !changes.is_empty() || !conflicts.is_empty() {
            conflicts.extend(filled.iter().flat_map(|filled| filled.broken_preconditions(kind, before)));
        }
        if !conflicts.is_empty() {
            return Judged::Done { done: conflict(updates, &conflicts) };
        }
        for moved in moved_along(kind, before, &changes) {
            for one in &filled {
                let thwarted = |asked: &&Asked<'_>| is_thwarted(asked, &moved, kind.order(&asked.path));
                if let Some(asked) = one.asked.iter().find(thwarted) {
                    self.fault(one.update, id, asked.op.span.clone(), takes_away(&moved.path));
                }
            }
            changes.push(moved);
        }
        match (changes.is_empty(), updates.first()) {
            (false, Some(update)) => Judged::Write { changes, update, updates: updates.to_vec() },
            _ => unchanged(),
        }
    }

    /// Whether a client holds the secret that is asked for, by whichever of the places where it is kept.
    fn holds_secret(&self, path: &FieldPath, want: &Want<'_>, before: &Body) -> bool {
        let Want::Set { value, .. } = want else { return false };
        let Some(wanted) = SecretPlace::of(value) else { return false };
        let held = path.get(before).and_then(SecretPlace::of);
        held.is_some_and(|held| self.state.secrets.are_same(&held, &wanted))
    }

    /// The updates with their templates filled in for a client. Where one has no value, which is reported, there is nothing; where
    /// one asks for an object that is not to be found, how the client's rows end.
    fn filled(
        &mut self,
        id: &EntityId,
        updates: &[&'j Update],
        before: &Arc<Body>,
    ) -> Result<Vec<Filled<'j>>, Option<Done>> {
        let mut filled = Vec::with_capacity(updates.len());
        let (mut sound, mut lost) = (true, None);
        for &update in updates {
            let scope = Scope::of_tenant(self.tenant, update.row.as_ref()).with_client(before, self.kind);
            match Filled::new(self.kind, update, &scope, before) {
                Ok(one) => filled.push(one),
                Err(faults) => {
                    sound = false;
                    for (span, fault) in faults {
                        match fault.lost {
                            Some(reason) => {
                                lost = lost.or(Some(Done::because(RowResult::Failed, reason, fault.what)));
                            }
                            None => self.fault(update, id, span, fault),
                        }
                    }
                }
            }
        }
        if sound { Ok(filled) } else { Err(lost) }
    }

    /// A field that nobody may change must be as the tenant has it.
    fn fixed(&mut self, update: &Update, op: &Op, before: &Body) {
        let now = op.path.get(before);
        let asked: Option<&Value> = op.action.term().and_then(Term::literal);
        if !same(asked, now, self.kind.order(&op.path)) {
            let path: &FieldPath = &op.path;
            let problem =
                Problem::new(format!("`{path}` cannot be changed; the tenant holds {}", shown(now)))
                    .at(&update.origin.file, op.span.clone())
                    .help("put the value back, or remove the line");
            self.problems.push(problem);
        }
    }
}

/// What the service does to other fields with these changes is a change too: shown, sent, and put back by an undo.
pub(super) fn moved_along(kind: &Kind, before: &Body, changes: &[FieldChange]) -> Vec<FieldChange> {
    // Most clients change nothing of the kind, and their values need not be copied for it.
    if !changes.iter().any(|change| kind.is_linked(change.path.root())) {
        return Vec::new();
    }
    let along = linked::moved_along(kind, before, &wanted(changes)).into_iter();
    let change = |(path, after): (FieldPath, Option<Value>)| FieldChange {
        before: path.get(before).cloned(),
        after,
        order: kind.order(&path),
        items: None,
        path,
    };
    along.map(change).collect()
}

/// Whether what is asked of a field cannot be, since another change moves that field.
fn is_thwarted(asked: &Asked<'_>, moved: &FieldChange, order: ListOrder) -> bool {
    let related = moved.path.encloses(&asked.path) || asked.path.encloses(&moved.path);
    let after = || {
        moved
            .path
            .encloses(&asked.path)
            .then(|| below(&moved.path, &asked.path, moved.after.as_ref()))
            .flatten()
    };
    related
        && match &asked.want {
            Want::Set { value, .. } | Want::Exactly(value) => !same(Some(value), after().as_ref(), order),
            Want::Add(_) => {
                let after = after();
                let there = |item: &Value| {
                    after.as_ref().and_then(Value::as_array).is_some_and(|held| held.contains(item))
                };
                !asked.want.items().iter().all(there)
            }
            Want::Empty { .. } => moved.after.is_some(),
            Want::Remove(_) => false,
        }
}

/// The value that an inner path has inside the value of an outer one.
fn below(outer: &FieldPath, inner: &FieldPath, value: Option<&Value>) -> Option<Value> {
    let mut body = Body::new();
    outer.put(&mut body, value?.clone());
    inner.get(&body).cloned()
}

/// Whether an update says of another field that it writes which text it held before: then the three-way comparison tells whether a
/// client that has the new name already is the one that is meant.
fn knows_more_than_the_name(kind: &Kind, update: &Update) -> bool {
    let name = FieldPath::root_field(&kind.endpoint.name_field);
    let of_name = update.expects.iter().any(|expect| expect.path == name);
    let written = |path: &FieldPath| update.ops.iter().any(|op| op.path == *path);
    // That something is absent, or switched off, is true of nearly every client.
    let telling = |value: &Option<Term>| {
        let literal = value.as_ref().and_then(Term::literal);
        literal.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    let tells =
        |expect: &crate::job::Expect| expect.path != name && written(&expect.path) && telling(&expect.value);
    of_name && update.expects.iter().any(tells)
}

/// What is said of a `replace` that would take away what nobody could put back.
fn loses_secret(kind: &Kind, path: &FieldPath) -> RenderFault {
    let help = match validate::unset(kind, path) {
        None => {
            format!("replace what stands beside it by itself, or take it away with `unset = [\"{path}\"]`")
        }
        Some(_) => "replace what stands beside it by itself, and leave it where it is".to_owned(),
    };
    let what = format!("`replace` would remove `{path}`, which holds a secret that nobody could put back");
    RenderFault { what, help: Some(help), lost: None }
}

/// What is said where one update asks for a field that another one's change moves.
fn takes_away(path: &FieldPath) -> RenderFault {
    let what = format!("another change of this job moves `{path}`, which this one asks for");
    RenderFault { what, help: Some("the two cannot both be: leave one of them out".to_owned()), lost: None }
}

/// What is said where a template gave none for want of a path, and the field holds something.
fn wipes(lacking: &str, path: &FieldPath) -> RenderFault {
    let help = format!(
        "to empty it, write `{{{{ {lacking} | default(none) }}}}`; else say what to write instead of none"
    );
    RenderFault {
        what: format!("`{lacking}` is none, which would empty `{path}`"),
        help: Some(help),
        lost: None,
    }
}

fn conflict(updates: &[&Update], conflicts: &[String]) -> Done {
    let fetched = updates.iter().any(|update| update.extras().base.is_some());
    let hint = if fetched {
        "; somebody changed it since `get` fetched it: fetch it again to edit what is there now"
    } else {
        ""
    };
    Done::because(RowResult::Conflict, Reason::Expect, conflicts.join("; ") + hint)
}
