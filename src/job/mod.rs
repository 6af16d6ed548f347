//! Job files read into a [`Job`], offline: forms, field names, types and limits are all checked here, and every
//! mistake is reported at once. Central type: [`Job`]. Uses `model` and `catalogue`.
//!
//! One reader a form: `toml`, `csv`, `json`; `load` tells which. What they have in common: `leaves` takes nested values
//! apart, `template` is what is written in `{{ … }}` and `where`, `term` a value that may hold templates, `want` what an
//! operation asks of one client once they are filled in. `print` writes a job as TOML.

pub mod check;
pub mod csv;
pub mod fetched;
pub mod guards;
pub mod json;
pub mod label;
mod leaves;
pub mod load;
pub mod mapping;
mod mask;
pub mod pattern;
pub mod print;
pub mod printed;
pub mod recorded;
mod replace;
pub mod selector;
pub mod template;
pub mod term;
pub mod toml;
pub mod update;
pub mod want;

pub use guards::{Count, Guards, Threshold, WaveSize};
pub use label::RowLabel;
pub use load::{Bases, Files, LoadOptions, load};
pub use mapping::Mapping;
pub use pattern::Pattern;
pub use printed::Printed;
pub use recorded::Recorded;
pub use selector::{Rule, Selector, bind};
pub use template::{Expression, Ids, RowCells, Scope, TenantScope};
pub use term::Term;
pub use update::{Action, Expect, Extras, Input, Job, Op, Origin, Update};
pub use want::Want;
