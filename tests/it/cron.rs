//! The nights of a job, as cron runs it: from `/`, without a terminal, with nothing but `HOME` in the environment.

use crate::common::{Case, Done, Running, Served, renames};

/// What every night is asked for, behind the job.
const NIGHT: [&str; 4] = ["--tenant", "prod", "--yes", "-q"];

/// A home with a job for so many clients, the configuration where it is looked for, and the secret beside it.
fn home(served: &Served, clients: usize) -> Case {
    let tenant = served.tenant();
    let config = format!(
        "[tenants.prod]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ file = \"secret\" }}\n",
        tenant.domain().base_url(),
        tenant.client_id()
    );
    Case::new()
        .file("../home/.config/patchwave/patchwave.toml", config)
        .file("../home/.config/patchwave/secret", tenant.client_secret().expose())
        .file("../home/nightly.csv", renames(&served.ids(clients)))
        .by_timer()
}

fn args(case: &Case, flags: &[&str]) -> Vec<String> {
    let job = case.home("nightly.csv").to_string_lossy().into_owned();
    ["apply", &job].iter().chain(&NIGHT).chain(flags).map(|word| (*word).to_owned()).collect()
}

fn night(case: &Case, flags: &[&str]) -> Done {
    case.run(args(case, flags))
}

/// A run that goes on for long, and has sent its first write.
fn slow(served: &Served, case: &Case) -> Running {
    let before = served.counters().patch;
    let running = case.spawn(args(case, &["--rate", "2/s", "--burst", "1", "--concurrency", "1"]));
    served.until(|counters| counters.patch > before);
    running
}

#[track_caller]
fn is_silent(done: &Done) {
    assert_eq!(done.exits(0).shown(), "", "{done}");
}

/// The only line that a night has said.
#[track_caller]
fn line(done: &Done) -> &str {
    assert!(done.stdout.is_empty() && done.stderr.lines().count() == 1, "{done}");
    done.stderr.trim_end()
}

#[test]
fn the_first_night_changes_the_second_finds_all_in_place_and_neither_says_a_word() {
    let served = Served::quick();
    let case = home(&served, 20);
    is_silent(&night(&case, &[]));
    assert_eq!(case.result_words(), vec!["updated"; 20]);
    is_silent(&night(&case, &[]));
    assert_eq!(case.result_words(), vec!["unchanged"; 20]);
    assert_eq!(served.counters().patch, 20, "the second night writes nothing");
    assert_eq!(case.runs().len(), 2, "each night has left its results");
}

#[test]
fn a_night_takes_its_credentials_from_a_file_that_is_named() {
    let served = Served::quick();
    let tenant = served.tenant();
    let variables = format!(
        "AUTH0_DOMAIN={}\nAUTH0_CLIENT_ID={}\nAUTH0_CLIENT_SECRET={}\n",
        tenant.domain().base_url(),
        tenant.client_id(),
        tenant.client_secret().expose()
    );
    let case =
        Case::new().file("../home/env", variables).file("../home/nightly.csv", renames(&served.ids(3)));
    let case = case.by_timer();
    let (env, job) = (case.home("env"), case.home("nightly.csv"));
    let of = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let args = ["apply", &of(&job), "--env-file", &of(&env), "--yes", "-q"].map(str::to_owned);
    is_silent(&case.run(args));
    assert_eq!(served.counters().patch, 3);
}

#[test]
fn a_night_that_meets_another_run_ends_with_6_and_says_in_one_line_who_that_is() {
    let served = Served::quick();
    let case = home(&served, 40);
    let other = slow(&served, &case);
    let done = night(&case, &[]);
    let told = line(done.exits(6));
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let holder =
        format!("process {} on {host} (patchwave apply [ROOT]/home/nightly.csv, since 20", other.id());
    assert!(told.contains(&holder), "{done}");
    assert_eq!(case.runs().len(), 1, "only the other one is a run");
    other.signal("TERM");
    other.wait().exits(130);
}

