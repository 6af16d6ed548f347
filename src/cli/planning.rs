//! Reads all tenants and plans a job for them: what `plan` and `apply` have in common. Nothing here can write.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::args::{ConflictArg, Force, JobArgs};
use super::beside;
use super::connect::{Session, Target};
use super::context::expression;
use super::error::CliError;
use super::locks::Locks;
use super::output;
use super::planned::{Planned, blank, failure, needs_total, protected};
use super::{replaying, scopes, secrets};
use crate::job::{Job, TenantScope};
use crate::model::suggest::nearest;
use crate::model::{Problem, TagQuery, TenantName};
use crate::plan::{
    Counts, Header, KindNeeds, Narrow, PlanOptions, TenantFailure, TenantPlan, TenantStates, Unplannable,
    plan_tenant, protects_a_name, protects_nobody, warnings,
};
use crate::run::read_states;

/// What was read of a tenant, or why it was not.
type Read = Result<TenantStates, TenantFailure>;

/// Plans a job for the tenants of a session, but for those whose lock another run holds.
pub(super) async fn plan(
    job: &Job,
    session: &Session,
    locks: &Locks,
    args: &JobArgs,
    on_conflict: ConflictArg,
) -> Result<Planned, CliError> {
    check_tenants(job, session, args)?;
    let narrow = narrow(job, args)?;
    let scopes = scopes::of_tenants(job, session, args)?;
    // Variables and secrets that are missing are all told at once.
    let mut missing = replaying::missing_vars(job, session, &scopes);
    let secrets = secrets::of_job(job, session, &scopes, &mut missing).await;
    if !missing.is_empty() {
        return Err(CliError::job(missing, output::command_line_without(&secrets::variables(job))));
    }
    let mut needs = scopes::needs_of(job, &scopes, &narrow)?;
    for (needs, (_, secrets)) in needs.iter_mut().zip(&secrets) {
        needs.iter_mut().for_each(|(_, needs)| needs.secrets = Arc::clone(secrets));
    }
    let mut planned = Planned::new(header(job, session, args), job.kinds.clone(), Instant::now());
    planned.secrets = secrets.into_iter().collect();
    let states = read(job, session, locks, args, needs).await;
    planned.warnings = protects_nobody(job, states.iter().map(|state| state.as_ref().ok()));
    let around = session.guards.iter().flat_map(|guards| &guards.protect);
    let read: Vec<&TenantStates> = states.iter().flatten().collect();
    planned.warnings.extend(protects_a_name(job, around, &read));
    // One budget for the run: the first clients in the order of the tenants.
    let mut options = PlanOptions {
        limit: args.limit,
        narrow,
        force_own_client: args.guards.force.contains(&Force::OwnClient),
        force_protect: args.guards.force.contains(&Force::Protect),
        overwrite: on_conflict == ConflictArg::Overwrite,
    };
    let (mut problems, mut refusals) = (Vec::new(), Vec::new());
    for ((target, scope), state) in session.targets.iter().zip(&scopes).zip(states) {
        match one(job, (target, scope), state, &options, &mut planned) {
            Ok(tenant) => {
                options.limit = options.limit.map(|limit| limit.saturating_sub(tenant.writes.len()));
                planned.add(tenant);
            }
            Err(Unplannable::Job(more)) => problems.extend(more),
            Err(Unplannable::Refused(more)) => refusals.extend(more),
        }
    }
    if !problems.is_empty() {
        problems.dedup();
        return Err(CliError::job(problems, output::command_line()));
    }
    if !refusals.is_empty() {
        return Err(CliError::refused(&refusals));
    }
    Ok(planned)
}

/// `--where`, compiled for each kind that the job is about.
fn narrow(job: &Job, args: &JobArgs) -> Result<Narrow, CliError> {
    let Some(text) = args.narrow.as_deref() else { return Ok(Narrow::default()) };
    job.used().into_iter().map(|kind| Ok((kind.name, expression("--where", text, kind)?))).collect()
}

fn header(job: &Job, session: &Session, args: &JobArgs) -> Header {
    let mut kinds = job.used().into_iter().map(|kind| kind.name);
    Header {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        job: job.name.clone(),
        job_digest: job.digest.clone(),
        source: args.job.clone(),
        kind: kinds.next().unwrap_or_default(),
        other_kinds: kinds.collect(),
        made: now(),
        columns: job.columns.clone(),
        extra_fields: job.kinds.extra_fields().to_vec(),
        guards: job.guards.clone(),
        waves_by: None,
        verify: false,
        pause_ms: 0,
        undoes: None,
        takes_back: None,
        unguarded: job.updates.iter().any(|update| update.extras().unguarded),
        changeset: crate::job::recorded::id(job),
        shard: session.shard.clone(),
    }
}

