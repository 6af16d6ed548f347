//! One client on its way back: which of its fields become what they were, and which stay, and why. Central type: [`Client`].

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalogue::{Kind, Unset, linked, patch, validate};
use crate::model::three_way::judge;
use crate::model::value::same;
use crate::model::{Body, Expected, FieldChange, FieldPath, ItemEdit, ListOrder, Reason, Verdict};
use crate::plan::check_answer::as_planned;
use crate::plan::compose::predicted;
use crate::plan::judge::{shown, wanted};
use crate::plan::judging::moved_along;
use crate::plan::rejudge::OnConflict;
use crate::plan::revive::is_marked;
use crate::plan::types::{Left, Write, is_from_place};

/// What is to become of a client's fields.
#[derive(Default)]
pub(super) struct Back {
    pub(super) changes: Vec<FieldChange>,
    pub(super) left: Vec<Left>,
}

impl Back {
    /// Leaves the changes that are such as they are; returns whether there were any.
    fn keep(
        &mut self,
        such: impl Fn(&FieldChange) -> bool,
        reason: Reason,
        words: impl Fn(&FieldChange) -> String,
    ) -> bool {
        let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes).into_iter().partition(such);
        self.changes = go;
        self.left.extend(stay.iter().map(|change| left(change, reason, words(change))));
        !stay.is_empty()
    }
}

/// One client: as the run left it, and as it is now.
pub(super) struct Client<'c> {
    kind: &'c Kind,
    write: &'c Write,
    live: &'c Body,
    ran: Body,
    on_conflict: OnConflict,
}

/// What a write changed, field by field: a map that it emptied key by key is as many fields as it had keys.
pub(super) fn fields(kind: &Kind, write: &Write) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    for change in &write.changes {
        match (&change.before, &change.after) {
            (Some(Value::Object(held)), after)
                if kind.unset_of(&change.path) == Unset::EachKey && nothing_in(after.as_ref()) =>
            {
                fields.extend(held.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                    let path = change.path.child(key);
                    let order = kind.order(&path);
                    FieldChange { path, before: Some(value.clone()), after: None, order, items: None }
                }));
            }
            _ => fields.push(change.clone()),
        }
    }
    fields
}

fn nothing_in(after: Option<&Value>) -> bool {
    after.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}

impl<'c> Client<'c> {
    pub(super) fn new(kind: &'c Kind, write: &'c Write, live: &'c Body, on_conflict: OnConflict) -> Self {
        Self { kind, write, live, ran: predicted(kind, write), on_conflict }
    }

    /// What becomes of these fields, which the run changed.
    pub(super) fn put_back(&self, mine: &[FieldChange]) -> Back {
        let mut back = Back::default();
        let mut gone: Vec<FieldPath> = Vec::new();
        for change in mine {
            if gone.iter().any(|outer| outer.encloses(&change.path)) {
                continue;
            }
            if let Some(outer) = self.sprang_up(&change.path, mine) {
                back.changes.extend(self.emptied(&outer));
                gone.push(outer);
                continue;
            }
            match self.field(change).and_then(|change| self.in_place(change)) {
                Ok(change) => back.changes.extend(change),
                Err(left) => back.left.push(left),
            }
        }
        self.together(back)
    }

    /// What the service moves along goes with the fields that move it, or these stay. What stays may be what another field
    /// was waiting for, so all is looked at again until nothing stays that went before.
    fn together(&self, mut back: Back) -> Back {
        loop {
            let moved = moved_along(self.kind, self.live, &back.changes);
            let stays = moved.iter().find(|moved| self.stays(moved, &back.left));
            if let Some(moved) = stays {
                let movers = self.kind.moves_with(moved.path.root());
                let words = |change: &FieldChange| {
                    let now = shown(moved.path.get(self.live));
                    format!(
                        "{} would move {}, which is {now}: not as the run left it",
                        change.path, moved.path
                    )
                };
                let moves = |change: &FieldChange| movers.contains(change.path.root());
                if !back.keep(moves, Reason::ChangedMeanwhile, words) {
                    back.keep(|_| true, Reason::ChangedMeanwhile, words);
                }
                continue;
            }
            let own = back.changes.len();
            let mut whole = Back { changes: [back.changes.clone(), moved].concat(), left: Vec::new() };
            self.keep_valid(&mut whole);
            self.keep_fitting(&mut whole);
            if whole.left.is_empty() {
                return Back { changes: whole.changes, left: back.left };
            }
            for left in &whole.left {
                let movers = self.kind.moves_with(left.path.root());
                let same = |change: &FieldChange| change.path == left.path;
                if !back.keep(same, left.reason, |_| left.message.clone()) {
                    let moves = |change: &FieldChange| movers.contains(change.path.root());
                    back.keep(moves, left.reason, |_| left.message.clone());
                }
            }
            if let (true, Some(left)) = (back.changes.len() == own, whole.left.first()) {
                // Nobody is to blame: rather nothing than what Auth0 would refuse.
                back.keep(|_| true, left.reason, |_| left.message.clone());
            }
        }
    }

