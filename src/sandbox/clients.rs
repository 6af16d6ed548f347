//! The operations on clients: parsed requests in, replies out, nothing of HTTP connections. Central type: [`Clients`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::generate::Maker;
use super::merge::merge;
use super::query::{ListQuery, read_one};
use super::reply::{Refusal, Reply};
use super::rules;
use super::store::{Slot, Store, Stored, lock};
use super::token::Claims;
use super::validate::{Purpose, Validator, type_name};
use super::view::{Projection, Shape, Sight};
use crate::model::Body;

/// A tenant's clients and what is needed to change them.
pub(super) struct Clients {
    pub(super) store: Arc<Store>,
    pub(super) validator: &'static Validator<'static>,
    pub(super) maker: Mutex<Maker>,
    /// `http://HOST/api/v2/clients` or `https`, for links.
    pub(super) url: String,
    /// Updates that changed nothing.
    pub(super) idle: AtomicU64,
}

impl Clients {
    pub(super) fn list(&self, query: &str, claims: &Claims) -> Result<Reply, Refusal> {
        let query = ListQuery::read(query)?;
        let sight = Sight::of(claims);
        query.projection.check(sight)?;
        let (from, count) = query.span();
        let page = self.store.page(&query.filter, from, count);
        let shown =
            page.slots.iter().map(|slot| show(slot.read().body(), sight, Shape::List, &query.projection));
        Ok(query.answer(page.span(), shown.collect(), &self.url))
    }

    pub(super) fn get(&self, id: &str, query: &str, claims: &Claims) -> Result<Reply, Refusal> {
        check_id(id)?;
        let projection = read_one(query, true)?;
        let sight = Sight::of(claims);
        projection.check(sight)?;
        let stored = self.find(id)?.read();
        Ok(answer(200, &stored, sight, Shape::One, &projection))
    }

    /// Validates, then merges and stores while no other change to the client runs; a refused body changes nothing.
    pub(super) fn patch(&self, id: &str, body: &[u8], claims: &Claims) -> Result<Reply, Refusal> {
        check_id(id)?;
        let sent = read_body(body)?;
        self.validator
            .check(&sent, Purpose::Patch)
            .or_else(|refusal| self.but_for_what_is_held(id, &sent, refusal))?;
        check_field_scopes(&sent, claims)?;
        let slot = self.find(id)?;
        let mut held = slot.hold();
        let mut client = held.body();
        rules::check_before(&client, &sent)?;
        merge(&mut client, &sent);
        rules::check_after(&sent, &client)?;
        let stored = Stored::new(&client);
        if stored.text == held.text {
            self.idle.fetch_add(1, Ordering::Relaxed);
        }
        *held = stored;
        Ok(answer(200, &held, Sight::of(claims), Shape::Patch, &Projection::All))
    }

    /// Gives a client a new secret. The old one is worth nothing from then on.
    pub(super) fn rotate_secret(&self, id: &str, claims: &Claims) -> Result<Reply, Refusal> {
        check_id(id)?;
        let slot = self.find(id)?;
        let secret = lock(&self.maker).secret();
        let mut held = slot.hold();
        let mut client = held.body();
        rules::check_rotation(&client)?;
        client.insert("client_secret".into(), secret.into());
        *held = Stored::new(&client);
        Ok(answer(200, &held, Sight::of(claims), Shape::One, &Projection::All))
    }

    /// A tenant that was loaded holds keys and values inside of objects that the catalogue does not know: the service whose
    /// they are takes them back.
    fn but_for_what_is_held(&self, id: &str, sent: &Body, refusal: Refusal) -> Result<(), Refusal> {
        let Some(slot) = self.store.get(id) else { return Err(refusal) };
        self.validator.check_over(&slot.read().body(), sent)
    }

    /// An id that does not exist is answered like one that did: the published schema lists no 404 here.
    pub(super) fn delete(&self, id: &str) -> Result<Reply, Refusal> {
        check_id(id)?;
        if self.store.get(id).is_some_and(|slot| slot.global) {
            return Err(Refusal::new(400, "Global client cannot be deleted."));
        }
        self.store.remove(id);
        Ok(Reply::new(204, ""))
    }

    fn find(&self, id: &str) -> Result<Arc<Slot>, Refusal> {
        self.store.get(id).ok_or_else(Refusal::no_such_client)
    }
}

pub(super) fn read_body(body: &[u8]) -> Result<Body, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(other) => {
            let found = type_name(&other);
            Err(Refusal::body(format!(
                "Payload validation error: 'Expected type object but found type {found}'."
            )))
        }
        Err(_) => Err(Refusal::unreadable()),
    }
}

/// An id has letters, digits and a few signs; longer or stranger ones never reach the lookup.
fn check_id(id: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !id.is_empty() && id.len() <= 64 && id.chars().all(legal) {
        return Ok(());
    }
    let message = format!(
        "Path validation error: 'Object didn't pass validation for format client-id: {id}' on property id."
    );
    Err(Refusal::new(400, message).code("invalid_uri"))
}

/// Fields that need a scope of their own to be written (Auth0, "Update a client").
const FIELD_SCOPES: [(&str, &str); 3] = [
    ("client_secret", "update:client_keys"),
    ("client_authentication_methods", "update:client_credentials"),
    ("token_vault_privileged_access", "update:client_token_vault_privileged_access"),
];

fn check_field_scopes(sent: &Body, claims: &Claims) -> Result<(), Refusal> {
    let refused: Vec<&str> = FIELD_SCOPES
        .iter()
        .filter(|(field, scope)| sent.contains_key(*field) && !claims.any_scope(&[scope]))
        .map(|(field, _)| *field)
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Refusal::fields("update", &refused))
}

pub(super) fn answer(
    status: u16,
    stored: &Stored,
    sight: Sight,
    shape: Shape,
    projection: &Projection,
) -> Reply {
    if shape != Shape::Create && *projection == Projection::All && sight.shows_all(stored) {
        return Reply::new(status, stored.text.clone());
    }
    Reply::json(status, &show(stored.body(), sight, shape, projection))
}

fn show(mut client: Body, sight: Sight, shape: Shape, projection: &Projection) -> Value {
    sight.trim(&mut client, shape);
    projection.apply(&mut client);
    Value::Object(client)
}
