//! A run in slices: the next only when the one before was good enough.

use patchwave::sandbox::Options;
use serde_json::{Value, json};

use crate::common::{Served, renames};

/// The waves that a run's journal says are over, with why no other may follow.
fn ended(case: &crate::common::Case) -> Vec<(u64, Value)> {
    let journal = std::fs::read_to_string(case.runs().pop().unwrap().join("journal.jsonl")).unwrap();
    let lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let waves = lines.filter(|line| line["of"]["entry"] == "wave_ended");
    waves.map(|line| (line["of"]["wave"].as_u64().unwrap(), line["of"]["bad"].clone())).collect()
}

#[test]
fn waves_of_a_job_take_one_then_a_tenth_of_all_then_the_rest() {
    let served = Served::quick();
    let job = "[guards]\nwaves = [1, \"10%\", \"rest\"]\n[[update]]\nrows = \"rows.csv\"\nclient_id = \"{{ row.client_id }}\"\nset.name = \"{{ row.name }}\"\n";
    let case = served.case().file("job.toml", job).file("rows.csv", renames(&served.ids(42)));
    let done = case.run(["apply", "job.toml", "--yes"]);
    let told = done.exits(0).stderr.clone();
    for wave in ["wave 1 of 3: 1 client", "wave 2 of 3: 5 clients", "wave 3 of 3: 36 clients"] {
        assert!(told.contains(wave), "{done}");
    }
    assert_eq!(ended(&case), [(1, Value::Null), (2, Value::Null), (3, Value::Null)]);
    assert!(done.stdout.contains("3 of 3 waves done, each good enough"), "{done}");
}

#[test]
fn waves_go_through_the_tenants_in_the_order_in_which_they_were_chosen() {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let job = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = served.configured("", "").file("job.toml", job);
    let args = ["apply", "job.toml", "--yes", "--tenant", "t1", "--tenant", "t0", "--waves", "3,rest"];
    let done = case.run([&args[..], &["--max-failures", "0"]].concat());
    assert!(done.exits(0).stderr.contains("wave 1 of 2: 3 clients"), "{done}");
    let first: Vec<Value> = std::fs::read_to_string(case.runs().pop().unwrap().join("journal.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["of"].take())
        .take_while(|entry| entry["entry"] != "wave_ended")
        .filter(|entry| entry["entry"] == "outcome")
        .collect();
    assert!(first.len() == 3 && first.iter().all(|entry| entry["tenant"] == "t1"), "{first:?}");
}

#[test]
fn with_waves_the_first_failure_stops_the_run_and_the_command_that_takes_the_wave_back_is_told() {
    let served = Served::quick();
    let ids = served.ids(20);
    let case = served.case().file("job.csv", renames(&ids));
    served.tenant().set_faults("patch:403=#3".parse().unwrap());
    let done = case.run(["apply", "job.csv", "--yes", "--waves", "5,rest", "--concurrency", "1"]);
    done.exits(5);
    assert!(done.stderr.contains("patchwave undo [RUN] --wave=1 --concurrency 1\n"), "{done}");
    let words = case.result_words();
    assert!(words[5..].iter().all(|word| word == "not_attempted"), "{words:?}");
    assert_eq!(served.counters().patch, 3);
    let id = case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    // The wave is taken back as it was told, without the rest being sent first; and the rest is not sent any more.
    case.run(["undo", &id, "--wave=1", "--yes"]).exits(0);
    assert_eq!(case.result_words(), ["undone", "undone"]);
    case.run(["resume", &id, "--yes"]).exits(4);
    assert!(
        served.tenant().state().iter().all(|client| !client["name"].as_str().unwrap().starts_with("NEW"))
    );
}

#[test]
fn verifying_finds_what_somebody_overwrote_and_stops_the_run() {
    let served = Served::quick();
    let ids = served.ids(12);
    let case = served.case().file("job.csv", renames(&ids));
    // The first wave waits for the pace; while it does, a client that was written already is changed by somebody.
    let args =
        ["apply", "job.csv", "--yes", "--waves", "6,rest", "--verify", "--rate", "20/s", "--burst", "1"];
    let running = case.spawn([&args[..], &["--concurrency", "1"]].concat());
    served.until(|counters| counters.patch >= 2);
    served.tenant().edit(&ids[0], |client| drop(client.insert("name".into(), json!("mine"))));
    let done = running.wait();
    done.exits(5);
    let rows = case.results();
    assert_eq!((rows[0]["_result"].as_str(), rows[0]["_reason"].as_str()), ("failed", "not_as_planned"));
    assert!(rows[0]["_error"].contains("when verified, name is \"mine\""), "{:?}", rows[0]);
    assert!(rows[6..].iter().all(|row| row["_result"] == "not_attempted"));
    assert!(done.stdout.contains("1 of its clients do not hold what was written"), "{done}");
    assert!(done.stderr.contains("patchwave undo [RUN] --wave=1"), "{done}");
    assert_eq!(served.client(&ids[0])["name"], "mine");
}

#[test]
fn verifying_costs_the_pages_of_the_list_and_finds_nothing_where_all_is_well() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(60)));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let plain = served.counters();
    let case = served.case().file("job.csv", renames(&served.ids(60)).replace("NEW", "NEWER"));
    case.run(["apply", "job.csv", "--yes", "--verify"]).exits(0);
    let verified = served.counters();
    let reads = |counters: &patchwave::sandbox::Counters| counters.list + counters.get;
    assert_eq!(reads(&verified) - reads(&plain), reads(&plain) * 2, "as much as planning: {verified:?}");
    assert_eq!(case.result_words(), vec!["updated"; 60]);
}

