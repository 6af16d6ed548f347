//! What an operation asks of one client, its templates filled in. Central type: [`Want`], central function: [`fill`].

use std::borrow::Cow;

use serde_json::Value;

use super::leaves::{Leaf, of_value};
use super::template::{RenderFault, Rendered, Scope};
use super::term::Term;
use super::{Action, Op};
use crate::catalogue::cell::{self, Cell};
use crate::catalogue::{FieldType, Kind, Lookup, redact};
use crate::model::{FieldPath, SecretPlace};

/// What is asked of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Want<'v> {
    /// This value.
    Set {
        /// The value; not null.
        value: Cow<'v, Value>,
        /// Whether a template computed it from what the client holds.
        computed: bool,
    },
    /// No value.
    Empty {
        /// The path that the client lacks, where a template gave none for want of it: nobody said in so many words that
        /// the field is to be emptied.
        lacking: Option<String>,
    },
    /// This object exactly.
    Exactly(Cow<'v, Value>),
    /// These items, behind what is there.
    Add(Cow<'v, Value>),
    /// Without these items.
    Remove(Cow<'v, Value>),
}

impl Want<'_> {
    /// The items of `add` and `remove`.
    pub fn items(&self) -> &[Value] {
        match self {
            Self::Add(items) | Self::Remove(items) => items.as_array().map(Vec::as_slice).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether it edits a list by item.
    pub fn is_by_item(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Remove(_))
    }
}

/// What an operation without templates asks for; `None` where it has some.
pub fn literal(op: &Op) -> Option<Want<'_>> {
    let value = || op.action.term().and_then(Term::literal).map(Cow::Borrowed);
    Some(match &op.action {
        Action::Unset => Want::Empty { lacking: None },
        Action::Set(_) => Want::Set { value: value()?, computed: false },
        Action::Replace(_) => Want::Exactly(value()?),
        Action::Add(_) => Want::Add(value()?),
        Action::Remove(_) => Want::Remove(value()?),
    })
}

/// Fills the templates of an operation in. One operation may come to several leaves, where an object comes out, and to none,
/// where the cell behind it is empty.
///
/// # Errors
/// Where a template has no value.
pub fn fill<'v>(kind: &Kind, op: &'v Op, scope: &Scope) -> Result<Vec<(FieldPath, Want<'v>)>, RenderFault> {
    let wants = as_written(kind, op, scope)?.into_iter();
    Ok(wants
        .map(|(path, want)| {
            let want = as_kept(kind, &path, want);
            (path, want)
        })
        .collect())
}

/// What is asked for in the form in which the service keeps it: it reads back so, and is compared with what is there.
fn as_kept<'v>(kind: &Kind, path: &FieldPath, want: Want<'v>) -> Want<'v> {
    let Want::Set { value, computed } = &want else { return want };
    let Some(Cow::Owned(kept)) = value.as_str().map(|text| kind.as_kept(path, text)) else { return want };
    Want::Set { value: Cow::Owned(Value::String(kept)), computed: *computed }
}

/// The same in the form in which the job writes it.
fn as_written<'v>(kind: &Kind, op: &'v Op, scope: &Scope) -> Result<Vec<(FieldPath, Want<'v>)>, RenderFault> {
    if let Some(want) = literal(op) {
        return Ok(vec![(op.path.clone(), want)]);
    }
    let Some(term) = op.action.term() else { return Ok(Vec::new()) };
    if let Some(place) = secret_place(kind, op, scope) {
        let value = Cow::Owned(place?.marker());
        return Ok(vec![(op.path.clone(), Want::Set { value, computed: false })]);
    }
    let value = match filled(kind, &op.path, term, scope)? {
        Cell::Leave => return Ok(Vec::new()),
        // Of a list that is edited by item nothing can be emptied: what stands in it is not ours.
        Cell::Unset if op.action.is_by_item() => return Err(no_items(&op.action, "the cell says @null")),
        Cell::Value(Value::Null) if op.action.is_by_item() => {
            return match lacking(kind, &op.path, term, scope)? {
                None => Ok(Vec::new()),
                Some(path) => Err(no_items(&op.action, &format!("`{path}` is none"))),
            };
        }
        Cell::Unset => return Ok(vec![(op.path.clone(), Want::Empty { lacking: None })]),
        Cell::Value(Value::Null) => {
            let lacking = lacking(kind, &op.path, term, scope)?;
            return Ok(vec![(op.path.clone(), Want::Empty { lacking })]);
        }
        // Nobody but the job itself says where a secret is taken from.
        Cell::Value(value) if redact::has_place(&value) => {
            let what =
                format!("what comes out for {} holds the text that stands for a secret in plans", op.path);
            return Err(RenderFault::new(what).help(
                "a variable says where a secret is kept as { env = \"NAME\" }, and the field is set to it alone",
            ));
        }
        Cell::Value(value) => whole(kind, &op.path, value),
    };
    let want = |value| match &op.action {
        Action::Replace(_) => Want::Exactly(Cow::Owned(value)),
        Action::Add(_) => Want::Add(Cow::Owned(list_of(value))),
        Action::Remove(_) => Want::Remove(Cow::Owned(list_of(value))),
        Action::Set(_) | Action::Unset => Want::Set { value: Cow::Owned(value), computed: true },
    };
    match (&op.action, value) {
        // An object that comes out of a `set` sets its leaves, as one that is written out does.
        (Action::Set(_), value @ Value::Object(_)) => of_value(kind, &op.path, &op.span, value)
            .into_iter()
            .map(|leaf| match leaf {
                Leaf::Value { path, value: Term::Value(Value::Null), .. } => {
                    Ok((path, Want::Empty { lacking: None }))
                }
                Leaf::Value { path, value: Term::Value(value), .. } => {
                    Ok((path, Want::Set { value: Cow::Owned(value), computed: true }))
                }
                Leaf::Value { path, .. } => Ok((path, Want::Empty { lacking: None })),
                Leaf::Fault { what, help, .. } => Err(RenderFault { what, help, lost: None }),
            })
            .collect(),
        (_, value) => Ok(vec![(op.path.clone(), want(value))]),
    }
}

