//! How well the pacing machine uses a bucket, in virtual time: `cargo bench --bench pacing`.
//!
//! Each figure is the worst of many simulated runs: both readings of `x-ratelimit-reset`, clocks three seconds off, tokens
//! taken early, late or anywhere within a trip, several seeds. Virtual time and fixed seeds: every machine prints the same
//! table. `cargo bench --bench pacing -- alone` prints the scenarios with that word alone. `benches/pace.rs` measures whole runs
//! over real HTTP.
//!
//! | column | says |
//! |---|---|
//! | ratio, over | the last answer, against the least time in which anybody could have had the tokens; seconds beyond it |
//! | taken | the last token, against the same |
//! | full, left | seconds during which the bucket was full and its refill lost; tokens left in the end |
//! | 429s, of | refusals; requests |
//! | empty | production calls that found no token |
//! | even | the smallest share of the largest, when the first runner ended |
//! | slack | the run's rate from the second to the seventh second after production ended, against the refill |
//! | high | by how many tokens the level was taken for higher than it was, near the gate |
//! | flight | most requests in flight |
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use patchwave::auth0::Reserve;
use patchwave::auth0::simulation::{Headers, Limit, Report, Traffic, World};

/// Fast and real round trips: mean and spread in seconds.
const LINES: [(f64, f64); 2] = [(0.040, 0.020), (0.390, 0.200)];
const SEEDS: u64 = 2;

/// Size, refill per second, and writes.
const BUCKETS: [(f64, f64, u64); 12] = [
    (50.0, 16.0, 300),
    (10.0, 2.0, 100),
    (10.0, 2.5, 100),
    (100.0, 50.0, 1000),
    (20.0, 20.0, 300),
    (20.0, 200.0 / 60.0, 100),
    (5.0, 100.0 / 60.0, 60),
    (250.0, 250.0, 2000),
    (2.0, 2.0, 120),
    (1.0, 1.0, 60),
    (50.0, 4.0, 100),
    (250.0, 25.0, 500),
];

