//! What can be known of a job offline beyond its single values: updates that contradict each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::want::{Want, literal};
use super::{Op, RowLabel, Selector, Update};
use crate::catalogue::{Fault, Kind, KindName, validate};
use crate::model::value::same;
use crate::model::{EntityId, FieldPath, ListOrder, Problem};

/// What one operation of one update asks of a client.
#[derive(Debug, Clone)]
pub struct Asked<'j> {
    /// The update.
    pub update: &'j Update,
    /// The operation.
    pub op: &'j Op,
    /// Which field, where an object came out of a template: a leaf of it.
    pub path: FieldPath,
    /// What is asked of it.
    pub want: Want<'j>,
}

/// What is wrong with updates beyond their single values: those that contradict each other, and fields that Auth0 would not
/// take together.
pub(super) fn across(updates: &[Update]) -> Vec<Problem> {
    let several = updates_by_id(updates);
    let mut problems = in_order(contradictions(&several));
    problems.extend(in_order(unfit_together(updates, &several)));
    problems
}

/// Updates of each client that is named by its id more than once.
type ById<'u> = HashMap<(KindName, &'u EntityId), Vec<&'u Update>>;

/// A problem with where it stands, to be told in the order of the file.
type Placed = (usize, Problem);

fn in_order(mut problems: Vec<Placed>) -> Vec<Problem> {
    problems.sort_by_key(|(at, _)| *at);
    problems.into_iter().map(|(_, problem)| problem).collect()
}

fn place(update: &Update, op: &Op) -> usize {
    op.span.start + update.origin.span.start
}

fn updates_by_id(updates: &[Update]) -> ById<'_> {
    let named = || {
        updates.iter().filter_map(|update| match &update.selector {
            Selector::Id(id) => Some(((update.kind.name, id), update)),
            Selector::Rule(_) | Selector::Templated(_) | Selector::Lost(_) => None,
        })
    };
    // Most files name each client once: only those named again are looked at.
    let mut seen: HashSet<(KindName, &EntityId)> = HashSet::with_capacity(updates.len());
    let again: HashSet<(KindName, &EntityId)> =
        named().filter(|(id, _)| !seen.insert(*id)).map(|(id, _)| id).collect();
    drop(seen);
    let mut by_id = ById::new();
    for (id, update) in named().filter(|(id, _)| again.contains(id)) {
        by_id.entry(id).or_default().push(update);
    }
    by_id
}

/// Updates of the same client that ask for different things, wherever the job names the client by its id.
/// Updates by rule, and what templates come to, are compared when the plan knows whom they fit.
fn contradictions(several: &ById<'_>) -> Vec<Placed> {
    let mut found = Vec::new();
    for updates in several.values() {
        let asked: Vec<Asked<'_>> = updates.iter().flat_map(|update| asked(update)).collect();
        let clashes = clashes(&asked).into_iter();
        found.extend(clashes.map(|(at, problem)| (place(asked[at].update, asked[at].op), problem)));
    }
    found
}

/// What is asked of several fields of one client that Auth0 would refuse together, as far as the values are literal.
fn unfit_together(updates: &[Update], several: &ById<'_>) -> Vec<Placed> {
    let judged = |update: &&Update| !update.extras().compared;
    let named_again: HashSet<*const Update> =
        several.values().flatten().map(|update| std::ptr::from_ref(*update)).collect();
    let alone = |update: &&Update| !named_again.contains(&std::ptr::from_ref(*update));
    let single = updates.iter().filter(judged).filter(alone);
    let mut problems: Vec<Placed> = single.flat_map(|update| unfit(&[update])).collect();
    for updates in several.values() {
        let updates: Vec<&Update> = updates.iter().copied().filter(judged).collect();
        let mut found: Vec<Placed> = Vec::new();
        for problem in by_tenant(&updates).iter().flat_map(|group| unfit(group)) {
            // Rows for all tenants are seen by each.
            if !found.contains(&problem) {
                found.push(problem);
            }
        }
        problems.extend(found);
    }
    problems
}

/// The updates of one client as each tenant sees them: those without a tenant are for all.
fn by_tenant<'u>(updates: &[&'u Update]) -> Vec<Vec<&'u Update>> {
    let tenants: HashSet<_> = updates.iter().filter_map(|update| update.tenant.as_ref()).collect();
    if tenants.is_empty() {
        return vec![updates.to_vec()];
    }
    let seen = |tenant| {
        updates
            .iter()
            .copied()
            .filter(|update| update.tenant.as_ref().is_none_or(|of| of == tenant))
            .collect()
    };
    tenants.into_iter().map(seen).collect()
}

/// What is unfit of updates of one object.
fn unfit(updates: &[&Update]) -> Vec<Placed> {
    let Some(kind) = updates.first().map(|update| update.kind) else { return Vec::new() };
    let ops = || updates.iter().flat_map(|update| update.ops.iter().map(|op| (*update, op)));
    // Most files have hundreds of thousands of rows that say nothing of the kind.
    if ops().nth(1).is_none() || !validate::may_clash(kind, || ops().map(|(_, op)| op.path.root())) {
        return Vec::new();
    }
    let changes: Vec<_> = ops().filter_map(|(_, op)| Some((op.path.clone(), becomes(op)?))).collect();
    let told = |fault: Fault| {
        let exact = ops().find(|(_, op)| op.path.to_string() == fault.path);
        let (update, op) = exact.or_else(|| ops().find(|(_, op)| op.path.root() == fault.root()))?;
        let what = match update.origin.label {
            // Its line is the place, and a spreadsheet shows no lines.
            RowLabel::Row(_) => format!("{}: {}", update.origin.label.in_words(), fault.what),
            _ => fault.what,
        };
        let problem = Problem::new(what).at(&update.origin.file, op.span.clone()).maybe_help(fault.help);
        Some((place(update, op), problem))
    };
    validate::together(kind, &changes).into_iter().filter_map(told).collect()
}

