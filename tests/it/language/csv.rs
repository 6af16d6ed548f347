//! Columns of CSV jobs.

use serde_json::{Value, json};

use super::{World, check};

fn world(fields: Value) -> World {
    let mut client = json!({"client_id": "a", "name": "Billing"});
    for (key, value) in fields.as_object().unwrap() {
        client[key] = value.clone();
    }
    World::new(Value::Array(vec![client]))
}

fn planned(fields: Value, csv: &str) -> String {
    world(fields).plan("job.csv", csv)
}

#[test]
fn a_row_names_its_client_by_the_column_client_id() {
    let told = planned(json!({}), "client_id,name\na,Billing EU\n");
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn a_row_names_its_client_by_match_columns() {
    let told = planned(json!({}), "match.name,description\nBilling,x\n");
    assert_eq!(told, r#"a description absent → "x""#);
    let held = || json!({"client_metadata": {"slug": "bill"}});
    let told = planned(held(), "match.client_metadata.slug,description\nbill,x\n");
    assert_eq!(told, r#"a description absent → "x""#);
}

#[test]
fn several_match_columns_mean_and() {
    let clients = json!([
        {"client_id": "a", "name": "Shop", "app_type": "spa"}, {"client_id": "b", "name": "Shop", "app_type": "native"},
    ]);
    let told = World::new(clients).plan("job.csv", "match.name,match.app_type,sso\nShop,native,true\n");
    assert_eq!(told, "b sso absent → true");
}

#[test]
fn each_row_is_an_update_of_its_own() {
    let clients = json!([{"client_id": "a", "name": "Shop"}, {"client_id": "b", "name": "Blog"}]);
    let told = World::new(clients).plan("job.csv", "client_id,name\nb,Blog EU\nzzz,Nobody\na,Shop\n");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], r#"b name "Blog" → "Blog EU""#);
    assert!(lines[1].ends_with(" failed not_found"), "{told}");
    assert_eq!(lines[2..], ["a unchanged"]);
}

#[test]
fn a_column_is_named_by_a_field_path() {
    let told = planned(json!({}), "client_id,client_metadata.owner\na,web\n");
    assert_eq!(told, r#"a client_metadata.owner absent → "web""#);
}

#[test]
fn keys_with_dots_are_quoted_in_headers() {
    let told = planned(json!({}), "client_id,\"client_metadata.\"\"a.b\"\"\"\na,x\n");
    assert_eq!(told, r#"a client_metadata."a.b" absent → "x""#);
}

#[test]
fn add_and_remove_columns_edit_lists_by_item() {
    let held = json!({"callbacks": ["https://x.example", "https://a.example"]});
    let csv =
        "client_id,add.callbacks,remove.callbacks\na,https://a.example|https://b.example,https://x.example\n";
    assert_eq!(
        planned(held, csv),
        r#"a callbacks ["https://x.example","https://a.example"] → ["https://a.example","https://b.example"]"#
    );
}

#[test]
fn an_empty_add_or_remove_cell_asks_for_nothing() {
    let held = json!({"callbacks": ["https://a.example"]});
    let csv = "client_id,add.callbacks,remove.callbacks\na,,\n";
    assert_eq!(planned(held, csv), "a unchanged");
}

#[test]
fn the_unset_column_holds_paths_separated_by_bars() {
    let held =
        json!({"description": "x", "callbacks": ["https://a.example"], "client_metadata": {"owner": "web"}});
    let csv = "client_id,unset\na,description|callbacks|client_metadata.owner\n";
    let body = json!({"description": "", "callbacks": [], "client_metadata": {"owner": null}});
    assert_eq!(world(held).sent("job.csv", csv), [("a".to_owned(), body)]);
}

#[test]
fn an_empty_unset_cell_unsets_nothing() {
    assert_eq!(planned(json!({"description": "x"}), "client_id,unset\na,\n"), "a unchanged");
}

#[test]
fn an_unset_cell_that_names_what_cannot_be_emptied_is_an_error_with_its_row() {
    let told = check("job.csv", "client_id,unset\na,description\nb,naem\nc,app_type\n");
    assert!(told.contains("row 3") && told.contains("`name`"), "{told}");
    assert!(told.contains("row 4") && told.contains("app_type"), "{told}");
}

#[test]
fn an_expect_cell_is_what_the_field_must_hold_before() {
    let csv = "client_id,name,expect.name\na,Billing EU,Billing\n";
    assert_eq!(planned(json!({}), csv), r#"a name "Billing" → "Billing EU""#);
    let csv = "client_id,name,expect.name\na,Billing EU,Invoices\n";
    assert_eq!(planned(json!({}), csv), "a conflict expect");
}

#[test]
fn an_empty_expect_cell_expects_nothing() {
    let csv = "client_id,name,expect.name\na,Billing EU,\n";
    assert_eq!(planned(json!({}), csv), r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn an_at_null_expect_cell_expects_the_field_to_be_absent() {
    let csv = "client_id,description,expect.description\na,New,@null\n";
    assert_eq!(planned(json!({}), csv), r#"a description absent → "New""#);
    assert_eq!(planned(json!({"description": "Old"}), csv), "a conflict expect");
}

#[test]
fn a_row_with_a_tenant_goes_there_and_one_without_goes_everywhere() {
    let csv = "client_id,name,description,tenant\na,Billing EU,,dev\na,,New,\n";
    assert_eq!(
        world(json!({})).tenant("dev").plan("job.csv", csv),
        "a name \"Billing\" → \"Billing EU\"\na description absent → \"New\""
    );
}

#[test]
fn rows_of_different_tenants_do_not_contradict_each_other() {
    assert_eq!(check("job.csv", "client_id,name,tenant\na,Billing EU,dev\na,Billing US,prod\n"), "ok");
    assert_ne!(check("job.csv", "client_id,name,tenant\na,Billing EU,dev\na,Billing US,\n"), "ok");
}

#[test]
fn the_tenant_that_a_report_wrote_is_obeyed() {
    assert_eq!(check("job.csv", "client_id,name,_tenant\na,Billing EU,dev\na,Billing US,prod\n"), "ok");
    assert_ne!(check("job.csv", "client_id,name,_tenant\na,Billing EU,dev\na,Billing US,dev\n"), "ok");
}

#[test]
fn the_kind_column_takes_the_kinds_that_are_known() {
    let told = planned(json!({}), "client_id,name,kind\na,Billing EU,clients\n");
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
    let told = planned(json!({}), "client_id,name,kind\na,Billing EU,\n");
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
    let told = check("job.csv", "client_id,name,kind\na,Billing EU,conections\n");
    assert!(told.contains("no kind `conections`") && told.contains("did you mean `connections`?"), "{told}");
    assert_eq!(check("job.csv", "id,name,kind\nrol_1,Admin,roles\nrol_2,Reader,role\n"), "ok");
    let told = check("job.csv", "id,name,kind\nrol_1,Admin,roles\ncon_2,Reader,connections\n");
    assert!(told.contains("row 3") && told.contains("another kind than the roles"), "{told}");
}

#[test]
fn columns_that_begin_with_an_underscore_are_ignored() {
    let told = planned(json!({}), "_row,client_id,name,_result,_naem\n7,a,Billing EU,failed,@nul\n");
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn any_other_unknown_column_is_an_error_with_its_near_miss() {
    for (header, near) in [
        ("naem", "`name`"),
        ("clientid,name", "`client_id`"),
        ("expect.naem,name", "`expect.name`"),
        ("add.calbacks", "callbacks"),
        ("unsett", "`unset`"),
    ] {
        let cells = ",x".repeat(header.matches(',').count() + 1);
        let told = check("job.csv", format!("client_id,{header}\na{cells}\n"));
        assert!(told.contains("job.csv:1:11") && told.contains(near), "{header}: {told}");
    }
}

#[test]
fn an_unknown_column_is_ignored_where_that_was_said() {
    let csv = "client_id,Notes,name\na,call them,Billing EU\n";
    let told = planned(json!({}), csv);
    assert!(told.starts_with("exit 64: ") && told.contains("Notes"), "{told}");
    let told = world(json!({})).ignore_column("Notes").plan("job.csv", csv);
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn a_field_that_was_allowed_is_a_column() {
    let told = world(json!({})).allow_field("brand_new").plan("job.csv", "client_id,brand_new\na,x\n");
    assert_eq!(told, r#"a brand_new absent → "x""#);
}
