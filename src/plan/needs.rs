//! What must be read of a tenant for a job: as little as will do.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;

use super::creates::{compared_by, identity};
use super::index::texts_of;
use super::resolve::Narrow;
use crate::catalogue::{Kind, KindName};
use crate::job::template::Uses;
use crate::job::{Expression, Job, Pattern, Rule, Scope, Selector, TenantScope, Term, Update, Want, want};
use crate::model::{Body, EntityId, FieldPath, Secrets, TenantName};

/// Root fields and what their texts fit.
pub type Fitting = Vec<(FieldPath, Pattern)>;

/// What to read of one tenant, kind by kind.
pub type KindNeeds = Vec<(KindName, Needs)>;

/// What to read of one kind in one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Root fields beside id and name, in the order they are first used.
    pub fields: Vec<String>,
    /// Root fields that concern those that are written: read where the token may, since without them only the server can tell.
    pub along: Vec<String>,
    /// Whether all fields are needed: a template uses the client as a whole, or a name that the catalogue does not know.
    pub all_fields: bool,
    /// Ids named by updates that have something to do.
    pub ids: IndexSet<EntityId>,
    /// Whether some update can only be resolved with the whole list.
    pub list: bool,
    /// The values by which all updates name their objects, where the API looks objects up by that field; none, where one of them
    /// does not. Few are looked up at once; more of them only where the list does not show all.
    pub lookups: IndexSet<String>,
    /// What the fields of those objects fit that rules may be about, as far as it counts for the lists that belong to them.
    pub fitting: Vec<Fitting>,
    /// The secrets that are to be set: where an object holds one of them, its state says so.
    pub secrets: Arc<Secrets>,
    /// Whether the number of objects must be known, as a limit in per cent wants.
    pub total: bool,
}

impl Needs {
    /// What a plan that was made earlier needs: these root fields of these objects, and what concerns them.
    pub fn again(kind: &Kind, fields: Vec<String>, ids: IndexSet<EntityId>) -> Self {
        let kept = kind.endpoint.then.iter().map(|then| then.keeps.as_str());
        let concerned = fields.iter().flat_map(|field| kind.read_along(field)).chain(kept).map(str::to_owned);
        let along: IndexSet<String> = concerned.filter(|along| !fields.contains(along)).collect();
        let (secret, fields): (Vec<String>, Vec<String>) =
            fields.into_iter().partition(|field| is_secret_root(kind, field));
        let along: IndexSet<String> = along.into_iter().chain(secret).collect();
        Self { along: along.into_iter().collect(), fields, ids, ..Self::default() }
    }

    /// Whether an update may be about this object, so that the lists which belong to it are read.
    pub fn may_be_about(&self, id: &EntityId, body: &Body) -> bool {
        let fits = |rule: &Fitting| {
            rule.iter().all(|(path, pattern)| texts_of(path.get(body)).any(|text| pattern.fits(&text)))
        };
        self.ids.contains(id) || self.fitting.iter().any(fits)
    }

    /// Whether nothing needs reading.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.list
    }
}

/// What a job needs of a tenant, kind by kind; `narrow` is `--where`. The job's selectors have been filled in for the tenant.
pub fn needs(job: &Job, tenant: &Arc<TenantScope>, narrow: &Narrow) -> KindNeeds {
    let of = |kind: &'static Kind| (kind.name, of_kind(job, kind, tenant, narrow.of(kind.name)));
    let mut all: KindNeeds = job.used().into_iter().map(of).collect();
    for name in job.references(&tenant.name) {
        let at = all.iter().position(|(kind, _)| *kind == name).unwrap_or_else(|| {
            all.push((name, Needs::default()));
            all.len() - 1
        });
        let (_, needs) = &mut all[at];
        needs.list = true;
        needs.lookups.clear();
        let key = job.reference_key(job.kinds.get(name)).root().to_owned();
        let endpoint = &name.kind().endpoint;
        if ![&endpoint.id_field, &endpoint.name_field].contains(&&key) && !needs.fields.contains(&key) {
            needs.fields.push(key);
        }
    }
    all
}

