//! Change sets: what was done in one tenant, as a job that does it in others. Pure: states in, a job file out.
//!
//! | file | what |
//! |---|---|
//! | `difference.rs` | what differs between two states of one client, as the fewest changes that a job can ask for |
//! | `pairs.rs` | which clients of two snapshots are one |
//! | `source.rs` | placeholders for what belongs to the source tenant alone |
//! | `recorder.rs` | the job, put together client by client; its central type is [`Recorder`] |
//! | `from_run.rs` | the states before and after, out of a run |
//! | `from_log.rs` | the same out of a tenant's log: each client's events squashed into their net change |
//! | `differing.rs` | where two states differ, for what the log cannot explain |
//!
//! Uses `model`, `catalogue`, `job` and `plan`.

pub mod difference;
pub mod differing;
pub mod from_log;
pub mod from_run;
pub mod pairs;
pub mod recorder;
pub mod source;

pub use difference::{Change, Edit, LeftOut, difference};
pub use pairs::{Pairs, Snapshot, pairs};
pub use recorder::{ChangeSet, Edited, Header, Recorder};
pub use source::{Known, Named, Source};
