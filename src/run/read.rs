//! Reads of a tenant what a job needs, with the fewest requests.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::live::with_lists_of;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::{Kind, KindName, Kinds, redact};
use crate::model::{Entity, EntityId, Packed, Secrets};
use crate::plan::{Missing, Needs, TenantState, TenantStates};

/// Single reads in flight; the rate limit is the pace, this only hides latency.
const BESIDE: usize = 4;

/// Reads the state of a tenant, one kind after the other, as far as `needs` says. `own` is the client that patchwave itself
/// signs in with.
///
/// # Errors
/// Where the tenant cannot be reached, refuses, or one of its lists stays incomplete.
pub async fn read_states(
    reader: &Reader,
    own: Option<&EntityId>,
    kinds: &Kinds,
    needs: &[(KindName, Needs)],
) -> Result<TenantStates, ApiError> {
    let mut states = TenantStates::default();
    for (name, needs) in needs {
        let kind = kinds.get(*name);
        let own = own.filter(|_| kind.is_runners()).cloned();
        states.add(*name, read_state(reader, own, kind, needs).await?);
    }
    Ok(states)
}

/// Reads the state of a tenant, as far as `needs` says. Secrets are taken out at once: nothing behind this sees any. Where
/// the tenant holds one that is to be set, the place that it was taken from stands for it.
///
/// # Errors
/// Where the tenant cannot be reached, refuses, or its list stays incomplete.
pub(super) async fn read_state(
    reader: &Reader,
    own: Option<EntityId>,
    kind: &Kind,
    needs: &Needs,
) -> Result<TenantState, ApiError> {
    let mut state = TenantState { own, secrets: Arc::clone(&needs.secrets), ..TenantState::default() };
    if needs.is_empty() {
        return Ok(state);
    }
    let grant = reader.sign_in().await?;
    let fields = Wanted::of(needs, kind, |field| may_read(kind, field, grant.scopes.as_ref()));
    if let Some(error) = fields.not_granted(kind, grant.scopes.as_ref()) {
        return Err(error);
    }
    // What all are known by is asked for by itself; of many the list tells sooner.
    if needs.lookups.len() <= MOST_LOOKUPS && needs.ids.is_empty() && can_go_one_by_one(needs) && needs.list {
        one_by_one(reader, kind, &fields, needs, &mut state).await?;
        return with_lists(reader, kind, &fields, needs, state).await;
    }
    if !needs.list && !needs.total && needs.ids.len() == 1 {
        singly(reader, kind, &fields, needs.ids.iter().cloned().collect(), &mut state).await?;
        return with_lists(reader, kind, &fields, needs, state).await;
    }
    // The filter leaves the global client out; its own mark is asked for too, in case a server does not obey the filter.
    let marked = fields.with(kind.excluded_field());
    let first = reader.first_page(&kind.endpoint, marked.as_deref()).await?;
    let missing = absent(needs, first.items().iter().map(|item| &item.id));
    state.total = first.total();
    if !needs.list && first.pages_left().is_some_and(|pages| missing.len() <= pages) {
        first.items().iter().cloned().for_each(|item| add(&mut state, kind, &fields, item));
        state.total = state.total.map(|total| total.saturating_sub(state.excluded.len()));
        singly(reader, kind, &fields, missing, &mut state).await?;
        return with_lists(reader, kind, &fields, needs, state).await;
    }
    let all = match first.rest().await {
        // No list shows all of them; each that is named can be found all the same.
        Err(ApiError::TooLong { .. }) if can_go_one_by_one(needs) => {
            one_by_one(reader, kind, &fields, needs, &mut state).await?;
            return with_lists(reader, kind, &fields, needs, state).await;
        }
        all => all?,
    };
    let missing = absent(needs, all.iter().map(|(id, _)| id));
    state.objects.reserve_exact(all.len());
    for (id, body) in all {
        // The job has the id already: the same text need not be kept twice.
        let id = needs.ids.get(&id).cloned().unwrap_or(id);
        add(&mut state, kind, &fields, Entity { id, body: body.open() });
    }
    state.total = Some(state.objects.len());
    if !missing.is_empty() && !kind.endpoint.excluded_filter.is_empty() {
        // What the list leaves out on purpose would otherwise look as if it did not exist.
        let excluded = reader.list_excluded(&kind.endpoint, Some(&[])).await?;
        state.excluded.extend(excluded.into_iter().map(|item| item.id));
    }
    with_lists(reader, kind, &fields, needs, state).await
}

