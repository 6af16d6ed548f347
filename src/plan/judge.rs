//! What is asked of one client against what it holds: what changes, what is in place, what conflicts.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::exactly::exactly;
use crate::catalogue::cell::Cell;
use crate::catalogue::{Kind, patch};
use crate::job::check::Asked;
use crate::job::template::RenderFault;
use crate::job::{Scope, Update, Want, want};
use crate::model::three_way::judge;
use crate::model::value::same;
use crate::model::{Body, Expected, FieldChange, FieldPath, ItemEdit, Verdict};

/// The changes as the catalogue's functions take them.
pub(super) fn wanted(changes: &[FieldChange]) -> Vec<(FieldPath, Option<Value>)> {
    changes.iter().map(|change| (change.path.clone(), change.after.clone())).collect()
}

/// An update with its templates filled in for one client.
pub(super) struct Filled<'j> {
    pub(super) update: &'j Update,
    pub(super) asked: Vec<Asked<'j>>,
    /// What must hold before; `None` means absent.
    pub(super) expects: Vec<(FieldPath, Option<Cow<'j, Value>>)>,
}

/// What is asked of a list that belongs to an object, of items that are told apart by their keys: a new one has the defaults of
/// attributes that nobody named; one that is there keeps them as they are.
fn with_attributes<'j>(kind: &Kind, path: &FieldPath, want: Want<'j>, before: &Body) -> Want<'j> {
    let association = kind.endpoint.association(path.root());
    let Some(association) = association.filter(|association| !association.plain) else { return want };
    let is_there = |item: &Value| {
        let there = path.get(before).and_then(Value::as_array).into_iter().flatten();
        there.into_iter().any(|other| association.is_same(other, item))
    };
    let whole = |items: &Value| kind.with_attributes(path, items).unwrap_or_else(|| items.clone());
    match want {
        Want::Set { value, computed } => Want::Set { value: Cow::Owned(whole(&value)), computed },
        Want::Add(items) => {
            let filled = whole(&items);
            let both = items.as_array().into_iter().flatten().zip(filled.as_array().into_iter().flatten());
            let items = both.map(|(item, filled)| if is_there(item) { item } else { filled }.clone());
            Want::Add(Cow::Owned(Value::Array(items.collect())))
        }
        want => want,
    }
}

/// Why an update could not be filled in: the operation's or expectation's place, and what is wrong.
pub(super) type Unfilled = (std::ops::Range<usize>, RenderFault);

