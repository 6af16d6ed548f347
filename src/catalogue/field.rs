//! What is known of one field: its type, its limits, and how a write treats it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ListOrder;

/// JSON type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// true or false.
    Boolean,
    /// An object.
    Object,
    /// A list.
    Array,
    /// The document does not say.
    #[default]
    Any,
}

/// Whether a field may be written; the stricter is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writable {
    /// PATCH takes it.
    #[default]
    Patch,
    /// Only the create call takes it.
    Create,
    /// The server alone sets it.
    Never,
}

/// What a PATCH does with an object of which it names only some keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// Keys that are not named stay (proven by recorded exchanges).
    PerKey,
    /// Keys that are not named are lost, or nobody knows: the object is sent whole.
    #[default]
    Whole,
}

/// How a field is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unset {
    /// By sending null; the key is absent afterwards.
    Null,
    /// By sending `""`, which reads back as `""` or as absent.
    EmptyString,
    /// By sending `[]`.
    EmptyList,
    /// By sending `{}`.
    EmptyObject,
    /// By sending null for each of its keys; an empty object remains.
    EachKey,
    /// By sending the enclosing object, which is replaced, without it.
    Omit,
    /// By sending its default, which means the same as that it is absent: a switch of the first level that is off.
    Default,
    /// It cannot be emptied.
    #[default]
    No,
}

/// One field, with the fields below it. The generated data and the overlay both have this form; every key may be left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Field {
    /// JSON type.
    #[serde(rename = "type")]
    pub ty: FieldType,
    /// Whether the API takes null for it.
    #[serde(skip_serializing_if = "is_default")]
    pub nullable: bool,
    /// Whether it may be written.
    #[serde(skip_serializing_if = "is_default")]
    pub write: Writable,
    /// The values it may have, where they are listed.
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Regular expression that text must match.
    #[serde(skip_serializing_if = "is_default")]
    pub pattern: Option<String>,
    /// Name of the server's format check (`url-with-placeholders`).
    #[serde(skip_serializing_if = "is_default")]
    pub format: Option<String>,
    /// Fewest characters.
    #[serde(skip_serializing_if = "is_default")]
    pub min_length: Option<u64>,
    /// Most characters.
    #[serde(skip_serializing_if = "is_default")]
    pub max_length: Option<u64>,
    /// Smallest number.
    #[serde(skip_serializing_if = "is_default")]
    pub minimum: Option<i64>,
    /// Largest number.
    #[serde(skip_serializing_if = "is_default")]
    pub maximum: Option<i64>,
    /// Fewest items.
    #[serde(skip_serializing_if = "is_default")]
    pub min_items: Option<u64>,
    /// Most items.
    #[serde(skip_serializing_if = "is_default")]
    pub max_items: Option<u64>,
    /// Whether no item may stand twice.
    #[serde(skip_serializing_if = "is_default")]
    pub unique_items: bool,
    /// Fewest keys.
    #[serde(skip_serializing_if = "is_default")]
    pub min_properties: Option<u64>,
    /// Most keys.
    #[serde(skip_serializing_if = "is_default")]
    pub max_properties: Option<u64>,
    /// Whether keys beyond `fields` are accepted (`client_metadata`).
    #[serde(skip_serializing_if = "is_default")]
    pub open: bool,
    /// Keys that must be there whenever the object is sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The value that a missing key has.
    #[serde(skip_serializing_if = "is_default")]
    pub default: Option<Value>,
    /// Whether the document calls it deprecated.
    #[serde(skip_serializing_if = "is_default")]
    pub deprecated: bool,
    /// Whether its value must never be seen.
    #[serde(skip_serializing_if = "is_default")]
    pub secret: bool,
    /// Scope that writing it needs beside the kind's own.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: Option<String>,
    /// Scopes any of which reading it needs; none where what reads the object reads it too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_scopes: Vec<String>,
    /// Whether the order of the list matters.
    #[serde(skip_serializing_if = "is_default")]
    pub order: ListOrder,
    /// What a PATCH with some of its keys does.
    #[serde(skip_serializing_if = "is_default")]
    pub merge: Merge,
    /// How it is emptied.
    #[serde(skip_serializing_if = "is_default")]
    pub unset: Unset,
    /// Whether what empties it (`""`, `[]`, `{}`) is taken and reads back as absent.
    #[serde(skip_serializing_if = "is_default")]
    pub empty_is_absent: bool,
    /// Whether a PATCH that does not name it sets it back, so that every PATCH has to name it.
    #[serde(skip_serializing_if = "is_default")]
    pub sent_along: bool,
    /// Whether an absent object gets all its defaults when a first key is set.
    #[serde(skip_serializing_if = "is_default")]
    pub fills_defaults: bool,
    /// Whether changing it on the client that the runner itself signs in with cannot lock the runner out.
    #[serde(skip_serializing_if = "is_default")]
    pub safe_on_own: bool,
    /// Whether the service keeps the text in lower case, however it is sent.
    #[serde(skip_serializing_if = "is_default")]
    pub lower_case: bool,
    /// Where the value is to be seen, if not under its own name: a key of the items of another list (`identities[].connection`).
    #[serde(skip_serializing_if = "is_default")]
    pub shown_at: Option<String>,
    /// Whether the value holds ids that mean nothing in another tenant.
    #[serde(skip_serializing_if = "is_default")]
    pub tenant_specific: bool,
    /// The kind of object whose ids the value, or each item of the list, is: they mean nothing in another tenant.
    #[serde(skip_serializing_if = "is_default")]
    pub references: Option<String>,
    /// The fields below an object.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Field>,
    /// For an open map, what its keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Box<Field>>,
    /// Where values of several types are taken: each of them. The type is [`FieldType::Any`] then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Field>,
    /// What the items of a list are; for an open map, what its values are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Field>>,
}

impl Field {
    /// Whether it may have fields below it, as far as is known.
    pub fn takes_keys(&self) -> bool {
        matches!(self.ty, FieldType::Object | FieldType::Any)
    }

    /// The listed value that a text is another spelling of: `SPA` and `Regular Web` for `spa` and `regular_web`. Auth0 knows
    /// no such value, whatever it may add to the list.
    pub fn spelt_otherwise(&self, text: &str) -> Option<&str> {
        let plain = |text: &str| text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let listed = self.values.iter().find(|value| plain(value) == plain(text))?;
        (!self.values.iter().any(|value| value == text)).then_some(listed)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
