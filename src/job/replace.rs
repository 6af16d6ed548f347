//! What can be said offline of a `replace`: an object that is to be exactly this.

use serde_json::Value;

use super::leaves::unknown;
use super::term::{Term, Tree};
use crate::catalogue::{Fault, FieldType, Kind, Lookup, Unset, Writable, redact, validate};
use crate::model::FieldPath;

/// What is wrong with it, and what a person should know though it is right; each with the path that it is about.
pub(super) fn check(kind: &Kind, path: &FieldPath, term: &Term) -> (Vec<Fault>, Vec<Fault>) {
    let faults = faults(kind, path, term);
    if !faults.is_empty() {
        return (faults, Vec::new());
    }
    stubborn(kind, path, term)
}

fn fault(path: &FieldPath, what: String, help: impl Into<String>) -> Fault {
    Fault { path: path.to_string(), what, help: Some(help.into()) }
}

fn faults(kind: &Kind, path: &FieldPath, term: &Term) -> Vec<Fault> {
    if let Some(fault) = validate::may_set(kind, path) {
        return vec![fault];
    }
    let ty = kind.lookup(path).field().map_or(FieldType::Any, |field| field.ty);
    let object = match term {
        Term::Value(value) => value.is_object(),
        Term::Template(tree) => match &**tree {
            Tree::Object(_) => true,
            Tree::Text(text) => text.keeps_its_type(),
            Tree::Value(_) | Tree::List(_) => false,
        },
    };
    if !object || !matches!(ty, FieldType::Object | FieldType::Any) {
        let what = format!(
            "`replace` makes an object exactly what is written, and `{path}` is given a single value"
        );
        return vec![fault(path, what, format!("write `set.{path} = …`, or an object in braces"))];
    }
    match term {
        Term::Value(value) if redact::has_marker(value) => {
            let what = format!("{path} holds the text that `get` writes in place of a secret");
            vec![fault(path, what, "leave the key out: a secret beside the others is kept")]
        }
        Term::Value(value) => validate::value(kind, path, value),
        Term::Template(tree) => structure(kind, path, tree),
    }
}

/// Keys that do not exist or must not lack, where some values are not known yet.
fn structure(kind: &Kind, path: &FieldPath, tree: &Tree) -> Vec<Fault> {
    let Tree::Object(entries) = tree else { return Vec::new() };
    let mut faults = Vec::new();
    for (key, inner) in entries {
        let child = path.child(key);
        match (unknown(kind, &child), inner) {
            (Some((what, help)), _) => faults.push(Fault { path: child.to_string(), what, help }),
            (None, Tree::Value(value)) => {
                faults.extend(validate::value(kind, &child, value));
            }
            (None, inner) => faults.extend(structure(kind, &child, inner)),
        }
    }
    if let Lookup::Field(field) = kind.lookup(path) {
        let lacks = field.required.iter().filter(|key| !entries.iter().any(|(name, _)| name == *key));
        faults.extend(lacks.map(|key| {
            let help = format!("{path} always has: {}", field.required.join(", "));
            fault(path, format!("{path} needs {key}"), help)
        }));
    }
    faults
}

/// Keys of a merged object that are not named, and that the API does not let go: settings that every client has are faults;
/// of what only some clients have, the plan will tell.
fn stubborn(kind: &Kind, path: &FieldPath, term: &Term) -> (Vec<Fault>, Vec<Fault>) {
    let Lookup::Field(field) = kind.lookup(path) else { return Default::default() };
    if path.depth() > 1 || !kind.merges(path) {
        return Default::default();
    }
    let named = |key: &str| match term {
        Term::Value(Value::Object(map)) => map.contains_key(key),
        Term::Template(tree) => {
            matches!(&**tree, Tree::Object(entries) if entries.iter().any(|(name, _)| name == key))
        }
        Term::Value(_) => true,
    };
    let left = field.fields.iter().filter(|(key, inner)| {
        !named(key) && inner.write == Writable::Patch && kind.unset_of(&path.child(key)) == Unset::No
    });
    let (settings, optional): (Vec<_>, Vec<_>) = left.partition(|(_, inner)| inner.default.is_some());
    let fault = |key: &str, then: &str| {
        let what = format!("`{path}.{key}` is not named, and the API cannot empty it{then}");
        fault(path, what, format!("name `{key}` too, or use `set`"))
    };
    let faults = settings.into_iter().map(|(key, _)| fault(key, "")).collect();
    let warnings = optional.into_iter().map(|(key, _)| fault(key, ": where a client has it, the plan stops"));
    (faults, warnings.collect())
}
