//! What each fuzz target does with its input, and the laws that it holds it against.
//!
//! | target | parser | laws |
//! |---|---|---|
//! | [`toml_job`] [`csv_job`] [`json_job`] | `patchwave::job::load` | mistakes have a place in the file; what is printed reads back; a plan writes what may be written, and once |
//! | [`expression`] | `patchwave::job::template` | mistakes have a place in the code; what is escaped comes out |
//! | [`plan_file`] | `patchwave::plan::file` | what is read prints as what reads back the same |
//! | [`journal`] | `patchwave::store::journal` | a record of it is the same read again, and cut anywhere |
//! | [`api_answers`] | `patchwave::auth0` | known fields are kept; no secret of the log is recorded; no header makes a run wait for ever |

mod answers;
mod code;
mod jobs;
mod kept;
mod world;

pub use answers::api_answers;
pub use code::expression;
pub use jobs::{csv_job, json_job, toml_job};
pub use kept::{journal, plan_file};

/// The parts of an input, between NUL bytes.
fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == 0)
}
