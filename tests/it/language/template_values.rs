//! What a template comes to: typed values, texts, and cells of a row.

use serde_json::{Value, json};

use super::World;

fn world(fields: Value) -> World {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    for (key, value) in fields.as_object().unwrap() {
        client[key] = value.clone();
    }
    World::new(Value::Array(vec![client]))
}

fn planned(fields: Value, line: &str) -> String {
    world(fields).plan("job.toml", format!("[[update]]\nclient_id = \"a\"\n{line}\n"))
}

/// What is planned for a cell `text` of a row about client `a`.
fn with_cell(fields: Value, cell: &str, line: &str) -> String {
    let job = format!("[[update]]\nrows = \"rows.csv\"\nclient_id = \"{{{{ row.id }}}}\"\n{line}\n");
    world(fields).file("rows.csv", format!("id,text\na,{cell}\n")).plan("job.toml", &job)
}

#[test]
fn one_whole_expression_keeps_its_type() {
    assert_eq!(
        planned(json!({"web_origins": ["https://a.example"]}), "set.callbacks = \"{{ web_origins }}\""),
        r#"a callbacks absent → ["https://a.example"]"#
    );
    assert_eq!(
        planned(json!({"is_first_party": true}), "set.oidc_conformant = \"{{ is_first_party }}\""),
        "a oidc_conformant absent → true"
    );
    assert_eq!(
        planned(
            json!({"par_request_expiry": 60}),
            "set.jwt_configuration.lifetime_in_seconds = \"{{ par_request_expiry }}\""
        ),
        "a jwt_configuration.lifetime_in_seconds absent → 60"
    );
}

#[test]
fn one_whole_expression_that_comes_to_an_object_sets_its_leaves() {
    // guess: it is an object in `set`, as if it stood there.
    let job = "[vars]\nabout = { owner = \"identity\" }\n\
        [[update]]\nclient_id = \"a\"\nset.client_metadata = \"{{ vars.about }}\"\n";
    assert_eq!(
        world(json!({"client_metadata": {"owner": "web", "tier": "gold"}})).plan("job.toml", job),
        r#"a client_metadata.owner "web" → "identity""#
    );
}

