//! Exit codes: a contract that scripts rely on.

use crate::model::{RowResult, StopReason};
use crate::plan::{TenantFailure, Totals};
use crate::report::Summary;

/// Everything asked for is in place, or there was nothing to do.
pub(super) const OK: u8 = 0;
/// The run finished; some rows failed or conflicted.
pub(super) const ROWS: u8 = 1;
/// `plan --detailed-exitcode` found changes.
pub(super) const CHANGES: u8 = 2;
/// Configuration, credentials, scopes, or the tenant unreachable: nothing was written.
pub(super) const SETUP: u8 = 3;
/// Refused by a guard: nothing was written.
pub(super) const REFUSED: u8 = 4;
/// Stopped early.
pub(super) const STOPPED: u8 = 5;
/// Another run holds the lock of every tenant asked for.
pub(super) const LOCKED: u8 = 6;
/// Flags or job wrong.
pub(super) const USAGE: u8 = 64;
/// Interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// The code of a plan.
pub(super) fn of_plan(totals: Totals, tenants: usize, detailed: bool) -> u8 {
    if totals.tenants_failed == tenants {
        SETUP
    } else if totals.failed + totals.conflicts + totals.tenants_failed > 0 {
        ROWS
    } else if detailed && totals.writes > 0 {
        CHANGES
    } else {
        OK
    }
}

/// The code of a run, from how each tenant ended: all alike, that code; else the strongest news.
pub(super) fn of_run(tenants: &[u8], stop: Option<StopReason>) -> u8 {
    let alike = tenants.first().filter(|first| tenants.iter().all(|code| code == *first));
    match (alike, stop) {
        (_, Some(StopReason::Interrupted | StopReason::Killed)) => INTERRUPTED,
        (Some(code), _) => *code,
        (None, _) if tenants.contains(&STOPPED) => STOPPED,
        _ => ROWS,
    }
}

/// How one tenant's part of a run ended. `rows`: the result of each; `written`: whether any client was written to, or may have been; `stop`: why the whole run ended early; `lost`:
/// why the tenant did.
pub(super) fn of_tenant(
    failure: Option<&TenantFailure>,
    rows: &[RowResult],
    written: bool,
    stop: Option<StopReason>,
    lost: Option<StopReason>,
) -> u8 {
    let has = |wanted: RowResult| rows.contains(&wanted);
    match failure {
        Some(failure) if failure.is_locked() => return LOCKED,
        Some(_) => return SETUP,
        None => (),
    }
    match lost {
        // A scope that is missing from the start is a matter of set-up: nothing was written.
        Some(StopReason::AccessLost | StopReason::TenantLost) if !written => SETUP,
        Some(_) => STOPPED,
        // What nobody could record is not to be trusted, even where it was the last row.
        None if stop == Some(StopReason::JournalLost) => STOPPED,
        None if has(RowResult::NotAttempted) => STOPPED,
        None if has(RowResult::Failed) || has(RowResult::Conflict) => ROWS,
        None => OK,
    }
}

/// Whether rows are left that the same command would take up again.
pub(super) fn unfinished(summary: &Summary) -> bool {
    ["failed", "conflict", "not_attempted"].iter().any(|result| summary.rows.contains_key(result))
}
