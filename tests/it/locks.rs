//! One run per tenant at a time.

use patchwave::sandbox::Options;

use crate::common::{Case, Running, Served, renames};

/// A run that goes on for long, and has sent its first write.
fn slow(served: &Served, case: &Case) -> Running {
    let before = served.counters().patch;
    let running = case.spawn(["apply", "slow.csv", "--yes", "--rate", "2/s", "--burst", "1"]);
    served.until(|counters| counters.patch > before);
    running
}

fn case(served: &Served) -> Case {
    let ids = served.ids(30);
    served.case().file("slow.csv", renames(&ids[..28])).file("job.csv", renames(&ids[28..]))
}

#[test]
fn a_second_run_on_a_tenant_is_6_at_once_and_names_the_holder() {
    let served = Served::quick();
    let case = case(&served);
    let running = slow(&served, &case);
    let began = std::time::Instant::now();
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(began.elapsed().as_millis() < 1000, "at once");
    done.exits(6);
    let holder = format!("process {} on ", running.id());
    assert!(done.stderr.contains(&holder) && done.stderr.contains("apply slow.csv, since "), "{done}");
    assert!(done.stderr.lines().last().unwrap().ends_with("--lock-wait=10m"), "{done}");
    let json = case.run(["apply", "job.csv", "--yes", "--output", "json"]);
    assert!(json.exits(6).stderr.contains("\"class\":\"conflict\",\"reason\":\"locked\""), "{json}");
    // Plans take no lock: they cannot write.
    case.run(["plan", "job.csv"]).exits(0);
}

#[test]
fn a_run_that_waits_for_the_lock_runs_once_it_is_free_and_a_killed_holder_frees_it() {
    let served = Served::quick();
    let case = case(&served);
    let first = slow(&served, &case);
    let waiting = case.spawn(["apply", "job.csv", "--yes", "--lock-wait", "30s"]);
    first.signal("KILL");
    assert_eq!(first.wait().code, None);
    let done = waiting.wait();
    done.exits(0);
    assert!(done.stderr.contains("is unfinished; this one takes its place"), "{done}");
    assert_eq!(case.result_words(), ["updated", "updated"]);
}

#[test]
fn waiting_for_the_lock_ends_with_the_time_that_was_given_and_with_a_signal() {
    let served = Served::quick();
    let case = case(&served);
    let _first = slow(&served, &case);
    case.run(["apply", "job.csv", "--yes", "--lock-wait", "300ms"]).exits(6);
    let mut waiting = case.spawn(["apply", "job.csv", "--yes", "--lock-wait", "50s"]);
    waiting.until_stderr("waiting for");
    waiting.signal("TERM");
    let done = waiting.wait();
    assert!(done.exits(130).stderr.contains("interrupted; nothing was written"), "{done}");
}

#[test]
fn of_two_tenants_one_of_which_is_locked_the_other_is_done() {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let slow = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"slow\"\n";
    let job = "[[update]]\nmatch.name = \"Billing\"\nset.description = \"x\"\n";
    let case = served.configured("", "").file("slow.toml", slow).file("job.toml", job);
    let running =
        case.spawn(["apply", "slow.toml", "--yes", "--tenant", "t0", "--rate", "1/s", "--burst", "1"]);
    served.until(|counters| counters.patch > 0);
    let done = case.run(["apply", "job.toml", "--yes", "--tenant", "t0", "--tenant", "t1"]);
    done.exits(1);
    let rows = case.results();
    assert_eq!((rows[0]["_result"].as_str(), rows[0]["_reason"].as_str()), ("not_attempted", "locked"));
    assert!(rows[0]["_error"].contains(&format!("process {}", running.id())), "{:?}", rows[0]);
    assert_eq!(rows[1]["_result"], "updated");
    running.signal("TERM");
    running.wait().exits(130);
    // The run that was held up is unfinished, and nobody has taken its place in that tenant.
    assert!(case.run(["resume", "--yes"]).exits(0).stdout.contains("updated"));
}

#[test]
fn a_run_of_the_past_is_not_resumed_while_another_has_the_lock() {
    let served = Served::quick();
    let case = case(&served);
    let first = slow(&served, &case);
    case.run(["resume", "--yes"]).exits(6);
    first.signal("TERM");
    first.wait().exits(130);
    case.run(["resume", "--yes"]).exits(0);
}
