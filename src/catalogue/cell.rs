//! Spreadsheet cells as values, and back. Central type: [`Cell`]. Uses `model` and [`Kind`].
//!
//! A cell is typed by its field, never guessed: what a spreadsheet made of a number (`7.0`, `1,000`, `1E+05`) is an error, since
//! nobody can tell what it was. Whether the value may be set is for [`validate`](super::validate) to say.

use serde_json::Value;

use super::{Fault, Field, FieldType, Kind};
use crate::model::FieldPath;

/// What a cell asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing: the field stays as it is.
    Leave,
    /// Empty the field.
    Unset,
    /// Set it to this.
    Value(Value),
}

/// Reads a cell of the field's column. Empty leaves alone, `@null` empties, `@empty` is `""` or `[]`, `@@x` is the text `@x`.
/// A list is JSON, or items separated by `|` or line breaks; an object is JSON. All but text is trimmed.
///
/// # Errors
/// Where the cell cannot be read as the field's type; the fault names the path, and the caller adds row and column.
pub fn read(kind: &Kind, path: &FieldPath, cell: &str) -> Result<Cell, Fault> {
    let any = Field::default();
    let field = kind.lookup(path).field().unwrap_or(&any);
    let is_text = matches!(field.ty, FieldType::String | FieldType::Any);
    let cell = if is_text { cell } else { cell.trim() };
    let text = match cell {
        "" => return Ok(Cell::Leave),
        "@null" => return Ok(Cell::Unset),
        "@empty" => return empty(field, path).map(Cell::Value),
        cell => unescape(cell).ok_or_else(|| unknown_marker(path, cell))?,
    };
    typed(field, path, text).map(Cell::Value)
}

/// The cell that [`read`] takes for this value, in a column of the value's own type.
pub fn write(value: &Value) -> String {
    match value {
        Value::Null => "@null".to_owned(),
        Value::String(text) if text.is_empty() => "@empty".to_owned(),
        Value::String(text) => escape(text),
        Value::Array(items) if items.is_empty() => "@empty".to_owned(),
        Value::Array(items) => plain_list(items).map_or_else(|| value.to_string(), |text| escape(&text)),
        other => other.to_string(),
    }
}

fn escape(text: &str) -> String {
    if text.starts_with('@') { format!("@{text}") } else { text.to_owned() }
}

/// `None` for an `@` that is neither doubled nor part of a marker: a misspelt marker must not become a name.
fn unescape(cell: &str) -> Option<&str> {
    match cell.strip_prefix('@') {
        Some(rest) => rest.starts_with('@').then_some(rest),
        None => Some(cell),
    }
}

fn unknown_marker(path: &FieldPath, cell: &str) -> Fault {
    let what = format!(
        "{path}: {cell:?} is no marker; a cell that begins with @ is @null, @empty, or text written @@…"
    );
    Fault::new(path.to_string(), what).help(format!("for this very text write @{cell}"))
}

fn empty(field: &Field, path: &FieldPath) -> Result<Value, Fault> {
    match field.ty {
        FieldType::String | FieldType::Any => Ok(Value::String(String::new())),
        FieldType::Array => Ok(Value::Array(Vec::new())),
        _ => {
            let what = format!("{path} cannot be @empty: it is neither text nor a list");
            Err(Fault::new(path.to_string(), what).help("@null empties it, an empty cell leaves it alone"))
        }
    }
}

fn typed(field: &Field, path: &FieldPath, text: &str) -> Result<Value, Fault> {
    match field.ty {
        FieldType::String => Ok(Value::String(text.to_owned())),
        FieldType::Boolean => boolean(path, text),
        FieldType::Integer => integer(path, text),
        FieldType::Number => number(path, text),
        FieldType::Object => json(path, text, "an object", Value::is_object),
        FieldType::Array => list(field, path, text),
        FieldType::Any => Ok(anything(text)),
    }
}

fn boolean(path: &FieldPath, text: &str) -> Result<Value, Fault> {
    match text {
        text if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        text if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        _ => Err(wrong(path, text, "true or false")),
    }
}

fn integer(path: &FieldPath, text: &str) -> Result<Value, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let parsed =
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<i64>().ok() } else { None };
    parsed.map(Value::from).ok_or_else(|| {
        wrong(path, text, "a whole number")
            .help("only digits, with a - before them where it is negative; format the column as text")
    })
}

/// Digits with one point; exponents are what spreadsheets make of long ids.
fn number(path: &FieldPath, text: &str) -> Result<Value, Fault> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let parsed = if plain { serde_json::from_str::<Value>(text).ok().filter(Value::is_number) } else { None };
    parsed.ok_or_else(|| wrong(path, text, "a number"))
}

fn json(path: &FieldPath, text: &str, wanted: &str, fits: impl Fn(&Value) -> bool) -> Result<Value, Fault> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if fits(&value) => Ok(value),
        Ok(_) => Err(wrong(path, text, &format!("{wanted} in JSON"))),
        Err(error) => Err(wrong(path, text, &format!("{wanted} in JSON")).help(error.to_string())),
    }
}

