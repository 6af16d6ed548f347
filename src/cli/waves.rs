//! Waves of a run: which hold, whether they make sense, and what they come to for those who are asked.

use super::args::{TenantArgs, WaveArgs};
use super::connect::{Session, Surroundings, surroundings};
use super::error::CliError;
use super::output::Output;
use crate::config;
use crate::job::{Threshold, WaveSize};
use crate::model::{Body, TenantName};
use crate::plan::waves::untried;
use crate::plan::{Plan, Refusal, TagWaves};
use crate::report;
use crate::report::term;

/// Waves that make no sense are found out before anything is read, as far as it is known yet which tenants are chosen.
pub(super) fn check(args: &WaveArgs, tenant: &TenantArgs) -> Result<(), CliError> {
    WaveSize::check(&args.waves).map_err(|wrong| CliError::usage(format!("--waves: {wrong}")))?;
    let Some(waves) = &args.waves_by else { return Ok(()) };
    if tenant.sandbox {
        return Err(no_tags(FLAG));
    }
    if tenant.tenants.is_empty() && tenant.groups.is_empty() {
        // Those of a plan, or of a run.
        return Ok(());
    }
    let Surroundings { env, config } = surroundings(tenant)?;
    let selected = config::select(&tenant.tenants, &tenant.groups, config.as_ref(), &env)?;
    fits(waves, FLAG, selected.iter().map(|one| (&one.tenant, &one.tags)))
}

const FLAG: &str = "--waves-by";

fn no_tags(whose: &str) -> CliError {
    CliError::usage(format!("{whose}: the tenants of the embedded sandbox have no tags; use --waves with it"))
}

fn fits<'t>(
    waves: &TagWaves,
    whose: &str,
    tenants: impl Iterator<Item = (&'t TenantName, &'t Body)>,
) -> Result<(), CliError> {
    waves.check(tenants).map_err(|wrong| CliError::usage(format!("{whose} {waves}: {wrong}")))
}

/// Writes into a plan the waves that hold for its run: those of the command line, else those of the plan or its job, else the
/// environment's. They hold for whoever resumes it, and for who takes back one of them.
pub(super) fn settle(plan: &mut Plan, session: &Session, args: &WaveArgs) -> Result<(), CliError> {
    let header = &mut plan.header;
    header.verify |= args.verify;
    if let Some(pause) = args.pause {
        header.pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    }
    if !args.waves.is_empty() {
        header.guards.waves.clone_from(&args.waves);
        header.waves_by = None;
        return Ok(());
    }
    let unsaid = header.guards.waves.is_empty() && header.waves_by.is_none();
    let around = session.waves_by.as_ref().filter(|_| unsaid).map(|waves| (waves, "PATCHWAVE_WAVES_BY"));
    if let Some((waves, whose)) = args.waves_by.as_ref().map(|waves| (waves, FLAG)).or(around) {
        if session.sandbox.is_some() {
            return Err(no_tags(whose));
        }
        fits(waves, whose, session.tags.iter().map(|(tenant, tags)| (tenant, tags)))?;
        let ours = session.targets.iter().map(|target| (&target.tenant, &target.tags));
        header.waves_by = Some(waves.divide(ours));
        header.guards.waves.clear();
    } else if unsaid {
        let lists = session.guards.iter().map(|guards| &guards.waves);
        header.guards.waves = lists.into_iter().find(|waves| !waves.is_empty()).cloned().unwrap_or_default();
    }
    Ok(())
}

/// A wave is there to be judged before the next one: of tenants that could not even be planned, no more may be passed over
/// than rows may fail.
pub(super) fn refuse_untried(plan: &Plan) -> Result<(), CliError> {
    let untried = untried(plan);
    let allowed = plan.header.guards.max_failures.unwrap_or(Threshold::Count(0)).of(plan.totals().writes);
    if untried.len() as u64 <= allowed {
        return Ok(());
    }
    let names: Vec<&str> = untried.iter().take(10).map(|tenant| tenant.as_str()).collect();
    let more = untried.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(CliError::refused(&[Refusal {
        what: format!(
            "{} of an earlier wave could not be planned, or not wholly, so that later waves would go untried: {}{more}",
            term::count(untried.len(), "tenant"),
            names.join(", ")
        ),
        help: format!(
            "wait until they can, choose the tenants without them, or allow so many with --max-failures {}",
            untried.len()
        ),
    }]))
}

/// What the waves of a plan come to, for those who are asked.
pub(super) fn show(plan: &Plan, output: &Output) {
    if let Some(text) = report::waves::render(plan, output.width()) {
        output.text(&text);
    }
}
