//! What a person should look at in a plan, though nothing is wrong with it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;

use super::resolve::Resolved;
use super::state::{TenantState, TenantStates};
use super::types::{RowState, Write};
use super::writes::Writes;
use crate::catalogue::Kind;
use crate::job::{Job, RowLabel};
use crate::model::words::a;
use crate::model::{Body, EntityId, FieldPath, Problem, Reason, TenantName};

/// Names told of one tenant.
const SHOWN: usize = 5;

/// Of one tenant's part of a plan: rules that fit nobody, and names that two clients would share.
pub fn warnings(
    job: &Job,
    tenant: &TenantName,
    states: &TenantStates,
    (writes, rows): &Resolved,
) -> Vec<Problem> {
    let nobody = rows
        .iter()
        .filter(|row| matches!(&row.state, RowState::Done(done) if done.reason == Some(Reason::NoMatch)));
    // A misspelt pattern looks just like one that has done its work.
    let nobody = nobody.filter_map(|row| {
        // Where the update says itself that nobody may fit, nobody is no surprise.
        let update = job.updates.get(row.update).filter(|update| update.extras().count.is_none())?;
        let origin = &update.origin;
        let what = format!("{} fits no {} of {tenant}", origin.label.in_words(), update.kind.singular);
        Some(Problem::new(what).at(&origin.file, origin.span.clone()).warning())
    });
    let mut all: Vec<Problem> = nobody.collect();
    let kinds = job.used();
    all.extend(
        kinds.into_iter().filter_map(|kind| shared_names((job, kind), tenant, states.of(kind.name), writes)),
    );
    all.extend(lost_secrets(job, tenant, writes));
    all
}

/// A secret that goes is gone: patchwave keeps none, so that an undo has nothing to put back.
fn lost_secrets(job: &Job, tenant: &TenantName, writes: &Writes) -> Option<Problem> {
    let losing = writes.losing_secrets();
    let first = writes.get(*losing.first()?)?;
    let clients = match losing.len() {
        1 => format!("{} of {tenant} loses", a(job.noun())),
        several => format!("{several} {}s of {tenant} lose", job.noun()),
    };
    let what = format!(
        "{clients} a secret that no undo can bring back; the first is {} ({})",
        first.id,
        first.label.in_words()
    );
    let update = job.updates.iter().find(|update| update.origin.label == first.label);
    Some(match update {
        Some(update) => Problem::new(what).at(&update.origin.file, update.origin.span.clone()).warning(),
        None => Problem::new(what).warning(),
    })
}

/// Auth0 takes one name for two clients; but nobody can tell them apart in the Dashboard any more, and a job that selects by
/// name, this one included, will find both. Only clients that were read are known.
fn shared_names(
    (job, kind): (&Job, &Kind),
    tenant: &TenantName,
    state: &TenantState,
    writes: &Writes,
) -> Option<Problem> {
    // What is told apart by something else may well share what people read (client grants of one API).
    if !kind.identity.contains(&kind.endpoint.name_field) {
        return None;
    }
    let field = FieldPath::root_field(&kind.endpoint.name_field);
    let writes = || writes.iter().filter(|write| write.kind == kind.name);
    // Only how often each name would be borne is kept, under a short sum of it: names of a hundred thousand clients are many.
    let summed = RandomState::new();
    let sum = |text: &str| summed.hash_one(text);
    let mut bearers: HashMap<u64, usize> = HashMap::new();
    let mut renamed: HashSet<u64> = HashSet::new();
    for write in writes() {
        if let Some(name) = new_name(&write, &field) {
            *bearers.entry(sum(name)).or_default() += 1;
            renamed.insert(sum(write.id.as_str()));
        }
    }
    if bearers.is_empty() {
        return None;
    }
    for (_, body) in state.all().filter(|(id, _)| !renamed.contains(&sum(id.as_str()))) {
        if let Some(bearers) = name_of(&body, &field).and_then(|name| bearers.get_mut(&sum(name))) {
            *bearers += 1;
        }
    }
    bearers.retain(|_, count| *count > 1);
    let mut shared: Vec<(String, usize, RowLabel)> = Vec::new();
    for write in writes().take(if bearers.is_empty() { 0 } else { usize::MAX }) {
        // Each name is told once, with the first who would have it.
        let told =
            new_name(&write, &field).and_then(|name| Some((name.to_owned(), bearers.remove(&sum(name))?)));
        shared.extend(told.map(|(name, count)| (name, count, write.label)));
    }
    let what = match shared.as_slice() {
        [] => return None,
        [(name, count, _)] => format!("{count} {}s of {tenant} would be named {name:?}", kind.singular),
        several => {
            let mut names: Vec<String> =
                several.iter().take(SHOWN).map(|(name, ..)| format!("{name:?}")).collect();
            if several.len() > SHOWN {
                names.push(format!("and {} more", several.len() - SHOWN));
            }
            let count = several.len();
            format!(
                "{count} names of {tenant} would be shared by two or more {}s: {}",
                kind.singular,
                names.join(", ")
            )
        }
    };
    let problem = Problem::new(what).help("select by id from then on, or make the names differ").warning();
    Some(match shared.first().and_then(|(.., label)| origin(job, tenant, *label)) {
        Some(origin) => problem.at(&origin.file, origin.span.clone()),
        None => problem,
    })
}

