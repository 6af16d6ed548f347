//! The objects that a tenant starts with: a small landscape that hangs together, with the same names in every tenant, and ids
//! of its own. Central function: [`Objects::stocked`].

mod samples;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::super::generate::{Maker, mix};
use super::super::options::{Options, known_scopes};
use super::super::store::Store;
use super::{Objects, Shelf};
use crate::catalogue::{default_kind, kinds};
use crate::model::{Body, Domain};
use samples::Around;

/// Kinds in an order in which each finds what it names; others follow.
const ORDER: [&str; 8] = [
    "resource-servers",
    "connections",
    "client-grants",
    "roles",
    "organizations",
    "actions",
    "rules",
    "users",
];
/// For the ids of these objects, so that those of clients do not hang on how many there are.
const APART: u64 = 0x6f62_6a65_6374;
/// How many of the clients the others name.
const NAMED_CLIENTS: usize = 8;

impl Objects {
    /// Everything that is loaded, and made up where nothing is. `runner`: the id of the client that tokens are issued to.
    pub(in crate::sandbox) fn stocked(
        options: &Options,
        number: usize,
        domain: &Domain,
        clients: &Arc<Store>,
        runner: &str,
    ) -> Self {
        let mut shelves: Vec<Shelf> =
            kinds().filter(|kind| !std::ptr::eq(*kind, default_kind())).map(Shelf::new).collect();
        let rank =
            |shelf: &Shelf| ORDER.iter().position(|name| shelf.kind.name == **name).unwrap_or(ORDER.len());
        shelves.sort_by_key(rank);
        let all = clients.all();
        let named = all.iter().filter(|slot| !slot.global && *slot.id != *runner).take(NAMED_CLIENTS);
        let clients_named: Vec<String> = named.map(|slot| slot.id.to_string()).collect();
        let maker = Maker::new(mix(options.seed, APART), number);
        let objects = Self {
            shelves,
            maker: Mutex::new(maker),
            writing: Mutex::default(),
            clients: Arc::clone(clients),
            base: format!("{}/api/v2", domain.base_url()),
            idle: AtomicU64::default(),
        };
        for shelf in &objects.shelves {
            objects.stock(shelf, options, domain, &clients_named);
        }
        objects
    }

    fn stock(&self, shelf: &Shelf, options: &Options, domain: &Domain, clients: &[String]) {
        if let Some(loaded) = options.load_objects.get(shelf.kind.name.as_str()) {
            loaded.iter().for_each(|object| self.put_in(shelf, object.clone()));
            return;
        }
        if shelf.kind.name == "resource-servers" {
            self.put_in(shelf, samples::system_api(domain, &known_scopes()));
        }
        let around = Around {
            clients,
            connections: &self.bodies("connections"),
            apis: &self.bodies("resource-servers"),
        };
        let asked = options.objects.get(shelf.kind.name.as_str()).copied();
        for object in shelf.facts.samples.iter().take(asked.unwrap_or(usize::MAX)) {
            self.put_in(shelf, object.clone());
        }
        for index in 0..asked.unwrap_or(shelf.facts.stock) {
            if let Some(object) = samples::sample(&shelf.kind.name, index, &around) {
                self.put_in(shelf, object);
            }
        }
    }

    fn bodies(&self, kind: &str) -> Vec<Body> {
        let slots = self.shelf(kind).map(|shelf| shelf.store.all()).unwrap_or_default();
        // The first ones are named; the others need not be looked at.
        slots.iter().take(NAMED_CLIENTS).map(|slot| slot.read().body()).collect()
    }

    /// Adds an object without anybody noticing; it gets an id where it has none.
    pub(in crate::sandbox) fn put_in(&self, shelf: &Shelf, mut object: Body) {
        let field = &shelf.kind.endpoint.id_field;
        let id = match object.get(field).and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => super::lock(&self.maker).id_of(shelf.kind),
        };
        if !object.contains_key(field) {
            let rest = std::mem::take(&mut object);
            object.insert(field.clone(), id.as_str().into());
            object.extend(rest);
        }
        if shelf.kind.name == "users" && !object.contains_key("identities") {
            samples::identify(&mut object);
        }
        shelf.store.insert(&id, &object);
    }
}
