//! One runner of a simulation: it signs in, reads lists one after another, then writes. Central type: [`Runner`].

use std::time::Duration;

use super::super::groups::{Group, Groups, Trip};
use super::World;

/// What a runner does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    /// Sign in.
    Token,
    /// Send a request of this group.
    Send(Group),
    /// Ask again at that instant.
    Sleep(f64),
    /// Nothing before an answer.
    Wait,
}

/// A process that changes its share of the clients.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) groups: Groups,
    pub(super) starts: f64,
    needs_token: bool,
    lists: u64,
    pub(super) writes: u64,
    pub(super) in_flight: usize,
    /// When it is to be woken; the past where it is not.
    pub(super) wake: f64,
    pub(super) taken: u64,
}

impl Runner {
    pub(super) fn new(world: &World, index: usize) -> Self {
        Self {
            groups: Groups::new(world.reserve),
            starts: world.stagger * index as f64,
            needs_token: world.sign_in,
            lists: world.lists,
            writes: world.writes / world.runners as u64,
            in_flight: 0,
            wake: -1.0,
            taken: 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.lists + self.writes == 0 && self.in_flight == 0
    }

    /// What to do at `now`.
    pub(super) fn want(&mut self, now: f64, concurrency: Option<usize>) -> Want {
        if now < self.starts {
            return Want::Sleep(self.starts);
        }
        let reading = self.needs_token || self.lists > 0;
        let bound = concurrency.unwrap_or_else(|| self.groups.of_writes().in_flight_needed());
        if self.lists + self.writes == 0 || self.in_flight >= if reading { 1 } else { bound } {
            return Want::Wait;
        }
        if self.needs_token {
            return Want::Token;
        }
        let (group, left) = if reading { (Group::Read, u64::MAX) } else { (Group::Write, self.writes) };
        let instant = Duration::from_secs_f64(now);
        let at = self.groups.next(group, instant, left);
        if at > instant { Want::Sleep(at.as_secs_f64()) } else { Want::Send(group) }
    }

    pub(super) fn sign_in(&mut self) {
        self.needs_token = false;
        self.in_flight += 1;
    }

    pub(super) fn depart(&mut self, group: Group, now: f64) -> Trip {
        match group {
            Group::Read => self.lists -= 1,
            Group::Write => self.writes -= 1,
        }
        self.in_flight += 1;
        self.groups.depart(group, Duration::from_secs_f64(now))
    }

    /// A refused request goes again.
    pub(super) fn again(&mut self, group: Group) {
        match group {
            Group::Read => self.lists += 1,
            Group::Write => self.writes += 1,
        }
    }
}
