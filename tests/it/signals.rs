//! Ctrl-C, SIGTERM and SIGHUP, in every phase.

use patchwave::sandbox::Options;

use crate::common::{Case, Served, renames};

const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];

fn hanging(faults: &str) -> (Served, Case) {
    let options =
        Options { tier: "unlimited".parse().unwrap(), faults: faults.parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    (served, case)
}

#[test]
fn while_the_token_is_fetched_a_signal_ends_the_command_and_nothing_was_written() {
    for signal in SIGNALS {
        let (served, case) = hanging("token:hang=100%");
        let running = case.spawn(["apply", "job.csv", "--yes"]);
        served.until(|counters| counters.token > 0);
        running.signal(signal);
        let done = running.wait();
        assert!(done.exits(130).stderr.contains("interrupted; nothing was written"), "{done}");
        assert!(case.runs().is_empty());
    }
}

#[test]
fn while_the_tenant_is_read_a_signal_ends_the_command_and_nothing_was_written() {
    for (signal, verb) in SIGNALS.into_iter().zip(["apply", "plan", "get"]) {
        let (served, case) = hanging("list:hang=100%");
        let args = match verb {
            "get" => vec!["get", "--all"],
            verb => vec![verb, "job.csv"],
        };
        let running = case.spawn(args);
        served.until(|counters| counters.faults > 0);
        running.signal(signal);
        let done = running.wait();
        assert!(done.exits(130).stderr.contains("interrupted; nothing was written"), "{done}");
        assert!(case.runs().is_empty());
    }
}

#[test]
fn while_it_runs_a_signal_finishes_what_is_in_flight_and_the_run_can_be_resumed() {
    for signal in SIGNALS {
        let (served, case) = hanging("");
        let running = case.spawn(["apply", "job.csv", "--yes", "--rate", "20/s", "--burst", "1"]);
        served.until(|counters| counters.patch >= 3);
        running.signal(signal);
        running.wait().exits(130);
        let words = case.result_words();
        assert!(words.iter().all(|word| word == "updated" || word == "not_attempted"), "{words:?}");
        assert_eq!(words.iter().filter(|word| *word == "updated").count() as u64, served.counters().patch);
        case.run(["resume", "--yes"]).exits(0);
        assert_eq!((case.result_words(), served.counters().patch), (vec!["updated".to_owned(); 30], 30));
    }
}

#[test]
fn the_second_signal_stops_at_once_and_what_was_under_way_is_looked_at_by_resume() {
    let (served, case) = hanging("patch:hang-after=#4");
    let mut running = case.spawn(["apply", "job.csv", "--yes", "--concurrency", "2"]);
    served.until(|counters| counters.faults > 0);
    running.signal("INT");
    // The first was heard: nothing more is sent, and one request hangs.
    running.until_stderr("stopping");
    running.signal("INT");
    running.wait().exits(130);
    let rows = case.results();
    let unknown = rows.iter().filter(|row| row["_reason"] == "unknown").count();
    assert!((1..=2).contains(&unknown), "the one that hangs, and perhaps the one beside it: {unknown}");
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 30]);
    assert_eq!(served.counters().patch, 30, "what had arrived was not sent again");
}
