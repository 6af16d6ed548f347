//! JSON that `get` wrote, edited: three ways with what was fetched.

use serde_json::{Value, json};

use super::{World, check};

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "Billing", "tenant": "acme", "global": false, "quite_new": {"x": 1},
            "description": "For bills", "callbacks": ["https://a.example"],
            "client_metadata": {"owner": "web", "tier": "gold"}, "web_origins": ["https://a.example", "https://b.example"]},
        {"client_id": "b", "name": "Shop", "tenant": "acme", "global": false},
    ]))
}

/// What `get` wrote, with the first client edited.
fn edited(world: &World, edit: impl FnOnce(&mut Value)) -> String {
    let mut file: Value = serde_json::from_str(&world.get("json")).unwrap();
    edit(&mut file[0]);
    file.to_string()
}

#[test]
fn each_object_carries_its_own_base() {
    let file: Value = serde_json::from_str(&world().get("json")).unwrap();
    let objects = file.as_array().unwrap();
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|object| object["_base"].is_string()), "{file}");
}

#[test]
fn an_unedited_file_changes_nothing() {
    let world = world();
    let file = world.get("json");
    assert_eq!(world.plan("all.json", &file), "a unchanged\nb unchanged");
}

#[test]
fn what_was_edited_is_a_change() {
    let world = world();
    let file = edited(&world, |client| client["name"] = json!("Billing EU"));
    assert_eq!(world.plan("all.json", &file), "a name \"Billing\" → \"Billing EU\"\nb unchanged");
    assert_eq!(world.sent("all.json", &file), [("a".to_owned(), json!({"name": "Billing EU"}))]);
}

#[test]
fn what_was_not_edited_is_left_alone_whatever_the_tenant_has_now() {
    let world = world();
    let file = edited(&world, |client| client["description"] = json!("Invoices"));
    let world = world
        .elsewhere("a", json!({"name": "Renamed", "callbacks": ["https://z.example"]}))
        .elsewhere("b", json!({"name": "Renamed too"}));
    let told = world.plan("all.json", &file);
    assert_eq!(told, "a description \"For bills\" → \"Invoices\"\nb unchanged");
}

#[test]
fn what_was_edited_here_and_elsewhere_is_a_conflict() {
    let world = world();
    let file = edited(&world, |client| client["name"] = json!("Billing EU"));
    let world = world.elsewhere("a", json!({"name": "Billing US"}));
    assert_eq!(world.plan("all.json", &file), "a conflict expect\nb unchanged");
}

#[test]
fn what_was_edited_to_the_same_here_and_elsewhere_is_unchanged() {
    let world = world();
    let file = edited(&world, |client| client["name"] = json!("Billing EU"));
    let world = world.elsewhere("a", json!({"name": "Billing EU"}));
    assert_eq!(world.plan("all.json", &file), "a unchanged\nb unchanged");
}

#[test]
fn a_list_that_was_edited_here_and_elsewhere_is_a_conflict_as_a_whole() {
    let world = world();
    let file =
        edited(&world, |client| client["callbacks"] = json!(["https://a.example", "https://b.example"]));
    let world = world.elsewhere("a", json!({"callbacks": ["https://a.example", "https://c.example"]}));
    assert_eq!(world.plan("all.json", &file), "a conflict expect\nb unchanged");
}

#[test]
fn a_missing_key_is_left_alone_at_every_depth() {
    let world = world();
    let file = edited(&world, |client| {
        client.as_object_mut().unwrap().remove("callbacks");
        client["client_metadata"] = json!({"tier": "gold"});
    });
    assert_eq!(world.plan("all.json", &file), "a unchanged\nb unchanged");
}

#[test]
fn a_missing_client_is_left_alone() {
    let world = world();
    let mut file: Value = serde_json::from_str(&world.get("json")).unwrap();
    file.as_array_mut().unwrap().remove(0);
    assert_eq!(world.plan("all.json", file.to_string()), "b unchanged");
}

