//! A sandbox with TLS: who trusts its authority can use it, nobody else.
//!
//! Only where `SSL_CERT_FILE` says whom patchwave trusts: on macOS and Windows the system alone does.
#![cfg(all(unix, not(target_vendor = "apple")))]

use std::net::TcpStream;
use std::path::Path;

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Running, Served};

const JOB: &str = "[[update]]\nmatch.name = \"*\"\nset.description = \"x\"\n";
const CONFIG: [&str; 4] = ["--config", "fleet/patchwave.toml", "--group", "all"];

/// A sandbox of six clients, and its first line.
fn serve(case: &Case, flags: &[&str]) -> (Running, Value) {
    let fixed = ["sandbox", "--tls", "--clients", "6", "--output", "json"];
    let mut running = case.spawn(fixed.iter().chain(flags));
    let line = serde_json::from_str(&running.line()).unwrap();
    (running, line)
}

fn trusting(case: Case, path: impl AsRef<Path>) -> Case {
    case.env("SSL_CERT_FILE", path.as_ref())
}

#[test]
fn a_run_over_tls_needs_the_written_configuration_and_authority_alone() {
    let case = Case::new().file("job.toml", JOB);
    let (_running, line) = serve(&case, &["--tenants", "2", "--write-config", "fleet"]);
    assert!(line["tenants"][1]["domain"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{line}");
    // Somebody who connects and says nothing holds up no other.
    let host = line["tenants"][0]["domain"].as_str().unwrap().strip_prefix("https://").unwrap();
    let _silent = TcpStream::connect(host).unwrap();
    let case = trusting(case, "fleet/ca.pem");
    let done = case.run(["apply", "job.toml", "--yes"].iter().chain(&CONFIG));
    assert!(done.exits(0).shown().contains("2 skipped, 12 updated"), "{done}");
    let done = case.run(["plan", "job.toml"].iter().chain(&CONFIG));
    assert_eq!(done.exits(0).stdout.matches("0 clients to change").count(), 2, "{done}");
}

#[test]
fn a_connection_that_breaks_under_tls_costs_no_row() {
    let case = Case::new().file("job.toml", JOB);
    let faults = ["--faults", "patch:reset-before=#1,patch:reset-after=#4", "--write-config", "fleet"];
    let (running, _) = serve(&case, &faults);
    let case = trusting(case, "fleet/ca.pem");
    let done = case.run(["apply", "job.toml", "--yes"].iter().chain(&CONFIG));
    assert!(done.exits(0).shown().contains("1 skipped, 6 updated"), "{done}");
    running.signal("TERM");
    let done = running.wait();
    let seen: Value = serde_json::from_str(done.exits(0).stdout.lines().last().unwrap()).unwrap();
    assert_eq!(seen["seen"][0]["counters"]["faults"], 2, "{seen}");
    assert_eq!(seen["seen"][0]["counters"]["by_status"]["413"], Value::Null, "what was cut is no answer");
}

#[test]
fn whoever_does_not_trust_the_authority_is_told_what_to_do_and_sends_nothing() {
    let case = Case::new().file("job.toml", JOB);
    let (running, _) = serve(&case, &["--write-config", "fleet"]);
    let strangers = [(None, "UnknownIssuer"), (Some("missing.pem"), "No CA certificates")];
    for (trusted, said) in strangers {
        let case =
            Case::new().file("job.toml", JOB).file("fleet/patchwave.toml", case.read("fleet/patchwave.toml"));
        let case = case.file("fleet/secrets/sandbox-1", "stays here");
        let case = match trusted {
            Some(path) => trusting(case, path),
            None => case,
        };
        let done = case.run(["apply", "job.toml", "--yes"].iter().chain(&CONFIG));
        let shown = done.exits(3).shown();
        assert!(shown.contains(said) && shown.contains("SSL_CERT_FILE"), "{done}");
    }
    running.signal("TERM");
    let done = running.wait();
    let seen: Value = serde_json::from_str(done.exits(0).stdout.lines().last().unwrap()).unwrap();
    assert_eq!(seen["seen"][0]["counters"]["token"], 0, "{seen}");
}

#[test]
fn whoever_speaks_tls_to_a_plain_sandbox_is_told_so() {
    let served = Served::with(Options { clients: 1, ..Options::default() });
    let case = served.case().env("AUTH0_DOMAIN", served.tenant().domain().as_str());
    let done = case.run(["get", "--all"]);
    assert!(done.exits(3).stderr.contains("a sandbox without --tls is an `http://` domain"), "{done}");
}

#[test]
fn whoever_speaks_plain_http_to_a_sandbox_with_tls_is_told_so_at_once() {
    let served = Served::with(Options { tls: true, clients: 1, ..Options::default() });
    let host = served.tenant().domain().as_str().to_owned();
    let case = served.case().env("AUTH0_DOMAIN", format!("http://{host}"));
    let done = case.run(["get", "--all"]);
    assert!(
        done.exits(3).stderr.contains("for a sandbox with --tls leave `http://` out of the domain"),
        "{done}"
    );
}

#[test]
fn the_tenant_has_both_names_of_this_machine() {
    let served = Served::with(Options { tls: true, clients: 3, ..Options::default() });
    let authority = served.authority();
    let address = served.tenant().domain().as_str().to_owned();
    let localhost = address.replace("127.0.0.1", "localhost");
    for domain in [&address, &localhost, &format!("https://{localhost}")] {
        let case = trusting(served.case().file("ca.pem", &authority), "ca.pem").env("AUTH0_DOMAIN", domain);
        let done = case.run(["get", "--all", "--format", "jsonl"]);
        assert_eq!(done.exits(0).stdout.lines().count(), 4, "{domain}: {done}");
    }
}

#[test]
fn people_are_given_the_lines_that_make_other_tools_use_it() {
    let case = Case::new();
    let mut running = case.spawn(["sandbox", "--tls", "--clients", "1", "--ca-file", "ca.pem"]);
    running.until_stderr("Serving until Ctrl-C");
    running.signal("TERM");
    let done = running.wait();
    let lines: Vec<&str> = done.exits(0).stdout.lines().collect();
    assert_eq!(lines[0], "export AUTH0_DOMAIN=127.0.0.1:[PORT]", "as a domain is written: {done}");
    let names = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"];
    assert_eq!(lines[4..], names.map(|name| format!("export {name}=[ROOT]/work/ca.pem")), "{done}");
    assert!(case.path("ca.pem").exists(), "what was asked for stays");
}

#[test]
fn a_certificate_that_nobody_asked_a_place_for_goes_with_the_sandbox_and_no_key_is_ever_written() {
    let case = Case::new().file("tmp/keep", "");
    let case = {
        let folder = case.path("tmp");
        case.env("TMPDIR", folder)
    };
    let (running, line) = serve(&case, &[]);
    let path = Path::new(line["ca_file"].as_str().unwrap()).to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("BEGIN").count(), 1, "{text}");
    assert!(text.contains("BEGIN CERTIFICATE"), "{text}");
    running.signal("TERM");
    running.wait().exits(0);
    let left: Vec<_> =
        std::fs::read_dir(case.path("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["keep"], "{}", path.display());
}

#[test]
fn somebody_elses_certificate_is_not_overwritten() {
    let case = Case::new().file("mine.pem", "-----BEGIN CERTIFICATE-----\n");
    let done = case.run(["sandbox", "--tls", "--ca-file", "mine.pem"]);
    assert!(done.exits(64).stderr.contains("is not overwritten"), "{done}");
    assert_eq!(case.read("mine.pem"), "-----BEGIN CERTIFICATE-----\n");
    let (first, _) = serve(&case, &["--ca-file", "ca.pem"]);
    let old = case.read("ca.pem");
    first.kill();
    let (_second, _) = serve(&case, &["--ca-file", "ca.pem"]);
    assert_ne!(case.read("ca.pem"), old, "each sandbox has an authority of its own");
    case.run(["sandbox", "--ca-file", "ca.pem"]).exits(64);
    case.run(["sandbox", "--tls", "--ca-file", "missing/ca.pem"]).exits(3);
}
