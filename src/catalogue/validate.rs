//! What may be set where, judged before anything is sent, in words for people. Central type: [`Fault`]. Uses `model` and [`Kind`].

use serde_json::Value;

use super::check::{Checker, show};
use super::{Field, FieldType, Kind, Lookup, Unset, Writable, linked, patch};
use crate::model::words::a;
use crate::model::{Body, FieldPath};

/// Something that the API would refuse, or that must not be done this way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path it is about; an item of a list has its index in brackets (`callbacks[3]`).
    pub path: String,
    /// What is wrong, in one line that names the path.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), help: None }
    }

    /// The root field that it is about.
    pub fn root(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that stands against setting this value here by PATCH; nothing, if it may be set. Null is judged as [`unset`].
/// An object is judged as what the field holds afterwards: what it must have, it must have.
pub fn value(kind: &Kind, path: &FieldPath, value: &Value) -> Vec<Fault> {
    if value.is_null() {
        return unset(kind, path).into_iter().collect();
    }
    if let Some(fault) = known_and_writable(kind, path) {
        return vec![fault];
    }
    if kind.is_secret(path) {
        return secret(path, value).into_iter().collect();
    }
    let mut checker = Checker::new(kind);
    let at = path.to_string();
    match kind.lookup(path) {
        Lookup::Field(field) => checker.value(field, &at, value),
        Lookup::OpenKey { map, value: field } => {
            checker.key(map, &at, path.last());
            if let Some(field) = field {
                checker.value(field, &at, value);
            }
        }
        Lookup::Unknown { .. } => (),
    }
    checker.faults.extend(value.as_array().and_then(|items| twice(kind, path, items)));
    checker.faults
}

/// What stands against emptying this field by PATCH.
pub fn unset(kind: &Kind, path: &FieldPath) -> Option<Fault> {
    if let Some(fault) = known_and_writable(kind, path) {
        return Some(fault);
    }
    if kind.unset_of(path) != Unset::No {
        return None;
    }
    let fault = Fault::new(path.to_string(), format!("{path} cannot be emptied"));
    Some(match nearest_unsettable(kind, path) {
        Some(outer) => fault.help(format!("it can only go with the whole of {outer}")),
        None => fault.help("Auth0 takes neither null nor an empty value for it; give it another value"),
    })
}

/// What stands against setting this field from a job, whatever the value.
pub fn may_set(kind: &Kind, path: &FieldPath) -> Option<Fault> {
    let secret = || kind.is_secret(path).then(|| secret(path, &Value::Null)).flatten();
    known_and_writable(kind, path).or_else(secret)
}

/// What stands against setting a secret field from where its value is kept.
pub fn may_set_from_place(kind: &Kind, path: &FieldPath) -> Option<Fault> {
    known_and_writable(kind, path)
}

/// What stands against single items of a list; how many there are is not judged.
pub fn items(kind: &Kind, path: &FieldPath, items: &[Value]) -> Vec<Fault> {
    let mut checker = Checker::new(kind);
    let Some(item) = kind.lookup(path).field().and_then(|field| field.items.as_deref()) else {
        return Vec::new();
    };
    for (at, value) in items.iter().enumerate() {
        checker.value(item, &format!("{path}[{at}]"), value);
    }
    checker.faults.extend(twice(kind, path, items));
    checker.faults
}

/// An item that stands in a list twice, as far as its keys tell.
fn twice(kind: &Kind, path: &FieldPath, items: &[Value]) -> Option<Fault> {
    let keys = kind.item_keys(path);
    if keys.is_empty() {
        return None;
    }
    let is_same = |a: &Value, b: &Value| keys.iter().all(|key| a.get(key) == b.get(key));
    let second =
        items.iter().enumerate().find(|(at, item)| items[..*at].iter().any(|other| is_same(other, item)));
    second.map(|(at, _)| {
        let what = format!("{path} has the item of this {} twice", keys.join(" and "));
        Fault::new(format!("{path}[{at}]"), what).help("say it once, with all its attributes")
    })
}

/// What stands against any text of this field that has these pieces in it, whatever stands between them.
pub fn pieces(kind: &Kind, path: &FieldPath, pieces: &[&str]) -> Vec<Fault> {
    let Some(field) = kind.lookup(path).field().filter(|_| !pieces.is_empty()) else { return Vec::new() };
    let field = if field.ty == FieldType::Array { field.items.as_deref().unwrap_or(field) } else { field };
    let at = path.to_string();
    let mut faults = Vec::new();
    let length = pieces.iter().map(|piece| piece.chars().count() as u64).sum::<u64>();
    if let Some(most) = field.max_length.filter(|most| length > *most) {
        faults.push(Fault::new(
            &at,
            format!("{at} has at least {length} characters; at most {most} are allowed"),
        ));
    }
    // `^[^<>]+$`: text of which no part may hold one of these signs.
    let excluded =
        field.pattern.as_deref().and_then(|pattern| pattern.strip_prefix("^[^")?.strip_suffix("]+$"));
    let sign =
        excluded.and_then(|signs| pieces.iter().find_map(|piece| piece.chars().find(|c| signs.contains(*c))));
    if let (Some(sign), Some(pattern)) = (sign, &field.pattern) {
        faults.push(Fault::new(&at, format!("{at} cannot have {sign:?} in it: it must match {pattern}")));
    }
    faults
}

/// A type in words, to stand after "must be".
pub fn type_words(ty: FieldType) -> &'static str {
    super::check::wanted(ty)
}

