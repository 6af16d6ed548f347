//! When to leave a failing tenant in peace, and when to give it up. Pure: time comes in as an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Outcome, Reason, Written};

/// Final failures in a row that open it.
const FAILURES_IN_A_ROW: u32 = 5;
/// How long a tenant may stay unreachable before it is given up.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the tenant's loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send as usual.
    Go,
    /// Send one write: a read got through, and only a write proves that writes do.
    One,
    /// Send nothing; after so long, probe with one request.
    Pause(Duration),
    /// It stayed unreachable for too long.
    GiveUp,
}

/// Counts failures that speak of the tenant rather than of a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    in_a_row: u32,
    open: Option<Open>,
    /// When it opened last.
    opened: Option<Instant>,
}

/// A tenant that is left in peace.
#[derive(Debug, Clone, Copy)]
struct Open {
    since: Instant,
    /// Probes, and writes sent as probes, that failed.
    probes: u32,
    /// Whether a read got through, so that a write may be tried.
    reached: bool,
}

impl Breaker {
    /// Whether an outcome says something of the tenant, not of the row.
    pub(super) fn is_tenants(outcome: &Outcome) -> bool {
        matches!(outcome.reason, Some(Reason::Network | Reason::ServerError | Reason::Unknown))
    }

    /// Whether the tenant was found to be away since this instant: a row that was under way then fails for the reason
    /// already known.
    pub(super) fn was_open_since(&self, instant: Instant) -> bool {
        self.open.is_some() || self.opened.is_some_and(|opened| opened >= instant)
    }

    /// Takes an outcome into account. An answer of any kind but a failure shows that the tenant is there.
    pub(super) fn observe(&mut self, outcome: &Outcome, now: Instant) {
        if Self::is_tenants(outcome) {
            self.in_a_row += 1;
            match &mut self.open {
                Some(open) if open.reached => {
                    *open = Open { reached: false, probes: open.probes + 1, ..*open }
                }
                Some(_) => (),
                None if self.in_a_row >= FAILURES_IN_A_ROW => {
                    self.open = Some(Open { since: now, probes: 0, reached: false });
                    self.opened = Some(now);
                }
                None => (),
            }
        } else if outcome.http_status.is_some() || outcome.written == Written::Yes {
            *self = Self { opened: self.opened, ..Self::default() };
        }
    }

    /// A probe came back.
    pub(super) fn probed(&mut self, reached: bool) {
        if let Some(open) = &mut self.open {
            open.reached = reached;
            open.probes += u32::from(!reached);
        }
    }

    /// What to do now.
    pub(super) fn next(&self, now: Instant) -> Next {
        match self.open {
            None => Next::Go,
            Some(open) if now.duration_since(open.since) >= PATIENCE => Next::GiveUp,
            Some(open) if open.reached => Next::One,
            Some(open) => {
                Next::Pause((FIRST_PAUSE * 2_u32.saturating_pow(open.probes.min(8))).min(LONGEST_PAUSE))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntityId, RowResult, TenantName};
    use jiff::Timestamp;

    fn outcome(reason: Option<Reason>, http_status: Option<u16>) -> Outcome {
        let failed = reason.is_some();
        let result = if failed { RowResult::Failed } else { RowResult::Updated };
        let written = if failed { Written::No } else { Written::Yes };
        let begun = Outcome::begun(TenantName::new("dev"), 0, EntityId::new("a"), Timestamp::UNIX_EPOCH);
        Outcome { result, reason, http_status, written, attempts: 1, ..begun }
    }

    #[test]
    fn five_final_failures_in_a_row_pause_the_tenant_and_a_reached_probe_lets_it_go_on() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            breaker.observe(&outcome(Some(Reason::Network), None), now);
        }
        breaker.observe(&outcome(None, Some(200)), now);
        for _ in 0..4 {
            breaker.observe(&outcome(Some(Reason::ServerError), Some(503)), now);
        }
        assert_eq!(breaker.next(now), Next::Go);
        breaker.observe(&outcome(Some(Reason::Network), None), now);
        assert_eq!(breaker.next(now), Next::Pause(FIRST_PAUSE));
        breaker.probed(false);
        assert_eq!(breaker.next(now), Next::Pause(FIRST_PAUSE * 2));
        breaker.probed(true);
        assert_eq!(breaker.next(now), Next::One, "a read got through: one write may try");
        breaker.observe(&outcome(Some(Reason::ServerError), Some(503)), now);
        assert_eq!(
            breaker.next(now),
            Next::Pause(FIRST_PAUSE * 4),
            "the write did not: the pause goes on growing"
        );
        breaker.probed(true);
        breaker.observe(&outcome(None, Some(200)), now);
        assert_eq!(breaker.next(now), Next::Go);
    }

    #[test]
    fn a_tenant_unreachable_for_five_minutes_is_given_up() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..5 {
            breaker.observe(&outcome(Some(Reason::Network), None), now);
        }
        assert_eq!(breaker.next(now + PATIENCE), Next::GiveUp);
    }

    #[test]
    fn rows_that_the_server_refuses_say_nothing_of_the_tenant() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..20 {
            breaker.observe(&outcome(Some(Reason::Refused), Some(400)), now);
        }
        assert_eq!(breaker.next(now), Next::Go);
    }
}
