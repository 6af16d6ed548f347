//! What a person should look at in a plan, though nothing is wrong with it.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::resolve::Resolved;
use super::state::TenantState;
use super::types::{RowState, Write};
use super::writes::Writes;
use crate::job::{Job, RowLabel};
use crate::model::{Body, EntityId, FieldPath, Problem, Reason, TenantName};

/// Names told of one tenant.
const SHOWN: usize = 5;

/// Of one tenant's part of a plan: rules that fit nobody, and names that two clients would share.
pub fn warnings(
    job: &Job,
    tenant: &TenantName,
    state: &TenantState,
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
        let what = format!("{} fits no {} of {tenant}", origin.label.in_words(), job.kind.singular);
        Some(Problem::new(what).at(&origin.file, origin.span.clone()).warning())
    });
    nobody.chain(shared_names(job, tenant, state, writes)).collect()
}

/// Auth0 takes one name for two clients; but nobody can tell them apart in the Dashboard any more, and a job that selects by
/// name, this one included, will find both. Only clients that were read are known.
fn shared_names(job: &Job, tenant: &TenantName, state: &TenantState, writes: &Writes) -> Option<Problem> {
    let field = FieldPath::root_field(&job.kind.endpoint.name_field);
    let new: IndexMap<EntityId, (Box<str>, RowLabel)> =
        writes.iter().filter_map(|write| new_name(&write, &field)).collect();
    if new.is_empty() {
        return None;
    }
    let mut bearers: HashMap<&str, usize> = new.values().map(|(name, _)| (&**name, 0)).collect();
    for (name, _) in new.values() {
        *bearers.entry(name).or_default() += 1;
    }
    for (_, body) in state.all().filter(|(id, _)| !new.contains_key(*id)) {
        if let Some(bearers) = name_of(&body, &field).and_then(|name| bearers.get_mut(name)) {
            *bearers += 1;
        }
    }
    let mut shared: Vec<(&str, usize, RowLabel)> = Vec::new();
    for (name, label) in new.values() {
        // Each name is told once, with the first who would have it.
        match bearers.remove(&**name) {
            Some(count) if count > 1 => shared.push((name, count, *label)),
            _ => (),
        }
    }
    let what = match shared.as_slice() {
        [] => return None,
        [(name, count, _)] => format!("{count} {}s of {tenant} would be named {name:?}", job.kind.singular),
        several => {
            let mut names: Vec<String> =
                several.iter().take(SHOWN).map(|(name, ..)| format!("{name:?}")).collect();
            if several.len() > SHOWN {
                names.push(format!("and {} more", several.len() - SHOWN));
            }
            let count = several.len();
            format!(
                "{count} names of {tenant} would be shared by two or more {}s: {}",
                job.kind.singular,
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

fn new_name(write: &Write, field: &FieldPath) -> Option<(EntityId, (Box<str>, RowLabel))> {
    let change = write.changes.iter().find(|change| change.path == *field)?;
    Some((write.id.clone(), (change.after.as_ref()?.as_str()?.into(), write.label)))
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
    states: &[&TenantState],
) -> Vec<Problem> {
    let name_field = &job.kind.endpoint.name_field;
    let bodies = || states.iter().flat_map(|state| state.all());
    let is_name = |id: &&EntityId| {
        bodies().any(|(_, body)| body.get(name_field).and_then(Value::as_str) == Some(id.as_str()))
    };
    let told = |id: &EntityId| {
        let what =
            format!("`protect` has \"{id}\", which is the name of a {}: it takes ids", job.kind.singular);
        Problem::new(what).help("copy the id from `get`; a name protects nobody").warning()
    };
    lists.filter(is_name).map(told).collect()
}

/// Entries of `protect` that stand for nobody in any tenant that was read whole: an id with a typing error protects nothing.
pub fn protects_nobody<'s>(job: &Job, states: impl Iterator<Item = Option<&'s TenantState>>) -> Vec<Problem> {
    let mut unseen: Vec<_> = job.guards.protect.iter().collect();
    for state in states {
        // Where not all clients were read, or none could be, nothing is known of those that are missing.
        let Some(state) = state.filter(|state| state.total == Some(state.objects.len())) else {
            return Vec::new();
        };
        unseen.retain(|id| !state.objects.contains_key(*id) && !state.excluded.contains(id));
    }
    let told = |id: &&EntityId| {
        let what =
            format!("`protect` names {id}, and no {} has this id: it protects nobody", job.kind.singular);
        Problem::new(what).help("copy the id from `get`, or take the entry out").warning()
    };
    unseen.iter().map(told).collect()
}
