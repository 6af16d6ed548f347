//! The caps that a user sets on the pace, seen from the tenant: what is left in its bucket tells how fast it was emptied.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Served, renames};

/// Refills faster than half of what the slowest published tier with such a bucket does (16/s), and slower than all of it.
const TIER: &str = "50,10/s";

fn served() -> Served {
    Served::with(Options { tier: TIER.parse().unwrap(), ..Options::default() })
}

#[test]
fn a_run_takes_no_more_than_its_share_of_the_refill() {
    let served = served();
    let case = served.case().file("job.csv", renames(&served.ids(16)));
    case.run(["apply", "job.csv", "--yes", "--rate-share", "50%", "--rate-reserve", "0"]).exits(0);
    let lowest = served.counters().lowest_tokens;
    assert!(lowest >= 46, "8 a second leave a bucket full that refills by 10: {lowest}");
}

#[test]
fn a_tenants_table_sets_the_share_and_the_flag_wins_over_it() {
    let served = served();
    let job = renames(&served.ids(16));
    let case = served.configured("", "rate_share = \"50%\"").file("job.csv", job.clone());
    case.run(["apply", "job.csv", "--yes", "--tenant", "t0", "--rate-reserve", "0"]).exits(0);
    let lowest = served.counters().lowest_tokens;
    assert!(lowest >= 46, "{lowest}");

    // At a hundredth it would take minutes.
    let case = served.configured("", "rate_share = \"1%\"").file("job.csv", job.replace("NEW", "NEWER"));
    let args = ["apply", "job.csv", "--yes", "--tenant", "t0", "--deadline", "60s", "--rate-share", "50%"];
    case.run(args).exits(0);
}

#[test]
fn the_forecast_knows_of_the_share() {
    let served = served();
    let case = served.case().file("job.csv", renames(&served.ids(16)));
    let plan = case.run(["plan", "job.csv", "--rate-share", "10%", "--output", "json"]);
    let told: Value = serde_json::from_str(&plan.exits(0).stdout).unwrap();
    let longest = told["tenants"][0]["forecast"]["longest_seconds"].as_f64().unwrap();
    assert!((longest - 16.0 / 1.6).abs() < 0.1, "a tenth of the slowest tier with 50 tokens: {told:#}");
}

#[test]
fn a_share_is_a_percentage_above_nothing() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(1)));
    for share in ["0%", "101%", "0.5", "half", "-1%"] {
        case.run(["plan", "job.csv", &format!("--rate-share={share}")]).exits(64);
    }
}
