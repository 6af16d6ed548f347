//! How close a run comes to what the tenant's rate limit allows: `cargo bench --bench pace`.
//!
//! Each line is a whole run of the release binary against a simulated tenant in this process, over real HTTP on
//! loopback. The ideal is (requests − bucket) / refill, with the whole bucket at the run's disposal; what is printed is the
//! ratio to it, so that figures of different machines compare. Takes about two minutes.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::process::{Command, Stdio};
use std::time::Instant;

use patchwave::sandbox::{Options, Sandbox};
use tokio::runtime::Runtime;

/// A tenant, and how many of its clients are renamed.
struct Cell {
    name: &'static str,
    burst: u32,
    refill: f64,
    latency: &'static str,
    faults: &'static str,
    renames: usize,
}

const CELLS: [Cell; 5] = [
    Cell { name: "enterprise", burst: 50, refill: 16.0, latency: "0ms", faults: "", renames: 300 },
    Cell {
        name: "enterprise, 390 ± 200 ms",
        burst: 50,
        refill: 16.0,
        latency: "390ms,200ms",
        faults: "",
        renames: 300,
    },
    Cell {
        name: "enterprise, 3 % 503",
        burst: 50,
        refill: 16.0,
        latency: "40ms,20ms",
        faults: "503=3%",
        renames: 300,
    },
    Cell { name: "non-production", burst: 10, refill: 2.0, latency: "40ms,20ms", faults: "", renames: 50 },
    Cell {
        name: "private cloud",
        burst: 250,
        refill: 250.0,
        latency: "40ms,20ms",
        faults: "",
        renames: 2000,
    },
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for cell in &CELLS {
        measure(&runtime, cell);
    }
}

fn measure(runtime: &Runtime, cell: &Cell) {
    let options = Options {
        clients: cell.renames,
        tier: format!("{},{}/s", cell.burst, cell.refill).parse().unwrap(),
        latency: cell.latency.parse().unwrap(),
        faults: cell.faults.parse().unwrap(),
        ..Options::default()
    };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let tenant = &sandbox.tenants()[0];
    let folder = tempfile::tempdir().unwrap();
    let clients = tenant.state();
    let ordinary = clients
        .iter()
        .filter(|client| client["global"] == false && client["client_id"] != tenant.client_id());
    let rows: String =
        ordinary.map(|client| format!("{},NEW\n", client["client_id"].as_str().unwrap())).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchwave"));
    command
        .args(["apply", "-", "--yes", "--quiet", "--rate-reserve", "0", "--state-dir"])
        .arg(folder.path())
        .env_clear()
        .env("AUTH0_DOMAIN", tenant.domain().base_url())
        .env("AUTH0_CLIENT_ID", tenant.client_id())
        .env("AUTH0_CLIENT_SECRET", tenant.client_secret().expose())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("client_id,name\n{rows}").as_bytes())
        .unwrap();
    let status = child.wait().unwrap();
    let taken = began.elapsed().as_secs_f64();
    let counters = tenant.counters();
    let requests = counters.list + counters.get + counters.patch;
    let ideal = (requests as f64 - f64::from(cell.burst)) / cell.refill;
    println!(
        "{:26} {requests:5} requests, {} × 429, {taken:6.2} s, ideal {ideal:6.2} s, ratio {:.3} ({status})",
        cell.name,
        counters.throttled,
        taken / ideal
    );
}
