//! Lists: by item where the run edited them by item, whole where it set them.

use serde_json::{Value, json};

use super::Ran;

const A: &str = "https://a.example";
const B: &str = "https://b.example";
const C: &str = "https://c.example";
const Z: &str = "https://by-hand.example";

fn after(before: &Value, lines: &str, edited: Option<&Value>, code: i32) -> Value {
    let ran = Ran::new(&json!({ "callbacks": before }), lines);
    if let Some(list) = edited {
        ran.edit(&json!({ "callbacks": list }));
    }
    ran.undo(&["--yes"]).exits(code);
    ran.client().remove("callbacks").unwrap_or_default()
}

#[test]
fn of_a_list_that_somebody_else_edited_only_the_runs_own_items_are_taken_back() {
    let lines = format!("add.callbacks = [\"{B}\"]\nremove.callbacks = [\"{A}\"]");
    assert_eq!(after(&json!([A, C]), &lines, Some(&json!([C, B, Z])), 0), json!([C, Z, A]));
}

#[test]
fn a_list_that_nobody_else_touched_has_its_order_again() {
    let lines = format!("add.callbacks = [\"{B}\"]\nremove.callbacks = [\"{A}\"]");
    assert_eq!(after(&json!([A, C]), &lines, None, 0), json!([A, C]));
}

#[test]
fn an_item_that_was_there_before_the_run_stays() {
    let lines = format!("add.callbacks = [\"{A}\", \"{B}\"]");
    assert_eq!(after(&json!([A]), &lines, Some(&json!([A, B, Z])), 0), json!([A, Z]));
}

#[test]
fn a_list_that_was_absent_is_empty_again() {
    assert_eq!(after(&Value::Null, &format!("add.callbacks = [\"{B}\"]"), None, 0), json!([]));
}

#[test]
fn an_item_that_somebody_took_out_since_is_no_conflict() {
    assert_eq!(after(&json!([A]), &format!("add.callbacks = [\"{B}\"]"), Some(&json!([A])), 0), json!([A]));
}

#[test]
fn a_list_that_the_run_set_as_a_whole_stays_where_somebody_edited_it() {
    let lines = format!("set.callbacks = [\"{B}\"]");
    assert_eq!(after(&json!([A]), &lines, Some(&json!([B, Z])), 1), json!([B, Z]));
    assert_eq!(after(&json!([A]), &lines, None, 0), json!([A]));
}

#[test]
fn a_list_of_which_only_membership_counts_may_have_been_put_in_another_order() {
    let ran = Ran::new(&json!({"web_origins": [A]}), &format!("set.web_origins = [\"{B}\", \"{C}\"]"));
    ran.edit(&json!({"web_origins": [C, B]}));
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["web_origins"], json!([A]));
}

#[test]
fn a_list_that_must_not_be_empty_is_absent_again() {
    let ran = Ran::new(
        &json!({"organization_discovery_methods": null}),
        "add.organization_discovery_methods = [\"email\"]",
    );
    ran.undo(&["--yes"]).exits(0);
    assert!(!ran.client().contains_key("organization_discovery_methods"));
}

#[test]
fn a_list_of_which_only_the_runs_own_item_is_left_and_that_must_not_be_empty_is_absent() {
    let ran = Ran::new(
        &json!({"organization_discovery_methods": ["email"]}),
        "add.organization_discovery_methods = [\"organization_name\"]",
    );
    ran.edit(&json!({"organization_discovery_methods": ["organization_name"]}));
    ran.undo(&["--yes"]).exits(0);
    assert!(!ran.client().contains_key("organization_discovery_methods"));
}
