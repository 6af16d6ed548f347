//! Waves over tenants by a tag: the canaries first, the rest only when they were good enough.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Done, Served};

const JOB: &str = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"by rings\"\n";
const TENANTS: &str = "--tenant=t0,t1,t2,t3";

fn serve() -> Served {
    let tier = "unlimited".parse().unwrap();
    Served::with(Options { tenants: 4, clients: 4, tier, ..Options::default() })
}

/// The tenants with a ring each, as TOML writes it; the first stands last in the order of rings.
fn case(served: &Served, rings: [&str; 4]) -> Case {
    let case = served.configured("", "").file("job.toml", JOB);
    let mut config = case.read("patchwave.toml");
    for (at, ring) in rings.iter().enumerate().filter(|(_, ring)| !ring.is_empty()) {
        let table = format!("[tenants.t{at}]\n");
        config = config.replace(&table, &format!("{table}tags = {{ ring = {ring} }}\n"));
    }
    case.file("patchwave.toml", config)
}

const RINGS: [&str; 4] = ["\"stable\"", "\"early\"", "\"canary\"", "[\"early\", \"eu\"]"];

fn apply(case: &Case, flags: &[&str]) -> Done {
    case.run(["apply", "job.toml", "--yes", TENANTS].iter().chain(flags))
}

fn written(served: &Served) -> [u64; 4] {
    [0, 1, 2, 3].map(|at| served.at(at).counters().patch)
}

fn newest(case: &Case) -> String {
    case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

/// The tenants of the outcomes in the newest run's journal, wave by wave, each once.
fn journal(case: &Case) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(case.runs().pop().unwrap().join("journal.jsonl")).unwrap();
    let mut waves = vec![Vec::new()];
    for line in text.lines() {
        let entry = serde_json::from_str::<Value>(line).unwrap()["of"].take();
        match entry["entry"].as_str().unwrap() {
            "outcome" => waves.last_mut().unwrap().push(entry["tenant"].as_str().unwrap().to_owned()),
            "wave_ended" => waves.push(Vec::new()),
            _ => (),
        }
    }
    waves.pop();
    waves.iter_mut().for_each(|wave| {
        wave.sort();
        wave.dedup();
    });
    waves
}

#[test]
fn a_ring_is_written_whole_before_the_next_one_begins() {
    let served = serve();
    let case = case(&served, RINGS);
    let done = apply(&case, &["--waves-by", "ring=canary,early,rest", "--verify"]);
    done.exits(0);
    assert_eq!(journal(&case), [vec!["t2"], vec!["t1", "t3"], vec!["t0"]]);
    let told = done.stdout.lines().skip_while(|line| !line.contains("Waves by ring")).take(4);
    insta::assert_snapshot!("waves_by_a_tag", told.collect::<Vec<_>>().join("\n"));
    assert!(done.stdout.contains("3 of 3 waves done, each good enough"), "{done}");
    assert_eq!(case.result_words(), vec!["updated"; 16]);
}

#[test]
fn a_bad_canary_stops_the_rest_and_resume_goes_on() {
    let served = serve();
    let case = case(&served, RINGS);
    served.at(2).set_faults("patch:403=#2".parse().unwrap());
    let done = apply(&case, &["--waves-by", "ring=canary,early,rest", "--concurrency", "1"]);
    assert!(done.exits(5).stdout.contains("the last of them (canary) not good enough"), "{done}");
    assert!(done.stderr.contains("patchwave undo [RUN] --wave=1"), "{done}");
    assert_eq!([0, 1, 3].map(|at| written(&served)[at]), [0, 0, 0]);
    // Whoever resumes it has looked; the waves are those of the plan, whatever the tags are by now.
    let config = case.read("patchwave.toml").replace("canary", "stable");
    let case = case.file("patchwave.toml", config);
    let done = case.run(["resume", "--failed", "--yes"]);
    done.exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 16]);
    assert_eq!(journal(&case).last().unwrap(), &["t0"]);
}

