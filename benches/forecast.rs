//! How true forecasts are: `cargo bench --bench forecast`.
//!
//! Each line is a first and a second run of the binary on the same simulated tenant, in this process, over real HTTP on
//! loopback. Of the first, which knows nothing, the forecast is a range, and should hold the actual time; of the second, which
//! knows what the first has learned, what is printed is the ratio of actual to forecast time. Ratios, so that figures of
//! different machines compare. Takes about five minutes.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use patchwave::sandbox::{Options, Sandbox, TenantHandle};
use serde_json::Value;
use tokio::runtime::Runtime;

/// A tenant, and how many of its clients are renamed.
struct Cell {
    name: &'static str,
    tier: &'static str,
    latency: &'static str,
    renames: usize,
    flags: &'static [&'static str],
}

const NONE: &[&str] = &["--rate-reserve", "0"];

const fn cell(
    name: &'static str,
    tier: &'static str,
    latency: &'static str,
    renames: usize,
    flags: &'static [&'static str],
) -> Cell {
    Cell { name, tier, latency, renames, flags }
}

const CELLS: [Cell; 11] = [
    cell("50 + 16/s", "enterprise", "0ms", 60, &[]),
    cell("50 + 16/s", "enterprise", "0ms", 300, NONE),
    cell("50 + 16/s, 390 ± 200 ms", "enterprise", "390ms,200ms", 60, &[]),
    cell("50 + 16/s, 390 ± 200 ms", "enterprise", "390ms,200ms", 300, NONE),
    cell("10 + 2/s", "enterprise-nonprod", "0ms", 60, &[]),
    cell("10 + 2/s, 390 ± 200 ms", "enterprise-nonprod", "390ms,200ms", 60, NONE),
    cell("2 + 2/s, 40 ± 20 ms", "free", "40ms,20ms", 30, &[]),
    cell("5 and 10 + 150/min", "essentials", "40ms,20ms", 60, &[]),
    cell("50 + 16/s, 10/s at most", "enterprise", "40ms,20ms", 100, &["--rate", "10/s"]),
    cell(
        "50 + 16/s, waves, verified",
        "enterprise",
        "40ms,20ms",
        100,
        &["--waves", "10,rest", "--pause", "2s", "--verify"],
    ),
    cell("250 + 250/s, 40 ± 20 ms", "private-cloud-500", "40ms,20ms", 2000, &[]),
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let chosen = std::env::args().nth(1).filter(|word| !word.starts_with('-')).unwrap_or_default();
    for cell in CELLS.iter().filter(|cell| cell.name.contains(&chosen)) {
        measure(&runtime, cell);
    }
}

fn measure(runtime: &Runtime, cell: &Cell) {
    let options = Options {
        clients: cell.renames,
        tier: cell.tier.parse().unwrap(),
        latency: cell.latency.parse().unwrap(),
        ..Options::default()
    };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let tenant = &sandbox.tenants()[0];
    let folder = tempfile::tempdir().unwrap();
    let first = run(cell, tenant, folder.path(), "FIRST");
    // The bucket is full again, as it is from one night to the next.
    std::thread::sleep(std::time::Duration::from_secs(12));
    let second = run(cell, tenant, folder.path(), "SECOND");
    let number = |run: &Value, field: &str| run[field].as_f64().unwrap();
    println!(
        "{:28} {:5} renames: first {:6.2} s, forecast {:5.2} to {:5.2} s; second {:6.2} s, forecast {:6.2} s, ratio {:.3}",
        cell.name,
        cell.renames,
        number(&first, "seconds"),
        number(&first, "forecast_shortest_seconds"),
        number(&first, "forecast_seconds"),
        number(&second, "seconds"),
        number(&second, "forecast_seconds"),
        number(&second, "forecast_ratio"),
    );
}

/// Renames all clients, and gives the run's summary.
fn run(cell: &Cell, tenant: &TenantHandle, state: &Path, name: &str) -> Value {
    let clients = tenant.state();
    let ordinary = clients
        .iter()
        .filter(|client| client["global"] == false && client["client_id"] != tenant.client_id());
    let rows: String =
        ordinary.map(|client| format!("{},{name}\n", client["client_id"].as_str().unwrap())).collect();
    let report = state.join(format!("{name}.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchwave"));
    command
        .args(["apply", "-", "--yes", "--quiet", "--state-dir"])
        .arg(state)
        .arg("--report")
        .arg(&report)
        .args(cell.flags)
        .env_clear()
        .env("AUTH0_DOMAIN", tenant.domain().base_url())
        .env("AUTH0_CLIENT_ID", tenant.client_id())
        .env("AUTH0_CLIENT_SECRET", tenant.client_secret().expose())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("client_id,name\n{rows}").as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success(), "{}", cell.name);
    let run: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    run["summary"].clone()
}
