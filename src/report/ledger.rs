//! What a run of a change set came to, tenant by tenant, for the ledger.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::ReportRows;
use crate::model::ledger::LEDGER_VERSION;
use crate::model::{ChangeSetId, LedgerEntry, LedgerResult, RowResult, RunId, RunRecord, TenantName};
use crate::plan::{Header, Plan, TenantPlan};

/// Rows of a tenant by result.
type Counts = BTreeMap<RowResult, usize>;

/// A run that begins, in the tenants that it will write to: what a crash leaves behind.
pub fn begun(plan: &Plan, run: &RunId, at: Timestamp) -> Vec<LedgerEntry> {
    let Some(change_set) = &plan.header.changeset else { return Vec::new() };
    let written = plan.tenants.iter().filter(|part| !part.writes.is_empty());
    let entry = |part: &TenantPlan| LedgerEntry {
        result: LedgerResult::Begun,
        ..blank(&plan.header, change_set, part, run, at)
    };
    written.map(|part| entry(part)).collect()
}

/// A run that is over. Nothing of a tenant in which another run has taken its place, and of one that has no rows: it is not
/// meant, or an undo has nothing to take back there.
pub fn ended(plan: &Plan, record: &RunRecord, rows: &ReportRows<'_>, run: &RunId) -> Vec<LedgerEntry> {
    let Some(change_set) = &plan.header.changeset else { return Vec::new() };
    let mut counts: HashMap<&TenantName, Counts> = HashMap::new();
    for row in rows.iter() {
        *counts.entry(row.tenant).or_default().entry(row.result).or_default() += 1;
    }
    let at = record.times().map_or(plan.header.made, |(_, ended, _)| ended);
    let entry = |part: &TenantPlan| {
        let counts = counts.get(&part.tenant).cloned().unwrap_or_default();
        let result = result(&plan.header, part, &counts)?;
        let rows = counts.iter().map(|(result, count)| (result.to_string(), *count)).collect();
        Some(LedgerEntry { result, rows, ..blank(&plan.header, change_set, part, run, at) })
    };
    let parts = plan.tenants.iter().filter(|part| record.superseded_by(&part.tenant).is_none());
    parts.filter_map(|part| entry(part)).collect()
}

fn blank(
    header: &Header,
    change_set: &ChangeSetId,
    part: &TenantPlan,
    run: &RunId,
    at: Timestamp,
) -> LedgerEntry {
    LedgerEntry {
        version: LEDGER_VERSION,
        change_set: change_set.clone(),
        tenant: part.tenant.clone(),
        domain: part.domain.clone(),
        run: run.clone(),
        undoes: header.undoes.clone(),
        at,
        result: LedgerResult::Begun,
        rows: BTreeMap::new(),
    }
}

/// What a tenant's rows come to, in a word.
fn result(header: &Header, part: &TenantPlan, counts: &Counts) -> Option<LedgerResult> {
    let count = |result: RowResult| counts.get(&result).copied().unwrap_or(0);
    let of = |results: &[RowResult]| results.iter().map(|result| count(*result)).sum::<usize>();
    let changed = of(&[RowResult::Updated, RowResult::Created, RowResult::Undone]);
    let good = changed + count(RowResult::Unchanged);
    let bad = of(&[RowResult::Failed, RowResult::Conflict, RowResult::Skipped]);
    Some(match header.undoes {
        _ if part.failure.is_some() => LedgerResult::Failed,
        _ if count(RowResult::NotAttempted) > 0 => LedgerResult::Stopped,
        _ if good + bad == 0 => return None,
        Some(_) if bad == 0 => taken_back(header, &part.tenant),
        None if bad == 0 && changed > 0 => LedgerResult::Applied,
        None if bad == 0 => LedgerResult::Unchanged,
        _ if good > 0 => LedgerResult::Partly,
        _ if count(RowResult::Failed) > 0 => LedgerResult::Failed,
        _ if count(RowResult::Conflict) > 0 => LedgerResult::Conflict,
        _ => LedgerResult::Skipped,
    })
}

/// What an undo has made of the change set, all its rows being as asked.
fn taken_back(header: &Header, tenant: &TenantName) -> LedgerResult {
    match &header.takes_back {
        Some(what) if what.in_part.contains(tenant) => LedgerResult::Partly,
        Some(what) if what.an_undo => LedgerResult::Applied,
        _ => LedgerResult::Undone,
    }
}
