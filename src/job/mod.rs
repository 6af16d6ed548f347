//! Job files read into a [`Job`], offline: forms, field names, types and limits are all checked here, and every
//! mistake is reported at once. Central type: [`Job`]. Uses `model` and `catalogue`.

pub mod check;
pub mod csv;
mod csv_dialect;
mod csv_header;
mod csv_rows;
pub mod json;
mod leaves;
pub mod load;
mod mask;
pub mod pattern;
pub mod toml;
mod toml_tree;
pub mod update;

pub use load::{Bases, LoadOptions, load};
pub use pattern::Pattern;
pub use update::{Action, Expect, Guards, Input, Job, Op, Origin, RowLabel, Selector, Threshold, Update};
