//! What was read of a tenant.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::model::{Body, EntityId, Packed, Secrets};

/// The state of a tenant, as far as a job needs it.
#[derive(Debug, Clone, Default)]
pub struct TenantState {
    /// The objects that were read, without secrets, in the order of the list.
    pub objects: IndexMap<EntityId, Packed<Body>>,
    /// The secrets that are to be set.
    pub secrets: Arc<Secrets>,
    /// How many the tenant has; known after a list.
    pub total: Option<usize>,
    /// Named objects that no job may change by accident (the global client).
    pub excluded: Vec<EntityId>,
    /// Named objects that no job may change, since somebody said so (`protect`).
    pub protected: HashSet<EntityId>,
    /// The client that patchwave itself signs in with.
    pub own: Option<EntityId>,
    /// Named ids that do not exist, with what the tenant said.
    pub missing: HashMap<EntityId, Missing>,
}

impl TenantState {
    /// An object that was read.
    pub fn object(&self, id: &EntityId) -> Option<Arc<Body>> {
        self.objects.get(id).map(|body| Arc::new(body.open()))
    }

    /// All objects that were read, in the order of the list; each is opened when its turn comes.
    pub fn all(&self) -> impl Iterator<Item = (&EntityId, Body)> {
        self.objects.iter().map(|(id, body)| (id, body.open()))
    }
}

/// What a tenant said of an id that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Missing {
    /// Status of the answer, where the tenant was asked for this id alone.
    pub http_status: Option<u16>,
    /// Auth0's code.
    pub error_code: Option<String>,
    /// Auth0's words.
    pub message: Option<String>,
}