/// More lookups than these take longer than a list.
const MOST_LOOKUPS: usize = 50;

/// Whether all that is asked for is named by its id or by what the API looks it up by.
fn can_go_one_by_one(needs: &Needs) -> bool {
    !(needs.total || needs.list && needs.lookups.is_empty())
}

/// Reads what is named, a request for each.
async fn one_by_one(
    reader: &Reader,
    kind: &Kind,
    fields: &Wanted<'_>,
    needs: &Needs,
    state: &mut TenantState,
) -> Result<(), ApiError> {
    let wanted = fields.with(None);
    // Gathered first: a stream that makes its futures from borrowed texts would not be `Send`.
    let mut reads = Vec::new();
    for value in &needs.lookups {
        reads.push(reader.look_up(&kind.endpoint, value, wanted.as_deref()));
    }
    let found: Vec<Vec<Entity>> = stream::iter(reads).buffered(BESIDE).try_collect().await?;
    found.into_iter().flatten().for_each(|item| add(state, kind, fields, item));
    let others = needs.ids.iter().filter(|id| !state.objects.contains_key(*id)).cloned().collect();
    singly(reader, kind, fields, others, state).await
}

/// With the lists that belong to those objects which the job may be about.
async fn with_lists(
    reader: &Reader,
    kind: &Kind,
    fields: &Wanted<'_>,
    needs: &Needs,
    mut state: TenantState,
) -> Result<TenantState, ApiError> {
    let asked = |field: &&str| kind.endpoint.association(field).is_some();
    let roots: Vec<&str> = fields.fields.iter().flatten().copied().filter(asked).collect();
    if roots.is_empty() {
        return Ok(state);
    }
    let concerned = state.objects.iter().filter(|(id, body)| needs.may_be_about(id, &body.open()));
    let entities: Vec<Entity> =
        concerned.map(|(id, body)| Entity { id: id.clone(), body: body.open() }).collect();
    let mut reads = Vec::new();
    for entity in entities {
        reads.push(with_lists_of(reader, kind, entity, Some(&roots)));
    }
    let whole: Vec<Entity> = stream::iter(reads).buffered(BESIDE).try_collect().await?;
    for Entity { id, body } in whole {
        state.objects.insert(id, Packed::new(&body));
    }
    Ok(state)
}

/// The named ids that did not arrive.
fn absent<'i>(needs: &Needs, here: impl Iterator<Item = &'i EntityId>) -> Vec<EntityId> {
    let here: HashSet<&EntityId> = here.collect();
    needs.ids.iter().filter(|id| !here.contains(id)).cloned().collect()
}

/// Whether a token may ask for this field by name, as far as it tells its scopes.
fn may_read(kind: &Kind, field: &str, scopes: Option<&BTreeSet<String>>) -> bool {
    let wanted = kind.read_scopes_of(field);
    wanted.is_empty() || scopes.is_some_and(|scopes| wanted.iter().any(|scope| scopes.contains(scope)))
}

/// The root fields to ask for; `None` for all of them.
#[derive(Clone)]
struct Wanted<'n> {
    fields: Option<Vec<&'n str>>,
    /// Those that need a scope of their own, and are asked for beside what is written.
    known: Vec<&'n str>,
    /// The secrets that are to be set.
    secrets: &'n Secrets,
}

