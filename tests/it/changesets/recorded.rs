//! What is in a change set, by which way it is recorded.

use serde_json::json;

use super::{Tenants, host};

/// An edit of everything that a change set tells apart.
const JOB: &str = r#"
[[update]]
match.name = "App 000"
set.name = "Portal"
add.callbacks = ["https://{{ vars.host }}/new", "https://{{ tenant.domain }}/authorize"]
remove.web_origins = ["https://{{ vars.host }}"]
repeatable = false

[[update]]
match.name = "App 001"
set.description = "a developer of {{ vars.env }}, see https://{{ vars.host }}/docs for {{ client_id }}"
set.client_metadata.stage = "{{ vars.env }}"
set.client_metadata.note = "{% raw %}{{ not code }}{% endraw %} at {{ vars.host }}"
unset = ["client_metadata.slug"]

[[update]]
match.name = "App 002"
unset = ["description"]
set.initiate_login_uri = "https://{{ vars.host }}/login"
set.session_transfer.allow_refresh_token = true
"#;

/// The file without its header.
pub(super) fn body(text: &str) -> String {
    let (_, rest) = text.split_once("[recorded]").unwrap_or_else(|| panic!("{text}"));
    rest.split_once("\n\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

impl Tenants {
    /// The job is done in `dev`, between two snapshots.
    fn edited(self) -> Self {
        self.case.run(["get", "--all", "--tenant=dev", "-o", "before.json"]).exits(0);
        let tenants = Self { case: self.case.file("job.toml", JOB), ..self };
        tenants.case.run(["apply", "job.toml", "--tenant=dev", "--yes"]).exits(0);
        tenants.case.run(["get", "--all", "--tenant=dev", "-o", "after.json"]).exits(0);
        tenants
    }
}

#[test]
fn the_file_says_what_changed_and_nothing_of_the_source() {
    let tenants = Tenants::new(2, 6).edited();
    let done = tenants.case.run([
        "record",
        "--before",
        "before.json",
        "--after",
        "after.json",
        "-o",
        "changes.toml",
    ]);
    insta::assert_snapshot!(done.exits(0));
    let text = tenants.case.read("changes.toml");
    insta::assert_snapshot!(body(&text));
    let dev = tenants.served.at(0);
    for client in dev.state() {
        let id = client["client_id"].as_str().unwrap();
        assert!(!text.contains(id), "{id}: {text}");
    }
    for gone in [dev.domain().as_str(), dev.client_secret().expose(), &host("dev")] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    assert!(text.contains("a developer of dev, see"), "a short value inside a text stays: {text}");
    tenants.case.run(["check", "changes.toml"]).exits(0);
}

#[test]
fn two_files_a_file_and_the_tenant_and_the_run_record_the_same() {
    let tenants = Tenants::new(1, 6).edited();
    let run = |args: &[&str]| body(&tenants.case.run([&["record"], args].concat()).exits(0).stdout);
    let files = run(&["--before=before.json", "--after=after.json"]);
    assert_eq!(files.matches("[[update]]").count(), 3, "{files}");
    assert_eq!(run(&["--before=before.json", "--after=dev"]), files);
    assert_eq!(run(&["--run=latest"]), files);
    let left = std::fs::read_to_string(tenants.case.runs().pop().unwrap().join("changeset.toml")).unwrap();
    assert_eq!(body(&left), files);
}

#[test]
fn a_watch_records_what_happens_meanwhile() {
    let tenants = Tenants::new(1, 3);
    let mut running =
        tenants.case.spawn(["record", "--watch", "--until=2s", "--tenant=dev", "-o", "changes.toml"]);
    running.until_stderr("Make the changes now");
    tenants.edit(0, "App 001", &json!({"description": "seen"}));
    running.wait().exits(0);
    let text = body(&tenants.case.read("changes.toml"));
    insta::assert_snapshot!(text, @r#"
    [[update]]
    match.name = "App 001"
    set.description = "seen"
    expect.description = "developer portal 1"
    "#);
}

#[test]
fn what_cannot_be_recorded_is_said() {
    let tenants = Tenants::new(1, 4);
    tenants.case.run(["get", "--all", "--tenant=dev", "-o", "before.json"]).exits(0);
    tenants.served.at(0).remove(&tenants.id(0, "App 003"));
    tenants.served.at(0).add(json!({"name": "Newcomer"}).as_object().unwrap().clone());
    for (name, fields) in [("App 000", json!({"name": "Twin"})), ("App 001", json!({"name": "Twin"}))] {
        tenants.edit(0, name, &fields);
    }
    tenants.edit(0, "App 002", &json!({"description": "other", "brand_new_field": 7}));
    let done = tenants.case.run(["record", "--before=before.json", "--after=dev", "-o", "changes.toml"]);
    insta::assert_snapshot!(done.exits(0));
}

#[test]
fn with_a_key_of_the_metadata_clients_are_found_by_it_and_without_parameters_values_stay() {
    let tenants = Tenants::new(1, 3);
    tenants.case.run(["get", "--all", "--tenant=dev", "-o", "before.json"]).exits(0);
    tenants.edit(0, "App 001", &json!({"name": "Renamed", "logo_uri": "https://dev.acme.example/logo.png"}));
    let args = ["--before=before.json", "--after=dev", "--identity=client_metadata.slug", "--no-parametrize"];
    let done = tenants.case.run([&["record"], args.as_slice()].concat());
    insta::assert_snapshot!(done.exits(0).stdout.split_once("digest").unwrap().1.split_once("\n\n").unwrap().1, @r#"
    [[update]]
    match.client_metadata.slug = "app-1"
    set.logo_uri = "https://dev.acme.example/logo.png"
    set.name = "Renamed"
    expect.name = "App 001"
    expect_absent = ["logo_uri"]
    "#);
    assert!(done.stdout.contains("identity = \"client_metadata.slug\""), "{done}");
}

#[test]
fn flags_that_make_no_recording_are_refused() {
    let case = crate::common::Case::new();
    for args in [
        vec!["record"],
        vec!["record", "--before=a.json"],
        vec!["record", "--run=latest", "--watch"],
        vec!["record", "--from-log"],
        vec!["record", "--from-log", "--since=yesterday"],
        vec!["record", "--run=latest", "--since=2h"],
        vec!["record", "--before=a.json", "--after=b.json"],
        vec!["record", "--run=latest"],
    ] {
        case.run(args).exits(64);
    }
}

#[test]
fn what_a_file_of_some_fields_does_not_have_is_not_gone() {
    let tenants = Tenants::new(1, 3).edited();
    tenants
        .case
        .run(["get", "--all", "--tenant=dev", "--fields=name,description", "-o", "part.json"])
        .exits(0);
    let run = |after: &str| {
        let after = format!("--after={after}");
        body(&tenants.case.run(["record", "--before=before.json", &after]).exits(0).stdout)
    };
    assert_eq!(run("part.json"), run("after.json"));
}

#[test]
fn a_client_that_is_renamed_or_gone_leaves_those_that_name_it_as_they_were() {
    let (gone, renamed) = ("A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8", "Q1w2E3r4T5y6U7i8Q1w2E3r4T5y6U7i8");
    let shop = |description: &str| {
        json!({
            "client_id": "Z1x2C3v4B5n6M7k8Z1x2C3v4B5n6M7k8", "name": "Shop", "description": description,
            "client_metadata": {"of": renamed, "peer": gone},
        })
    };
    let before = json!([
        shop("x"), {"client_id": gone, "name": "Gone API"}, {"client_id": renamed, "name": "Billing"}
    ]);
    let after = json!([shop("y"), {"client_id": renamed, "name": "Billing EU"}]);
    let tenants = Tenants::new(1, 1);
    let case = tenants.case.file("a.json", before.to_string()).file("b.json", after.to_string());
    let text = case.run(["record", "--before=a.json", "--after=b.json"]).exits(0).stdout.clone();
    let billing =
        "[[update]]\nmatch.name = \"Billing\"\nset.name = \"Billing EU\"\nexpect.name = \"Billing\"\n";
    let shop = "[[update]]\nmatch.name = \"Shop\"\nset.description = \"y\"\nexpect.description = \"x\"\n";
    assert_eq!(body(&text).trim(), format!("{billing}\n{shop}").trim());
}
