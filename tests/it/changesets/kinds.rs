//! A change set may touch objects of several kinds, which name each other: elsewhere they have other ids.

use patchwave::catalogue::kinds;
use patchwave::sandbox::Options;
use serde_json::{Map, Value, json};

use super::Tenants;
use crate::common::id_of;

/// Three tenants with applications, an API, two connections and a role, under ids of their own.
fn tenants() -> Tenants {
    let load = |kind: &str, objects: Value| (kind.to_owned(), serde_json::from_value(objects).unwrap());
    let load_objects = [
        load(
            "resource-servers",
            json!([{
                "name": "Orders", "identifier": "https://orders.acme.example",
                "scopes": [{"value": "read:orders"}, {"value": "write:orders"}],
            }]),
        ),
        load(
            "connections",
            json!([
                {"name": "staff", "strategy": "auth0", "display_name": "Staff", "options": {"brute_force_protection": true}},
                {"name": "guests", "strategy": "auth0", "display_name": "Guests", "options": {}},
            ]),
        ),
        load(
            "roles",
            json!([{"name": "Clerk", "description": "sells"}, {"name": "Head", "description": "decides"}]),
        ),
    ];
    let tenants = Tenants::with(3, 4, Options { load_objects: load_objects.into(), ..Options::default() });
    for at in 0..3 {
        tenants.set(at, "connections", "staff", json!({"enabled_clients": tenants.ids(at, &["App 000"])}));
        tenants.set(
            at,
            "connections",
            "guests",
            json!({"enabled_clients": tenants.ids(at, &["App 001", "App 002"])}),
        );
    }
    tenants
}

impl Tenants {
    fn ids(&self, at: usize, names: &[&str]) -> Value {
        names.iter().map(|name| json!(id_of(self.served.at(at), name))).collect()
    }

    /// Somebody changes an object behind the API.
    fn set(&self, at: usize, kind: &str, name: &str, fields: impl Into<Value>) {
        let fields = fields.into();
        let tenant = self.served.at(at);
        let id = tenant.object_id(kind, name).unwrap();
        assert!(tenant.edit_object(kind, &id, |object| object.extend(fields.as_object().unwrap().clone())));
    }

    /// What somebody does by hand in the first tenant.
    fn edit_dev(&self) {
        self.edit(0, "App 000", &json!({"description": "the counter"}));
        self.set(
            0,
            "connections",
            "staff",
            json!({
                "display_name": "Our staff", "enabled_clients": self.ids(0, &["App 000", "App 003"]),
            }),
        );
        self.set(0, "connections", "guests", json!({"enabled_clients": self.ids(0, &["App 002"])}));
        let orders = |scope| json!({"resource_server_identifier": "https://orders.acme.example", "permission_name": scope});
        self.set(
            0,
            "roles",
            "Clerk",
            json!({
                "description": "sells and looks", "permissions": [orders("read:orders")],
            }),
        );
    }

    /// The objects of clients, connections and roles by kind and name, ids as the names of what they are ids of.
    fn by_name(&self, at: usize) -> Map<String, Value> {
        let tenant = self.served.at(at);
        let mut texts = Vec::new();
        for kind in kinds() {
            for object in tenant.objects(&kind.name) {
                let (id, name) = (&object[&kind.endpoint.id_field], object.get(&kind.endpoint.name_field));
                if let (Some(id), Some(name)) = (id.as_str(), name.and_then(Value::as_str)) {
                    texts.push((id.to_owned(), format!("id of {name}")));
                }
            }
        }
        let host = super::host(&self.names[at]);
        let mut seen = Map::new();
        for kind in ["clients", "connections", "roles"] {
            for object in tenant.objects(kind) {
                let name = format!("{kind} {}", object["name"].as_str().unwrap());
                let mut text = serde_json::to_string(&object).unwrap().replace(&host, "HOST");
                texts.iter().for_each(|(id, of)| text = text.replace(id, of));
                let mut object: Map<String, Value> = serde_json::from_str(&text).unwrap();
                for own in ["client_secret", "tenant", "signing_keys", "created_at", "updated_at", "realms"] {
                    object.shift_remove(own);
                }
                // What the service fills in whenever options are written.
                if let Some(options) = object.get_mut("options").and_then(Value::as_object_mut) {
                    options.retain(|key, _| key == "brute_force_protection");
                }
                if let Some(clients) = object.get_mut("enabled_clients").and_then(Value::as_array_mut) {
                    clients.sort_by_key(Value::to_string);
                }
                // Nothing in it, or no list.
                object.retain(|_, value| *value != json!([]));
                seen.insert(name, Value::Object(object));
            }
        }
        seen
    }
}

fn results(tenants: &Tenants) -> Vec<String> {
    let row = |row: std::collections::BTreeMap<String, String>| {
        format!("{} {}: {} {}", row["_tenant"], row["_row"], row["_result"], row["_reason"])
            .trim_end()
            .to_owned()
    };
    tenants.case.results().into_iter().map(row).collect()
}

const REPLAY: [&str; 5] = ["replay", "change.toml", "--tenant=staging", "--tenant=prod", "--yes"];

