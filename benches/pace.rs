//! How close whole runs come to what the tenant's rate limit allows: `cargo bench --bench pace`.
//!
//! Each line is a run of the release binary (or several beside each other) against a sandbox in a process of its own, over
//! real HTTP on loopback. The ideal is (requests − bucket + reserve) / (refill − production); what is printed is the ratio to
//! it, once of the whole process and once of the run alone (from its first write to its last answer, its writes alone), with
//! the 429s and the refused calls of production that the sandbox counted. `cargo bench --bench pace -- real` runs those with
//! that word alone; `-- --svg FILE` draws the ratios. All of it takes about eight minutes. The same machine is judged in
//! virtual time, over many seeds, by `benches/pacing.rs`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures and ends where anything goes wrong"
)]

mod common;

use std::fmt::Write as _;
use std::process::Child;
use std::time::Instant;

use common::{Server, renames, run_seconds};

/// A tenant, what is asked of it, and what the ideal is made of.
struct Cell {
    name: &'static str,
    sandbox: &'static [&'static str],
    flags: &'static [&'static str],
    renames: usize,
    /// Runs beside each other, each with a part of the clients and a state directory of its own.
    runs: usize,
    burst: f64,
    refill: f64,
    production: f64,
    reserve: f64,
}

const ALONE: Cell = Cell {
    name: "",
    sandbox: &[],
    flags: &["--rate-reserve", "0"],
    renames: 300,
    runs: 1,
    burst: 50.0,
    refill: 16.0,
    production: 0.0,
    reserve: 0.0,
};

const ENTERPRISE: [&str; 4] = ["--tier", "50,16/s", "--latency", "40ms,20ms"];

