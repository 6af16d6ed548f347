//! Enters runs of change sets into the ledger.

use super::connect::Session;
use super::ended::Ended;
use super::live_run::LiveRun;
use super::output::Output;
use crate::model::LedgerEntry;
use crate::report::{ledger as lines, report_rows, term};
use crate::store::{StoreError, ledger};

/// A run that is about to write. Where that cannot be entered, its end tells.
pub(super) fn begun(session: &Session, run: &LiveRun) {
    let entries = lines::begun(run.plan(), run.id(), run.began());
    if let Err(error) = enter(session, &entries) {
        tracing::debug!(%error, "the beginning was not entered into the ledger");
    }
}

/// A run that is over, in the tenants that it has just been about. What was done is done, and has its report: a ledger that
/// cannot be written is told, and changes nothing of how the run ends.
pub(super) fn ended(session: &Session, run: &Ended, output: &Output) {
    let Some(change_set) = &run.plan.header.changeset else { return };
    let rows = report_rows(&run.plan, &run.record);
    let mut entries = lines::ended(&run.plan, &run.record, &rows, &run.id);
    entries.retain(|entry| session.target(&entry.tenant).is_some());
    if let Err(error) = enter(session, &entries) {
        let warning = term::paint(term::WARN, "warning:");
        let name = term::safe(&change_set.name);
        output.error(&format!(
            "{warning} {error}; `patchwave status` will not know that {name} went to these tenants"
        ));
    }
}

fn enter(session: &Session, entries: &[LedgerEntry]) -> Result<(), StoreError> {
    if entries.is_empty() { Ok(()) } else { ledger::enter(&session.state, entries) }
}
