//! The objects of one kind of a simulated tenant: its clients above all. Each is kept as the JSON text that answers are made of, so that a read copies nothing
//! and a hundred thousand clients fit in memory. Central type: [`Store`].

mod filter;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use serde_json::Value;

use super::view::NOT_IN_PATCH;
use crate::model::Body;
pub(super) use filter::{Filter, Holds};

/// A client as stored.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: Arc<str>,
    /// Whether it is the tenant's "All Applications".
    pub(super) global: bool,
    /// Its place in lists; never given twice.
    pub(super) place: u64,
    stored: Mutex<Stored>,
}

/// A client's text, with what lists filter by.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) text: Bytes,
    pub(super) first_party: bool,
    pub(super) app_type: Option<Box<str>>,
    /// Whether it holds none of the fields that some answers leave out.
    pub(super) plain: bool,
}

impl Stored {
    pub(super) fn new(body: &Body) -> Self {
        Self {
            // A JSON object in memory always serializes.
            text: serde_json::to_vec(body).unwrap_or_default().into(),
            first_party: body.get("is_first_party") != Some(&Value::Bool(false)),
            app_type: body.get("app_type").and_then(Value::as_str).map(Box::from),
            plain: !body.contains_key("client_authentication_methods")
                && !NOT_IN_PATCH.iter().any(|key| body.contains_key(*key)),
        }
    }

    fn is_external(&self, wanted: &str) -> bool {
        // A plain client has none, and most are plain.
        !self.plain && self.body().get("external_client_id").is_some_and(|id| id == wanted)
    }

    /// Whether the value stands somewhere in the text; to look for it there costs far less than to parse.
    pub(super) fn mentions(&self, value: &Value) -> bool {
        std::str::from_utf8(&self.text).is_ok_and(|text| text.contains(&value.to_string()))
    }

    fn holds_all(&self, wanted: &[Holds]) -> bool {
        let likely = |holds: &Holds| {
            holds.loose || holds.values.iter().any(|value| self.mentions(&value.as_str().into()))
        };
        if !wanted.iter().all(likely) {
            return false;
        }
        let body = self.body();
        wanted.iter().all(|holds| holds.fits(&body))
    }

    pub(super) fn body(&self) -> Body {
        // The text was written by `new`.
        serde_json::from_slice(&self.text).unwrap_or_default()
    }
}

impl Slot {
    /// The client as it is now.
    pub(super) fn read(&self) -> Stored {
        lock(&self.stored).clone()
    }

    /// Holds the client while it is changed: a second change waits, as the real service gives each PATCH the state after the one before.
    pub(super) fn hold(&self) -> MutexGuard<'_, Stored> {
        lock(&self.stored)
    }
}

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// After so many clients.
    Offset(usize),
    /// After the client with this place.
    Place(Option<u64>),
}

/// A page of a list.
pub(super) struct Page {
    pub(super) slots: Vec<Arc<Slot>>,
    pub(super) total: usize,
    /// Whether there are clients after it.
    pub(super) more: bool,
}

impl Page {
    /// Where it stands among all that fit.
    pub(super) fn span(&self) -> Span {
        Span { total: self.total, next: self.slots.last().filter(|_| self.more).map(|slot| slot.place) }
    }
}

/// Where a page stands among all that fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) total: usize,
    /// The place after which the next page begins, where there is one.
    pub(super) next: Option<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<Arc<str>, Arc<Slot>>,
    /// Global clients first, then the others as they were created: by `place`, ascending.
    order: Vec<Arc<Slot>>,
    globals: usize,
    next_place: u64,
}

/// All clients of a tenant.
#[derive(Debug, Default)]
pub(super) struct Store {
    inner: RwLock<Inner>,
}

