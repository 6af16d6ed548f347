//! A run in slices: the first clients, or the first tenants, then more, each slice only when the one before was good enough.

use std::collections::HashSet;

use super::types::{Plan, Row, RowState, TenantPlan};
use super::waves_by::WavesBy;
use crate::job::WaveSize;
use crate::model::{RowResult, TenantName};

/// The writes of one wave: the tenant's place in the plan, and which of its writes.
pub type Wave = Vec<(usize, Vec<usize>)>;

/// Deals the writes of a plan out to its waves, as its header says: tenant by tenant, in the plan's order. A wave for which
/// no client is left does not exist.
pub fn waves(plan: &Plan) -> Vec<Wave> {
    named(plan).into_iter().map(|(_, wave)| wave).collect()
}

/// The same, each with its name, where it has one.
pub fn named(plan: &Plan) -> Vec<(Option<&str>, Wave)> {
    match &plan.header.waves_by {
        Some(by) => by_tag(plan, by),
        None => by_size(plan, &plan.header.guards.waves).into_iter().map(|wave| (None, wave)).collect(),
    }
}

/// Sizes are of all changed clients, rounded up, each without those of earlier waves. Without sizes, or for the last clients,
/// there is one wave of all.
fn by_size(plan: &Plan, sizes: &[WaveSize]) -> Vec<Wave> {
    let all: Vec<(usize, usize)> = (0..plan.tenants.len())
        .flat_map(|at| (0..plan.tenants[at].writes.len()).map(move |write| (at, write)))
        .collect();
    let mut left = all.as_slice();
    let mut waves = Vec::new();
    for size in sizes.iter().copied().chain([WaveSize::Rest]) {
        let (now, later) = left.split_at(size.of(all.len(), left.len()));
        left = later;
        if !now.is_empty() {
            waves.push(by_tenant(now));
        }
    }
    waves
}

/// All writes of the tenants of a wave. Those of a tenant that no wave names come last, since none must be lost.
fn by_tag<'p>(plan: &'p Plan, by: &'p WavesBy) -> Vec<(Option<&'p str>, Wave)> {
    let mut taken: HashSet<usize> = HashSet::new();
    let mut waves = Vec::new();
    let mut take = |name: Option<&'p str>, has: &dyn Fn(&TenantName) -> bool| {
        let mut wave: Wave = Vec::new();
        for (place, part) in plan.tenants.iter().enumerate() {
            if !part.writes.is_empty() && has(&part.tenant) && taken.insert(place) {
                wave.push((place, (0..part.writes.len()).collect()));
            }
        }
        if !wave.is_empty() {
            waves.push((name, wave));
        }
    };
    for wave in &by.waves {
        let tenants: HashSet<&TenantName> = wave.tenants.iter().collect();
        take(Some(wave.name.as_str()), &|tenant| tenants.contains(tenant));
    }
    take(None, &|_| true);
    waves
}

fn by_tenant(writes: &[(usize, usize)]) -> Wave {
    let mut wave: Wave = Vec::new();
    for (tenant, write) in writes {
        match wave.last_mut() {
            Some((last, writes)) if last == tenant => writes.push(*write),
            _ => wave.push((*tenant, vec![*write])),
        }
    }
    wave
}

/// How many clients a wave has.
pub fn size(wave: &Wave) -> usize {
    wave.iter().map(|(_, writes)| writes.len()).sum()
}

/// Tenants of waves by tag that could not be planned, of which a row failed in planning, or of which nothing but conflicts
/// came, and after whose waves others would come: of these it would not be known whether they are good enough.
pub fn untried(plan: &Plan) -> Vec<&TenantName> {
    let Some(by) = &plan.header.waves_by else { return Vec::new() };
    let part = |tenant: &TenantName| plan.tenants.iter().find(|part| part.tenant == *tenant);
    let writes = |tenant: &TenantName| part(tenant).is_some_and(|part| !part.writes.is_empty());
    let last = by.waves.iter().rposition(|wave| wave.tenants.iter().any(writes)).unwrap_or(0);
    let before = by.waves.iter().take(last).flat_map(|wave| &wave.tenants);
    before.filter(|tenant| part(tenant).is_some_and(|part| is_untried(part))).collect()
}

fn is_untried(part: &TenantPlan) -> bool {
    let ended = |result| {
        let is = move |row: &Row| matches!(&row.state, RowState::Done(done) if done.result == result);
        part.rows.iter().any(is)
    };
    let good = !part.writes.is_empty() || ended(RowResult::Unchanged);
    part.failure.is_some() || ended(RowResult::Failed) || ended(RowResult::Conflict) && !good
}
