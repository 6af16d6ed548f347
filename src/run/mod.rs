//! Reads tenants for the planner, and executes a plan: the only place that writes to a tenant.
//!
//! A tenant's loop (`tenant`) keeps writes in flight and reports outcomes; one [`coordinator`] owns the journal, the
//! counts and the decision to stop. For each row: answer → journal durable → listeners hear.
//! Uses `model`, `catalogue`, `plan`, `auth0` and `store`.

mod breaker;
pub mod coordinator;
pub mod read;
mod row;
mod settle;
pub mod signals;
pub mod stop;
mod tenant;

pub use coordinator::{Finished, Limits, RunSetup, TenantRun, execute};
pub use read::read_state;
pub use stop::Stop;
