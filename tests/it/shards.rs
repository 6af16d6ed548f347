//! The tenants of a job split over several processes, and their reports joined again.

use std::collections::BTreeMap;
use std::path::Path;

use patchwave::sandbox::Options;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::common::{Case, Done, Served};

const TENANTS: usize = 12;
const JOB: &str = "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"fleet\"\n";

/// What a report has of its own time: all else must be the same however the tenants were split.
const OF_ITS_TIME: [&str; 5] = ["_waited_ms", "_duration_ms", "_started", "_ended", "_run_id"];

type Row = BTreeMap<String, String>;

pub(crate) fn serve() -> Served {
    let tier = "unlimited".parse().unwrap();
    Served::with(Options { tenants: TENANTS, clients: 30, tier, ..Options::default() })
}

/// A folder whose configuration has all tenants in the group `fleet`, not in the order of their names.
pub(crate) fn configured(served: &Served) -> Case {
    let names: Vec<String> = (0..TENANTS).map(|at| format!("\"t{}\"", (at * 5) % TENANTS)).collect();
    served.configured(&format!("[groups]\nfleet = [{}]\n", names.join(", ")), "")
}

/// The rows of a report, without what is of its time.
pub(crate) fn rows(case: &Case, report: &str) -> Vec<Row> {
    let text = case.read(report);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers().unwrap().clone();
    let row = |row: csv::StringRecord| -> Row {
        let cells = header.iter().zip(&row).filter(|(column, _)| !OF_ITS_TIME.contains(column));
        cells.map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect()
    };
    csv.records().map(|record| row(record.unwrap())).collect()
}

fn apply(case: &Case, job: &str, shard: &str) -> Done {
    let state = format!("--state-dir=state-{}", shard.replace('/', "-of-"));
    case.run(["apply", job, "--group=fleet", "--yes", "-q", &state, &format!("--shard={shard}")])
}

/// Merges the reports of these state directories, and names the files that it writes.
fn merge(case: &Case, states: &[&str]) -> Done {
    let files = ["--report=merged.csv", "--report=merged.json", "--merge"];
    case.run(["report"].iter().chain(&files).chain(states))
}

fn whole(case: &Case, job: &str) -> Done {
    case.run(["apply", job, "--group=fleet", "--yes", "-q", "--report=whole.csv", "--report=whole.json"])
}

fn summary(case: &Case, report: &str) -> Value {
    serde_json::from_str::<Value>(&case.read(report)).unwrap()["summary"].take()
}

#[test]
fn rows_for_a_tenant_are_made_and_reported_by_its_shard_alone() {
    let csv = "_tenant,match.name,description\n,acme-shop-dev,everywhere\nt3,acme-portal-dev,three\nt7,acme-portal-dev,seven\n,acme-nobody,x\nt3,acme-billing-dev,three\n";
    let (split, one) = (serve(), serve());
    let (case, alone) = (configured(&split).file("job.csv", csv), configured(&one).file("job.csv", csv));
    let codes: Vec<_> = ["1/3", "2/3", "3/3"].map(|shard| apply(&case, "job.csv", shard).code).to_vec();
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1))), "{codes:?}");
    whole(&alone, "job.csv").exits(1);
    merge(&case, &["state-1-of-3", "state-2-of-3", "state-3-of-3"]).exits(1);
    assert_eq!(rows(&case, "merged.csv"), rows(&alone, "whole.csv"));
    let (merged, whole) = (summary(&case, "merged.json"), summary(&alone, "whole.json"));
    for part in ["rows", "clients", "exit_code", "left", "stop"] {
        assert_eq!(merged[part], whole[part], "{part}");
    }
    let tenants = |summary: &Value| -> Vec<Value> {
        summary["tenants"].as_array().unwrap().iter().map(|one| one["tenant"].clone()).collect()
    };
    assert_eq!(tenants(&merged), tenants(&whole), "in the order of the group");
    let unknown = case.file("job.csv", "_tenant,match.name,description\ntx,acme-shop-dev,x\n");
    assert!(apply(&unknown, "job.csv", "1/3").exits(64).stderr.contains("`tx`, which is not chosen"));
}

#[test]
fn a_shard_without_tenants_has_nothing_to_do_and_says_so() {
    let served = Served::quick();
    let case = served.case().file("job.toml", JOB);
    let plan = |shard: &str| case.run(["plan", "job.toml", &format!("--shard={shard}")]);
    let said: Vec<Done> = ["1/3", "2/3", "3/3"].map(plan).into();
    let empty: Vec<&Done> = said.iter().filter(|done| done.stdout.is_empty()).collect();
    assert_eq!(empty.len(), 2, "one tenant falls to one shard");
    for done in empty {
        let words = "None of the 1 chosen tenants falls to shard ";
        assert!(done.exits(0).stderr.starts_with(words), "{done}");
    }
    case.run(["plan", "job.toml", "--shard=4/3"]).exits(64);
    case.run(["plan", "job.toml", "--shard=auto"]).exits(64);
    case.run(["plan", "job.toml", "--shard=1/3", "--sandbox"]).exits(64);
}

