//! How time and memory of `check` and `record` grow with the rows of a file: ten times the rows should take ten times as much,
//! and no more.
//!
//! `cargo bench --bench scale` writes files of 10,000 and 100,000 rows into a temporary folder, reads each several times with
//! the release build, and prints the best time, the peak memory (Linux alone tells it), and the ratio of the two sizes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a script that ends where anything goes wrong; what it writes lasts as long as it runs"
)]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Cost, PATCHWAVE, measure_every};

const SMALL: usize = 10_000;
const LARGE: usize = 100_000;
const RUNS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("{:<44} {:>12} {:>12} {:>22}", "", "10,000 rows", "100,000 rows", "ratio (10 = linear)");
    let check = |job: &'static str| vec!["check", job];
    let record = vec![
        "record",
        "--before",
        "before.json",
        "--after",
        "after.json",
        "-o",
        "changes.toml",
        "--overwrite",
    ];
    for (name, args, rows) in [
        ("CSV by id, three columns", check("job.csv"), csv as fn(usize) -> Vec<(String, String)>),
        ("CSV by name, with expect, list and unset", check("job.csv"), wide),
        ("TOML with rows of another layout", check("job.toml"), rows_job),
        ("a change set recorded from two snapshots", record, snapshots),
        ("the same change set checked", check("changes.toml"), change_set),
    ] {
        let [small, large] = [SMALL, LARGE].map(|count| {
            for (file, text) in rows(count) {
                std::fs::write(folder.path().join(file), text).unwrap();
            }
            best(folder.path(), &args)
        });
        let ratio = |a: f64, b: f64| if a > 0.0 { b / a } else { f64::NAN };
        let time = ratio(small.time.as_secs_f64(), large.time.as_secs_f64());
        println!(
            "{name:<44} {:>10.3} s {:>10.3} s {time:>22.1}",
            small.time.as_secs_f64(),
            large.time.as_secs_f64()
        );
        let memory = ratio(small.memory as f64, large.memory as f64);
        println!("{:<44} {:>9} MB {:>9} MB {memory:>22.1}", "", small.memory / 1024, large.memory / 1024);
    }
}

/// The best of several runs: the others only show what else the machine was doing.
fn best(folder: &Path, args: &[&str]) -> Cost {
    let costs: Vec<Cost> = (0..RUNS).map(|_| run(folder, args)).collect();
    let time = costs.iter().map(|cost| cost.time).min().unwrap();
    Cost { time, memory: costs.iter().map(|cost| cost.memory).min().unwrap() }
}

fn run(folder: &Path, args: &[&str]) -> Cost {
    let mut command = Command::new(PATCHWAVE);
    command.args(args).args(["--state-dir", "state"]).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    measure_every(&mut command, Duration::from_millis(1))
}

fn csv(count: usize) -> Vec<(String, String)> {
    let mut text = String::from("client_id,name,client_metadata.owner\n");
    for row in 0..count {
        let _ = writeln!(text, "id{row:030},Application number {row},team-{}", row % 97);
    }
    vec![("job.csv".to_owned(), text)]
}

fn wide(count: usize) -> Vec<(String, String)> {
    let mut text = String::from("match.name;expect.app_type;callbacks;sso;par_request_expiry;unset\n");
    for row in 0..count {
        let _ = writeln!(
            text,
            "Application {row};spa;https://a{row}.example/cb|https://b.example;TRUE;60;initiate_login_uri"
        );
    }
    vec![("job.csv".to_owned(), text)]
}

fn rows_job(count: usize) -> Vec<(String, String)> {
    let job = "[[update]]\nrows = \"rows.csv\"\nclient_id = \"{{ row['App ID'] }}\"\nset.name = \"{{ row.new_name | trim }}\"\n\
        set.client_metadata.owner = \"{{ row.owner | lower }}\"\nadd.callbacks = [\"https://{{ row.host }}/callback\"]\n";
    let mut text = String::from("App ID,new_name,owner,host\n");
    for row in 0..count {
        let _ = writeln!(text, "id{row:030}, Application number {row},Team-{},h{row}.example", row % 97);
    }
    vec![("job.toml".to_owned(), job.to_owned()), ("rows.csv".to_owned(), text)]
}

/// Each client gets another name, an address and a description.
fn snapshots(count: usize) -> Vec<(String, String)> {
    let client = |row: usize, name: &str, more: &str, text: &str| {
        format!(
            "{{\"client_id\":\"id{row:030}\",\"name\":\"{name} {row}\",\"description\":\"{text}\",\"app_type\":\"spa\",\
             \"callbacks\":[\"https://a{row}.example/cb\"{more}],\"client_metadata\":{{\"team\":\"t{}\",\"stage\":\"dev\"}}}}\n",
            row % 97
        )
    };
    let before: String = (0..count).map(|row| client(row, "Application", "", "old")).collect();
    let after = (0..count).map(|row| client(row, "App", ",\"https://new.example/cb\"", "new")).collect();
    vec![("before.json".to_owned(), before), ("after.json".to_owned(), after)]
}

/// As `record` writes it of those snapshots.
fn change_set(count: usize) -> Vec<(String, String)> {
    let mut text = String::from("[recorded]\nby = \"before and after\"\n");
    for row in 0..count {
        let _ = writeln!(
            text,
            "\n[[update]]\nmatch.name = \"Application {row}\"\nset.description = \"new\"\nset.name = \"App {row}\"\n\
             add.callbacks = [\"https://new.example/cb\"]\nexpect.description = \"old\"\nexpect.name = \"Application {row}\""
        );
    }
    vec![("changes.toml".to_owned(), text)]
}
