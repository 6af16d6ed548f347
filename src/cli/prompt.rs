//! Consent. Without a terminal nothing ever prompts.

use std::io::{BufRead, IsTerminal, Write};

/// Whether somebody is there to ask.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that only `y` or `yes` affirms.
pub(super) async fn yes(question: String) -> bool {
    matches!(answer(format!("{question} [y/N] ")).await.as_deref(), Some("y" | "Y" | "yes" | "Yes" | "YES"))
}

/// Asks for a name to be typed, as protected tenants want it.
pub(super) async fn typed(question: String, name: &str) -> bool {
    answer(format!("{question}\nType {name} to go on: ")).await.as_deref() == Some(name)
}

/// Waits until somebody presses Enter.
pub(super) async fn enter(question: String) {
    answer(question).await;
}

/// A question that nobody has answered yet. Where a signal ends the command, what is said next begins on a line of its own.
struct Open(bool);

impl Drop for Open {
    fn drop(&mut self) {
        if self.0 {
            let _ = writeln!(anstream::stderr());
        }
    }
}

/// On a thread of its own: a signal must be heard while nobody has answered yet.
async fn answer(question: String) -> Option<String> {
    let mut open = Open(true);
    let read = move || {
        let mut screen = anstream::stderr();
        write!(screen, "{question}").and_then(|()| screen.flush()).ok()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).ok()? == 0 {
            // Ctrl-D leaves the cursor behind the question.
            let _ = writeln!(screen);
        }
        Some(line.trim().to_owned())
    };
    let answer = tokio::task::spawn_blocking(read).await;
    open.0 = false;
    answer.ok().flatten()
}
