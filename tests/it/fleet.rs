//! Many tenants in one run: beside each other, each at its own pace, within what the system allows, and readable.

use std::collections::HashSet;

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Served, id_of};

const JOB: &str = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"fleet\"\n";

fn serve(tenants: usize, clients: usize) -> Served {
    Served::with(Options { tenants, clients, tier: "unlimited".parse().unwrap(), ..Options::default() })
}

fn case(served: &Served) -> Case {
    served.configured("", "").file("job.toml", JOB)
}

/// `--tenant` with the first so many.
fn choose(tenants: usize) -> String {
    let names: Vec<String> = (0..tenants).map(|at| format!("t{at}")).collect();
    format!("--tenant={}", names.join(","))
}

/// The tenants of the outcomes in the newest run's journal, in its order.
fn outcomes(case: &Case) -> Vec<String> {
    let journal = std::fs::read_to_string(case.runs().pop().unwrap().join("journal.jsonl")).unwrap();
    // Its last line may be on its way to the disk.
    let entries =
        journal.lines().filter_map(|line| Some(serde_json::from_str::<Value>(line).ok()?["of"].take()));
    let outcomes = entries.filter(|entry| entry["entry"] == "outcome");
    outcomes.map(|entry| entry["tenant"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_hundred_tenants_are_one_run_and_one_report_that_names_each_tenant_once() {
    let served = serve(200, 2);
    let case = case(&served);
    let done = case.run(["apply", "job.toml", "--yes", &choose(200)]);
    let lines = done.exits(0).stdout.lines().count();
    // Each tenant that is written to is named, with its domain.
    assert!(lines < 110, "{lines} lines: {done}");
    let summary = done.stdout.split("Run [RUN]").nth(1).unwrap();
    assert!(
        summary.contains("400 updated") && summary.contains("200 tenants: 600 requests, no 429"),
        "{done}"
    );
    assert!(summary.lines().count() < 8, "{summary}");
    let results = case.results();
    let tenants: HashSet<&String> = results.iter().map(|row| &row["_tenant"]).collect();
    assert_eq!((results.len(), tenants.len(), case.runs().len()), (400, 200, 1));
    for at in 0..200 {
        assert_eq!(served.at(at).counters().patch, 2, "t{at}");
    }
}

#[test]
fn a_tenant_that_hangs_delays_no_other() {
    let served = serve(6, 8);
    let case = case(&served);
    served.at(2).set_faults("patch:hang=100%".parse().unwrap());
    // It hangs for as long as the run lives: the others come to their ends while it does.
    let running = case.spawn(["apply", "job.toml", "--yes", "--timeout", "10m", &choose(6)]);
    for at in [0, 1, 3, 4, 5] {
        served.until_at(at, |counters| counters.patch == 8);
    }
    while outcomes(&case).len() < 5 * 8 {
        std::thread::yield_now();
    }
    running.signal("TERM");
    running.signal("TERM");
    let done = running.wait();
    done.exits(130);
    let order = outcomes(&case);
    let first = order.iter().position(|tenant| tenant == "t2").unwrap();
    assert_eq!(first, 5 * 8, "all rows of the others come before its first: {order:?}");
}

#[test]
fn few_open_files_are_shared_and_too_few_are_refused_before_anything_is_sent() {
    let served = serve(40, 4);
    let case = case(&served);
    let apply = |files: usize| {
        case.shell(&format!("ulimit -n {files}; patchwave apply job.toml --yes -q {} || exit $?", choose(40)))
    };
    let refused = apply(140);
    assert!(refused.exits(3).stderr.contains("40 tenants at once need at least 144 open files"), "{refused}");
    assert_eq!(served.at(0).counters().token, 0);
    apply(144).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 160]);
    assert_eq!(served.at(39).counters().patch, 4);
}

#[test]
fn a_plan_for_many_tenants_names_those_that_differ_and_counts_the_rest() {
    let served = serve(25, 60);
    let case = served
        .configured("", "")
        .file("job.csv", "match.name,description\nacme-shop-dev,fleet\nBilling,fleet\n");
    served.at(3).set_faults("token:401=100%".parse().unwrap());
    let gone = |at: usize, name: &str| {
        let tenant = served.at(at);
        tenant.remove(&id_of(tenant, name));
    };
    gone(5, "Billing");
    gone(22, "Billing");
    for at in [7, 8] {
        for name in ["acme-shop-dev", "Billing"] {
            let id = id_of(served.at(at), name);
            served.at(at).edit(&id, |client| drop(client.insert("description".into(), "fleet".into())));
        }
    }
    let plan = |flags: &[&str]| case.run(["plan", "job.csv", &choose(25)].iter().chain(flags));
    insta::assert_snapshot!("plan_of_many_tenants", shortened(&plan(&[]).exits(1).stdout));
    let full = plan(&["--full"]);
    assert_eq!(full.exits(1).stdout.matches("Plan:").count(), 24, "{full}");
}

/// Without the tenants that are shown whole, but for the first.
fn shortened(text: &str) -> String {
    let sections: Vec<&str> = text.split("\n\n").collect();
    let shown = [sections[0], sections.last().unwrap()].join("\n\n[…]\n\n");
    // How long it will take depends on how busy the machine is that serves the tenants.
    let lines = shown.lines().map(|line| match line.split_once(" tenants, ") {
        Some((requests, _)) if line.starts_with("Forecast") => format!("{requests} tenants, [TIME]"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_summary_of_many_tenants_names_those_that_were_throttled_or_stopped() {
    let served = serve(25, 4);
    let case = case(&served);
    served.at(4).set_faults("patch:429=#1".parse().unwrap());
    served.at(9).set_faults("patch:403=100%, list:503=#1".parse().unwrap());
    let done = case.run(["apply", "job.toml", "--yes", "--max-failures", "50", &choose(25)]);
    let summary = done.exits(1).stdout.split("Run [RUN]").nth(1).unwrap();
    let port = |at: usize| served.at(at).domain().as_str().rsplit(':').next().unwrap().to_owned();
    assert!(summary.contains("25 tenants: ") && summary.contains("1 × 429"), "{done}");
    assert!(!summary.contains(&port(0)), "{summary}");
    assert_eq!(case.summary()["tenants"].as_array().unwrap().len(), 25, "the file has them all");
    let slowest = summary.lines().find(|line| line.contains("slowest: ")).unwrap();
    assert_eq!(slowest.matches(" after ").count(), 3, "{slowest}");
}
