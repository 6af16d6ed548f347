//! `--client`, `--field`, `--wave`, `--tenant`: only that part of a run.

use patchwave::sandbox::Options;
use serde_json::json;

use super::{Ran, edit, newest, undo};
use crate::common::{Case, Served, id_of};

/// Three clients A, B and C, which a run renamed to A2, B2 and C2.
fn three(flags: &[&str]) -> (Served, Case, Vec<String>) {
    let served = Served::quick();
    let ids = served.ids(3);
    for (id, name) in ids.iter().zip(["A", "B", "C"]) {
        edit(&served, id, &json!({ "name": name }));
    }
    let job = format!("client_id,name\n{},A2\n{},B2\n{},C2\n", ids[0], ids[1], ids[2]);
    let case = served.case().file("job.csv", job);
    case.run(["apply", "job.csv", "--yes"].iter().chain(flags)).exits(0);
    (served, case, ids)
}

fn names(served: &Served, ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| served.client(id)["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_client_is_named_by_its_id_or_by_its_name_before_the_run() {
    let (served, case, ids) = three(&[]);
    let run = newest(&case);
    case.run(["undo", &run, "--yes", "--client", &ids[1]]).exits(0);
    assert_eq!(names(&served, &ids), ["A2", "B", "C2"]);
    assert_eq!(case.result_words(), ["undone"]);
    case.run(["undo", &run, "--yes", "--client", "C"]).exits(0);
    assert_eq!(names(&served, &ids), ["A2", "B", "C"]);
}

#[test]
fn a_client_that_the_run_did_not_change_is_a_mistake_with_its_near_miss() {
    let ran = Ran::new(&json!({}), "set.description = \"New\"");
    let done = ran.undo(&["--yes", "--client", "Biling"]);
    assert!(done.exits(64).stderr.contains("did you mean `Billing`?"), "{done}");
    assert_eq!(ran.served.counters().patch, 1);
}

#[test]
fn a_name_that_two_clients_had_is_refused_with_both_ids() {
    let served = Served::quick();
    let ids = served.ids(2);
    ids.iter().for_each(|id| edit(&served, id, &json!({"name": "Twin"})));
    let case = served.case().file("job.csv", format!("client_id,name\n{},New\n{},New\n", ids[0], ids[1]));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let done = undo(&case, &["--yes", "--client", "Twin"]);
    assert!(done.exits(64).stderr.contains(&ids[0]) && done.stderr.contains(&ids[1]), "{done}");
    assert_eq!(served.counters().patch, 2);
}

#[test]
fn clients_that_got_one_name_go_back_each_to_its_own() {
    let served = Served::quick();
    let ids = served.ids(2);
    let before = names(&served, &ids);
    let case = served.case().file("job.csv", format!("client_id,name\n{},New\n{},New\n", ids[0], ids[1]));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    undo(&case, &["--yes"]).exits(0);
    assert_eq!(names(&served, &ids), before);
}

#[test]
fn a_field_takes_along_what_is_below_it_and_leaves_the_others() {
    let ran = Ran::new(
        &json!({"client_metadata": {"owner": "web", "tier": "gold"}}),
        "set.name = \"Billing EU\"\nset.client_metadata.owner = \"identity\"\nset.client_metadata.tier = \"none\"",
    );
    let run = newest(&ran.case);
    ran.case.run(["undo", &run, "--yes", "--field", "client_metadata.tier"]).exits(0);
    assert_eq!(ran.client()["client_metadata"], json!({"owner": "identity", "tier": "gold"}));
    ran.case.run(["undo", &run, "--yes", "--field", "client_metadata"]).exits(0);
    assert_eq!(ran.client()["client_metadata"], json!({"owner": "web", "tier": "gold"}));
    assert_eq!(ran.client()["name"], "Billing EU");
}

#[test]
fn a_key_of_metadata_that_was_emptied_as_a_whole_can_be_named() {
    let ran = Ran::new(
        &json!({"client_metadata": {"owner": "web", "tier": "gold"}}),
        "unset = [\"client_metadata\"]",
    );
    ran.undo(&["--yes", "--field", "client_metadata.tier"]).exits(0);
    assert_eq!(ran.client()["client_metadata"], json!({"tier": "gold"}));
}

#[test]
fn a_field_that_the_run_did_not_change_is_a_mistake_with_its_near_miss() {
    let ran = Ran::new(&json!({}), "set.description = \"New\"");
    let done = ran.undo(&["--yes", "--field", "descripton"]);
    assert!(done.exits(64).stderr.contains("did you mean `description`?"), "{done}");
    assert_eq!(ran.served.counters().patch, 1);
}

#[test]
fn a_wave_goes_back_by_itself() {
    let (served, case, ids) = three(&["--waves", "1,rest"]);
    let run = newest(&case);
    case.run(["undo", &run, "--yes", "--wave", "1"]).exits(0);
    assert_eq!(names(&served, &ids), ["A", "B2", "C2"]);
    let done = case.run(["undo", &run, "--yes", "--wave", "3"]);
    assert!(done.exits(64).stderr.contains("has 2 waves"), "{done}");
    case.run(["undo", &run, "--yes", "--wave", "2"]).exits(0);
    assert_eq!(names(&served, &ids), ["A", "B", "C"]);
}

#[test]
fn one_of_two_tenants_goes_back_by_itself() {
    let served =
        Served::with(Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() });
    let mut case = Case::new().file("job.csv", "match.name,name\nBilling,Billing EU\n");
    let mut config = String::new();
    for at in 0..2 {
        let tenant = served.at(at);
        let (domain, id) = (tenant.domain().base_url(), tenant.client_id());
        config += &format!(
            "[tenants.t{at}]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\nclient_secret = {{ env = \"SECRET_{at}\" }}\n"
        );
        case = case.env(&format!("SECRET_{at}"), tenant.client_secret().expose());
    }
    let case = case.file("patchwave.toml", config);
    case.run(["apply", "job.csv", "--yes", "--tenant", "t0,t1"]).exits(0);
    undo(&case, &["--yes", "--tenant", "t1"]).exits(0);
    id_of(served.at(0), "Billing EU");
    id_of(served.at(1), "Billing");
    assert_eq!(case.result_words(), ["undone"]);
}
