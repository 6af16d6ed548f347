//! How fast a run is where no limit holds it back, beside `oha`, a load generator that only sends: `cargo bench --bench throughput`.
//!
//! The sandbox is a process of its own and both rivals send the same PATCH over 32 connections, in turn, five times each; of
//! each the median counts. patchwave plans first, keeps a journal, checks each answer and writes a report: its rate is told for
//! the run itself and for the whole process. Then time and memory at 1,000, 10,000 and 100,000 rows, and how long it takes to
//! start. `oha` is looked for on the PATH, else built once with `cargo install` into `target/tools`.
//!
//! `cargo bench --bench throughput -- 20000` takes that many rows for the comparison instead of 100,000; without `oha` (no
//! network): `-- --alone`. Takes about five minutes.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures and ends where anything goes wrong"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Cost, PATCHWAVE, Server, measure, measure_every, median, renames, run_seconds};

const CONNECTIONS: &str = "32";
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    start_up();
    if !arguments.iter().any(|argument| argument == "--alone") {
        beside_oha(rows, &oha());
    }
    let costs: Vec<(usize, Cost)> = [1_000, 10_000, 100_000].map(|rows| (rows, growth(rows))).to_vec();
    for pair in costs.windows(2) {
        let [(small, before), (large, after)] = pair else { continue };
        let ratio = after.time.as_secs_f64() / before.time.as_secs_f64();
        println!("time({large}) / time({small}) = {ratio:.2}");
    }
}

fn start_up() {
    let costs: Vec<Cost> = (0..ROUNDS * 4)
        .map(|_| {
            measure_every(
                Command::new(PATCHWAVE).arg("--version").env_clear().stdout(Stdio::null()),
                Duration::from_micros(200),
            )
        })
        .collect();
    let cost = median(&costs, |cost| cost.time);
    let size = std::fs::metadata(PATCHWAVE).unwrap().len() as f64 / 1e6;
    println!("--version: {:.1} ms ; binary {size:.1} MB", cost.time.as_secs_f64() * 1e3);
}

/// A fresh tenant and a job for it, `rounds` times; what the whole process took, and what the run alone did.
fn growth(rows: usize) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--tier", "unlimited", "--clients", &rows.to_string()]);
    let ids = server.ids(folder.path());
    let rounds = if rows > 10_000 { 3 } else { ROUNDS };
    let costs: Vec<(Cost, f64)> =
        (0..rounds).map(|round| apply(&server, folder.path(), &ids, round)).collect();
    let (cost, seconds) = median(&costs, |(cost, _)| cost.time);
    println!(
        "{rows:7} rows: {:7.2} s ({seconds:.2} s of them the run), {:4} MB, {:.0} bytes a row",
        cost.time.as_secs_f64(),
        cost.memory / 1024,
        cost.memory as f64 * 1024.0 / rows as f64
    );
    cost
}

fn apply(server: &Server, folder: &Path, ids: &[String], round: usize) -> (Cost, f64) {
    let (job, state) = (folder.join("job.csv"), folder.join(format!("state-{round}")));
    std::fs::write(&job, renames(ids, round)).unwrap();
    let mut apply = server.patchwave(&state);
    apply.args(["apply", "--yes", "--quiet", "--concurrency", CONNECTIONS]).arg(&job);
    (measure(&mut apply), run_seconds(&state))
}

fn beside_oha(rows: usize, oha: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--tier", "unlimited", "--clients", &rows.to_string()]);
    let ids = server.ids(folder.path());
    let token = token(&server);
    let (mut rivals, mut whole, mut run) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        rivals.push(rate_of_oha(oha, &server, &token, &ids, rows));
        let (cost, seconds) = apply(&server, folder.path(), &ids, round);
        whole.push(ids.len() as f64 / cost.time.as_secs_f64());
        run.push(ids.len() as f64 / seconds);
    }
    let [rival, whole, run] = [&rivals, &whole, &run].map(|rates| median(rates, |rate| *rate));
    println!("{rows} renames, {CONNECTIONS} connections, median of {ROUNDS} in turn, PATCH a second:");
    println!(
        "  oha {rival:.0}, the run {run:.0} = {:.2} ×, the whole process {whole:.0} = {:.2} ×",
        run / rival,
        whole / rival
    );
}

/// Requests a second by oha's own account.
fn rate_of_oha(oha: &Path, server: &Server, token: &str, ids: &[String], requests: usize) -> f64 {
    let output = Command::new(oha)
        .args([
            "-n",
            &requests.to_string(),
            "-c",
            CONNECTIONS,
            "-m",
            "PATCH",
            "--no-tui",
            "--output-format",
            "json",
        ])
        .args(["-H", &format!("Authorization: Bearer {token}"), "-H", "Content-Type: application/json"])
        .args(["-d", r#"{"name":"Application 12345 of round 1"}"#])
        .arg(format!("{}/api/v2/clients/{}", server.url(), ids[0]))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["statusCodeDistribution"]["200"], requests, "every request of oha was carried out");
    told["summary"]["requestsPerSec"].as_f64().unwrap()
}

fn token(server: &Server) -> String {
    let [(_, domain), (_, id), (_, secret)] = &server.credentials[..] else { unreachable!() };
    let body = serde_json::json!({
        "grant_type": "client_credentials", "client_id": id, "client_secret": secret,
        "audience": format!("{domain}/api/v2/"),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer: serde_json::Value = runtime.block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        client.post(format!("{domain}/oauth/token")).json(&body).send().await.unwrap().json().await.unwrap()
    });
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The load generator: from the PATH, else built into `target/tools`.
fn oha() -> PathBuf {
    if Command::new("oha").arg("--version").output().is_ok() {
        return PathBuf::from("oha");
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
    let built = tools.join("bin/oha");
    if !built.exists() {
        println!("building oha into {} …", tools.display());
        let mut install = Command::new("cargo");
        install.args(["install", "oha", "--locked", "--root"]).arg(&tools);
        assert!(install.status().unwrap().success(), "cargo install oha");
    }
    built
}
