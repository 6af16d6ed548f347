//! Simulated tenants in the test's own process: the command talks to them over HTTP, the test looks inside.

use std::time::Duration;

use patchwave::sandbox::{Counters, Options, Sandbox, TenantHandle};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use super::Case;

/// Tenants that are served as long as this lives.
pub(crate) struct Served {
    sandbox: Sandbox,
    runtime: Runtime,
}

impl Served {
    /// One tenant without a rate limit, so that a test of something else does not wait.
    pub(crate) fn quick() -> Self {
        Self::with(Options { tier: "unlimited".parse().unwrap(), ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        Self { sandbox, runtime }
    }

    /// The only tenant, or the first.
    pub(crate) fn tenant(&self) -> &TenantHandle {
        self.at(0)
    }

    pub(crate) fn at(&self, tenant: usize) -> &TenantHandle {
        &self.sandbox.tenants()[tenant]
    }

    /// With TLS, the certificate of the authority to trust.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    pub(crate) fn authority(&self) -> String {
        self.sandbox.authority().unwrap_or_default().to_owned()
    }

    /// A folder whose environment has the credentials of the first tenant.
    pub(crate) fn case(&self) -> Case {
        let tenant = self.tenant();
        Case::new()
            .env("AUTH0_DOMAIN", tenant.domain().base_url())
            .env("AUTH0_CLIENT_ID", tenant.client_id())
            .env("AUTH0_CLIENT_SECRET", tenant.client_secret().expose())
    }

    /// A folder whose configuration has all tenants, as t0, t1 and so on; `more` stands in each table, and `top` before them.
    pub(crate) fn configured(&self, top: &str, more: &str) -> Case {
        let mut text = format!("{top}\n");
        let mut case = Case::new();
        for (at, tenant) in self.sandbox.tenants().iter().enumerate() {
            let (domain, id) = (tenant.domain().base_url(), tenant.client_id());
            text.push_str(&format!(
                "[tenants.t{at}]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\nclient_secret = {{ env = \"SECRET_{at}\" }}\n{more}\n"
            ));
            case = case.env(&format!("SECRET_{at}"), tenant.client_secret().expose());
        }
        case.file("patchwave.toml", text)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.tenant().counters()
    }

    /// The id of the first client of this name.
    pub(crate) fn id(&self, name: &str) -> String {
        id_of(self.tenant(), name)
    }

    /// A client as the tenant stores it now.
    pub(crate) fn client(&self, id: &str) -> Map<String, Value> {
        self.tenant().client(id).unwrap_or_else(|| panic!("no client {id}"))
    }

    /// Ids of the first clients that are neither the global one nor the runner's own.
    pub(crate) fn ids(&self, count: usize) -> Vec<String> {
        let own = self.tenant().client_id().to_owned();
        let state = self.tenant().state();
        let ordinary =
            state.iter().filter(|c| c["global"] == Value::Bool(false) && c["client_id"] != own.as_str());
        let ids: Vec<String> =
            ordinary.map(|c| c["client_id"].as_str().unwrap().to_owned()).take(count).collect();
        assert_eq!(ids.len(), count, "the sandbox has too few clients");
        ids
    }

    /// Waits until the tenant's counters say so; they change because the command under test goes on.
    pub(crate) fn until(&self, reached: impl Fn(&Counters) -> bool) {
        self.until_at(0, reached);
    }

    /// The same of another tenant.
    pub(crate) fn until_at(&self, tenant: usize, reached: impl Fn(&Counters) -> bool) {
        let tenant = self.at(tenant);
        let seen = async { tokio::time::timeout(Duration::from_secs(30), tenant.until(reached)).await };
        let seen = self.runtime.block_on(seen);
        assert!(seen.is_ok(), "the tenant never saw it: {:?}", tenant.counters());
    }
}

pub(crate) fn id_of(tenant: &TenantHandle, name: &str) -> String {
    let state = tenant.state();
    let client =
        state.iter().find(|client| client["name"] == name).unwrap_or_else(|| panic!("no client {name}"));
    client["client_id"].as_str().unwrap().to_owned()
}

/// A CSV job that gives each client the name `NEW-n`.
pub(crate) fn renames(ids: &[String]) -> String {
    let rows = ids.iter().enumerate().map(|(at, id)| format!("{id},NEW-{at}\n"));
    format!("client_id,name\n{}", rows.collect::<String>())
}
