//! A simulated tenant in virtual time, to judge the pacing machine by: true token buckets, latency, production traffic, and
//! one or more runners that send as a run does. Nothing sleeps; an event queue is the clock, and a seed fixes all chance.
//!
//! Central types: [`World`] (the tenant and the runners), [`Report`] (what came of it). The machine that is judged is
//! `groups.rs` with its buckets; how the limiter's clock drives it is tested elsewhere.
//!
//! | file | what |
//! |---|---|
//! | `tenant.rs` | true buckets, and the headers that tell of them |
//! | `engine.rs` `runner.rs` | the event queue; one runner: signing in, reading, writing |

mod engine;
mod runner;
mod tenant;
#[cfg(test)]
mod tests;

use super::settings::Reserve;

/// Size and refill of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Tokens in a full bucket.
    pub size: f64,
    /// Tokens that come back each second.
    pub refill: f64,
}

/// The two readings of `x-ratelimit-reset` in circulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// When the bucket is full again.
    Full,
    /// When the next call fits.
    NextCall,
}

/// Other traffic on the bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Traffic {
    /// None.
    None,
    /// So many calls a second, evenly spaced.
    Even(f64),
    /// So many calls a second on average, at random.
    Poisson(f64),
}

/// Which answers carry rate-limit headers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Headers {
    /// All.
    Always,
    /// None.
    Never,
    /// All but one in so many.
    AllButOneIn(u64),
    /// Those before this second.
    Until(f64),
    /// All but refusals.
    NotOnRefusals,
}

/// The tenant and the runners.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// The bucket that headers tell of.
    pub limit: Limit,
    /// A bucket of their own for reads.
    pub reads: Option<Limit>,
    /// A second bucket for the same requests, of which no header tells.
    pub hidden: Option<Limit>,
    /// From that second on, another limit.
    pub change: Option<(f64, Limit)>,
    /// Mean and spread of a round trip, in seconds.
    pub latency: (f64, f64),
    /// One answer in so many takes so long, in seconds.
    pub slow: Option<(u64, f64)>,
    /// Where within the trip the token is taken, 0 to 1.
    pub taken_at: f64,
    /// How the tenant means `x-ratelimit-reset`.
    pub reset: Reset,
    /// The server's clock against ours, in seconds.
    pub skew: f64,
    /// Which answers carry headers.
    pub headers: Headers,
    /// Seconds in `Retry-After` of refusals.
    pub retry_after: Option<u32>,
    /// One answer in so many is lost (0: none).
    pub lose_one_in: u64,
    /// Other traffic on the same bucket.
    pub production: Traffic,
    /// When that ends.
    pub production_stops: f64,
    /// What runners leave to production.
    pub reserve: Reserve,
    /// Runners that know nothing of each other.
    pub runners: usize,
    /// Seconds between one runner's start and the next one's.
    pub stagger: f64,
    /// Whether each signs in first: a trip that takes no token.
    pub sign_in: bool,
    /// Lists each reads before its first write, one after another.
    pub lists: u64,
    /// Writes of all runners together.
    pub writes: u64,
    /// Most that a runner keeps in flight; none: as many as the machine wants.
    pub concurrency: Option<usize>,
    /// Seed of all chance.
    pub seed: u64,
}

impl World {
    /// A runner alone, on a fast line, to whom the whole bucket belongs.
    pub fn alone(size: f64, refill: f64, writes: u64) -> Self {
        Self {
            limit: Limit { size, refill },
            reads: None,
            hidden: None,
            change: None,
            latency: (0.040, 0.020),
            slow: None,
            taken_at: 0.5,
            reset: Reset::Full,
            skew: 0.0,
            headers: Headers::Always,
            retry_after: None,
            lose_one_in: 0,
            production: Traffic::None,
            production_stops: f64::INFINITY,
            reserve: Reserve::Tokens(0),
            runners: 1,
            stagger: 0.0,
            sign_in: false,
            lists: 0,
            writes,
            concurrency: None,
            seed: 1,
        }
    }

    /// The same world under both readings of `reset`, clocks that are three seconds off, and tokens taken early, half-way,
    /// late or anywhere within a trip.
    pub fn variations(&self) -> impl Iterator<Item = World> + '_ {
        let trips = [(-3.0, 0.1), (0.0, 0.5), (3.0, 0.9), (0.0, f64::NAN)];
        (0..8).map(move |index| {
            let (skew, taken_at) = trips[index / 2];
            let reset = if index % 2 == 0 { Reset::Full } else { Reset::NextCall };
            World { reset, skew, taken_at, seed: self.seed * 8 + index as u64, ..*self }
        })
    }

    /// The least time in which anybody could get all tokens that the runners take, in seconds.
    pub fn ideal(&self) -> f64 {
        let others = match self.production {
            Traffic::None => 0.0,
            Traffic::Even(rate) | Traffic::Poisson(rate) => rate,
        };
        let (size, refill) = (self.limit.size, self.limit.refill);
        let reads = if self.reads.is_some() { 0 } else { self.lists * self.runners as u64 };
        let wanted = (self.writes + reads) as f64 - size + self.reserve.of(size);
        let during = wanted / (refill - others);
        if during <= self.production_stops {
            return during;
        }
        (wanted + others * self.production_stops) / refill
    }

    /// Runs it to the end.
    ///
    /// # Panics
    /// Where a runner stands still, or needs more than an hour of virtual time: that is a defect of the machine.
    pub fn run(&self) -> Report {
        engine::Simulation::new(*self).run()
    }
}

/// What came of it. Times are in seconds of virtual time.
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// When the last answer came.
    pub last_answer: f64,
    /// When the last token was taken.
    pub last_taken: f64,
    /// Seconds during which the bucket was full and its refill lost.
    pub full_for: f64,
    /// Tokens that were left when the last was taken.
    pub left_over: f64,
    /// When the first write was sent.
    pub first_write: f64,
    /// Answers 429.
    pub refused: u64,
    /// The last of them.
    pub last_refused: f64,
    /// Production calls that found the bucket empty.
    pub production_refused: u64,
    /// Production calls.
    pub production_calls: u64,
    /// Most in flight at once.
    pub most_in_flight: usize,
    /// By how many tokens the machine's level was above the true one when it sent near its gate, at most.
    pub overestimated: f64,
    /// What the first runner learned of the refill.
    pub refill: Option<f64>,
    /// When each runner ended.
    pub ends: Vec<f64>,
    /// Tokens that each runner had taken when the first one ended.
    pub shares: Vec<u64>,
    /// When the runners took their tokens.
    pub taken: Vec<f64>,
}

impl Report {
    /// The least share over the largest, when the first runner ended.
    pub fn evenness(&self) -> f64 {
        let least = self.shares.iter().min().copied().unwrap_or_default();
        let most = self.shares.iter().max().copied().unwrap_or_default();
        least as f64 / most.max(1) as f64
    }

    /// Tokens a second that runners took between two instants.
    pub fn rate(&self, from: f64, to: f64) -> f64 {
        let there = self.taken.iter().filter(|at| (from..to).contains(*at)).count();
        there as f64 / (to - from)
    }
}
