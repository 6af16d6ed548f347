//! Templates and expressions, evaluated on each client of the small tenant.

use std::sync::Arc;

use patchwave::job::template::{Template, escaped};
use patchwave::job::{Expression, RowCells, Scope};
use patchwave::model::{Body, FieldPath};

use super::world::{clients, kind, scope};

/// A text that is read as a template, as an expression, and as a path.
pub fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    comes_out(text);
    if let Ok(path) = text.parse::<FieldPath>() {
        assert_eq!(path.to_string().parse::<FieldPath>().as_ref(), Ok(&path));
    }
    let scopes = scopes();
    match Template::parse(text, kind()) {
        Ok(template) => {
            let _ = (template.constant(), template.is_row_value());
            for scope in &scopes {
                let first = template.render(scope).ok();
                assert_eq!(template.render(scope).ok(), first, "not the same twice");
                let _ = template.pattern(scope);
            }
        }
        Err(wrong) => wrong.iter().for_each(|wrong| within(&wrong.at, text)),
    }
    match Expression::parse(text, kind()) {
        Ok(condition) => {
            for scope in &scopes {
                let first = condition.holds(scope).ok();
                assert_eq!(condition.holds(scope).ok(), first, "not the same twice");
            }
        }
        Err(wrong) => wrong.iter().for_each(|wrong| within(&wrong.at, text)),
    }
}

fn within(at: &std::ops::Range<usize>, text: &str) {
    assert!(at.start <= at.end && at.end <= text.len() + 1, "{at:?} of {}", text.len());
    assert!(text.is_char_boundary(at.start), "{at:?} begins within a character");
}

/// Any text can be written so that it comes out as it is.
fn comes_out(text: &str) {
    let template = escaped(text);
    match Template::parse(&template, kind()).map(|template| template.constant()) {
        Ok(Ok(Some(value))) => assert_eq!(value, text, "{template}"),
        other => panic!("{template}: {other:?}"),
    }
}

fn scopes() -> Vec<Scope> {
    let columns = Arc::new(vec!["App ID".to_owned(), "new".to_owned(), "empty".to_owned()]);
    let cells = ["c0", "Shop EU ", ""].into_iter().collect();
    let row = Arc::new(RowCells { columns, cells, number: 2 });
    let outer = Scope::of_tenant(&scope(&Body::new()), Some(&row));
    let inner = clients().iter().map(|client| outer.with_client(&Arc::new(client.clone()), kind()));
    inner.collect()
}
