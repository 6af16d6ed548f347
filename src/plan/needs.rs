//! What must be read of a tenant for a job: as little as will do.

use indexmap::IndexSet;

use crate::job::{Job, Selector};
use crate::model::{EntityId, TenantName};

/// What to read of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Root fields beside id and name, in the order they are first used.
    pub fields: Vec<String>,
    /// Ids named by updates that have something to do.
    pub ids: IndexSet<EntityId>,
    /// Whether some update can only be resolved with the whole list.
    pub list: bool,
    /// Whether the number of objects must be known, as a limit in per cent wants.
    pub total: bool,
}

impl Needs {
    /// Whether nothing needs reading.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.list
    }
}

/// What a job needs of a tenant.
pub fn needs(job: &Job, tenant: &TenantName) -> Needs {
    let mut fields: IndexSet<&str> = IndexSet::new();
    let mut ids = IndexSet::new();
    let mut list = false;
    for update in job.updates.iter().filter(|update| update.tenant.as_ref().is_none_or(|t| t == tenant)) {
        let written = update.ops.iter().chain(&update.fixed).map(|op| op.path.root());
        fields.extend(written.chain(update.expects.iter().map(|expect| expect.path.root())));
        match &update.selector {
            // A file from `get` lists every client, edited or not: those left alone need no read.
            Selector::Id(_) if update.ops.is_empty() && update.fixed.is_empty() => (),
            Selector::Id(id) => {
                ids.insert(id.clone());
            }
            Selector::Match { fields: patterns, .. } => {
                list = true;
                fields.extend(patterns.iter().map(|(path, _)| path.root()));
            }
        }
    }
    let known = [job.kind.endpoint.id_field.as_str(), job.kind.endpoint.name_field.as_str()];
    fields.retain(|field| !known.contains(field));
    Needs { fields: fields.into_iter().map(str::to_owned).collect(), ids, list, total: false }
}
