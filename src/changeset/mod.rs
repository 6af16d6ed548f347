//! Changes that were made once, recorded so that they can be made elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `differing.rs` | where two states of an object differ, and which of the differences follow from the others |
//! | `from_log.rs` | a tenant's log squashed into the net change of each client |
//!
//! Pure: no I/O, no clock. Uses `model` and `catalogue`.

pub mod differing;
pub mod from_log;
