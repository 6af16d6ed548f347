//! CSV that `get` wrote: safe to open in a spreadsheet, and a job again.

use serde_json::{Value, json};

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "Billing", "tenant": "acme", "callbacks": ["https://a.example", "https://b.example"],
            "client_metadata": {"owner": "web"}, "sso": true},
        {"client_id": "b", "name": "Shop", "tenant": "acme", "description": "Old text", "sso": false},
    ]))
}

fn one(name: &str) -> World {
    World::new(json!([{"client_id": "a", "name": name}]))
}

#[test]
fn the_columns_are_the_id_the_name_the_leaves_and_the_base() {
    let file = world().get("csv");
    let header = file.lines().next().unwrap();
    assert_eq!(header, "client_id,name,callbacks,client_metadata.owner,sso,description,_base");
}

#[test]
fn the_read_only_tenant_is_left_out() {
    let file = world().get("csv");
    assert!(!file.contains("tenant") && !file.contains("acme"), "{file}");
}

#[test]
fn a_list_of_texts_is_written_with_bars_and_what_is_absent_as_an_empty_cell() {
    let file = world().get("csv");
    let rows: Vec<&str> = file.lines().collect();
    assert!(rows[1].starts_with("a,Billing,https://a.example|https://b.example,web,true,,"), "{file}");
    assert!(rows[2].starts_with("b,Shop,,,false,Old text,"), "{file}");
}

#[test]
fn an_unedited_file_changes_nothing() {
    let world = world();
    let file = world.get("csv");
    assert_eq!(world.plan("all.csv", &file), "a unchanged\nb unchanged");
    let world = world.elsewhere("a", json!({"name": "Renamed", "client_metadata": {"owner": "x"}}));
    assert_eq!(world.plan("all.csv", &file), "a unchanged\nb unchanged");
}

#[test]
fn an_edited_cell_is_a_change_with_what_was_fetched_as_its_before() {
    let world = world();
    let file = world.get("csv").replace("Old text", "New text");
    assert_eq!(world.plan("all.csv", &file), "b description \"Old text\" → \"New text\"\na unchanged");
    let world = world.elsewhere("b", json!({"name": "Renamed"}));
    assert_eq!(world.plan("all.csv", &file), "b description \"Old text\" → \"New text\"\na unchanged");
    let world = world.elsewhere("b", json!({"description": "Other text"}));
    assert_eq!(world.plan("all.csv", &file), "a unchanged\nb conflict expect");
}

#[test]
fn an_emptied_cell_leaves_the_field_alone_and_an_at_null_cell_unsets_it() {
    let world = world();
    let file = world.get("csv").replace("Old text", "");
    assert_eq!(world.plan("all.csv", &file), "a unchanged\nb unchanged");
    let file = world.get("csv").replace(",web,", ",@null,");
    assert_eq!(world.plan("all.csv", &file), "a client_metadata.owner \"web\" → absent\nb unchanged");
}

#[test]
fn a_filled_cell_that_was_empty_is_a_change() {
    let world = world();
    let file = world.get("csv").replace("b,Shop,,", "b,Shop,https://s.example,");
    let told = world.plan("all.csv", &file);
    assert_eq!(told, "b callbacks absent → [\"https://s.example\"]\na unchanged");
}

#[test]
fn a_spreadsheet_may_write_booleans_in_its_own_case() {
    let world = world();
    let file = world.get("csv").replace("true", "TRUE").replace("false", "FALSE");
    assert_eq!(world.plan("all.csv", &file), "a unchanged\nb unchanged");
}

#[test]
fn an_apostrophe_goes_before_what_a_spreadsheet_would_take_for_a_formula() {
    for start in ["=", "+", "-", "@", "\t", "\r"] {
        let file = one(&format!("{start}SUM(A1)")).get("csv");
        assert!(file.contains(&format!("'{start}")), "{start:?}: {file}");
    }
    assert!(!one("a=b").get("csv").contains('\''));
}

#[test]
fn the_apostrophe_that_get_wrote_is_dropped_again() {
    for name in ["=SUM(A1)", "+49", "-x", "@acme", "@null", "\tx", "\rx"] {
        let world = one(name);
        let file = world.get("csv");
        assert_eq!(world.plan("all.csv", &file), "a unchanged", "{name:?}: {file}");
    }
}

#[test]
fn an_apostrophe_is_dropped_only_before_such_a_character() {
    let world = one("Billing");
    for (cell, name) in [("'=SUM(A1)", "=SUM(A1)"), ("'-x", "-x"), ("'til", "'til")] {
        let file = world.get("csv").replace("Billing", cell);
        let told = world.plan("all.csv", &file);
        assert_eq!(told, format!("a name \"Billing\" → {}", Value::from(name)), "{file}");
    }
}

#[test]
fn a_text_that_begins_with_an_apostrophe_itself_comes_back_as_it_is() {
    // guess: the contract does not say how `'=x` is written; whatever it is, an unedited file changes nothing.
    for name in ["'til", "'=SUM(A1)", "''=SUM(A1)", "'", "''"] {
        let world = one(name);
        let file = world.get("csv");
        assert_eq!(world.plan("all.csv", &file), "a unchanged", "{name:?}: {file}");
    }
}

#[test]
fn every_text_comes_back_as_it_is() {
    for name in [" x ", "a,b;c\td", "say \"x\"", "two\nlines", "a|b", "[x]", "@@x", "TRUE", "{{ name }}"] {
        let world = one(name);
        let file = world.get("csv");
        let told = world.plan("all.csv", &file);
        assert!(told.ends_with("a unchanged") && !told.contains('→'), "{name:?}: {told}");
    }
}

#[test]
fn read_only_and_unknown_fields_are_ignored_where_unchanged() {
    let world = World::new(json!([
        {"client_id": "a", "name": "Billing", "global": false, "quite_new": {"x": 1}, "jwks_uri": "https://a.example"},
    ]));
    let file = world.get("csv").replace("Billing", "Billing EU");
    assert_eq!(world.plan("all.csv", &file), r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn a_read_only_field_that_was_edited_is_an_error() {
    // guess: read-only fields other than `tenant` have their column.
    let world = World::new(json!([{"client_id": "a", "name": "Billing", "jwks_uri": "https://a.example"}]));
    let file = world.get("csv").replace("https://a.example", "https://b.example");
    let told = world.plan("all.csv", &file);
    assert!(told.starts_with("exit 64: ") && told.contains("jwks_uri"), "{told}");
}