/// What was recorded, by any of the ways, does in the others what was done in the first.
#[track_caller]
fn arrives(tenants: &Tenants, before: &[Map<String, Value>]) {
    let text = tenants.case.read("change.toml");
    for at in 0..3 {
        for kind in kinds() {
            for object in tenants.served.at(at).objects(&kind.name) {
                let id = object[&kind.endpoint.id_field].as_str().unwrap();
                assert!(!text.contains(id), "{id} in\n{text}");
            }
        }
    }
    tenants.case.run(REPLAY).exits(0);
    let wanted = tenants.by_name(0);
    assert_ne!(wanted, before[0]);
    for at in 1..3 {
        assert_eq!(tenants.by_name(at), wanted, "{text}");
    }
    let sent = |tenants: &Tenants| -> Vec<_> {
        (0..3)
            .map(|at| tenants.served.at(at).counters())
            .map(|seen| seen.patch + seen.create + seen.delete + seen.other)
            .collect()
    };
    let first = sent(tenants);
    tenants.case.run(REPLAY).exits(0);
    assert_eq!(sent(tenants), first, "a second time");
    assert!(tenants.case.results().iter().all(|row| row["_result"] == "unchanged"));
}

fn goes_back(tenants: &Tenants, before: &[Map<String, Value>]) {
    tenants.case.run(REPLAY).exits(0);
    tenants.case.run(["undo", "latest", "--tenant=staging", "--tenant=prod", "--yes"]).exits(0);
    for (at, before) in before.iter().enumerate().skip(1) {
        assert_eq!(tenants.by_name(at), *before);
    }
}

fn before(tenants: &Tenants) -> Vec<Map<String, Value>> {
    (0..3).map(|at| tenants.by_name(at)).collect()
}

#[test]
fn what_two_snapshots_tell_of_clients_connections_and_roles_arrives_under_other_ids_and_goes_back() {
    for back in [false, true] {
        let tenants = tenants();
        let state = before(&tenants);
        tenants.case.run(["get", "clients,connections,roles", "-o", "before.json", "--tenant=dev"]).exits(0);
        tenants.edit_dev();
        let record = ["record", "--before=before.json", "--after=dev", "-o", "change.toml"];
        tenants.case.run(record).exits(0);
        if back { goes_back(&tenants, &state) } else { arrives(&tenants, &state) }
    }
}

#[test]
fn what_a_run_did_to_several_kinds_arrives_under_other_ids() {
    let tenants = tenants();
    let state = before(&tenants);
    let job = r#"
[[update]]
match.name = "App 000"
set.description = "the counter"

[[update]]
kind = "connections"
match.name = "staff"
set.display_name = "Our staff"
add.enabled_clients = ["{{ id_of('clients', 'App 003') }}"]

[[update]]
kind = "connections"
match.name = "guests"
remove.enabled_clients = ["{{ id_of('clients', 'App 001') }}"]

[[update]]
kind = "roles"
match.name = "Clerk"
add.permissions = [{ resource_server_identifier = "https://orders.acme.example", permission_name = "read:orders" }]
"#;
    std::fs::write(tenants.case.path("job.toml"), job).unwrap();
    tenants.case.run(["apply", "job.toml", "--tenant=dev", "--yes"]).exits(0);
    tenants.case.run(["record", "--run=latest", "-o", "change.toml"]).exits(0);
    arrives(&tenants, &state);
}

#[test]
fn what_the_log_tells_of_several_kinds_arrives_under_other_ids() {
    let tenants = tenants();
    let state = before(&tenants);
    tenants.case.run(["get", "clients,connections,roles", "-o", "before.json", "--tenant=dev"]).exits(0);
    let since = format!("--since={}", super::logged::now());
    let job = r#"
[[update]]
match.name = "App 000"
set.description = "the counter"

[[update]]
kind = "connections"
match.name = "staff"
set.display_name = "Our staff"
add.enabled_clients = ["{{ id_of('clients', 'App 003') }}"]

[[update]]
kind = "roles"
match.name = "Clerk"
set.description = "sells and looks"
add.permissions = [{ resource_server_identifier = "https://orders.acme.example", permission_name = "read:orders" }]
"#;
    std::fs::write(tenants.case.path("job.toml"), job).unwrap();
    tenants.case.run(["apply", "job.toml", "--tenant=dev", "--yes"]).exits(0);
    let record = [
        "record",
        "--from-log",
        &since,
        "--until=now",
        "--before=before.json",
        "--tenant=dev",
        "-o",
        "change.toml",
    ];
    tenants.case.run(record).exits(0);
    arrives(&tenants, &state);
}

#[test]
fn an_object_that_names_one_which_is_not_there_is_left_alone_and_the_others_are_written() {
    let tenants = tenants();
    tenants.case.run(["get", "clients,connections,roles", "-o", "before.json", "--tenant=dev"]).exits(0);
    tenants.edit_dev();
    tenants.case.run(["record", "--before=before.json", "--after=dev", "-o", "change.toml"]).exits(0);
    let gone = id_of(tenants.served.at(2), "App 003");
    assert!(tenants.served.at(2).remove_object("clients", &gone));
    let staff = tenants.served.at(2).object_id("connections", "staff").unwrap();
    let was = tenants.served.at(2).object("connections", &staff);
    tenants.case.run(REPLAY).exits(1);
    assert_eq!(tenants.served.at(2).object("connections", &staff), was);
    let mut rows = results(&tenants);
    rows.sort();
    let wanted = [
        "prod update 1: updated",
        "prod update 2: updated",
        "prod update 3: failed not_found",
        "prod update 4: updated",
        "staging update 1: updated",
        "staging update 2: updated",
        "staging update 3: updated",
        "staging update 4: updated",
    ];
    assert_eq!(rows, wanted);
}
