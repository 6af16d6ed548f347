//! The event queue of a simulation. Central type: [`Simulation`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::super::groups::{Group, Trip};
use super::super::rate_headers::RateHeaders;
use super::runner::{Runner, Want};
use super::tenant::Tenant;
use super::{Headers, Report, Traffic, World};

/// An hour: nothing that is simulated needs so long.
const TOO_LONG: f64 = 3_600.0;

#[derive(Debug, Clone, Copy)]
enum Event {
    Wake,
    Arrive(usize),
    Answer(usize),
    SignedIn(usize),
    Production,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
struct Call {
    runner: usize,
    group: Group,
    trip: Trip,
    answer_at: f64,
    granted: bool,
    headers: RateHeaders,
}

pub(super) struct Simulation {
    world: World,
    now: f64,
    tenant: Tenant,
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    events: Vec<Event>,
    calls: Vec<Call>,
    runners: Vec<Runner>,
    dice: fastrand::Rng,
    report: Report,
    answers: u64,
    /// Writes that were sent and have not arrived.
    on_the_way: u64,
}

impl Simulation {
    pub(super) fn new(world: World) -> Self {
        Self {
            now: 0.0,
            tenant: Tenant::new(&world),
            queue: BinaryHeap::new(),
            events: Vec::new(),
            calls: Vec::new(),
            runners: (0..world.runners).map(|index| Runner::new(&world, index)).collect(),
            dice: fastrand::Rng::with_seed(world.seed),
            report: Report { first_write: f64::INFINITY, ..Report::default() },
            answers: 0,
            on_the_way: 0,
            world,
        }
    }

    pub(super) fn run(mut self) -> Report {
        self.report.ends = vec![0.0; self.world.runners];
        self.at(0.0, Event::Wake);
        if self.world.production != Traffic::None {
            self.at(0.3, Event::Production);
        }
        while self.runners.iter().any(|runner| !runner.is_done()) {
            let Some(Reverse((nanos, index))) = self.queue.pop() else { panic!("the runner stands still") };
            self.now = nanos as f64 / 1e9;
            assert!(self.now < TOO_LONG, "the runner hardly moves: {:?}", self.report);
            match self.events[index] {
                Event::Wake => self.woken(),
                Event::Arrive(call) => self.arrive(call),
                Event::Answer(call) => self.answer(call),
                Event::SignedIn(runner) => self.runners[runner].in_flight -= 1,
                Event::Production => self.production(),
            }
            for runner in 0..self.runners.len() {
                self.send(runner);
            }
        }
        self.report.last_answer = self.now;
        self.report.refill = self.runners.first().and_then(|runner| runner.groups.of_writes().refill());
        self.report
    }

    fn at(&mut self, time: f64, event: Event) {
        self.events.push(event);
        self.queue.push(Reverse(((time.max(self.now) * 1e9).ceil() as u64, self.events.len() - 1)));
    }

    /// A wake-up that was replaced by an earlier one does nothing, else they would multiply.
    fn woken(&mut self) {
        for runner in self.runners.iter_mut().filter(|runner| runner.wake <= self.now + 1e-8) {
            runner.wake = -1.0;
        }
    }

    fn send(&mut self, index: usize) {
        loop {
            match self.runners[index].want(self.now, self.world.concurrency) {
                Want::Wait => return,
                Want::Token => {
                    self.runners[index].sign_in();
                    let latency = self.latency();
                    self.at(self.now + latency, Event::SignedIn(index));
                }
                Want::Send(group) => self.depart(index, group),
                Want::Sleep(at) => {
                    let runner = &mut self.runners[index];
                    if runner.wake <= self.now || at < runner.wake {
                        runner.wake = at;
                        self.at(at, Event::Wake);
                    }
                    return;
                }
            }
        }
    }

    fn depart(&mut self, index: usize, group: Group) {
        if group == Group::Write {
            self.compare(index);
            self.on_the_way += 1;
            self.report.first_write = self.report.first_write.min(self.now);
        }
        let latency = self.latency();
        let share = if self.world.taken_at.is_nan() { self.dice.f64() } else { self.world.taken_at };
        // What makes an answer slow is its way back.
        let arrives = self.now + latency.min(self.world.latency.0 + self.world.latency.1) * share;
        let runner = &mut self.runners[index];
        let trip = runner.depart(group, self.now);
        self.report.most_in_flight = self.report.most_in_flight.max(runner.in_flight);
        let answer_at = self.now + latency;
        let headers = RateHeaders::default();
        self.calls.push(Call { runner: index, group, trip, answer_at, granted: false, headers });
        self.at(arrives, Event::Arrive(self.calls.len() - 1));
    }

    fn latency(&mut self) -> f64 {
        let (mean, spread) = self.world.latency;
        let usual = mean + spread * (2.0 * self.dice.f64() - 1.0);
        match self.world.slow {
            Some((one_in, seconds)) if self.dice.u64(0..one_in) == 0 => seconds,
            _ => usual,
        }
    }

    /// How far the machine's level is above the true one, where it matters: near the gate.
    fn compare(&mut self, index: usize) {
        let truth = self.tenant.level(self.now) - self.on_the_way as f64;
        let near =
            self.runners[index].groups.of_writes().level().filter(|(tokens, gate)| *tokens < gate + 2.0);
        if let Some((tokens, _)) = near {
            self.report.overestimated = self.report.overestimated.max(tokens - truth);
        }
    }

    fn arrive(&mut self, index: usize) {
        let Call { group, runner, .. } = self.calls[index];
        let granted = self.tenant.take(group, self.now);
        if group == Group::Write {
            self.on_the_way -= 1;
        }
        if granted {
            self.report.last_taken = self.now;
            self.report.left_over = self.tenant.level(self.now);
            self.report.full_for = self.tenant.full_for();
            self.report.taken.push(self.now);
            self.runners[runner].taken += 1;
        }
        let headers = self.tenant.headers(&self.world, group, granted, self.now);
        let call = &mut self.calls[index];
        (call.granted, call.headers) = (granted, headers);
        self.at(self.calls[index].answer_at, Event::Answer(index));
    }

    fn answer(&mut self, index: usize) {
        self.answers += 1;
        let Call { runner: at, group, trip, granted, mut headers, .. } = self.calls[index];
        let one_in = |n: u64| n > 0 && self.answers.is_multiple_of(n);
        if let Headers::AllButOneIn(n) = self.world.headers
            && one_in(n)
        {
            headers = RateHeaders::default();
        }
        let lost = one_in(self.world.lose_one_in);
        let runner = &mut self.runners[at];
        runner.in_flight -= 1;
        if lost {
            runner.groups.lost(trip);
        } else {
            let status = if granted { 200 } else { 429 };
            runner.groups.answered(trip, Duration::from_secs_f64(self.now), status, &headers);
        }
        if !granted {
            self.report.refused += 1;
            self.report.last_refused = self.now;
            runner.again(group);
        }
        self.report.ends[at] = self.now;
        if self.runners[at].is_done() && self.report.shares.is_empty() {
            self.report.shares = self.runners.iter().map(|runner| runner.taken).collect();
        }
    }

    fn production(&mut self) {
        if self.now >= self.world.production_stops {
            return;
        }
        self.report.production_calls += 1;
        if !self.tenant.take(Group::Write, self.now) {
            self.report.production_refused += 1;
        }
        let pause = match self.world.production {
            Traffic::None => return,
            Traffic::Even(rate) => 1.0 / rate,
            Traffic::Poisson(rate) => -(1.0 - self.dice.f64()).ln() / rate,
        };
        self.at(self.now + pause, Event::Production);
    }
}
