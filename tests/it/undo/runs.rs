//! Runs that did not go as planned: unfinished, killed, partly failed, of clients that are gone.

use serde_json::json;

use super::{edit, newest, undo};
use crate::common::{Case, Served};

fn renames(ids: &[String]) -> String {
    let rows = ids.iter().enumerate().map(|(at, id)| format!("{id},NEW-{at}\n"));
    format!("client_id,name\n{}", rows.collect::<String>())
}

fn names(served: &Served, ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| served.client(id)["name"].as_str().unwrap().to_owned()).collect()
}

/// A run of 12 renames that a signal ended half-way, with the names before.
fn ended_by(signal: &str) -> (Served, Case, Vec<String>, Vec<String>) {
    let served = Served::quick();
    let ids = served.ids(12);
    let before = names(&served, &ids);
    let case = served.case().file("job.csv", renames(&ids));
    let running =
        case.spawn(["apply", "job.csv", "--yes", "--rate", "2/s", "--burst", "1", "--concurrency", "1"]);
    served.until(|counters| counters.patch > 1);
    running.signal(signal);
    running.wait();
    (served, case, ids, before)
}

#[test]
fn an_unfinished_run_is_refused_with_the_command_that_finishes_it() {
    let (served, case, ids, before) = ended_by("TERM");
    let sent = served.counters().patch;
    let done = undo(&case, &["--yes"]);
    assert!(done.exits(4).stderr.contains("is unfinished"), "{done}");
    assert!(done.stderr.trim_end().lines().last().unwrap().contains("patchwave resume"), "{done}");
    assert_eq!(served.counters().patch, sent);
    let run = newest(&case);
    case.run(["resume", &run, "--yes"]).exits(0);
    case.run(["undo", &run, "--yes"]).exits(0);
    assert_eq!(names(&served, &ids), before);
}

#[test]
fn a_run_that_was_killed_and_resumed_goes_back_whole() {
    let (served, case, ids, before) = ended_by("KILL");
    let run = newest(&case);
    undo(&case, &["--yes"]).exits(4);
    case.run(["resume", &run, "--yes"]).exits(0);
    case.run(["undo", &run, "--yes"]).exits(0);
    assert_eq!(names(&served, &ids), before);
    assert_eq!(case.result_words(), vec!["undone"; 12]);
}

#[test]
fn an_undo_that_was_killed_is_resumed_to_its_end() {
    let served = Served::quick();
    let ids = served.ids(12);
    let before = names(&served, &ids);
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let run = newest(&case);
    let running = case.spawn(["undo", &run, "--yes", "--rate", "2/s", "--burst", "1", "--concurrency", "1"]);
    served.until(|counters| counters.patch > 13);
    running.signal("KILL");
    running.wait();
    let undone = newest(&case);
    assert_ne!(undone, run);
    case.run(["resume", &undone, "--yes"]).exits(0);
    assert_eq!(names(&served, &ids), before);
    assert_eq!(case.result_words(), vec!["undone"; 12]);
}

#[test]
fn rows_that_were_never_written_are_not_touched() {
    let served = Served::quick();
    let ids = served.ids(3);
    // Of such a client the name is fixed: the service refuses the change.
    edit(&served, &ids[1], &json!({"external_client_id": "https://app.example/client"}));
    let before = names(&served, &ids);
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes"]).exits(1);
    edit(&served, &ids[1], &json!({"name": "NEW-1"}));
    undo(&case, &["--yes"]).exits(0);
    assert_eq!(names(&served, &ids), [before[0].as_str(), "NEW-1", before[2].as_str()]);
    assert_eq!(case.results().len(), 2);
}

#[test]
fn a_client_that_is_gone_fails_and_the_others_go_back() {
    let served = Served::quick();
    let ids = served.ids(3);
    let before = names(&served, &ids);
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert!(served.tenant().remove(&ids[0]));
    undo(&case, &["--yes"]).exits(1);
    assert_eq!(names(&served, &ids[1..]), before[1..]);
    assert_eq!(case.result_words(), ["failed", "undone", "undone"]);
    assert_eq!(case.results()[0]["_reason"], "not_found");
}

#[test]
fn a_row_whose_answer_was_lost_goes_back_as_well() {
    let served = Served::quick();
    let ids = served.ids(2);
    let before = names(&served, &ids);
    served.tenant().set_faults("patch:reset-after=#1".parse().unwrap());
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    undo(&case, &["--yes"]).exits(0);
    assert_eq!(names(&served, &ids), before);
}

#[test]
fn rows_that_shared_a_write_share_what_became_of_it() {
    let served = Served::quick();
    let id = served.id("Billing");
    let case = served
        .case()
        .file("job.csv", format!("client_id,name,description\n{id},Billing EU,\n{id},,For invoices\n"));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    undo(&case, &["--yes"]).exits(0);
    assert_eq!(case.result_words(), ["undone", "undone"]);
    assert_eq!(case.summary()["clients"]["undone"], 1);
}
