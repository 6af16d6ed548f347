//! What must be read of a tenant for a job: as little as will do.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::job::template::Uses;
use crate::job::{Expression, Job, Selector, Term, Update};
use crate::model::{EntityId, TenantName};

/// What to read of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Root fields beside id and name, in the order they are first used.
    pub fields: Vec<String>,
    /// Whether all fields are needed: a template uses the client as a whole, or a name that the catalogue does not know.
    pub all_fields: bool,
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

/// What a job needs of a tenant; `narrow` is `--where`. The job's selectors have been filled in for the tenant.
pub fn needs(job: &Job, tenant: &TenantName, narrow: Option<&Expression>) -> Needs {
    let mut needs = Needs::default();
    let mut fields: IndexSet<String> = IndexSet::new();
    let mut uses = Uses::default();
    for update in job.updates.iter().filter(|update| update.is_for(tenant)) {
        let written = update.ops.iter().chain(&update.fixed).map(|op| op.path.root().to_owned());
        fields.extend(written.chain(update.expects.iter().map(|expect| expect.path.root().to_owned())));
        fields.extend(update.selector.reads().iter().map(|path| path.root().to_owned()));
        add_uses(update, &mut uses);
        match &update.selector {
            // A file from `get` lists every client, edited or not: those left alone need no read.
            Selector::Id(_) if update.is_idle() => (),
            Selector::Id(id) => {
                needs.ids.insert(id.clone());
            }
            Selector::Rule(_) | Selector::Templated(_) => needs.list = true,
        }
    }
    if let Some(narrow) = narrow.filter(|_| !needs.is_empty()) {
        uses.merge(narrow.uses());
    }
    needs.all_fields = uses.whole_client || uses.unknown(job.kind).next().is_some();
    fields.extend(uses.fields.iter().cloned());
    let known = [job.kind.endpoint.id_field.as_str(), job.kind.endpoint.name_field.as_str()];
    fields.retain(|field| !known.contains(&field.as_str()));
    needs.fields = fields.into_iter().collect();
    needs
}

fn add_uses(update: &Update, uses: &mut Uses) {
    if let Some(condition) = update.selector.condition() {
        uses.merge(condition.uses());
    }
    let terms = update.ops.iter().filter_map(|op| op.action.term());
    for term in terms.chain(update.expects.iter().filter_map(|expect| expect.value.as_ref())) {
        if matches!(term, Term::Template(_)) {
            uses.merge(&term.uses());
        }
    }
}

/// Names in the code of a job that the catalogue does not know: some client must have them, or they are misspelt.
pub fn unknown_names(job: &Job, tenant: &TenantName, narrow: Option<&Expression>) -> BTreeSet<String> {
    let mut uses = Uses::default();
    for update in job.updates.iter().filter(|update| update.is_for(tenant)) {
        add_uses(update, &mut uses);
    }
    if let Some(narrow) = narrow {
        uses.merge(narrow.uses());
    }
    uses.unknown(job.kind).map(str::to_owned).collect()
}
