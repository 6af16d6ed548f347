//! A simulated tenant in virtual time: a true token bucket, latency, production traffic, and one or more runners that send
//! by [`Bucket`]. Nothing sleeps; an event queue is the clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::super::rate_headers::RateHeaders;
use super::super::settings::Reserve;
use super::{Bucket, Departure, Next};

/// The two readings of `x-ratelimit-reset` in circulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reset {
    /// When the bucket is full again.
    Full,
    /// When the next call fits.
    NextCall,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Traffic {
    None,
    Even(f64),
    Poisson(f64),
}

/// The tenant and the runners.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) size: f64,
    pub(super) refill: f64,
    /// Mean and spread of a round trip, in seconds.
    pub(super) latency: (f64, f64),
    /// Where within the trip the token is taken, 0 to 1.
    pub(super) taken_at: f64,
    pub(super) reset: Reset,
    /// The server's clock against ours.
    pub(super) skew: f64,
    pub(super) reserve: Reserve,
    pub(super) production: Traffic,
    pub(super) requests: u64,
    pub(super) runners: usize,
    pub(super) concurrency: u64,
    /// From then on, another size and refill.
    pub(super) change: Option<(f64, f64, f64)>,
    /// One answer in so many is lost, or comes without headers (0: none).
    pub(super) lose_one_in: u64,
    pub(super) bare_one_in: u64,
    pub(super) seed: u64,
}

impl World {
    /// A runner alone, on a fast line, to whom the whole bucket belongs.
    pub(super) fn alone(size: f64, refill: f64, requests: u64) -> Self {
        Self {
            size,
            refill,
            latency: (0.040, 0.020),
            taken_at: 0.5,
            reset: Reset::Full,
            skew: 0.0,
            reserve: Reserve::Tokens(0),
            production: Traffic::None,
            requests,
            runners: 1,
            concurrency: 64,
            change: None,
            lose_one_in: 0,
            bare_one_in: 0,
            seed: 1,
        }
    }

    /// The least time in which anybody could send all.
    pub(super) fn ideal(&self) -> f64 {
        let others = match self.production {
            Traffic::None => 0.0,
            Traffic::Even(rate) | Traffic::Poisson(rate) => rate,
        };
        (self.requests as f64 - self.size + self.reserve.of(self.size)) / (self.refill - others)
    }

    pub(super) fn run(&self) -> Report {
        Simulation::new(self.clone()).run()
    }
}

#[derive(Debug, Default, Clone)]
pub(super) struct Report {
    /// When the last answer came.
    pub(super) last_answer: f64,
    pub(super) last_taken: f64,
    /// Answers 429.
    pub(super) refused: u64,
    /// Production calls that found the bucket empty.
    pub(super) production_refused: u64,
    pub(super) production_calls: u64,
    /// Most in flight at once.
    pub(super) most_in_flight: u64,
    /// By how much the machine's level was above the true one at a departure, at most.
    pub(super) overestimated: f64,
    /// The estimate of the refill at the end.
    pub(super) slope: Option<f64>,
    /// Departures of each runner, by second.
    pub(super) ends: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Wake,
    Arrive(usize),
    Answer(usize),
    Production,
}

#[derive(Debug, Clone, Copy)]
struct Trip {
    runner: usize,
    departure: Departure,
    answer_at: f64,
    status: u16,
    headers: RateHeaders,
}

struct Runner {
    bucket: Bucket,
    left: u64,
    in_flight: u64,
    wake: f64,
}

struct Simulation {
    world: World,
    now: f64,
    level: f64,
    level_at: f64,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: Vec<Event>,
    trips: Vec<Trip>,
    runners: Vec<Runner>,
    dice: fastrand::Rng,
    report: Report,
    answers: u64,
    /// Sent, and not yet at the server.
    on_the_way: u64,
}

impl Simulation {
    fn new(world: World) -> Self {
        let runners = (0..world.runners)
            .map(|_| Runner {
                bucket: Bucket::new(world.reserve),
                left: world.requests / world.runners as u64,
                in_flight: 0,
                wake: -1.0,
            })
            .collect();
        let level = world.size;
        let dice = fastrand::Rng::with_seed(world.seed);
        Self {
            world,
            now: 0.0,
            level,
            level_at: 0.0,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            trips: Vec::new(),
            runners,
            dice,
            report: Report::default(),
            answers: 0,
            on_the_way: 0,
        }
    }

    fn run(mut self) -> Report {
        self.report.ends = vec![0.0; self.world.runners];
        self.at(0.0, Event::Wake);
        if !matches!(self.world.production, Traffic::None) {
            self.at(0.3, Event::Production);
        }
        while self.runners.iter().any(|runner| runner.left + runner.in_flight > 0) {
            let Some(Reverse((nanos, _, index))) = self.queue.pop() else {
                panic!("the runner stands still")
            };
            self.now = nanos as f64 / 1e9;
            assert!(self.now < 3_000.0, "the runner hardly moves: {:?}", self.report);
            match self.events[index] {
                Event::Wake => self.woken(),
                Event::Arrive(trip) => self.arrive(trip),
                Event::Answer(trip) => self.answer(trip),
                Event::Production => self.production(),
            }
            for runner in 0..self.runners.len() {
                self.send(runner);
            }
        }
        self.report.last_answer = self.now;
        self.report.slope = self.runners[0].bucket.refill();
        self.report
    }

