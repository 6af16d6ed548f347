//! `patchwave sandbox` from outside: what other processes are told of it, and what its flags do.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::common::{Case, Running, Served};

/// A tenant as the first line of `--output json` tells of it.
struct Tenant(Value);

impl Tenant {
    fn host(&self) -> &str {
        self.0["domain"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// One request, with no client library between: head and body of the answer.
    fn ask(&self, request: &str, headers: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        let (host, length) = (self.host(), body.len());
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn counters(&self) -> Value {
        serde_json::from_str(&self.ask("GET /_sandbox/counters", "", "").1).unwrap()
    }

    /// A page of one client, by somebody with a token: the head of the answer.
    fn read(&self) -> String {
        self.list("per_page=1").0
    }

    fn clients(&self) -> Vec<Value> {
        serde_json::from_str(&self.list("is_global=false").1).unwrap()
    }

    fn list(&self, query: &str) -> (String, String) {
        self.get(&format!("/api/v2/clients?{query}"))
    }

    fn get(&self, path: &str) -> (String, String) {
        let form = json!({
            "grant_type": "client_credentials",
            "client_id": self.0["client_id"],
            "client_secret": self.0["client_secret"],
            "audience": format!("{}/api/v2/", self.0["domain"].as_str().unwrap()),
        });
        let answer = self.ask("POST /oauth/token", "Content-Type: application/json\r\n", &form.to_string()).1;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let token = answer["access_token"].as_str().unwrap();
        self.ask(&format!("GET {path}"), &format!("Authorization: Bearer {token}\r\n"), "")
    }
}

fn number(head: &str, header: &str) -> f64 {
    let line = head.lines().find_map(|line| line.strip_prefix(header)).unwrap_or_else(|| panic!("{head}"));
    line.trim().parse().unwrap()
}

/// Seconds since 1970 of the Date header.
fn date(head: &str) -> f64 {
    let line = head.lines().find_map(|line| line.strip_prefix("date:")).unwrap();
    jiff::fmt::rfc2822::parse(line.trim()).unwrap().timestamp().as_second() as f64
}

/// A sandbox, and its tenants.
fn serve(case: &Case, flags: &[&str]) -> (Running, Vec<Tenant>) {
    let mut running = case.spawn(["sandbox", "--output", "json"].iter().chain(flags));
    let line: Value = serde_json::from_str(&running.line()).unwrap();
    let tenants = line["tenants"].as_array().unwrap().iter().cloned().map(Tenant).collect();
    (running, tenants)
}

#[test]
fn other_processes_are_told_what_a_tenant_has_seen_while_it_serves_and_when_it_stops() {
    let case = Case::new();
    let flags = ["--tenants", "2", "--clients", "5", "--tier", "3,1/min", "--faults", "competing=60/s@0s"];
    let (running, tenants) = serve(&case, &flags);
    assert_eq!(tenants[0].counters()["list"], 0, "looking is not counted");
    for _ in 0..4 {
        tenants[0].read();
    }
    let seen = tenants[0].counters();
    assert_eq!((&seen["list"], &seen["token"]), (&json!(4), &json!(4)), "{seen}");
    assert!(seen["throttled"].as_u64() > Some(0) && seen["lowest_tokens"] == 0, "{seen}");
    let served = seen["competing_served"].as_u64().unwrap() + seen["by_status"]["200"].as_u64().unwrap() - 4;
    assert_eq!(served, 3, "the bucket holds three tokens, for calls and for other traffic: {seen}");
    running.signal("TERM");
    let done = running.wait();
    let last: Value = serde_json::from_str(done.exits(0).stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["seen"][0]["counters"]["throttled"], seen["throttled"]);
    assert_eq!(last["seen"][1]["counters"]["list"], 0);
}

#[test]
fn people_are_told_in_a_line_a_tenant() {
    let case = Case::new();
    let mut running = case.spawn(["sandbox", "--clients", "1", "--faults", "competing=1/min@0s"]);
    running.until_stderr("Serving until Ctrl-C");
    running.signal("TERM");
    let done = running.wait();
    let last = done.exits(0).stderr.lines().last().unwrap();
    assert_eq!(last, "http://127.0.0.1:[PORT]: 0 reads, 0 updates, 0 × 429, at least 50 tokens left");
}

#[test]
fn a_written_configuration_is_all_that_a_run_over_its_tenants_needs() {
    let case = Case::new().file("job.toml", "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n");
    let flags = ["--tenants", "3", "--clients", "5", "--write-config", "fleet"];
    let secrets = |tenants: &[Tenant]| -> Vec<String> {
        tenants.iter().map(|tenant| tenant.0["client_secret"].as_str().unwrap().to_owned()).collect()
    };
    // The second takes the place of the first, whose ports are no more.
    for _ in 0..2 {
        let (_running, tenants) = serve(&case, &flags);
        let config = case.read("fleet/patchwave.toml");
        assert!(secrets(&tenants).iter().all(|secret| !config.contains(secret)), "{config}");
        let flags = ["--group", "all", "--config", "fleet/patchwave.toml"];
        let done = case.run(["plan", "job.toml"].iter().chain(&flags));
        assert_eq!(done.exits(0).stdout.matches("Plan: 5 clients to change").count(), 3, "{done}");
    }
    #[cfg(unix)]
    for file in ["fleet/patchwave.toml", "fleet/secrets/sandbox-1"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(case.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_configuration_that_somebody_else_has_written_is_not_overwritten() {
    let case = Case::new().file("patchwave.toml", "[tenants.prod]\n");
    let done = case.run(["sandbox", "--write-config", "."]);
    assert!(done.exits(64).stderr.contains("is not overwritten"), "{done}");
    assert_eq!(case.read("patchwave.toml"), "[tenants.prod]\n");
}

#[test]
fn both_readings_of_reset_and_a_clock_of_its_own_can_be_had() {
    let case = Case::new();
    let (tier, skew) = (["--tier", "10,1/min", "--clients", "1"], ["--clock-skew", "-3600"]);
    let wait = |head: &str| number(head, "x-ratelimit-reset:") - date(head);
    let (_full, tenants) = serve(&case, &[&tier[..], &["--reset", "full"]].concat());
    let head = tenants[0].read();
    assert!((58.0..62.0).contains(&wait(&head)), "a token is missing, and takes a minute: {head}");
    let (_next, tenants) = serve(&case, &[&tier[..], &["--reset", "next"], &skew].concat());
    let behind = tenants[0].read();
    assert!((-1.0..2.0).contains(&wait(&behind)), "the next call fits at once: {behind}");
    assert!((3595.0..3605.0).contains(&(date(&head) - date(&behind))), "{head}\n{behind}");
    case.run(["sandbox", "--reset", "soon"]).exits(64);
}

#[test]
fn two_hundred_tenants_are_served_by_one_process() {
    let case = Case::new();
    let (_running, tenants) = serve(&case, &["--tenants", "200", "--clients", "5"]);
    assert_eq!(tenants.len(), 200);
    for tenant in tenants.iter().step_by(50) {
        assert!(tenant.read().starts_with("http/1.1 200"));
    }
}

#[test]
fn what_get_writes_and_what_the_api_lists_can_be_loaded() {
    let served = Served::quick();
    let pages = "{\"next\": \"x\", \"clients\": [{\"client_id\": \"one\", \"name\": \"One\"}]}\n{\"clients\": [{\"name\": \"Two\"}]}\n";
    let case = served.case().file("pages.json", pages);
    for file in ["all.json", "all.jsonl"] {
        case.run(["get", "--all", "-o", file]).exits(0);
    }
    for (file, name) in
        [("pages.json", "Two"), ("all.json", "acme-portal-dev"), ("all.jsonl", "acme-portal-dev")]
    {
        let (_running, tenants) = serve(&case, &["--load", file]);
        let clients = tenants[0].clients();
        assert!(clients.iter().any(|client| client["name"] == name), "{file}: {clients:?}");
    }
    case.run(["get", "--all", "-o", "all.csv"]).exits(0);
    let refused = case.run(["sandbox", "--load", "all.csv"]);
    assert!(refused.exits(64).stderr.contains("`get --all --format json` keeps it"), "{refused}");
}

#[test]
fn a_file_of_several_kinds_makes_a_tenant_that_holds_them_and_a_few_of_the_others() {
    let file = json!({
        "connections": [{ "id": "con_1", "name": "mine", "strategy": "auth0", "enabled_clients": ["one"] }],
        "clients": [{ "client_id": "one", "name": "One" }],
        "roles": [],
    });
    let case = Case::new().file("tenant.json", file.to_string());
    let (_running, tenants) = serve(&case, &["--load", "tenant.json"]);
    let get = |path: &str| serde_json::from_str::<Value>(&tenants[0].get(path).1).unwrap();
    assert_eq!(get("/api/v2/connections")[0], file["connections"][0]);
    assert_eq!(get("/api/v2/connections/con_1/clients")["clients"], json!([{ "client_id": "one" }]));
    assert_eq!(get("/api/v2/roles"), json!([]));
    assert_eq!(get("/api/v2/client-grants")[0]["client_id"], "one");
    let refused =
        case.file("tenant.json", r#"{"roles": [], "hooks": []}"#).run(["sandbox", "--load", "tenant.json"]);
    assert!(refused.exits(64).stderr.contains("`hooks` is no kind"), "{refused}");
}

#[test]
fn a_token_of_the_sandbox_allows_what_it_is_told_to_and_all_where_nothing_is_said() {
    let wrong = Case::new().run(["sandbox", "--scopes", "read:client"]);
    assert!(wrong.exits(64).stderr.contains("did you mean read:clients"), "{wrong}");
    let allowed = |scopes: &[&str]| {
        let case = Case::new();
        let mut running = case.spawn(["sandbox", "--clients", "1"].iter().chain(scopes));
        let case = (0..3).map(|_| running.line()).fold(case, |case, line| {
            let (name, value) = line.trim().trim_start_matches("export ").split_once('=').unwrap();
            case.env(name, value)
        });
        let told = case.run(["tenants"]);
        running.signal("INT");
        running.wait().exits(0);
        told
    };
    assert!(!allowed(&[]).exits(0).stdout.contains("Not granted"));
    let told = allowed(&["--scopes", "read:clients,update:clients"]);
    assert!(
        told.exits(0).stdout.contains("update:client_credentials (client_authentication_methods)"),
        "{told}"
    );
}

#[test]
fn a_file_with_some_fields_of_all_clients_makes_a_tenant_that_lets_its_runner_in() {
    let served = Served::quick();
    let case = served.case();
    case.run(["get", "--all", "--fields", "name,description", "-o", "some.json"]).exits(0);
    let (_running, tenants) = serve(&case, &["--load", "some.json"]);
    assert!(tenants[0].read().starts_with("http/1.1 200"));
}
