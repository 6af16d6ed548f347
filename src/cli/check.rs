//! `patchwave check`: everything about a job that can be known offline.

use super::args::CheckArgs;
use super::context::{Reading, state_dir};
use super::error::CliError;
use super::exit;
use super::output::{self, Output};
use crate::config::{Environment, process_environment};
use crate::report::term;

/// Checks each file and reports all that is wrong with all of them.
pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<u8, CliError> {
    let env = Environment::new(process_environment());
    let state = state_dir(args.state_dir.as_deref(), &env)?;
    let mut problems = Vec::new();
    let reading = Reading { state: &state, args: &args.read, extra_fields: &[] };
    for name in &args.jobs {
        match reading.checked(name, output) {
            Ok(job) if output.json() => {
                output.result(&serde_json::json!({ "job": name, "updates": job.updates.len() }).to_string());
            }
            Ok(job) => {
                output.text(&format!("{name}: {}, no mistakes", term::count(job.updates.len(), "update")));
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        return Ok(exit::OK);
    }
    Err(CliError::job(problems, output::command_line()))
}
