//! What others do to an object between the plan and the write, or between a run and its undo, is theirs: of lists whose items
//! have attributes, and of objects of which a version goes live.

use patchwave::model::Body;
use patchwave::sandbox::{DashboardUser, Options};
use serde_json::{Value, json};

use crate::common::{Case, Served};

fn tenant() -> Served {
    Served::with(Options { clients: 2, tier: "unlimited".parse().unwrap(), ..Options::default() })
}

fn fields(value: &Value) -> Body {
    value.as_object().unwrap().clone()
}

/// An organization with one connection enabled, of which these are the attributes.
struct Organization {
    served: Served,
    case: Case,
    id: String,
    connection: String,
}

impl Organization {
    fn new(sign_up: bool, button: bool) -> Self {
        let served = tenant();
        let organization = served.tenant().objects("organizations").remove(0);
        let id = organization["id"].as_str().unwrap().to_owned();
        let connection = served.tenant().objects("connections").remove(0)["id"].as_str().unwrap().to_owned();
        let case = served.case();
        let this = Self { served, case, id, connection };
        this.stands_at(sign_up, button);
        this
    }

    fn item(&self, sign_up: bool, button: bool) -> Value {
        json!({
            "connection_id": self.connection, "assign_membership_on_login": false,
            "is_signup_enabled": sign_up, "show_as_button": button,
        })
    }

    /// Somebody sets the attributes.
    fn stands_at(&self, sign_up: bool, button: bool) {
        let items = json!([self.item(sign_up, button)]);
        let tenant = self.served.tenant();
        assert!(tenant.edit_object("organizations", &self.id, |object| {
            object.insert("connections".into(), items);
        }));
    }

    fn nothing_stands(&self) {
        assert!(self.served.tenant().edit_object("organizations", &self.id, |object| {
            object.insert("connections".into(), json!([]));
        }));
    }

    fn now(&self) -> Value {
        self.served.tenant().object("organizations", &self.id).unwrap()["connections"].clone()
    }

    /// A job that asks this of the list; `CON` is the connection.
    fn job(&self, line: &str) {
        let line = line.replace("CON", &format!("connection_id = \"{}\"", self.connection));
        let job = format!("[[update]]\nkind = \"organizations\"\nid = \"{}\"\n{line}\n", self.id);
        std::fs::write(self.case.path("job.toml"), job).unwrap();
    }

    fn planned(&self, line: &str) {
        self.job(line);
        self.case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    }
}

#[test]
fn an_item_goes_by_its_keys_though_somebody_changed_its_attributes_since_the_plan() {
    let organization = Organization::new(false, true);
    organization.planned("remove.connections = [{ CON }]");
    organization.stands_at(true, true);
    organization.case.run(["apply", "plan.jsonl", "--yes"]).exits(0);
    assert_eq!(organization.now(), json!([]));
}

#[test]
fn of_an_item_that_is_there_only_the_attributes_that_are_named_change() {
    let organization = Organization::new(false, true);
    organization.planned("add.connections = [{ CON, show_as_button = false }]");
    organization.stands_at(true, true);
    organization.case.run(["apply", "plan.jsonl", "--yes"]).exits(0);
    assert_eq!(organization.now(), json!([organization.item(true, false)]));
    organization.case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
}

#[test]
fn an_undo_takes_the_runs_item_out_though_somebody_changed_it_since() {
    let organization = Organization::new(false, true);
    organization.nothing_stands();
    organization.job("add.connections = [{ CON }]");
    organization.case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(organization.now(), json!([organization.item(false, true)]));
    organization.stands_at(true, true);
    undo(&organization.case).exits(0);
    assert_eq!(organization.now(), json!([]));
}

#[test]
fn an_undo_leaves_attributes_that_somebody_else_changed_since() {
    let organization = Organization::new(false, true);
    organization.job("add.connections = [{ CON, show_as_button = false }]");
    organization.case.run(["apply", "job.toml", "--yes"]).exits(0);
    organization.stands_at(true, false);
    undo(&organization.case).exits(0);
    assert_eq!(organization.now(), json!([organization.item(true, true)]));
}

fn undo(case: &Case) -> crate::common::Done {
    let run = case.runs().remove(0).file_name().unwrap().to_string_lossy().into_owned();
    case.run(["undo", &run, "--yes"])
}

