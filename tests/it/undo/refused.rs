//! What undo does not do: guess the run, take back a run that goes on, touch what is protected.

use serde_json::json;

use super::{Ran, newest, undo};
use crate::common::Served;

#[test]
fn unattended_the_run_must_be_named() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    for args in [vec!["undo", "--yes"], vec!["undo", "latest", "--yes"]] {
        let done = ran.case.run(args);
        assert!(done.exits(64).stderr.contains("nobody is there to ask"), "{done}");
    }
    let run = newest(&ran.case);
    assert!(ran.case.run(["undo", &run]).exits(4).stderr.contains("--yes"));
    assert_eq!(ran.served.counters().patch, 1);
}

#[test]
fn unattended_latest_is_the_newest_run_of_the_tenant_that_is_named() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    let domain = ran.served.tenant().domain().to_string();
    ran.case.run(["undo", "latest", "--tenant", &domain, "--yes"]).exits(0);
    assert_eq!(ran.client()["name"], "Billing");
}

#[test]
fn a_beginning_of_the_id_that_no_other_run_has_names_it() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    let run = newest(&ran.case);
    ran.case.run(["undo", &run[..12], "--yes"]).exits(0);
    let done = ran.case.run(["undo", "19990101", "--yes"]);
    done.exits(64);
}

#[test]
fn a_protected_client_is_skipped() {
    let mut ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    ran.case = ran.case.env("PATCHWAVE_PROTECT", &ran.id);
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.row().0.as_str(), ran.row().1.as_str()),
        (Some("Billing EU"), "skipped", "protected")
    );
}

#[test]
fn the_runners_own_client_is_guarded() {
    let served = Served::quick();
    let own = served.tenant().client_id().to_owned();
    let before = served.client(&own)["grant_types"].clone();
    let job = format!("[[update]]\nclient_id = \"{own}\"\nadd.grant_types = [\"password\"]\n");
    let case = served.case().file("job.toml", job);
    case.run(["apply", "job.toml", "--yes", "--force", "own-client"]).exits(0);
    let run = newest(&case);
    let done = case.run(["undo", &run, "--yes"]);
    assert!(done.exits(4).stderr.contains("signs in with"), "{done}");
    assert_eq!(served.counters().patch, 1);
    case.run(["undo", &run, "--yes", "--force", "own-client"]).exits(0);
    assert_eq!(served.client(&own)["grant_types"], before);
}

#[test]
fn too_many_clients_at_once_are_refused() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    let done = ran.undo(&["--yes", "--max-changes", "0"]);
    assert!(done.exits(4).stderr.contains("--max-changes is 0"), "{done}");
    assert_eq!(ran.served.counters().patch, 1);
}

#[test]
fn a_run_that_wrote_nothing_is_not_the_latest_one() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    ran.case.run(["apply", "job.toml", "--yes"]).exits(0);
    let domain = ran.served.tenant().domain().to_string();
    ran.case.run(["undo", "latest", "--tenant", &domain, "--yes"]).exits(0);
    assert_eq!(ran.client()["name"], "Billing");
}

#[test]
fn flags_of_jobs_are_none_of_undo() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    undo(&ran.case, &["--yes", "--limit", "1"]).exits(64);
}
