//! Tenants chosen, and allowed, by their tags.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Served};

/// Four tenants: t0 and t2 are canaries, t1 is early in two countries, t3 has no tags.
fn served() -> (Served, Case) {
    let served = Served::with(Options { tenants: 4, clients: 1, ..Options::default() });
    let tags = [
        "tags = { ring = \"canary\", tier = 2 }",
        "tags = { ring = \"early\", countries = [\"de\", \"fr\"] }",
        "tags = { ring = \"canary\", live = true }",
        "",
    ];
    let case = served.configured("", "");
    let mut text = case.read("patchwave.toml");
    for (at, tags) in tags.iter().enumerate() {
        let heading = format!("[tenants.t{at}]\n");
        text = text.replace(&heading, &format!("{heading}{tags}\n"));
    }
    text.push_str("[groups]\nfirst = [\"tag:ring=canary\", \"t3\"]\n");
    let case = case.file("patchwave.toml", text);
    (served, case)
}

fn names(case: &Case, args: &[&str]) -> Vec<String> {
    let done = case.run([&["tenants", "--output", "json"], args].concat());
    let read: Value = serde_json::from_str(&done.exits(0).stdout).unwrap();
    let tenants = read["tenants"].as_array().unwrap();
    tenants.iter().map(|tenant| tenant["tenant"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_tag_chooses_every_tenant_that_has_it_in_the_files_order() {
    let (_served, case) = served();
    assert_eq!(names(&case, &["--tenant", "tag:ring=canary"]), ["t0", "t2"]);
    assert_eq!(names(&case, &["--tenant", "tag:tier=2,tag:live=true"]), ["t0", "t2"]);
    assert_eq!(names(&case, &["--tenant", "tag:countries=fr"]), ["t1"]);
    assert_eq!(names(&case, &["--tenant", "tag:ring"]), ["t0", "t1", "t2"]);
    assert_eq!(
        names(&case, &["--tenant", "t2", "--tenant", "tag:ring=canary", "--group", "first"]),
        ["t2", "t0", "t3"]
    );
    assert_eq!(names(&case, &["--group", "first"]), ["t0", "t2", "t3"]);
    assert_eq!(names(&case.env("PATCHWAVE_TENANT", "tag:ring=early"), &[]), ["t1"]);
}

#[test]
fn a_tag_that_no_tenant_has_is_64_with_the_tags_that_there_are() {
    let (_served, case) = served();
    let done =
        case.file("job.csv", "client_id,name\na,b\n").run(["plan", "job.csv", "--tenant", "tag:ring=canry"]);
    assert!(done.exits(64).stderr.contains("did you mean `tag:ring=canary`?"), "{done}");
    assert!(done.stderr.contains("tag:countries=de, tag:countries=fr, tag:live=true"), "{done}");
    let sandbox = Case::new().file("job.csv", "client_id,name\na,b\n");
    let done = sandbox.run(["plan", "job.csv", "--sandbox", "--tenant", "tag:a=b"]);
    assert!(done.exits(64).stderr.contains("tenants of the sandbox have no tags"), "{done}");
}

#[test]
fn a_run_and_its_undo_go_over_the_tenants_of_a_tag_and_no_other() {
    let (served, case) = served();
    let case = case.file("job.toml", "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"by tag\"\n");
    let written = || [0, 1, 2, 3].map(|at| served.at(at).counters().patch);
    case.run(["apply", "job.toml", "--yes", "--tenant", "tag:ring=canary"]).exits(0);
    assert_eq!(written(), [1, 0, 1, 0]);
    case.run(["undo", "latest", "--yes", "--tenant", "tag:ring=canary"]).exits(0);
    assert_eq!(written(), [2, 0, 2, 0]);
}

#[test]
fn a_jobs_own_tags_allow_what_was_chosen_whatever_their_type() {
    let (served, case) = served();
    let job = |allowed: &str| {
        format!("tenants = [{allowed}]\n[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n")
    };
    let case = ["tag:tier=2", "tag:live=true", "tag:countries=de", "tag:ring"]
        .iter()
        .enumerate()
        .fold(case, |case, (at, tag)| case.file(&format!("{at}.toml"), job(&format!("\"{tag}\""))));
    for (file, tenant) in [("0.toml", "t0"), ("1.toml", "t2"), ("2.toml", "t1"), ("3.toml", "t1")] {
        case.run(["plan", file, "--tenant", tenant]).exits(0);
    }
    let done = case.run(["plan", "2.toml", "--tenant", "tag:ring"]);
    assert!(done.exits(4).stderr.contains("tag:countries=de"), "{done}");
    assert_eq!(served.at(3).counters().list, 0);
}
