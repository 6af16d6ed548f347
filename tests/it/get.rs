//! A file from `get`, edited, is a job: what was edited is written, and nothing else.

use serde_json::{Value, json};

use crate::common::{Case, Served};

fn edit(case: &Case, name: &str, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(&case.read(name)).unwrap();
    change(&mut value);
    std::fs::write(case.path(name), serde_json::to_string_pretty(&value).unwrap()).unwrap();
}

#[test]
fn five_edited_names_are_five_patches_and_other_peoples_edits_stay() {
    let served = Served::quick();
    let case = served.case();
    case.run(["get", "--all", "-o", "all.json"]).exits(0);
    let ids = served.ids(6);
    edit(&case, "all.json", |file| {
        for object in file.as_array_mut().unwrap() {
            if ids[..5].iter().any(|id| object["client_id"] == id.as_str()) {
                object["name"] = json!(format!("{} edited", object["name"].as_str().unwrap()));
            }
        }
    });
    // Meanwhile somebody else edits a sixth client, and another field of the first.
    served.tenant().edit(&ids[5], |client| drop(client.insert("name".into(), json!("Renamed elsewhere"))));
    served
        .tenant()
        .edit(&ids[0], |client| drop(client.insert("description".into(), json!("Described elsewhere"))));
    case.run(["apply", "all.json", "--yes"]).exits(0);
    let patches = served.counters().patches;
    assert_eq!(patches.len(), 5);
    for patch in patches {
        let body: Value = serde_json::from_slice(&patch.body).unwrap();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["name"]);
    }
    assert_eq!(served.client(&ids[5])["name"], "Renamed elsewhere");
    assert_eq!(served.client(&ids[0])["description"], "Described elsewhere");
    assert!(served.client(&ids[0])["name"].as_str().unwrap().ends_with(" edited"));
}

#[test]
fn an_unedited_file_sends_nothing_at_all() {
    let served = Served::quick();
    let case = served.case();
    case.run(["get", "--all", "-o", "all.json"]).exits(0);
    let before = served.counters().by_status.values().sum::<u64>();
    case.run(["plan", "all.json", "--detailed-exitcode"]).exits(0);
    assert_eq!(served.counters().by_status.values().sum::<u64>(), before);
}

#[test]
fn a_field_that_somebody_else_changed_to_something_else_is_a_conflict() {
    let served = Served::quick();
    let case = served.case();
    let id = served.id("Billing");
    case.run(["get", &id, "-o", "client.json"]).exits(0);
    edit(&case, "client.json", |client| client["name"] = json!("Billing EU"));
    served.tenant().edit(&id, |client| drop(client.insert("name".into(), json!("Billing US"))));
    case.run(["apply", "client.json", "--yes"]).exits(1);
    assert_eq!(case.result_words(), ["conflict"]);
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn the_tutorial_works_with_its_own_env_file() {
    let served = Served::quick();
    let tenant = served.tenant();
    let env = format!(
        "CLIENT_DOMAIN=\"{}\";\nCLIENT_ID=\"{}\";\nCLIENT_SECRET=\"{}\";\n",
        tenant.domain().base_url(),
        tenant.client_id(),
        tenant.client_secret().expose()
    );
    let case = Case::new().file(".env", env);
    let id = served.id("Billing");
    case.run(["get", &id, "-o", "client-data.json"]).exits(0);
    edit(&case, "client-data.json", |client| {
        client["name"] = json!("Billing EU");
        client["description"] = json!("Invoices for Europe");
        client["allowed_clients"] = json!([tenant.client_id()]);
    });
    case.run(["apply", "client-data.json", "--yes"]).exits(0);
    let client = served.client(&id);
    assert_eq!(
        (&client["name"], &client["description"]),
        (&json!("Billing EU"), &json!("Invoices for Europe"))
    );
    let own = case.run(["get", "--self"]);
    let own: Value = serde_json::from_str(&own.exits(0).stdout).unwrap();
    assert_eq!(own["client_id"], tenant.client_id());
}

#[test]
fn null_empties_a_missing_key_is_left_alone_and_read_only_fields_must_stay() {
    let served = Served::quick();
    let case = served.case();
    let id = served.id("Billing");
    served.tenant().edit(&id, |client| {
        client.insert("client_metadata".into(), json!({"owner": "web", "tier": "gold"}));
    });
    case.run(["get", &id, "-o", "client.json"]).exits(0);
    edit(&case, "client.json", |client| {
        client["client_metadata"] = json!({"owner": null});
        client.as_object_mut().unwrap().remove("callbacks");
    });
    let callbacks = served.client(&id)["callbacks"].clone();
    case.run(["apply", "client.json", "--yes"]).exits(0);
    assert_eq!(served.client(&id)["client_metadata"], json!({"tier": "gold"}));
    assert_eq!(served.client(&id)["callbacks"], callbacks);
    edit(&case, "client.json", |client| client["tenant"] = json!("other"));
    let done = case.run(["check", "client.json"]);
    assert!(done.exits(64).stderr.contains("tenant"), "{done}");
}

#[test]
fn without_what_get_kept_one_client_is_compared_with_the_live_one_and_several_are_refused() {
    let served = Served::quick();
    let case = served.case();
    let id = served.id("Billing");
    case.run(["get", &id, "-o", "client.json"]).exits(0);
    case.run(["get", "--all", "-o", "all.json"]).exits(0);
    std::fs::remove_dir_all(case.state().join("bases")).unwrap();
    edit(&case, "client.json", |client| client["name"] = json!("Billing EU"));
    let done = case.run(["apply", "client.json", "--yes"]);
    assert!(done.exits(0).stderr.contains("compared with the live state"), "{done}");
    let body: Value = serde_json::from_slice(&served.counters().patches[0].body).unwrap();
    assert_eq!(body, json!({"name": "Billing EU"}), "only what differs is sent");
    assert!(case.run(["plan", "all.json"]).exits(64).stderr.contains("--no-base"));
    case.run(["plan", "all.json", "--no-base", "--detailed-exitcode"]).exits(2);
}

#[test]
fn a_file_with_edits_is_not_overwritten() {
    let served = Served::quick();
    let case = served.case().file("client.json", "{}");
    let id = served.id("Billing");
    assert!(case.run(["get", &id, "-o", "client.json"]).exits(64).stderr.contains("--overwrite"));
    case.run(["get", &id, "-o", "client.json", "--overwrite"]).exits(0);
}

#[test]
fn a_field_edited_a_second_time_is_a_conflict_that_says_to_fetch_again() {
    let served = Served::quick();
    let case = served.case();
    let id = served.id("Billing");
    case.run(["get", &id, "-o", "client.json"]).exits(0);
    edit(&case, "client.json", |client| client["name"] = json!("Billing EU"));
    case.run(["apply", "client.json", "--yes"]).exits(0);
    case.run(["apply", "client.json", "--yes"]).exits(0);
    // The file still carries what was fetched first: what came since, also by ourselves, is not its to overwrite.
    edit(&case, "client.json", |client| client["name"] = json!("Billing US"));
    assert!(case.run(["apply", "client.json", "--yes"]).exits(1).stdout.contains("fetch it again"));
    assert_eq!(served.client(&id)["name"], "Billing EU");
}
