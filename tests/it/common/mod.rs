//! Runs the `patchwave` command as a person or a timer would: in a folder and an environment of its own.
//!
//! [`Case`] is the folder and the environment, [`Done`] what came of a command, and [`Running`] a command that goes on
//! until it is told to stop. Nothing of the environment that the tests run in reaches the command.

mod alone;
mod done;
mod results;
mod running;
mod served;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) use alone::alone;
pub(crate) use done::Done;
pub(crate) use running::Running;
pub(crate) use served::{Served, id_of, renames};

/// A folder to work in, with a home and a state directory beside it, and an environment of nothing but these.
pub(crate) struct Case {
    root: TempDir,
    /// Where commands are run.
    cwd: PathBuf,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
}

impl Case {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("patchwave-it-").tempdir().unwrap();
        let cwd = root.path().join("work");
        let mut case = Self { root, cwd, env: Vec::new(), stdin: Vec::new() };
        for folder in ["work", "home", "state", "config"] {
            std::fs::create_dir(case.root.path().join(folder)).unwrap();
        }
        for (name, folder) in [("HOME", "home"), ("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")] {
            let path = case.root.path().join(folder);
            case = case.env(name, path);
        }
        // Commands that print secrets are run by a shell, which must be found.
        case.env("PATH", "/usr/local/bin:/usr/bin:/bin")
    }

    /// Puts a file into the folder, with the folders on the way to it.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Sets a variable, in place of an earlier value.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self = self.without_env(name);
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Takes a variable away, `HOME` and the like included.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    /// As a timer runs a command: from the root folder, with nothing but `HOME` in the environment.
    pub(crate) fn by_timer(mut self) -> Self {
        self.env.retain(|(known, _)| known == "HOME");
        self.cwd = PathBuf::from("/");
        self
    }

    /// What the next commands read on standard input; without it they read nothing.
    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Where a file of the folder is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    /// The text of a file that a command wrote.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Where a file of the home is.
    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.root.path().join("home").join(name)
    }

    /// The state directory: `runs/` and the like are in it, once something was kept.
    pub(crate) fn state(&self) -> PathBuf {
        let set = self.env.iter().find(|(name, _)| name == "XDG_STATE_HOME");
        let folder = set.map_or_else(|| self.home(".local/state"), |(_, folder)| PathBuf::from(folder));
        folder.join("patchwave")
    }

    /// The folder that all the others are in, for a search through everything that was left behind.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Runs a command to its end. Fails the test where that takes longer than a minute.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Done {
        let mut running = self.spawn(args);
        running.give(&self.stdin);
        running.wait()
    }

    /// Starts a command that goes on until it is told to stop; its standard input stays open until [`Running::wait`].
    pub(crate) fn spawn<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchwave"));
        command.args(&args);
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        self.start(command, format!("patchwave {}", words.join(" ")))
    }

    /// Runs a script to its end, as CI does: by a shell that stops at the first failure and has `patchwave` on its path.
    pub(crate) fn shell(&self, script: &str) -> Done {
        let mut command = Command::new("bash");
        let folder = Path::new(env!("CARGO_BIN_EXE_patchwave")).parent().unwrap();
        command.args(["-e", "-c", &format!("PATH={}:/usr/bin:/bin\n{script}", folder.display())]);
        self.start(command, script.to_owned()).wait()
    }

    fn start(&self, mut command: Command, words: String) -> Running {
        command.current_dir(&self.cwd).env_clear().envs(self.env.iter().cloned());
        // Pipes are no terminal: nothing prompts, nothing is coloured, no bar is drawn.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::start(command, words, self.root().to_owned())
    }
}

#[test]
fn a_command_sees_nothing_of_the_environment_of_the_tests() {
    let case = Case::new()
        .without_env("HOME")
        .without_env("XDG_STATE_HOME")
        .file("job.csv", "client_id,name\na,b\n");
    let done = case.run(["check", "job.csv"]);
    assert_eq!(done.code, Some(3), "{done}");
    assert!(!case.state().exists(), "check keeps nothing");
}

#[test]
fn a_command_that_is_no_longer_needed_is_ended() {
    let case = Case::new();
    let running = case.spawn(["check", "-"]);
    let id = running.id();
    drop(running);
    assert!(!running::exists(id), "process {id} is still there");
}

#[test]
fn a_command_can_be_sent_a_signal() {
    let case = Case::new();
    let running = case.spawn(["check", "-"]);
    // Not INT: where the tests run in the background of a shell, that one is ignored.
    running.signal("TERM");
    // `check` has nothing to put in order: the signal ends it.
    assert_eq!(running.wait().code, None);
}

#[test]
fn what_a_running_command_prints_is_read_line_by_line() {
    let case = Case::new();
    let mut running = case.spawn(["--version"]);
    assert!(running.line().starts_with("patchwave "));
    let done = running.wait();
    assert_eq!(done.code, Some(0));
    assert!(done.stdout.starts_with("patchwave "), "lines that were read are part of the whole: {done}");
}

#[test]
fn what_a_command_leaves_behind_is_read_from_its_folder() {
    let case = Case::new().file("a/b.txt", "text");
    assert_eq!(case.read("a/b.txt"), "text");
    assert!(case.path("a/b.txt").starts_with(case.root()));
}
