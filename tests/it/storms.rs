//! Everything that can happen to a request happens at once, and every row is right and truly reported.

use patchwave::sandbox::Options;

use crate::common::Served;

const ROWS: usize = 1000;
const FAULTS: &str = "503=3%,reset-before=2%,reset-after=1%,hang=2%,truncate=1%,malformed=1%";

/// Renames that many clients while answers fail, are lost, cut off and no JSON, and the token expires.
fn a_storm(seed: u64) {
    let served = Served::with(Options {
        clients: ROWS + 10,
        seed,
        tier: "unlimited".parse().unwrap(),
        // The job makes some 1,150 calls: the token expires once.
        faults: format!("{FAULTS},expire-token-after=700").parse().unwrap(),
        ..Options::default()
    });
    let ids = served.ids(ROWS);
    let mut planned = served.tenant().state();
    for client in &mut planned {
        if let Some(at) = ids.iter().position(|id| client["client_id"] == id.as_str()) {
            client["name"] = format!("NEW-{at}").into();
        }
    }
    let rows = ids.iter().enumerate().map(|(at, id)| format!("{id},NEW-{at}\n"));
    let case = served.case().file("job.csv", format!("client_id,name\n{}", rows.collect::<String>()));
    case.run(["apply", "job.csv", "--yes", "-q", "--timeout", "2s"]).exits(0);
    assert!(case.results().iter().map(|row| &row["client_id"]).eq(&ids), "every row once");
    assert_eq!(case.result_words(), vec!["updated"; ROWS]);
    assert!(served.tenant().state() == planned, "the tenant is not as planned");
    let counters = served.counters();
    assert!(counters.faults > 60 && counters.token == 2, "the storm was there: {counters:?}");
    assert_eq!(counters.idle, 0, "no client was sent what it already held");
    served.tenant().set_faults("".parse().unwrap());
    case.run(["plan", "job.csv", "--detailed-exitcode"]).exits(0);
}

#[test]
fn in_a_storm_of_faults_every_row_becomes_as_planned() {
    a_storm(1);
}

#[test]
fn in_another_storm_of_faults_every_row_becomes_as_planned() {
    a_storm(2);
}

#[test]
fn in_a_third_storm_of_faults_every_row_becomes_as_planned() {
    a_storm(3);
}
