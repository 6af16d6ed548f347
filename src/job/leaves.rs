//! A nested value taken apart into the leaves that it sets, each checked against the catalogue.

use std::ops::Range;

use serde_json::Value;

use super::{Action, Op};
use crate::catalogue::{FieldType, Kind, Lookup, redact, validate};
use crate::model::FieldPath;

/// A value with the place it stands at: what the readers of TOML and JSON make of their own trees.
pub(super) struct Spanned {
    pub(super) span: Range<usize>,
    pub(super) value: Tree,
}

/// An object keeps the places of what is in it; all else is a value.
pub(super) enum Tree {
    Object(Vec<(String, Range<usize>, Spanned)>),
    Value(Value),
}

impl Spanned {
    /// The plain value.
    pub(super) fn into_value(self) -> Value {
        match self.value {
            Tree::Value(value) => value,
            Tree::Object(entries) => {
                entries.into_iter().map(|(key, _, inner)| (key, inner.into_value())).collect()
            }
        }
    }
}

/// A leaf, or a reason why there is none at that place.
pub(super) enum Leaf {
    Value { path: FieldPath, value: Value, span: Range<usize> },
    Fault { what: String, help: Option<String>, span: Range<usize> },
}

impl Leaf {
    pub(super) fn span(&self) -> &Range<usize> {
        match self {
            Self::Value { span, .. } | Self::Fault { span, .. } => span,
        }
    }
}

/// Takes `tree` apart below `path`. An unknown field is one fault, however much stands below it.
pub(super) fn leaves(
    kind: &Kind,
    path: FieldPath,
    key_span: Range<usize>,
    tree: Spanned,
    out: &mut Vec<Leaf>,
) {
    if let Lookup::Unknown { near } = kind.lookup(&path) {
        let what = format!("there is no field `{path}`");
        out.push(Leaf::Fault {
            what,
            help: near.map(|near| format!("did you mean `{near}`?")),
            span: key_span,
        });
        return;
    }
    match tree.value {
        Tree::Value(value) => out.push(Leaf::Value { path, value, span: tree.span }),
        Tree::Object(entries) if entries.is_empty() => out.push(Leaf::Fault {
            what: format!("`{path}` is set to an empty object, which sets nothing"),
            help: Some(format!("name the keys below `{path}` to set, or leave it out")),
            span: tree.span,
        }),
        // A list item or scalar is expected here: one message about the whole instead of one for each key.
        Tree::Object(_) if !takes_keys(kind, &path) => {
            let span = tree.span.clone();
            out.push(Leaf::Value { path, value: tree.into_value(), span });
        }
        Tree::Object(entries) => {
            for (key, span, inner) in entries {
                leaves(kind, path.child(&key), span, inner, out);
            }
        }
    }
}

/// Whether the field is an object, as far as the catalogue knows.
fn takes_keys(kind: &Kind, path: &FieldPath) -> bool {
    match kind.lookup(path) {
        Lookup::Field(field) => matches!(field.ty, FieldType::Object | FieldType::Any),
        Lookup::OpenKey { value, .. } => {
            value.is_none_or(|v| matches!(v.ty, FieldType::Object | FieldType::Any))
        }
        Lookup::Unknown { .. } => false,
    }
}

/// The leaves below several keys of an object (`set`, `expect`, a JSON body).
pub(super) fn of_object(kind: &Kind, entries: Vec<(String, Range<usize>, Spanned)>) -> Vec<Leaf> {
    let mut out = Vec::new();
    for (key, span, inner) in entries {
        leaves(kind, FieldPath::root_field(&key), span, inner, &mut out);
    }
    out
}

/// The leaves of a plain value at `path`, all at the same place.
pub(super) fn of_value(kind: &Kind, path: &FieldPath, span: &Range<usize>, value: Value) -> Vec<Leaf> {
    let mut out = Vec::new();
    leaves(kind, path.clone(), span.clone(), spanned(value, span), &mut out);
    out
}

fn spanned(value: Value, span: &Range<usize>) -> Spanned {
    let value = match value {
        Value::Object(entries) => {
            let entry = |(key, inner)| (key, span.clone(), spanned(inner, span));
            Tree::Object(entries.into_iter().map(entry).collect())
        }
        value => Tree::Value(value),
    };
    Spanned { span: span.clone(), value }
}

/// What is wrong, and what to do about it.
pub(super) type Fault = (String, Option<String>);

/// The operation that a leaf asks for: null empties the field. Or all that is wrong with it.
pub(super) fn op(kind: &Kind, leaf: Leaf) -> Result<Op, Vec<Fault>> {
    let (path, value, span) = match leaf {
        Leaf::Value { path, value, span } => (path, value, span),
        Leaf::Fault { what, help, .. } => return Err(vec![(what, help)]),
    };
    let faults = if value.is_null() && kind.is_secret(&path) {
        return Err(vec![(format!("{path} is a secret, which no job may empty"), None)]);
    } else if redact::has_marker(&value) {
        let what = format!("{path} holds the text that `get` writes in place of a secret");
        return Err(vec![(what, Some("leave the field out to keep the secret as it is".to_owned()))]);
    } else if value.is_null() {
        validate::unset(kind, &path).into_iter().collect()
    } else {
        validate::value(kind, &path, &value)
    };
    if faults.is_empty() {
        let action = if value.is_null() { Action::Unset } else { Action::Set(value) };
        return Ok(Op { path, action, span });
    }
    Err(faults.into_iter().map(|fault| (fault.what, fault.help)).collect())
}
