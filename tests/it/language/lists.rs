//! Lists: `add` and `remove` by item, and which of them have an order.

use serde_json::{Value, json};

use super::{World, check};

fn on_a(lines: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\n{lines}\n")
}

/// What is planned for a client whose `field` is this.
fn planned(field: &str, value: Value, lines: &str) -> String {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    client[field] = value;
    World::new(Value::Array(vec![client])).plan("job.toml", on_a(lines))
}

#[test]
fn add_appends_what_is_not_there_and_keeps_the_order() {
    let held = json!(["https://b.example", "https://a.example"]);
    assert_eq!(
        planned("callbacks", held, r#"add.callbacks = ["https://a.example", "https://c.example"]"#),
        r#"a callbacks ["https://b.example","https://a.example"] → ["https://b.example","https://a.example","https://c.example"]"#
    );
}

#[test]
fn add_of_what_is_there_changes_nothing() {
    let held = json!(["https://b.example", "https://a.example"]);
    assert_eq!(planned("callbacks", held, r#"add.callbacks = ["https://a.example"]"#), "a unchanged");
}

#[test]
fn add_to_a_list_that_is_absent_makes_it() {
    assert_eq!(
        planned("callbacks", Value::Null, r#"add.callbacks = ["https://a.example"]"#),
        r#"a callbacks absent → ["https://a.example"]"#
    );
}

#[test]
fn remove_takes_items_out_and_keeps_the_order() {
    let held = json!(["https://c.example", "https://b.example", "https://a.example"]);
    assert_eq!(
        planned("callbacks", held, r#"remove.callbacks = ["https://b.example"]"#),
        r#"a callbacks ["https://c.example","https://b.example","https://a.example"] → ["https://c.example","https://a.example"]"#
    );
}

#[test]
fn remove_of_what_is_not_there_changes_nothing() {
    for held in [json!(["https://a.example"]), json!([]), Value::Null] {
        let told = planned("callbacks", held.clone(), r#"remove.callbacks = ["https://z.example"]"#);
        assert_eq!(told, "a unchanged", "{held}");
    }
}

#[test]
fn remove_of_the_last_item_leaves_an_empty_list() {
    assert_eq!(
        planned("callbacks", json!(["https://a.example"]), r#"remove.callbacks = ["https://a.example"]"#),
        r#"a callbacks ["https://a.example"] → []"#
    );
}

#[test]
fn add_and_remove_go_together_in_one_update() {
    let lines = "add.callbacks = [\"https://c.example\"]\nremove.callbacks = [\"https://a.example\"]";
    assert_eq!(
        planned("callbacks", json!(["https://a.example", "https://b.example"]), lines),
        r#"a callbacks ["https://a.example","https://b.example"] → ["https://b.example","https://c.example"]"#
    );
}

#[test]
fn items_of_add_and_remove_are_literal() {
    let held = json!(["https://*.acme.example", "https://x.acme.example"]);
    assert_eq!(
        planned("web_origins", held, r#"remove.web_origins = ["https://*.acme.example"]"#),
        r#"a web_origins ["https://*.acme.example","https://x.acme.example"] → ["https://x.acme.example"]"#
    );
    let held = json!(["https://x.acme.example"]);
    assert_eq!(
        planned("web_origins", held, r#"add.web_origins = ["https://*.acme.example"]"#),
        r#"a web_origins ["https://x.acme.example"] → ["https://x.acme.example","https://*.acme.example"]"#
    );
}

#[test]
fn items_are_taken_out_by_a_pattern_with_an_expression() {
    let held = json!(["http://localhost:3000", "https://a.example", "http://localhost:4000"]);
    let lines = r#"set.callbacks = "{{ callbacks | reject('startingwith', 'http://localhost') | list }}""#;
    assert_eq!(
        planned("callbacks", held, lines),
        r#"a callbacks ["http://localhost:3000","https://a.example","http://localhost:4000"] → ["https://a.example"]"#
    );
}

#[test]
fn add_and_remove_are_for_lists_alone() {
    for lines in ["add.name = [\"x\"]", "remove.client_metadata.owner = [\"x\"]"] {
        let told = check("job.toml", on_a(lines));
        assert!(told.contains("job.toml:3:") && told.contains("list"), "{lines}: {told}");
    }
}

#[test]
fn set_of_a_list_in_which_only_membership_counts_ignores_its_order() {
    for (field, one, other) in [
        ("web_origins", "https://a.example", "https://b.example"),
        ("grant_types", "implicit", "refresh_token"),
        ("allowed_clients", "x1", "x2"),
    ] {
        let told = planned(field, json!([one, other]), &format!("set.{field} = [\"{other}\", \"{one}\"]"));
        assert_eq!(told, "a unchanged", "{field}");
    }
}

#[test]
fn set_of_a_list_whose_order_has_a_meaning_sees_its_order() {
    let held = json!(["https://a.example", "https://b.example"]);
    assert_eq!(
        planned("callbacks", held, r#"set.callbacks = ["https://b.example", "https://a.example"]"#),
        r#"a callbacks ["https://a.example","https://b.example"] → ["https://b.example","https://a.example"]"#
    );
}

#[test]
fn set_of_a_list_replaces_it() {
    let held = json!(["https://a.example", "https://b.example"]);
    assert_eq!(
        planned("web_origins", held, r#"set.web_origins = ["https://c.example"]"#),
        r#"a web_origins ["https://a.example","https://b.example"] → ["https://c.example"]"#
    );
}

#[test]
fn what_set_expects_of_a_list_is_the_whole_list() {
    let lines = "set.callbacks = [\"https://b.example\"]\nexpect.callbacks = [\"https://a.example\"]";
    let held = json!(["https://a.example"]);
    assert_eq!(
        planned("callbacks", held, lines),
        r#"a callbacks ["https://a.example"] → ["https://b.example"]"#
    );
    let held = json!(["https://a.example", "https://z.example"]);
    assert_eq!(planned("callbacks", held, lines), "a conflict expect");
}

#[test]
fn what_add_and_remove_expect_is_judged_by_item() {
    // guess: beside `add`, `expect` of the list speaks only of the items that are added; others may have come since.
    let lines = "add.callbacks = [\"https://b.example\"]\nexpect.callbacks = [\"https://a.example\"]";
    let held = json!(["https://a.example", "https://z.example"]);
    assert_eq!(
        planned("callbacks", held, lines),
        r#"a callbacks ["https://a.example","https://z.example"] → ["https://a.example","https://z.example","https://b.example"]"#
    );
    let lines = "remove.callbacks = [\"https://a.example\"]\nexpect.callbacks = [\"https://a.example\"]";
    let held = json!(["https://z.example", "https://a.example"]);
    assert_eq!(
        planned("callbacks", held, lines),
        r#"a callbacks ["https://z.example","https://a.example"] → ["https://z.example"]"#
    );
}
