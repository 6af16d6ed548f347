//! A run that stopped is finished, whatever stopped it, and its report is whole.

use patchwave::sandbox::Options;
use serde_json::json;

use crate::common::{Case, Done, Served, renames};

fn id_of_newest(case: &Case) -> String {
    case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

fn stopped_by_failures(served: &Served) -> (Case, Done) {
    let case = served.case().file("job.csv", renames(&served.ids(40)));
    served.tenant().set_faults("patch:403=20%".parse().unwrap());
    let args = ["apply", "job.csv", "--yes", "--max-failures", "3", "--concurrency", "2"];
    let done = case.run(args);
    served.tenant().set_faults("".parse().unwrap());
    (case, done)
}

#[test]
fn a_run_that_failures_stopped_is_finished_and_its_failed_rows_are_tried_again_on_request() {
    let served = Served::quick();
    let (case, done) = stopped_by_failures(&served);
    done.exits(5);
    assert!(done.stderr.lines().last().unwrap().starts_with("patchwave resume [RUN]"), "{done}");
    let words = case.result_words();
    let failed = words.iter().filter(|word| *word == "failed").count();
    assert!(failed > 3 && words.contains(&"not_attempted".to_owned()), "{words:?}");
    case.run(["resume", "--yes"]).exits(1);
    let words = case.result_words();
    assert_eq!(words.iter().filter(|word| *word == "failed").count(), failed, "those were not tried again");
    assert_eq!(words.iter().filter(|word| *word == "updated").count(), 40 - failed);
    let done = case.run(["resume", "--failed", "--yes"]);
    assert!(done.exits(0).stderr.contains("to try again"), "{done}");
    assert_eq!(case.result_words(), vec!["updated"; 40]);
    assert_eq!(case.runs().len(), 1, "it is one run");
    let summary = case.summary();
    assert_eq!((&summary["rows"]["updated"], &summary["exit_code"]), (&json!(40), &json!(0)));
}

#[test]
fn a_deadline_in_the_middle_is_5_and_what_is_left_can_be_resumed() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    let done = case.run(["apply", "job.csv", "--yes", "--rate", "10/s", "--burst", "1", "--deadline", "1s"]);
    assert!(
        done.exits(5).stdout.contains("stopped after") && done.stdout.contains("the deadline came"),
        "{done}"
    );
    let words = case.result_words();
    assert!(words.contains(&"updated".to_owned()) && words.contains(&"not_attempted".to_owned()));
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 30]);
    assert_eq!(served.counters().patch, 30, "no client was written twice");
}

#[test]
fn resuming_what_is_finished_tells_its_report_again_with_the_code_it_ended_with() {
    let served = Served::quick();
    let case = served.case().file("job.csv", format!("{}gone,NEW-3\n", renames(&served.ids(3))));
    let first = case.run(["apply", "job.csv", "--yes"]);
    first.exits(1);
    let patches = served.counters().patch;
    let again = case.run(["resume"]);
    assert!(again.exits(1).stdout.contains("3 updated"), "{again}");
    assert_eq!(served.counters().patch, patches);
}

#[test]
fn results_and_summary_are_made_again_from_plan_and_journal_alone() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(8)));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let folder = case.runs().pop().unwrap();
    let before: Vec<String> = ["results.csv", "summary.json"]
        .iter()
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .collect();
    for name in ["results.csv", "summary.json"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    case.run(["report", "latest", "--report", "copy.csv"]).exits(0);
    for (name, before) in ["results.csv", "summary.json"].iter().zip(&before) {
        assert_eq!(&std::fs::read_to_string(folder.join(name)).unwrap(), before);
    }
    assert_eq!(case.read("copy.csv"), before[0]);
}

