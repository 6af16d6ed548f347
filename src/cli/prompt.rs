//! Consent. Without a terminal nothing ever prompts.

use std::io::{BufRead, IsTerminal, Write};

/// Whether somebody is there to ask.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that only `y` or `yes` affirms.
pub(super) fn yes(question: &str) -> bool {
    matches!(answer(&format!("{question} [y/N] ")).as_deref(), Some("y" | "Y" | "yes" | "Yes" | "YES"))
}

/// Asks for a name to be typed, as protected tenants want it.
pub(super) fn typed(question: &str, name: &str) -> bool {
    answer(&format!("{question}\nType {name} to go on: ")).as_deref() == Some(name)
}

fn answer(question: &str) -> Option<String> {
    let mut screen = anstream::stderr();
    write!(screen, "{question}").and_then(|()| screen.flush()).ok()?;
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).ok()? == 0 {
        // Ctrl-D leaves the cursor behind the question.
        let _ = writeln!(screen);
    }
    Some(line.trim().to_owned())
}
