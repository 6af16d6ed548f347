//! What tests may look at and change behind the API's back in objects of any kind, by the kind's name.

use serde_json::Value;

use super::handle::TenantHandle;
use super::logs::DashboardUser;
use super::objects::Shelf;
use super::populate::insert;
use super::store::{Store, Stored, lock};
use crate::catalogue::{default_kind, kind};
use crate::model::Body;

impl TenantHandle {
    /// Every object of a kind as stored, in the order of lists; what belongs to one and is kept behind an endpoint of its own
    /// stands in the field that shows it. None of a kind that there is not.
    pub fn objects(&self, kind: &str) -> Vec<Body> {
        let slots = self.store(kind).map(Store::all).unwrap_or_default();
        slots.iter().map(|slot| slot.read().body()).collect()
    }

    /// One object as stored.
    pub fn object(&self, kind: &str, id: &str) -> Option<Body> {
        Some(self.store(kind)?.get(id)?.read().body())
    }

    /// The id of the first object that people know by that name.
    pub fn object_id(&self, kind_name: &str, name: &str) -> Option<String> {
        let endpoint = &kind(kind_name)?.endpoint;
        let named = |object: &Body| object.get(&endpoint.name_field).and_then(Value::as_str) == Some(name);
        let found = self.objects(kind_name).into_iter().find(named)?;
        found.get(&endpoint.id_field).and_then(Value::as_str).map(str::to_owned)
    }

    /// Changes an object without the API noticing, as somebody in the Dashboard would; whether it was there.
    pub fn edit_object(&self, kind: &str, id: &str, change: impl FnOnce(&mut Body)) -> bool {
        let Some(slot) = self.store(kind).and_then(|store| store.get(id)) else { return false };
        let mut held = slot.hold();
        let mut body = held.body();
        change(&mut body);
        *held = Stored::new(&body);
        true
    }

    /// Adds an object without the API noticing; it gets an id where it has none. Whether there is such a kind.
    pub fn add_object(&self, kind: &str, body: Body) -> bool {
        match self.shelf(kind) {
            Some(shelf) => self.tenant.objects.put_in(shelf, body),
            None if self.is_of_clients(kind) => {
                insert(&self.tenant.clients.store, &mut lock(&self.tenant.clients.maker), body);
            }
            None => return false,
        }
        true
    }

    /// Deletes an object, and what goes with it, without the API noticing; whether it was there.
    pub fn remove_object(&self, kind: &str, id: &str) -> bool {
        match self.shelf(kind) {
            Some(shelf) => self.tenant.objects.take_out(shelf, id),
            None if self.is_of_clients(kind) && self.tenant.clients.store.remove(id) => {
                self.tenant.objects.forget_client(&default_kind().name, id);
                true
            }
            None => false,
        }
    }

    /// Updates an object as somebody in the Dashboard does: judged and merged like any PATCH, and in the log under that name.
    /// Neither counted nor limited.
    ///
    /// # Errors
    /// With what the API would say to the body, or for a kind that there is not.
    pub fn patch_object_as(
        &self,
        user: &DashboardUser,
        kind_name: &str,
        id: &str,
        patch: &Body,
    ) -> Result<(), String> {
        let known = kind(kind_name).ok_or_else(|| format!("there is no kind {kind_name}"))?;
        // A JSON object in memory always serializes.
        let reply = self.tenant.patch_as(user, known, id, &serde_json::to_vec(patch).unwrap_or_default());
        match reply.status {
            200 => Ok(()),
            _ => Err(String::from_utf8_lossy(&reply.body).into_owned()),
        }
    }

    fn is_of_clients(&self, name: &str) -> bool {
        kind(name).is_some_and(|kind| std::ptr::eq(kind, default_kind()))
    }

    fn shelf(&self, name: &str) -> Option<&Shelf> {
        self.tenant.objects.shelf(&kind(name)?.name)
    }

    fn store(&self, name: &str) -> Option<&Store> {
        match self.shelf(name) {
            Some(shelf) => Some(&shelf.store),
            None => self.is_of_clients(name).then(|| &*self.tenant.clients.store),
        }
    }
}
