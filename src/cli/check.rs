//! `patchwave check`: everything about a job that can be known offline.

use super::args::CheckArgs;
use super::context::{Reading, read_job, state_dir};
use super::error::CliError;
use super::exit;
use super::output::{self, Output};
use crate::config::{self, Environment, process_environment};
use crate::plan::file;
use crate::report::term;

/// Checks each file and reports all that is wrong with all of them.
pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<u8, CliError> {
    let env = Environment::new(process_environment());
    let state = state_dir(args.state_dir.as_deref(), &env)?;
    let mut problems = Vec::new();
    let extra_fields = extra_fields(args, &env)?;
    let reading = Reading { state: &state, args: &args.read, extra_fields: &extra_fields };
    for name in &args.jobs {
        let bytes = read_job(name).map_err(|problem| vec![problem]);
        if let Some(plan) = bytes.as_ref().ok().filter(|bytes| file::is_plan(bytes)) {
            whole(name, plan, output)?;
            continue;
        }
        let checked = bytes.and_then(|bytes| reading.checked(name, &bytes, output));
        match checked {
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

/// A saved plan has nothing to be checked but that it is whole: it was checked when it was made.
fn whole(name: &str, bytes: &[u8], output: &Output) -> Result<(), CliError> {
    let plan = file::parse(bytes).map_err(|error| CliError::unusable(format!("the plan {name}: {error}")))?;
    let changes = plan.totals().writes;
    if output.json() {
        output.result(&serde_json::json!({ "plan": name, "changes": changes }).to_string());
    }
    output.text(&format!("{name}: a saved plan of {}, whole", term::count(changes, "change")));
    Ok(())
}

/// Fields that the configuration lets through. Its tenants are of no concern here: where nobody named the file, one that
/// cannot be read is left for the verbs that need it.
fn extra_fields(args: &CheckArgs, env: &Environment) -> Result<Vec<String>, CliError> {
    let Ok(cwd) = std::env::current_dir() else { return Ok(Vec::new()) };
    match config::load(args.config.as_deref(), &cwd, env) {
        Ok(config) => Ok(config.map(|config| config.extra_fields).unwrap_or_default()),
        Err(problems) if args.config.is_some() => Err(CliError::config(problems)),
        Err(_) => Ok(Vec::new()),
    }
}