/// What stands against the state that a root field will have: keys it must have, how many it may have, values that must
/// agree. Values themselves are not judged: what the tenant holds already is not ours to refuse.
pub fn object_after(kind: &Kind, root: &FieldPath, after: &Value) -> Vec<Fault> {
    let Lookup::Field(field) = kind.lookup(root) else { return Vec::new() };
    let mut checker = Checker::new(kind);
    let at = root.to_string();
    checker.structure(field, &at, after);
    checker.faults.extend(lifetimes(&at, after));
    checker.faults
}

/// Whether changes below these root fields, one for each, could stand against each other: a quick look before a thorough one.
pub fn may_clash<'r, R: Iterator<Item = &'r str>>(kind: &Kind, roots: impl Fn() -> R) -> bool {
    roots().enumerate().any(|(at, root)| {
        let again = || roots().take(at).filter(|earlier| *earlier == root).count() as u64;
        let field = kind.root().fields.get(root);
        let crowded = |most: u64| again() >= most;
        kind.read_along(root).any(|other| roots().any(|root| root == other))
            || field.and_then(|field| field.max_properties).is_some_and(crowded)
            || root == LIFETIMES && again() > 0
    })
}

/// The object whose inner lifetimes are compared.
const LIFETIMES: &str = "refresh_token";

/// What stands against these changes together, wherever they are made: what is known of them without the object itself.
pub fn together(kind: &Kind, changes: &[(FieldPath, Option<Value>)]) -> Vec<Fault> {
    let nothing = Body::new();
    let mut faults = linked::faults(kind, &nothing, changes);
    let shares_root = |at: usize| changes[..at].iter().any(|(path, _)| path.root() == changes[at].0.root());
    if !(1..changes.len()).any(shares_root) {
        return faults;
    }
    let after = patch::predict(kind, &nothing, changes);
    for (root, value) in &after {
        // Most tokens never end until something says that they do.
        let ends = value.get("infinite_token_lifetime").is_some_and(|flag| flag == false);
        faults.extend(lifetimes(root, value).filter(|_| ends));
        if let (Some(field), Some(map)) = (kind.root().fields.get(root), value.as_object()) {
            let mut checker = Checker::new(kind);
            checker.at_most(root, map.len(), field.max_properties);
            faults.extend(checker.faults);
        }
    }
    faults
}

