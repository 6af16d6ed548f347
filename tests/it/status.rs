//! The ledger, and what `status` tells of it: which change set went to which tenant, when, and with what result.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Done, Served, id_of};

/// A change set as it is recorded, of two clients.
fn change_set(name: &str, description: &str) -> String {
    let update = |client: &str| {
        format!("[[update]]\nmatch.name = \"{client}\"\nset.description = \"{description}\"\n")
    };
    let header = "[recorded]\ntenant = \"t0\"\n";
    format!("name = \"{name}\"\n{header}{}{}", update("acme-shop-dev"), update("Billing"))
}

fn serve(tenants: usize) -> Served {
    let tier = "unlimited".parse().unwrap();
    Served::with(Options { tenants, clients: 60, tier, ..Options::default() })
}

fn case(served: &Served) -> Case {
    served.configured("", "").file("change.toml", change_set("eu-rename", "recorded"))
}

fn apply(case: &Case, tenants: &str, flags: &[&str]) -> Done {
    let tenants = format!("--tenant={tenants}");
    case.run(["apply", "change.toml", "--yes", &tenants].iter().chain(flags))
}

fn status(case: &Case, args: &[&str]) -> Value {
    let done = case.run(["status", "--output", "json"].iter().chain(args));
    serde_json::from_str(&done.exits(0).stdout).unwrap()
}

/// How the only change set that is shown stands in each tenant.
fn results(case: &Case) -> Vec<String> {
    let status = status(case, &[]);
    let [row] = status["change_sets"].as_array().unwrap().as_slice() else { panic!("{status}") };
    let cells = row["tenants"].as_array().unwrap().iter();
    cells.map(|cell| cell["result"].as_str().unwrap_or("never").to_owned()).collect()
}

