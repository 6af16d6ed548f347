//! CSV files as spreadsheets write them: encodings, delimiters, line breaks, ragged rows.

use serde_json::json;

use super::{World, check};

const RENAMED: &str = r#"a name "Billing" → "Büro""#;

fn world() -> World {
    World::new(json!([{"client_id": "a", "name": "Billing"}]))
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn a_file_is_utf_8() {
    assert_eq!(world().plan("job.csv", "client_id,name\na,Büro\n"), RENAMED);
}

#[test]
fn a_byte_order_mark_of_utf_8_is_no_part_of_the_header() {
    assert_eq!(world().plan("job.csv", "\u{feff}client_id,name\na,Büro\n"), RENAMED);
}

#[test]
fn a_byte_order_mark_of_utf_16_makes_it_utf_16() {
    let text = "client_id,name\r\na,Büro\r\n";
    assert_eq!(world().plan("job.csv", utf16(text, u16::to_le_bytes)), RENAMED);
    assert_eq!(world().plan("job.csv", utf16(text, u16::to_be_bytes)), RENAMED);
}

#[test]
fn bytes_that_are_not_utf_8_are_an_error_with_row_column_and_what_to_do() {
    let told = world().plan("job.csv", b"client_id,name\na,B\xfcro\n");
    assert!(told.starts_with("exit 64: "), "{told}");
    for words in ["row 2", "column B", "--encoding windows-1252"] {
        assert!(told.contains(words), "without {words}: {told}");
    }
}

#[test]
fn a_file_in_another_encoding_is_read_where_that_was_said() {
    let told = world().encoding("windows-1252").plan("job.csv", b"client_id,name\na,B\xfcro\n");
    assert_eq!(told, RENAMED);
}

#[test]
fn a_sep_line_is_obeyed() {
    let told = world().plan("job.csv", "sep=;\nclient_id;client_metadata.a,b,c\na;x\n");
    assert_eq!(told, r#"a client_metadata.a,b,c absent → "x""#);
    let told = world().plan("job.csv", "sep=,\r\nclient_id,name\r\na,Büro\r\n");
    assert_eq!(told, RENAMED);
}

#[test]
fn the_delimiter_is_a_comma_a_semicolon_or_a_tab() {
    for delimiter in [",", ";", "\t"] {
        let csv = format!("client_id{delimiter}name\na{delimiter}Büro\n");
        assert_eq!(world().plan("job.csv", &csv), RENAMED, "{delimiter:?}");
    }
}

#[test]
fn the_delimiter_is_judged_on_the_header_alone() {
    let told = world().plan("job.csv", "client_id,name\na,1;2;3;4\n");
    assert_eq!(told, r#"a name "Billing" → "1;2;3;4""#);
}

#[test]
fn the_delimiter_is_judged_outside_quotes() {
    let told = world().plan("job.csv", "client_id;\"client_metadata.a,b,c\"\na;x\n");
    assert_eq!(told, r#"a client_metadata.a,b,c absent → "x""#);
}

#[test]
fn lines_may_end_in_cr_lf() {
    assert_eq!(world().plan("job.csv", "client_id,name\r\na,Büro\r\n"), RENAMED);
}

#[test]
fn the_last_line_needs_no_line_break() {
    assert_eq!(world().plan("job.csv", "client_id,name\na,Büro"), RENAMED);
}

#[test]
fn a_line_break_inside_quotes_is_part_of_the_text() {
    let told = world().plan("job.csv", "client_id,description,name\na,\"Two\nlines\",Büro\n");
    assert_eq!(told, format!("a description absent → \"Two\\nlines\"\n{RENAMED}"));
}

#[test]
fn a_doubled_quote_inside_quotes_is_one() {
    let told = world().plan("job.csv", "client_id,name\na,\"The \"\"Shop\"\"\"\n");
    assert_eq!(told, r#"a name "Billing" → "The \"Shop\"""#);
}

#[test]
fn a_row_with_more_or_fewer_cells_than_the_header_is_an_error() {
    let told = check("job.csv", "client_id,name\na,Billing, EU\nb\nc,Shop\n");
    assert!(told.contains("row 2") && told.contains("row 3") && !told.contains("row 4"), "{told}");
}

#[test]
fn rows_are_counted_as_the_spreadsheet_shows_them() {
    let told = check("job.csv", "client_id,sso,description\na,true,\"Two\nlines\"\n\nb,maybe,\n");
    assert!(told.contains("row 4") && told.contains("column B"), "{told}");
}
