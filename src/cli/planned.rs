//! A plan on its way to being shown, saved or carried out, wherever it came from. Central type: [`Planned`].

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::args::{Force, GuardArgs};
use super::connect::{Session, Target};
use super::error::CliError;
use super::secrets::Fetched;
use crate::auth0::ApiError;
use crate::catalogue::Kinds;
use crate::job::{Guards, Threshold};
use crate::model::{EntityId, Problem, TenantName};
use crate::plan::{Header, Plan, TenantFailure, TenantPlan, guard};

/// So many tenants are named where none could be planned.
const NAMED: usize = 30;

/// A plan, and what is known beside it.
pub(super) struct Planned {
    /// The plan.
    pub(super) plan: Plan,
    /// The kinds of objects that it is about.
    pub(super) kinds: Kinds,
    /// When the tenants were read.
    pub(super) read: Instant,
    /// What a person should look at.
    pub(super) warnings: Vec<Problem>,
    /// The secrets that it sets, as far as they have been fetched.
    pub(super) secrets: Fetched,
}

impl Planned {
    /// A plan without tenants yet.
    pub(super) fn new(header: Header, kinds: Kinds, read: Instant) -> Self {
        Self {
            plan: Plan { header, tenants: Vec::new() },
            kinds,
            read,
            warnings: Vec::new(),
            secrets: Fetched::new(),
        }
    }

    /// Adds a tenant's part.
    pub(super) fn add(&mut self, part: TenantPlan) {
        self.plan.tenants.push(Arc::new(part));
    }

    /// Whether no tenant could be planned.
    pub(super) fn is_lost(&self) -> bool {
        self.plan.tenants.iter().all(|tenant| tenant.failure.is_some())
    }

    /// The error of the only tenant, or of all of them.
    pub(super) fn lost(&self) -> CliError {
        let failures: Vec<(&TenantName, &TenantFailure)> = self
            .plan
            .tenants
            .iter()
            .filter_map(|part| Some((&part.tenant, part.failure.as_ref()?)))
            .collect();
        match failures.as_slice() {
            [(tenant, failure)] => CliError::unplanned(tenant.as_str(), failure),
            failures => {
                let lines = failures.iter().map(|(tenant, failure)| format!("{tenant}: {}", failure.message));
                let mut lines: Vec<String> = lines.take(NAMED).collect();
                if failures.len() > NAMED {
                    lines.push(format!("… and {} more like these", failures.len() - NAMED));
                }
                CliError::setup(format!(
                    "no tenant could be planned; nothing was written\n{}",
                    lines.join("\n")
                ))
            }
        }
    }
}

/// A tenant's part before it was planned.
pub(super) fn blank(target: &Target) -> TenantPlan {
    let (domain, origin) = (target.domain.clone(), target.origin.clone());
    TenantPlan::empty(target.tenant.clone(), domain, origin, target.connection.pace())
}

/// Why a tenant could not be read, as the plan keeps it.
pub(super) fn failure(error: &ApiError) -> TenantFailure {
    TenantFailure {
        message: error.to_string(),
        class: error.class().as_str().to_owned(),
        http_status: error.status(),
        retryable: error.retryable(),
    }
}

/// The kinds, with the fields that a plan lets through.
pub(super) fn kinds_of(header: &Header) -> Result<Kinds, CliError> {
    Kinds::with_extra_fields(&header.extra_fields)
        .map_err(|path| CliError::unusable(format!("the plan has the field `{path}`, which cannot be one")))
}

/// Clients that no rule may change: the lists of the job, the configuration and the environment add up.
pub(super) fn protected(of_job: &Guards, session: &Session) -> HashSet<EntityId> {
    let lists = std::iter::once(of_job).chain(&session.guards);
    lists.flat_map(|guards| guards.protect.iter().cloned()).collect()
}

/// The limits on changes that hold for a tenant, each with who says so: a flag alone, else those of the job, the
/// environment and the configuration, else 30 % for a protected tenant.
pub(super) fn change_limits<'a>(
    of_job: &'a Guards,
    session: &'a Session,
    args: &'a GuardArgs,
    target: &'a Target,
) -> Vec<(Threshold, &'static str)> {
    if args.force.contains(&Force::MaxChanges) {
        return Vec::new();
    }
    if let Some(limit) = args.max_changes {
        return vec![(limit, "--max-changes")];
    }
    const WHOSE: [&str; 2] = ["PATCHWAVE_MAX_CHANGES", "max_changes of patchwave.toml"];
    let around =
        session.guards.iter().zip(WHOSE).filter_map(|(guards, whose)| Some((guards.max_changes?, whose)));
    let said: Vec<(Threshold, &'static str)> =
        of_job.max_changes.map(|limit| (limit, "the job's max_changes")).into_iter().chain(around).collect();
    if said.is_empty() && target.protected {
        return vec![(Threshold::Percent(30.0), "the limit of a protected tenant")];
    }
    said
}

/// Whether the number of clients must be known to judge a tenant's part.
pub(super) fn needs_total(of_job: &Guards, session: &Session, args: &GuardArgs, target: &Target) -> bool {
    let limits = change_limits(of_job, session, args, target);
    limits.iter().any(|(limit, _)| matches!(limit, Threshold::Percent(_)))
}

/// Refuses a plan that changes more than was allowed.
pub(super) fn check_max_changes(
    planned: &Planned,
    session: &Session,
    args: &GuardArgs,
) -> Result<(), CliError> {
    let limit_of = |tenant: &TenantName, clients: usize| {
        let target = session.target(tenant)?;
        let limits = change_limits(&planned.plan.header.guards, session, args, target);
        limits.into_iter().min_by_key(|(limit, _)| limit.of(clients))
    };
    let refusals = guard::max_changes(&planned.plan, limit_of);
    if refusals.is_empty() { Ok(()) } else { Err(CliError::refused(&refusals)) }
}