/// Where the secret is kept that an operation sets, if it sets one.
///
/// # Errors
/// Where the variable that should say it holds something else.
pub fn secret_place(kind: &Kind, op: &Op, scope: &Scope) -> Option<Result<SecretPlace, RenderFault>> {
    match &op.action {
        Action::Set(Term::Value(value)) => {
            SecretPlace::of(value).filter(|_| kind.is_secret(&op.path)).map(Ok)
        }
        Action::Set(term) if kind.is_secret(&op.path) => {
            let variable = term.variable()?;
            Some(scope.tenant()?.secret(&op.path, &variable))
        }
        _ => None,
    }
}

/// The value of a term: as a cell where it is one whole row value that came out as text.
///
/// # Errors
/// Where a template has no value, or the cell is not of the field's type.
pub fn filled(kind: &Kind, path: &FieldPath, term: &Term, scope: &Scope) -> Result<Cell, RenderFault> {
    match term.render(kind, path, scope)? {
        Rendered::Value(Value::String(text)) if term.is_row_value() => cell::read(kind, path, &text)
            .map_err(|fault| RenderFault { what: fault.what, help: fault.help, lost: None }),
        Rendered::Value(value) => Ok(Cell::Value(value)),
        Rendered::Nothing { .. } => Ok(Cell::Value(Value::Null)),
    }
}

/// The path for want of which a template gave none.
fn lacking(kind: &Kind, path: &FieldPath, term: &Term, scope: &Scope) -> Result<Option<String>, RenderFault> {
    Ok(match term.render(kind, path, scope)? {
        Rendered::Nothing { of } => of,
        Rendered::Value(_) => None,
    })
}

fn no_items(action: &Action, why: &str) -> RenderFault {
    let what = format!("{why}, and `{}` needs items", action.verb());
    RenderFault::new(what).help("where there may be none, write `| default([])`")
}

/// A number without a fraction as the whole number that an integer field wants.
fn whole(kind: &Kind, path: &FieldPath, value: Value) -> Value {
    let integer = matches!(kind.lookup(path), Lookup::Field(field) if field.ty == FieldType::Integer);
    match value.as_f64() {
        Some(number) if integer && value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15 => {
            Value::from(number as i64)
        }
        _ => value,
    }
}

/// A single item stands for a list of it.
fn list_of(value: Value) -> Value {
    if value.is_array() { value } else { Value::Array(vec![value]) }
}

/// Pairs of operations of one update that add and remove the same item.
pub(super) fn shared_items(ops: &[Op]) -> Vec<(&Op, &Op, &Value)> {
    let mut shared = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        for other in &ops[..at] {
            let opposite = matches!(
                (&op.action, &other.action),
                (Action::Add(_), Action::Remove(_)) | (Action::Remove(_), Action::Add(_))
            );
            if op.path != other.path || !opposite {
                continue;
            }
            let (Some(these), Some(those)) = (literal_items(op), literal_items(other)) else { continue };
            shared.extend(these.iter().find(|item| those.contains(item)).map(|item| (op, other, item)));
        }
    }
    shared
}

fn literal_items(op: &Op) -> Option<&Vec<Value>> {
    op.action.term().and_then(Term::literal).and_then(Value::as_array)
}
