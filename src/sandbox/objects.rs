//! The operations on objects of every kind but clients: parsed requests in, replies out. What a kind is like comes from the
//! catalogue's data and from `kinds.toml`. Central types: [`Objects`] (all of a tenant) and [`Shelf`] (those of one kind).

mod associations;
mod creation;
mod leaving;
mod rules;
mod stock;
mod then;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::call::{Call, Part, Route};
use super::clients::read_body;
use super::facts::{Facts, facts};
use super::generate::Maker;
use super::list_form::ListForm;
use super::merge::merge_into;
use super::query::{ListQuery, read_lookup, read_one};
use super::reply::{Refusal, Reply};
use super::store::{Filter, From, Holds, Slot, Store, Stored, lock};
use super::token::Claims;
use super::validate::{Purpose, Validator};
use super::view::Projection;
use crate::catalogue::{Kind, Writable};
use crate::model::{Body, Verb};

/// A request, as far as an operation needs it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) route: &'a Route,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    pub(super) claims: &'a Claims,
    /// The time, as objects show it.
    pub(super) now: &'a str,
}

/// All objects of a tenant but its clients.
pub(super) struct Objects {
    shelves: Vec<Shelf>,
    maker: Mutex<Maker>,
    /// Objects name each other across kinds: one write at a time.
    writing: Mutex<()>,
    clients: Arc<Store>,
    /// `http://HOST/api/v2` or `https`, for links.
    base: String,
    /// Updates that changed nothing.
    pub(super) idle: AtomicU64,
}

/// The objects of one kind.
pub(super) struct Shelf {
    pub(super) kind: &'static Kind,
    facts: &'static Facts,
    pub(super) store: Store,
}

impl Shelf {
    fn new(kind: &'static Kind) -> Self {
        Self { kind, facts: facts(&kind.name), store: Store::default() }
    }

    fn find(&self, id: &str) -> Result<Arc<Slot>, Refusal> {
        self.store.get(id).ok_or_else(|| self.absent())
    }

    /// Why nothing is done with an object that is not there.
    fn absent(&self) -> Refusal {
        let told =
            self.facts.absent.clone().unwrap_or_else(|| format!("The {} does not exist", self.kind.singular));
        let refusal = Refusal::new(404, told);
        match self.kind.endpoint.absent_code.as_deref() {
            Some(code) => refusal.code(code),
            None => refusal,
        }
    }

    /// An object as answers show it: without what belongs to it and is kept apart, and without what is never shown again.
    fn show(&self, mut object: Body, projection: &Projection) -> Value {
        let facts = self.facts;
        let apart = self.kind.endpoint.associations.iter().map(|association| &association.field);
        for field in apart.filter(|field| !facts.embedded.contains(field)).chain(&facts.unshown) {
            object.shift_remove(field);
        }
        projection.apply(&mut object);
        Value::Object(object)
    }

    /// The answer to a write of an object.
    fn written(&self, status: u16, object: &Body) -> Reply {
        let mut shown = self.show(object.clone(), &Projection::All);
        for (field, value) in &self.facts.answered {
            shown[field] = value.clone();
        }
        Reply::json(status, &shown)
    }

    /// The first object that has these values in these fields.
    fn having(&self, values: &[(&str, &Value)]) -> Option<Body> {
        let fits = |body: &Body| {
            values.iter().all(|(field, value)| body.get(*field).unwrap_or(&Value::Null) == *value)
        };
        let all = self.store.all();
        let likely = all
            .iter()
            .map(|slot| slot.read())
            .filter(|stored| values.iter().all(|(_, value)| value.is_null() || stored.mentions(value)));
        likely.map(|stored| stored.body()).find(fits)
    }
}