#[test]
fn a_ring_is_taken_back_by_the_number_of_its_wave() {
    let served = serve();
    let case = case(&served, RINGS);
    apply(&case, &["--waves-by", "ring=canary,early,rest"]).exits(0);
    let before = written(&served);
    let run = newest(&case);
    case.run(["undo", &run, "--wave", "2", "--yes"]).exits(0);
    let after = written(&served);
    assert_eq!([0, 1, 2, 3].map(|at| after[at] - before[at]), [0, 4, 0, 4]);
    let done = case.run(["undo", &run, "--wave", "4", "--yes"]);
    assert!(done.exits(64).stderr.contains("has 3 waves"), "{done}");
    let done = case.run(["undo", &run, "--yes", TENANTS, "--waves-by", "ring=canary,rest"]);
    assert!(done.exits(0).stdout.contains("1  canary  4 clients in t2"), "{done}");
}

#[test]
fn a_saved_plan_is_carried_out_in_rings_and_a_ring_with_nothing_to_write_is_no_wave() {
    let served = serve();
    let case = case(&served, RINGS);
    case.run(["apply", "job.toml", "--yes", "--tenant=t2"]).exits(0);
    case.run(["plan", "job.toml", TENANTS, "--out", "plan.jsonl"]).exits(0);
    let done = case.run(["apply", "plan.jsonl", "--yes", "--waves-by", "ring=canary,early,rest"]);
    assert!(done.exits(0).stdout.contains("2 of 2 waves done"), "{done}");
    assert_eq!(journal(&case), [vec!["t1", "t3"], vec!["t0"]]);
    // The report is made of plan and journal alone.
    assert_eq!(case.summary()["waves"]["name"], "rest");
    assert!(case.run(["report", "latest"]).exits(0).stdout.contains("2 of 2 waves done"));
}

#[test]
fn a_misspelt_ring_or_one_that_is_left_out_is_64_before_anything_is_read() {
    let served = serve();
    let case = case(&served, ["1", "true", "\"canary\"", ""]);
    for (waves, said) in [
        ("ring=canray,rest", "did you mean `canary`?"),
        ("ring=canray,rest", "they have: 1, true, canary"),
        ("rings=canary,rest", "no chosen tenant has a tag `rings`; did you mean `ring`?"),
        ("ring=canary,1", "in no wave: t1, t3"),
        ("ring=rest,canary", "must be the last wave"),
        ("canary", "names no tag"),
    ] {
        let done = apply(&case, &["--waves-by", waves]);
        assert!(done.exits(64).stderr.contains(said), "{done}");
    }
    let done = apply(&case, &["--waves-by", "ring=canary,rest", "--waves", "1,rest"]);
    assert!(done.exits(64).stderr.contains("cannot be used with"), "{done}");
    assert_eq!(served.at(0).counters().token, 0);
    let done = case.run(["apply", "job.toml", "--sandbox", "--waves-by", "ring=canary,rest"]);
    assert!(done.exits(64).stderr.contains("have no tags"), "{done}");
    apply(&case, &["--waves-by", "ring=canary,1,true,rest"]).exits(0);
    assert_eq!(journal(&case), [vec!["t2"], vec!["t0"], vec!["t1"], vec!["t3"]]);
}

#[test]
fn of_flags_the_job_and_the_environment_the_first_that_sets_waves_holds() {
    let served = serve();
    let in_job = format!("[guards]\nwaves = [1, \"rest\"]\n{JOB}");
    let case = case(&served, RINGS).file("waves.toml", in_job).env("PATCHWAVE_WAVES_BY", "ring=stable,rest");
    let waves = |job: &str, flags: &[&str]| {
        let done = case.run(["apply", job, "--dry-run", TENANTS].iter().chain(flags));
        let told = done.exits(0).stdout.lines().find(|line| line.contains("Waves")).map(str::trim);
        told.unwrap_or_default().to_owned()
    };
    assert_eq!(waves("waves.toml", &["--waves-by", "ring=canary,rest"]), "Waves by ring:");
    assert_eq!(waves("waves.toml", &[]), "Waves: 1, 15 clients");
    assert_eq!(waves("job.toml", &["--waves", "3,rest"]), "Waves: 3, 13 clients");
    assert_eq!(waves("job.toml", &[]), "Waves by ring:");
    let case = case.env("PATCHWAVE_WAVES", "1,rest");
    let done = apply(&case, &[]);
    assert!(done.exits(64).stderr.contains("are both set"), "{done}");
    let case = case.without_env("PATCHWAVE_WAVES").env("PATCHWAVE_WAVES_BY", "ring=stabel,rest");
    let done = apply(&case, &[]);
    assert!(
        done.exits(64).stderr.contains("PATCHWAVE_WAVES_BY ring=stabel,rest: no chosen tenant"),
        "{done}"
    );
}

