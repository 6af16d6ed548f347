//! Whom an update is about, in one tenant.

use std::sync::Arc;

use serde_json::Value;

use super::index::{Index, called};
use super::state::TenantState;
use super::types::Done;
use crate::catalogue::Kind;
use crate::job::template::{RenderFault, Rendered};
use crate::job::{Action, Job, Pattern, Rule, Scope, Selector, Term, Update};
use crate::model::words::a;
use crate::model::{Body, EntityId, FieldPath, Reason, RowResult};

/// Whom an update is about.
pub struct Selected {
    /// Their ids, at least one.
    pub ids: Vec<EntityId>,
    /// Whether the client was found only under the name that it is to have: then it may be found as asked, and nothing
    /// may be written to it, since it may be somebody else's.
    pub renamed: bool,
}

/// Why an update is about nobody.
pub enum Nobody {
    /// Its row ends so.
    Done(Done),
    /// It must select another number of clients: these fit.
    Count(Vec<EntityId>),
    /// Its condition cannot be evaluated for this client.
    Fault(EntityId, RenderFault),
}

/// What an update's condition sees beside the client.
pub struct Chooser<'c> {
    /// The job, its selectors filled in.
    pub job: &'c Job,
    /// The kind that is being planned.
    pub kind: &'static Kind,
    /// What was read.
    pub state: &'c TenantState,
    /// The same by the texts of fields.
    pub index: &'c Index<'c>,
}

impl Chooser<'_> {
    /// Whom an update is about; `scope` has the tenant and the row.
    ///
    /// # Errors
    /// Where it is about nobody, or about too many.
    pub fn select(&self, update: &Update, scope: &Scope) -> Result<Selected, Nobody> {
        match &update.selector {
            Selector::Id(id) => {
                let found = by_id(self.kind, id, self.state).map_err(Nobody::Done);
                self.counted(update, found.as_ref().map(std::slice::from_ref).unwrap_or_default())?;
                found.map(|id| Selected { ids: vec![id], renamed: false })
            }
            Selector::Rule(rule) => self.by_rule(update, rule, scope),
            // Selectors are filled in before anybody is chosen.
            Selector::Templated(_) => Ok(Selected { ids: Vec::new(), renamed: false }),
            Selector::Lost(lost) => {
                let (reason, what) = &**lost;
                Err(Nobody::Done(Done::because(RowResult::Failed, *reason, what.clone())))
            }
        }
    }

    fn counted(&self, update: &Update, found: &[EntityId]) -> Result<(), Nobody> {
        match update.extras().count {
            Some(count) if !count.allows(found.len()) => Err(Nobody::Count(found.to_vec())),
            _ => Ok(()),
        }
    }

    fn by_rule(&self, update: &Update, rule: &Rule, scope: &Scope) -> Result<Selected, Nobody> {
        let patterns: Vec<(&FieldPath, &Pattern)> =
            rule.fields.iter().map(|(path, pattern)| (path, pattern)).collect();
        let fitting = self.index.fitting(&patterns);
        let named = !fitting.is_empty();
        let found = self.holding(fitting, rule, scope)?;
        let Some((key, name)) = self.exact_key(&patterns) else {
            self.counted(update, &found)?;
            let none = || {
                let what = format!("no {} fits this rule", self.kind.singular);
                Nobody::Done(Done::because(RowResult::Skipped, Reason::NoMatch, what))
            };
            return if found.is_empty() { Err(none()) } else { Ok(Selected { ids: found, renamed: false }) };
        };
        let renamed = found.is_empty();
        let found = if renamed { self.under_new_name(update, rule, &patterns, scope)? } else { found };
        self.counted(update, &found)?;
        match found.len() {
            0 => {
                let what = if named {
                    let kind = self.kind;
                    format!(
                        "{} {} \"{name}\", but `where` does not hold of it",
                        a(&kind.singular),
                        called(kind, key)
                    )
                } else {
                    self.index.not_found(key, name)
                };
                Err(Nobody::Done(Done::because(RowResult::Failed, Reason::NotFound, what)))
            }
            1 => Ok(Selected { ids: found, renamed }),
            _ if rule.every => Ok(Selected { ids: found, renamed }),
            _ if renamed => Err(Nobody::Done(ambiguous_now(self.kind, name, &found))),
            _ => Err(Nobody::Done(ambiguous(self.kind, key, name, &found))),
        }
    }

    /// The exact name, or the exact value of the path that the job calls its identity: they must fit one client.
    fn exact_key<'p>(&self, patterns: &[(&'p FieldPath, &'p Pattern)]) -> Option<(&'p FieldPath, &'p str)> {
        let exact = |key: &FieldPath| {
            let of_key = patterns.iter().filter(|(path, _)| *path == key);
            of_key.filter_map(|(path, pattern)| Some((*path, pattern.exact()?))).next()
        };
        let roots =
            |fields: &[String]| fields.iter().map(|field| exact(&FieldPath::root_field(field))).collect();
        // Of several fields that tell objects apart together, all must be there, and the last names the row.
        let of_kind: Option<Vec<_>> = roots(&self.kind.identity);
        let name = || exact(&FieldPath::root_field(&self.kind.endpoint.name_field));
        let alone = self.kind.identity.len() == 1;
        let said = self.job.identity_of(self.kind).and_then(exact);
        said.or_else(|| of_kind?.pop()).or_else(|| name().filter(|_| alone))
    }

    /// Those of which the condition holds.
    fn holding(&self, ids: Vec<EntityId>, rule: &Rule, scope: &Scope) -> Result<Vec<EntityId>, Nobody> {
        let Some(condition) = &rule.condition else { return Ok(ids) };
        let mut holding = Vec::new();
        for id in ids {
            let Some(body) = self.state.object(&id) else { continue };
            match condition.holds(&scope.with_client(&body, self.kind)) {
                Ok(true) => holding.push(id),
                Ok(false) => (),
                Err(fault) => return Err(Nobody::Fault(id, fault)),
            }
        }
        Ok(holding)
    }

    /// A client that an earlier run of this very job has renamed is found under its new name.
    fn under_new_name(
        &self,
        update: &Update,
        rule: &Rule,
        patterns: &[(&FieldPath, &Pattern)],
        scope: &Scope,
    ) -> Result<Vec<EntityId>, Nobody> {
        let name = FieldPath::root_field(&self.kind.endpoint.name_field);
        if !patterns.iter().any(|(path, pattern)| **path == name && pattern.exact().is_some()) {
            return Ok(Vec::new());
        }
        let Some(term) = new_name(self.kind, update) else { return Ok(Vec::new()) };
        let new = |scope: &Scope| match term.render(self.kind, &name, scope) {
            Ok(Rendered::Value(Value::String(new))) => Some(self.kind.as_kept(&name, &new).into_owned()),
            _ => None,
        };
        let others: Vec<_> = patterns.iter().filter(|(path, _)| **path != name).copied().collect();
        let uses = term.uses();
        let of_name_alone = !uses.whole_client && uses.fields.iter().all(|field| field == name.root());
        let found = if of_name_alone {
            // What it is made of is known without the client, so that thousands of rows are not laid beside thousands of clients.
            let known = under_old_name(self.kind, update, &Body::new());
            let scope = known.map_or_else(|| scope.clone(), |seen| scope.with_client(&seen, self.kind));
            let Some(new) = new(&scope).map(|new| Pattern::literal(&new)) else { return Ok(Vec::new()) };
            self.index.fitting(&others.into_iter().chain([(&name, &new)]).collect::<Vec<_>>())
        } else {
            let made_so = |id: &EntityId| {
                let body = self.state.object(id)?;
                let seen = under_old_name(self.kind, update, &body)?;
                Some(new(&scope.with_client(&seen, self.kind))? == name.get(&body)?.as_str()?)
            };
            let mut found = self.index.fitting(&others);
            found.retain(|id| made_so(id) == Some(true));
            found
        };
        self.holding(found, rule, scope)
    }
}

