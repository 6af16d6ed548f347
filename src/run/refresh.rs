//! Clients read again: before a write that was planned too long ago, or that may have been sent, and to verify a wave.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::read::read_state;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::Kind;
use crate::model::{Body, EntityId, Packed, Secrets};
use crate::plan::revive::roots;
use crate::plan::{Missing, Needs, TenantPlan};

/// What was read, without secrets.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) objects: HashMap<EntityId, Packed<Body>>,
    pub(super) missing: HashMap<EntityId, Missing>,
    /// When the reading began.
    pub(super) read: Instant,
}

/// Reads the clients of these writes again: by the page, or one by one where that is cheaper.
///
/// # Errors
/// Where the tenant cannot be reached or refuses.
pub(super) async fn refresh(
    reader: &Reader,
    kind: &Kind,
    plan: &TenantPlan,
    writes: &[usize],
    secrets: &Arc<Secrets>,
) -> Result<Fresh, ApiError> {
    let of = || plan.writes.some(writes.iter().copied());
    let ids = of().map(|write| write.id).collect();
    let needs = Needs { secrets: Arc::clone(secrets), ..Needs::again(kind, roots(kind, of()), ids) };
    let read = Instant::now();
    let state = read_state(reader, None, kind, &needs).await?;
    let mine = |(id, _): &(EntityId, Packed<Body>)| needs.ids.contains(id);
    Ok(Fresh { objects: state.objects.into_iter().filter(mine).collect(), missing: state.missing, read })
}