#[test]
fn what_to_type_next_names_the_shard_by_its_number() {
    let served = serve();
    for at in 0..TENANTS {
        served.at(at).set_faults("patch:400=#1".parse().unwrap());
    }
    let case = configured(&served)
        .file("job.toml", JOB)
        .env("JOB_COMPLETION_INDEX", "1")
        .env("PATCHWAVE_SHARDS", "2");
    let done = case.run(["apply", "job.toml", "--group=fleet", "--yes", "--shard", "auto"]);
    assert!(
        done.exits(1).stderr.contains("patchwave resume [RUN] --failed --group=fleet --yes --shard 2/2"),
        "{done}"
    );
    // Elsewhere, where nothing tells which pod this is.
    let here = case.without_env("JOB_COMPLETION_INDEX").without_env("PATCHWAVE_SHARDS");
    here.run(["resume", "latest", "--failed", "--group=fleet", "--yes", "--shard", "2/2"]).exits(0);
}

#[test]
fn a_shard_whose_report_is_missing_is_named_with_its_tenants() {
    let served = serve();
    let case = configured(&served).file("job.toml", JOB);
    apply(&case, "job.toml", "1/2").exits(0);
    let done = merge(&case, &["state-1-of-2", "state-2-of-2"]);
    let missing = done.exits(1).stderr.lines().find(|line| line.contains("missing:")).unwrap();
    assert!(missing.contains("the report of shard 2/2, with t"), "{done}");
    let there: Vec<Row> = rows(&case, "merged.csv");
    let absent = missing.rsplit("with ").next().unwrap().split(", ").count();
    let tenants: std::collections::BTreeSet<&String> = there.iter().map(|row| &row["_tenant"]).collect();
    assert_eq!(tenants.len() + absent, TENANTS, "{done}");
}

#[test]
fn reports_that_do_not_belong_together_are_not_joined() {
    let served = serve();
    let case = configured(&served).file("job.toml", JOB).file("other.toml", JOB.replace("fleet", "other"));
    apply(&case, "job.toml", "1/2").exits(0);
    apply(&case, "other.toml", "2/2").exits(0);
    let refused = |states: &[&str], why: &str| {
        let done = merge(&case, states);
        assert!(done.exits(4).stderr.contains(why), "{done}");
        assert!(!case.path("merged.csv").exists(), "nothing was written");
    };
    refused(&["state-1-of-2", "state-2-of-2"], "not of the same job");
    apply(&case, "job.toml", "2/3").exits(0);
    refused(&["state-1-of-2", "state-2-of-3"], "not shards of the same tenants");
    // The same shard once more, elsewhere: neither run knows of the other.
    let again = ["apply", "job.toml", "--group=fleet", "--yes", "-q", "--shard=1/2", "--state-dir=again"];
    case.run(again).exits(0);
    refused(&["state-1-of-2", "again"], "neither took the place of the other");
    merge(&case, &["nowhere"]).exits(64);
}

/// Makes a run's plan one of long ago, whole as it was.
fn made_long_ago(run: &Path) {
    let path = run.join("plan.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = text.split_once("\"made\":\"").unwrap();
    let text = text.replacen(rest.split('"').next().unwrap(), "2026-01-01T02:15:00Z", 1);
    let body = &text[..text.trim_end().rfind('\n').unwrap() + 1];
    let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(&path, format!("{body}{{\"line\":\"end\",\"digest\":\"{digest}\"}}\n")).unwrap();
}

#[test]
fn the_newest_run_of_a_shard_that_failed_tonight_is_not_taken_for_tonights() {
    let served = serve();
    let case = configured(&served).file("job.toml", JOB);
    for shard in ["1/2", "2/2"] {
        apply(&case, "job.toml", shard).exits(0);
    }
    let old = std::fs::read_dir(case.path("state-2-of-2/runs")).unwrap().next().unwrap().unwrap().path();
    made_long_ago(&old);
    let done = merge(&case, &["state-1-of-2", "state-2-of-2"]);
    assert!(done.exits(4).stderr.contains("it is not of the same time"), "{done}");
    // Who names the run itself means it.
    merge(&case, &["state-1-of-2", &old.to_string_lossy()]).exits(0);
}

#[test]
fn a_run_that_another_took_the_place_of_is_left_out() {
    let served = serve();
    let case = configured(&served).file("job.toml", JOB);
    for at in 0..TENANTS {
        served.at(at).set_faults("patch:403=100%".parse().unwrap());
    }
    let args = ["apply", "job.toml", "--group=fleet", "--yes", "-q", "--state-dir=state", "--shard=1/1"];
    let stopped = case.run(args.iter().chain(&["--max-failures=0", "--concurrency=1"]));
    stopped.exits(5);
    for at in 0..TENANTS {
        served.at(at).set_faults("".parse().unwrap());
    }
    case.run(args).exits(0);
    let mut runs: Vec<String> = std::fs::read_dir(case.path("state/runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .collect();
    runs.sort();
    assert_eq!(runs.len(), 2);
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let done = merge(&case, &runs);
    assert!(done.exits(0).stdout.starts_with("1 run of job finished"), "{done}");
    assert!(rows(&case, "merged.csv").iter().all(|row| row["_result"] == "updated"));
}