/// Reads the tenants, all beside each other.
async fn read(
    job: &Job,
    session: &Session,
    locks: &Locks,
    args: &JobArgs,
    needs: Vec<KindNeeds>,
) -> Vec<Read> {
    let one = |(target, mut needs): (&'_ Target, KindNeeds)| {
        let total = needs_total(&job.guards, session, &args.guards, target);
        needs.iter_mut().for_each(|(_, needs)| needs.total = total);
        let (reader, own) = (target.connection.reader(), target.connection.own_client().cloned());
        let locked = locks.refused(&target.tenant).map(|words| TenantFailure::locked(words.to_owned()));
        let (kinds, protected) = (job.kinds.clone(), protected(&job.guards, session));
        async move {
            if let Some(locked) = locked {
                return Err(locked);
            }
            let states = read_states(&reader, own.as_ref(), &kinds, &needs).await;
            states.map(|states| states.protecting(&protected)).map_err(|error| failure(&error))
        }
    };
    beside::all(session.targets.iter().zip(needs).map(one)).await
}

fn one(
    job: &Job,
    (target, scope): (&Target, &Arc<TenantScope>),
    states: Read,
    options: &PlanOptions,
    planned: &mut Planned,
) -> Result<TenantPlan, Unplannable> {
    let tenant = blank(target);
    match states {
        Err(failure) => {
            let rows = crate::plan::resolve::not_attempted(job, &target.tenant, &failure);
            Ok(TenantPlan { rows, failure: Some(failure), ..tenant })
        }
        Ok(states) => {
            let resolved = plan_tenant(job, scope, &states, options)?;
            planned.warnings.extend(warnings(job, &target.tenant, &states, &resolved));
            let (writes, rows) = resolved;
            let named = crate::plan::references::met(job, scope, &states, &writes);
            Ok(TenantPlan { writes, named, rows, totals: totals(job, &states), ..tenant })
        }
    }
}

/// How many objects there are of the kinds that the job is about; others were read only to find some by name.
fn totals(job: &Job, states: &TenantStates) -> Counts {
    let about: Vec<_> = job.used().into_iter().map(|kind| kind.name).collect();
    states.totals().into_iter().filter(|(kind, _)| about.contains(kind)).collect()
}

/// Whether an entry of a job's `tenants` is about a tenant: by its name, or by a tag as in `tag:ring=canary`.
fn allows(entry: &TenantName, target: &Target) -> bool {
    match TagQuery::parse(entry.as_str()) {
        Some(query) => query.fits(&target.tags),
        None => *entry == target.tenant,
    }
}

/// What a job says of tenants must fit those that were chosen.
fn check_tenants(job: &Job, session: &Session, args: &JobArgs) -> Result<(), CliError> {
    let chosen: Vec<&str> = session.targets.iter().map(|target| target.tenant.as_str()).collect();
    let barred = session.targets.iter().find(|target| {
        !job.allowed_tenants.is_empty() && !job.allowed_tenants.iter().any(|name| allows(name, target))
    });
    if let Some(target) = barred {
        let allowed: Vec<&str> = job.allowed_tenants.iter().map(TenantName::as_str).collect();
        let refusal = crate::plan::Refusal {
            what: format!(
                "the job {} is not for tenant {}: its `tenants` allow {}",
                args.job,
                target.tenant,
                allowed.join(", ")
            ),
            help: "choose tenants that these name, or that have the tag, with --tenant or --group".to_owned(),
        };
        return Err(CliError::refused(&[refusal]));
    }
    // A row for a tenant of another shard is that one's to do, and to report.
    let elsewhere = session.shard.iter().flat_map(|shard| &shard.chosen).map(|(tenant, _)| tenant);
    let known: HashSet<&TenantName> =
        session.targets.iter().map(|target| &target.tenant).chain(elsewhere).collect();
    let mut problems: Vec<Problem> = Vec::new();
    for update in &job.updates {
        let Some(tenant) = update.tenant.as_ref().filter(|tenant| !known.contains(tenant)) else {
            continue;
        };
        let help = match nearest(tenant.as_str(), chosen.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("chosen are: {}; add --tenant {tenant}, or remove the row", chosen.join(", ")),
        };
        let what =
            format!("{} is for tenant `{tenant}`, which is not chosen", update.origin.label.in_words());
        problems.push(Problem::new(what).at(&update.origin.file, update.origin.span.clone()).help(help));
    }
    if problems.is_empty() { Ok(()) } else { Err(CliError::job(problems, output::command_line())) }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
