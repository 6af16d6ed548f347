//! Whatever kills a run over every kind, `resume` ends it as if nothing had happened.

use std::ops::Range;
use std::time::{Duration, Instant};

use patchwave::catalogue::kinds;
use patchwave::sandbox::Options;

use super::changes::{Inventor, Step};
use super::{Plan, Planned, state, tenant, writes, written};
use crate::common::{Case, Done, Served};

/// One run over all kinds, killed at an instant that the seed says.
struct Story {
    served: Served,
    plan: Plan,
    case: Case,
    rng: fastrand::Rng,
}

impl Story {
    fn new(seed: u64) -> Self {
        let served = tenant(Options { latency: "3ms,3ms".parse().unwrap(), ..Options::default() });
        let plan = Plan::of_everything(&served);
        let case = served.case().file("job.toml", plan.job());
        Self { served, plan, case, rng: fastrand::Rng::with_seed(seed) }
    }

    /// Kills a command after so many of its calls, and goes on with it.
    fn killed_and_resumed(&mut self, command: &[&str]) -> Done {
        let begun = writes(&self.served);
        let running = self.case.spawn(command);
        // Some objects take several calls: it falls between those of one object too.
        let seen = begun + self.rng.u64(1..=self.plan.planned.len() as u64);
        self.served.until(|counters| written(counters) >= seen);
        let (since, moment) = (Instant::now(), Duration::from_millis(4).mul_f64(self.rng.f64()));
        while since.elapsed() < moment {
            std::thread::yield_now();
        }
        running.kill();
        self.case.run(["resume", "--yes", "-q"])
    }
}

fn of_a_run(seed: u64) {
    let mut story = Story::new(seed);
    let done = story.killed_and_resumed(&["apply", "job.toml", "--yes", "-q"]);
    let Story { served, plan, case, .. } = story;
    assert_eq!((done.code, case.runs().len()), (Some(0), 1), "seed {seed}: {done}");
    assert_eq!(case.result_words(), plan.rows("updated"), "seed {seed}");
    plan.is_carried_out(&served);
    let sent = writes(&served);
    case.run(["apply", "job.toml", "--yes", "-q"]).exits(0);
    assert_eq!(writes(&served), sent, "seed {seed}");
}

fn of_an_undo(seed: u64) {
    let mut story = Story::new(seed);
    story.case.run(["apply", "job.toml", "--yes", "-q"]).exits(0);
    let run = story.case.runs().remove(0).file_name().unwrap().to_string_lossy().into_owned();
    let done = story.killed_and_resumed(&["undo", &run, "--yes", "-q"]);
    let Story { served, plan, case, .. } = story;
    let words = case.result_words();
    assert!(matches!(done.code, Some(0 | 1)) && !words.contains(&"failed".to_owned()), "seed {seed}: {done}");
    assert_eq!((case.runs().len(), words.len()), (2, plan.planned.len()), "seed {seed}");
    plan.is_taken_back(&served, &case);
}

/// Tells the story of each seed, two at a time.
fn tell(seeds: Range<u64>, story: fn(u64)) {
    std::thread::scope(|scope| {
        for first in 0..2 {
            let seeds = seeds.clone();
            scope.spawn(move || seeds.skip(first).step_by(2).for_each(story));
        }
    });
}

#[test]
fn a_run_over_every_kind_that_is_killed_is_finished_by_resume() {
    tell(0..8, of_a_run);
}

#[test]
fn an_undo_over_every_kind_that_is_killed_is_finished_by_resume() {
    tell(20..24, of_an_undo);
}

#[test]
fn what_must_follow_a_change_follows_though_the_run_was_killed_between_the_two() {
    for kind in kinds().filter(|kind| kind.endpoint.then.is_some()) {
        let served = tenant(Options { latency: "100ms".parse().unwrap(), ..Options::default() });
        let plan = Plan::of(&served, std::iter::once(kind));
        let case = served.case().file("job.toml", plan.job());
        let running = case.spawn(["apply", "job.toml", "--yes", "-q"]);
        // Whatever arrived is carried out, and answered to nobody.
        served.until(|counters| counters.patch >= 1);
        running.kill();
        case.run(["resume", "--yes", "-q"]).exits(0);
        assert_eq!(case.result_words(), plan.rows("updated"));
        plan.is_carried_out(&served);
    }
}

#[test]
fn a_list_that_a_killed_run_left_half_way_becomes_as_planned() {
    for kind in kinds() {
        for association in &kind.endpoint.associations {
            let served = tenant(Options { latency: "60ms".parse().unwrap(), ..Options::default() });
            let before = state(&served);
            let objects = &before[kind.name.as_str()];
            let inventor = Inventor::new(kind, objects, 0);
            let whole = |step: &Step| step[0].what() == ("set", association.field.clone());
            let planned: Vec<Planned> = objects
                .iter()
                .filter_map(|body| Some((body, inventor.steps(body).into_iter().find(whole)?)))
                .map(|(body, step)| Planned::new(kind, body, step, false))
                .collect();
            let plan = Plan { planned, before };
            let case = served.case().file("job.toml", plan.job());
            let running = case.spawn(["apply", "job.toml", "--yes", "-q"]);
            // The first call takes items out; those that add are never sent.
            served.until(|counters| written(counters) >= 1);
            running.kill();
            let done = case.run(["resume", "--yes", "-q"]);
            assert_eq!(case.result_words(), plan.rows("updated"), "{}: {done}", kind.name);
            plan.is_carried_out(&served);
        }
    }
}
