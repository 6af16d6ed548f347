//! What was recorded of one tenant does the same in another, where everything has other ids.

use std::collections::BTreeMap;

use patchwave::catalogue::{Kind, kinds};
use patchwave::model::{Body, FieldPath};
use patchwave::sandbox::Options;
use serde_json::Value;

use super::values::text;
use super::{Plan, tenant, unmoved};
use crate::common::{Case, Served};
use crate::undo::differing;

/// Two tenants with the same objects, `dev` and `prod`.
fn two() -> (Served, Case) {
    let served = tenant(Options { tenants: 2, ..Options::default() });
    let mut config = String::new();
    let mut case = Case::new();
    for (at, name) in ["dev", "prod"].into_iter().enumerate() {
        let tenant = served.at(at);
        let (domain, id) = (tenant.domain().base_url(), tenant.client_id());
        config.push_str(&format!(
            "[tenants.{name}]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\nclient_secret = {{ env = \"SECRET_{at}\" }}\n"
        ));
        case = case.env(&format!("SECRET_{at}"), tenant.client_secret().expose());
    }
    (served, case.file("patchwave.toml", config))
}

/// What no two tenants share: certificates, secrets, hosts, and who a user is at an identity provider.
const OWN: [&str; 5] = ["tenant", "signing_keys", "client_secret", "identities", "identifier"];

/// The objects of a kind, ids of the second tenant as those of the first.
fn objects(served: &Served, at: usize, kind: &Kind, ids: &BTreeMap<String, String>) -> Vec<Body> {
    let objects = served.at(at).objects(&kind.name);
    let translated = objects.into_iter().map(|object| {
        let mut text = serde_json::to_string(&object).unwrap();
        for (theirs, ours) in ids {
            text = text.replace(theirs, ours);
        }
        let mut object: Body = serde_json::from_str(&text).unwrap();
        OWN.iter().for_each(|own| drop(object.shift_remove(*own)));
        object
    });
    translated.collect()
}

/// The ids of all objects of the second tenant, each with that of the same object in the first.
fn ids(served: &Served) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for kind in kinds() {
        let of = |at: usize| served.at(at).objects(&kind.name);
        for (ours, theirs) in of(0).iter().zip(&of(1)) {
            let id = |body: &Body| text(body, &kind.endpoint.id_field).to_owned();
            ids.insert(id(theirs), id(ours));
        }
    }
    ids
}

/// Asserts that the second tenant is as the first, but for what the recording told to be left out.
#[track_caller]
fn are_alike(served: &Served, ids: &BTreeMap<String, String>, told: &str) {
    let mut wrong = Vec::new();
    for kind in kinds() {
        let (ours, theirs) = (objects(served, 0, kind, &BTreeMap::new()), objects(served, 1, kind, ids));
        assert_eq!(ours.len(), theirs.len(), "{}", kind.name);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            for path in differing(kind, &unmoved(kind, ours), &unmoved(kind, theirs)) {
                let name = ours.get(&kind.endpoint.name_field).and_then(Value::as_str).unwrap_or_default();
                let lines = told.lines().filter(|line| line.contains(name));
                if !lines.into_iter().any(|line| line.contains(&path.to_string())) {
                    wrong.push(format!(
                        "{} {name}: {path}: {:?} and {:?}",
                        kind.name,
                        path.get(ours),
                        path.get(theirs)
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{told}", wrong.join("\n"));
}

#[test]
fn what_two_snapshots_of_every_kind_tell_arrives_in_a_tenant_with_other_ids() {
    let (served, case) = two();
    let ids = ids(&served);
    are_alike(&served, &ids, "");
    case.run(["get", "all", "-o", "before.json", "--tenant=dev"]).exits(0);
    let mut plan = Plan::of_everything(&served);
    // Of two names of one setting the service keeps both alike, which a value that is made up for one of them is not.
    plan.planned.retain(|planned| {
        !planned
            .step
            .iter()
            .any(|change| planned.kind.is_older_name(&FieldPath::root_field(change.path.root())))
    });
    std::fs::write(case.path("job.toml"), plan.job()).unwrap();
    case.run(["apply", "job.toml", "--yes", "--tenant=dev"]).exits(0);
    let told = case.run(["record", "--before=before.json", "--after=dev", "-o", "change.toml"]);
    told.exits(0);
    let done = case.run(["replay", "change.toml", "--tenant=prod", "--yes"]);
    done.exits(0);
    are_alike(&served, &ids, &format!("{told}"));
}