type Scenario = (&'static str, fn(World) -> World);

const SCENARIOS: [Scenario; 19] = [
    ("alone", |world| world),
    ("a whole run: token, 3 lists, writes", |world| World { sign_in: true, lists: 3, ..world }),
    ("4 in flight at most", |world| World { concurrency: Some(4), ..world }),
    ("production at R/2, reserve 20 %", |world| produced(world, Traffic::Even)),
    ("random production at R/2, reserve 20 %", |world| produced(world, Traffic::Poisson)),
    ("production ends half-way", |world| {
        let world = produced(world, Traffic::Even);
        World { production_stops: (world.ideal() / 2.0).max(10.0), writes: 2 * world.writes, ..world }
    }),
    ("limit halved after a third", |world| changed(world, 0.5)),
    ("limit doubled after a third", |world| changed(world, 2.0)),
    ("four runners at once", |world| World { runners: 4, writes: 4 * (world.writes * 2 / 3), ..world }),
    ("four runners, one after another, reserve 20 %", |world| {
        let stagger = 0.1 * world.ideal();
        World {
            runners: 4,
            writes: 4 * (world.writes * 2 / 3),
            stagger,
            reserve: Reserve::Share(0.2),
            ..world
        }
    }),
    ("one in 7 lost, one in 5 without headers", |world| World {
        lose_one_in: 7,
        headers: Headers::AllButOneIn(5),
        ..world
    }),
    ("one in 20 takes 10 s", |world| World { slow: Some((20, 10.0)), ..world }),
    ("refusals without headers", |world| World { headers: Headers::NotOnRefusals, ..world }),
    ("no headers at all", |world| World { headers: Headers::Never, ..world }),
    ("no headers, Retry-After 1", |world| World { headers: Headers::Never, retry_after: Some(1), ..world }),
    ("headers end half-way", |world| World { headers: Headers::Until(world.ideal() / 2.0), ..world }),
    ("a second bucket, unseen: R/2", |world| hidden(world)),
    ("Essentials: reads 5 + 100/min, after 3 lists", |world| {
        let reads = Limit { size: 5.0, refill: 100.0 / 60.0 };
        World { reads: Some(reads), sign_in: true, lists: 3, ..world }
    }),
    ("reads apart, same limit; 8 lists", |world| World { reads: Some(world.limit), lists: 8, ..world }),
];

fn produced(world: World, traffic: fn(f64) -> Traffic) -> World {
    World { production: traffic(world.limit.refill / 2.0), reserve: Reserve::Share(0.2), ..world }
}

fn changed(world: World, factor: f64) -> World {
    let limit = Limit { size: (world.limit.size * factor).ceil(), refill: world.limit.refill * factor };
    World { change: Some((world.ideal() / 3.0, limit)), ..world }
}

fn hidden(world: World) -> World {
    let limit = Limit { size: 3.0 * world.limit.size, refill: world.limit.refill / 2.0 };
    World { hidden: Some(limit), writes: 2 * world.writes, ..world }
}

/// The least time of a world, where what happens half-way counts.
fn ideal(world: &World) -> f64 {
    let ideal = world.ideal();
    if let Some(hidden) = world.hidden {
        return (world.writes as f64 - hidden.size) / hidden.refill;
    }
    match world.change {
        Some((at, limit)) if limit.refill > world.limit.refill => {
            // What was taken until then, and what the bucket then held, is less to wait for.
            let after = (ideal - at) * world.limit.refill;
            at + after / limit.refill
        }
        Some((at, limit)) => at + (ideal - at) * world.limit.refill / limit.refill,
        None => ideal,
    }
}

/// The worst of many runs.
#[derive(Default)]
struct Worst {
    ratio: f64,
    over: f64,
    taken: f64,
    refused: u64,
    requests: u64,
    production: u64,
    evenness: f64,
    slack: f64,
    in_flight: usize,
    full_for: f64,
    left_over: f64,
    high: f64,
}

impl Worst {
    fn of(world: &World) -> Self {
        let mut worst = Self { evenness: 1.0, slack: f64::INFINITY, ..Self::default() };
        for seed in 1..=SEEDS {
            for world in (World { seed, ..*world }).variations() {
                worst.note(&world, &world.run());
            }
        }
        worst
    }

    fn note(&mut self, world: &World, report: &Report) {
        let ideal = ideal(world);
        self.ratio = self.ratio.max(report.last_answer / ideal);
        self.over = self.over.max(report.last_answer - ideal);
        self.taken = self.taken.max(report.last_taken / ideal);
        self.refused = self.refused.max(report.refused);
        self.requests = world.writes;
        self.production = self.production.max(report.production_refused);
        self.evenness = self.evenness.min(report.evenness());
        self.full_for = self.full_for.max(report.full_for);
        self.left_over = self.left_over.max(report.left_over);
        self.in_flight = self.in_flight.max(report.most_in_flight);
        self.high = self.high.max(report.overestimated);
        if world.production_stops.is_finite() {
            let stop = world.production_stops;
            self.slack = self.slack.min(report.rate(stop + 2.0, stop + 7.0) / world.limit.refill);
        }
    }
}

fn main() {
    // Cargo passes flags of its own; what is no flag narrows the scenarios.
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| name.contains(&wanted)) {
        println!("\n{name}");
        println!(
            "    bucket               line  ratio   over  taken   full  left  429s   of  empty  even  slack  high flight"
        );
        for (size, refill, writes) in BUCKETS {
            for latency in LINES {
                let world = scenario(World { latency, ..World::alone(size, refill, writes) });
                // Beside production a bucket of one hardly moves, and says nothing of the machine.
                if ideal(&world) < 1.0 || size < 2.0 && world.production != Traffic::None {
                    continue;
                }
                line(&world, &Worst::of(&world));
            }
        }
    }
}

fn line(world: &World, worst: &Worst) {
    let Limit { size, refill } = world.limit;
    let slack = if worst.slack.is_finite() { format!("{:6.2}", worst.slack) } else { "     -".to_owned() };
    println!(
        "    {size:4} + {refill:6.2}/s {:8.0} ms  {:.3} {:6.2}  {:.3} {:6.2} {:5.2} {:5} {:4}  {:5}  {:.2} {slack} {:5.2} {:6}",
        world.latency.0 * 1000.0,
        worst.ratio,
        worst.over,
        worst.taken,
        worst.full_for,
        worst.left_over,
        worst.refused,
        worst.requests,
        worst.production,
        worst.evenness,
        worst.high,
        worst.in_flight,
    );
}
