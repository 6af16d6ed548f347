//! A simulated tenant from outside: how to reach it, and what tests may look at and change behind the API's back.
//! Central type: [`TenantHandle`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::counters::Counters;
use super::faults::Faults;
use super::logs::DashboardUser;
use super::populate::insert;
use super::store::{Stored, lock};
use super::tenant::Tenant;
use crate::catalogue::default_kind;
use crate::model::{Body, Domain, Secret};

/// A running tenant, from outside: how to reach it, and what tests may look at and change behind the API's back.
#[derive(Clone)]
pub struct TenantHandle {
    pub(super) tenant: Arc<Tenant>,
    pub(super) domain: Domain,
}

impl TenantHandle {
    /// Where it listens: `http://127.0.0.1:PORT`, or `https` with TLS.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The id of the client that tokens are issued to.
    pub fn client_id(&self) -> &str {
        &self.tenant.client_id
    }

    /// That client's secret. It opens nothing where the client signs in by a key.
    pub fn client_secret(&self) -> &Secret {
        &self.tenant.secret
    }

    /// The audience to ask a token for.
    pub fn audience(&self) -> String {
        self.domain.default_audience()
    }

    /// Whether that client signs in by a private key, and not by its secret.
    pub fn wants_key(&self) -> bool {
        self.tenant.options.public_key.is_some()
    }

    /// Where it listens and whom it knows, for programs.
    pub fn to_json(&self) -> Value {
        let mut told = json!({ "domain": self.domain.base_url(), "client_id": self.client_id() });
        if !self.wants_key() {
            told["client_secret"] = self.client_secret().expose().into();
        }
        told
    }

    /// What it has seen until now.
    pub fn counters(&self) -> Counters {
        Counters { patches: self.tenant.tally.patches(), ..self.tenant.counts() }
    }

    /// Waits until its counts are such. They are shown without the updates themselves, which take long to copy.
    pub async fn until(&self, reached: impl Fn(&Counters) -> bool) {
        loop {
            let news = self.tenant.tally.news.notified();
            if reached(&self.tenant.counts()) {
                return;
            }
            news.await;
        }
    }

    /// Every client as stored, secrets included, in the order of lists.
    pub fn state(&self) -> Vec<Body> {
        self.tenant.clients.store.all().iter().map(|slot| slot.read().body()).collect()
    }

    /// One client as stored.
    pub fn client(&self, id: &str) -> Option<Body> {
        Some(self.tenant.clients.store.get(id)?.read().body())
    }

    /// Changes a client without the API noticing, as somebody in the Dashboard would; whether it was there.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Body)) -> bool {
        let Some(slot) = self.tenant.clients.store.get(id) else { return false };
        let mut held = slot.hold();
        let mut body = held.body();
        change(&mut body);
        *held = Stored::new(&body);
        true
    }

    /// Updates a client as somebody in the Dashboard does: judged and merged like any PATCH, and in the log under that name.
    /// Neither counted nor limited.
    ///
    /// # Errors
    /// With what the API would say to the body.
    pub fn patch_as(&self, user: &DashboardUser, id: &str, patch: &Body) -> Result<(), String> {
        self.patch_object_as(user, &default_kind().name, id, patch)
    }

    /// The tenant's log as the API shows it, oldest event first.
    pub fn events(&self) -> Vec<Body> {
        self.tenant.events()
    }

    /// Makes every event of the log so much older, as if that time had passed since.
    pub fn age_log(&self, by: Duration) {
        self.tenant.age_log(by);
    }

    /// Adds a client without the API noticing; it gets an id where it has none.
    pub fn add(&self, client: Body) {
        insert(&self.tenant.clients.store, &mut lock(&self.tenant.clients.maker), client);
    }

    /// Deletes a client without the API noticing; whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        self.remove_object(&default_kind().name, id)
    }

    /// Replaces what goes wrong, from the next request on.
    pub fn set_faults(&self, faults: Faults) {
        self.tenant.set_faults(faults);
    }

    /// Ends every token issued until now.
    pub fn expire_tokens(&self) {
        self.tenant.expire_tokens();
    }
}

impl std::fmt::Debug for TenantHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantHandle").field("domain", &self.domain).finish_non_exhaustive()
    }
}