#[test]
fn an_expression_with_text_around_it_makes_text() {
    let told = planned(
        json!({"par_request_expiry": 60, "sso": true}),
        "set.client_metadata.note = \"{{ par_request_expiry }} {{ sso }}\"",
    );
    assert_eq!(told, r#"a client_metadata.note absent → "60 true""#);
}

#[test]
fn a_value_of_another_type_than_the_field_has_is_an_error() {
    let told = planned(json!({}), "set.sso = \"{{ name }}\"");
    assert!(told.starts_with("exit ") && told.contains("sso"), "{told}");
    let told = planned(json!({"par_request_expiry": 60}), "set.description = \"{{ par_request_expiry }}\"");
    assert!(told.starts_with("exit ") && told.contains("description"), "{told}");
}

#[test]
fn a_list_or_an_object_inside_text_is_an_error() {
    let held = || json!({"callbacks": ["https://a.example", "https://b.example"]});
    let told = planned(held(), "set.client_metadata.note = \"all: {{ callbacks }}\"");
    assert!(told.starts_with("exit ") && told.contains("join"), "{told}");
    let told = planned(held(), "set.client_metadata.note = \"all: {{ callbacks | join('|') }}\"");
    assert_eq!(told, r#"a client_metadata.note absent → "all: https://a.example|https://b.example""#);
}

#[test]
fn an_empty_cell_as_a_whole_value_leaves_the_field_alone() {
    let told = with_cell(json!({"description": "Old"}), "", "set.description = \"{{ row.text }}\"");
    assert_eq!(told, "a unchanged");
}

#[test]
fn an_at_null_cell_as_a_whole_value_unsets() {
    let held = json!({"client_metadata": {"owner": "web"}});
    let told = with_cell(held, "@null", "set.client_metadata.owner = \"{{ row.text }}\"");
    assert_eq!(told, r#"a client_metadata.owner "web" → absent"#);
}

#[test]
fn an_at_empty_cell_as_a_whole_value_is_an_empty_text_or_list() {
    let told = with_cell(
        json!({"callbacks": ["https://a.example"]}),
        "@empty",
        "set.callbacks = \"{{ row.text }}\"",
    );
    assert_eq!(told, r#"a callbacks ["https://a.example"] → []"#);
    let held = json!({"client_metadata": {"owner": "web"}});
    let told = with_cell(held, "@empty", "set.client_metadata.owner = \"{{ row.text }}\"");
    assert_eq!(told, r#"a client_metadata.owner "web" → """#);
}

#[test]
fn a_doubled_at_sign_of_a_cell_as_a_whole_value_is_one() {
    let told = with_cell(json!({}), "@@acme", "set.name = \"{{ row.text }}\"");
    assert_eq!(told, r#"a name "Billing" → "@acme""#);
}

#[test]
fn a_cell_as_a_whole_value_is_typed_by_its_field() {
    assert_eq!(with_cell(json!({}), "TRUE", "set.sso = \"{{ row.text }}\""), "a sso absent → true");
    assert_eq!(
        with_cell(json!({}), "600", "set.par_request_expiry = \"{{ row.text }}\""),
        "a par_request_expiry absent → 600"
    );
    assert_eq!(
        with_cell(json!({}), "https://a.example|https://b.example", "set.callbacks = \"{{ row.text }}\""),
        r#"a callbacks absent → ["https://a.example","https://b.example"]"#
    );
    assert_eq!(
        with_cell(json!({}), "600", "set.client_metadata.n = \"{{ row.text }}\""),
        r#"a client_metadata.n absent → "600""#
    );
}

#[test]
fn a_cell_as_a_whole_value_that_is_not_of_the_type_is_an_error_with_its_row() {
    let told = with_cell(json!({}), "7.0", "set.par_request_expiry = \"{{ row.text }}\"");
    assert!(told.starts_with("exit ") && told.contains("row 2"), "{told}");
    assert!(told.contains("par_request_expiry"), "{told}");
}

#[test]
fn the_cell_rules_hold_for_the_result_of_filters_on_a_cell() {
    assert_eq!(
        with_cell(json!({}), " Billing EU ", "set.name = \"{{ row.text | trim }}\""),
        r#"a name "Billing" → "Billing EU""#
    );
    assert_eq!(with_cell(json!({}), "  ", "set.name = \"{{ row.text | trim }}\""), "a unchanged");
    let held = json!({"client_metadata": {"owner": "web"}});
    let told = with_cell(held, " @NULL ", "set.client_metadata.owner = \"{{ row.text | trim | lower }}\"");
    assert_eq!(told, r#"a client_metadata.owner "web" → absent"#);
}

#[test]
fn an_empty_cell_as_a_whole_expectation_expects_nothing() {
    let lines = "set.name = \"Billing EU\"\nexpect.name = \"{{ row.text }}\"";
    assert_eq!(with_cell(json!({}), "", lines), r#"a name "Billing" → "Billing EU""#);
    assert_eq!(with_cell(json!({}), "Invoices", lines), "a conflict expect");
}

#[test]
fn an_empty_cell_inside_longer_text_is_an_error_that_names_the_row() {
    let told = with_cell(json!({}), "", "set.description = \"team {{ row.text }}\"");
    assert!(told.starts_with("exit ") && told.contains("row 2"), "{told}");
    let told = with_cell(json!({}), "web", "set.description = \"team {{ row.text }}\"");
    assert_eq!(told, r#"a description absent → "team web""#);
}

#[test]
fn a_cell_inside_longer_text_is_text_and_no_marker() {
    // guess: the cell rules are about whole values alone.
    let told = with_cell(json!({}), "@null", "set.description = \"team {{ row.text }}\"");
    assert_eq!(told, r#"a description absent → "team @null""#);
}
