//! A small tenant, and what a job may find beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use patchwave::catalogue::{self, Kind, Kinds, redact};
use patchwave::job::{Bases, Expression, Files, Input, Job, LoadOptions, TenantScope, load};
use patchwave::model::{Body, Domain, EntityId, Packed, Problem, TenantName};
use patchwave::plan::{
    Narrow, PlanOptions, TenantState, Unplannable, plan_tenant, predicted, resolve::Resolved,
};
use serde_json::json;

/// The digest that stands in files which `get` wrote.
pub(crate) const BASE: &str = "0123456789abcdef0123456789abcdef";

static CLIENTS: LazyLock<Vec<Body>> = LazyLock::new(|| {
    let clients = json!([
        {"client_id": "c0", "name": "Shop", "app_type": "spa", "is_first_party": true, "tenant": "acme", "global": false,
         "callbacks": ["https://shop.example/cb", "http://localhost:3000"], "web_origins": [], "sso": true,
         "client_metadata": {"team": "billing", "cost.center": "7"}, "grant_types": ["authorization_code"],
         "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 9,
                           "token_lifetime": 100, "idle_token_lifetime": 50},
         "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false}},
        {"client_id": "c1", "name": "Shop dev", "app_type": "native", "description": "Old",
         "addons": {"samlp": {"audience": "urn:shop", "mappings": {"a.b": "c"}, "destination": null},
                    "azure_sb": {"namespace": "acme", "sasKey": "hush-hush"}},
         "native_social_login": {"apple": {"enabled": true}}, "initiate_login_uri": null},
        {"client_id": "c2", "name": "{{ odd }} *", "app_type": "non_interactive", "client_secret": "hush",
         "quite_new": {"inner": [1, null, 2.5]}, "par_request_expiry": 60, "allowed_clients": ["c0"]},
    ]);
    let clients = clients.as_array().into_iter().flatten().filter_map(|client| client.as_object().cloned());
    clients
        .map(|mut body| {
            redact::strip(kind(), &mut body);
            body
        })
        .collect()
});

pub(crate) fn kind() -> &'static Kind {
    catalogue::default_kind()
}

/// The clients as they are read, without secrets.
pub(crate) fn clients() -> &'static [Body] {
    &CLIENTS
}

fn id(body: &Body) -> EntityId {
    EntityId::new(body["client_id"].as_str().unwrap_or_default())
}

/// The files beside a job.
pub(crate) struct Beside<'f> {
    /// The content of every file that a job may name.
    pub(crate) rows: &'f [u8],
}

impl Files for Beside<'_> {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Ok(self.rows.to_vec())
    }
}

impl Bases for Beside<'_> {
    fn find(&self, _kind: &Kind, digest: &str, wanted: &EntityId) -> Result<Option<Arc<Body>>, String> {
        let base = CLIENTS.iter().find(|client| digest == BASE && id(client) == *wanted);
        Ok(base.map(|base| Arc::new(base.clone())))
    }
}

/// Reads a job as the command does.
pub(crate) fn read(input: Input<'_>, beside: &Beside<'_>, without_base: bool) -> Result<Job, Vec<Problem>> {
    let options = LoadOptions {
        kinds: Kinds::built_in(),
        kind: kind(),
        bases: beside,
        files: beside,
        without_base,
        ignored_columns: &[],
        encoding: None,
    };
    load(input, options)
}

pub(crate) fn tenant() -> TenantName {
    TenantName::new("dev")
}

pub(crate) fn domain() -> Domain {
    Domain::parse("acme.eu.auth0.com").unwrap_or_else(|error| panic!("{error}"))
}

/// What templates see of the tenant, with the variables of a job.
pub(crate) fn scope(vars: &Body) -> Arc<TenantScope> {
    let mut all = vars.clone();
    all.insert("region".into(), "EU".into());
    all.insert("hosts".into(), json!({"login": "login.example", "ports": [1, 2]}));
    let env = BTreeMap::from([("REGION".to_owned(), "EU".to_owned())]);
    let tags = json!({"ring": "canary"}).as_object().cloned().unwrap_or_default();
    Arc::new(TenantScope::new(&tenant(), Some(&domain()), &tags, all, env))
}

fn state(job: &Job, clients: &[Body]) -> TenantState {
    TenantState {
        objects: clients.iter().map(|body| (id(body), Packed::new(body))).collect(),
        total: Some(clients.len()),
        protected: job.guards.protect.iter().cloned().collect(),
        own: Some(EntityId::new("c2")),
        ..TenantState::default()
    }
}

/// What a job comes to on these clients.
pub(crate) fn plan(job: &Job, clients: &[Body]) -> Result<Resolved, Unplannable> {
    let narrow = Expression::parse("client_id != 'c9'", kind()).ok();
    let narrow: Narrow = narrow.into_iter().map(|narrow| (kind().name, narrow)).collect();
    let options = PlanOptions { narrow, ..PlanOptions::default() };
    plan_tenant(job, &scope(&job.vars), &state(job, clients).into(), &options)
}

/// The clients once the writes were made, as the plan predicts them.
pub(crate) fn applied((writes, _): &Resolved) -> Vec<Body> {
    let mut after = CLIENTS.clone();
    for write in writes.iter() {
        if let Some(client) = after.iter_mut().find(|client| id(client) == write.id) {
            *client = predicted(kind(), &write);
        }
    }
    after
}
