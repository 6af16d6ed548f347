//! What expressions see of a field that a client lacks.
//!
//! It has to be `none` wherever it is looked at, and so has everything below it: most clients have no `client_metadata`, and
//! `client_metadata.team == none` must hold of them. minijinja's own none has nothing below it, so an object stands in for
//! it, and literal `none`s are turned into the same object ([`super::scan::with_absent`]) so that both are equal.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};

use super::notes;

/// The stand-in for none: of a field that is absent, or a literal.
#[derive(Debug)]
pub(super) struct Absent {
    /// The path that is absent; `None` for a literal `none`.
    pub(super) path: Option<String>,
}

impl Absent {
    pub(super) fn at(path: impl Into<String>) -> Value {
        let path = path.into();
        notes::met(&path);
        Value::from_object(Self { path: Some(path) })
    }

    pub(super) fn literal() -> Value {
        Value::from_object(Self { path: None })
    }
}

/// The stand-in, where a value is one.
pub(super) fn of(value: &Value) -> Option<&Absent> {
    value.downcast_object_ref::<Absent>()
}

/// Whether a value is none, in either form.
pub(super) fn is_none(value: &Value) -> bool {
    value.is_none() || of(value).is_some()
}

impl Object for Absent {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match &self.path {
            Some(path) => Self::at(format!("{path}.{key}")),
            None => Self::literal(),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        if let Some(path) = &self.path {
            notes::iterated(path);
        }
        Enumerator::Empty
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    /// The engine asks whatever the other object is.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Self>().map(|_| Ordering::Equal)
    }

    /// Text is being made of it: by a filter, by `~`. Nobody wants "none" in a name.
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        notes::absent(self.path.as_deref().unwrap_or("none"));
        f.write_str("none")
    }
}
