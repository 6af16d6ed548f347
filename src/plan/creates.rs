//! New objects: what a `[[create]]` comes to beside what is there already. An object of its identity is looked for first; what
//! is there is left as it is.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::faults::Faults;
use super::judge::{Filled, shown};
use super::resolve::Resolved;
use super::state::TenantState;
use super::types::{Done, Row, RowState, Write};
use super::writes::Writes;
use crate::catalogue::{Kind, Writable, linked, redact, validate};
use crate::job::template::RenderFault;
use crate::job::{Job, Scope, TenantScope, Update, Want};
use crate::model::value::same;
use crate::model::words::a;
use crate::model::{Body, EntityId, FieldChange, FieldPath, Packed, Problem, Reason, RowResult};

/// Plans the creates of one kind.
///
/// # Errors
/// What is wrong with them, as the rows and templates show.
pub(super) fn creates(
    (job, kind): (&Job, &'static Kind),
    tenant: &Arc<TenantScope>,
    state: &TenantState,
    limit: Option<usize>,
) -> Result<Resolved, Vec<Problem>> {
    let of = |(_, update): &(usize, &Update)| {
        update.is_create() && update.kind.name == kind.name && update.is_for(&tenant.name)
    };
    let updates: Vec<(usize, &Update)> = job.updates.iter().enumerate().filter(of).collect();
    let mut made = Made {
        kind,
        there: if updates.is_empty() { There::default() } else { There::of(kind, state) },
        state,
        limit,
        new: HashMap::new(),
        writes: Writes::default(),
        rows: Vec::with_capacity(updates.len()),
        problems: Vec::new(),
        faults: Faults::default(),
    };
    for (at, update) in updates {
        made.take(at, update, tenant);
    }
    made.problems.extend(made.faults.into_problems());
    if made.problems.is_empty() { Ok((made.writes, made.rows)) } else { Err(made.problems) }
}

/// What there is, by its identity.
#[derive(Default)]
struct There(HashMap<Vec<String>, Vec<EntityId>>);

impl There {
    fn of(kind: &Kind, state: &TenantState) -> Self {
        let mut there: HashMap<Vec<String>, Vec<EntityId>> = HashMap::new();
        for (id, body) in state.all() {
            if let Some(identity) = identity(kind, &body) {
                there.entry(identity).or_default().push(id.clone());
            }
        }
        Self(there)
    }
}

/// The values that tell an object from all others; none where one of them is missing. Those of the identity come first.
pub fn identity(kind: &Kind, body: &Body) -> Option<Vec<String>> {
    let text = |value: Option<&Value>| match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    };
    let identity = kind.identity.iter().map(|field| text(body.get(field)));
    let further = kind.told_apart.iter().map(|field| {
        let held = body.get(field).filter(|value| !value.is_null());
        text(held.or_else(|| kind.default_of(&FieldPath::root_field(field))))
    });
    identity.chain(further).collect()
}

/// The root fields that a new object is compared by with what is there already, beside those that it sets.
pub fn compared_by<'k, 's>(
    kind: &'k Kind,
    set: impl IntoIterator<Item = &'s str>,
) -> impl Iterator<Item = &'k str> {
    let elsewhere = set.into_iter().filter_map(|root| kind.shown_at(root)).map(|(list, _)| list);
    kind.identity.iter().chain(&kind.told_apart).map(String::as_str).chain(elsewhere)
}

/// What of an object that is there already is not as a create asks for, in words; nothing where it is just that. Secrets, which
/// nobody sees, are not compared.
pub fn differences(kind: &Kind, wanted: &[FieldChange], now: &Body) -> Vec<String> {
    let differs = |change: &&FieldChange| {
        let value = change.path.get(now);
        // What only a create takes may be shown to nobody afterwards.
        let unshown =
            kind.writable(&change.path) == Writable::Create && !now.contains_key(change.path.root());
        !unshown
            && !redact::is_never_read(kind, &change.path)
            && !value.is_some_and(redact::has_marker)
            && !same(change.after.as_ref(), value, change.order)
    };
    let told = |change: &FieldChange| {
        let (value, asked) = (shown(change.path.get(now)), shown(change.after.as_ref()));
        format!("{} is {value}, asked for is {asked}", change.path)
    };
    wanted.iter().filter(differs).map(told).collect()
}

