//! The items of an association: their form in requests, in the store and in answers.

use serde_json::{Value, json};

use super::super::super::reply::Refusal;
use super::super::rules::no_such;
use super::super::{Objects, Shelf};
use super::object;
use crate::catalogue::{Field, FieldType, Kind};
use crate::model::Body;
use crate::model::endpoint::{Association, Call, Shape};

const API: &str = "resource_server_identifier";
const PERMISSION: &str = "permission_name";
const CONNECTION: &str = "connection_id";

/// The items of an object, each as an object with its keys.
pub(super) fn held(body: &Body, association: &Association) -> Vec<Value> {
    let list = body.get(&association.field).and_then(Value::as_array);
    let one = |item: &Value| match item.as_str() {
        Some(text) => keys_of(association, text),
        None => item.clone(),
    };
    list.into_iter().flatten().map(one).collect()
}

/// Stores the items of an object.
pub(super) fn put(body: &mut Body, association: &Association, items: Vec<Value>) {
    let plain = |item: Value| match association.keys.first().filter(|_| association.plain) {
        Some(key) => item.get(key).cloned().unwrap_or_default(),
        None => item,
    };
    body.insert(association.field.clone(), items.into_iter().map(plain).collect());
}

/// An item with nothing but its first key.
pub(super) fn keys_of(association: &Association, key: &str) -> Value {
    let named = association.keys.first().map(|name| (name.clone(), Value::from(key)));
    Value::Object(named.into_iter().collect())
}

/// Whether two items have the same keys.
pub(super) fn is_same(association: &Association, one: &Value, other: &Value) -> bool {
    association.keys.iter().all(|key| one.get(key) == other.get(key))
}

/// An item as it is stored: its keys, and its attributes, which have defaults.
pub(super) fn new(kind: &Kind, association: &Association, sent: &Value) -> Value {
    let mut item = Body::new();
    for key in &association.keys {
        item.insert(key.clone(), sent.get(key).cloned().unwrap_or_default());
    }
    for attribute in &association.attributes {
        let default = field_of(kind, association, attribute).and_then(|field| field.default);
        if let Some(value) = sent.get(attribute).cloned().or(default) {
            item.insert(attribute.clone(), value);
        }
    }
    Value::Object(item)
}

/// What the catalogue knows of a key or an attribute.
pub(in crate::sandbox::objects) fn field_of(
    kind: &Kind,
    association: &Association,
    name: &str,
) -> Option<Field> {
    let list = kind.root().fields.get(&association.field)?;
    let items = list.items.as_deref()?;
    if !association.plain {
        return items.fields.get(name).cloned();
    }
    // What the items of a plain list refer to may stand at the list.
    let references = items.references.clone().or_else(|| list.references.clone());
    Some(Field { references, ..items.clone() })
}

/// What an item in a request may hold.
pub(super) fn item_field(kind: &Kind, association: &Association, call: &Call) -> Field {
    let keys = association.keys.iter().filter(|_| !call.at_item);
    let attributes = association.attributes.iter().filter(|_| call.body == Shape::Item);
    let named = keys.clone().chain(attributes);
    let known = |name: &String| (name.clone(), field_of(kind, association, name).unwrap_or_default());
    let mut fields: indexmap::IndexMap<String, Field> = named.map(known).collect();
    for mark in call.mark.keys() {
        fields.insert(mark.clone(), Field { ty: FieldType::Boolean, ..Field::default() });
    }
    Field {
        ty: FieldType::Object,
        required: keys.chain(call.mark.keys()).cloned().collect(),
        fields,
        ..Field::default()
    }
}

/// What the body of a call may be.
pub(super) fn body_field(call: &Call, association: &Association, item: Field) -> Field {
    if call.body != Shape::List {
        return item;
    }
    let list = Field {
        ty: FieldType::Array,
        min_items: Some(1),
        max_items: Some(association.batch as u64),
        items: Some(Box::new(item)),
        ..Field::default()
    };
    match &call.key {
        None => list,
        Some(key) => Field {
            ty: FieldType::Object,
            required: vec![key.clone()],
            fields: [(key.clone(), list)].into_iter().collect(),
            ..Field::default()
        },
    }
}

impl Objects {
    /// What an item names has to be there, unless the item was there before.
    pub(super) fn check_item(
        &self,
        shelf: &Shelf,
        association: &Association,
        item: &Value,
        before: &[Value],
    ) -> Result<(), Refusal> {
        if before.iter().any(|held| is_same(association, held, item)) {
            return Ok(());
        }
        for key in association.keys.iter().filter(|key| *key != API) {
            let field = field_of(shelf.kind, association, key);
            let Some(kind) = field.and_then(|field| field.references) else { continue };
            let id = item.get(key).and_then(Value::as_str).unwrap_or_default();
            if !self.exists(&kind, id) {
                return Err(no_such(&kind, id));
            }
        }
        match item.get(API) {
            Some(api) => self.check_permission(api, item.get(PERMISSION).unwrap_or(&Value::Null)),
            None => Ok(()),
        }
    }

    fn check_permission(&self, api: &Value, permission: &Value) -> Result<(), Refusal> {
        let found = self.shelf("resource-servers").and_then(|apis| apis.having(&[("identifier", api)]));
        let Some(found) = found else {
            return Err(no_such("resource-servers", api.as_str().unwrap_or_default()));
        };
        match scope(&found, permission) {
            Some(_) => Ok(()),
            None => {
                let name = permission.as_str().unwrap_or_default();
                Err(Refusal::body(format!("The resource server has no permission {name}")))
            }
        }
    }

    /// An item as answers show it: with what it names in words.
    pub(super) fn shown(&self, item: &Value) -> Value {
        let mut shown = object(item);
        if let Some(id) = item.get(CONNECTION).and_then(Value::as_str) {
            let connection = self.shelf("connections").and_then(|shelf| shelf.store.get(id));
            let connection = connection.map(|slot| slot.read().body()).unwrap_or_default();
            let told = json!({ "name": connection.get("name"), "strategy": connection.get("strategy") });
            shown.insert("connection".into(), told);
        }
        if let Some(api) = item.get(API) {
            let found = self.shelf("resource-servers").and_then(|apis| apis.having(&[("identifier", api)]));
            let found = found.unwrap_or_default();
            let description = scope(&found, &item[PERMISSION]).and_then(|scope| scope.get("description"));
            shown.insert("description".into(), description.cloned().unwrap_or_default());
            shown.insert("resource_server_name".into(), found.get("name").cloned().unwrap_or_default());
        }
        Value::Object(shown)
    }
}

/// A permission of an API.
fn scope<'a>(api: &'a Body, name: &Value) -> Option<&'a Value> {
    let scopes = api.get("scopes").and_then(Value::as_array)?;
    scopes.iter().find(|scope| scope.get("value") == Some(name))
}
