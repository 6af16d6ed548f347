//! Clients read again: before a write that was planned too long ago, or that may have been sent, and to verify a wave.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::read::read_state;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::{KindName, Kinds};
use crate::model::{Body, EntityId, Packed, Secrets};
use crate::plan::revive::roots;
use crate::plan::{Missing, Needs, TenantPlan, Write};

/// What was read, without secrets.
#[derive(Debug)]
pub(super) struct Fresh {
    objects: HashMap<(KindName, EntityId), Packed<Body>>,
    missing: HashMap<(KindName, EntityId), Missing>,
    /// When the reading began.
    pub(super) read: Instant,
}

impl Fresh {
    /// The object of a write as it is now; else what the tenant said of its id.
    pub(super) fn of(&self, write: &Write) -> Result<&Packed<Body>, Option<&Missing>> {
        let key = (write.kind, write.id.clone());
        self.objects.get(&key).ok_or_else(|| self.missing.get(&key))
    }
}

/// Reads the clients of these writes of a plan again: by the page, or one by one where that is cheaper. What is to be made, or
/// whose id nobody knows, is not read.
///
/// # Errors
/// Where the tenant cannot be reached or refuses.
pub(super) async fn refresh(
    reader: &Reader,
    kinds: &Kinds,
    plan: &TenantPlan,
    writes: &[Write],
    secrets: &Arc<Secrets>,
) -> Result<Fresh, ApiError> {
    let mut fresh = Fresh { objects: HashMap::new(), missing: HashMap::new(), read: Instant::now() };
    for (name, _) in plan.writes.by_kind() {
        let kind = kinds.get(*name);
        let is_there = |write: &&Write| write.kind == *name && !write.id.as_str().is_empty();
        let of = || writes.iter().filter(is_there);
        if of().next().is_none() {
            continue;
        }
        let ids = of().map(|write| write.id.clone()).collect();
        let needs = Needs { secrets: Arc::clone(secrets), ..Needs::again(kind, roots(kind, of()), ids) };
        let state = read_state(reader, None, kind, &needs).await?;
        let mine = |(id, _): &(EntityId, Packed<Body>)| needs.ids.contains(id);
        fresh.objects.extend(state.objects.into_iter().filter(mine).map(|(id, body)| ((*name, id), body)));
        fresh.missing.extend(state.missing.into_iter().map(|(id, missing)| ((*name, id), missing)));
    }
    Ok(fresh)
}