/// Creates on their way into the plan.
struct Made<'j> {
    kind: &'static Kind,
    there: There,
    state: &'j TenantState,
    limit: Option<usize>,
    /// Who asks for which new object.
    new: HashMap<Vec<String>, &'j Update>,
    writes: Writes,
    rows: Vec<Row>,
    problems: Vec<Problem>,
    faults: Faults,
}

impl<'j> Made<'j> {
    fn take(&mut self, at: usize, update: &'j Update, tenant: &Arc<TenantScope>) {
        let scope = Scope::of_tenant(tenant, update.row.as_ref());
        let creating = self.kind.creating();
        let filled = match Filled::new(creating, update, &scope, &Body::new()) {
            Ok(filled) => filled,
            Err(mut faults) if faults.iter().any(|(_, fault)| fault.lost.is_some()) => {
                faults.retain(|(_, fault)| fault.lost.is_some());
                return self.lost(at, update, faults);
            }
            Err(faults) => {
                return faults.into_iter().for_each(|(span, fault)| self.fault(update, span, fault));
            }
        };
        let mut body = Body::new();
        let mut changes = Vec::new();
        for asked in &filled.asked {
            let (Want::Set { value, .. } | Want::Exactly(value)) = &asked.want else { continue };
            for fault in validate::value(creating, &asked.path, value) {
                let validate::Fault { what, help, .. } = fault;
                self.fault(update, asked.op.span.clone(), RenderFault { what, help, lost: None });
            }
            asked.path.put(&mut body, Value::clone(value));
            changes.push(FieldChange {
                path: asked.path.clone(),
                before: None,
                after: Some(Value::clone(value)),
                order: self.kind.order(&asked.path),
                items: None,
            });
        }
        let wanted: Vec<_> = changes.iter().map(|c| (c.path.clone(), c.after.clone())).collect();
        for fault in linked::faults(creating, &Body::new(), &wanted) {
            let validate::Fault { what, help, .. } = fault;
            self.fault(update, update.origin.span.clone(), RenderFault { what, help, lost: None });
        }
        let Some(identity) = self.complete(update, &body) else { return };
        let (state, id) = match self.settled(&identity, &changes) {
            Some(settled) => settled,
            None => {
                if let Some(other) = self.new.insert(identity.clone(), update) {
                    return self.twice(update, other, &identity);
                }
                (self.write(update, (identity, changes), body), None)
            }
        };
        let (update_at, label) = (at, update.origin.label);
        let name = matches!(state, RowState::Done(_)).then(|| self.name(update, &filled)).flatten();
        let (cells, kind) = (update.cells.clone(), self.kind.name);
        self.rows.push(Row { update: update_at, label, kind, id, name: name.map(Box::from), cells, state });
    }

    /// A row that asks for an object which is not to be found.
    fn lost(&mut self, at: usize, update: &Update, faults: Vec<(std::ops::Range<usize>, RenderFault)>) {
        let Some((_, RenderFault { what, lost: Some(reason), .. })) = faults.into_iter().next() else {
            return;
        };
        self.rows.push(Row {
            update: at,
            label: update.origin.label,
            kind: self.kind.name,
            id: None,
            name: None,
            cells: update.cells.clone(),
            state: Done::because(RowResult::Failed, reason, what).into(),
        });
    }

    /// The identity of what is to be made; reported, where a row leaves out what must be said.
    fn complete(&mut self, update: &Update, body: &Body) -> Option<Vec<String>> {
        let endpoint = &self.kind.endpoint;
        let lacking = |name: &&String| body.get(*name).is_none_or(Value::is_null);
        let missing: Vec<&String> =
            endpoint.create_required.iter().chain(&self.kind.identity).filter(lacking).collect();
        let found = identity(self.kind, body);
        let Some(first) = missing
            .first()
            .copied()
            .or(self.kind.identity.first())
            .filter(|_| !missing.is_empty() || found.is_none())
        else {
            return found;
        };
        let what = format!("`{first}` is empty: a new {} must have one", self.kind.singular);
        let help = Some("fill it in, or take the row out".to_owned());
        self.fault(update, update.origin.span.clone(), RenderFault { what, help, lost: None });
        None
    }