    /// Whether a field that would be moved along is not the run's to be moved: it stays for another reason, or somebody has
    /// changed it since.
    fn stays(&self, moved: &FieldChange, left: &[Left]) -> bool {
        let related = |left: &Left| left.path.encloses(&moved.path) || moved.path.encloses(&left.path);
        let as_run_left_it = same(moved.path.get(&self.ran), moved.path.get(self.live), moved.order);
        left.iter().any(related) || !as_run_left_it && self.on_conflict != OnConflict::Overwrite
    }

    /// Nor is what Auth0 would refuse for the sake of other fields.
    fn keep_fitting(&self, back: &mut Back) {
        for fault in linked::faults(self.kind, self.live, &wanted(&back.changes)) {
            let words = |change: &FieldChange| {
                format!("{} cannot be put back by itself: {}", change.path, fault.what)
            };
            back.keep(|change| change.path.root() == fault.root(), Reason::CannotUnset, words);
        }
    }

    /// The object around a field that was not there before the run, and that holds nothing which the run did not bring:
    /// it goes as a whole. Taken leaf by leaf it would stay, with what the service has filled in.
    fn sprang_up(&self, path: &FieldPath, mine: &[FieldChange]) -> Option<FieldPath> {
        let absent = |outer: &FieldPath| outer.get(&self.write.before).is_none();
        let brought =
            |outer: &FieldPath| outer.get(self.live).is_none_or(|now| self.is_ours(outer, now, mine));
        // Where somebody added to the outermost, an inner one may still be all ours.
        let mut outers = ancestors(path).into_iter();
        outers.find(|outer| absent(outer) && brought(outer) && self.can_empty(outer))
    }

    fn is_ours(&self, path: &FieldPath, now: &Value, mine: &[FieldChange]) -> bool {
        if let Value::Object(entries) = now
            && !mine.iter().any(|change| change.path == *path)
        {
            return entries.iter().all(|(key, inner)| self.is_ours(&path.child(key), inner, mine));
        }
        let written = mine.iter().any(|change| change.path.encloses(path))
            && same(path.get(&self.ran), Some(now), self.kind.order(path));
        // The service fills in defaults beside what it is sent; a whole object that it was not sent is somebody's.
        let beside_ours = path.parent().is_some_and(|outer| outer.get(&self.ran).is_some());
        written || beside_ours && same(self.kind.default_of(path), Some(now), self.kind.order(path))
    }

    /// The change that takes an object away; none where there is nothing to take.
    fn emptied(&self, path: &FieldPath) -> Option<FieldChange> {
        let now = path.get(self.live).filter(|now| !self.kind.is_empty(path, Some(now)))?;
        let (before, order) = (Some(now.clone()), self.kind.order(path));
        let after = patch::emptied_as(self.kind, path);
        Some(FieldChange { path: path.clone(), before, after, order, items: None })
    }

    /// One field: the change that puts it back, if it is not back already, or why it stays.
    fn field(&self, change: &FieldChange) -> Result<Option<FieldChange>, Left> {
        let now = change.path.get(self.live);
        if let Some(items) = &change.items {
            return Ok(self.items(change, items, now));
        }
        if is_from_place(change) {
            let words = format!("{} was given a new secret, and nobody has kept the one before", change.path);
            return Err(left(change, Reason::CannotRestore, words));
        }
        let ran = change.path.get(&self.ran);
        let as_run_left_it = as_planned(self.kind, change, ran, now);
        if is_marked(change.before.as_ref()) {
            // Whoever put a secret there again knows which; the one that was there nobody has.
            if is_marked(now) && !as_run_left_it {
                return Ok(None);
            }
            let words = format!("{} held a secret before, and patchwave keeps none", change.path);
            return Err(left(change, Reason::CannotRestore, words));
        }
        let nothing = |value: Option<&Value>| self.kind.is_empty(&change.path, value);
        if nothing(change.before.as_ref()) && nothing(now) {
            return Ok(None);
        }
        match judge(Expected::Value(ran), change.before.as_ref(), now, change.order) {
            Verdict::Already => Ok(None),
            Verdict::Conflict if !as_run_left_it && self.on_conflict != OnConflict::Overwrite => {
                let (path, now, ran) = (&change.path, shown(now), shown(ran));
                let words = format!("{path} is {now}; the run left {ran}, so somebody changed it since");
                Err(left(change, Reason::ChangedMeanwhile, words))
            }
            _ if change.before.is_none() && !self.can_empty(&change.path) => {
                let words = format!("{} was absent before, and cannot be again", change.path);
                Err(left(change, Reason::CannotUnset, words))
            }
            _ => {
                let after = change.before.clone().or_else(|| patch::emptied_as(self.kind, &change.path));
                Ok(Some(FieldChange { before: now.cloned(), after, ..change.clone() }))
            }
        }
    }

