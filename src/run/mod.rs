//! Reads tenants for the planner, and executes a plan: the only place that writes to a tenant.
//!
//! A tenant's loop (`tenant`) claims writes in blocks, keeps them in flight and reports outcomes; one [`coordinator`] goes
//! through the waves; its `ledger` makes each entry durable before anybody hears of it. For each row: claim → journal → answer
//! → journal → listeners hear. Uses `model`, `catalogue`, `plan`, `auth0` and `store`.

mod breaker;
pub mod coordinator;
mod create;
mod ledger;
mod lists;
pub mod live;
mod queue;
pub mod read;
mod refresh;
pub mod rehearse;
mod row;
mod settle;
pub mod signals;
pub mod stop;
mod tenant;
mod verdict;
mod verify;

pub use coordinator::{Finished, Limits, RunSetup, TenantRun, execute};
pub use queue::Task;
pub use read::read_states;
pub use rehearse::{Course, Rehearsed};
pub use stop::Stop;
