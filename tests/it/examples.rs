//! The set-ups in `examples/` work as they stand: their commands are taken out of them and run against simulated tenants,
//! with the paths of the test in place of those of a machine.

mod text;

use crate::common::{Case, Done, Served};
use crate::shards;
pub(crate) use text::file;
use text::{at, below, commands, items, read};

const CRON: &str = "examples/cron/crontab";
const SERVICE: &str = "examples/systemd/patchwave-nightly.service";
const UNITS: [&str; 3] =
    [SERVICE, "examples/systemd/patchwave-nightly.timer", "examples/systemd/patchwave-failed@.service"];
const KUBERNETES: &str = "examples/kubernetes/cronjob.yaml";
const FLEET: &str = "examples/kubernetes/fleet.yaml";
const FLEET_REPORT: &str = "examples/kubernetes/fleet-report.yaml";
const GITHUB: &str = "examples/ci/github-actions.yml";
const GITLAB: &str = "examples/ci/gitlab-ci.yml";

/// How long one request may take, which a stop in good order must be given: the default of `--timeout`.
const TIMEOUT: u64 = 30;

/// The configuration of an example, with a simulated tenant in place of its own.
fn configured(served: &Served, text: &str) -> String {
    let tenant = served.tenant();
    let domain = tenant.domain().base_url();
    let config =
        text.replace("acme.eu.auth0.com", &domain).replace("p4Ww8nXd1uJk7sQe3RyB", tenant.client_id());
    assert!(config.contains(&domain) && config.contains(tenant.client_id()), "no tenant: {config}");
    config
}

/// The machine that cron and systemd need: `/etc/patchwave` with configuration, secret and job.
fn machine(served: &Served) -> Case {
    Case::new()
        .file("etc/patchwave.toml", configured(served, &read("examples/patchwave.toml")))
        .file("etc/prod.secret", served.tenant().client_secret().expose())
        .file("etc/nightly.toml", read("jobs/nightly.toml"))
        .by_timer()
}

/// A command with the paths of the test.
fn placed(case: &Case, command: &str) -> Vec<String> {
    let paths = [("/etc/patchwave", case.path("etc")), ("/var/lib/patchwave", case.state())];
    let placed = paths
        .iter()
        .fold(command.to_owned(), |command, (path, here)| command.replace(path, &here.to_string_lossy()));
    let words = placed.split_whitespace().map(str::to_owned);
    words.skip_while(|word| word != "patchwave" && !word.ends_with("/patchwave")).skip(1).collect()
}

/// Runs the commands of a night twice: the first night changes clients, the second none, and both are silent.
fn two_nights(served: &Served, case: &Case, commands: &[String]) {
    let night = || {
        for command in commands {
            let done = case.run(placed(case, command));
            assert_eq!(done.exits(0).shown(), "", "{done}");
        }
        served.counters().patch
    };
    let first = night();
    assert!(first > 0, "the first night changed nothing");
    assert_eq!(night(), first, "the second night wrote");
}

/// Runs what an example tells people to type, after its nights.
fn by_hand(case: &Case, example: &str) {
    for command in commands(&read(example)).into_iter().filter(|command| command.comment) {
        case.run(placed(case, &command.words)).exits(0);
    }
}

#[test]
fn every_example_is_in_the_table_of_examples() {
    let table = read("examples/README.md");
    for path in file::all("examples") {
        let path = path.strip_prefix("examples/").unwrap();
        assert!(path == "README.md" || table.contains(&format!("({path})")), "the table has no {path}");
    }
}

#[test]
fn every_command_of_the_examples_and_of_the_page_about_them_is_understood() {
    // A script is run as a whole, by a test of its own.
    let examples = file::all("examples").into_iter().filter(|path| !path.ends_with(".sh"));
    let pages = ["docs/unattended.md".to_owned()].into_iter().chain(examples);
    let found: Vec<String> =
        pages.flat_map(|page| commands(&read(&page))).map(|command| command.words).collect();
    assert!(found.len() >= 15, "the commands were not found: {found:?}");
    for command in found {
        let done = Case::new().run(placed(&Case::new(), &command));
        // Without job and credentials none gets far; what clap does not understand it says so.
        assert!(!done.stderr.contains("For more information, try"), "{command}\n{done}");
    }
}

#[test]
fn the_nights_of_the_crontab_change_what_is_to_be_changed_and_say_nothing() {
    let (served, text) = (Served::quick(), read(CRON));
    let case = machine(&served);
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '*'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains('%')), "cron takes % for a line break");
    two_nights(&served, &case, &lines);
    by_hand(&case, CRON);
}