/// What an update makes of the name.
fn new_name<'u>(kind: &Kind, update: &'u Update) -> Option<&'u Term> {
    let is_name = |op: &&crate::job::Op| op.path == FieldPath::root_field(&kind.endpoint.name_field);
    update.ops.iter().find(is_name).and_then(|op| match &op.action {
        Action::Set(term) => Some(term),
        _ => None,
    })
}

/// The name that an update gives, where the job says it outright.
pub(super) fn literal_new_name<'u>(kind: &Kind, update: &'u Update) -> Option<&'u str> {
    new_name(kind, update)?.literal()?.as_str()
}

/// The exact name that an update selects by.
pub(super) fn exact_name<'u>(kind: &Kind, update: &'u Update) -> Option<&'u str> {
    let Selector::Rule(rule) = &update.selector else { return None };
    let name = FieldPath::root_field(&kind.endpoint.name_field);
    rule.fields.iter().find(|(path, _)| *path == name).and_then(|(_, pattern)| pattern.exact())
}

/// A client as it was before an update of this exact name gave it a name that is made of the client itself.
pub(super) fn under_old_name(kind: &Kind, update: &Update, body: &Body) -> Option<Arc<Body>> {
    new_name(kind, update).filter(|term| term.uses().client())?;
    let mut seen = body.clone();
    seen.insert(kind.endpoint.name_field.clone(), exact_name(kind, update)?.into());
    Some(Arc::new(seen))
}

fn by_id(kind: &Kind, id: &EntityId, state: &TenantState) -> Result<EntityId, Done> {
    if state.objects.contains_key(id) {
        return Ok(id.clone());
    }
    let missing = state.missing.get(id).cloned().unwrap_or_default();
    let message =
        missing.message.unwrap_or_else(|| format!("no {} has this id in this tenant", kind.singular));
    Err(Done {
        http_status: missing.http_status,
        error_code: missing.error_code,
        ..Done::because(RowResult::Failed, Reason::NotFound, message)
    })
}

/// Of a name that nobody has any more, while several have the one that the job gives.
fn ambiguous_now(kind: &Kind, name: &str, found: &[EntityId]) -> Done {
    let ids: Vec<&str> = found.iter().map(EntityId::as_str).collect();
    let message = format!(
        "no {} is named \"{name}\", and {} have the new name already: {}; select by id",
        kind.singular,
        found.len(),
        ids.join(", ")
    );
    Done::because(RowResult::Failed, Reason::Ambiguous, message)
}

fn ambiguous(kind: &Kind, key: &FieldPath, name: &str, found: &[EntityId]) -> Done {
    let ids: Vec<&str> = found.iter().map(EntityId::as_str).collect();
    let message = format!(
        "{} {}s have the {key} \"{name}\": {}; select by id or with --map, or say `every = true`",
        found.len(),
        kind.singular,
        ids.join(", ")
    );
    Done::because(RowResult::Failed, Reason::Ambiguous, message)
}
