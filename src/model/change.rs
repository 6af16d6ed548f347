//! One field of one client, before and after.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FieldPath, ListOrder};

/// A field that differs between the tenant's state and what a job asks for.
/// `None` means absent, which is the same as null. Holds no secret: secrets are neither planned nor stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which field: always a leaf (a scalar or a whole list).
    pub path: FieldPath,
    /// What the tenant held when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it holds once the change is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// How two values of this field compare.
    #[serde(default)]
    pub order: ListOrder,
}
