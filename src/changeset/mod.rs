//! Change sets: what was done in one tenant, as a job that does it in others. Pure: states in, a job file out.
//!
//! `difference` finds what differs between two states of one client, `pairs` which clients of two snapshots are one;
//! `source` makes placeholders of what belongs to the source tenant alone, and `recorder` puts the job together.
//! `from_run` reads the states out of a run. Central type: [`Recorder`]. Uses `model`, `catalogue`, `job` and `plan`.

pub mod difference;
pub mod from_run;
pub mod pairs;
pub mod recorder;
pub mod source;

pub use difference::{Change, Edit, LeftOut, difference};
pub use pairs::{Pairs, Snapshot, pairs};
pub use recorder::{ChangeSet, Edited, Header, Recorder};
pub use source::Source;