fn list(field: &Field, path: &FieldPath, text: &str) -> Result<Value, Fault> {
    if text.starts_with('[') {
        return json(path, text, "a list", Value::is_array);
    }
    let any = Field::default();
    let item = field.items.as_deref().unwrap_or(&any);
    if item.ty == FieldType::Object {
        return Err(wrong(path, text, "a list of objects in JSON"));
    }
    let items = text.split(['|', '\n', '\r']).map(str::trim).filter(|item| !item.is_empty());
    let items = items.map(|text| typed(item, path, text)).collect::<Result<Vec<_>, _>>()?;
    if items.is_empty() {
        return Err(wrong(path, text, "a list").help("an empty list is written @empty"));
    }
    Ok(Value::Array(items))
}

/// Where the field may be of several types: JSON where it reads as a list or an object, else text.
fn anything(text: &str) -> Value {
    let parsed = serde_json::from_str::<Value>(text).ok();
    parsed
        .filter(|value| value.is_array() || value.is_object())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn wrong(path: &FieldPath, text: &str, wanted: &str) -> Fault {
    Fault::new(path.to_string(), format!("{path}: {} is not {wanted}", super::check::show(text)))
}

/// The items with `|` between them, where each of them would be read back as it is.
fn plain_list(items: &[Value]) -> Option<String> {
    let plain = |text: &&str| !text.is_empty() && text.trim() == *text && !text.contains(['|', '\n', '\r']);
    let texts: Option<Vec<&str>> = items.iter().map(|item| item.as_str().filter(plain)).collect();
    Some(texts?.join("|")).filter(|text| !text.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use proptest::prelude::*;
    use serde_json::json;

    fn read_at(path: &str, cell: &str) -> Result<Cell, Fault> {
        read(default_kind(), &path.parse().unwrap(), cell)
    }

    fn value_at(path: &str, cell: &str) -> Value {
        match read_at(path, cell) {
            Ok(Cell::Value(value)) => value,
            other => panic!("{path} {cell:?}: {other:?}"),
        }
    }

    /// A path, and a value of its type.
    fn typed_value() -> impl Strategy<Value = (&'static str, Value)> {
        let text = || prop_oneof![".*", "[@|\\[\\]\" \n]{0,4}", "@(null|empty|@x)"];
        let texts = prop::collection::vec(text(), 0..4);
        prop_oneof![
            text().prop_map(|text| ("name", json!(text))),
            text().prop_map(|text| ("client_metadata.owner", json!(text))),
            texts.prop_map(|items| ("callbacks", json!(items))),
            any::<bool>().prop_map(|flag| ("sso", json!(flag))),
            any::<i64>().prop_map(|number| ("refresh_token.leeway", json!(number))),
            prop::collection::btree_map(".{1,4}", text(), 0..3)
                .prop_map(|map| ("client_metadata", json!(map))),
            prop::collection::vec(text().prop_map(|text| json!({"audience": text, "scope": [text]})), 0..3)
                .prop_map(|items| ("refresh_token.policies", json!(items))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_to_a_cell_is_read_back((path, value) in typed_value()) {
            let cell = write(&value);
            prop_assert_eq!(read_at(path, &cell), Ok(Cell::Value(value)), "cell {:?}", cell);
        }
    }

    #[test]
    fn empty_leaves_alone_and_null_empties() {
        for path in ["name", "callbacks", "sso", "refresh_token.leeway", "client_metadata"] {
            assert_eq!(read_at(path, ""), Ok(Cell::Leave));
            assert_eq!(read_at(path, "@null"), Ok(Cell::Unset));
        }
        assert_eq!(read_at("sso", "  "), Ok(Cell::Leave));
        assert_eq!(value_at("description", "@empty"), json!(""));
        assert_eq!(value_at("callbacks", " @empty "), json!([]));
        assert!(read_at("sso", "@empty").is_err());
    }

    #[test]
    fn an_at_sign_is_doubled_and_a_misspelt_marker_is_no_name() {
        assert_eq!(value_at("name", "@@acme"), json!("@acme"));
        assert_eq!(value_at("client_aliases", "@@a|b"), json!(["@a", "b"]));
        assert_eq!(read_at("name", "@nul").unwrap_err().help.unwrap(), "for this very text write @@nul");
    }

    #[test]
    fn what_a_spreadsheet_made_of_a_number_is_an_error() {
        for cell in ["7.0", "1,000", "1E+05", "+7", "seven", "1 000", "99999999999999999999", "-"] {
            assert!(read_at("par_request_expiry", cell).is_err(), "{cell}");
        }
        assert_eq!(value_at("par_request_expiry", " 60 "), json!(60));
        assert_eq!(value_at("refresh_token.leeway", "-1"), json!(-1));
    }

    #[test]
    fn booleans_come_in_any_case_and_lists_in_three_forms() {
        assert_eq!(value_at("sso", " TRUE"), json!(true));
        assert!(read_at("sso", "yes").unwrap_err().what.contains("true or false"));
        for cell in ["a|b", "a | b|", "a\r\nb\n", "[\"a\", \"b\"]"] {
            assert_eq!(value_at("grant_types", cell), json!(["a", "b"]), "{cell:?}");
        }
        assert!(read_at("grant_types", "|").unwrap_err().help.unwrap().contains("@empty"));
        assert!(read_at("grant_types", "[a").is_err());
        assert!(read_at("refresh_token.policies", "a|b").is_err());
    }

    #[test]
    fn text_is_not_trimmed() {
        assert_eq!(value_at("name", " Shop "), json!(" Shop "));
    }
}
