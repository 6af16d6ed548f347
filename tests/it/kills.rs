//! Whatever kills the process at whatever instant, `resume` settles every row: none is lost, doubled or unreported.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::{Duration, Instant};

use patchwave::model::Body;
use patchwave::sandbox::{Counters, Options};

use crate::common::{Case, Running, Served};

const ROWS: usize = 400;

const APPLY: [&str; 4] = ["apply", "job.csv", "--yes", "-q"];
const RESUME: [&str; 3] = ["resume", "--yes", "-q"];

/// Stories told at a time: most of each is waiting for the disk.
const BESIDE: usize = 3;

/// A tenant whose clients are renamed again and again.
struct Stage {
    served: Served,
    ids: Vec<String>,
}

impl Stage {
    /// With a latency requests are under way when the process dies, and what they ask for is done after its death.
    fn new(latency: &str) -> Self {
        let served = Served::with(Options {
            clients: ROWS + 5,
            tier: "unlimited".parse().unwrap(),
            latency: latency.parse().unwrap(),
            ..Options::default()
        });
        let ids = served.ids(ROWS);
        Self { served, ids }
    }

    /// A run with names of its own; `seed` alone says when its process dies.
    fn story(&self, seed: u64) -> Story<'_> {
        let names: Vec<String> = (0..ROWS).map(|at| format!("NEW-{seed}-{at}")).collect();
        let rows = self.ids.iter().zip(&names).map(|(id, name)| format!("{id},{name}\n"));
        let case =
            self.served.case().file("job.csv", format!("client_id,name\n{}", rows.collect::<String>()));
        let name_of: HashMap<&str, &String> = self.ids.iter().map(String::as_str).zip(&names).collect();
        let mut planned = self.served.tenant().state();
        for client in &mut planned {
            if let Some(name) = name_of.get(client["client_id"].as_str().unwrap()) {
                client["name"] = name.as_str().into();
            }
        }
        let begun = self.served.counters();
        Story { stage: self, case, names, planned, rng: fastrand::Rng::with_seed(seed), seed, begun }
    }
}

/// Tells the story of each seed up to where `dies` leaves it, and how it ends.
fn tell(latency: &str, seeds: Range<u64>, dies: impl Fn(&mut Story<'_>) + Sync) {
    let every = |first: usize| {
        let stage = Stage::new(latency);
        for seed in seeds.clone().skip(first).step_by(BESIDE) {
            let mut story = stage.story(seed);
            dies(&mut story);
            story.ends_as_if_nothing_had_happened();
        }
    };
    std::thread::scope(|scope| {
        for first in 0..BESIDE {
            let every = &every;
            scope.spawn(move || every(first));
        }
    });
}

/// One run, killed and resumed.
struct Story<'s> {
    stage: &'s Stage,
    case: Case,
    names: Vec<String>,
    /// The tenant as it has to become.
    planned: Vec<Body>,
    rng: fastrand::Rng,
    seed: u64,
    /// What the tenant had seen before.
    begun: Counters,
}

impl Story<'_> {
    /// Kills the process a moment, at most that long, after the tenant has seen so much.
    fn kill(&mut self, running: Running, seen: impl Fn(&Counters) -> bool, moment: Duration) {
        self.stage.served.until(seen);
        let (since, moment) = (Instant::now(), moment.mul_f64(self.rng.f64()));
        while since.elapsed() < moment {
            std::thread::yield_now();
        }
        running.kill();
    }

    /// Kills the process about the time of a PATCH, whichever of those that are left.
    fn kill_in_mid_run(&mut self, running: Running) {
        let begun = self.begun.patch;
        let sent = (self.stage.served.counters().patch - begun).min(ROWS as u64);
        let patches = self.rng.u64(sent..=ROWS as u64);
        // Where none is waited for, the process has hardly begun.
        let moment = Duration::from_millis(if patches == sent { 30 } else { 1 });
        self.kill(running, |seen| seen.patch - begun >= patches, moment);
    }

    fn apply(&self) -> Running {
        self.case.spawn(APPLY)
    }

    /// Goes on with the run, if it has come into being, else begins anew.
    fn again(&self) -> Running {
        if self.case.runs().is_empty() { self.apply() } else { self.case.spawn(RESUME) }
    }

    fn ends_as_if_nothing_had_happened(&self) {
        let done = self.again().wait();
        assert_eq!(done.code, Some(0), "seed {}: {done}", self.seed);
        self.is_settled();
    }

    /// Nothing is lost, nothing was done twice, and everything is told.
    fn is_settled(&self) {
        let (seed, ids) = (self.seed, &self.stage.ids);
        assert_eq!(self.case.runs().len(), 1, "seed {seed}");
        let results = self.case.results();
        assert!(results.iter().map(|row| &row["client_id"]).eq(ids), "seed {seed}: every row once");
        let words: BTreeSet<&str> = results.iter().map(|row| row["_result"].as_str()).collect();
        assert_eq!(words, ["updated"].into(), "seed {seed}");
        assert_eq!(self.case.summary()["exit_code"], 0, "seed {seed}");
        assert!(self.stage.served.tenant().state() == self.planned, "seed {seed}: another state");
        let counters = self.stage.served.counters();
        assert_eq!(counters.idle, self.begun.idle, "seed {seed}: a client was sent what it already held");
        let sent = (counters.patch - self.begun.patch) as usize;
        for seen in &counters.patches[counters.patches.len() - sent..] {
            let at = ids.iter().position(|id| *id == seen.id).unwrap();
            assert_eq!(seen.body, format!("{{\"name\":\"{}\"}}", self.names[at]), "seed {seed}");
        }
    }
}

#[test]
fn a_run_that_nobody_kills_ends_as_those_that_are_killed() {
    let stage = Stage::new("0ms");
    let story = stage.story(0);
    story.case.run(APPLY).exits(0);
    story.is_settled();
    assert_eq!(stage.served.counters().patch, ROWS as u64);
}

#[test]
fn a_run_killed_while_it_sends_is_finished_by_resume() {
    tell("0ms", 0..35, |story| story.kill_in_mid_run(story.apply()));
}

#[test]
fn a_run_killed_while_answers_are_under_way_is_finished_by_resume() {
    tell("3ms,3ms", 35..70, |story| story.kill_in_mid_run(story.apply()));
}

#[test]
fn a_run_killed_before_its_first_patch_is_finished_by_resume_or_begun_again() {
    tell("0ms", 70..84, |story| {
        let calls = story.begun.token + story.begun.list + story.rng.u64(0..=6);
        story.kill(story.apply(), |seen| seen.token + seen.list >= calls, Duration::from_millis(20));
    });
}

#[test]
fn a_run_killed_after_its_last_patch_is_reported_by_resume() {
    tell("1ms", 84..100, |story| {
        let patches = story.begun.patch + ROWS as u64;
        story.kill(story.apply(), |seen| seen.patch >= patches, Duration::from_millis(40));
    });
}

#[test]
fn a_run_killed_again_and_again_is_finished_by_the_resume_that_lives() {
    tell("1ms,1ms", 100..108, |story| {
        for _ in 0..story.rng.u32(2..=4) {
            story.kill_in_mid_run(story.again());
        }
    });
}