#[test]
fn the_nights_of_the_service_change_what_is_to_be_changed_and_say_nothing() {
    let (served, text) = (Served::quick(), read(SERVICE).replace("\\\n", " "));
    let case = machine(&served);
    let commands: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("ExecStart"))
        .map(|line| line.replace('=', " "))
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    two_nights(&served, &case, &commands);
    by_hand(&case, SERVICE);
    let stop = text.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s'));
    assert!(stop.unwrap().parse::<u64>().unwrap() > 2 * TIMEOUT, "a stop in good order takes longer");
    for line in ["Type=oneshot", "KillSignal=SIGTERM", "StateDirectory=patchwave", "NoNewPrivileges=yes"] {
        assert!(text.lines().any(|of| of == line), "no {line}");
    }
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let verifies = std::process::Command::new("systemd-analyze").arg("--version").output();
    if !verifies.is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    }
    let name = |unit: &str| unit.rsplit('/').next().unwrap().to_owned();
    let case = UNITS.iter().fold(Case::new(), |case, unit| {
        case.file(
            &name(unit),
            read(unit).replace("/usr/local/bin/patchwave", env!("CARGO_BIN_EXE_patchwave")),
        )
    });
    for unit in UNITS {
        let done = case.shell(&format!("systemd-analyze verify --man=no ./{}", name(unit)));
        assert_eq!(done.exits(0).shown(), "", "{done}");
    }
}

#[test]
fn the_nights_of_the_cron_job_change_what_is_to_be_changed_and_say_nothing() {
    let (served, text) = (Served::quick(), read(KUBERNETES));
    let config = configured(&served, &below(&text, "patchwave.toml")[0]);
    let case = Case::new().file("secret/client-secret", served.tenant().client_secret().expose());
    let secrets = case.path("secret").to_string_lossy().into_owned();
    let case = case
        .file("etc/patchwave.toml", config.replace("/run/secrets/auth0", &secrets))
        .file("etc/nightly.toml", &below(&text, "nightly.toml")[0])
        .by_timer();
    let commands: Vec<String> =
        below(&text, "args").iter().map(|args| format!("patchwave {}", items(args).join(" "))).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    two_nights(&served, &case, &commands);
}

#[test]
fn the_cron_job_never_overlaps_is_never_repeated_and_is_given_time_to_stop() {
    let text = read(KUBERNETES);
    let job = text.split("---\n").find(|part| part.contains("kind: CronJob\n")).unwrap();
    let said = |path: &[&str]| at(job, path);
    assert_eq!(said(&["apiVersion"]), "batch/v1");
    assert_eq!(said(&["spec", "concurrencyPolicy"]), "Forbid");
    assert_eq!(said(&["spec", "jobTemplate", "spec", "backoffLimit"]), "0");
    let pod = ["spec", "jobTemplate", "spec", "template", "spec"];
    let of_pod = |key: &'static str| said(&[&pod[..], &[key]].concat());
    assert_eq!(of_pod("restartPolicy"), "Never");
    assert!(of_pod("terminationGracePeriodSeconds").parse::<u64>().unwrap() > 2 * TIMEOUT);
    // Each volume is there, and each thing that one names is made in the file, but for the secret.
    let volumes: Vec<String> = below(&of_pod("volumes"), "name");
    for mount in below(job, "volumeMounts").iter().flat_map(|mounts| below(mounts, "name")) {
        assert!(volumes.contains(&mount), "no volume {mount}");
    }
    for named in [&below(job, "claimName")[0], &volumes[1]] {
        assert!(text.contains(&format!("metadata:\n  name: {named}\n")), "nothing is called {named}");
    }
    assert!(!text.contains("kind: Secret") && text.contains("kubectl create secret generic patchwave-prod"));
}

