//! JSON objects as expressions see them: a client and what is below it, variables, the tenant.

use std::fmt;
use std::sync::Arc;

use minijinja::Value as Shown;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::Value;

use super::absent::Absent;
use super::notes;
use crate::catalogue::{Kind, Lookup};
use crate::model::suggest::nearest;
use crate::model::{Body, FieldPath};

/// An object, reached by a path from a body that is shared: nothing is copied until a scalar is asked for.
pub(super) struct Node {
    body: Arc<Body>,
    /// Where in the body; `None` for all of it.
    at: Option<FieldPath>,
    /// The kind that says which keys there can be; `None` where only the keys that are there exist.
    kind: Option<&'static Kind>,
    /// What the job calls it, to stand before a dot; empty for a client's own fields.
    name: String,
}

impl Node {
    /// A client: a key that the catalogue knows is none where the client lacks it.
    pub(super) fn client(body: &Arc<Body>, kind: &'static Kind, name: &str) -> Self {
        Self { body: Arc::clone(body), at: None, kind: Some(kind), name: name.to_owned() }
    }

    /// Something whose keys are all there are.
    pub(super) fn closed(body: &Arc<Body>, name: &str) -> Self {
        Self { body: Arc::clone(body), at: None, kind: None, name: name.to_owned() }
    }

    fn object(&self) -> Option<&Body> {
        match &self.at {
            None => Some(&self.body),
            Some(path) => path.get(&self.body)?.as_object(),
        }
    }

    fn child(&self, key: &str) -> FieldPath {
        self.at.as_ref().map_or_else(|| FieldPath::root_field(key), |at| at.child(key))
    }

    fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<Shown> {
        let object = self.object()?;
        match object.get(key) {
            Some(Value::Object(_)) => Some(Shown::from_object(Self {
                body: Arc::clone(&self.body),
                at: Some(self.child(key)),
                kind: self.kind,
                name: self.name_of(key),
            })),
            Some(value) if !value.is_null() => Some(shown(value)),
            found => self.absent(key, object, found.is_some()),
        }
    }

    /// A key without a value: none where it can have one, else a mistake, unless the job asks whether it is there.
    fn absent(&self, key: &str, object: &Body, is_null: bool) -> Option<Shown> {
        let name = self.name_of(key);
        let near = match self.kind {
            // Plain names were judged when the job was read and planned: some client has it, or it is known. What stands
            // behind `client` may be spelt in ways that cannot be judged beforehand.
            Some(_) if self.at.is_none() && self.name.is_empty() => return Some(Absent::at(name)),
            Some(kind) => match kind.lookup(&self.child(key)) {
                Lookup::Unknown { near } => near,
                _ => return Some(Absent::at(name)),
            },
            None => nearest(key, object.keys().map(String::as_str)).map(|near| self.name_of(near)),
        };
        if is_null {
            return Some(Absent::at(name));
        }
        notes::missing(name, near);
        None
    }
}

/// A JSON value for expressions. Objects inside lists know only their own keys.
pub(super) fn shown(value: &Value) -> Shown {
    match value {
        Value::Null => Absent::at("a list's item"),
        Value::Bool(flag) => Shown::from(*flag),
        Value::Number(number) => number
            .as_i64()
            .map(Shown::from)
            .or_else(|| number.as_u64().map(Shown::from))
            .unwrap_or_else(|| Shown::from(number.as_f64().unwrap_or_default())),
        Value::String(text) => Shown::from(text.as_str()),
        Value::Array(items) => Shown::from_object(List(items.iter().map(shown).collect())),
        Value::Object(map) => Shown::from_object(Node::closed(&Arc::new(map.clone()), "item")),
    }
}

impl Object for Node {
    /// Not a map for the engine: to it `'x' in map` is whether a lookup gives anything, and a lookup gives none for what is
    /// absent. As a sequence of its keys the question is answered right.
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Shown) -> Option<Shown> {
        self.get(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Shown> {
        self.get(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.object().into_iter().flat_map(|object| {
            object.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| Shown::from(key.as_str()))
        });
        Enumerator::Values(keys.collect())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.object().is_some_and(|object| !object.is_empty())
    }

    /// Nobody wants the inside of an object in a name.
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        notes::structure();
        let text = self.object().and_then(|object| serde_json::to_string(object).ok());
        f.write_str(&text.unwrap_or_default())
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.name)
    }
}

/// A list, which is not to become text by accident.
#[derive(Debug)]
struct List(Vec<Shown>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Shown) -> Option<Shown> {
        self.0.get(usize::try_from(key.clone()).ok()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        notes::structure();
        f.debug_list().entries(&self.0).finish()
    }
}

/// The value as JSON, where it is one of ours.
pub(super) fn json_of(value: &Shown) -> Option<Body> {
    value.downcast_object_ref::<Node>().and_then(Node::object).cloned()
}
