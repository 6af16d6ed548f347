//! Whatever kills a run over every kind, `resume` ends it as if nothing had happened.

use std::time::{Duration, Instant};

use patchwave::catalogue::kinds;
use patchwave::sandbox::Options;

use super::{Plan, tenant, writes};

/// Kills one run over all kinds at an instant that the seed says, and goes on with it.
fn killed_and_resumed(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let served = tenant(Options { latency: "3ms,3ms".parse().unwrap(), ..Options::default() });
    let plan = Plan::of_everything(&served);
    let case = served.case().file("job.toml", plan.job());
    let running = case.spawn(["apply", "job.toml", "--yes", "-q"]);
    // Some objects take several calls: it falls between those of one object too.
    let seen = rng.u64(1..=plan.planned.len() as u64);
    served.until(|counters| counters.patch + counters.delete + counters.other + counters.create >= seen);
    let (since, moment) = (Instant::now(), Duration::from_millis(4).mul_f64(rng.f64()));
    while since.elapsed() < moment {
        std::thread::yield_now();
    }
    running.kill();
    let done = case.run(["resume", "--yes", "-q"]);
    assert_eq!(done.code, Some(0), "seed {seed}: {done}");
    assert_eq!(case.runs().len(), 1, "seed {seed}");
    assert_eq!(case.result_words(), plan.rows("updated"), "seed {seed}");
    plan.is_carried_out(&served);
    let sent = writes(&served);
    case.run(["apply", "job.toml", "--yes", "-q"]).exits(0);
    assert_eq!(writes(&served), sent, "seed {seed}");
}

#[test]
fn a_run_over_every_kind_that_is_killed_is_finished_by_resume() {
    std::thread::scope(|scope| {
        for first in 0..2 {
            scope.spawn(move || (first..10).step_by(2).for_each(killed_and_resumed));
        }
    });
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