    fn at(&mut self, time: f64, event: Event) {
        self.events.push(event);
        let index = self.events.len() - 1;
        self.queue.push(Reverse(((time.max(self.now) * 1e9).ceil() as u64, index as u64, index)));
    }

    /// A wake-up that was replaced by an earlier one does nothing, else they would multiply.
    fn woken(&mut self) {
        for runner in self.runners.iter_mut().filter(|runner| runner.wake <= self.now + 1e-8) {
            runner.wake = -1.0;
        }
    }

    fn send(&mut self, index: usize) {
        let now = Duration::from_secs_f64(self.now);
        loop {
            let runner = &mut self.runners[index];
            if runner.left == 0 || runner.in_flight >= self.world.concurrency {
                return;
            }
            match runner.bucket.next(now, runner.left) {
                Next::AfterAnswer => {
                    assert!(runner.in_flight > 0, "told to wait for an answer with nothing in flight");
                    return;
                }
                Next::At(at) if at > now => {
                    let at = at.as_secs_f64();
                    if runner.wake <= self.now || at < runner.wake {
                        runner.wake = at;
                        self.at(at, Event::Wake);
                    }
                    return;
                }
                Next::At(_) => self.depart(index, now),
            }
        }
    }

    fn depart(&mut self, index: usize, now: Duration) {
        self.settle_level();
        self.compare(index);
        let runner = &mut self.runners[index];
        let departure = runner.bucket.depart(now);
        runner.left -= 1;
        runner.in_flight += 1;
        self.on_the_way += 1;
        self.report.most_in_flight = self.report.most_in_flight.max(runner.in_flight);
        let (mean, spread) = self.world.latency;
        let latency = mean + spread * (2.0 * self.dice.f64() - 1.0);
        let answer_at = self.now + latency;
        self.trips.push(Trip {
            runner: index,
            departure,
            answer_at,
            status: 0,
            headers: RateHeaders::default(),
        });
        let trip = self.trips.len() - 1;
        self.at(self.now + latency * self.world.taken_at, Event::Arrive(trip));
    }

    /// How far the machine's level is above the true one, where it matters: near the gate.
    fn compare(&mut self, index: usize) {
        let bucket = &self.runners[index].bucket;
        let (Some(level), pace) = (&bucket.level, bucket.pace()) else { return };
        let on_the_way = self.on_the_way as f64;
        if level.tokens < pace.gate + 2.0 {
            let over = level.tokens - (self.level - on_the_way);
            self.report.overestimated = self.report.overestimated.max(over);
        }
    }

    fn settle_level(&mut self) {
        if let Some((at, size, refill)) = self.world.change.filter(|change| self.now >= change.0) {
            self.level += (at - self.level_at).max(0.0) * self.world.refill;
            self.level = self.level.min(self.world.size).min(size);
            self.level_at = self.level_at.max(at);
            (self.world.size, self.world.refill, self.world.change) = (size, refill, None);
        }
        self.level = (self.level + (self.now - self.level_at) * self.world.refill).min(self.world.size);
        self.level_at = self.now;
    }

    fn take(&mut self) -> bool {
        self.settle_level();
        // Rounding of virtual time must not make a whole token a refusal.
        let there = self.level >= 1.0 - 1e-6;
        if there {
            self.level -= 1.0;
        }
        there
    }

    fn headers(&self) -> RateHeaders {
        let server_now = 1.7e9 + self.now + self.world.skew + 0.37;
        let missing = match self.world.reset {
            Reset::Full => self.world.size - self.level,
            Reset::NextCall => (1.0 - self.level).max(0.0),
        };
        let reset = (server_now + missing / self.world.refill).ceil();
        RateHeaders {
            bucket: Some((self.world.size as u64, (self.level + 1e-6).max(0.0) as u64)),
            reset_in: Some(Duration::from_secs_f64((reset - server_now.floor()).max(0.0))),
            retry_after: None,
        }
    }

    fn arrive(&mut self, trip: usize) {
        self.on_the_way -= 1;
        let taken = self.take();
        self.trips[trip].status = if taken { 200 } else { 429 };
        self.trips[trip].headers = self.headers();
        if taken {
            self.report.last_taken = self.now;
        }
        self.at(self.trips[trip].answer_at, Event::Answer(trip));
    }

    fn answer(&mut self, trip: usize) {
        self.answers += 1;
        let Trip { runner, departure, status, mut headers, .. } = self.trips[trip];
        let one_in = |n: u64| n > 0 && self.answers.is_multiple_of(n);
        let (lost, bare) = (one_in(self.world.lose_one_in), one_in(self.world.bare_one_in));
        if bare {
            headers = RateHeaders::default();
        }
        let state = &mut self.runners[runner];
        state.in_flight -= 1;
        if lost {
            state.bucket.lost();
        } else {
            state.bucket.answered(departure, Duration::from_secs_f64(self.now), status, &headers);
        }
        if status == 429 {
            self.report.refused += 1;
            state.left += 1;
        }
        self.report.ends[runner] = self.now;
    }

    fn production(&mut self) {
        self.report.production_calls += 1;
        if !self.take() {
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