#[test]
fn a_client_that_somebody_changed_meanwhile_is_a_conflict_and_keeps_their_value() {
    let served = Served::quick();
    let ids = served.ids(30);
    let case = served.case().file("job.csv", renames(&ids));
    let running = case.spawn(["apply", "job.csv", "--yes", "--rate", "20/s", "--burst", "1"]);
    served.until(|counters| counters.patch >= 3);
    running.signal("KILL");
    running.wait();
    served.tenant().edit(&ids[29], |client| drop(client.insert("name".into(), json!("theirs"))));
    case.run(["resume", "--yes"]).exits(1);
    let rows = case.results();
    assert_eq!(
        (rows[29]["_result"].as_str(), rows[29]["_reason"].as_str()),
        ("conflict", "changed_meanwhile")
    );
    assert!(rows[29]["_error"].contains("name is \"theirs\"; it was"), "{:?}", rows[29]);
    assert_eq!(served.client(&ids[29])["name"], "theirs");
    assert!(rows[..29].iter().all(|row| row["_result"] == "updated"));
    case.run(["resume", "--failed", "--on-conflict", "overwrite", "--yes"]).exits(0);
    assert_eq!(served.client(&ids[29])["name"], "NEW-29");
    // What goes back is what was overwritten, not what the plan had seen.
    case.run(["undo", &id_of_newest(&case), "--yes"]).exits(0);
    assert_eq!(served.client(&ids[29])["name"], "theirs");
}

#[test]
fn clients_read_too_long_ago_are_read_again_by_the_page_before_they_are_written() {
    let served = Served::quick();
    let ids = served.ids(90);
    let case = served.case().file("job.csv", renames(&ids));
    let args = ["apply", "job.csv", "--yes", "--rate", "60/s", "--burst", "1", "--max-age", "400ms"];
    let running = case.spawn([&args[..], &["--concurrency", "4"]].concat());
    served.until(|counters| counters.patch >= 2);
    served.tenant().edit(&ids[89], |client| drop(client.insert("name".into(), json!("theirs"))));
    let done = running.wait();
    done.exits(1);
    assert!(done.stderr.contains("reading again what was read too long ago"), "{done}");
    let rows = case.results();
    assert_eq!(rows[89]["_reason"], "changed_meanwhile");
    assert!(rows[..89].iter().all(|row| row["_result"] == "updated"));
    let counters = served.counters();
    assert!(counters.get == 0 && counters.list > 2, "by the page: {} and {}", counters.list, counters.get);
}

#[test]
fn without_an_id_the_only_unfinished_run_is_taken_and_of_several_one_must_be_named() {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let job = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = served.configured("", "").file("job.toml", job);
    for tenant in ["t0", "t1"] {
        let args = ["apply", "job.toml", "--yes", "--tenant", tenant, "--rate", "5/s", "--burst", "1"];
        case.run([&args[..], &["--deadline", "500ms"]].concat()).exits(5);
    }
    let done = case.run(["resume", "--yes"]);
    assert!(done.exits(64).stderr.contains("several runs are unfinished"), "{done}");
    case.run(["resume", "--yes", "--tenant", "t0"]).exits(0);
    case.run(["resume", "--yes"]).exits(0);
    for tenant in 0..2 {
        let state = served.at(tenant).state();
        let of = state.iter().filter(|client| client["name"].as_str().unwrap().starts_with("acme-"));
        assert!(of.into_iter().all(|client| client["description"] == "x"));
    }
}

#[test]
fn apply_names_an_unfinished_run_and_takes_its_place() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(20)));
    case.run(["apply", "job.csv", "--yes", "--rate", "5/s", "--burst", "1", "--deadline", "700ms"]).exits(5);
    let first = id_of_newest(&case);
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(0).stderr.contains("is unfinished; this one takes its place"), "{done}");
    assert_eq!(served.counters().patch, 20);
    let refused = case.run(["resume", &first, "--yes"]);
    assert!(refused.exits(4).stderr.contains("was superseded by run"), "{refused}");
    assert_eq!(served.counters().patch, 20);
    // What the first has written can be taken back all the same.
    case.run(["undo", &first, "--yes"]).exits(0);
}

#[test]
fn without_consent_nothing_is_resumed_and_the_plan_of_another_tenant_is_refused() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(20)));
    case.run(["apply", "job.csv", "--yes", "--rate", "5/s", "--burst", "1", "--deadline", "700ms"]).exits(5);
    let patches = served.counters().patch;
    case.run(["resume"]).exits(4);
    let other = Served::quick();
    let tenant = other.tenant();
    let case = case
        .env("AUTH0_DOMAIN", tenant.domain().base_url())
        .env("AUTH0_CLIENT_ID", tenant.client_id())
        .env("AUTH0_CLIENT_SECRET", tenant.client_secret().expose());
    let id = id_of_newest(&case);
    let done = case.run(["resume", &id, "--yes"]);
    assert!(done.exits(4).stderr.contains("and what is chosen is"), "{done}");
    assert_eq!((served.counters().patch, other.counters().patch), (patches, 0));
}

