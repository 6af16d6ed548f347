//! Objects that a job names by what they are called, where their ids are meant: found in the tenant that is being planned.
//! Central function: [`met`]; `knowing_ids` is what planning uses.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::select::{exact_name, literal_new_name};
use super::state::TenantStates;
use super::types::NamedObject;
use super::writes::Writes;
use crate::catalogue::{Kind, KindName};
use crate::job::{Ids, Job, TenantScope};
use crate::model::EntityId;

/// What templates see of the tenant, with its objects by name, as far as the job asks for any.
pub(super) fn knowing_ids(job: &Job, tenant: &Arc<TenantScope>, states: &TenantStates) -> Arc<TenantScope> {
    let named = asked_for(job, tenant, states);
    if job.references(&tenant.name).is_empty() {
        Arc::clone(tenant)
    } else {
        Arc::new(tenant.with_ids(Ids::new(named)))
    }
}

/// The objects of the kinds that the job asks for by name, with what each is called.
fn asked_for<'j>(
    job: &'j Job,
    tenant: &'j TenantScope,
    states: &'j TenantStates,
) -> impl Iterator<Item = (KindName, String, EntityId)> {
    let of = move |name: KindName| {
        let named = called(job, job.kinds.get(name), tenant, states);
        named.into_iter().map(move |(key, id)| (name, key, id))
    };
    job.references(&tenant.name).into_iter().flat_map(of)
}

/// The objects whose ids stand in writes, of those that the job asks for by name: who reads the plan later has no tenant to ask.
pub fn met(job: &Job, tenant: &TenantScope, states: &TenantStates, writes: &Writes) -> Vec<NamedObject> {
    if job.references(&tenant.name).is_empty() {
        return Vec::new();
    }
    let mut ids: HashSet<String> = HashSet::new();
    for write in writes.iter() {
        let values = write.changes.iter().flat_map(|change| [&change.before, &change.after]);
        values.flatten().for_each(|value| texts(value, &mut ids));
    }
    let all: Vec<_> = asked_for(job, tenant, states).collect();
    let mut times: HashMap<(KindName, &str), usize> = HashMap::new();
    all.iter().for_each(|(kind, name, _)| *times.entry((*kind, name.as_str())).or_default() += 1);
    let is_met = |(kind, name, id): &&(KindName, String, EntityId)| {
        ids.contains(id.as_str()) && times.get(&(*kind, name.as_str())) == Some(&1)
    };
    let named = all.iter().filter(is_met);
    named.map(|(kind, name, id)| NamedObject { kind: *kind, id: id.clone(), name: name.clone() }).collect()
}

fn texts(value: &Value, all: &mut HashSet<String>) {
    match value {
        Value::String(text) => drop(all.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(map) => map.values().for_each(|inner| texts(inner, all)),
        _ => (),
    }
}

/// The objects of a kind with what each is called; where somebody said which one is meant, that one.
fn called(job: &Job, kind: &Kind, tenant: &TenantScope, states: &TenantStates) -> Vec<(String, EntityId)> {
    let state = states.of(kind.name);
    let key = job.reference_key(kind);
    let text = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    };
    let mut named: Vec<(String, EntityId)> =
        state.all().filter_map(|(id, body)| Some((key.get(&body).and_then(text)?, id.clone()))).collect();
    named.extend(under_old_names(job, kind, tenant, &named));
    let said = job.mapping.iter().flat_map(|mapping| mapping.of(&tenant.name));
    let said: HashMap<&str, &EntityId> = said.filter(|(_, id)| state.objects.contains_key(*id)).collect();
    named.retain(|(key, _)| !said.contains_key(key.as_str()));
    named.extend(said.into_iter().map(|(key, id)| (key.to_owned(), id.clone())));
    named
}

/// An object that an earlier run of this very job has renamed is meant by its old name still, where nobody else has that.
fn under_old_names(
    job: &Job,
    kind: &Kind,
    tenant: &TenantScope,
    named: &[(String, EntityId)],
) -> Vec<(String, EntityId)> {
    let known: HashSet<&str> = named.iter().map(|(key, _)| key.as_str()).collect();
    let of_kind =
        job.updates.iter().filter(|update| update.kind.name == kind.name && update.is_for(&tenant.name));
    let renames =
        of_kind.filter_map(|update| Some((exact_name(kind, update)?, literal_new_name(kind, update)?)));
    let renames = renames.filter(|(old, new)| !known.contains(old) && known.contains(new));
    let with_ids = renames.flat_map(|(old, new)| {
        named.iter().filter(move |(key, _)| key == new).map(move |(_, id)| (old.to_owned(), id.clone()))
    });
    with_ids.collect()
}
