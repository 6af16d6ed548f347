//! Secrets in files that `get` wrote: left out, or a marker that means unchanged.

use serde_json::{Value, json};

use super::World;

fn world() -> World {
    World::new(json!([{"client_id": "a", "name": "Billing", "client_secret": "s3cret-root",
        "addons": {"firebase": {"secret": "s3cret-inside", "client_email": "a@b.example"}}}]))
}

#[test]
fn get_leaves_secrets_out_in_every_format() {
    for format in ["json", "jsonl", "csv", "toml"] {
        let file = world().get(format);
        assert!(!file.contains("s3cret") && !file.contains("client_secret"), "{format}: {file}");
    }
}

#[test]
fn a_marker_stands_for_a_secret_inside_an_object_that_is_sent_whole() {
    let file: Value = serde_json::from_str(&world().get("json")).unwrap();
    let firebase = &file[0]["addons"]["firebase"];
    assert!(firebase["secret"].is_string() && firebase["client_email"] == "a@b.example", "{file}");
}

#[test]
fn a_marker_that_comes_back_means_unchanged() {
    for (name, format) in
        [("all.json", "json"), ("all.jsonl", "jsonl"), ("all.csv", "csv"), ("all.toml", "toml")]
    {
        let world = world();
        let file = world.get(format);
        assert_eq!(world.plan(name, &file), "a unchanged", "{format}: {file}");
    }
}

#[test]
fn what_stands_beside_a_marker_can_be_edited() {
    for (name, format) in [("all.json", "json"), ("all.jsonl", "jsonl"), ("all.csv", "csv")] {
        let world = world();
        let file = world.get(format).replace("a@b.example", "c@d.example");
        let told = world.plan(name, &file);
        assert_eq!(
            told, r#"a addons.firebase.client_email "a@b.example" → "c@d.example""#,
            "{format}: {file}"
        );
    }
}

#[test]
fn another_text_in_place_of_a_marker_is_an_error() {
    let world = world();
    let mut file: Value = serde_json::from_str(&world.get("json")).unwrap();
    file[0]["addons"]["firebase"]["secret"] = json!("new-s3cret");
    let told = world.plan("all.json", file.to_string());
    assert!(told.starts_with("exit 64: ") && told.contains("secret"), "{told}");
    assert!(!told.contains("new-s3cret"), "{told}");
}

#[test]
fn a_plan_that_takes_a_secret_away_warns_that_no_undo_brings_it_back() {
    for lines in ["unset = [\"addons\"]", "unset = [\"addons.firebase\"]"] {
        let told = world().plan("job.toml", format!("[[update]]\nclient_id = \"a\"\n{lines}\n"));
        assert!(
            told.contains("warning: ") && told.contains("loses a secret that no undo can bring back"),
            "{told}"
        );
    }
    let told = world().plan(
        "job.toml",
        "[[update]]\nclient_id = \"a\"\nset.addons.firebase.client_email = \"c@d.example\"\n",
    );
    assert!(!told.contains("warning"), "{told}");
}

#[test]
fn a_body_as_the_api_shows_it_is_a_job_but_for_the_secret_itself() {
    let mut client = json!({"client_id": "a", "name": "Billing", "description": "old",
        "signing_keys": [{"cert": "c", "subject": "s"}], "jwt_configuration": {"alg": "RS256", "secret_encoded": false}});
    let world = World::new(json!([client]));
    client["description"] = json!("new");
    let told = world.plan("one.json", client.to_string());
    assert!(told.ends_with("a description \"old\" → \"new\""), "{told}");
    client["client_secret"] = json!("s3cret");
    let told = world.plan("one.json", client.to_string());
    assert!(
        told.starts_with("exit 64: ")
            && told.contains("client_secret is a secret, and a job never holds one"),
        "{told}"
    );
    assert!(!told.contains("s3cret"), "{told}");
}
