//! Cells of CSV jobs.

use serde_json::{Value, json};

use super::{World, check};

fn world(fields: Value) -> World {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    for (key, value) in fields.as_object().unwrap() {
        client[key] = value.clone();
    }
    World::new(Value::Array(vec![client]))
}

/// What is planned for one cell, written as it stands.
fn cell(fields: Value, header: &str, cell: &str) -> String {
    world(fields).plan("job.csv", format!("client_id,{header}\na,{cell}\n"))
}

/// What is wrong with a cell in the second column of the second row.
fn assert_wrong(header: &str, cell: &str, words: &str) {
    let told = check("job.csv", format!("client_id,{header}\na,{cell}\n"));
    for words in ["row 2", "column B", header, words] {
        assert!(told.contains(words), "{header} {cell:?} without {words}: {told}");
    }
}

#[test]
fn an_empty_cell_leaves_the_field_alone() {
    assert_eq!(cell(json!({"description": "x"}), "description", ""), "a unchanged");
    assert_eq!(cell(json!({"callbacks": ["https://a.example"]}), "callbacks", ""), "a unchanged");
    assert_eq!(cell(json!({"sso": true}), "sso", "  "), "a unchanged");
}

#[test]
fn an_at_null_cell_unsets_the_field() {
    let held = json!({"client_metadata": {"owner": "web"}});
    assert_eq!(cell(held, "client_metadata.owner", "@null"), r#"a client_metadata.owner "web" → absent"#);
    let sent = world(json!({"description": "x", "par_request_expiry": 60}))
        .sent("job.csv", "client_id,description,par_request_expiry\na,@null,@null\n");
    assert_eq!(sent, [("a".to_owned(), json!({"description": "", "par_request_expiry": null}))]);
}

#[test]
fn an_at_null_cell_of_what_cannot_be_emptied_is_an_error() {
    assert_wrong("app_type", "@null", "cannot");
}

#[test]
fn an_at_empty_cell_is_an_empty_text_or_an_empty_list() {
    let held = json!({"client_metadata": {"owner": "web"}});
    assert_eq!(cell(held, "client_metadata.owner", "@empty"), r#"a client_metadata.owner "web" → """#);
    assert_eq!(
        cell(json!({"callbacks": ["https://a.example"]}), "callbacks", "@empty"),
        r#"a callbacks ["https://a.example"] → []"#
    );
}

#[test]
fn a_doubled_at_sign_is_one() {
    assert_eq!(cell(json!({}), "name", "@@acme"), r#"a name "Billing" → "@acme""#);
    assert_eq!(cell(json!({}), "name", "@@null"), r#"a name "Billing" → "@null""#);
    assert_eq!(cell(json!({}), "name", "@@@acme"), r#"a name "Billing" → "@@acme""#);
}

#[test]
fn an_at_sign_elsewhere_is_text() {
    assert_eq!(cell(json!({}), "name", "me@acme"), r#"a name "Billing" → "me@acme""#);
}

#[test]
fn a_misspelt_marker_is_an_error_that_says_how_to_write_that_text() {
    assert_wrong("name", "@nul", "@@nul");
}

#[test]
fn a_list_is_written_in_json() {
    assert_eq!(
        cell(json!({}), "callbacks", r#""[""https://a.example"",""https://b.example""]""#),
        r#"a callbacks absent → ["https://a.example","https://b.example"]"#
    );
}

#[test]
fn a_list_is_written_with_bars() {
    assert_eq!(
        cell(json!({}), "callbacks", "https://a.example|https://b.example"),
        r#"a callbacks absent → ["https://a.example","https://b.example"]"#
    );
    assert_eq!(
        cell(json!({}), "callbacks", "https://a.example | https://b.example"),
        r#"a callbacks absent → ["https://a.example","https://b.example"]"#
    );
}

#[test]
fn a_list_is_written_with_line_breaks() {
    for breaks in ["\n", "\r\n"] {
        let list = format!("\"https://a.example{breaks}https://b.example\"");
        assert_eq!(
            cell(json!({}), "callbacks", &list),
            r#"a callbacks absent → ["https://a.example","https://b.example"]"#
        );
    }
}

#[test]
fn an_object_is_written_in_json_and_sets_its_leaves() {
    // guess: a cell of an object is an object in `set`.
    let held = json!({"client_metadata": {"owner": "web", "tier": "gold"}});
    assert_eq!(
        cell(held, "client_metadata", r#""{""owner"":""identity""}""#),
        r#"a client_metadata.owner "web" → "identity""#
    );
}

#[test]
fn booleans_are_true_and_false_in_any_case() {
    for text in ["true", "TRUE", "True", " true "] {
        assert_eq!(cell(json!({}), "sso", text), "a sso absent → true", "{text:?}");
    }
    assert_eq!(cell(json!({"sso": true}), "sso", "FALSE"), "a sso true → false");
    for text in ["yes", "1", "wahr"] {
        assert_wrong("sso", text, text);
    }
}

#[test]
fn integers_are_digits_with_an_optional_minus() {
    let field = "jwt_configuration.lifetime_in_seconds";
    for (text, number) in [("60", "60"), (" 60 ", "60"), ("-1", "-1"), ("0", "0")] {
        assert_eq!(cell(json!({}), field, text), format!("a {field} absent → {number}"), "{text:?}");
    }
}

#[test]
fn what_a_spreadsheet_made_of_an_integer_is_an_error_with_row_and_column() {
    for text in ["7.0", "\"1,000\"", "1E+05", "+7", "60 s"] {
        assert_wrong("par_request_expiry", text, text.trim_matches('"'));
    }
}

#[test]
fn headers_ids_numbers_and_booleans_are_trimmed() {
    let csv = " client_id , name , par_request_expiry , sso \n a ,Billing EU, 60 , true \n";
    assert_eq!(
        world(json!({})).plan("job.csv", csv),
        "a name \"Billing\" → \"Billing EU\"\na par_request_expiry absent → 60\na sso absent → true"
    );
}

#[test]
fn a_list_that_is_one_text_is_not_split_at_blanks_or_commas() {
    let told = cell(json!({}), "client_aliases", "\"a b, c\"");
    assert_eq!(told, r#"a client_aliases absent → ["a b, c"]"#);
}

#[test]
fn text_is_not_trimmed_but_its_outer_blanks_are_a_warning() {
    for text in [" Billing EU", "Billing EU ", "\t Billing EU"] {
        let told = cell(json!({}), "name", text);
        assert!(told.starts_with("warning: ") && told.contains("row 2"), "{text:?}: {told}");
        assert!(told.ends_with(&format!("a name \"Billing\" → {}", Value::from(text))), "{text:?}: {told}");
    }
}

#[test]
fn a_cell_that_looks_like_a_number_is_text_in_a_field_of_text() {
    assert_eq!(cell(json!({}), "name", "007"), r#"a name "Billing" → "007""#);
    assert_eq!(cell(json!({}), "client_metadata.n", "1E+05"), r#"a client_metadata.n absent → "1E+05""#);
}

#[test]
fn an_apostrophe_of_a_file_that_get_did_not_write_is_text() {
    let told = cell(json!({}), "name", "'=Sum");
    assert!(told.starts_with("warning: ") && told.ends_with(r#"a name "Billing" → "'=Sum""#), "{told}");
    assert_eq!(cell(json!({}), "name", "=Sum"), r#"a name "Billing" → "=Sum""#);
}
