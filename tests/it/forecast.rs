//! What a run will take is said before it begins, with what that is based on, and compared with the truth after it.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Done, Served, renames};

/// A bucket whose refill is seen within a second.
fn brisk(tenants: usize) -> Served {
    Served::with(Options { tenants, tier: "20,20/s".parse().unwrap(), ..Options::default() })
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
}

#[test]
fn the_first_run_on_a_tenant_has_a_range_from_published_limits_and_the_second_what_the_first_learned() {
    let served = brisk(1);
    let ids = served.ids(45);
    let case =
        served.case().file("job.csv", renames(&ids)).file("back.csv", renames(&ids).replace("NEW", "OLD"));
    let done = case.run(["apply", "job.csv", "--yes"]);
    let published =
        "no run has measured this tenant yet; published limits of a bucket of 20: 3.3 to 20 a second";
    assert!(done.exits(0).stdout.contains(published), "{done}");
    assert!(done.stdout.contains("from published limits)"), "{done}");
    let first = done.stderr.lines().find(|line| line.starts_with("0/45  ")).unwrap_or_default();
    assert!(
        first.contains(" to ") && first.contains(" s left"),
        "until more is seen, the forecast is told: {done}"
    );
    let summary = case.summary();
    assert_eq!(summary["forecast_basis"]["kind"], "published");
    assert_eq!(summary["forecast_ratio"], 1.0, "the range holds it: {summary}");

    let done = case.run(["apply", "back.csv", "--yes"]);
    assert!(done.exits(0).stdout.contains(" a second as measured just now"), "{done}");
    let summary = case.summary();
    assert_eq!(summary["forecast_basis"]["kind"], "measured");
    assert_eq!(summary["forecast_shortest_seconds"], summary["forecast_seconds"]);
    assert!(summary["forecast_ratio"].as_f64().unwrap() > 0.0, "{summary}");
}

#[test]
fn what_was_learned_of_a_bucket_of_another_size_is_void() {
    let served = brisk(1);
    let case = served.case().file("job.csv", renames(&served.ids(45)));
    let known =
        format!(r#"{{"{}": {{"reads": 50, "limit": 50, "refill": 16.0}}}}"#, served.tenant().domain());
    std::fs::create_dir_all(case.state()).unwrap();
    std::fs::write(case.state().join("paces.json"), known).unwrap();
    let done = case.run(["plan", "job.csv"]);
    assert!(done.exits(0).stdout.contains("no run has measured this tenant yet"), "{done}");
}

#[test]
fn what_an_early_version_kept_is_used_and_its_age_is_not_told() {
    let served = brisk(1);
    let case = served.case().file("job.csv", renames(&served.ids(45)));
    let known = format!(
        r#"{{"{}": {{"limit": 20, "refill": 19.0, "requests": 0, "throttled": 0}}}}"#,
        served.tenant().domain()
    );
    std::fs::create_dir_all(case.state()).unwrap();
    std::fs::write(case.state().join("paces.json"), known).unwrap();
    let done = case.run(["plan", "job.csv"]);
    assert!(done.exits(0).stdout.contains("at 19.0 a second as measured earlier"), "{done}");
}

#[test]
fn the_users_own_cap_is_told_where_it_is_the_slower() {
    let served = brisk(1);
    let case = served.case().file("job.csv", renames(&served.ids(40)));
    let done = case.run(["plan", "job.csv", "--rate", "2/s"]);
    assert!(done.exits(0).stdout.contains(" s, at your own cap of 2.0 a second"), "{done}");
}

#[test]
fn a_run_of_several_tenants_takes_as_long_as_the_slowest_and_all_their_requests() {
    let served = brisk(2);
    let rule = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case: Case = served.configured("", "").file("job.toml", rule);
    let args = ["plan", "job.toml", "--tenant", "t0", "--tenant", "t1"];
    let plan = json(case.run([&args[..], &["--output", "json"]].concat()).exits(0));
    let of = |at: usize, field: &str| plan["tenants"][at]["forecast"][field].as_f64().unwrap();
    assert_eq!(plan["forecast"]["requests"].as_f64().unwrap(), of(0, "requests") + of(1, "requests"));
    let slowest = of(0, "longest_seconds").max(of(1, "longest_seconds"));
    assert_eq!(plan["forecast"]["longest_seconds"].as_f64().unwrap(), slowest);
    let done = case.run(args);
    assert!(
        done.stdout.contains("Forecast of the run:") && done.stdout.contains("; the slowest is t"),
        "{done}"
    );
}

#[test]
fn the_requests_of_a_forecast_are_those_that_the_run_then_sends() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    let flags = ["--waves", "5,rest", "--pause", "1ms", "--verify"];
    let forecast = json(
        case.run([&["apply", "job.csv", "--dry-run", "--output", "json"], &flags[..]].concat()).exits(0),
    );
    let sent = |served: &Served| served.counters().list + served.counters().get + served.counters().patch;
    let planning = sent(&served);
    case.run([&["apply", "job.csv", "--yes"], &flags[..]].concat()).exits(0);
    let running = sent(&served) - 2 * planning;
    assert_eq!(forecast["forecast"]["requests"].as_u64().unwrap(), running);
    assert!(running > 30, "waves are read again");
}
