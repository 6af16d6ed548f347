//! `rows`: one update of a TOML job for each row of a CSV file of any layout.

use serde_json::json;

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "Billing"}, {"client_id": "b", "name": "Shop"}, {"client_id": "c", "name": "Shop*"},
    ]))
}

const JOB: &str = "[[update]]\nrows = \"renames.csv\"\nclient_id = \"{{ row['App ID'] }}\"\n\
    set.name = \"{{ row['new name'] | trim }}\"\n";

const BOTH: &str = "a name \"Billing\" → \"Billing EU\"\nb name \"Shop\" → \"Shop EU\"";

#[test]
fn rows_reads_a_file_of_any_layout() {
    let text = "Owner;App ID;new name\nweb;a; Billing EU\nops;b;Shop EU \n";
    assert_eq!(world().file("renames.csv", text).plan("job.toml", JOB), BOTH);
}

#[test]
fn rows_reads_every_encoding_and_delimiter_that_a_csv_job_may_have() {
    let text = "App ID\tnew name\r\na\tBilling EU\r\nb\tShop EU\r\n";
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(world().file("renames.csv", &utf16).plan("job.toml", JOB), BOTH);
    let text = "sep=;\nApp ID;new name\na;Billing EU\nb;Shop EU\n";
    assert_eq!(world().file("renames.csv", text).plan("job.toml", JOB), BOTH);
}

#[test]
fn each_row_is_an_update_of_its_own() {
    let text = "App ID,new name\nb,Shop EU\nzzz,Nobody\na,Billing\n";
    let told = world().file("renames.csv", text).plan("job.toml", JOB);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], r#"b name "Shop" → "Shop EU""#);
    assert!(lines[1].ends_with(" failed not_found"), "{told}");
    assert_eq!(lines[2..], ["a unchanged"]);
}

#[test]
fn a_file_of_rows_that_is_not_there_is_named() {
    let told = world().plan("job.toml", JOB);
    assert!(told.starts_with("exit 64: ") && told.contains("renames.csv"), "{told}");
}

#[test]
fn a_ragged_row_of_the_file_is_an_error() {
    let told = world().file("renames.csv", "App ID,new name\na,Billing,EU\n").plan("job.toml", JOB);
    assert!(told.starts_with("exit 64: "), "{told}");
    assert!(told.contains("renames.csv") && told.contains("row 2"), "{told}");
}

#[test]
fn a_column_that_the_file_lacks_is_an_error_with_its_near_miss() {
    let told = world().file("renames.csv", "App Id,new name\na,Billing EU\n").plan("job.toml", JOB);
    assert!(told.starts_with("exit ") && told.contains("App ID") && told.contains("App Id"), "{told}");
}

#[test]
fn a_column_with_an_underscore_can_be_used_like_any_other() {
    let job =
        "[[update]]\nrows = \"renames.csv\"\nclient_id = \"{{ row._id }}\"\nset.name = \"{{ row.to }}\"\n";
    let told = world().file("renames.csv", "_id,to\na,Billing EU\n").plan("job.toml", job);
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn a_cell_that_looks_like_a_template_is_data() {
    let text = "App ID,new name\na,{{ client_id }}\n";
    let told = world().file("renames.csv", text).plan("job.toml", JOB);
    assert_eq!(told, r#"a name "Billing" → "{{ client_id }}""#);
}

#[test]
fn a_star_in_a_cell_that_match_inserts_is_literal() {
    let job = "[[update]]\nrows = \"renames.csv\"\nmatch = { name = \"{{ row.from }}\" }\nset.name = \"{{ row.to }}\"\n";
    let told = world().file("renames.csv", "from,to\nShop*,Shop EU\n").plan("job.toml", job);
    assert_eq!(told, r#"c name "Shop*" → "Shop EU""#);
}

#[test]
fn a_row_is_in_scope_beside_the_client_and_the_variables() {
    let job = "[vars]\nregion = \"EU\"\n[[update]]\nrows = \"renames.csv\"\nclient_id = \"{{ row.id }}\"\n\
        set.client_metadata.note = \"{{ name }} {{ row.suffix }} {{ vars.region }}\"\n";
    let told = world().file("renames.csv", "id,suffix\na,prod\n").plan("job.toml", job);
    assert_eq!(told, r#"a client_metadata.note absent → "Billing prod EU""#);
}

#[test]
fn a_where_may_read_the_row() {
    let job =
        "[[update]]\nrows = \"renames.csv\"\nwhere = \"name == row.from\"\nset.name = \"{{ row.to }}\"\n";
    let told = world().file("renames.csv", "from,to\nBilling,Billing EU\n").plan("job.toml", job);
    assert_eq!(told, r#"a name "Billing" → "Billing EU""#);
}

#[test]
fn count_of_an_update_with_rows_is_counted_row_by_row() {
    let job = "[[update]]\nrows = \"renames.csv\"\nmatch = { name = \"{{ row.start }}*\" }\ncount = 1\nset.sso = true\n";
    let told = world().file("renames.csv", "start\nBill\nShop*\n").plan("job.toml", job);
    assert_eq!(told, "a sso absent → true\nc sso absent → true");
    let told = world().file("renames.csv", "start\nBill\nShop\n").plan("job.toml", job);
    assert!(told.starts_with("exit 4: ") && told.contains("2"), "{told}");
}

#[test]
fn rows_that_contradict_each_other_are_an_error_that_names_both() {
    // guess: each row of the file is a place.
    let text = "App ID,new name\na,Billing EU\na,Billing US\n";
    let told = world().file("renames.csv", text).plan("job.toml", JOB);
    assert!(told.starts_with("exit 64: "), "{told}");
    assert!(told.contains("row 2") && told.contains("row 3"), "{told}");
}

#[test]
fn a_template_that_grows_again_with_the_same_rows_is_refused() {
    let job = "[[update]]\nrows = \"renames.csv\"\nclient_id = \"{{ row.id }}\"\nset.name = \"{{ name }} {{ row.to }}\"\n";
    let told = world().file("renames.csv", "id,to\na,EU\n").plan("job.toml", job);
    assert!(told.starts_with("exit 4: ") && told.contains("Billing EU EU"), "{told}");
}

#[test]
fn a_second_run_finds_each_row_under_its_new_name() {
    let job = "[[update]]\nrows = \"renames.csv\"\nmatch = { name = \"{{ row.from }}\" }\nset.name = \"{{ row.to }}\"\n";
    let told = world().file("renames.csv", "from,to\nBills,Billing\nShops,Shop\n").plan("job.toml", job);
    assert_eq!(told, "a unchanged\nb unchanged");
}
