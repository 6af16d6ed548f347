//! What a job must have before it is planned for tenants that it was not made in: variables, guards, a map of clients.

use std::sync::Arc;

use super::args::{ConflictArg, JobArgs};
use super::connect::Session;
use super::error::CliError;
use super::output::{self, Output};
use super::secrets;
use crate::job::{Input, Job, Mapping, TenantScope};
use crate::model::suggest::nearest;
use crate::model::{Problem, TenantName};
use crate::plan::Refusal;
use crate::report::term;

/// Reads the map, and refuses to overwrite what nobody has looked at. `writes`: whether anything will be written.
pub(super) fn prepare(
    job: &mut Job,
    session: &Session,
    args: &JobArgs,
    (on_conflict, writes): (ConflictArg, bool),
    output: &Output,
) -> Result<(), CliError> {
    let note = term::paint(term::WARN, "warning:");
    if let Some(path) = &args.map {
        let name = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| CliError::usage(format!("--map: cannot read {name}: {error}")))?;
        let mapping = Mapping::read(Input { name: &name, bytes: &bytes })
            .map_err(|problems| CliError::job(problems, output::command_line()))?;
        unknown_tenants(&mapping, session, &name)?;
        for key in mapping.unused(job) {
            output.note(&format!("{note} --map: the job has no \"{}\"", term::safe(&key)));
        }
        job.mapping = Some(Arc::new(mapping));
    }
    if let Some(id) = crate::job::recorded::id(job).filter(|id| id.edited) {
        output.note(&format!("{note} {} was edited since it was recorded", term::safe(&id.name)));
    }
    let unguarded = job.updates.iter().any(|update| update.extras().unguarded);
    match guarded(on_conflict) {
        Err(error) if unguarded && writes => Err(error),
        Err(error) if unguarded => {
            output.note(&format!("{note} {}", error.message()));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A map for a tenant that nobody knows would be a map for nobody.
fn unknown_tenants(mapping: &Mapping, session: &Session, name: &str) -> Result<(), CliError> {
    let known = || session.known.iter().chain(session.targets.iter().map(|target| &target.tenant));
    let problems: Vec<Problem> = mapping
        .tenants()
        .filter(|tenant| !known().any(|known| known == *tenant))
        .map(|tenant| {
            let near = nearest(tenant.as_str(), known().map(TenantName::as_str));
            let near = near.map(|near| format!("did you mean `{near}`?"));
            Problem::new(format!("{name}: there is no tenant `{tenant}`")).maybe_help(near)
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(CliError::job(problems, output::command_line())) }
}

/// What nothing guards is not written unless that is said.
pub(super) fn guarded(on_conflict: ConflictArg) -> Result<(), CliError> {
    if on_conflict == ConflictArg::Overwrite {
        return Ok(());
    }
    Err(CliError::refused(&[Refusal {
        what: "it was recorded without the state before: nobody knows what would be overwritten".to_owned(),
        help: "look at what --dry-run --on-conflict overwrite shows, then say --on-conflict overwrite; or record it again with --before FILE"
            .to_owned(),
    }]))
}

/// Variables that tenants lack: every one of every tenant must be there before anything is read.
pub(super) fn missing_vars(job: &Job, session: &Session, scopes: &[Arc<TenantScope>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let of_secrets = secrets::variables(job);
    for (target, scope) in session.targets.iter().zip(scopes) {
        let needed = job.needed_vars(&target.tenant);
        for (name, update) in needed.into_iter().filter(|(name, _)| !scope.has_var(name)) {
            let what = format!("there is no `vars.{name}` for tenant {}", target.tenant);
            let near =
                nearest(&name, scope.var_names()).map(|near| format!("did you mean `vars.{near}`? else "));
            let table = format!("vars of [tenants.{}]", target.tenant);
            let help = if of_secrets.contains(&name) {
                format!(
                    "it stands for a secret: write {name} = {{ env = \"…\" }}, {{ file = \"…\" }} or {{ command = \"…\" }} into {table}"
                )
            } else {
                format!(
                    "{}write it into {table}, or give it with --var {name}=VALUE",
                    near.unwrap_or_default()
                )
            };
            problems.push(Problem::new(what).at(&update.origin.file, update.origin.span.clone()).help(help));
        }
    }
    problems
}
