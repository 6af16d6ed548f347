//! What people did in the Dashboard is read out of the tenant's own log.

use patchwave::sandbox::{DashboardUser, Options};
use serde_json::{Value, json};

use super::recorded::body;
use super::{Tenants, host};
use crate::common::Done;

const ADA: (&str, &str) = ("Ada", "ada@acme.example");
const BEN: (&str, &str) = ("Ben", "ben@acme.example");

impl Tenants {
    /// Somebody sends this in the Dashboard of `dev`.
    fn by_hand(&self, (name, email): (&str, &str), client: &str, fields: &Value) {
        let user = DashboardUser { name: name.to_owned(), email: email.to_owned() };
        let id = self.id(0, client);
        self.served.at(0).patch_as(&user, &id, fields.as_object().unwrap()).unwrap();
    }

    /// A snapshot, and then a new second.
    fn seen(self) -> Self {
        self.case.run(["get", "--all", "--tenant=dev", "-o", "before.json"]).exits(0);
        self
    }

    fn log(&self, since: &str, more: &[&str]) -> Done {
        let since = format!("--since={since}");
        let args = [
            "record",
            "--from-log",
            &since,
            "--until=now",
            "--tenant=dev",
            "-o",
            "changes.toml",
            "--overwrite",
        ];
        self.case.run([args.as_slice(), more].concat())
    }
}

/// An instant after everything that was done so far by a command. The tenant's clock is a little behind, and the log is dated
/// to the millisecond.
pub(super) fn now() -> String {
    (jiff::Timestamp::now() - std::time::Duration::from_millis(2)).to_string()
}

/// Twenty-five clients are edited as the Dashboard does it: some twice, one back to its old value, fields that nobody
/// touched along with the others.
fn work(tenants: &Tenants) {
    for at in 0..25_usize {
        let name = format!("App {at:03}");
        let kind = if at.is_multiple_of(2) { "spa" } else { "regular_web" };
        let urls = json!(["https://dev.acme.example/app0/callback"]);
        let untouched = json!({"app_type": kind, "web_origins": ["https://dev.acme.example"]});
        let mut fields = json!({"description": format!("edited {at}")});
        fields.as_object_mut().unwrap().extend(untouched.as_object().unwrap().clone());
        match at {
            0 => {
                fields["callbacks"] =
                    json!(["https://dev.acme.example/app0/callback", "https://dev.acme.example/new"]);
            }
            1 => fields = json!({"description": "a try"}),
            2 => fields["client_metadata"] = json!({"slug": null, "team": "web"}),
            3 => fields["name"] = json!("Portal"),
            _ => (),
        }
        tenants.by_hand(ADA, &name, &fields);
        match at {
            0 => tenants.by_hand(BEN, &name, &json!({"description": "edited twice", "callbacks": [&urls[0], "https://dev.acme.example/newer"]})),
            1 => tenants.by_hand(ADA, &name, &json!({"description": "developer portal 1"})),
            _ => (),
        }
    }
}

#[test]
fn the_net_changes_of_the_log_arrive_in_other_tenants_and_nothing_else() {
    let tenants = Tenants::new(3, 200).seen();
    let mut watching =
        tenants.case.spawn(["record", "--watch", "--until=2s", "--tenant=dev", "-o", "watched.toml"]);
    watching.until_stderr("Make the changes now");
    let since = now();
    work(&tenants);
    watching.wait().exits(0);
    let done = tenants.log(&since, &[]);
    assert!(done.exits(0).stderr.contains("24 clients recorded"), "{done}");
    let changes = tenants.case.read("changes.toml");
    assert!(
        !changes.contains("App 001\"") && !changes.contains("app_type") && !changes.contains("web_origins"),
        "{changes}"
    );
    // The same as the difference of two snapshots.
    let files = tenants.case.run(["record", "--before=before.json", "--after=dev"]);
    assert_eq!(body(&changes), body(&files.exits(0).stdout));
    assert_eq!(body(&changes), body(&tenants.case.read("watched.toml")));
    let before: Vec<_> = (0..3).map(|at| tenants.state(at)).collect();
    let replay = ["replay", "changes.toml", "--tenant=staging", "--tenant=prod", "--yes"];
    tenants.case.run(replay).exits(0);
    for (at, name) in [(1, "staging"), (2, "prod")] {
        // What dev holds since, on this tenant's host.
        let dev = Value::Object(before[0].clone()).to_string().replace("dev.acme.example", &host(name));
        assert_eq!(Value::Object(tenants.state(at)), serde_json::from_str::<Value>(&dev).unwrap());
    }
    assert_eq!(tenants.patches()[1..], [24, 24]);
    // What the run did in staging is recorded as what was done in dev.
    let run = tenants.case.run(["record", "--run=latest", "--tenant=staging"]);
    assert_eq!(body(&changes), body(&run.exits(0).stdout));
    tenants.case.run(replay).exits(0);
    assert_eq!(tenants.case.result_words(), vec!["unchanged"; 48]);
}

