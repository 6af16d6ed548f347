//! Limits from the configuration and the environment, and what is told of runs that are under way.

use crate::common::{Served, renames};

const RULE: &str = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";

#[test]
fn guards_of_the_configuration_hold_for_every_job_and_only_a_flag_loosens_them() {
    let served = Served::quick();
    let case = served.configured("[guards]\nmax_changes = 5\n", "").file("job.toml", RULE);
    let args = ["apply", "job.toml", "--yes", "--tenant", "t0"];
    let done = case.run(args);
    assert!(done.exits(4).stderr.contains("max_changes of patchwave.toml is 5"), "{done}");
    assert!(done.stderr.trim_end().ends_with("--dry-run"), "what is refused is looked at first: {done}");
    assert_eq!(served.counters().patch, 0);
    case.run([&args[..], &["--max-changes", "50"]].concat()).exits(0);
}

#[test]
fn of_the_configurations_and_the_jobs_max_failures_the_stricter_holds() {
    let served = Served::quick();
    let job = format!("[guards]\nmax_failures = 10\n{RULE}");
    let case = served.configured("[guards]\nmax_failures = 1\n", "").file("job.toml", job);
    served.tenant().set_faults("patch:403=100%".parse().unwrap());
    case.run(["apply", "job.toml", "--yes", "--tenant", "t0", "--concurrency", "1"]).exits(5);
    assert_eq!(served.counters().patch, 2, "the second failure is one too many");
}

#[test]
fn protect_lists_of_configuration_environment_and_job_add_up() {
    let served = Served::quick();
    let ids: Vec<String> =
        ["acme-portal-dev", "acme-billing-dev", "acme-shop-dev"].iter().map(|name| served.id(name)).collect();
    let job = format!("[guards]\nprotect = [\"{}\"]\n{RULE}", ids[0]);
    let case = served
        .configured(&format!("[guards]\nprotect = [\"{}\"]\n", ids[1]), "")
        .file("job.toml", job)
        .env("PATCHWAVE_PROTECT", format!("{} nobody", ids[2]));
    case.run(["apply", "job.toml", "--yes", "--tenant", "t0"]).exits(0);
    let protected = case.results().into_iter().filter(|row| row["_reason"] == "protected").count();
    assert_eq!(protected, 3);
    assert!(ids.iter().all(|id| served.client(id).get("description").is_none_or(|held| held != "x")));
}

#[test]
fn a_name_on_a_protect_list_is_warned_of_since_it_protects_nobody() {
    let served = Served::quick();
    let case = served.case().file("job.toml", RULE).env("PATCHWAVE_PROTECT", "acme-portal-dev");
    let done = case.run(["plan", "job.toml"]);
    assert!(done.exits(0).stderr.contains("which is the name of a client: it takes ids"), "{done}");
}

#[test]
fn waves_of_the_environment_hold_where_the_job_has_none() {
    let served = Served::quick();
    let case = served.case().file("job.toml", RULE).env("PATCHWAVE_WAVES", "1,rest");
    let done = case.run(["apply", "job.toml", "--yes"]);
    assert!(done.exits(0).stderr.contains("wave 1 of 2: 1 client"), "{done}");
    let wrong = served.case().file("job.toml", RULE).env("PATCHWAVE_WAVES", "1,10%");
    wrong.run(["apply", "job.toml", "--yes"]).exits(64);
}

#[test]
fn a_saved_plan_is_checked_for_being_whole() {
    let served = Served::quick();
    let case = served.case().file("job.toml", RULE);
    let done = case.run(["plan", "job.toml", "--out", "plan.jsonl"]);
    assert!(done.exits(0).stderr.contains("Saved to plan.jsonl"), "{done}");
    assert!(case.run(["check", "plan.jsonl"]).exits(0).stdout.contains("a saved plan of 18 changes, whole"));
    let edited = case.read("plan.jsonl").replace("\"x\"", "\"y\"");
    let case = case.file("edited.jsonl", edited);
    assert!(case.run(["check", "edited.jsonl"]).exits(4).stderr.contains("edited, cut or damaged"));
}

#[test]
fn a_run_that_is_under_way_is_told_as_running_and_its_report_comes_with_its_end() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    let running = case.spawn(["apply", "job.csv", "--yes", "--rate", "4/s", "--burst", "1"]);
    served.until(|counters| counters.patch >= 2);
    assert!(case.run(["runs"]).exits(0).stdout.contains("running, "));
    let shown = case.run(["runs", "show", "latest"]);
    assert!(shown.exits(0).stdout.contains("running") && !shown.stdout.contains("failed"), "{shown}");
    case.run(["report", "latest"]).exits(6);
    running.signal("TERM");
    running.wait().exits(130);
    case.run(["report", "latest"]).exits(0);
}

#[test]
fn resume_shows_what_is_left_and_lifts_a_guard_of_today_by_name() {
    let served = Served::quick();
    let ids = served.ids(12);
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes", "--rate", "5/s", "--burst", "1", "--deadline", "700ms"]).exits(5);
    let case = case.env("PATCHWAVE_PROTECT", &ids[11]);
    case.run(["resume", "--yes"]).exits(4);
    let done = case.run(["resume", "--yes", "--force", "protect"]);
    assert!(done.exits(0).stdout.contains("→ \"NEW-11\""), "{done}");
    assert_eq!(case.result_words(), vec!["updated"; 12]);
}
