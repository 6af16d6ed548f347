//! Objects that a job names by what they are called, where their ids are meant: found in the tenant that is being planned.
//! Central function: [`knowing_ids`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::select::{exact_name, literal_new_name};
use super::state::TenantStates;
use crate::catalogue::{Kind, KindName};
use crate::job::{Ids, Job, TenantScope};
use crate::model::EntityId;

/// What templates see of the tenant, with its objects by name, as far as the job asks for any.
pub(super) fn knowing_ids(job: &Job, tenant: &Arc<TenantScope>, states: &TenantStates) -> Arc<TenantScope> {
    let references = job.references(&tenant.name);
    if references.is_empty() {
        return Arc::clone(tenant);
    }
    let of = |name: KindName| {
        let kind = job.kinds.get(name);
        let named = called(job, kind, tenant, states);
        named.into_iter().map(move |(key, id)| (name, key, id))
    };
    Arc::new(tenant.with_ids(Ids::new(references.into_iter().flat_map(of))))
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