#[test]
fn one_person_or_one_way_of_working_can_be_chosen() {
    let tenants = Tenants::new(1, 5).seen();
    let since = now();
    tenants.by_hand(ADA, "App 000", &json!({"description": "by Ada"}));
    tenants.by_hand(BEN, "App 001", &json!({"description": "by Ben"}));
    let job = "[[update]]\nmatch.name = \"App 002\"\nset.description = \"by a program\"\n";
    let tenants = Tenants { case: tenants.case.file("job.toml", job), ..tenants };
    tenants.case.run(["apply", "job.toml", "--tenant=dev", "--yes"]).exits(0);
    let names = |more: &[&str]| -> Vec<String> {
        tenants.log(&since, more).exits(0);
        let text = tenants.case.read("changes.toml");
        text.lines().filter_map(|line| line.strip_prefix("match.name = ")).map(str::to_owned).collect()
    };
    assert_eq!(names(&[]).len(), 3);
    assert_eq!(names(&["--by=ben@acme.example"]), ["\"App 001\""]);
    assert_eq!(names(&["--channel=dashboard"]), ["\"App 000\"", "\"App 001\""]);
    assert_eq!(names(&["--channel=api"]), ["\"App 002\""]);
    let done = tenants.log(&since, &["--by=ben@acme.exmple"]);
    assert!(done.exits(0).stderr.contains("did you mean ben@acme.example?"), "{done}");
}

#[test]
fn without_a_snapshot_that_is_old_enough_nothing_is_recorded_unless_that_is_said() {
    let tenants = Tenants::new(2, 3);
    let since = now();
    tenants.by_hand(ADA, "App 000", &json!({"description": "by hand", "app_type": "spa"}));
    let done = tenants.log(&since, &[]);
    assert!(done.exits(64).stderr.contains("--no-before"), "{done}");
    tenants.case.run(["get", "--all", "--tenant=dev", "-o", "late.json"]).exits(0);
    let done = tenants.log(&since, &["--before=late.json"]);
    assert!(done.exits(64).stderr.contains("late.json was fetched"), "{done}");
    let done = tenants.log(&since, &["--no-before"]);
    done.exits(0);
    let changes = tenants.case.read("changes.toml");
    assert!(
        changes.contains("unguarded = true\nset.app_type = \"spa\"\nset.description = \"by hand\"\n"),
        "{changes}"
    );
    tenants.case.run(["replay", "changes.toml", "--tenant=staging", "--yes"]).exits(4);
    tenants
        .case
        .run(["replay", "changes.toml", "--tenant=staging", "--yes", "--on-conflict=overwrite"])
        .exits(0);
    assert_eq!(tenants.client(1, "App 000")["description"], "by hand");
}

#[test]
fn a_write_that_the_log_does_not_tell_of_is_a_gap_and_nothing_is_recorded() {
    let tenants = Tenants::new(1, 3).seen();
    let since = now();
    tenants.edit(0, "App 000", &json!({"logo_uri": "https://nobody.example/logo.png"}));
    tenants.by_hand(ADA, "App 000", &json!({"description": "by hand"}));
    let done = tenants.log(&since, &[]);
    assert!(
        done.exits(4).stderr.contains("logo_uri was absent and is \"https://nobody.example/logo.png\""),
        "{done}"
    );
    assert!(!tenants.case.path("changes.toml").exists());
}

#[test]
fn a_token_that_may_not_read_the_log_is_told_which_scope_it_lacks() {
    let scopes = ["read:clients", "update:clients"].map(str::to_owned).to_vec();
    let tenants = Tenants::with(1, 3, Options { scopes, ..Options::default() }).seen();
    let done = tenants.log(&now(), &[]);
    assert!(done.exits(3).stderr.contains("read:logs"), "{done}");
}

#[test]
fn a_secret_that_was_changed_becomes_a_variable_that_every_target_must_have() {
    let tenants = Tenants::new(2, 3).seen();
    let since = now();
    tenants.by_hand(
        ADA,
        "App 000",
        &json!({"client_secret": "a-new-secret-of-dev-that-nobody-may-see-0123456789"}),
    );
    let done = tenants.log(&since, &[]);
    assert!(
        done.exits(0).stderr.contains("every target needs these variables: client_secret_of_app_000"),
        "{done}"
    );
    let changes = tenants.case.read("changes.toml");
    assert!(changes.contains("set.client_secret = \"{{ vars.client_secret_of_app_000 }}\""), "{changes}");
    assert!(!changes.contains("nobody-may-see") && !changes.contains("REDACTED"), "{changes}");
    tenants.case.run(["check", "changes.toml"]).exits(0);
    let replay = ["replay", "changes.toml", "--tenant=staging", "--yes"];
    let done = tenants.case.run(replay);
    assert!(done.exits(64).stderr.contains("there is no `vars.client_secret_of_app_000`"), "{done}");
    // Each target says where its own is kept.
    let place = "env = \"staging\", client_secret_of_app_000 = { env = \"SHOP_SECRET\" } }";
    let config = tenants.case.read("patchwave.toml").replace("env = \"staging\" }", place);
    let secret = "the-secret-of-staging-0123456789-0123456789-0123456789";
    let case = tenants.case.file("patchwave.toml", config).env("SHOP_SECRET", secret);
    let tenants = Tenants { case, ..tenants };
    let done = tenants.case.run(replay);
    assert!(!done.exits(0).shown().contains(secret), "{done}");
    assert_eq!(tenants.client(1, "App 000")["client_secret"], secret);
}

#[test]
fn the_id_of_a_client_that_is_younger_than_the_snapshot_stays_out_of_the_file() {
    let tenants = Tenants::new(1, 3).seen();
    let since = now();
    tenants.served.at(0).add(json!({"name": "Newcomer"}).as_object().unwrap().clone());
    let id = tenants.id(0, "Newcomer");
    tenants.by_hand(ADA, "App 000", &json!({"client_metadata": {"peer": id}}));
    tenants.log(&since, &[]).exits(0);
    let changes = tenants.case.read("changes.toml");
    assert!(!changes.contains(&id) && changes.contains("{{ vars.client_id_"), "{changes}");
}