const CELLS: [Cell; 14] = [
    Cell { name: "50 + 16/s, no latency", sandbox: &["--tier", "50,16/s"], ..ALONE },
    Cell { name: "50 + 16/s", sandbox: &ENTERPRISE, ..ALONE },
    Cell {
        name: "10 + 2/s",
        sandbox: &["--tier", "10,2/s", "--latency", "40ms,20ms"],
        renames: 100,
        burst: 10.0,
        refill: 2.0,
        ..ALONE
    },
    Cell {
        name: "100 + 50/s",
        sandbox: &["--tier", "100,50/s", "--latency", "40ms,20ms"],
        renames: 1000,
        burst: 100.0,
        refill: 50.0,
        ..ALONE
    },
    Cell {
        name: "real latency, 50 + 16/s",
        sandbox: &["--tier", "50,16/s", "--latency", "390ms,200ms"],
        ..ALONE
    },
    Cell {
        name: "reset: next call, clock 3 s ahead",
        sandbox: &["--tier", "50,16/s", "--latency", "40ms,20ms", "--reset", "next", "--clock-skew", "3"],
        ..ALONE
    },
    Cell {
        name: "reset: full, clock 3 s behind",
        sandbox: &["--tier", "50,16/s", "--latency", "40ms,20ms", "--reset", "full", "--clock-skew=-3"],
        ..ALONE
    },
    Cell {
        name: "production at 8/s",
        sandbox: &["--tier", "50,16/s", "--latency", "40ms,20ms", "--faults", "competing=8/s"],
        flags: &[],
        production: 8.0,
        reserve: 10.0,
        ..ALONE
    },
    Cell {
        name: "production at random, 8/s",
        sandbox: &["--tier", "50,16/s", "--latency", "40ms,20ms", "--faults", "competing-random=8/s"],
        flags: &[],
        production: 8.0,
        reserve: 10.0,
        ..ALONE
    },
    Cell {
        name: "limit halved after 6 s",
        sandbox: &["--tier", "50,16/s", "--latency", "40ms,20ms", "--faults", "limit=25,8/s@6s"],
        refill: 8.0,
        burst: 98.0,
        ..ALONE
    },
    Cell {
        name: "Essentials, default reserve",
        sandbox: &["--tier", "essentials", "--latency", "40ms,20ms"],
        flags: &[],
        renames: 60,
        burst: 10.0,
        refill: 2.5,
        reserve: 2.0,
        ..ALONE
    },
    Cell {
        name: "free tier, default reserve",
        sandbox: &["--tier", "free", "--latency", "40ms,20ms"],
        flags: &[],
        renames: 20,
        burst: 2.0,
        refill: 2.0,
        ..ALONE
    },
    Cell { name: "four processes", sandbox: &ENTERPRISE, renames: 800, runs: 4, ..ALONE },
    Cell {
        name: "four processes, real latency",
        sandbox: &["--tier", "50,16/s", "--latency", "390ms,200ms"],
        renames: 800,
        runs: 4,
        ..ALONE
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let svg = arguments.iter().position(|argument| argument == "--svg").and_then(|at| arguments.get(at + 1));
    let word = arguments.first().filter(|word| !word.starts_with("--"));
    let chosen = CELLS.iter().filter(|cell| word.is_none_or(|word| cell.name.contains(word.as_str())));
    println!(
        "{:36} {:>8} {:>5} {:>9} {:>8} {:>8} {:>9}",
        "", "requests", "429s", "prod. ref", "process", "run", "ideal, s"
    );
    let bars: Vec<(&str, f64)> = chosen.map(|cell| (cell.name, measure(cell))).collect();
    if let Some(file) = svg {
        std::fs::write(file, drawn(&bars)).unwrap();
    }
}

/// Measures one, and returns the ratio of the whole process.
fn measure(cell: &Cell) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = cell.sandbox.to_vec();
    let clients = cell.renames.to_string();
    arguments.extend(["--clients", &clients]);
    let ids = {
        let probe = Server::start(&["--tier", "unlimited", "--clients", &clients]);
        probe.ids(folder.path())
    };
    let server = Server::start(&arguments);
    let began = Instant::now();
    let share = ids.len().min(cell.renames).div_ceil(cell.runs);
    let mut ends: Vec<f64> = Vec::new();
    let mut children: Vec<Child> = Vec::new();
    for (at, ids) in ids[..cell.renames.min(ids.len())].chunks(share).enumerate() {
        let job = folder.path().join(format!("job-{at}.csv"));
        std::fs::write(&job, renames(ids, 1)).unwrap();
        let mut apply = server.patchwave(&folder.path().join(format!("state-{at}")));
        apply.args(["apply", "--yes", "--quiet"]).args(cell.flags).arg(&job);
        children.push(apply.spawn().unwrap());
    }
    while children.len() > ends.len() {
        std::thread::sleep(std::time::Duration::from_millis(5));
        let over = children.iter_mut().filter_map(|child| child.try_wait().unwrap()).count();
        ends.resize(over, began.elapsed().as_secs_f64());
    }
    let taken = ends.iter().copied().fold(0.0, f64::max);
    let counters = server.counters();
    let count = |key: &str| counters[key].as_f64().unwrap();
    let requests = count("list") + count("get") + count("patch");
    let spare = cell.burst - cell.reserve;
    // Production at random takes more or less than it does on average: what it took is what was left to others.
    let production = count("competing_throttled") + count("competing_served");
    let rate = cell.refill - if cell.production > 0.0 { production / taken } else { 0.0 };
    let ideal = (requests - spare) / rate;
    let run = run_seconds(&folder.path().join("state-0"));
    let of_run = (cell.renames as f64 - spare) / rate;
    let first = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let shares = if cell.runs > 1 {
        format!(", slowest share {:.2} of the fastest", first / taken)
    } else {
        String::new()
    };
    println!(
        "{:36} {requests:8} {:5} {:>9} {:8.3} {:8.3} {ideal:9.2}  (+{:.2} s{shares})",
        cell.name,
        count("throttled"),
        format!(
            "{}/{}",
            count("competing_throttled"),
            count("competing_throttled") + count("competing_served")
        ),
        taken / ideal,
        if cell.runs == 1 { run / of_run } else { f64::NAN },
        taken - ideal,
    );
    taken / ideal
}

/// Bars of the ratios, 1 being the ideal.
fn drawn(bars: &[(&str, f64)]) -> String {
    const LEFT: f64 = 260.0;
    const WIDTH: f64 = 420.0;
    const ROW: f64 = 24.0;
    let most = bars.iter().map(|(_, ratio)| *ratio).fold(1.2, f64::max);
    let height = ROW * (bars.len() as f64 + 1.5);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Time of whole runs over the least that the rate limit allows</title>\n"
    );
    for (at, (name, ratio)) in bars.iter().enumerate() {
        let (y, length) = (ROW * at as f64 + 6.0, WIDTH * ratio / most);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#555\">{name}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"16\" fill=\"#3b82c4\"/>\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#555\">{ratio:.3}</text>",
            LEFT - 8.0,
            y + 13.0,
            LEFT + length + 6.0,
            y + 13.0,
        );
    }
    let one = LEFT + WIDTH / most;
    let _ = writeln!(
        svg,
        "<line x1=\"{one:.1}\" y1=\"0\" x2=\"{one:.1}\" y2=\"{0}\" stroke=\"#c43b3b\" stroke-dasharray=\"4 3\"/>\
         <text x=\"{one:.1}\" y=\"{1}\" text-anchor=\"middle\" fill=\"#c43b3b\">the least that the limit allows</text>\n</svg>",
        ROW * bars.len() as f64 + 4.0,
        height - 10.0,
    );
    svg
}
