//! An object of a tenant as the API returned it.

use serde_json::{Map, Value};

use super::EntityId;

/// A JSON object: the body of a client, or of a PATCH.
pub type Body = Map<String, Value>;

/// A client (or an object of another kind) as fetched: its id and the fields that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its id in the tenant it was read from.
    pub id: EntityId,
    /// The fields as returned; a field that was not asked for is not here.
    pub body: Body,
}