impl Objects {
    /// The objects of a kind; none of clients, which are elsewhere.
    pub(super) fn shelf(&self, kind: &str) -> Option<&Shelf> {
        self.shelves.iter().find(|shelf| shelf.kind.name == kind)
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// With what the service says to a request that it does not carry out.
    pub(super) fn execute(&self, asked: &Asked<'_>) -> Result<Reply, Refusal> {
        let target = &asked.route.target;
        let shelf = self.shelf(&target.kind.name).ok_or_else(|| Refusal::new(404, "Not Found"))?;
        match (target.call, target.part) {
            (Call::List, Part::Lookup) => shelf.look_up(asked.query),
            (Call::List, _) => self.list(shelf, asked.query),
            (Call::Get, Part::List(association)) => self.list_items(shelf, association, asked),
            (Call::Get, Part::Item(association)) => self.one_item(shelf, association, asked),
            (Call::Get, _) => shelf.get(&asked.route.id, asked.query),
            (Call::Patch, Part::Then) => self.follow(shelf, asked),
            (Call::Patch, Part::List(association) | Part::Item(association)) => {
                self.write_items(shelf, association, asked)
            }
            (Call::Patch, _) => self.patch(shelf, asked),
            (Call::Create, _) => self.create(shelf, asked),
            (Call::Delete, _) => self.delete(shelf, &asked.route.id),
            _ => Err(Refusal::new(404, "Not Found")),
        }
    }

    fn list(&self, shelf: &Shelf, query: &str) -> Result<Reply, Refusal> {
        let query = ListQuery::read_as(query, &ListForm::of(&shelf.kind.endpoint))?;
        let (from, count) = query.span();
        let page = shelf.store.page(&query.filter, from, count);
        let shown = page.slots.iter().map(|slot| shelf.show(slot.read().body(), &query.projection));
        let url = format!("{}/{}", self.base, shelf.kind.endpoint.path);
        Ok(query.answer(page.span(), shown.collect(), &url))
    }

    /// Validates, then merges and stores while nothing else is written; a refused body changes nothing.
    fn patch(&self, shelf: &Shelf, asked: &Asked<'_>) -> Result<Reply, Refusal> {
        let id = &asked.route.id;
        let mut sent = read_body(asked.body)?;
        shelf.check(&sent, id)?;
        check_field_scopes(shelf.kind, &sent, asked.claims)?;
        let slot = shelf.find(id)?;
        let _writing = lock(&self.writing);
        // Not held meanwhile: what is unique is looked for among all. Nobody else writes.
        let before = slot.read().body();
        rules::check_before(shelf.kind, &before, &sent)?;
        sent.retain(|field, _| !shelf.facts.passing.contains(field));
        let mut after = before.clone();
        if shelf.kind.endpoint.update == Verb::Put {
            // The whole is sent: what could be sent and was not is gone.
            let fields = &shelf.kind.root().fields;
            after.retain(|key, _| fields.get(key).is_none_or(|field| field.write != Writable::Patch));
        }
        merge_into(&mut after, &sent, shelf.kind.root());
        rules::set_back(shelf.kind, &sent, &mut after);
        rules::settle(shelf.kind, &sent, &mut after, asked.now);
        self.check_references(shelf, Some(&before), &after)?;
        self.check_unique(shelf, Some(id), &before, &after)?;
        self.check_mail(shelf, &before, &after)?;
        if after == before {
            self.idle.fetch_add(1, Ordering::Relaxed);
        } else {
            if let Some(then) = &shelf.kind.endpoint.then {
                after.insert(then.keeps.clone(), false.into());
            }
            stamp(shelf.kind, &mut after, &["updated_at"], asked.now);
        }
        *slot.hold() = Stored::new(&after);
        Ok(shelf.written(200, &after))
    }

    /// An id that means something to a kind, in whatever field it may stand.
    fn exists(&self, kind: &str, id: &str) -> bool {
        match self.shelf(kind) {
            Some(shelf) => shelf.store.get(id).is_some(),
            None => self.clients.get(id).is_some(),
        }
    }
}

impl Shelf {
    fn get(&self, id: &str, query: &str) -> Result<Reply, Refusal> {
        let projection = read_one(query, self.kind.endpoint.projection)?;
        Ok(Reply::json(200, &self.show(self.find(id)?.read().body(), &projection)))
    }

    /// The objects that have just this in a field: a plain list, whatever there is.
    fn look_up(&self, query: &str) -> Result<Reply, Refusal> {
        let lookup = self.kind.endpoint.lookup.as_ref().ok_or_else(|| self.absent())?;
        let (value, projection) = read_lookup(query, &lookup.parameter)?;
        let holds = vec![Holds { field: lookup.field.clone(), values: vec![value], loose: false }];
        let page = self.store.page(&Filter { holds, ..Filter::default() }, From::Offset(0), usize::MAX);
        let shown = page.slots.iter().map(|slot| self.show(slot.read().body(), &projection));
        Ok(Reply::json(200, &Value::Array(shown.collect())))
    }

    /// Judges the body of an update. What was loaded may hold keys that the catalogue does not know: they are taken back.
    fn check(&self, sent: &Body, id: &str) -> Result<(), Refusal> {
        let validator = Validator::of(self.kind);
        validator.check(sent, Purpose::Patch).or_else(|refusal| match self.store.get(id) {
            Some(slot) => validator.check_over(&slot.read().body(), sent),
            None => Err(refusal),
        })
    }
}

/// Fields that need a scope of their own to be written.
fn check_field_scopes(kind: &Kind, sent: &Body, claims: &Claims) -> Result<(), Refusal> {
    let scope_of = |field: &str| kind.root().fields.get(field)?.scope.as_deref();
    let lacks = |field: &&str| scope_of(field).is_some_and(|scope| !claims.any_scope(&[scope]));
    let refused: Vec<&str> = sent.keys().map(String::as_str).filter(lacks).collect();
    if refused.is_empty() { Ok(()) } else { Err(Refusal::fields("update", &refused)) }
}

/// Tells the time in those of the fields that the kind has.
fn stamp(kind: &Kind, object: &mut Body, fields: &[&str], now: &str) {
    for field in fields.iter().filter(|field| kind.root().fields.contains_key(**field)) {
        object.insert((*field).to_owned(), now.into());
    }
}
