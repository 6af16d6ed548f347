//! A kind of object: where the API keeps it, and every field it has. Central type: [`Kind`]. Uses `model` and [`Field`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

use super::linked::Linked;
use super::{Field, FieldType, KindName, Merge, Unset, Writable};
use crate::model::{Body, Endpoint, FieldPath, ListOrder, suggest};

/// A kind of object, such as clients.
#[derive(Debug)]
pub struct Kind {
    /// What jobs call it, in the plural: `clients`.
    pub name: KindName,
    /// One of them, in messages: `client`.
    pub singular: String,
    /// The root fields whose values together tell one from all others, in any tenant: most often the name.
    pub identity: Vec<String>,
    /// Root fields that tell a new object from those of its identity that are there already; one that is missing has its default.
    pub told_apart: Vec<String>,
    /// Where the API keeps it.
    pub endpoint: Endpoint,
    pub(super) root: Field,
    /// Fields that move, or forbid, each other.
    pub(super) linked: Linked,
    /// Fields that the user lets through beside those of the catalogue.
    pub(super) extra: Vec<FieldPath>,
    /// The patterns of all fields, compiled when the first is asked for: compiling costs more than matching.
    pub(super) patterns: OnceLock<HashMap<String, Regex>>,
}

/// What the catalogue knows of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<'k> {
    /// A field of its own.
    Field(&'k Field),
    /// A key that the catalogue does not list, in or below an object that takes keys freely (`client_metadata.owner`).
    OpenKey {
        /// The object that takes them.
        map: &'k Field,
        /// What its values are, where anything is known.
        value: Option<&'k Field>,
    },
    /// Nothing of that name.
    Unknown {
        /// The whole path that was most likely meant.
        near: Option<String>,
    },
}

impl<'k> Lookup<'k> {
    /// The field, where anything is known of the value at the path.
    pub fn field(&self) -> Option<&'k Field> {
        match self {
            Self::Field(field) => Some(field),
            Self::OpenKey { value, .. } => *value,
            Self::Unknown { .. } => None,
        }
    }
}

impl Kind {
    /// Fields that the user lets through beside those of the catalogue.
    pub fn extra_fields(&self) -> &[FieldPath] {
        &self.extra
    }

    /// The object as a whole: its `fields` are the root fields.
    pub fn root(&self) -> &Field {
        &self.root
    }

