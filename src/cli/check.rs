//! `patchwave check`: everything about a job that can be known offline.

use std::collections::BTreeSet;

use super::args::CheckArgs;
use super::context::{Reading, read_job, state_dir};
use super::error::CliError;
use super::exit;
use super::output::{self, Output};
use crate::catalogue::Kind;
use crate::config::{self, Environment, process_environment};
use crate::job::Job;
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
                let further = further_scopes(&job);
                let scopes: Vec<&str> = further.iter().map(|(scope, _)| *scope).collect();
                let checked = serde_json::json!({ "job": name, "updates": job.updates.len(), "further_scopes": scopes });
                output.result(&checked.to_string());
            }
            Ok(job) => {
                let creates = job.updates.iter().filter(|update| update.is_create()).count();
                let updates = term::count(job.updates.len() - creates, "update");
                let what = match (creates, job.updates.len()) {
                    (0, _) => updates,
                    (creates, all) if creates == all => term::count(creates, "creation"),
                    (creates, _) => format!("{updates}, {}", term::count(creates, "creation")),
                };
                output.text(&format!("{name}: {what}, no mistakes"));
                for (scope, fields) in further_scopes(&job) {
                    output
                        .text(&format!("{name}: needs the scope {scope} besides, for {}", fields.join(", ")));
                }
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        return Ok(exit::OK);
    }
    Err(CliError::job(problems, output::command_line()))
}

/// Scopes that a job's fields need besides the one for updates, each with the fields.
fn further_scopes(job: &Job) -> Vec<(&str, Vec<&str>)> {
    let of_kind = |kind: &'static Kind| {
        let updates = job.updates.iter().filter(|update| update.kind.name == kind.name);
        let written: BTreeSet<&str> =
            updates.flat_map(|update| &update.ops).map(|op| op.path.root()).collect();
        let scopes = kind.field_scopes().into_iter();
        let needed = scopes.map(|(scope, fields)| {
            (scope, fields.into_iter().filter(|field| written.contains(*field)).collect::<Vec<_>>())
        });
        needed.filter(|(_, fields)| !fields.is_empty()).collect::<Vec<_>>()
    };
    job.used().into_iter().flat_map(of_kind).collect()
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