#[test]
fn runs_are_listed_shown_and_pruned() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(3)));
    assert!(case.run(["runs"]).exits(0).stdout.contains("No run is kept here"));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let listed = case.run(["runs"]);
    assert!(listed.exits(0).stdout.contains("3 written") && listed.stdout.contains("0 written"), "{listed}");
    let shown = case.run(["runs", "show", "latest"]);
    assert!(shown.exits(0).stdout.contains("3 unchanged"), "{shown}");
    case.run(["runs", "show", "nonsense"]).exits(64);
    case.run(["runs", "prune"]).exits(64);
    case.run(["runs", "prune", "--keep", "1"]).exits(4);
    case.run(["runs", "prune", "--keep", "1", "--dry-run"]).exits(0);
    assert_eq!(case.runs().len(), 2);
    case.run(["runs", "prune", "--keep", "1", "--yes"]).exits(0);
    assert_eq!(case.runs().len(), 1);
    case.run(["runs", "prune", "--older-than", "1d", "--yes"]).exits(0);
    assert_eq!(case.runs().len(), 1);
}

#[test]
fn a_client_that_was_protected_since_is_not_touched_by_what_is_left_of_a_run() {
    let served = Served::quick();
    let ids = served.ids(20);
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes", "--rate", "5/s", "--burst", "1", "--deadline", "700ms"]).exits(5);
    let patches = served.counters().patch;
    let case = case.env("PATCHWAVE_PROTECT", &ids[19]);
    let done = case.run(["resume", "--yes"]);
    assert!(done.exits(4).stderr.contains("is protected, and what is left of run"), "{done}");
    assert_eq!(served.counters().patch, patches);
}

#[test]
fn what_may_have_been_sent_stays_in_doubt_until_somebody_has_looked() {
    let served = Served::quick();
    let ids = served.ids(20);
    let case = served.case().file("job.csv", renames(&ids));
    let running = case.spawn(["apply", "job.csv", "--yes", "--rate", "10/s", "--burst", "1"]);
    served.until(|counters| counters.patch >= 3);
    running.signal("KILL");
    running.wait();
    // One of the claimed clients has been sent its change; nobody was told.
    served.tenant().edit(&ids[19], |client| drop(client.insert("name".into(), json!("NEW-19"))));
    // A second session takes the claimed rows up and is stopped before it has looked at all of them.
    served.tenant().set_faults("read:hang=100%".parse().unwrap());
    let running = case.spawn(["resume", "--yes", "--rate", "10/s", "--burst", "1"]);
    served.until(|counters| counters.faults >= 1);
    running.signal("TERM");
    running.wait().exits(130);
    served.tenant().set_faults("".parse().unwrap());
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 20], "what the killed process sent is its doing");
    case.run(["undo", &id_of_newest(&case), "--yes"]).exits(0);
    assert!(
        served.tenant().state().iter().all(|client| !client["name"].as_str().unwrap().starts_with("NEW"))
    );
}

#[test]
fn a_field_that_was_absent_is_looked_at_as_well_where_an_answer_was_lost() {
    let served = Served::quick();
    let id = served.id("Billing");
    served.tenant().edit(&id, |client| drop(client.shift_remove("initiate_login_uri")));
    let job = format!(
        "[[update]]\nclient_id = \"{id}\"\nset.initiate_login_uri = \"https://acme.example/login\"\n"
    );
    let case = served.case().file("job.toml", job);
    served.tenant().set_faults("patch:reset-after=#1".parse().unwrap());
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(served.counters().patch, 1, "it had arrived, and is not sent again");
}

#[test]
fn a_run_that_was_killed_and_superseded_in_one_of_its_tenants_can_be_taken_back() {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let both = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let other = "[[update]]\nmatch.name = \"Billing\"\nset.description = \"y\"\n";
    let case = served.configured("", "").file("both.toml", both).file("other.toml", other);
    let rate = ["--yes", "--rate", "10/s", "--burst", "1"];
    let running = case.spawn([&["apply", "both.toml", "--tenant", "t0"][..], &rate].concat());
    served.until(|counters| counters.patch >= 2);
    running.signal("KILL");
    running.wait();
    let first = id_of_newest(&case);
    case.run(["apply", "other.toml", "--yes", "--tenant", "t0"]).exits(0);
    case.run(["undo", &first, "--yes"]).exits(0);
    assert!(case.result_words().iter().any(|word| word == "undone"));
}