    /// A list that the run edited by item. Where it is just as the run left it, it becomes what it was; else only the
    /// run's own items are taken back, whatever else stands there by now.
    fn items(&self, change: &FieldChange, items: &ItemEdit, now: Option<&Value>) -> Option<FieldChange> {
        let reverse = reversed(items, change.before.as_ref(), now);
        let exactly = |a: Option<&Value>, b: Option<&Value>| same(a, b, ListOrder::Ordered);
        let by_item = reverse.after(now);
        let untouched = exactly(change.path.get(&self.ran), now);
        let (after, items) = match (untouched, change.before.is_some() || self.can_empty(&change.path)) {
            // The order of the list, or that there was none, is more than its items say.
            (true, true) if !exactly(by_item.as_ref(), change.before.as_ref()) => {
                (change.before.clone(), None)
            }
            _ if reverse.is_done(now) => return None,
            // Auth0 takes no empty list here: none at all is what it means.
            _ if list(by_item.as_ref()).is_empty() && self.takes_no_empty_list(&change.path) => (None, None),
            _ => (by_item, Some(reverse)),
        };
        let differs = !exactly(after.as_ref(), now);
        differs.then(|| FieldChange { before: now.cloned(), after, items, ..change.clone() })
    }

    fn takes_no_empty_list(&self, path: &FieldPath) -> bool {
        self.kind.lookup(path).field().is_some_and(|field| field.min_items.is_some_and(|least| least > 0))
    }

    /// A field goes back into the object that it was taken from. Where somebody has taken that away since, it would come to
    /// life again with this field alone, which nobody asked for: an add-on is on where there is an object.
    fn in_place(&self, back: Option<FieldChange>) -> Result<Option<FieldChange>, Left> {
        let Some(change) = back else { return Ok(None) };
        let taken_away = |outer: &FieldPath| {
            let held = outer.get(&self.ran).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
            held && outer.get(self.live).is_none() && self.kind.unset_of(outer) != Unset::EachKey
        };
        let restores = change.after.is_some() && self.on_conflict != OnConflict::Overwrite;
        match ancestors(&change.path).into_iter().find(|outer| restores && taken_away(outer)) {
            Some(outer) => {
                let words = format!("{outer} is gone; the run left it there, so somebody changed it since");
                Err(left(&change, Reason::ChangedMeanwhile, words))
            }
            None => Ok(Some(change)),
        }
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
            back.left.extend(stay.iter().map(|change| {
                let words = format!("{} cannot be put back by itself: {}", change.path, fault.what);
                left(change, Reason::CannotUnset, words)
            }));
        }
    }
}

fn left(change: &FieldChange, reason: Reason, message: String) -> Left {
    Left { path: change.path.clone(), reason, message }
}

/// The edit that takes another one back: items that came go, and those that went come again. Of items that got other attributes,
/// those get their old ones that still are as the edit left them.
fn reversed(edit: &ItemEdit, before: Option<&Value>, now: Option<&Value>) -> ItemEdit {
    let among = |all: Option<&'_ Value>, item: &Value| {
        list(all).iter().find(|held| edit.is_same(held, item)).cloned()
    };
    let is_gone = |item: &&Value| edit.remove.iter().any(|gone| edit.is_same(gone, item));
    // Whoever put one there again, with whatever attributes, meant it so.
    let is_free = |item: &&Value| edit.keys.is_empty() || among(now, item).is_none();
    let mut add: Vec<Value> = list(before).iter().filter(is_gone).filter(is_free).cloned().collect();
    for item in edit.add.iter().filter(|_| !edit.keys.is_empty()) {
        let (Some(was), Some(is), Some(named)) = (among(before, item), among(now, item), item.as_object())
        else {
            continue;
        };
        let ours = |key: &String, value: &Value| edit.keys.contains(key) || is.get(key) == Some(value);
        let back = named.iter().filter(|(key, value)| ours(key, value));
        let back = back.filter_map(|(key, _)| Some((key.clone(), was.get(key)?.clone())));
        add.push(Value::Object(back.collect()));
    }
    let came = |item: &&Value| among(before, item).is_none();
    let remove = edit.add.iter().filter(came).cloned().collect();
    ItemEdit { add, remove, keys: edit.keys.clone() }
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
