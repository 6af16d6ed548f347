//! Objects as they are now: their own fields, and the lists that belong to them and are read from endpoints of their own.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use crate::auth0::{ApiError, Reader};
use crate::catalogue::Kind;
use crate::model::{Body, Entity, EntityId};

/// Objects whose lists are read beside each other; the rate limit is the pace, this only hides latency.
const BESIDE: usize = 4;

/// One object with these root fields; with all of them, lists included, where none are named.
///
/// # Errors
/// Where the tenant has no such object, or a request fails.
pub async fn live(
    reader: &Reader,
    kind: &Kind,
    id: &EntityId,
    roots: Option<&[&str]>,
) -> Result<Entity, ApiError> {
    let of_lists = |root: &&str| kind.endpoint.association(root).is_some();
    let lists_alone = roots.is_some_and(|roots| !roots.is_empty() && roots.iter().all(of_lists));
    let entity = if lists_alone {
        Entity { id: id.clone(), body: Body::new() }
    } else {
        reader.get(&kind.endpoint, id, roots).await?
    };
    with_lists_of(reader, kind, entity, roots).await
}

/// All objects of a kind with all of their fields, lists included.
///
/// # Errors
/// As [`Reader::list`], and where a list cannot be read.
pub async fn all(reader: &Reader, kind: &Kind) -> Result<Vec<Entity>, ApiError> {
    let entities = reader.list(&kind.endpoint, None).await?;
    if kind.endpoint.associations.is_empty() {
        return Ok(entities);
    }
    let mut reads = Vec::new();
    for entity in entities {
        reads.push(with_lists_of(reader, kind, entity, None));
    }
    stream::iter(reads).buffered(BESIDE).try_collect().await
}

/// An object with those lists in its body that are among these root fields.
///
/// # Errors
/// Where a request fails.
pub(super) async fn with_lists_of(
    reader: &Reader,
    kind: &Kind,
    mut entity: Entity,
    roots: Option<&[&str]>,
) -> Result<Entity, ApiError> {
    for association in &kind.endpoint.associations {
        // What stands there under the same name is an older way to say it.
        entity.body.shift_remove(&association.field);
        if roots.is_none_or(|roots| roots.contains(&association.field.as_str())) {
            let items = reader.associated(&kind.endpoint, association, &entity.id).await?;
            entity.body.insert(association.field.clone(), Value::Array(items));
        }
    }
    Ok(entity)
}