impl Store {
    /// Adds a client, or replaces the one of that id. `body` must hold its `client_id`; a global one must come before the others.
    pub(super) fn insert(&self, id: &str, body: &Body) -> Arc<Slot> {
        if let Some(slot) = self.get(id) {
            *slot.hold() = Stored::new(body);
            return slot;
        }
        let stored = Mutex::new(Stored::new(body));
        let global = body.get("global") == Some(&Value::Bool(true));
        let mut inner = self.write();
        inner.next_place += 1;
        let slot = Arc::new(Slot { id: Arc::from(id), global, place: inner.next_place, stored });
        inner.by_id.insert(Arc::clone(&slot.id), Arc::clone(&slot));
        inner.order.push(Arc::clone(&slot));
        inner.globals += usize::from(global);
        slot
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Slot>> {
        self.read().by_id.get(id).map(Arc::clone)
    }

    /// Takes a client away; whether it was there.
    pub(super) fn remove(&self, id: &str) -> bool {
        let mut inner = self.write();
        let Some(slot) = inner.by_id.remove(id) else { return false };
        if let Ok(at) = inner.order.binary_search_by_key(&slot.place, |slot| slot.place) {
            inner.order.remove(at);
        }
        inner.globals -= usize::from(slot.global);
        true
    }

    /// Every client, in the order of lists.
    pub(super) fn all(&self) -> Vec<Arc<Slot>> {
        self.read().order.clone()
    }

    /// A page of the clients that fit. Without a look inside, this costs no more than the page.
    pub(super) fn page(&self, filter: &Filter, from: From, count: usize) -> Page {
        let inner = self.read();
        let (globals, others) = inner.order.split_at(inner.globals.min(inner.order.len()));
        let candidates = match filter.global {
            _ if filter.none => &[],
            None => inner.order.as_slice(),
            Some(true) => globals,
            Some(false) => others,
        };
        if !filter.looks_inside() {
            return cut(candidates, from, count);
        }
        let fitting: Vec<_> = candidates.iter().filter(|slot| filter.fits(slot)).map(Arc::clone).collect();
        cut(&fitting, from, count)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(slots: &[Arc<Slot>], from: From, count: usize) -> Page {
    let start = match from {
        From::Offset(offset) => offset.min(slots.len()),
        From::Place(None) => 0,
        From::Place(Some(place)) => slots.partition_point(|slot| slot.place <= place),
    };
    let end = start.saturating_add(count).min(slots.len());
    Page { slots: slots[start..end].to_vec(), total: slots.len(), more: end < slots.len() }
}

/// Takes a lock; what a panicking holder left is complete, since values are replaced whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn store(count: usize) -> Store {
        let store = Store::default();
        store.insert("global", json!({"global": true}).as_object().unwrap());
        for n in 0..count {
            let app_type = if n % 2 == 0 { "spa" } else { "native" };
            store.insert(&format!("c{n}"), json!({"app_type": app_type}).as_object().unwrap());
        }
        store
    }

    #[test]
    fn walking_by_place_sees_every_client_once_though_one_is_removed_on_the_way() {
        let store = store(10);
        let filter = Filter { global: Some(false), ..Filter::default() };
        let (mut seen, mut from) = (Vec::new(), None);
        loop {
            let page = store.page(&filter, From::Place(from), 3);
            seen.extend(page.slots.iter().map(|slot| slot.id.to_string()));
            from = page.slots.last().map(|slot| slot.place);
            store.remove("c1");
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, (0..10).map(|n| format!("c{n}")).collect::<Vec<_>>());
    }

    #[test]
    fn filters_count_what_fits_and_offsets_beyond_the_end_are_empty() {
        let store = store(5);
        let spa = Filter { app_types: vec!["spa".into()], ..Filter::default() };
        let page = store.page(&spa, From::Offset(1), 1);
        assert_eq!((page.total, page.more, &*page.slots[0].id), (3, true, "c2"));
        let beyond = store.page(&Filter::default(), From::Offset(99), 10);
        assert_eq!((beyond.total, beyond.slots.len()), (6, 0));
    }
}