/// What a field holds after an operation, where the file alone tells it.
fn becomes(op: &Op) -> Option<Option<Value>> {
    match literal(op)? {
        Want::Set { value, .. } | Want::Exactly(value) => Some(Some(value.into_owned())),
        Want::Empty { .. } => Some(None),
        Want::Add(_) | Want::Remove(_) => None,
    }
}

fn asked(update: &Update) -> impl Iterator<Item = Asked<'_>> {
    update
        .ops
        .iter()
        .filter_map(move |op| Some(Asked { update, op, path: op.path.clone(), want: literal(op)? }))
}

/// What cannot be done together, each with the place in `asked` of the later of the two. Of each update the first clash is
/// told. One entry is kept for each path and tenant, however many updates repeat it, so that a file with thousands of rows
/// of one client is not compared row by row.
pub fn clashes(asked: &[Asked<'_>]) -> Vec<(usize, Problem)> {
    let mut held: Vec<&Asked<'_>> = Vec::new();
    let mut items = Items::default();
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let mut told: Option<*const Update> = None;
    for (at, one) in asked.iter().enumerate() {
        if told == Some(std::ptr::from_ref(one.update)) {
            continue;
        }
        let apart = |earlier: &Update| {
            earlier.tenant.is_some() && one.update.tenant.is_some() && earlier.tenant != one.update.tenant
        };
        let clashing = held
            .iter()
            .find(|earlier| !apart(earlier.update) && clash(one.update.kind, earlier, one))
            .copied();
        if let Some(earlier) = clashing.or_else(|| items.opposite(one, apart)) {
            told = Some(std::ptr::from_ref(one.update));
            found.push((at, contradiction(earlier, one)));
            continue;
        }
        items.keep(one);
        // Of list edits one stands for all of its kind: their items are kept apart.
        let known = |earlier: &&Asked<'_>| {
            let alike = if one.want.is_by_item() {
                std::mem::discriminant(&earlier.want) == std::mem::discriminant(&one.want)
            } else {
                earlier.want == one.want
            };
            earlier.update.tenant == one.update.tenant && earlier.path == one.path && alike
        };
        if !held.iter().any(known) {
            held.push(one);
        }
    }
    found
}

fn contradiction(earlier: &Asked<'_>, one: &Asked<'_>) -> Problem {
    let origin = &earlier.update.origin;
    let place = origin.file.position(earlier.op.span.start);
    let what = format!(
        "{}: `{}` is also changed by {} ({}:{}:{}), to something else",
        one.update.origin.label.in_words(),
        one.path,
        origin.label.in_words(),
        origin.file.name,
        place.line,
        place.column
    );
    Problem::new(what)
        .at(&one.update.origin.file, one.op.span.clone())
        .help("one client gets one value: remove one of the two")
}

/// Whether two operations on one client cannot both be done.
fn clash(kind: &Kind, a: &Asked<'_>, b: &Asked<'_>) -> bool {
    if a.path != b.path {
        return a.path.encloses(&b.path) || b.path.encloses(&a.path);
    }
    match (&a.want, &b.want) {
        (Want::Set { value: a, .. }, Want::Set { value: other, .. }) => {
            !same(Some(a), Some(other), kind.order(&b.path))
        }
        (Want::Empty { .. }, Want::Empty { .. }) => false,
        (Want::Exactly(a), Want::Exactly(b)) => !same(Some(a), Some(b), ListOrder::Ordered),
        // Items unite; whether one is to come and to go is judged by item.
        (a, b) if a.is_by_item() && b.is_by_item() => false,
        _ => true,
    }
}

/// The items that list edits name so far, each with who named it.
#[derive(Default)]
struct Items<'a, 'j>(HashMap<(bool, String, String), (&'a Asked<'j>, &'a Value)>);

impl<'a, 'j> Items<'a, 'j> {
    fn key(asked: &Asked<'_>, add: bool, item: &Value) -> (bool, String, String) {
        let keys = asked.update.kind.item_keys(&asked.path);
        let told: Vec<&Value> = keys.iter().filter_map(|key| item.get(key)).collect();
        let text = if keys.is_empty() { item.to_string() } else { format!("{told:?}") };
        (add, asked.path.to_string(), text)
    }

    /// Who wants the opposite for one of the items.
    fn opposite(&self, one: &Asked<'_>, apart: impl Fn(&Update) -> bool) -> Option<&'a Asked<'j>> {
        let add = matches!(one.want, Want::Add(_));
        let differs = |one: &Value, other: &Value| {
            let named = one.as_object().into_iter().flatten();
            named.into_iter().any(|(key, value)| other.get(key).is_some_and(|other| other != value))
        };
        let of = |item: &Value| {
            let opposite = self.0.get(&Self::key(one, !add, item)).map(|(earlier, _)| *earlier);
            // One that is named twice cannot get two values of one attribute.
            let twice =
                self.0.get(&Self::key(one, add, item)).filter(|(_, other)| add && differs(item, other));
            opposite.or(twice.map(|(earlier, _)| *earlier))
        };
        let found = one.want.items().iter().find_map(of);
        found.filter(|earlier| !apart(earlier.update))
    }

    fn keep(&mut self, one: &'a Asked<'j>) {
        let add = matches!(one.want, Want::Add(_));
        for item in one.want.items() {
            self.0.entry(Self::key(one, add, item)).or_insert((one, item));
        }
    }
}