    /// How the row ends where there is such an object already.
    fn settled(&self, identity: &[String], changes: &[FieldChange]) -> Option<(RowState, Option<EntityId>)> {
        let name = identity.join(", ");
        match self.there.0.get(identity).map(Vec::as_slice) {
            None | Some([]) => None,
            Some([id]) => {
                let now = self.state.with_elsewhere(id, Arc::unwrap_or_clone(self.state.object(id)?));
                let differences = differences(self.kind, changes, &now);
                let done = if differences.is_empty() {
                    Done::plain(RowResult::Unchanged)
                } else {
                    let what = format!(
                        "there is {} \"{name}\" already, and it differs: {}; change it with an `[[update]]`, or name the new one otherwise",
                        a(&self.kind.singular),
                        differences.join("; ")
                    );
                    Done::because(RowResult::Conflict, Reason::Exists, what)
                };
                Some((done.into(), Some(id.clone())))
            }
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(EntityId::as_str).collect();
                let what = format!(
                    "{} {}s are called \"{name}\" already: {}",
                    several.len(),
                    self.kind.singular,
                    ids.join(", ")
                );
                Some((Done::because(RowResult::Conflict, Reason::Ambiguous, what).into(), None))
            }
        }
    }

    fn write(
        &mut self,
        update: &Update,
        (identity, changes): (Vec<String>, Vec<FieldChange>),
        body: Body,
    ) -> RowState {
        if self.limit.is_some_and(|limit| self.writes.len() >= limit) {
            return Done::because(RowResult::Skipped, Reason::Limit, "beyond --limit").into();
        }
        let name = body.get(&self.kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned);
        self.writes.push(&Write {
            kind: self.kind.name,
            create: true,
            id: EntityId::new(""),
            name: name.or_else(|| identity.last().cloned()),
            label: update.origin.label,
            changes,
            body,
            compose: false,
            before: Arc::default(),
            left: Vec::new(),
        });
        RowState::Write(self.writes.len() - 1)
    }

    fn twice(&mut self, update: &Update, other: &Update, identity: &[String]) {
        let what = format!(
            "{} and {} both create the {} \"{}\"",
            other.origin.label.in_words(),
            update.origin.label.in_words(),
            self.kind.singular,
            identity.join(", ")
        );
        let problem = Problem::new(what).at(&update.origin.file, update.origin.span.clone());
        self.problems.push(problem.help("there can be one of that identity: leave one of the two out"));
    }

    fn name(&self, update: &Update, filled: &Filled<'_>) -> Option<String> {
        let name = FieldPath::root_field(&update.kind.endpoint.name_field);
        filled.asked.iter().find(|asked| asked.path == name).and_then(|asked| match &asked.want {
            Want::Set { value, .. } => value.as_str().map(str::to_owned),
            _ => None,
        })
    }

    fn fault(&mut self, update: &Update, span: std::ops::Range<usize>, fault: RenderFault) {
        self.faults.add(update, &format!("the new {}", self.kind.singular), span, fault);
    }
}

/// Objects by identity: what a plan that was made earlier looks for before it creates.
pub fn found<'s>(
    kind: &Kind,
    write: &Write,
    objects: impl Iterator<Item = (&'s EntityId, &'s Packed<Body>)>,
) -> Vec<(EntityId, Body)> {
    let Some(wanted) = identity(kind, &write.body) else { return Vec::new() };
    let opened = objects.map(|(id, body)| (id.clone(), body.open()));
    opened.filter(|(_, body)| identity(kind, body).as_ref() == Some(&wanted)).collect()
}

/// What of an object that was just created is not as asked for, as far as the answer tells.
pub fn created_as_asked(kind: &Kind, write: &Write, answered: &Body) -> Vec<String> {
    // Some fields are shown to nobody, and what has an endpoint of its own is not part of the answer.
    let is_shown = |change: &&FieldChange| {
        kind.endpoint.association(change.path.root()).is_none() && answered.contains_key(change.path.root())
    };
    let shown: Vec<FieldChange> = write.changes.iter().filter(is_shown).cloned().collect();
    let mut answered = answered.clone();
    redact::strip(kind, &mut answered);
    differences(kind, &shown, &answered)
}
