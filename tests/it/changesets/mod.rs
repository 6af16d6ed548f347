//! What was done in one tenant is recorded, and done in others.

mod compared;
mod fleet;
mod kinds;
mod laws;
mod logged;
mod recorded;
mod replayed;
#[cfg(unix)]
mod walkthrough;

use patchwave::sandbox::Options;
use serde_json::{Map, Value, json};

use crate::common::{Case, Served};

/// Tenants with the same applications, under ids and hosts of their own.
struct Tenants {
    served: Served,
    case: Case,
    names: Vec<String>,
}

/// So many tenants: `dev`, `staging`, `prod`, and numbers from there on.
fn name(at: usize) -> String {
    ["dev", "staging", "prod"].get(at).map_or_else(|| format!("t{at}"), |name| (*name).to_owned())
}

/// The host that a tenant's applications run on.
fn host(tenant: &str) -> String {
    format!("{tenant}.acme.example")
}

impl Tenants {
    fn new(tenants: usize, clients: usize) -> Self {
        Self::with(tenants, clients, Options::default())
    }

    fn with(tenants: usize, clients: usize, options: Options) -> Self {
        let load = (0..clients).map(|at| application(at).as_object().unwrap().clone()).collect();
        let options = Options { tenants, load: Some(load), tier: "unlimited".parse().unwrap(), ..options };
        let served = Served::with(options);
        let names: Vec<String> = (0..tenants).map(name).collect();
        let mut config = String::new();
        let mut case = Case::new();
        for (at, name) in names.iter().enumerate() {
            let tenant = served.at(at);
            let (domain, id) = (tenant.domain().base_url(), tenant.client_id());
            let ring = ["canary", "early"].get(at.saturating_sub(1)).copied().unwrap_or("late");
            config.push_str(&format!(
                "[tenants.{name}]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\nclient_secret = {{ env = \"SECRET_{at}\" }}\n\
                 vars = {{ host = \"{}\", env = \"{name}\" }}\ntags = {{ ring = \"{ring}\" }}\n",
                host(name)
            ));
            case = case.env(&format!("SECRET_{at}"), tenant.client_secret().expose());
            for client in tenant.state() {
                let id = client["client_id"].as_str().unwrap().to_owned();
                tenant.edit(&id, |client| to_host(client, &host(name)));
            }
        }
        Self { served, case: case.file("patchwave.toml", config), names }
    }

    /// The id of a client, by the tenant's place and the client's name.
    fn id(&self, tenant: usize, name: &str) -> String {
        crate::common::id_of(self.served.at(tenant), name)
    }

    fn client(&self, tenant: usize, name: &str) -> Map<String, Value> {
        self.served.at(tenant).client(&self.id(tenant, name)).unwrap()
    }

    /// Somebody changes a client behind the API: these fields are as given.
    fn edit(&self, tenant: usize, name: &str, fields: &Value) {
        let id = self.id(tenant, name);
        self.served.at(tenant).edit(&id, |client| client.extend(fields.as_object().unwrap().clone()));
    }

    /// The clients of a tenant by name, without what no two tenants share: ids, and the runner's own client.
    fn state(&self, tenant: usize) -> Map<String, Value> {
        let own = self.served.at(tenant).client_id().to_owned();
        let clients =
            self.served.at(tenant).state().into_iter().filter(|client| client["client_id"] != own.as_str());
        clients
            .map(|mut client| {
                for key in ["client_id", "client_secret", "tenant", "signing_keys"] {
                    client.shift_remove(key);
                }
                (client["name"].as_str().unwrap().to_owned(), Value::Object(client))
            })
            .collect()
    }

    fn patches(&self) -> Vec<u64> {
        (0..self.names.len()).map(|at| self.served.at(at).counters().patch).collect()
    }
}

fn application(at: usize) -> Value {
    json!({
        "name": format!("App {at:03}"),
        "app_type": if at.is_multiple_of(2) { "spa" } else { "regular_web" },
        "description": format!("developer portal {at}"),
        "callbacks": [format!("https://HOST/app{at}/callback")],
        "web_origins": ["https://HOST"],
        "client_metadata": {"slug": format!("app-{at}")},
    })
}

fn to_host(client: &mut Map<String, Value>, host: &str) {
    let text = serde_json::to_string(client).unwrap().replace("HOST", host);
    *client = serde_json::from_str(&text).unwrap();
}
