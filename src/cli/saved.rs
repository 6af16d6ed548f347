//! A plan that was saved, against the tenants as they are now.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use jiff::Timestamp;
use tokio::time::Instant;

use super::args::{ConflictArg, Force, GuardArgs, JobArgs};
use super::beside;
use super::connect::{Session, Target, connect};
use super::error::CliError;
use super::locks::{self, Locks};
use super::output::{self, Output};
use super::planned::{Planned, blank, failure, kinds_of, needs_total, protected};
use super::replaying;
use super::secrets;
use super::show_plan::Source;
use crate::catalogue::{KindName, Kinds};
use crate::model::{Domain, EntityId, Secrets, TenantName};
use crate::model::{Reason, RowResult};
use crate::plan::needs::{Fitting, of_identity};
use crate::plan::revive::{Permits, revive, roots};
use crate::plan::{
    Done, Header, KindNeeds, Needs, OnConflict, Plan, Refusal, Row, RowState, TenantFailure, TenantPlan,
    TenantStates, file,
};
use crate::report::progress::Display;
use crate::run::read_states;

/// Reads a saved plan and judges each of its clients anew.
pub(super) async fn plan(
    source: &Source<'_>,
    bytes: &[u8],
    lock_wait: Option<Option<Duration>>,
    (display, output): (&Display, &Output),
) -> Result<(Session, Planned, Locks), CliError> {
    let name = &source.args.job;
    let saved =
        file::parse(bytes).map_err(|error| CliError::unusable(format!("the plan {name}: {error}")))?;
    refuse_job_flags(source.args)?;
    if saved.header.unguarded && lock_wait.is_some() {
        replaying::guarded(source.on_conflict)?;
    }
    let kinds = kinds_of(&saved.header)?;
    let tenants: Vec<(TenantName, Domain)> =
        saved.tenants.iter().map(|part| (part.tenant.clone(), part.domain.clone())).collect();
    let mut session = connect(source.tenant, source.pace, &tenants, display).await?;
    fit(&mut session, &tenants, &format!("the plan {name}"), Whole::Yes)?;
    let locks = match lock_wait {
        Some(wait) => locks::take(&session, wait, output).await?,
        None => Locks::default(),
    };
    display.reading();
    let planned = revived(&session, &locks, &saved, &kinds, source).await;
    display.clear();
    Ok((session, planned?, locks))
}

