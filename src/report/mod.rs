//! What people and programs get to see: listeners of a run, and renderers of plans and results.
//!
//! Central type: [`ReportRow`], made from a plan and the outcomes of its writes, whether they come live or from a stored
//! run. Uses `model` and `plan`; it never sees `run` or `auth0`, so that any output can be added without touching them.

pub mod compared;
pub mod csv;
pub mod diff;
mod fleet;
mod forecast;
pub mod json;
pub mod ledger;
pub mod problems;
pub mod progress;
mod remaining;
pub mod rows;
pub mod status;
pub mod summary;
pub mod tenants;
pub mod term;
pub mod waves;

pub use rows::{ReportRow, ReportRows, report_rows};
pub use summary::{Summary, summarize};
