//! What can be known of a job offline beyond its single values: updates that contradict each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::want::{Want, literal};
use super::{Job, Op, Selector, Update};
use crate::catalogue::Kind;
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

/// Updates of the same client that ask for different things, wherever the job names the client by its id.
/// Updates by rule, and what templates come to, are compared when the plan knows whom they fit.
pub fn contradictions(job: &Job) -> Vec<Problem> {
    let named = || {
        job.updates.iter().filter_map(|update| match &update.selector {
            Selector::Id(id) => Some((id, update)),
            Selector::Rule(_) | Selector::Templated(_) => None,
        })
    };
    // Most files name each client once: only those named again are looked at.
    let mut seen: HashSet<&EntityId> = HashSet::with_capacity(job.updates.len());
    let again: HashSet<&EntityId> = named().filter(|(id, _)| !seen.insert(id)).map(|(id, _)| id).collect();
    drop(seen);
    let mut by_id: HashMap<&EntityId, Vec<&Update>> = HashMap::new();
    for (id, update) in named().filter(|(id, _)| again.contains(id)) {
        by_id.entry(id).or_default().push(update);
    }
    let mut found: Vec<(usize, Problem)> = Vec::new();
    for updates in by_id.values() {
        let asked: Vec<Asked<'_>> = updates.iter().flat_map(|update| asked(update)).collect();
        found.extend(
            clashes(job.kind, &asked)
                .into_iter()
                .map(|(at, problem)| (asked[at].op.span.start + asked[at].update.origin.span.start, problem)),
        );
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, problem)| problem).collect()
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
pub fn clashes(kind: &Kind, asked: &[Asked<'_>]) -> Vec<(usize, Problem)> {
    let mut held: Vec<&Asked<'_>> = Vec::new();
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let mut told: Option<*const Update> = None;
    for (at, one) in asked.iter().enumerate() {
        if told == Some(std::ptr::from_ref(one.update)) {
            continue;
        }
        let apart = |earlier: &Update| {
            earlier.tenant.is_some() && one.update.tenant.is_some() && earlier.tenant != one.update.tenant
        };
        let clashing = held.iter().find(|earlier| !apart(earlier.update) && clash(kind, earlier, one));
        if let Some(earlier) = clashing {
            told = Some(std::ptr::from_ref(one.update));
            found.push((at, contradiction(earlier, one)));
            continue;
        }
        let known = |earlier: &&Asked<'_>| {
            earlier.update.tenant == one.update.tenant && earlier.path == one.path && earlier.want == one.want
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
        // Items unite, unless one is to come and to go.
        (Want::Add(_), Want::Remove(_)) | (Want::Remove(_), Want::Add(_)) => {
            b.want.items().iter().any(|item| has(a.want.items(), item))
        }
        (Want::Add(_), Want::Add(_)) | (Want::Remove(_), Want::Remove(_)) => false,
        _ => true,
    }
}

/// Whether a list has an item.
pub fn has(list: &[Value], item: &Value) -> bool {
    list.iter().any(|other| same(Some(other), Some(item), ListOrder::Ordered))
}
