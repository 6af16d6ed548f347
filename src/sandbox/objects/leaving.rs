//! How an object goes, and what goes with it.

use serde_json::Value;

use super::super::reply::{Refusal, Reply};
use super::super::store::{Stored, lock};
use super::associations::field_of;
use super::{Objects, Shelf};
use crate::catalogue::Writable;
use crate::model::Body;

impl Objects {
    /// Deletes an object.
    pub(super) fn delete(&self, shelf: &Shelf, id: &str) -> Result<Reply, Refusal> {
        let _writing = lock(&self.writing);
        match shelf.store.get(id).map(|slot| slot.read().body()) {
            Some(object) if object.get("is_system") == Some(&Value::Bool(true)) => {
                return Err(Refusal::new(400, "System API cannot be deleted."));
            }
            Some(object) => self.remove(shelf, id, &object),
            None if shelf.facts.delete_absent => return Err(shelf.absent()),
            None => {}
        }
        Ok(Reply::new(shelf.facts.deleted.unwrap_or(204), ""))
    }

    fn remove(&self, shelf: &Shelf, id: &str, object: &Body) {
        shelf.store.remove(id);
        self.forget(&shelf.kind.name, id);
        if let Some(identifier) = object.get("identifier").and_then(Value::as_str) {
            self.forget_api(identifier);
        }
    }

    /// Takes an object away behind the API's back; whether it was there.
    pub(in crate::sandbox) fn take_out(&self, shelf: &Shelf, id: &str) -> bool {
        let _writing = lock(&self.writing);
        let Some(slot) = shelf.store.get(id) else { return false };
        self.remove(shelf, id, &slot.read().body());
        true
    }

    /// A client has gone: so does what is about it.
    pub(in crate::sandbox) fn forget_client(&self, kind: &str, id: &str) {
        let _writing = lock(&self.writing);
        self.forget(kind, id);
    }

    /// Takes an id out of the lists that name it, and what was made for it away.
    fn forget(&self, kind: &str, id: &str) {
        for shelf in &self.shelves {
            let fields = &shelf.kind.root().fields;
            for association in &shelf.kind.endpoint.associations {
                let key = association.keys.first().map(String::as_str).unwrap_or_default();
                let named = field_of(shelf.kind, association, key);
                if named.is_some_and(|field| field.references.as_deref() == Some(kind)) {
                    shelf.drop_items(&association.field, |item| {
                        item.as_str() == Some(id) || item.get(key).and_then(Value::as_str) == Some(id)
                    });
                }
            }
            let owned = fields.iter().filter(|(_, field)| {
                field.write == Writable::Create && field.references.as_deref() == Some(kind)
            });
            for (field, _) in owned {
                shelf.drop_objects(field, id);
            }
        }
    }

    /// With an API go its grants, and its permissions out of roles.
    fn forget_api(&self, identifier: &str) {
        for shelf in &self.shelves {
            match shelf.kind.name.as_str() {
                "client-grants" => shelf.drop_objects("audience", identifier),
                "roles" => shelf.drop_items("permissions", |item| {
                    item.get("resource_server_identifier").and_then(Value::as_str) == Some(identifier)
                }),
                _ => {}
            }
        }
    }
}

impl Shelf {
    /// Takes items out of a list of every object.
    fn drop_items(&self, field: &str, gone: impl Fn(&Value) -> bool) {
        for slot in self.store.all() {
            let mut held = slot.hold();
            let mut object = held.body();
            let Some(list) = object.get_mut(field).and_then(Value::as_array_mut) else { continue };
            let before = list.len();
            list.retain(|item| !gone(item));
            if list.len() != before {
                *held = Stored::new(&object);
            }
        }
    }

    /// Takes the objects away that have this in a field.
    fn drop_objects(&self, field: &str, text: &str) {
        for slot in self.store.all() {
            if slot.read().body().get(field).and_then(Value::as_str) == Some(text) {
                self.store.remove(&slot.id);
            }
        }
    }
}