#[test]
fn the_pods_of_an_indexed_job_do_together_what_one_process_would_and_their_reports_are_one() {
    let (pods, report) = (read(FLEET), read(FLEET_REPORT));
    let job = pods.split("---\n").find(|part| part.contains("kind: Job\n")).unwrap();
    assert_eq!(at(job, &["spec", "completionMode"]), "Indexed");
    let count = at(job, &["spec", "completions"]);
    let env = &below(job, "env")[0];
    assert!(env.contains("name: PATCHWAVE_SHARDS") && env.contains(&format!("value: \"{count}\"")), "{env}");
    assert!(below(&pods, "patchwave.toml")[0].contains("[groups]\nfleet = "));
    let args = |text: &str| items(&below(text, "args")[0]).join(" ");
    let (served, one) = (shards::serve(), shards::serve());
    let [case, alone] = [&served, &one].map(|served| {
        let case = shards::configured(served).file("fleet.toml", below(&pods, "fleet.toml")[0].clone());
        std::fs::create_dir(case.path("state")).unwrap();
        case
    });
    let here = |args: &str| {
        args.replace("/etc/patchwave/", "")
            .replace("/var/lib/patchwave", "state")
            .replace("$(JOB_COMPLETION_INDEX)", "$i")
    };
    let script = format!(
        "for i in $(seq 0 $(({count} - 1))); do
            JOB_COMPLETION_INDEX=$i PATCHWAVE_SHARDS={count} patchwave {} & pods=\"$pods $!\"
        done
        for pod in $pods; do wait $pod; done",
        here(&args(job))
    );
    let done = case.shell(&script);
    let unheard =
        done.exits(0).stderr.lines().filter(|line| !line.starts_with("None of the 12 chosen")).count();
    assert_eq!((done.stdout.as_str(), unheard), ("", 0), "{done}");
    let merged = case.shell(&format!("patchwave {}", here(&args(&report))));
    assert!(merged.exits(0).stdout.contains(" runs of fleet finished in "), "{merged}");
    let whole = "apply fleet.toml --group=fleet --yes --quiet --report=state/fleet.csv";
    alone.run(whole.split(' ')).exits(0);
    assert_eq!(shards::rows(&case, "state/fleet.csv"), shards::rows(&alone, "state/fleet.csv"));
    assert_eq!(shards::rows(&case, "state/fleet.csv").len(), 12 * 18);
    for at in 0..12 {
        assert_eq!(served.at(at).counters().patch, one.at(at).counters().patch, "t{at}");
    }
}

/// A repository that CI has checked out, with a job in it.
fn checked_out(served: &Served) -> Case {
    let case = served.case().file("auth0/clients.toml", read("jobs/rename-clients.toml"));
    let rows = case.file("auth0/rename-clients.csv", read("jobs/rename-clients.csv"));
    let summary = rows.path("summary.md");
    rows.env("GITHUB_STEP_SUMMARY", summary)
}

/// The only script of these that holds a command.
fn script(scripts: &[String], command: &str) -> String {
    let mut found = scripts.iter().filter(|script| script.contains(command));
    let script = found.next().unwrap_or_else(|| panic!("no {command}"));
    assert!(found.next().is_none(), "{command} is there twice");
    script.clone()
}

/// Plans and applies as CI does. `changes`: how a plan that has some ends.
fn planned_and_applied(served: &Served, plan: &str, apply: &str, changes: i32) -> Case {
    let case = checked_out(served);
    case.shell(plan).exits(changes);
    assert_eq!(served.counters().patch, 0, "a plan writes nothing");
    let done: Done = case.shell(apply);
    assert_eq!(done.exits(0).shown(), "", "{done}");
    assert!(served.counters().patch > 0 && case.read("results.csv").contains(",updated,"));
    assert!(case.path("run/runs").is_dir(), "what is needed to resume or undo is kept");
    case.shell(plan).exits(0);
    let wrong = case.file("auth0/clients.toml", "[[update]]\nmatch.nam = \"x\"\n");
    wrong.shell(plan).exits(64);
    wrong
}

#[test]
fn a_pull_request_on_github_shows_the_plan_and_a_merge_carries_it_out() {
    let (served, text) = (Served::quick(), read(GITHUB));
    let scripts = below(&text, "run");
    for script in &scripts {
        Case::new().env("SCRIPT", script).shell("printf '%s' \"$SCRIPT\" | bash -n").exits(0);
    }
    let (plan, apply) = (script(&scripts, "patchwave plan "), script(&scripts, "patchwave apply "));
    // Without a plan that somebody has seen nothing is applied.
    let fetch = script(&scripts, "gh run download");
    for gh in ["gh() { :; }", "gh() { if [ $1 = api ]; then echo abc; fi; }"] {
        let done = Case::new().env("GH_REPO", "o/r").env("GITHUB_SHA", "x").shell(&format!("{gh}\n{fetch}"));
        assert!(done.code != Some(0) && done.stderr.contains(" plan of "), "{done}");
    }
    let case = planned_and_applied(&served, &plan, &apply, 0);
    let summary = case.read("summary.md");
    assert!(summary.starts_with("```\n") && summary.contains("Plan: "), "{summary}");
    assert_eq!(at(&text, &["jobs", "apply", "concurrency", "cancel-in-progress"]), "false");
    assert_eq!(below(&text, "group").len(), 1);
}

#[test]
fn a_merge_request_on_gitlab_shows_the_plan_and_the_main_branch_carries_it_out() {
    let (served, text) = (Served::quick(), read(GITLAB));
    let scripts: Vec<String> = below(&text, "script").iter().flat_map(|script| items(script)).collect();
    let (plan, apply) = (script(&scripts, "patchwave plan "), script(&scripts, "patchwave apply "));
    planned_and_applied(&served, &plan, &apply, 2);
    assert_eq!(at(&text, &["plan", "allow_failure", "exit_codes"]), "2");
    assert_eq!(at(&text, &["apply", "resource_group"]), "auth0-apply");
}