#[test]
fn waves_that_would_leave_clients_out_are_64() {
    let served = Served::quick();
    let job = |waves: &str| {
        format!("[guards]\nwaves = {waves}\n[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n")
    };
    let case = served
        .case()
        .file("a.toml", job("[1, \"10%\"]"))
        .file("b.toml", job("[\"few\"]"))
        .file("c.toml", job("[1, \"rest\"]"));
    let done = case.run(["check", "a.toml"]);
    assert!(done.exits(64).stderr.contains("a.toml:2:9") && done.stderr.contains("must be `rest`"), "{done}");
    assert!(case.run(["check", "b.toml"]).exits(64).stderr.contains("`few` is no wave"));
    case.run(["check", "c.toml"]).exits(0);
    let done = case.run(["apply", "c.toml", "--yes", "--waves", "rest,1"]);
    assert!(done.exits(64).stderr.contains("must be the last wave"), "{done}");
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn the_pause_between_waves_ends_when_the_run_is_stopped() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(10)));
    let mut running = case.spawn(["apply", "job.csv", "--yes", "--waves", "4,rest", "--pause", "50s"]);
    running.until_stderr("pausing for 50 s");
    running.signal("TERM");
    let done = running.wait();
    done.exits(130);
    assert_eq!(case.result_words().iter().filter(|word| *word == "updated").count(), 4);
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 10]);
}

#[test]
fn a_verification_that_a_signal_cut_short_is_made_again_by_resume_before_the_next_wave() {
    let served = Served::quick();
    let ids = served.ids(8);
    let case = served.case().file("job.csv", renames(&ids));
    let mut running = case.spawn(["apply", "job.csv", "--yes", "--waves", "4,rest", "--verify"]);
    // The reads of the plan are over by then; those of the verification hang.
    served.until(|counters| counters.patch >= 1);
    served.tenant().set_faults("read:hang=100%".parse().unwrap());
    running.until_stderr("verifying");
    running.signal("TERM");
    running.wait().exits(130);
    served.tenant().set_faults("".parse().unwrap());
    served.tenant().edit(&ids[1], |client| drop(client.insert("name".into(), json!("mine"))));
    let done = case.run(["resume", "--yes"]);
    assert!(done.exits(5).stdout.contains("do not hold what was written"), "{done}");
    assert!(case.result_words()[4..].iter().all(|word| word == "not_attempted"), "{done}");
}

#[test]
fn a_wave_that_is_not_done_in_every_tenant_is_not_followed_by_another() {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let job = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = served.configured("", "").file("job.toml", job);
    let args = ["apply", "job.toml", "--yes", "--tenant", "t0", "--tenant", "t1", "--waves", "2,20,rest"];
    let mut running = case.spawn([&args[..], &["--pause", "2s"]].concat());
    running.until_stderr("pausing for 2");
    running.signal("TERM");
    running.wait().exits(130);
    // The second wave has clients of both tenants; the third must wait until those of t0 are done as well.
    let done = case.run(["resume", "--yes", "--tenant", "t1"]);
    assert!(done.exits(5).stdout.contains("a wave could not be finished in every tenant"), "{done}");
    let changed = |at: usize| served.at(at).counters().patch;
    assert!(changed(0) == 2 && changed(1) < 18, "{} and {}", changed(0), changed(1));
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!((changed(0), changed(1)), (18, 18));
}

#[test]
fn the_undo_of_a_wave_that_wrote_nothing_is_not_offered_and_ends_no_run() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(6)));
    served.tenant().set_faults("patch:403=#1".parse().unwrap());
    let done = case.run(["apply", "job.csv", "--yes", "--waves", "1,rest"]);
    assert!(!done.exits(5).stderr.contains("patchwave undo"), "{done}");
    let id = case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    case.run(["undo", &id, "--wave", "1"]).exits(0);
    case.run(["resume", &id, "--failed", "--yes"]).exits(0);
    assert_eq!(served.counters().patch, 7, "the run went on");
}
