//! TOML that `get` wrote: `set` beside `expect`, and a job again.

use serde_json::json;
use toml::{Table, Value};

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "Billing", "tenant": "acme", "description": "{{ name }} {% x %} {# y #}",
            "callbacks": ["https://a.example"], "client_metadata": {"owner": "web", "a.b": "dots"},
            "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0}},
        {"client_id": "b", "name": "Shop", "sso": true},
    ]))
}

fn read(world: &World) -> Table {
    toml::from_str(&world.get("toml")).unwrap()
}

/// What `get` wrote, with the first client's `set` edited.
fn edited(world: &World, edit: impl FnOnce(&mut Value)) -> String {
    let mut file = read(world);
    edit(&mut file["update"][0]["set"]);
    toml::to_string(&file).unwrap()
}

#[test]
fn each_client_is_an_update_with_expect_beside_set() {
    let file = read(&world());
    assert_eq!(file["update"].as_array().unwrap().len(), 2);
    let update = &file["update"][0];
    assert_eq!(update["client_id"].as_str(), Some("a"));
    for part in ["set", "expect"] {
        assert_eq!(update[part]["name"].as_str(), Some("Billing"), "{file}");
        assert_eq!(update[part]["client_metadata"]["owner"].as_str(), Some("web"), "{file}");
        assert_eq!(update[part]["refresh_token"]["leeway"].as_integer(), Some(0), "{file}");
        assert!(update[part].get("tenant").is_none(), "{file}");
    }
}

#[test]
fn an_unedited_file_changes_nothing() {
    let world = world();
    let file = world.get("toml");
    assert_eq!(world.plan("all.toml", &file), "a unchanged\nb unchanged");
}

#[test]
fn what_was_edited_is_a_change() {
    let world = world();
    let file = edited(&world, |set| set["name"] = "Billing EU".into());
    assert_eq!(world.plan("all.toml", &file), "a name \"Billing\" → \"Billing EU\"\nb unchanged");
}

#[test]
fn what_was_edited_here_and_elsewhere_is_a_conflict() {
    let world = world();
    let file = edited(&world, |set| set["name"] = "Billing EU".into());
    let world = world.elsewhere("a", json!({"name": "Billing US"}));
    assert_eq!(world.plan("all.toml", &file), "a conflict expect\nb unchanged");
}

#[test]
fn what_was_not_edited_is_left_alone_whatever_the_tenant_has_now() {
    // guess: `set` and `expect` of the same value mean file = base, and not a conflict with what the tenant has now.
    let world = world();
    let file = edited(&world, |set| set["callbacks"] = vec!["https://b.example"].into());
    let world = world.elsewhere("a", json!({"name": "Renamed"})).elsewhere("b", json!({"sso": false}));
    assert_eq!(
        world.plan("all.toml", &file),
        "a callbacks [\"https://a.example\"] → [\"https://b.example\"]\nb unchanged"
    );
}

#[test]
fn a_line_that_was_taken_out_leaves_its_field_alone() {
    let world = world();
    let file = edited(&world, |set| {
        set.as_table_mut().unwrap().remove("callbacks");
        set["client_metadata"].as_table_mut().unwrap().remove("owner");
    });
    assert_eq!(world.plan("all.toml", &file), "a unchanged\nb unchanged");
}

#[test]
fn a_file_without_clients_is_a_job_that_asks_for_nothing() {
    let world = World::new(json!([]));
    for form in ["json", "jsonl", "csv", "toml"] {
        let file = world.get(form);
        let told = world.plan(&format!("all.{form}"), &file);
        assert!(!told.contains("exit 64"), "{form}: {told}\n{file}");
    }
}
