//! A job and a tenant's state resolved into a [`Plan`]: so exact that running it leaves no choice.
//! Pure: no I/O, no clock. Uses `model`, `catalogue` and `job`.

pub mod check_answer;
pub mod compose;
pub mod creates;
mod ending;
mod exactly;
mod faults;
pub mod file;
pub mod forecast;
pub mod guard;
mod hits;
pub mod index;
mod judge;
mod judging;
pub mod needs;
pub mod references;
pub mod rejudge;
mod repeat;
pub mod resolve;
pub mod revive;
mod row_lists;
pub mod select;
mod shard;
pub mod state;
pub mod types;
pub mod undo;
pub mod warnings;
pub mod waves;
pub mod waves_by;
pub mod writes;

pub use check_answer::{Answer, as_planned, check_answer};
pub use compose::{predicted, sends_whole};
pub use guard::Refusal;
pub use needs::{KindNeeds, Needs, needs};
pub use rejudge::{OnConflict, Rejudged, rejudge};
pub use resolve::{Narrow, PlanOptions, Unplannable, plan_tenant};
pub use shard::{Part, Shard};
pub use state::{Missing, TenantState, TenantStates};
pub use types::{
    Counts, Done, Header, Left, NamedObject, Plan, Row, RowState, TakesBack, TenantFailure, TenantPlan,
    Totals, Write, is_from_place,
};
pub use warnings::{protects_a_name, protects_nobody, warnings};
pub use waves_by::{TagWaves, WavesBy};
pub use writes::Writes;
