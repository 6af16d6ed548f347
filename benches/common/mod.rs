//! What the benchmarks of whole processes have in common: a sandbox in a process of its own, what a command took, medians.
#![allow(dead_code, reason = "each benchmark uses a part")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends where anything goes wrong")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The command that is measured: the release build, since `cargo bench` makes one.
pub(crate) const PATCHWAVE: &str = env!("CARGO_BIN_EXE_patchwave");

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// The most resident memory it had, in kB; 0 where the system does not tell.
    pub(crate) memory: u64,
}

/// Runs a command to its end and measures it. It must succeed.
pub(crate) fn measure(command: &mut Command) -> Cost {
    measure_every(command, Duration::from_millis(20))
}

/// The same, looked at so often: of a short one the time is right to that.
pub(crate) fn measure_every(command: &mut Command, poll: Duration) -> Cost {
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut memory = 0;
    let status = loop {
        memory = memory.max(peak(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // To look more often would cost the process that is measured time.
        std::thread::sleep(poll);
    };
    let time = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Cost { time, memory }
}

/// The most memory that a process has had, in kB.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// The one in the middle.
pub(crate) fn median<T: Copy, K: PartialOrd>(values: &[T], key: impl Fn(&T) -> K) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap());
    sorted[sorted.len() / 2]
}

/// A sandbox in a process of its own, which ends with this value.
pub(crate) struct Server {
    child: Child,
    /// `AUTH0_DOMAIN`, `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET` of its first tenant.
    pub(crate) credentials: Vec<(String, String)>,
}

impl Server {
    /// Starts it, and waits until it serves.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(PATCHWAVE);
        command.arg("sandbox").args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let variable = |line: String| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        };
        let credentials: Vec<_> = lines.map_while(Result::ok).filter_map(variable).take(3).collect();
        assert_eq!(credentials.len(), 3, "the sandbox says how to reach it");
        Self { child, credentials }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub(crate) fn url(&self) -> &str {
        &self.credentials[0].1
    }

    /// What its first tenant has seen so far.
    pub(crate) fn counters(&self) -> serde_json::Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let url = format!("{}/_sandbox/counters", self.url());
            reqwest::get(url).await.unwrap().json().await.unwrap()
        })
    }

    /// patchwave, talking to it, with a state directory of its own.
    pub(crate) fn patchwave(&self, state: &Path) -> Command {
        let mut command = Command::new(PATCHWAVE);
        command.env_clear().envs(self.credentials.iter().map(|(name, value)| (name, value)));
        command.env("PATCHWAVE_STATE_DIR", state).stdout(Stdio::null());
        command
    }

    /// The ids of its clients, but for the one that patchwave signs in with.
    pub(crate) fn ids(&self, folder: &Path) -> Vec<String> {
        let list = folder.join("clients.jsonl");
        let mut get = self.patchwave(&folder.join("state"));
        get.args(["get", "--all", "--fields", "name", "--format", "jsonl", "--quiet", "-o"]).arg(&list);
        measure(&mut get);
        let text = std::fs::read_to_string(list).unwrap();
        let id = |line: &str| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            object["client_id"].as_str().unwrap().to_owned()
        };
        let own = &self.credentials[1].1;
        text.lines().map(id).filter(|id| id != own).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A CSV job that gives each of these clients a name; another `round`, another name.
pub(crate) fn renames(ids: &[String], round: usize) -> String {
    let rows = ids.iter().enumerate().map(|(at, id)| format!("{id},Application {at} of round {round}\n"));
    std::iter::once("client_id,name\n".to_owned()).chain(rows).collect()
}

/// Seconds that the newest run of a state directory took, from its first write to its last, as its summary says.
pub(crate) fn run_seconds(state: &Path) -> f64 {
    let runs = std::fs::read_dir(state.join("runs")).unwrap();
    let newest = runs.map(|entry| entry.unwrap().path()).max().unwrap();
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(newest.join("summary.json")).unwrap()).unwrap();
    summary["seconds"].as_f64().unwrap()
}