fn of_kind(job: &Job, kind: &'static Kind, tenant: &Arc<TenantScope>, narrow: Option<&Expression>) -> Needs {
    let mut needs = Needs::default();
    let mut fields: IndexSet<String> = IndexSet::new();
    let mut along: IndexSet<String> = IndexSet::new();
    let mut uses = Uses::default();
    let mut lookups = true;
    for update in updates_of(job, kind, &tenant.name) {
        if update.is_create() {
            let set = update.ops.iter().map(|op| op.path.root());
            fields.extend(compared_by(kind, set).map(str::to_owned));
            needs.fitting.extend(identified(kind, update, tenant));
        }
        let written = update.ops.iter().chain(&update.extras().fixed).map(|op| op.path.root().to_owned());
        fields.extend(written.chain(update.expects.iter().map(|expect| expect.path.root().to_owned())));
        fields.extend(update.selector.reads().iter().map(|path| path.root().to_owned()));
        let concerned = update.ops.iter().flat_map(|op| kind.read_along(op.path.root()));
        along.extend(concerned.map(str::to_owned));
        // A token that may write a secret need not be one that sees it.
        if update.ops.iter().any(|op| is_secret_root(kind, op.path.root())) {
            let secret = fields.iter().filter(|field| is_secret_root(kind, field)).cloned();
            along.extend(secret.collect::<Vec<_>>());
            fields.retain(|field| !is_secret_root(kind, field));
        }
        add_uses(update, &mut uses);
        match &update.selector {
            // What is there already is found by its identity.
            _ if update.is_create() => {
                needs.list = true;
                lookups &= new_value(kind, update, tenant).is_some_and(|value| {
                    needs.lookups.insert(value);
                    true
                });
            }
            // A file from `get` lists every client, edited or not: those left alone need no read.
            Selector::Id(_) if update.is_idle() => (),
            Selector::Id(id) => {
                needs.ids.insert(id.clone());
            }
            Selector::Rule(rule) => {
                needs.list = true;
                needs.fitting.extend(fitting(kind, update, rule));
                lookups &= rule.condition.is_none() && looked_up(kind, update, rule, &mut needs.lookups);
            }
            Selector::Templated(_) | Selector::Lost(_) => (needs.list, lookups) = (true, false),
        }
    }
    if !lookups {
        needs.lookups.clear();
    }
    if let Some(narrow) = narrow.filter(|_| !needs.is_empty()) {
        uses.merge(narrow.uses());
    }
    needs.all_fields = uses.whole_client || uses.unknown(kind).next().is_some();
    fields.extend(uses.fields.iter().cloned());
    // What an update must keep is looked at before it.
    if !fields.is_empty() {
        fields.extend(kind.endpoint.then.iter().map(|then| then.keeps.clone()));
    }
    let known = [kind.endpoint.id_field.as_str(), kind.endpoint.name_field.as_str()];
    fields.retain(|field| !known.contains(&field.as_str()));
    along.retain(|field| !fields.contains(field));
    needs.fields = fields.into_iter().collect();
    needs.along = along.into_iter().collect();
    needs
}

/// What an object must fit that a rule may be about, where the rule's update touches a list that belongs to it. The list itself
/// is not known yet, nor does the name tell where the update changes it.
fn fitting(kind: &Kind, update: &Update, rule: &Rule) -> Option<Fitting> {
    if kind.endpoint.associations.is_empty() {
        return None;
    }
    let renames = update.ops.iter().any(|op| op.path.root() == kind.endpoint.name_field);
    let tells = |path: &FieldPath| {
        kind.endpoint.association(path.root()).is_none()
            && !(renames && path.root() == kind.endpoint.name_field)
    };
    Some(rule.fields.iter().filter(|(path, _)| tells(path)).cloned().collect())
}

/// What an object fits that is there already in place of a new one, where the new one has a list that belongs to it. What
/// cannot be told is not asked for: planning says why.
fn identified(kind: &'static Kind, update: &Update, tenant: &Arc<TenantScope>) -> Option<Fitting> {
    if !update.ops.iter().any(|op| kind.endpoint.association(op.path.root()).is_some()) {
        return None;
    }
    of_identity(kind, &filled(kind, update, tenant)?)
}