#[test]
fn a_canary_that_cannot_be_planned_lets_no_other_ring_go_untried_unless_that_is_allowed() {
    let served = serve();
    let case = case(&served, RINGS);
    served.at(2).set_faults("token:401=100%".parse().unwrap());
    let done = apply(&case, &["--waves-by", "ring=canary,rest"]);
    assert!(done.exits(4).stderr.contains("would go untried: t2"), "{done}");
    assert_eq!(written(&served), [0; 4]);
    let done = apply(&case, &["--waves-by", "ring=canary,rest", "--max-failures", "1"]);
    done.exits(1);
    assert_eq!(written(&served), [4, 4, 0, 4]);
}

#[test]
fn a_tenant_of_the_last_ring_that_cannot_be_planned_stops_no_other() {
    let served = serve();
    let case = case(&served, RINGS);
    served.at(0).set_faults("token:401=100%".parse().unwrap());
    apply(&case, &["--waves-by", "ring=canary,rest"]).exits(1);
    assert_eq!(written(&served), [0, 4, 4, 4]);
}

#[test]
fn a_ring_that_another_shard_has_is_no_mistake_and_no_wave_here() {
    let served = serve();
    let case = case(&served, RINGS);
    for shard in ["1/3", "2/3", "3/3"] {
        apply(&case, &["--waves-by", "ring=canary,early,stable", "--shard", shard]).exits(0);
        let done = apply(&case, &["--waves-by", "ring=canary,early,stabel,rest", "--shard", shard]);
        // Where no tenant falls to a shard, nothing is to be done.
        assert!(done.code == Some(64) || done.stderr.contains("None of the 4 chosen tenants"), "{done}");
    }
    assert_eq!(written(&served), [4; 4]);
}

#[test]
fn two_hundred_tenants_in_rings_are_finished_after_a_crash_and_all_taken_back() {
    let tier = "unlimited".parse().unwrap();
    let served = Served::with(Options { tenants: 200, clients: 10, tier, ..Options::default() });
    let update = "[[update]]\nmatch.name = \"acme-*\"\nset.sso_disabled = true\n";
    let case = served.configured("", "").file("job.toml", format!("name = \"all\"\n[recorded]\n{update}"));
    let mut config = case.read("patchwave.toml");
    for at in 0..200 {
        let ring = if at < 3 { "canary" } else { "early" };
        let table = format!("[tenants.t{at}]\n");
        let tags = if at < 60 { format!("tags = {{ ring = \"{ring}\" }}\n") } else { String::new() };
        config = config.replace(&table, &format!("{table}{tags}"));
    }
    let case = case.file("patchwave.toml", config);
    let before: Vec<_> = (0..200).map(|at| served.at(at).state()).collect();
    let names: Vec<String> = (0..200).map(|at| format!("t{at}")).collect();
    let tenants = format!("--tenant={}", names.join(","));
    // The second ring comes to no end before the crash.
    served.at(50).set_faults("patch:hang=100%".parse().unwrap());
    let args = ["apply", "job.toml", "--yes", "-q", &tenants, "--timeout", "10m"];
    let running = case.spawn([&args[..], &["--waves-by", "ring=canary,early,rest"]].concat());
    served.until_at(40, |counters| counters.patch >= 5);
    running.kill();
    assert_eq!(served.at(150).counters().patch, 0, "the ring before was not over");
    served.at(50).set_faults("".parse().unwrap());
    case.run(["resume", "--yes", "-q"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 2000]);
    let shown = case.run(["status"]);
    assert!(shown.exits(0).stdout.contains("  200 tenants  "), "{shown}");
    case.run(["undo", &newest(&case), "--yes", "-q"]).exits(0);
    for (at, before) in before.iter().enumerate() {
        assert!(served.at(at).state() == *before, "t{at} is not as it was");
    }
    assert!(case.run(["status"]).exits(0).stdout.contains("undone     200 tenants"));
}