fn newest(case: &Case) -> String {
    case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_went_where_is_told_for_each_tenant_and_a_job_of_ones_own_is_not_told_of() {
    let served = serve(4);
    let case = case(&served).file("job.csv", "match.name,description\nBilling,by hand\n");
    let gone = id_of(served.at(1), "Billing");
    served.at(1).remove(&gone);
    assert!(case.run(["status"]).exits(0).stdout.contains("No change set has been replayed from here."));
    case.run(["apply", "job.csv", "--yes", "--tenant", "t3"]).exits(0);
    apply(&case, "t0", &[]).exits(0);
    apply(&case, "t1", &[]).exits(1);
    assert_eq!(results(&case), ["applied", "partly", "never", "never"]);
    // A plan without a write is a run as well, and takes nothing from what the first one did.
    apply(&case, "t0", &[]).exits(0);
    assert_eq!(results(&case), ["applied", "partly", "never", "never"]);
    let done = case.run(["status"]);
    let shown = done.exits(0).stdout.clone();
    assert!(shown.contains("change set") && shown.contains("t0") && shown.contains("t3"), "{done}");
    assert!(shown.contains("applied 20") && shown.contains("partly, 1 failed 20"), "{done}");
    let whole = status(&case, &[]);
    let cell = &whole["change_sets"][0]["tenants"][0];
    assert_eq!(cell["runs"].as_array().unwrap().len(), 2, "{whole}");
    assert_eq!(cell["runs"][0]["rows"]["updated"], 2);
    assert_eq!((&cell["runs"][1]["run_id"], &cell["at"]), (&"[RUN]".into(), &"[TIME]".into()));
}

#[test]
fn an_undo_takes_the_change_set_back_and_its_own_undo_brings_it_again() {
    let served = serve(2);
    let case = case(&served);
    apply(&case, "t0,t1", &[]).exits(0);
    let run = newest(&case);
    let shop = id_of(served.at(0), "acme-shop-dev");
    case.run(["undo", &run, "--client", &shop, "--yes"]).exits(0);
    assert_eq!(results(&case), ["partly", "applied"], "one of its clients, and none of the other tenant's");
    case.run(["undo", &run, "--yes"]).exits(0);
    assert_eq!(results(&case), ["undone", "undone"]);
    case.run(["undo", &newest(&case), "--yes", "--tenant", "t1"]).exits(0);
    assert_eq!(results(&case), ["undone", "applied"]);
}

#[test]
fn a_run_that_stopped_is_told_as_such_until_it_is_resumed() {
    let served = serve(2);
    let case = case(&served);
    served.at(1).set_faults("patch:403=100%".parse().unwrap());
    apply(&case, "t0,t1", &["--waves", "2,rest", "--concurrency", "1"]).exits(5);
    served.at(1).set_faults("".parse().unwrap());
    assert_eq!(results(&case), ["applied", "stopped"]);
    case.run(["resume", "--failed", "--yes", "--tenant", "t1"]).exits(0);
    assert_eq!(results(&case), ["applied", "applied"]);
    assert_eq!(status(&case, &[])["change_sets"][0]["tenants"][1]["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_that_is_killed_is_known_to_have_begun_and_resume_enters_its_end() {
    let served = serve(2);
    let case = case(&served);
    served.at(1).set_faults("patch:hang=100%".parse().unwrap());
    let running = case.spawn(["apply", "change.toml", "--yes", "--tenant=t0,t1", "--timeout", "10m"]);
    served.until_at(1, |counters| counters.patch >= 1);
    running.kill();
    assert_eq!(results(&case), ["begun", "begun"]);
    served.at(1).set_faults("".parse().unwrap());
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(results(&case), ["applied", "applied"]);
}

#[test]
fn a_tenant_that_cannot_be_reached_is_told_beside_those_that_were_done() {
    let served = serve(2);
    let case = case(&served);
    served.at(1).set_faults("token:401=100%".parse().unwrap());
    apply(&case, "t0,t1", &[]).exits(1);
    assert_eq!(results(&case), ["applied", "failed"]);
}

#[test]
fn an_edited_change_set_is_noticed_and_its_earlier_version_is_marked() {
    let served = serve(2);
    let case = case(&served);
    let never = case.run(["status", "change.toml"]);
    assert!(never.exits(0).stdout.contains("change.toml was never replayed from here."), "{never}");
    apply(&case, "t0,t1", &[]).exits(0);
    let done = case.run(["status", "change.toml"]);
    assert!(!done.exits(0).stdout.contains("edited"), "{done}");
    let case = case.file("change.toml", change_set("eu-rename", "edited"));
    let done = case.run(["status", "change.toml"]);
    assert!(done.exits(0).stdout.contains("was edited since it was last replayed, on 20"), "{done}");
    assert_eq!(results_of(&case, &["change.toml"]), [["never", "never"]]);
    apply(&case, "t1", &[]).exits(0);
    assert_eq!(results_of(&case, &[]), [["applied", "applied"], ["never", "applied"]]);
    let done = case.run(["status"]);
    assert_eq!(done.exits(0).stdout.matches("earlier version").count(), 1, "{done}");
    // By name they are both found, by the beginning of a digest one.
    let digest = status(&case, &[])["change_sets"][1]["digest"].as_str().unwrap()[..8].to_owned();
    assert_eq!(results_of(&case, &["eu-rename"]).len(), 2);
    assert_eq!(results_of(&case, &[&digest]), [["never", "applied"]]);
}

fn results_of(case: &Case, args: &[&str]) -> Vec<Vec<String>> {
    let status = status(case, args);
    let cells = |row: &Value| {
        let cells = row["tenants"].as_array().unwrap().iter();
        cells.map(|cell| cell["result"].as_str().unwrap_or("never").to_owned()).collect()
    };
    status["change_sets"].as_array().unwrap().iter().map(cells).collect()
}

#[test]
fn a_job_of_ones_own_that_is_replayed_counts_as_a_change_set() {
    let served = serve(2);
    let case =
        case(&served).file("own.toml", "[[update]]\nmatch.name = \"Billing\"\nset.description = \"x\"\n");
    case.run(["status", "own.toml"]).exits(64);
    let done = case.run(["replay", "own.toml", "--yes", "--tenant=t0,t1", "--waves-by", "ring=canary,rest"]);
    assert!(done.exits(64).stderr.contains("no chosen tenant has a tag `ring`"), "{done}");
    case.run(["replay", "own.toml", "--yes", "--tenant=t1"]).exits(0);
    assert_eq!(results_of(&case, &["own.toml"]), [["never", "applied"]]);
}

#[test]
fn a_change_set_that_was_edited_since_it_was_recorded_says_so() {
    let served = serve(1);
    let text = change_set("eu-rename", "recorded")
        .replace("tenant = \"t0\"\n", "tenant = \"t0\"\ndigest = \"00\"\n");
    let case = case(&served).file("change.toml", text);
    apply(&case, "t0", &[]).exits(0);
    assert!(case.run(["status"]).exits(0).stdout.contains(", edited"));
    let done = case.run(["status", "change.toml"]);
    assert!(done.exits(0).stdout.contains("change.toml was edited since it was recorded."), "{done}");
}

#[test]
fn status_needs_neither_network_nor_credentials_nor_a_configuration() {
    let served = serve(2);
    let case = case(&served);
    apply(&case, "t0", &[]).exits(0);
    drop(served);
    let case = case.without_env("SECRET_0").without_env("SECRET_1");
    assert_eq!(results(&case), ["applied", "never"]);
    assert_eq!(results_of(&case, &["--tenant", "t1"]), [["never"]]);
    std::fs::remove_file(case.path("patchwave.toml")).unwrap();
    assert_eq!(results(&case), ["applied"]);
    assert_eq!(results_of(&case, &["--tenant", "t0"]), [["applied"]], "the ledger knows it still");
}

#[test]
fn what_is_no_change_set_and_no_tenant_is_64() {
    let served = serve(1);
    let case = case(&served).file("job.csv", "match.name,description\nBilling,by hand\n");
    apply(&case, "t0", &[]).exits(0);
    for (args, said) in [
        (&["eu-renmae"][..], "did you mean `eu-rename`?"),
        (&["job.csv"], "it has no [recorded] table"),
        (&["--tenant", "t00"], "unknown tenant `t00`"),
        (&["--group", "all"], "unknown group `all`"),
    ] {
        let done = case.run(["status"].iter().chain(args));
        assert!(done.exits(64).stderr.contains(said), "{done}");
    }
}

#[test]
fn a_ledger_that_cannot_be_written_is_told_and_changes_no_exit_code() {
    let served = serve(1);
    let case = case(&served);
    std::fs::create_dir_all(case.state().join("ledger.jsonl")).unwrap();
    let done = apply(&case, "t0", &["-q"]);
    let said = "`patchwave status` will not know that eu-rename went to these tenants";
    assert!(done.exits(0).stderr.contains(said), "{done}");
    assert_eq!(case.result_words(), ["updated", "updated"]);
    case.run(["status"]).exits(3);
}

#[test]
fn a_line_that_was_cut_short_costs_itself_alone() {
    let served = serve(2);
    let case = case(&served);
    apply(&case, "t0", &[]).exits(0);
    let ledger = case.state().join("ledger.jsonl");
    let text = std::fs::read_to_string(&ledger).unwrap();
    std::fs::write(&ledger, format!("{text}{}", &text[..40])).unwrap();
    apply(&case, "t1", &[]).exits(0);
    assert_eq!(results(&case), ["applied", "applied"]);
    assert!(case.run(["status"]).exits(0).stderr.contains("1 line of"));
}

#[test]
fn rehearsals_on_the_sandbox_have_a_ledger_of_their_own_by_the_names_of_its_tenants() {
    let case = Case::new().file("change.toml", change_set("eu-rename", "recorded"));
    for _ in 0..2 {
        case.run(["apply", "change.toml", "--sandbox"]).exits(0);
    }
    assert!(!case.state().join("ledger.jsonl").exists());
    assert_eq!(results_of(&case, &["--sandbox"]), [["applied"]], "one tenant, though it listens elsewhere");
    assert!(case.run(["status"]).exits(0).stdout.contains("No change set"));
}
