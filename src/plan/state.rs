//! What was read of a tenant.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;

use super::types::Counts;
use crate::catalogue::KindName;
use crate::model::{Body, EntityId, Packed, Secrets};

/// The state of a tenant, as far as a job needs it, kind by kind.
#[derive(Debug, Clone, Default)]
pub struct TenantStates(Vec<(KindName, TenantState)>);

impl TenantStates {
    /// Adds what was read of a kind.
    pub fn add(&mut self, kind: KindName, state: TenantState) {
        self.0.push((kind, state));
    }

    /// What was read of a kind: nothing, where nothing was asked for.
    pub fn of(&self, kind: KindName) -> &TenantState {
        static NOTHING: LazyLock<TenantState> = LazyLock::new(TenantState::default);
        self.0.iter().find(|(name, _)| *name == kind).map_or(&NOTHING, |(_, state)| state)
    }

    /// With these ids protected.
    #[must_use]
    pub fn protecting(mut self, ids: &HashSet<EntityId>) -> Self {
        self.0.iter_mut().for_each(|(_, state)| state.protected.clone_from(ids));
        self
    }

    /// The kinds of which something was read, with what was read.
    pub fn iter(&self) -> impl Iterator<Item = (KindName, &TenantState)> {
        self.0.iter().map(|(name, state)| (*name, state))
    }

    /// How many objects of each kind there are, where lists told.
    pub fn totals(&self) -> Counts {
        self.0.iter().filter_map(|(name, state)| Some((*name, state.total?))).collect()
    }
}

impl From<TenantState> for TenantStates {
    /// Of the default kind alone.
    fn from(state: TenantState) -> Self {
        Self(vec![(KindName::default(), state)])
    }
}

impl FromIterator<(KindName, TenantState)> for TenantStates {
    fn from_iter<I: IntoIterator<Item = (KindName, TenantState)>>(states: I) -> Self {
        Self(states.into_iter().collect())
    }
}

/// The state of one kind.
#[derive(Debug, Clone, Default)]
pub struct TenantState {
    /// What objects show elsewhere than under its own name, by field. Apart from them: no update may take it for a field of
    /// theirs, which no answer shows.
    pub elsewhere: HashMap<EntityId, Body>,
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

    /// An object with the fields that it shows elsewhere: a new object is compared with those as well.
    #[must_use]
    pub fn with_elsewhere(&self, id: &EntityId, mut body: Body) -> Body {
        body.extend(self.elsewhere.get(id).cloned().unwrap_or_default());
        body
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
