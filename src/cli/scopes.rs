//! What templates see of each tenant: variables from three places, the tenant itself, permitted environment variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::JobArgs;
use super::connect::Session;
use super::error::CliError;
use super::{output, secrets};
use crate::job::{self, Job, TenantScope};
use crate::model::secret::names_credential;
use crate::model::{Body, Problem, SecretPlace};
use crate::plan::{KindNeeds, Narrow, needs};

/// One scope a tenant. Variables: those of the command line over the tenant's over the job's.
pub(super) fn of_tenants(
    job: &Job,
    session: &Session,
    args: &JobArgs,
) -> Result<Vec<Arc<TenantScope>>, CliError> {
    let given = given(session, args)?;
    let env = environment(session, args)?;
    let scope = |target: &super::connect::Target| {
        let mut vars = job.vars.clone();
        vars.extend(target.vars.clone());
        vars.extend(given.clone());
        let mut secrets = secrets::among(&job.vars, args);
        // A variable of the same name hides the job's, whatever it holds.
        secrets.retain(|name, _| !target.vars.contains_key(name));
        secrets.extend(target.secrets.keys().map(|name| (name.clone(), SecretPlace::Var(name.clone()))));
        secrets.retain(|name, _| !given.contains_key(name));
        let scope = TenantScope::new(&target.tenant, Some(&target.domain), &target.tags, vars, env.clone());
        Arc::new(scope.with_secrets(secrets))
    };
    Ok(session.targets.iter().map(scope).collect())
}

/// `--var`, over the lines of `PATCHWAVE_VAR`. They are texts: a template can make something else of them.
fn given(session: &Session, args: &JobArgs) -> Result<Body, CliError> {
    let mut vars = Body::new();
    let lines = session.env.flag("var").map(|var| var.expose().to_owned()).unwrap_or_default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| CliError::usage("PATCHWAVE_VAR: each line must be NAME=VALUE"))?;
        vars.insert(name.trim().to_owned(), value.into());
    }
    for (name, value) in &args.vars {
        vars.insert(name.clone(), value.as_str().into());
    }
    Ok(vars)
}

/// The variables that `env()` may give, as far as they are set.
fn environment(session: &Session, args: &JobArgs) -> Result<BTreeMap<String, String>, CliError> {
    let mut env = BTreeMap::new();
    for name in args.allow_env.iter().chain(&session.allow_env) {
        if names_credential(name) {
            let what =
                format!("--allow-env: `{name}` is, or may hold, a credential, and no template may read it");
            return Err(CliError::usage(what));
        }
        if let Some(var) = session.env.get(name) {
            env.insert(name.clone(), var.expose().to_owned());
        }
    }
    Ok(env)
}

/// What must be read of each tenant. The job's selectors are filled in for one tenant at a time, since that can take a copy.
pub(super) fn needs_of(
    job: &Job,
    scopes: &[Arc<TenantScope>],
    narrow: &Narrow,
) -> Result<Vec<KindNeeds>, CliError> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut all = Vec::new();
    for scope in scopes {
        match job::bind(job, scope) {
            Ok(bound) => all.push(needs(&bound, scope, narrow)),
            Err(more) => problems.extend(more),
        }
    }
    problems.dedup();
    if problems.is_empty() { Ok(all) } else { Err(CliError::job(problems, output::command_line())) }
}