/// What is to be made, as far as its identity goes.
fn filled(kind: &'static Kind, update: &Update, tenant: &Arc<TenantScope>) -> Option<Body> {
    let scope = Scope::of_tenant(tenant, update.row.as_ref());
    let mut body = Body::new();
    for op in update.ops.iter().filter(|op| kind.identity.iter().any(|field| field == op.path.root())) {
        for (path, want) in want::fill(kind.creating(), op, &scope).ok()? {
            if let Want::Set { value, .. } = want {
                path.put(&mut body, value.into_owned());
            }
        }
    }
    Some(body)
}

/// The value by which the API looks up what a creation would make, where that is part of its identity.
fn new_value(kind: &'static Kind, update: &Update, tenant: &Arc<TenantScope>) -> Option<String> {
    let field = &kind.endpoint.lookup.as_ref()?.field;
    let told = kind.identity.contains(field);
    told.then(|| filled(kind, update, tenant)).flatten()?.get(field)?.as_str().map(str::to_owned)
}

/// What an object fits that has the identity of this one.
pub fn of_identity(kind: &Kind, body: &Body) -> Option<Fitting> {
    let values = identity(kind, body)?;
    let fields = kind.identity.iter().map(|field| FieldPath::root_field(field));
    Some(fields.zip(values.iter().map(|value| Pattern::literal(value))).collect())
}

/// Notes the value by which the API looks up whom a rule is about; tells whether it does.
fn looked_up(kind: &Kind, update: &Update, rule: &Rule, values: &mut IndexSet<String>) -> bool {
    let Some(lookup) = &kind.endpoint.lookup else { return false };
    let of = |(path, pattern): &(FieldPath, Pattern)| {
        (path.depth() == 1 && path.root() == lookup.field)
            .then(|| pattern.exact().map(str::to_owned))
            .flatten()
    };
    // Under a new value it would have to be looked up as well.
    let renames = update.ops.iter().any(|op| op.path.root() == lookup.field);
    let value = rule.fields.iter().find_map(of).filter(|_| !renames);
    value.map(|value| values.insert(value)).is_some()
}

/// The updates of a kind that are for a tenant.
fn updates_of<'j>(
    job: &'j Job,
    kind: &'static Kind,
    tenant: &TenantName,
) -> impl Iterator<Item = &'j Update> {
    job.updates.iter().filter(move |update| update.kind.name == kind.name && update.is_for(tenant))
}

/// Whether a root field is a secret by itself.
pub(super) fn is_secret_root(kind: &Kind, field: &str) -> bool {
    kind.root().fields.get(field).is_some_and(|field| field.secret)
}

fn add_uses(update: &Update, uses: &mut Uses) {
    if let Some(condition) = update.selector.condition() {
        uses.merge(condition.uses());
    }
    for (term, _) in terms(update) {
        uses.merge(&term.uses());
    }
}

/// Names in the code of a job that the catalogue does not know, each with the update and the place that uses it first
/// (`None`: `--where`). Some client must have them, or they are misspelt.
pub fn unknown_names<'j>(
    (job, kind): (&'j Job, &'static Kind),
    tenant: &TenantName,
    narrow: Option<&Expression>,
) -> BTreeMap<String, Option<(&'j Update, Range<usize>)>> {
    let mut found = BTreeMap::new();
    let mut note = |uses: &Uses, place: Option<(&'j Update, Range<usize>)>| {
        for name in uses.unknown(kind) {
            found.entry(name.to_owned()).or_insert_with(|| place.clone());
        }
    };
    for update in updates_of(job, kind, tenant) {
        if let Some(condition) = update.selector.condition() {
            let span = update.extras().condition_at.clone().unwrap_or_else(|| update.origin.span.clone());
            note(condition.uses(), Some((update, span)));
        }
        for (term, span) in terms(update) {
            note(&term.uses(), Some((update, span.clone())));
        }
    }
    if let Some(narrow) = narrow {
        note(narrow.uses(), None);
    }
    found
}

/// The terms of an update that have templates in them, with their places.
fn terms(update: &Update) -> impl Iterator<Item = (&Term, &Range<usize>)> {
    let ops = update.ops.iter().filter_map(|op| Some((op.action.term()?, &op.span)));
    let expects = update.expects.iter().filter_map(|expect| Some((expect.value.as_ref()?, &expect.span)));
    ops.chain(expects).filter(|(term, _)| matches!(term, Term::Template(_)))
}