#[test]
fn null_unsets_at_every_depth() {
    let world = world();
    let file = edited(&world, |client| {
        client["description"] = Value::Null;
        client["client_metadata"]["owner"] = Value::Null;
    });
    let body = json!({"description": "", "client_metadata": {"owner": null}});
    assert_eq!(world.sent("all.json", &file), [("a".to_owned(), body)]);
}

#[test]
fn null_where_nothing_was_is_no_change() {
    let world = world();
    let file = edited(&world, |client| client["initiate_login_uri"] = Value::Null);
    assert_eq!(world.plan("all.json", &file), "a unchanged\nb unchanged");
}

#[test]
fn the_order_of_a_list_in_which_only_membership_counts_is_no_edit() {
    let world = world();
    let file = edited(&world, |client| {
        client["web_origins"] = json!(["https://b.example", "https://a.example"]);
    });
    assert_eq!(world.plan("all.json", &file), "a unchanged\nb unchanged");
}

#[test]
fn a_read_only_or_unknown_field_that_was_edited_is_an_error() {
    for field in ["tenant", "global", "quite_new"] {
        let world = world();
        let file = edited(&world, |client| client[field] = json!("other"));
        let told = world.plan("all.json", &file);
        assert!(told.starts_with("exit 64: ") && told.contains(field), "{field}: {told}");
    }
}

#[test]
fn a_read_only_or_unknown_field_beside_an_edit_is_not_sent() {
    let world = world();
    let file = edited(&world, |client| client["name"] = json!("Billing EU"));
    assert_eq!(world.sent("all.json", &file), [("a".to_owned(), json!({"name": "Billing EU"}))]);
}

#[test]
fn one_client_without_its_base_is_compared_with_the_live_client_and_the_plan_says_so() {
    let told = world()
        .plan("client.json", r#"{"client_id": "a", "name": "Billing EU", "description": "For bills"}"#);
    assert!(told.starts_with("warning: ") && told.contains("live"), "{told}");
    assert!(told.ends_with("\na name \"Billing\" → \"Billing EU\""), "{told}");
}

#[test]
fn several_clients_without_their_base_need_no_base() {
    let file = r#"[{"client_id": "a", "name": "Billing EU"}, {"client_id": "b", "name": "Shop"}]"#;
    assert!(check("all.json", file).contains("--no-base"));
    let told = world().plan("all.json", file);
    assert!(told.starts_with("exit 64: ") && told.contains("--no-base"), "{told}");
    let told = world().no_base().plan("all.json", file);
    assert!(told.starts_with("warning: ") && told.contains("live"), "{told}");
    assert!(told.ends_with("\na name \"Billing\" → \"Billing EU\"\nb unchanged"), "{told}");
}

#[test]
fn without_a_base_a_read_only_field_may_be_there_as_the_tenant_has_it() {
    let told = world().plan("client.json", r#"{"client_id": "a", "name": "Billing EU", "global": false}"#);
    assert!(told.ends_with("\na name \"Billing\" → \"Billing EU\""), "{told}");
    let told = world().plan("client.json", r#"{"client_id": "a", "name": "Billing EU", "tenant": "other"}"#);
    assert!(told.contains("exit 64: ") && told.contains("tenant"), "{told}");
}

#[test]
fn a_file_of_json_lines_holds_one_object_a_line() {
    let world = world();
    let file = world.get("jsonl");
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 2, "{file}");
    let mut first: Value = serde_json::from_str(lines[0]).unwrap();
    assert!(first["_base"].is_string(), "{file}");
    assert_eq!(world.plan("all.jsonl", &file), "a unchanged\nb unchanged");
    first["name"] = json!("Billing EU");
    let told = world.plan("all.jsonl", format!("{first}\n{}\n", lines[1]));
    assert_eq!(told, "a name \"Billing\" → \"Billing EU\"\nb unchanged");
}
