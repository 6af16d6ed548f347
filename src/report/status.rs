//! Change sets × tenants: what the ledger says of each pair. Central type: [`Matrix`].

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{ChangeSetId, Domain, LedgerEntry, LedgerResult, RunId, TenantName};

mod render;

pub use render::render;

/// What went where.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The columns.
    pub tenants: Vec<Column>,
    /// The rows: those of one name together, and what was replayed last at the end, where a terminal shows it best.
    pub change_sets: Vec<ChangeSetRow>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name: as configured, else as its newest run named it.
    pub tenant: TenantName,
    /// Its canonical domain.
    pub domain: Domain,
    /// Whether the configuration has it.
    pub configured: bool,
}

/// A change set.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeSetRow {
    /// Its name.
    pub name: String,
    /// SHA-256 of what it asks for.
    pub digest: String,
    /// Whether it was edited since it was recorded.
    pub edited: bool,
    /// Whether another of the same name was replayed after it.
    pub earlier_version: bool,
    /// One a tenant, in the order of the columns.
    pub tenants: Vec<Cell>,
}

/// A change set in a tenant.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The tenant.
    pub tenant: TenantName,
    /// Its domain.
    pub domain: Domain,
    /// How it stands: what the newest run came to, where that is not only that everything was in place; null where it never
    /// went there.
    pub result: Option<LedgerResult>,
    /// Whether the change set is in place there as a whole.
    pub in_place: bool,
    /// When that run ended.
    pub at: Option<Timestamp>,
    /// Which run that was.
    pub run_id: Option<RunId>,
    /// Its runs there, oldest first.
    pub runs: Vec<RunCell>,
}

/// What a run made of a change set in a tenant.
#[derive(Debug, Clone, Serialize)]
pub struct RunCell {
    /// The run.
    pub run_id: RunId,
    /// The run that it takes back; null where it is no undo.
    pub undoes: Option<RunId>,
    /// When it ended.
    pub at: Timestamp,
    /// What it came to.
    pub result: LedgerResult,
    /// Rows by result.
    pub rows: BTreeMap<String, usize>,
}

/// By what a tenant is the same in all its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameBy {
    /// Its domain.
    Domain,
    /// Its name: the embedded sandbox listens elsewhere each time.
    Name,
}

impl SameBy {
    fn key<'k>(self, tenant: &'k TenantName, domain: &'k Domain) -> &'k str {
        match self {
            Self::Domain => domain.as_str(),
            Self::Name => tenant.as_str(),
        }
    }
}

/// The configured tenants, and those that the ledger knows beside them.
pub fn columns(
    configured: impl IntoIterator<Item = (TenantName, Domain)>,
    entries: &[LedgerEntry],
    same: SameBy,
) -> Vec<Column> {
    let mut columns: IndexMap<String, Column> = IndexMap::new();
    for (tenant, domain) in configured {
        let key = same.key(&tenant, &domain).to_owned();
        columns.entry(key).or_insert(Column { tenant, domain, configured: true });
    }
    for entry in entries {
        let key = same.key(&entry.tenant, &entry.domain).to_owned();
        let (tenant, domain) = (entry.tenant.clone(), entry.domain.clone());
        let column = Column { tenant, domain, configured: false };
        // Of those that are not configured any more the newest name is the one that people know.
        match columns.get_mut(&key) {
            Some(known) if known.configured => (),
            Some(known) => *known = column,
            None => drop(columns.insert(key, column)),
        }
    }
    columns.into_values().collect()
}