/// Recorded in public issue threads: "idle_token_lifetime must have a value less than token_lifetime". Not asked of a
/// token that never expires.
fn lifetimes(at: &str, after: &Value) -> Option<Fault> {
    let number = |key: &str| after.get(key).and_then(Value::as_f64);
    let endless = after.get("infinite_token_lifetime").is_some_and(|flag| flag == true);
    let (idle, whole) = (number("idle_token_lifetime")?, number("token_lifetime")?);
    (at == LIFETIMES && !endless && idle >= whole).then(|| {
        let what =
            format!("{at}.idle_token_lifetime ({idle}) must be less than {at}.token_lifetime ({whole})");
        Fault::new(format!("{at}.idle_token_lifetime"), what)
    })
}

fn known_and_writable(kind: &Kind, path: &FieldPath) -> Option<Fault> {
    if let Lookup::Unknown { near } = kind.lookup(path) {
        return Some(unknown(kind, path, near));
    }
    match kind.writable(path) {
        Writable::Patch => None,
        Writable::Create => {
            let what = format!("{path} can only be chosen when {} is created", a(&kind.singular));
            Some(Fault::new(path.to_string(), what).help("leave it out"))
        }
        Writable::Never => {
            let what = format!("{path} is read-only: Auth0 sets it");
            Some(Fault::new(path.to_string(), what).help("leave it out"))
        }
    }
}

fn unknown(kind: &Kind, path: &FieldPath, near: Option<String>) -> Fault {
    let what = format!("{path} is not a field of {}", a(&kind.singular));
    let fault = Fault::new(path.to_string(), what);
    if let Some(near) = near {
        return fault.help(format!("did you mean `{near}`?"));
    }
    let parent = path.parent().map(|parent| (kind.lookup(&parent), parent));
    match parent {
        Some((Lookup::OpenKey { .. }, parent)) => fault.help(format!(
            "{parent} holds a single value; a key with a dot in it is written in quotes: {}.\"{}.{}\"",
            parent.parent().map_or_else(String::new, |outer| outer.to_string()),
            parent.last(),
            path.last(),
        )),
        Some((Lookup::Field(Field { fields, .. }), parent)) if !fields.is_empty() => {
            fault.help(format!("{parent} has: {}", fields.keys().cloned().collect::<Vec<_>>().join(", ")))
        }
        _ => fault
            .help("if Auth0 has added it lately, this version of patchwave does not know it yet".to_owned()),
    }
}

fn secret(path: &FieldPath, value: &Value) -> Option<Fault> {
    if super::redact::has_marker(value) {
        return None;
    }
    Some(Fault::new(path.to_string(), format!("{path} is a secret, and a job never holds one")).help(PLACES))
}

/// What to do about a secret that a job holds.
pub(super) const PLACES: &str = "in a TOML job, `set` it by itself, to where it is kept: { env = \"NAME\" }, { file = \"PATH\" } or \"{{ vars.NAME }}\", a variable that is such a place";

/// The innermost enclosing object that can be emptied.
fn nearest_unsettable(kind: &Kind, path: &FieldPath) -> Option<FieldPath> {
    let outer = path.parent()?;
    if kind.unset_of(&outer) == Unset::No { nearest_unsettable(kind, &outer) } else { Some(outer) }
}

/// Checks the text of a secret that came from a source, without ever showing it.
pub fn secret_value(kind: &Kind, path: &FieldPath, text: &str) -> Option<Fault> {
    let field = kind.lookup(path).field()?;
    // Keys of add-ons may be files of several lines; what stands by itself is typed into forms.
    if path.depth() == 1 && text.contains(char::is_control) {
        let what = format!("the secret for {path} has more than one line");
        return Some(Fault::new(path.to_string(), what).help("its place must hold the secret alone"));
    }
    let mut checker = Checker::new(kind);
    checker.text(&Field { values: Vec::new(), ..field.clone() }, &path.to_string(), text);
    let wrong = !checker.faults.is_empty();
    wrong.then(|| {
        let what = format!("the secret for {path} does not have the form that Auth0 asks for");
        Fault::new(path.to_string(), what).help(shape(field))
    })
}

fn shape(field: &Field) -> String {
    match (&field.pattern, field.min_length) {
        (Some(pattern), _) => format!("it must match {}", show(pattern)),
        (None, _) => "it must not be empty".to_owned(),
    }
}

#[cfg(test)]
mod tests;