fn new_name<'w>(write: &'w Write, field: &FieldPath) -> Option<&'w str> {
    write.changes.iter().find(|change| change.path == *field)?.after.as_ref()?.as_str()
}

fn name_of<'b>(body: &'b Body, field: &FieldPath) -> Option<&'b str> {
    field.get(body).and_then(Value::as_str)
}

fn origin<'j>(job: &'j Job, tenant: &TenantName, label: RowLabel) -> Option<&'j crate::job::Origin> {
    let updates = job.updates.iter().filter(|update| update.is_for(tenant));
    updates.map(|update| &update.origin).find(|origin| origin.label == label)
}

/// Entries of lists that hold for every job (of the configuration and the environment) which are the name of a client: they
/// protect nobody. An id that is not here may be another tenant's.
pub fn protects_a_name<'s>(
    job: &Job,
    lists: impl Iterator<Item = &'s EntityId>,
    states: &[&TenantStates],
) -> Vec<Problem> {
    let of_kind = |kind: &Kind, id: &EntityId| {
        let mut bodies = states.iter().flat_map(|states| states.of(kind.name).all());
        let name = &kind.endpoint.name_field;
        bodies.any(|(_, body)| body.get(name).and_then(Value::as_str) == Some(id.as_str()))
    };
    let is_name = |id: &&EntityId| job.used().into_iter().any(|kind| of_kind(kind, id));
    let told = |id: &EntityId| {
        let what = format!("`protect` has \"{id}\", which is the name of {}: it takes ids", a(job.noun()));
        Problem::new(what).help("copy the id from `get`; a name protects nobody").warning()
    };
    lists.filter(is_name).map(told).collect()
}

/// Entries of `protect` that stand for nobody in any tenant that was read whole: an id with a typing error protects nothing.
pub fn protects_nobody<'s>(
    job: &Job,
    states: impl Iterator<Item = Option<&'s TenantStates>>,
) -> Vec<Problem> {
    let mut unseen: Vec<_> = job.guards.protect.iter().collect();
    let whole = |states: &TenantStates| {
        job.used()
            .into_iter()
            .all(|kind| states.of(kind.name).total == Some(states.of(kind.name).objects.len()))
    };
    for states in states {
        // Where not all clients were read, or none could be, nothing is known of those that are missing.
        let Some(states) = states.filter(|states| whole(states)) else { return Vec::new() };
        for (_, state) in states.iter() {
            unseen.retain(|id| !state.objects.contains_key(*id) && !state.excluded.contains(id));
        }
    }
    let told = |id: &&EntityId| {
        let what = format!("`protect` names {id}, and no {} has this id: it protects nobody", job.noun());
        Problem::new(what).help("copy the id from `get`, or take the entry out").warning()
    };
    unseen.iter().map(told).collect()
}
