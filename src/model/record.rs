//! What a run's entries add up to, while it runs and when its journal is read. Central type: [`RunRecord`].

use std::collections::HashMap;

use jiff::Timestamp;

use super::event::{Tally, TenantPace};
use super::row::{Impossible, Remains, Step, WriteState};
use super::{Entry, Pace, RunId, StopReason, TenantName};

/// What a run's entries add up to: the same value whether they were heard while it ran or read from its journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunRecord {
    writes: HashMap<TenantName, Vec<WriteState>>,
    /// When each session began and was last heard of.
    sessions: Vec<(Timestamp, Timestamp)>,
    /// Requests and rate limit, all sessions together.
    paces: HashMap<TenantName, Pace>,
    /// Requests of the newest session, as far as its outcomes tell: those of one that was killed are told by nothing else.
    unclosed: HashMap<TenantName, u64>,
    /// Why the newest session ended early, if it did.
    pub stop: Option<StopReason>,
    /// Tenants that took no more rows in the newest session, with the words for it.
    pub tenant_stops: Vec<(TenantName, StopReason, String)>,
    /// The newest wave that is over, and why no other may follow.
    pub wave: Option<(usize, Option<String>)>,
    /// By which run it is not to be finished any more, tenant by tenant.
    superseded: HashMap<TenantName, RunId>,
    /// Whether the newest session ended in good order.
    pub closed: bool,
}

impl RunRecord {
    /// A run of which nothing was heard, with so many writes in each tenant.
    pub fn new(writes: impl IntoIterator<Item = (TenantName, usize)>) -> Self {
        let waiting = |(tenant, count)| (tenant, vec![WriteState::Waiting; count]);
        Self { writes: writes.into_iter().map(waiting).collect(), ..Self::default() }
    }

    /// Takes an entry into account.
    ///
    /// # Errors
    /// Where no run comes from the entries before to this one.
    pub fn take(&mut self, entry: Entry) -> Result<(), Impossible> {
        match entry {
            Entry::Started { at, .. } | Entry::Resumed { at } => {
                self.sessions.push((at, at));
                for (tenant, requests) in std::mem::take(&mut self.unclosed) {
                    self.paces.entry(tenant).or_default().requests += requests;
                }
                self.stop = None;
                self.tenant_stops.clear();
                self.closed = false;
            }
            Entry::Claimed { tenant, writes } => {
                for write in writes {
                    self.step(&tenant, write, Step::Claim)?;
                }
            }
            Entry::Outcome(outcome) => {
                let (tenant, write, ended) = (outcome.tenant.clone(), outcome.write, outcome.ended);
                *self.unclosed.entry(tenant.clone()).or_default() += u64::from(outcome.attempts);
                self.step(&tenant, write, Step::End(outcome))?;
                self.heard(ended);
            }
            Entry::Mismatch { tenant, write, at, message } => {
                self.step(&tenant, write, Step::Contradict(message))?;
                self.heard(at);
            }
            Entry::WaveEnded { wave, at, bad } => {
                self.wave = Some((wave, bad));
                self.heard(at);
            }
            Entry::TenantStopped { tenant, at, reason, message } => {
                self.tenant_stops.push((tenant, reason, message));
                self.heard(at);
            }
            Entry::Finished { at, stop, paces, .. } => {
                self.stop = stop;
                self.closed = true;
                paces.iter().for_each(|pace| self.add_pace(pace));
                self.unclosed.clear();
                self.heard(at);
            }
            Entry::Superseded { by, tenants, .. } => {
                self.superseded.extend(tenants.into_iter().map(|tenant| (tenant, by.clone())));
            }
        }
        Ok(())
    }

    /// The records of several runs as one. Of a tenant that is in several of them, the last says what became of it.
    pub fn joined(records: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self { closed: true, ..Self::default() };
        for one in records {
            if let (Some((began, _)), Some((_, ended))) = (one.sessions.first(), one.sessions.last()) {
                let (from, to) = whole.sessions.first().copied().unwrap_or((*began, *ended));
                whole.sessions = vec![(from.min(*began), to.max(*ended))];
            }
            whole.writes.extend(one.writes);
            whole.paces.extend(one.paces);
            whole.unclosed.extend(one.unclosed);
            whole.superseded.extend(one.superseded);
            whole.tenant_stops.extend(one.tenant_stops);
            whole.stop = whole.stop.max(one.stop);
            whole.closed &= one.closed;
        }
        whole
    }

