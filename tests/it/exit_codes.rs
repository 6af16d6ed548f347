//! One test a code, from outside the binary. Scripts rely on them.

use patchwave::sandbox::Options;

use crate::common::{Case, Served, renames};

fn two() -> (Served, Case) {
    let options = Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() };
    let served = Served::with(options);
    let job = "[[update]]\nmatch.name = \"Billing\"\nset.description = \"x\"\n";
    let case = served.configured("", "").file("job.toml", job);
    (served, case)
}

const BOTH: [&str; 7] = ["apply", "job.toml", "--yes", "--tenant", "t0", "--tenant", "t1"];

#[test]
fn code_0_everything_is_in_place_and_rows_skipped_on_purpose_do_not_count() {
    let (_served, case) = two();
    case.run(BOTH).exits(0);
    case.run([&BOTH[..], &["--where", "name == 'nobody'"]].concat()).exits(0);
}

#[test]
fn code_1_some_rows_failed_or_conflicted() {
    let (served, case) = two();
    served.at(1).remove(&crate::common::id_of(served.at(1), "Billing"));
    case.run(BOTH).exits(1);
    case.run(["plan", "job.toml", "--tenant", "t1"]).exits(1);
}

#[test]
fn code_2_plan_found_changes_and_no_row_of_code_1() {
    let (_served, case) = two();
    case.run(["plan", "job.toml", "--tenant", "t0", "--detailed-exitcode"]).exits(2);
    case.run(["plan", "job.toml", "--tenant", "t0"]).exits(0);
}

#[test]
fn code_3_credentials_are_wrong_and_with_another_tenant_that_is_well_1() {
    let (served, case) = two();
    let case = case.env("SECRET_1", "wrong");
    case.run(["apply", "job.toml", "--yes", "--tenant", "t1"]).exits(3);
    case.run(BOTH).exits(1);
    assert_eq!(served.at(0).counters().patch, 1, "the other tenant was done");
}

#[test]
fn code_4_a_guard_refuses_and_no_tenant_is_written() {
    let (served, case) = two();
    case.run([&BOTH[..], &["--max-changes", "0"]].concat()).exits(4);
    case.run(BOTH.into_iter().filter(|arg| *arg != "--yes")).exits(4);
    assert_eq!((served.at(0).counters().patch, served.at(1).counters().patch), (0, 0));
}

#[test]
fn code_4_ten_changes_are_allowed_and_eleven_are_planned() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(11)));
    case.run(["apply", "job.csv", "--yes", "--max-changes", "10"]).exits(4);
    assert_eq!(served.counters().patch, 0);
    case.run(["apply", "job.csv", "--yes", "--max-changes", "11"]).exits(0);
}

#[test]
fn code_5_one_of_two_tenants_stopped_early() {
    let (served, case) = two();
    let rule = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = case.file("job.toml", rule);
    served.at(1).set_faults("patch:401=20%,token:403=#2".parse().unwrap());
    let done = case.run([&BOTH[..], &["--concurrency", "1"]].concat());
    done.exits(5);
    served.at(1).set_faults("".parse().unwrap());
    case.run(["resume", "--yes"]).exits(0);
}

#[test]
fn code_6_another_run_holds_the_lock_of_every_tenant() {
    let (served, case) = two();
    let rule = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = case.file("slow.toml", rule);
    let args =
        ["apply", "slow.toml", "--yes", "--tenant", "t0", "--tenant", "t1", "--rate", "1/s", "--burst", "1"];
    let _running = case.spawn(args);
    served.until(|counters| counters.patch > 0);
    case.run(BOTH).exits(6);
}

#[test]
fn code_64_the_flags_or_the_job_are_wrong() {
    let (_served, case) = two();
    let case = case.file("wrong.toml", "[[update]]\nmatch.nane = \"x\"\n");
    case.run(["apply", "wrong.toml", "--yes", "--tenant", "t0"]).exits(64);
    case.run(["apply", "job.toml", "--yes"]).exits(64);
    case.run(["apply", "job.toml", "--yess"]).exits(64);
}

#[test]
fn code_130_the_run_was_interrupted_whatever_became_of_the_tenants() {
    let (served, case) = two();
    let rule = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n";
    let case = case.file("job.toml", rule);
    let running = case.spawn([&BOTH[..], &["--rate", "5/s", "--burst", "1"]].concat());
    served.until(|counters| counters.patch > 0);
    running.signal("TERM");
    running.wait().exits(130);
}
