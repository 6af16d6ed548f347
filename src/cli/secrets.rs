//! Secrets that a job sets, fetched from where they are kept: before anything is read for a job, and anew for a plan that was
//! saved and for a run that is resumed, since nothing on disk has them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use indexmap::IndexMap;
use serde_json::Value;

use super::args::JobArgs;
use super::connect::{SECRETS, Session, Target};
use super::context::path_beside;
use super::error::CliError;
use crate::catalogue::validate;
use crate::config::{SecretSource, fetch_for};
use crate::job::{Job, Op, Scope, TenantScope, Term, Update, want};
use crate::model::secret::names_own_credential;
use crate::model::{Body, Problem, Secret, SecretPlace, Secrets, TenantName};
use crate::plan::Plan;

/// What was fetched, tenant by tenant.
pub(super) type Fetched = HashMap<TenantName, Arc<Secrets>>;

/// Variables of a job that say where a secret is kept. A job runs no commands.
pub(super) fn among(vars: &Body, args: &JobArgs) -> BTreeMap<String, SecretPlace> {
    let place = |value: &Value| {
        let table = value.as_object().filter(|table| table.len() == 1)?;
        let (kind, name) = table.iter().next()?;
        let name = name.as_str().filter(|name| !name.is_empty())?;
        match kind.as_str() {
            "env" if !names_own_credential(name) => Some(SecretPlace::Env(name.to_owned())),
            "file" => Some(SecretPlace::file(&path_beside(&args.job, name))),
            _ => None,
        }
    };
    vars.iter().filter_map(|(name, value)| Some((name.clone(), place(value)?))).collect()
}

/// The variables that must say where a secret is kept.
pub(super) fn variables(job: &Job) -> Vec<String> {
    let ops = job.updates.iter().flat_map(|update| update.ops.iter().map(|op| (update.kind, op)));
    let of_secrets = ops
        .filter(|(kind, op)| matches!(op.action.term(), Some(Term::Template(_))) && kind.is_secret(&op.path));
    of_secrets.filter_map(|(_, op)| op.action.term()?.variable()).collect()
}

/// Fetches the secrets that a job sets, one list a tenant of the session; what is missing joins the problems.
pub(super) async fn of_job(
    job: &Job,
    session: &Session,
    scopes: &[Arc<TenantScope>],
    problems: &mut Vec<Problem>,
) -> Vec<(TenantName, Arc<Secrets>)> {
    let asked: Vec<_> = scopes.iter().map(|scope| wanted(job, scope, problems)).collect();
    let places = session.targets.iter().zip(&asked);
    let places = places.flat_map(|(target, asked)| asked.keys().map(move |place| (target, place.clone())));
    let mut found = fetched(session, places.collect()).await.into_iter();
    let mut all = Vec::with_capacity(asked.len());
    for (target, asked) in session.targets.iter().zip(asked) {
        let mut secrets = Vec::new();
        for ((place, asking), found) in asked.into_iter().zip(found.by_ref()) {
            let Some(first) = asking.first() else { continue };
            match found {
                Ok(secret) => {
                    for (update, op) in &asking {
                        if let Some(fault) = validate::secret_value(update.kind, &op.path, secret.expose()) {
                            let what = format!("{} {place}", fault.what);
                            note(problems, Problem::new(what).maybe_help(fault.help), (update, op));
                        }
                    }
                    secrets.push((place, secret));
                }
                Err(problem) => note(problems, problem, *first),
            }
        }
        all.push((target.tenant.clone(), Arc::new(secrets.into_iter().collect())));
    }
    all
}

/// What a place of the job lacks, it lacks for every tenant: it is told once.
fn note(problems: &mut Vec<Problem>, problem: Problem, (update, op): (&Update, &Op)) {
    let problem = problem.at(&update.origin.file, op.span.clone());
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}

