//! A command that has not ended yet.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::Done;
use super::done::redact;

/// No command of a test takes this long; what does hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A child process. Dropping it ends it, and no other.
pub(crate) struct Running {
    child: Child,
    command: String,
    root: PathBuf,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// What was read of standard output so far.
    read: String,
    /// What was read of standard error so far.
    error: String,
}

impl Running {
    pub(super) fn start(mut command: Command, words: String, root: PathBuf) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{words}: {error}"));
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, command: words, root, stdin, stdout, stderr, read: String::new(), error: String::new() }
    }

    /// The process, for messages.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input and leaves that open.
    pub(crate) fn give(&mut self, bytes: &[u8]) {
        // A command that ends without having read everything is judged by what it says, not here.
        let _ = self.stdin.as_mut().map(|stdin| stdin.write_all(bytes));
    }

    /// The next line of its standard output, without the line break. Fails the test where there is none in a minute.
    pub(crate) fn line(&mut self) -> String {
        let line = self
            .stdout
            .recv_timeout(LIMIT)
            .unwrap_or_else(|_| panic!("`{}` said nothing more", self.command));
        self.read.push_str(&line);
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// Sends it a signal by name: `INT` is Ctrl-C, `TERM` what service managers send, `KILL` a crash.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "kill -s {name} {id}: {sent}");
    }

    /// Reads its standard error until a line holds this. Fails the test where none does in a minute.
    pub(crate) fn until_stderr(&mut self, words: &str) {
        loop {
            let line = self.stderr.recv_timeout(LIMIT);
            let line = line.unwrap_or_else(|_| panic!("`{}` never said {words:?}", self.command));
            self.error.push_str(&line);
            if line.contains(words) {
                return;
            }
        }
    }

    /// Ends it at this very instant, as a crash does (SIGKILL), and waits until it is gone.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Closes its standard input and waits for its end. Fails the test where that takes longer than a minute.
    pub(crate) fn wait(mut self) -> Done {
        drop(self.stdin.take());
        let mut stdout = std::mem::take(&mut self.read);
        let mut stderr = std::mem::take(&mut self.error);
        // Read up to their ends: a child that still writes must not be waited for with full pipes.
        for (from, to) in [(&self.stdout, &mut stdout), (&self.stderr, &mut stderr)] {
            loop {
                match from.recv_timeout(LIMIT) {
                    Ok(line) => to.push_str(&line),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                    Err(_) => panic!("`{}` does not end; so far it said:\n{to}", self.command),
                }
            }
        }
        let code = self.child.wait().unwrap().code();
        let text = |text: String| redact(&text, &self.root);
        Done { command: text(self.command.clone()), code, stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe to its end, line by line, so that the child never blocks on it.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(100_000);
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// Whether there is a process of this id.
pub(super) fn exists(id: u32) -> bool {
    let asked = Command::new("kill").args(["-0", &id.to_string()]).stderr(Stdio::null()).status();
    asked.unwrap().success()
}