/// What narrows or reads a job has no meaning for a plan: it is carried out exactly.
fn refuse_job_flags(args: &JobArgs) -> Result<(), CliError> {
    let JobArgs { narrow, vars, read, limit, allow_env, map, .. } = args;
    let given = [
        ("--where", narrow.is_some()),
        ("--var", !vars.is_empty()),
        ("--map", map.is_some()),
        ("--limit", limit.is_some()),
        ("--allow-env", !allow_env.is_empty()),
        ("--allow-field", !read.allow_field.is_empty()),
        ("--kind", read.kind.is_some()),
        ("--no-base", read.no_base),
        ("--ignore-column", !read.ignore_column.is_empty()),
        ("--encoding", read.encoding.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(CliError::usage(format!(
            "{flag} is for jobs: {} is a saved plan, which is carried out exactly; plan again with the flag",
            args.job
        ))),
        None => Ok(()),
    }
}

/// Whether all tenants of a plan must be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

/// Brings a session and a plan together: each chosen tenant must be one of the plan's, by its domain. The session takes over
/// the plan's names and order.
pub(super) fn fit(
    session: &mut Session,
    planned: &[(TenantName, Domain)],
    what: &str,
    whole: Whole,
) -> Result<(), CliError> {
    let sandbox = session.sandbox.is_some();
    let mut targets = std::mem::take(&mut session.targets);
    let mut missing = Vec::new();
    for (tenant, domain) in planned {
        // An embedded sandbox listens elsewhere each time; its tenants go by name.
        let is = |target: &Target| target.domain == *domain || sandbox && target.tenant == *tenant;
        match targets.iter().position(is) {
            Some(at) => {
                let target = targets.remove(at);
                session.targets.push(Target { tenant: tenant.clone(), ..target });
            }
            None => missing.push(domain.to_string()),
        }
    }
    let for_others = |chosen: &[&str]| {
        let of: Vec<String> = planned.iter().map(|(_, domain)| domain.to_string()).collect();
        CliError::unusable(format!(
            "{what} is for {}, and what is chosen is {}; nothing was written",
            of.join(", "),
            chosen.join(", ")
        ))
        .next(output::line_for_tenants(planned.iter().map(|(tenant, _)| tenant.as_str())))
    };
    if !targets.is_empty() || session.targets.is_empty() {
        let chosen: Vec<&str> = targets.iter().map(|target| target.domain.as_str()).collect();
        return Err(for_others(&chosen));
    }
    if whole == Whole::Yes && !missing.is_empty() {
        let what =
            format!("{what} is also for {}, which is not chosen; nothing was written", missing.join(", "));
        let all = output::line_for_tenants(planned.iter().map(|(tenant, _)| tenant.as_str()));
        return Err(CliError::unusable(what).next(all));
    }
    Ok(())
}

async fn revived(
    session: &Session,
    locks: &Locks,
    saved: &Plan,
    kinds: &Kinds,
    source: &Source<'_>,
) -> Result<Planned, CliError> {
    let secrets = secrets::of_plan(session, saved).await?;
    let read = Instant::now();
    let parts: Vec<(&Target, &TenantPlan)> = parts(session, saved).collect();
    let states = beside::all(parts.iter().map(|(target, part)| {
        let secrets = secrets.get(&part.tenant).cloned().unwrap_or_default();
        let clients = Clients { secrets, ..Clients::of(part, kinds) };
        state_of(session, locks, target, kinds, (&saved.header, &source.args.guards), clients)
    }))
    .await;
    let header = Header {
        made: now(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.args.job.clone(),
        ..saved.header.clone()
    };
    let mut planned = Planned::new(header, kinds.clone(), read);
    planned.secrets = secrets;
    let permits = permits(&source.args.guards, source.on_conflict);
    let mut refusals: Vec<Refusal> = Vec::new();
    for ((target, part), state) in parts.into_iter().zip(states) {
        match state {
            Err(failure) => planned.add(unread(target, part, failure)),
            Ok(states) => match revive(kinds, part, &states, permits) {
                Ok((writes, rows)) => {
                    let failure = part.failure.clone();
                    planned.add(TenantPlan {
                        writes,
                        named: part.named.clone(),
                        rows,
                        totals: states.totals(),
                        failure,
                        ..blank(target)
                    });
                }
                Err(more) => refusals.extend(more),
            },
        }
    }
    if refusals.is_empty() { Ok(planned) } else { Err(CliError::refused(&refusals)) }
}

/// The chosen tenants with their parts of a plan.
pub(super) fn parts<'p>(
    session: &'p Session,
    plan: &'p Plan,
) -> impl Iterator<Item = (&'p Target, &'p TenantPlan)> {
    session.targets.iter().filter_map(|target| {
        let part = plan.tenants.iter().find(|part| part.tenant == target.tenant)?;
        Some((target, &**part))
    })
}

/// What flags permit of a plan that was made earlier.
pub(super) fn permits(guards: &GuardArgs, on_conflict: ConflictArg) -> Permits {
    Permits {
        on_conflict: on_conflict.into(),
        own_client: guards.force.contains(&Force::OwnClient),
        protected: guards.force.contains(&Force::Protect),
    }
}

impl From<ConflictArg> for OnConflict {
    fn from(arg: ConflictArg) -> Self {
        match arg {
            ConflictArg::Skip => Self::Skip,
            ConflictArg::Overwrite => Self::Overwrite,
            ConflictArg::Stop => Self::Stop,
        }
    }
}

/// Clients that are read again, and the fields that are needed of them.
pub(super) struct Clients {
    /// Kind by kind.
    pub(super) of: Vec<(KindName, IndexSet<EntityId>, Vec<String>)>,
    /// The kinds of which new ones are to be made, with what fits those that are there already: they are found by their identity.
    pub(super) created: Vec<(KindName, Vec<Fitting>)>,
    /// Secrets that they are to be given.
    pub(super) secrets: Arc<Secrets>,
}

impl Clients {
    fn of(part: &TenantPlan, kinds: &Kinds) -> Self {
        let of_kind = |name: KindName| {
            let of = || part.writes.iter().filter(|write| write.kind == name);
            let ids = of().filter(|write| !write.create).map(|write| write.id).collect();
            (name, ids, roots(kinds.get(name), of()))
        };
        let of = part.writes.by_kind().iter().map(|(name, _)| of_kind(*name)).collect();
        let sought = |name: KindName| {
            let kind = kinds.get(name);
            let listed = !kind.endpoint.associations.is_empty();
            let created = part.writes.iter().filter(|write| listed && write.create && write.kind == name);
            (name, created.filter_map(|write| of_identity(kind, &write.body)).collect())
        };
        let created = part.writes.creating().into_iter().map(sought).collect();
        Self { of, created, secrets: Arc::default() }
    }
}

/// The state of a tenant, as far as a plan that was made earlier touches it.
pub(super) fn state_of(
    session: &Session,
    locks: &Locks,
    target: &Target,
    kinds: &Kinds,
    (header, guards): (&Header, &GuardArgs),
    clients: Clients,
) -> impl Future<Output = Result<TenantStates, TenantFailure>> + Send + use<> {
    let locked = locks.refused(&target.tenant).map(|words| TenantFailure::locked(words.to_owned()));
    let total = needs_total(&header.guards, session, guards, target);
    let Clients { of, created, secrets } = clients;
    let needs_of = |(kind, ids, fields): (KindName, IndexSet<EntityId>, Vec<String>)| {
        let (total, secrets) = (total && !ids.is_empty(), Arc::clone(&secrets));
        let created = created.iter().find(|(name, _)| *name == kind);
        let (list, fitting) = (created.is_some(), created.map(|(_, fitting)| fitting.clone()));
        let fitting = fitting.unwrap_or_default();
        (kind, Needs { total, secrets, list, fitting, ..Needs::again(kinds.get(kind), fields, ids) })
    };
    let needs: KindNeeds = of.into_iter().map(needs_of).collect();
    let kinds = kinds.clone();
    let (reader, own) = (target.connection.reader(), target.connection.own_client().cloned());
    let protected = protected(&header.guards, session);
    async move {
        if let Some(locked) = locked {
            return Err(locked);
        }
        let states = read_states(&reader, own.as_ref(), &kinds, &needs).await;
        states.map(|states| states.protecting(&protected)).map_err(|error| failure(&error))
    }
}

/// A tenant's part where the tenant could not be read: what it would have written was not attempted.
pub(super) fn unread(target: &Target, part: &TenantPlan, failure: TenantFailure) -> TenantPlan {
    let reason = if failure.is_locked() { Reason::Locked } else { Reason::TenantFailed };
    let done = Done::because(RowResult::NotAttempted, reason, failure.message.clone());
    let row = |row: &Row| match row.state {
        RowState::Write(at) => {
            let name = part.writes.get(at).and_then(|write| write.name).map(Box::from);
            Row { state: done.clone().into(), name, ..row.clone() }
        }
        RowState::Done(_) => row.clone(),
    };
    TenantPlan { rows: part.rows.iter().map(row).collect(), failure: Some(failure), ..blank(target) }
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of a plan's header")]
fn now() -> Timestamp {
    Timestamp::now()
}