    /// What is known of a path. In an open object that also lists keys, a near miss of one of them is taken for a mistake.
    pub fn lookup(&self, path: &FieldPath) -> Lookup<'_> {
        let mut at = &self.root;
        let mut open = None;
        for (depth, key) in path.keys().enumerate() {
            open = None;
            if let Some(field) = at.fields.get(key) {
                at = field;
                continue;
            }
            let near = suggest::nearest(key, at.fields.keys().map(String::as_str));
            match (at.open, near, &at.items) {
                (true, None, Some(value)) => {
                    open = Some(at);
                    at = value;
                }
                (true, None, None) => return Lookup::OpenKey { map: at, value: None },
                _ => return Lookup::Unknown { near: self.near(path, depth, near) },
            }
        }
        match open {
            Some(map) => Lookup::OpenKey { map, value: Some(at) },
            None => Lookup::Field(at),
        }
    }

    /// The path with the key at `depth` put right; without a near miss, the one place where a root key exists further down.
    fn near(&self, path: &FieldPath, depth: usize, near: Option<&str>) -> Option<String> {
        if let Some(near) = near {
            let keys = path.keys().enumerate().map(|(at, key)| if at == depth { near } else { key });
            return FieldPath::from_keys(keys).map(|path| path.to_string());
        }
        let mut places = Vec::new();
        if depth == 0 {
            find_key(&self.root, path.root(), &mut Vec::new(), &mut places);
        }
        match places.as_slice() {
            [only] => Some(only.to_string()),
            _ => None,
        }
    }

    /// The last keys of all secret fields, wherever they stand.
    pub fn secret_keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        collect_secret_keys(&self.root, &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The paths whose values together tell one from all others: those that a job says, else the kind's own.
    pub fn identity_or<'p>(&self, said: Option<&'p FieldPath>) -> Vec<Cow<'p, FieldPath>> {
        match said.filter(|path| !matches!(self.lookup(path), Lookup::Unknown { .. })) {
            Some(path) => vec![Cow::Borrowed(path)],
            None => self.identity.iter().map(|field| Cow::Owned(FieldPath::root_field(field))).collect(),
        }
    }

    /// The items of a list that has an endpoint of its own, each with the attributes that a job need not name: two items are
    /// compared as a whole. `None` where nothing is to be filled in.
    pub fn with_attributes(&self, path: &FieldPath, items: &Value) -> Option<Value> {
        let association = self.endpoint.association(path.root()).filter(|_| path.depth() == 1)?;
        let fields = &self.root.fields.get(path.root())?.items.as_deref()?.fields;
        let defaults = association.attributes.iter();
        let defaults: Vec<_> =
            defaults.filter_map(|name| Some((name, fields.get(name)?.default.clone()?))).collect();
        if defaults.is_empty() {
            return None;
        }
        let mut items = items.as_array()?.clone();
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            for (name, default) in &defaults {
                item.entry(name.as_str()).or_insert_with(|| default.clone());
            }
        }
        Some(Value::Array(items))
    }

    /// Whether patchwave itself signs in with an object of this kind.
    pub fn is_runners(&self) -> bool {
        self.root.fields.values().any(|field| field.safe_on_own)
    }

    /// Scopes any of which lets a token update.
    pub fn update_scopes(&self) -> &[String] {
        &self.endpoint.scopes.update
    }

    /// Scopes that writing single fields needs beside the kind's own, each with the fields.
    pub fn field_scopes(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut scopes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, field) in &self.root.fields {
            if let Some(scope) = &field.scope {
                scopes.entry(scope).or_default().push(name);
            }
        }
        scopes
    }

    /// Scopes that reading single fields needs beside the kind's own, each with the fields, where a token has none of the scopes
    /// that would do: of several the first.
    pub fn field_read_scopes(&self, has: impl Fn(&str) -> bool) -> BTreeMap<&str, Vec<&str>> {
        let mut scopes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, field) in &self.root.fields {
            if let Some(first) = field.read_scopes.first()
                && !field.read_scopes.iter().any(|scope| has(scope))
            {
                scopes.entry(first).or_default().push(name);
            }
        }
        scopes
    }

    /// Scopes any of which lets a token read this root field; none where no scope of its own is needed.
    pub fn read_scopes_of(&self, root: &str) -> &[String] {
        self.root.fields.get(root).map(|field| field.read_scopes.as_slice()).unwrap_or_default()
    }

    /// The field that is true on objects which lists leave out on purpose (the global client).
    pub fn excluded_field(&self) -> Option<&str> {
        let [(filter, _), ..] = self.endpoint.excluded_filter.as_slice() else { return None };
        filter.strip_prefix("is_").filter(|field| self.root.fields.contains_key(*field))
    }

    /// The fields from the root field down to the path, as far as they are known.
    fn trail(&self, path: &FieldPath) -> impl Iterator<Item = &Field> {
        let mut at = Some(&self.root);
        path.keys().map_while(move |key| {
            let field =
                at.and_then(|at| at.fields.get(key).or_else(|| at.items.as_deref().filter(|_| at.open)));
            at = field;
            field
        })
    }

    /// Whether the order of the list at this path matters; it does where nothing is known.
    pub fn order(&self, path: &FieldPath) -> ListOrder {
        self.lookup(path).field().map(|field| field.order).unwrap_or_default()
    }

    /// Whether the value at this path must never be seen.
    pub fn is_secret(&self, path: &FieldPath) -> bool {
        self.trail(path).any(|field| field.secret)
    }

    /// Whether a change here cannot lock out a runner that signs in with the very client it changes.
    pub fn is_safe_on_own(&self, path: &FieldPath) -> bool {
        self.trail(path).any(|field| field.safe_on_own)
    }

    /// Whether the path may be written: what encloses it decides where it is stricter. An unknown path is writable as far as
    /// the catalogue can tell; whether it may be used is a question for [`Kind::lookup`].
    pub fn writable(&self, path: &FieldPath) -> Writable {
        self.trail(path).map(|field| field.write).max().unwrap_or_default()
    }

    /// The value that the path has where its key is missing.
    pub fn default_of(&self, path: &FieldPath) -> Option<&Value> {
        self.lookup(path).field()?.default.as_ref()
    }

    /// Text as the service keeps it.
    pub fn as_kept<'t>(&self, path: &FieldPath, text: &'t str) -> Cow<'t, str> {
        match self.lookup(path).field() {
            Some(field) if field.lower_case => Cow::Owned(text.to_lowercase()),
            _ => Cow::Borrowed(text),
        }
    }

    /// The list in whose first item a root field is to be seen that no answer shows under its own name, and the key there.
    pub fn shown_at(&self, root: &str) -> Option<(&str, &str)> {
        self.root.fields.get(root)?.shown_at.as_deref()?.split_once("[].")
    }

    /// Those of these root fields that an object shows in another list, as its first item says them, under their own names. The
    /// list itself may hold secrets, and is taken away then.
    pub fn shown_elsewhere<'f>(&self, body: &Body, fields: impl IntoIterator<Item = &'f str>) -> Body {
        let shown = |field: &'f str| {
            let (list, key) = self.shown_at(field)?;
            let value = body.get(list).and_then(|items| items.get(0)?.get(key));
            Some((field.to_owned(), value.cloned().unwrap_or_default()))
        };
        fields.into_iter().filter_map(shown).collect()
    }

    /// How the path is emptied.
    pub fn unset_of(&self, path: &FieldPath) -> Unset {
        match self.lookup(path) {
            Lookup::Field(field) | Lookup::OpenKey { value: Some(field), .. } => field.unset,
            Lookup::OpenKey { map, value: None } if map.merge == Merge::PerKey => Unset::Null,
            Lookup::OpenKey { .. } => Unset::Omit,
            Lookup::Unknown { .. } => Unset::Null,
        }
    }

    /// The keys that tell the items of a list apart which have attributes beside them; none, where items are told apart by all
    /// they say.
    pub fn item_keys(&self, path: &FieldPath) -> &[String] {
        let association = self.endpoint.association(path.root()).filter(|_| path.depth() == 1);
        association.filter(|association| !association.plain).map_or(&[], |association| &association.keys)
    }

    /// The other kinds of which any field holds ids.
    pub fn references(&self) -> BTreeSet<&'static str> {
        fn walk<'f>(field: &'f Field, found: &mut BTreeSet<&'f str>) {
            found.extend(field.references.as_deref());
            field.fields.values().for_each(|inner| walk(inner, found));
            field.items.iter().for_each(|inner| walk(inner, found));
        }
        let mut found = BTreeSet::new();
        walk(&self.root, &mut found);
        super::kinds()
            .map(|kind| kind.name.as_str())
            .filter(|name| self.name != *name && found.contains(name))
            .collect()
    }

    /// Scopes that writing the path needs beside the kind's own.
    pub fn scopes_of(&self, path: &FieldPath) -> Vec<&str> {
        self.trail(path).filter_map(|field| field.scope.as_deref()).collect()
    }

    /// Whether a value counts as empty at this path: absent, null, or what emptying the field leaves behind.
    pub fn is_empty(&self, path: &FieldPath, value: Option<&Value>) -> bool {
        match (self.unset_of(path), value) {
            (_, None | Some(Value::Null)) => true,
            (Unset::EmptyString, Some(Value::String(text))) => text.is_empty(),
            (Unset::EmptyList, Some(Value::Array(items))) => items.is_empty(),
            (Unset::EachKey | Unset::EmptyObject, Some(Value::Object(map))) => map.is_empty(),
            (Unset::Default, value @ Some(_)) => value == self.default_of(path),
            _ => false,
        }
    }

    /// A field's pattern, compiled; `None` for one that cannot be, which is left to the server.
    pub(super) fn pattern(&self, pattern: &str) -> Option<&Regex> {
        let compiled = self.patterns.get_or_init(|| {
            let mut patterns = HashMap::new();
            compile(&self.root, &mut patterns);
            patterns
        });
        compiled.get(pattern)
    }

    /// Whether an object at this path is written key by key; a path that is not known to be an object is a leaf.
    pub fn merges(&self, path: &FieldPath) -> bool {
        matches!(self.lookup(path), Lookup::Field(field) if field.ty == FieldType::Object && field.merge == Merge::PerKey)
    }
}

fn compile(field: &Field, patterns: &mut HashMap<String, Regex>) {
    if let Some(pattern) = &field.pattern
        && let Ok(regex) = Regex::new(pattern)
    {
        patterns.insert(pattern.clone(), regex);
    }
    let below = field.fields.values().chain(field.keys.as_deref()).chain(field.items.as_deref());
    below.for_each(|field| compile(field, patterns));
}

fn collect_secret_keys<'k>(field: &'k Field, keys: &mut Vec<&'k str>) {
    for (name, inner) in &field.fields {
        if inner.secret {
            keys.push(name);
        }
        collect_secret_keys(inner, keys);
    }
    if let Some(items) = &field.items {
        collect_secret_keys(items, keys);
    }
}

fn find_key<'k>(field: &'k Field, key: &str, at: &mut Vec<&'k str>, places: &mut Vec<FieldPath>) {
    for (name, inner) in &field.fields {
        at.push(name);
        if name == key {
            places.extend(FieldPath::from_keys(at.iter().copied()));
        }
        find_key(inner, key, at, places);
        at.pop();
    }
}

#[cfg(test)]
mod tests;