impl Matrix {
    /// What the entries say of these tenants. `only` are the change sets that are wanted, which have a row even where no
    /// entry is theirs; without it all of the ledger are.
    pub fn of(
        entries: &[LedgerEntry],
        tenants: Vec<Column>,
        only: Option<Vec<ChangeSetId>>,
        same: SameBy,
    ) -> Self {
        let mut of: IndexMap<&str, Vec<&LedgerEntry>> = IndexMap::new();
        for entry in newest_of_each_run(entries) {
            of.entry(entry.change_set.digest.as_str()).or_default().push(entry);
        }
        let wanted = only.unwrap_or_else(|| all(&of));
        let mut rows: Vec<(Option<Timestamp>, ChangeSetRow)> = Vec::new();
        for id in wanted {
            let entries = of.get(id.digest.as_str()).map(Vec::as_slice).unwrap_or_default();
            let mut by_tenant: HashMap<&str, Vec<&LedgerEntry>> = HashMap::new();
            for entry in entries {
                by_tenant.entry(same.key(&entry.tenant, &entry.domain)).or_default().push(entry);
            }
            let here = |tenant: &Column| by_tenant.get(same.key(&tenant.tenant, &tenant.domain));
            let cell = |tenant| cell(tenant, here(tenant).map(Vec::as_slice).unwrap_or_default());
            let cells = tenants.iter().map(cell).collect();
            let at = entries.iter().map(|entry| entry.at).max();
            let earlier_version = at.is_some_and(|at| is_replaced(&of, &id, at));
            let ChangeSetId { name, digest, edited } = id;
            rows.push((at, ChangeSetRow { name, digest, edited, earlier_version, tenants: cells }));
        }
        let mut newest: HashMap<String, Option<Timestamp>> = HashMap::new();
        for (at, row) in &rows {
            let newest = newest.entry(row.name.clone()).or_default();
            *newest = *at.max(newest);
        }
        rows.sort_by_cached_key(|(at, row)| (newest.get(&row.name).copied(), row.name.clone(), *at));
        Self { tenants, change_sets: rows.into_iter().map(|(_, row)| row).collect() }
    }
}

/// Entries in the order of their times, without those that a later one of the same run has taken the place of.
fn newest_of_each_run(entries: &[LedgerEntry]) -> Vec<&LedgerEntry> {
    let newest: HashMap<_, &LedgerEntry> = entries.iter().map(|entry| (entry.key(), entry)).collect();
    let is_newest =
        |entry: &&LedgerEntry| newest.get(&entry.key()).is_some_and(|newest| std::ptr::eq(*newest, *entry));
    let mut entries: Vec<&LedgerEntry> = entries.iter().filter(is_newest).collect();
    // Of the same instant the one that was entered later is the later one.
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// All change sets of the ledger, as their newest run knew them.
fn all(of: &IndexMap<&str, Vec<&LedgerEntry>>) -> Vec<ChangeSetId> {
    of.values().filter_map(|entries| entries.last()).map(|entry| entry.change_set.clone()).collect()
}

fn is_replaced(of: &IndexMap<&str, Vec<&LedgerEntry>>, id: &ChangeSetId, at: Timestamp) -> bool {
    let others = of.iter().filter(|(digest, _)| **digest != id.digest).flat_map(|(_, entries)| entries);
    others.filter(|entry| entry.change_set.name == id.name).any(|entry| entry.at > at)
}

fn cell(tenant: &Column, entries: &[&LedgerEntry]) -> Cell {
    let run = |entry: &&LedgerEntry| RunCell {
        run_id: entry.run.clone(),
        undoes: entry.undoes.clone(),
        at: entry.at,
        result: entry.result,
        rows: entry.rows.clone(),
    };
    let runs: Vec<RunCell> = entries.iter().map(run).collect();
    // Where it was found in place, it is told when it got there.
    // An attempt that came to no row says nothing of what is there.
    let told =
        |run: &&RunCell| !run.rows.keys().all(|result| result == "not_attempted") || run.rows.is_empty();
    let judged: Vec<&RunCell> = runs.iter().filter(told).collect();
    let judged = if judged.is_empty() { runs.iter().collect() } else { judged };
    let moved = judged.iter().rposition(|run| run.result != LedgerResult::Unchanged);
    let newest = match moved.and_then(|at| judged.get(at)) {
        Some(run) if run.result == LedgerResult::Applied => Some(*run),
        _ => judged.last().copied(),
    };
    Cell {
        tenant: tenant.tenant.clone(),
        domain: tenant.domain.clone(),
        result: newest.map(|run| run.result),
        in_place: newest.is_some_and(|run| run.result.is_in_place()),
        at: newest.map(|run| run.at),
        run_id: newest.map(|run| run.run_id.clone()),
        runs,
    }
}

#[cfg(test)]
mod tests;
