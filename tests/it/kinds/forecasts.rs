//! How many requests a run takes is said before, whatever the kind: with those for lists, looks and deployments.

use patchwave::catalogue::kinds;
use patchwave::sandbox::{Counters, Options};
use serde_json::Value;

use super::{Plan, tenant};
use crate::common::Served;

fn seen(served: &Served) -> u64 {
    let Counters { list, get, patch, create, delete, other, .. } = served.counters();
    list + get + patch + create + delete + other
}

#[test]
fn the_requests_of_a_forecast_are_about_those_that_the_run_then_sends() {
    for kind in kinds() {
        let served = tenant(Options::default());
        let case = served.case().file("job.toml", Plan::of(&served, std::iter::once(kind)).job());
        let planned = case.run(["apply", "job.toml", "--dry-run", "--output", "json"]);
        let forecast: Value = serde_json::from_str(&planned.exits(0).stdout).unwrap();
        let told = forecast["forecast"]["requests"].as_u64().unwrap();
        let planning = seen(&served);
        case.run(["apply", "job.toml", "--yes"]).exits(0);
        let sent = seen(&served) - 2 * planning;
        assert!(told.abs_diff(sent) <= sent / 6, "{}: {told} told, {sent} sent", kind.name);
    }
}
