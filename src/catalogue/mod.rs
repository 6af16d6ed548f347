//! Which fields there are, and what the API does with them: data generated from Auth0's OpenAPI document, a hand-written overlay of
//! what the document does not say, and the pure rules that both feed: what may be set, how a cell is read, what a PATCH must hold.
//!
//! Central types: [`Kind`] (a kind of object with all its fields) and [`Field`]. Uses `model`.

pub mod cell;
mod check;
mod creating;
mod extra;
pub mod field;
mod format;
pub mod kind;
pub mod kinds;
pub mod linked;
pub mod load;
mod overlay;
pub mod patch;
pub mod redact;
#[cfg(test)]
mod reference;
pub mod validate;

pub use cell::Cell;
pub use field::{Field, FieldType, Merge, Unset, Writable};
pub use kind::{Kind, Lookup};
pub use kinds::{KindName, Kinds};
pub use load::{LoadError, default_kind, defect, kind, kinds, names};
pub use patch::Patch;
pub use redact::SECRET_MARKER;
pub use validate::Fault;