#[test]
fn what_is_recorded_of_an_item_are_the_attributes_that_changed() {
    let organization = Organization::new(false, true);
    organization.case.run(["get", "organizations", "-o", "before.json"]).exits(0);
    organization.case.run(["get", "organizations", "-o", "after.json"]).exits(0);
    let after = organization.case.read("after.json");
    let mut objects: Vec<Value> = serde_json::from_str(&after).unwrap();
    let object = objects.iter_mut().find(|object| object["id"] == organization.id.as_str()).unwrap();
    object["connections"] = json!([organization.item(true, true)]);
    std::fs::write(organization.case.path("after.json"), serde_json::to_string(&objects).unwrap()).unwrap();
    let done = organization.case.run([
        "record",
        "--before=before.json",
        "--after=after.json",
        "--kind=organizations",
    ]);
    done.exits(0);
    assert!(done.stdout.contains("is_signup_enabled = true"), "{done}");
    assert!(!done.stdout.contains("show_as_button"), "{done}");
}

#[test]
fn an_item_that_is_named_twice_in_a_list_is_refused() {
    let organization = Organization::new(false, true);
    organization
        .job("set.connections = [{ CON, show_as_button = false }, { CON, is_signup_enabled = true }]");
    let done = organization.case.run(["plan", "job.toml"]);
    assert_eq!(done.code, Some(64), "{done}");
    assert!(done.stderr.contains("twice"), "{done}");
    organization.job("add.connections = [{ CON, show_as_button = false }]\nremove.connections = [{ CON }]");
    organization.case.run(["plan", "job.toml"]).exits(64);
}

/// Two actions that are live, and a job that changes both, one after the other.
fn actions() -> (Served, Case, [String; 2]) {
    let served = tenant();
    let live = served
        .tenant()
        .objects("actions")
        .into_iter()
        .map(|action| action["id"].as_str().unwrap().to_owned());
    let ids: [String; 2] = live.take(2).collect::<Vec<_>>().try_into().unwrap();
    for id in &ids {
        assert!(served.tenant().edit_object("actions", id, |action| {
            action.insert("all_changes_deployed".into(), true.into());
        }));
    }
    let update =
        |id: &String| format!("[[update]]\nkind = \"actions\"\nid = \"{id}\"\nset.runtime = \"node18\"\n\n");
    let case = served.case().file("job.toml", ids.iter().map(update).collect::<String>());
    (served, case, ids)
}

fn begins_a_draft(served: &Served, id: &str) {
    let ada = DashboardUser { name: "Ada".into(), email: "ada@acme.example".into() };
    let draft = fields(&json!({"code": "// half a thought"}));
    served.tenant().patch_object_as(&ada, "actions", id, &draft).unwrap();
}

#[test]
fn a_draft_that_somebody_began_since_the_plan_stays_a_draft() {
    let (served, case, [id, _]) = actions();
    case.run(["plan", "job.toml", "--out=plan.jsonl"]).exits(0);
    begins_a_draft(&served, &id);
    case.run(["apply", "plan.jsonl", "--yes"]).exits(0);
    let action = served.tenant().object("actions", &id).unwrap();
    assert_eq!((&action["runtime"], &action["all_changes_deployed"]), (&json!("node18"), &json!(false)));
}

#[test]
fn an_action_of_which_somebody_began_a_draft_during_the_run_is_left_alone() {
    let (served, case, [_, id]) = actions();
    let mut running = case.spawn(["apply", "job.toml", "--yes", "--waves=1,rest", "--pause=2s"]);
    running.until_stderr("pausing");
    begins_a_draft(&served, &id);
    let before = served.tenant().object("actions", &id).unwrap();
    let done = running.wait();
    assert_eq!(done.code, Some(1), "{done}");
    assert_eq!(case.result_words(), ["updated", "conflict"], "{done}");
    assert_eq!(served.tenant().object("actions", &id).unwrap(), before);
}

#[test]
fn a_list_that_was_set_by_the_older_way_is_read_from_the_log() {
    let served = tenant();
    let case = served.case();
    let connection = served.tenant().objects("connections").remove(0);
    let id = connection["id"].as_str().unwrap();
    case.run(["get", "connections", "-o", "before.json"]).exits(0);
    let since = (jiff::Timestamp::now() - std::time::Duration::from_millis(2)).to_string();
    let ada = DashboardUser { name: "Ada".into(), email: "ada@acme.example".into() };
    let own = served.tenant().client_id().to_owned();
    let patch = fields(&json!({"enabled_clients": [own], "show_as_button": true}));
    served.tenant().patch_object_as(&ada, "connections", id, &patch).unwrap();
    let since = format!("--since={since}");
    let done = case.run([
        "record",
        "--from-log",
        &since,
        "--until=now",
        "--kind=connections",
        "--before=before.json",
    ]);
    done.exits(0);
    assert!(done.stdout.contains("enabled_clients"), "{done}");
}