    /// Forgets all but these tenants.
    pub fn retain(&mut self, kept: impl Fn(&TenantName) -> bool) {
        self.writes.retain(|tenant, _| kept(tenant));
        self.paces.retain(|tenant, _| kept(tenant));
        self.unclosed.retain(|tenant, _| kept(tenant));
        self.superseded.retain(|tenant, _| kept(tenant));
        self.tenant_stops.retain(|(tenant, ..)| kept(tenant));
    }

    fn step(&mut self, tenant: &TenantName, write: usize, step: Step) -> Result<(), Impossible> {
        let state = self.writes.get_mut(tenant).and_then(|writes| writes.get_mut(write));
        let state = state.ok_or_else(|| Impossible(format!("{tenant} has no write {write}")))?;
        let before = std::mem::replace(state, WriteState::Waiting);
        *state = before
            .next(step)
            .map_err(|Impossible(why)| Impossible(format!("{why} ({tenant}, write {write})")))?;
        Ok(())
    }

    fn heard(&mut self, at: Timestamp) {
        if let Some((_, last)) = self.sessions.last_mut() {
            *last = at.max(*last);
        }
    }

    fn add_pace(&mut self, TenantPace { tenant, pace }: &TenantPace) {
        let held = self.paces.entry(tenant.clone()).or_default();
        *held = Pace {
            requests: held.requests + pace.requests,
            throttled: held.throttled + pace.throttled,
            lowest: [held.lowest, pace.lowest].into_iter().flatten().min(),
            ..*pace
        };
    }

    /// The states of a tenant's writes, in the plan's order.
    pub fn writes(&self, tenant: &TenantName) -> &[WriteState] {
        self.writes.get(tenant).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is left of a tenant's writes: which, and what has to be done. Nothing where another run superseded this one.
    pub fn remaining<'r>(
        &'r self,
        tenant: &TenantName,
        failed: bool,
    ) -> impl Iterator<Item = (usize, Remains)> + use<'r> {
        let superseded = self.superseded.contains_key(tenant);
        let left = self.writes(tenant).iter().enumerate().filter(move |_| !superseded);
        left.map(|(at, state)| (at, state.remains())).filter(move |(_, remains)| match remains {
            Remains::Nothing => false,
            Remains::Failed => failed,
            Remains::Send | Remains::Look => true,
        })
    }

    /// Writes that `resume` would take up, in all tenants.
    pub fn left(&self) -> usize {
        self.writes.keys().map(|tenant| self.remaining(tenant, false).count()).sum()
    }

    /// Whether `resume` has something to do: writes, or at least the report of a process that was killed.
    pub fn is_unfinished(&self) -> bool {
        self.left() > 0 || !self.closed && self.superseded.is_empty()
    }

    /// How far it is.
    pub fn tally(&self) -> Tally {
        let states = || self.writes.values().flatten();
        let maybe = states().filter(|state| state.is_written()).count();
        let written = states().filter(|state| state.is_surely_written()).count();
        let failed = |state: &&WriteState| state.remains() == Remains::Failed;
        Tally {
            written,
            unknown: maybe - written,
            failed: states().filter(failed).count(),
            left: self.left(),
        }
    }

    /// The run that superseded this one in a tenant.
    pub fn superseded_by(&self, tenant: &TenantName) -> Option<&RunId> {
        self.superseded.get(tenant)
    }

    /// Requests and rate limit of a tenant, all sessions together.
    pub fn pace(&self, tenant: &TenantName) -> Pace {
        let mut pace = self.paces.get(tenant).copied().unwrap_or_default();
        pace.requests += self.unclosed.get(tenant).copied().unwrap_or_default();
        pace
    }

    /// When the first session began, when the newest was last heard of, and the seconds that they took together.
    pub fn times(&self) -> Option<(Timestamp, Timestamp, f64)> {
        let (began, _) = self.sessions.first()?;
        let (_, ended) = self.sessions.last()?;
        let seconds = self.sessions.iter().map(|(from, to)| to.duration_since(*from).as_secs_f64()).sum();
        Some((*began, *ended, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_superseded_run_leaves_nothing_to_resume() {
        let mut record = RunRecord::new([("dev".into(), 2)]);
        assert!(record.is_unfinished() && record.left() == 2);
        let by = RunId::new("20260101-000000-000aaa");
        let superseded = Entry::Superseded {
            by,
            at: Timestamp::UNIX_EPOCH,
            tenants: vec!["dev".into()],
            tally: Tally::default(),
        };
        record.take(superseded).unwrap();
        assert!(!record.is_unfinished() && record.left() == 0);
    }
}
