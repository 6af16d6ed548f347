//! A nested value taken apart into the leaves that it sets, each checked against the catalogue.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::term::{self, Term};
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
    /// A text or list with templates in it.
    Template(Box<term::Tree>),
    /// Something that was found wrong, and reported.
    Faulty,
}

impl Spanned {
    /// The value without its places; `None` where something in it was found wrong.
    pub(super) fn into_term(self) -> Option<Term> {
        Some(match self.value.into_tree()? {
            term::Tree::Value(value) => Term::Value(value),
            tree => Term::Template(Arc::new(tree)),
        })
    }

    pub(super) fn into_tree(self) -> Option<term::Tree> {
        self.value.into_tree()
    }

    /// The places of the keys below `path`, at every depth.
    pub(super) fn places(&self, path: &FieldPath, out: &mut Vec<(FieldPath, Range<usize>)>) {
        let Tree::Object(entries) = &self.value else { return };
        for (key, span, inner) in entries {
            let path = path.child(key);
            inner.places(&path, out);
            out.push((path, span.clone()));
        }
    }
}

impl Tree {
    fn into_tree(self) -> Option<term::Tree> {
        match self {
            Self::Value(value) => Some(term::Tree::Value(value)),
            Self::Template(tree) => Some(*tree),
            Self::Faulty => None,
            Self::Object(entries) => {
                let entry = |(key, _, inner): (String, _, Spanned)| Some((key, inner.into_tree()?));
                Some(object(entries.into_iter().map(entry).collect::<Option<_>>()?))
            }
        }
    }
}

/// An object, plain where everything in it is.
fn object(entries: Vec<(String, term::Tree)>) -> term::Tree {
    if entries.iter().all(|(_, inner)| matches!(inner, term::Tree::Value(_))) {
        let plain = entries.into_iter().filter_map(|(key, inner)| match inner {
            term::Tree::Value(value) => Some((key, value)),
            _ => None,
        });
        return term::Tree::Value(Value::Object(plain.collect::<Map<_, _>>()));
    }
    term::Tree::Object(entries)
}

/// A leaf, or a reason why there is none at that place.
pub(super) enum Leaf {
    Value { path: FieldPath, value: Term, span: Range<usize> },
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
    if let Some((what, help)) = unknown(kind, &path) {
        out.push(Leaf::Fault { what, help, span: key_span });
        return;
    }
    match tree.value {
        Tree::Faulty => (),
        Tree::Value(value) => out.push(Leaf::Value { path, value: value.into(), span: tree.span }),
        Tree::Template(template) => {
            out.push(Leaf::Value { path, value: Term::Template(Arc::from(template)), span: tree.span });
        }
        Tree::Object(entries) if entries.is_empty() => out.push(Leaf::Fault {
            what: format!("`{path}` is set to an empty object, which sets nothing"),
            help: Some(format!("name the keys below `{path}` to set; `unset` takes it away, and `replace` keeps no key but those it names")),
            span: tree.span,
        }),
        // A list item or scalar is expected here: one message about the whole instead of one for each key.
        Tree::Object(_) if !takes_keys(kind, &path) => {
            let span = tree.span.clone();
            out.extend(tree.into_term().map(|value| Leaf::Value { path, value, span }));
        }
        Tree::Object(entries) => {
            for (key, span, inner) in entries {
                leaves(kind, path.child(&key), span, inner, out);
            }
        }
    }
}

/// What is wrong with a path that the catalogue does not know.
pub(super) fn unknown(kind: &Kind, path: &FieldPath) -> Option<Fault> {
    let Lookup::Unknown { near } = kind.lookup(path) else { return None };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("if Auth0 has added it lately: --allow-field '{path}'"),
    };
    Some((format!("there is no field `{path}`"), Some(help)))
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
    let value = match value {
        Term::Value(value) => value,
        Term::Template(tree) => {
            let faults = template(kind, &path, &tree);
            let op = Op { path, action: Action::Set(Term::Template(tree)), span };
            return if faults.is_empty() { Ok(op) } else { Err(faults) };
        }
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
        let action = if value.is_null() { Action::Unset } else { Action::Set(value.into()) };
        return Ok(Op { path, action, span });
    }
    Err(faults.into_iter().map(|fault| (fault.what, fault.help)).collect())
}

/// What is wrong with a value that has templates in it, as far as that can be known without a client.
pub(super) fn template(kind: &Kind, path: &FieldPath, tree: &term::Tree) -> Vec<Fault> {
    // A variable may say where a secret is kept.
    if kind.is_secret(path) && matches!(tree, term::Tree::Text(text) if text.variable().is_some()) {
        let fault = validate::may_set_from_place(kind, path);
        return fault.into_iter().map(|fault| (fault.what, fault.help)).collect();
    }
    if let Some(fault) = validate::may_set(kind, path) {
        return vec![(fault.what, fault.help)];
    }
    let ty = kind.lookup(path).field().map_or(FieldType::Any, |field| field.ty);
    let fits = match tree {
        term::Tree::List(_) => matches!(ty, FieldType::Array | FieldType::Any),
        term::Tree::Object(_) => matches!(ty, FieldType::Object | FieldType::Any),
        term::Tree::Text(text) => text.keeps_its_type() || matches!(ty, FieldType::String | FieldType::Any),
        term::Tree::Value(_) => true,
    };
    if !fits {
        let what = format!("{path} must be {}", validate::type_words(ty));
        let help = "only a value that is one whole `{{ … }}` keeps its type; with text around it, it is text";
        return vec![(what, matches!(tree, term::Tree::Text(_)).then(|| help.to_owned()))];
    }
    let told = |faults: Vec<validate::Fault>| faults.into_iter().map(|fault| (fault.what, fault.help));
    if let term::Tree::Text(text) = tree {
        return told(validate::pieces(kind, path, &text.certain_text())).collect();
    }
    let term::Tree::List(items) = tree else { return Vec::new() };
    let plain = items.iter().filter_map(|item| match item {
        term::Tree::Value(value) => Some(value.clone()),
        _ => None,
    });
    told(validate::items(kind, path, &plain.collect::<Vec<_>>())).collect()
}