#[test]
fn what_is_to_be_typed_after_a_lock_was_waited_for_in_vain_can_be_typed() {
    let served = Served::quick();
    let case = home(&served, 40);
    let _other = slow(&served, &case);
    for flags in [&["--lock-wait", "100ms"][..], &["--lock-wait=100ms"]] {
        let done = night(&case, flags);
        let (_, next) = line(done.exits(6)).split_once("; next: patchwave ").unwrap();
        let next = next.replace("[ROOT]", &case.root().to_string_lossy());
        case.run(next.split(' ')).exits(6);
    }
}

#[test]
fn a_wrong_secret_ends_with_3_and_one_line() {
    let served = Served::quick();
    let case = home(&served, 3).file("../home/.config/patchwave/secret", "wrong");
    let done = night(&case, &[]);
    let told = line(done.exits(3));
    assert!(
        told.contains("prod: no token: ") && told.contains("check client id and client secret"),
        "{done}"
    );
    assert_eq!((served.counters().patch, case.runs().len()), (0, 0));
}

#[test]
fn a_night_without_consent_ends_with_4_and_one_line() {
    let served = Served::quick();
    let case = home(&served, 3);
    let job = case.home("nightly.csv").to_string_lossy().into_owned();
    let done = case.run(["apply", &job, "--tenant", "prod", "-q"]);
    assert!(line(done.exits(4)).contains("--yes is not given; nothing was written"), "{done}");
    let done = night(&case, &["--max-changes", "2"]);
    assert!(line(done.exits(4)).contains("refused, nothing was written"), "{done}");
}

#[test]
fn without_a_home_a_night_asks_in_one_line_for_a_state_directory() {
    let served = Served::quick();
    let case = home(&served, 3);
    let config = case.home(".config/patchwave/patchwave.toml").to_string_lossy().into_owned();
    let words = args(&case, &["--config", &config]);
    let case = case.without_env("HOME");
    let done = case.run(words);
    assert!(line(done.exits(3)).contains("name one with --state-dir DIR"), "{done}");
}

#[test]
fn the_night_after_one_that_was_killed_does_what_that_has_left_and_takes_its_place() {
    let served = Served::quick();
    let (case, ids) = (home(&served, 30), served.ids(30));
    let killed = slow(&served, &case);
    // The answer to the second has come before the third is sent.
    served.until(|counters| counters.patch >= 3);
    killed.signal("KILL");
    assert_eq!(killed.wait().code, None);
    let sent = served.counters().patch;
    is_silent(&night(&case, &[]));
    assert!(ids.iter().zip(0..).all(|(id, at)| is_renamed(&served, id, at)), "all is as the job asks");
    let unchanged = case.result_words().iter().filter(|word| *word == "unchanged").count();
    assert!(unchanged >= 2, "what the killed one has done stays: {:?}", case.result_words());
    assert_eq!(served.counters().patch - sent, 30 - unchanged as u64, "and is not sent again");
    // Nobody goes back to the run that was killed.
    let killed = case.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    let done = case.run(["resume", &killed, "--tenant", "prod", "--yes", "-q"]);
    assert!(line(done.exits(4)).contains("was superseded by run [RUN]"), "{done}");
}

fn is_renamed(served: &Served, id: &str, at: usize) -> bool {
    served.client(id)["name"] == format!("NEW-{at}")
}

#[test]
fn old_runs_are_removed_without_a_word() {
    let served = Served::quick();
    let case = home(&served, 2);
    is_silent(&case.run(["runs", "prune", "--older-than", "90d", "--yes", "-q"]));
    is_silent(&night(&case, &[]));
    is_silent(&night(&case, &[]));
    is_silent(&case.run(["runs", "prune", "--keep", "1", "--yes", "-q"]));
    assert_eq!(case.runs().len(), 1);
}