impl<'n> Wanted<'n> {
    fn of(needs: &'n Needs, kind: &Kind, may_read: impl Fn(&str) -> bool) -> Self {
        let along: Vec<&str> =
            needs.along.iter().map(String::as_str).filter(|field| may_read(field)).collect();
        let fields = || needs.fields.iter().map(String::as_str).chain(along.iter().copied()).collect();
        let known = along.iter().copied().filter(|field| !kind.read_scopes_of(field).is_empty()).collect();
        Self { fields: (!needs.all_fields).then(fields), known, secrets: &needs.secrets }
    }

    /// The refusal that the request would meet, told with the scopes that it wants.
    fn not_granted(&self, kind: &Kind, scopes: Option<&BTreeSet<String>>) -> Option<ApiError> {
        let known = scopes.is_some();
        let field = self.fields.iter().flatten().find(|field| known && !may_read(kind, field, scopes))?;
        let any_of = kind.read_scopes_of(field).to_vec();
        Some(ApiError::ScopeMissing { any_of, message: format!("{field} cannot be read") })
    }

    fn with(&self, further: Option<&'n str>) -> Option<Vec<&'n str>> {
        self.fields.as_ref().map(|fields| fields.iter().copied().chain(further).collect())
    }

    fn has(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains(&field))
    }
}

/// Keeps an object without its secrets, and one that no job may change apart: only its id, so that nothing selects it.
fn add(state: &mut TenantState, kind: &Kind, fields: &Wanted<'_>, mut item: Entity) {
    let marker = kind.excluded_field();
    if marker.and_then(|field| item.body.get(field)) == Some(&Value::Bool(true)) {
        state.excluded.push(item.id);
        return;
    }
    for field in &fields.known {
        // Asked for and not there: that is known, as it would not be of a field that the token may not see.
        item.body.entry((*field).to_owned()).or_insert(Value::Null);
    }
    let sought = kind.root().fields.keys().map(String::as_str).filter(|field| fields.has(field));
    let elsewhere = kind.shown_elsewhere(&item.body, sought);
    if !elsewhere.is_empty() {
        state.elsewhere.insert(item.id.clone(), elsewhere);
    }
    // Asked for to tell the global client apart, not by the job: a plan holds what the job needs. Of a kind whose fields cannot be
    // chosen all come, and a list that has an endpoint of its own is read there.
    let all = kind.endpoint.projection;
    let named = [kind.endpoint.id_field.as_str(), kind.endpoint.name_field.as_str()];
    item.body.retain(|field, _| {
        let wanted =
            fields.has(field) || all && Some(field.as_str()) != marker || named.contains(&field.as_str());
        wanted && kind.endpoint.association(field).is_none()
    });
    redact::mark(kind, &mut item.body, fields.secrets);
    redact::strip(kind, &mut item.body);
    state.objects.insert(item.id, Packed::new(&item.body));
}

async fn singly(
    reader: &Reader,
    kind: &Kind,
    fields: &Wanted<'_>,
    ids: Vec<EntityId>,
    state: &mut TenantState,
) -> Result<(), ApiError> {
    let wanted = fields.with(kind.excluded_field());
    let reads = stream::iter(ids).map(|id| {
        let wanted = &wanted;
        async move {
            match reader.get(&kind.endpoint, &id, wanted.as_deref()).await {
                Ok(entity) => Ok((id, Ok(entity))),
                Err(error) if error.status() == Some(404) => Ok((id, Err(said(&error)))),
                // An id that no client can have: the server calls the path wrong rather than the client missing.
                Err(error) if error.error_code() == Some("invalid_uri") => Ok((id, Err(said(&error)))),
                Err(error) => Err(error),
            }
        }
    });
    let answers: Vec<_> = reads.buffered(BESIDE).try_collect().await?;
    for (id, answer) in answers {
        match answer {
            Err(missing) => {
                state.missing.insert(id, missing);
            }
            Ok(entity) => add(state, kind, fields, entity),
        }
    }
    Ok(())
}

fn said(error: &ApiError) -> Missing {
    Missing {
        http_status: error.status(),
        error_code: error.error_code().map(str::to_owned),
        message: Some(error.to_string()),
    }
}
