//! Two hundred tenants at once against one alone: `cargo bench --bench tenants`.
//!
//! A sandbox in a process of its own serves 200 tenants of 50 clients each, at a bucket of 10 and 2 a second. All clients of one
//! tenant, and all of all of them, are given a new description, in turn, by whole runs of the release binary. As the tenants run
//! beside each other, both should take as long: what is printed is the ratio of the medians, the time that the limit asks for,
//! the 429s that the sandbox counted, and the peak memory (Linux alone tells it). Takes about five minutes.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures and fails by panicking; what it writes lasts as long as it runs"
)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use common::{Cost, PATCHWAVE, measure, median};
use serde_json::Value;

const TENANTS: u32 = 200;
const CLIENTS: u32 = 50;
const BURST: f64 = 10.0;
const REFILL: f64 = 2.0;
const RUNS: usize = 5;
/// Until every bucket is full again.
const REST: Duration = Duration::from_secs(6);

/// The process that serves the tenants; it ends with this, also where the benchmark fails.
struct Sandbox(Child);

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, mut seen) = serve(folder.path());
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for turn in 0..RUNS {
        let one = ["--tenant", "sandbox-001"];
        alone.push(apply(folder.path(), &format!("alone {turn}"), &one));
        std::thread::sleep(REST);
        together.push(apply(folder.path(), &format!("together {turn}"), &["--group", "all"]));
        std::thread::sleep(REST);
    }
    let throttled = stop(sandbox, &mut seen);
    // One request reads a page, and a fifth of the bucket is left to production.
    let ideal = (f64::from(CLIENTS) + 1.0 - 0.8 * BURST) / REFILL;
    let (one, all) = (seconds(&alone), seconds(&together));
    println!("1 tenant    {one:6.2} s, {:.3} × ideal, peak {} MB", one / ideal, peak(&alone));
    println!("{TENANTS} tenants {all:6.2} s, {:.3} × ideal, peak {} MB", all / ideal, peak(&together));
    println!("ratio {:.3}; {throttled} × 429 in all", all / one);
}

fn patchwave() -> Command {
    let mut command = Command::new(PATCHWAVE);
    command.env_clear();
    command
}

/// Starts the tenants; their configuration is in the folder when this returns.
fn serve(folder: &Path) -> (Sandbox, BufReader<ChildStdout>) {
    let (tenants, clients) = (TENANTS.to_string(), CLIENTS.to_string());
    let mut sandbox = patchwave()
        .args(["sandbox", "--quiet", "--output", "json", "--tenants", &tenants, "--clients", &clients])
        .args(["--tier", &format!("{BURST},{REFILL}/s"), "--write-config"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(sandbox.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    (Sandbox(sandbox), stdout)
}

/// Ends them, and tells how often they refused.
fn stop(mut sandbox: Sandbox, stdout: &mut BufReader<ChildStdout>) -> u64 {
    Command::new("kill").args(["-s", "TERM", &sandbox.0.id().to_string()]).status().unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    sandbox.0.wait().unwrap();
    let seen: Value = serde_json::from_str(&line).unwrap();
    let tenants = seen["seen"].as_array().unwrap();
    tenants.iter().map(|tenant| tenant["counters"]["throttled"].as_u64().unwrap()).sum()
}

/// Gives every client of the chosen tenants this description.
fn apply(folder: &Path, description: &str, chosen: &[&str]) -> Cost {
    let job = folder.join("job.toml");
    std::fs::write(&job, format!("[[update]]\nwhere = \"true\"\nset.description = \"{description}\"\n"))
        .unwrap();
    let mut run = patchwave();
    run.args(["apply", "--yes", "--quiet"])
        .args(chosen)
        .arg(&job)
        .arg("--config")
        .arg(folder.join("patchwave.toml"));
    run.arg("--state-dir").arg(folder.join("state")).stdout(Stdio::null());
    let cost = measure(&mut run);
    println!("{description:<12} {:6.2} s", cost.time.as_secs_f64());
    cost
}

fn seconds(costs: &[Cost]) -> f64 {
    median(costs, |cost| cost.time).time.as_secs_f64()
}

fn peak(costs: &[Cost]) -> u64 {
    costs.iter().map(|cost| cost.memory).max().unwrap_or(0) / 1024
}
