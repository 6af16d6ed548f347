//! In a storm of faults every row of every kind is right, and truly reported.

use patchwave::sandbox::Options;

use super::{Plan, tenant};

const FAULTS: &str = "503=5%,reset-before=3%,reset-after=4%,hang=1%,truncate=2%,malformed=1%";

fn a_storm(seed: u64) {
    let served = tenant(Options { seed, faults: FAULTS.parse().unwrap(), ..Options::default() });
    let plan = Plan::of_everything(&served);
    let case = served.case().file("job.toml", plan.job());
    let done = case.run(["apply", "job.toml", "--yes", "-q", "--timeout", "2s"]);
    assert_eq!(case.result_words(), plan.rows("updated"), "{done}");
    done.exits(0);
    plan.is_carried_out(&served);
    assert!(served.counters().faults > 10, "the storm was there: {:?}", served.counters());
    served.tenant().set_faults("".parse().unwrap());
    case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
}

#[test]
fn in_a_storm_of_faults_every_row_of_every_kind_becomes_as_planned() {
    std::thread::scope(|scope| {
        for seed in 1..=3 {
            scope.spawn(move || a_storm(seed));
        }
    });
}
