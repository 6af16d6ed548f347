//! Which fields there are. Data generated from Auth0's OpenAPI document, with a hand-written overlay of what the document does not say.
//!
//! Central type: [`Field`]. Uses `model`.

pub mod field;

pub use field::{Field, FieldType, Merge, Unset, Writable};