impl<'j> Filled<'j> {
    /// Fills an update in for the client of a scope, which holds `before`.
    pub(super) fn new(
        kind: &Kind,
        update: &'j Update,
        scope: &Scope,
        before: &Body,
    ) -> Result<Self, Vec<Unfilled>> {
        let (mut asked, mut expects, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for op in &update.ops {
            match want::fill(kind, op, scope) {
                Ok(wants) => {
                    let whole = wants.into_iter().map(|(path, want)| {
                        let want = with_attributes(kind, &path, want, before);
                        Asked { update, op, path, want }
                    });
                    asked.extend(whole);
                }
                Err(fault) => faults.push((op.span.clone(), fault)),
            }
        }
        for expect in &update.expects {
            let Some(term) = &expect.value else {
                expects.push((expect.path.clone(), None));
                continue;
            };
            if let Some(value) = term.literal() {
                expects.push((expect.path.clone(), Some(Cow::Borrowed(value))));
                continue;
            }
            match want::filled(kind, &expect.path, term, scope) {
                Ok(Cell::Leave) => (),
                Ok(Cell::Unset | Cell::Value(Value::Null)) => expects.push((expect.path.clone(), None)),
                Ok(Cell::Value(value)) => expects.push((expect.path.clone(), Some(Cow::Owned(value)))),
                Err(fault) => faults.push((expect.span.clone(), fault)),
            }
        }
        if faults.is_empty() { Ok(Self { update, asked, expects }) } else { Err(faults) }
    }

    /// What is expected of a field that the update also changes: `Some(None)` means absent.
    fn expected(&self, path: &FieldPath) -> Option<Option<&Value>> {
        self.expects.iter().find(|(of, _)| of == path).map(|(_, value)| value.as_deref())
    }

    /// Expectations of fields that the update does not change, where they do not hold.
    pub(super) fn broken_preconditions(&self, kind: &Kind, before: &Body) -> Vec<String> {
        let others =
            self.expects.iter().filter(|(path, _)| self.asked.iter().all(|asked| asked.path != *path));
        others
            .filter(|(path, value)| !same(value.as_deref(), path.get(before), kind.order(path)))
            .map(|(path, value)| holds(path, path.get(before), value.as_deref()))
            .collect()
    }

    /// Judges one of the things asked. `items` has what all updates of the client ask of lists.
    pub(super) fn judge(
        &self,
        kind: &Kind,
        asked: &Asked<'_>,
        items: &[(FieldPath, ItemEdit)],
        before: &Body,
        overwrite: bool,
    ) -> Judgement {
        let now = asked.path.get(before);
        let expected = self.expected(&asked.path).filter(|_| !overwrite);
        let conflict = |after: Option<&Value>| {
            let held = holds(&asked.path, now, expected.unwrap_or_default());
            Judgement::Conflict(format!("{held} before it becomes {}", shown(after)))
        };
        let order = kind.order(&asked.path);
        let change = |after: Option<Value>, items| FieldChange {
            path: asked.path.clone(),
            before: now.cloned(),
            after,
            order,
            items,
        };
        match &asked.want {
            Want::Empty { .. } if now.is_none() => Judgement::Already,
            Want::Empty { lacking: Some(path) } if !kind.is_empty(&asked.path, now) => {
                Judgement::Wipes(path.clone())
            }
            // No list, and the computed one has nothing in it: there was nothing to take out.
            Want::Set { value, computed: true }
                if now.is_none() && value.as_array().is_some_and(Vec::is_empty) =>
            {
                Judgement::Already
            }
            // Nothing is set below it: all that is asked is that there is an object.
            Want::Set { value, .. } if is_empty_object(value) && now.is_some_and(Value::is_object) => {
                Judgement::Already
            }
            Want::Set { .. } | Want::Empty { .. } => {
                let after = match &asked.want {
                    Want::Set { value, .. } => Some(Value::clone(value)),
                    _ => patch::emptied_as(kind, &asked.path),
                };
                let change = change(after, None);
                // What it leads to is what Auth0 will hold, which for an emptied field may be `""` or absent.
                let settled = patch::predict(kind, before, &wanted(std::slice::from_ref(&change)));
                let expectation = expected.map_or(Expected::Anything, Expected::Value);
                match judge(expectation, asked.path.get(&settled), now, order) {
                    Verdict::Already => Judgement::Already,
                    Verdict::Apply => Judgement::Apply(vec![change]),
                    Verdict::Conflict => conflict(asked.path.get(&settled)),
                }
            }
            Want::Exactly(object) => {
                let changes = match exactly(kind, &asked.path, object, before) {
                    Ok(changes) => changes,
                    Err(secret) => return Judgement::LosesSecret(secret),
                };
                match expected {
                    _ if changes.is_empty() => Judgement::Already,
                    Some(expected) if !same(expected, now, order) => conflict(Some(object)),
                    _ => Judgement::Apply(changes),
                }
            }
            Want::Add(_) | Want::Remove(_) => {
                let Some((_, edit)) = items.iter().find(|(path, _)| *path == asked.path) else {
                    return Judgement::Already;
                };
                // By item, what else stands in the list is nobody's concern, whatever was expected of the whole.
                if edit.is_done(now) {
                    Judgement::Already
                } else {
                    Judgement::Apply(vec![change(edit.after(now), Some(edit.clone()))])
                }
            }
        }
    }
}

/// What is to become of one thing asked.
pub(super) enum Judgement {
    Already,
    Apply(Vec<FieldChange>),
    /// In words.
    Conflict(String),
    /// A template gave none for want of this path, and the field holds something.
    Wipes(String),
    /// What this path holds would go, and a secret with it.
    LosesSecret(FieldPath),
}

/// What the updates of one client ask of its lists by item, united.
pub(super) fn united(kind: &Kind, filled: &[Filled<'_>]) -> Vec<(FieldPath, ItemEdit)> {
    let mut united: Vec<(FieldPath, ItemEdit)> = Vec::new();
    // One client may be named by thousands of rows, each with an item.
    let mut seen: HashSet<(usize, bool, String)> = HashSet::new();
    for asked in filled.iter().flat_map(|filled| &filled.asked).filter(|asked| asked.want.is_by_item()) {
        let at = united.iter().position(|(path, _)| *path == asked.path).unwrap_or_else(|| {
            let keys = kind.item_keys(&asked.path).to_vec();
            united.push((asked.path.clone(), ItemEdit { keys, ..ItemEdit::default() }));
            united.len() - 1
        });
        let add = matches!(asked.want, Want::Add(_));
        let edit = &mut united[at].1;
        let list = if add { &mut edit.add } else { &mut edit.remove };
        let new = asked.want.items().iter().filter(|item| seen.insert((at, add, item.to_string())));
        list.extend(new.cloned());
    }
    united
}

fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn holds(path: &FieldPath, now: Option<&Value>, expected: Option<&Value>) -> String {
    format!("{path} holds {}, expected {}", shown(now), shown(expected))
}

/// A value inside a sentence.
pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