/// The places of the secrets that a job sets in a tenant, each with the operations that ask for it.
fn wanted<'j>(
    job: &'j Job,
    scope: &Arc<TenantScope>,
    problems: &mut Vec<Problem>,
) -> IndexMap<SecretPlace, Vec<(&'j Update, &'j Op)>> {
    let sees = Scope::of_tenant(scope, None);
    let mut wanted: IndexMap<SecretPlace, Vec<(&Update, &Op)>> = IndexMap::new();
    for update in job.updates.iter().filter(|update| update.is_for(&scope.name)) {
        for op in &update.ops {
            match want::secret_place(update.kind, op, &sees) {
                None => (),
                Some(Ok(place)) => {
                    let asking = wanted.entry(place).or_default();
                    // Rows by the thousand may ask for the same.
                    if asking.iter().all(|(_, other)| other.path != op.path) {
                        asking.push((update, op));
                    }
                }
                Some(Err(fault)) => {
                    let variable = op.action.term().and_then(Term::variable);
                    // One that is missing altogether has been told.
                    if variable.is_some_and(|variable| scope.has_var(&variable)) {
                        note(problems, Problem::new(fault.what).maybe_help(fault.help), (update, op));
                    }
                }
            }
        }
    }
    wanted
}

/// Fetches the secrets that a plan sets.
///
/// # Errors
/// Where some cannot be had any more: which, all at once. Nothing was written.
pub(super) async fn of_plan(session: &Session, plan: &Plan) -> Result<Fetched, CliError> {
    let mut places = Vec::new();
    for part in &plan.tenants {
        let target = session.target(&part.tenant);
        places.extend(
            target
                .into_iter()
                .flat_map(|target| part.writes.places().iter().map(move |place| (target, place.clone()))),
        );
    }
    let mut all: HashMap<TenantName, Vec<(SecretPlace, Secret)>> = HashMap::new();
    let mut problems: Vec<Problem> = Vec::new();
    let found = fetched(session, places.clone()).await;
    for ((target, place), found) in places.into_iter().zip(found) {
        match found {
            Ok(secret) => all.entry(target.tenant.clone()).or_default().push((place, secret)),
            Err(problem) if problems.contains(&problem) => (),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        let of = |(tenant, secrets): (_, Vec<_>)| (tenant, Arc::new(secrets.into_iter().collect()));
        return Ok(all.into_iter().map(of).collect());
    }
    Err(CliError::setup("secrets that the plan sets cannot be had; nothing was written").with(problems))
}

/// What is found at these places, in their order.
async fn fetched(session: &Session, places: Vec<(&Target, SecretPlace)>) -> Vec<Result<Secret, Problem>> {
    // Gathered first: a stream that makes its futures from borrowed places would not be `Send`.
    let all: Vec<_> = places.into_iter().map(|(target, place)| one(session, target, place)).collect();
    stream::iter(all).buffered(SECRETS).collect().await
}

async fn one(session: &Session, target: &Target, place: SecretPlace) -> Result<Secret, Problem> {
    let of_tenant = matches!(place, SecretPlace::Var(_));
    let source = match place {
        // No plan that came from somewhere else gets what a job would not.
        SecretPlace::Env(name) if names_own_credential(&name) => {
            let what = format!("{name} is patchwave's own, and no plan may send it anywhere");
            return Err(Problem::new(what));
        }
        SecretPlace::Env(name) => SecretSource::Env(name),
        SecretPlace::File(path) => SecretSource::File(PathBuf::from(path)),
        SecretPlace::Var(name) => target.secrets.get(&name).cloned().ok_or_else(|| {
            let what =
                format!("tenant {} has no variable `{name}` that says where a secret is kept", target.tenant);
            Problem::new(what)
                .help("the plan was made with one in patchwave.toml: put it back, or plan again")
        })?,
    };
    if !of_tenant && session.own_places.iter().any(|own| own.is_the_place_of(&source)) {
        let what = "what patchwave signs in with is kept there, and no job may send it anywhere";
        return Err(Problem::new(what).help("name the place of the secret that is meant"));
    }
    fetch_for(&target.tenant, &source, &session.env).await.map_err(|error| {
        // The job's own places are the same for every tenant.
        let what = if of_tenant { error.to_string() } else { error.without_tenant() };
        Problem::new(what).help(error.help)
    })
}
