//! Where text goes: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::args::{ColorArg, OutputArgs, OutputForm, ProgressArg};
use crate::report::progress::{Display, ProgressMode};

/// How this process talks.
#[derive(Debug, Clone)]
pub(super) struct Output {
    args: OutputArgs,
    width: usize,
}

impl Output {
    /// From the flags.
    pub(super) fn new(args: &OutputArgs) -> Self {
        match args.color {
            ColorArg::Auto => (),
            ColorArg::Always => anstream::ColorChoice::Always.write_global(),
            ColorArg::Never => anstream::ColorChoice::Never.write_global(),
        }
        let columns = terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0));
        let width = columns.unwrap_or(120).clamp(60, 200);
        Self { args: args.clone(), width }
    }

    /// For errors in the flags themselves, found before they could be understood.
    pub(super) fn json_only() -> Self {
        let args = OutputArgs {
            output: OutputForm::Json,
            progress: ProgressArg::None,
            color: ColorArg::Never,
            quiet: true,
            verbose: 0,
            log_format: OutputForm::Json,
        };
        Self { args, width: 120 }
    }

    /// Columns to fill.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether results are one JSON object.
    pub(super) fn json(&self) -> bool {
        self.args.output == OutputForm::Json
    }

    /// Whether only results and errors are wanted.
    pub(super) fn quiet(&self) -> bool {
        self.args.quiet
    }

    /// Results. A reader that went away (`| head`) is no failure.
    pub(super) fn result(&self, text: &str) {
        let _ = writeln!(anstream::stdout(), "{}", text.trim_end_matches('\n'));
    }

    /// A result for programs, printed as it is made.
    pub(super) fn object(&self, value: &impl Serialize) {
        let mut out = std::io::BufWriter::new(anstream::stdout().lock());
        let _ = serde_json::to_writer(&mut out, value);
        let _ = out.write_all(b"\n").and_then(|()| out.flush());
    }

    /// Results for people: nothing with `--output json`.
    pub(super) fn text(&self, text: &str) {
        if !self.json() {
            self.result(text);
        }
    }

    /// For people who watch: nothing with `-q`.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet() {
            self.error(text);
        }
    }

    /// What went wrong.
    pub(super) fn error(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{}", text.trim_end_matches('\n'));
    }

    /// The display of a run's progress.
    pub(super) fn progress(&self) -> Display {
        let terminal = std::io::stderr().is_terminal();
        Display::new(match self.args.progress {
            _ if self.quiet() => ProgressMode::None,
            ProgressArg::None => ProgressMode::None,
            ProgressArg::Bar => ProgressMode::Bar,
            ProgressArg::Log => ProgressMode::Log,
            ProgressArg::Auto if terminal => ProgressMode::Bar,
            ProgressArg::Auto => ProgressMode::Log,
        })
    }

    /// Starts the log that `-v` asks for. Requests are logged with method, path and status, never with bodies or tokens.
    pub(super) fn start_log(&self) {
        use tracing_subscriber::filter::LevelFilter;
        use tracing_subscriber::prelude::*;
        let level = match self.args.verbose {
            0 => return,
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        // Only our own lines: what the HTTP library logs may hold headers.
        let ours = tracing_subscriber::filter::filter_fn(|meta| meta.target().starts_with("patchwave"));
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        let registry = tracing_subscriber::registry();
        if self.args.log_format == OutputForm::Json {
            registry.with(lines.json().with_filter(level).with_filter(ours)).init();
        } else {
            registry.with(lines.with_filter(level).with_filter(ours)).init();
        }
    }
}

/// This very command, to be typed again. Never put together from its parts: a flag that is forgotten (`--limit`,
/// `--tenant`, `--env-file`) would make it another command.
pub(super) fn command_line() -> String {
    line(std::env::args().skip(1))
}

/// This command with other flags behind it, those that it has already left out.
pub(super) fn command_line_with(flags: &[&str]) -> String {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let missing = flags.iter().filter(|flag| !given.iter().any(|word| word == *flag));
    line(given.iter().cloned().chain(missing.map(|flag| (*flag).to_owned())))
}

/// This command without `--var` of these names: what they hold should not have been there, and is not repeated.
pub(super) fn command_line_without(vars: &[String]) -> String {
    let names =
        |given: &str| given.split_once('=').is_some_and(|(name, _)| vars.iter().any(|var| var == name));
    let mut words = Vec::new();
    let mut given = std::env::args().skip(1).peekable();
    while let Some(word) = given.next() {
        match word.strip_prefix("--var") {
            Some("") if given.peek().is_some_and(|next| names(next)) => drop(given.next()),
            Some(joined) if joined.strip_prefix('=').is_some_and(names) => (),
            _ => words.push(word),
        }
    }
    line(words.into_iter())
}

/// Whether this command has a flag, with its value in the same word or the next.
pub(super) fn gives(flag: &str) -> bool {
    std::env::args().any(|word| word.split('=').next() == Some(flag))
}

/// This `plan` as the `apply` that makes the changes it shows.
pub(super) fn apply_line() -> String {
    let mut verb = false;
    let words = std::env::args()
        .skip(1)
        .filter(|word| word != "--detailed-exitcode" && word != "--dry-run")
        .map(|word| {
            let is_verb = !verb && word == "plan";
            verb |= is_verb;
            if is_verb { "apply".to_owned() } else { word }
        });
    line(words)
}

/// The `apply` of a plan that was saved, with this command's flags of tenants and pace.
pub(super) fn apply_saved_line(plan: &std::path::Path) -> String {
    let words = ["apply".to_owned(), plan.display().to_string()];
    line(words.into_iter().chain(kept(VALUED, ALONE)))
}

/// What a guard refused, to be looked at: an `apply` as the `plan` of all that it would change; of other verbs, their plan.
pub(super) fn look_line() -> String {
    let mut words = Vec::new();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--yes" | "-y" | "--quiet" | "-q" | "--dry-run" => (),
            "--report" => drop(given.next()),
            joined if joined.starts_with("--report=") => (),
            _ => words.push(word),
        }
    }
    let verb = words.iter().find(|word| !word.starts_with('-')).map(String::as_str);
    if matches!(verb, Some("apply" | "replay" | "undo")) {
        words.push("--dry-run".to_owned());
    }
    line(words.into_iter())
}

/// The command that a run was begun with, as far as it is known here: this one, or the `apply` of its job.
pub(super) fn again_line(source: &str) -> String {
    let verb = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    match verb.as_deref() {
        Some("apply" | "replay") => command_line(),
        _ => line(["apply".to_owned(), source.to_owned()].into_iter().chain(kept(VALUED, ALONE))),
    }
}

/// This command for other tenants.
pub(super) fn line_for_tenants<'t>(tenants: impl Iterator<Item = &'t str>) -> String {
    let mut words = Vec::new();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--tenant" | "--group" | "--shard" => drop(given.next()),
            joined if ["--tenant=", "--group=", "--shard="].iter().any(|flag| joined.starts_with(flag)) => (),
            _ => words.push(word),
        }
    }
    line(words.into_iter().chain(tenants.flat_map(|tenant| ["--tenant".to_owned(), tenant.to_owned()])))
}

/// A verb that looks at what is kept, with this command's flags of where that is.
pub(super) fn verb_line(verb: &str) -> String {
    line(verb.split(' ').map(str::to_owned).chain(kept(&["--state-dir"], &["--sandbox"])))
}

/// A verb for a run, with this command's flags of tenants and pace.
pub(super) fn run_line(verb: &str, run: &crate::model::RunId, flags: &[&str]) -> String {
    let words = verb.split(' ').map(str::to_owned).chain([run.to_string()]);
    let kept = match verb {
        "resume" => kept(&[VALUED, &["--on-conflict", "--force"]].concat(), ALONE),
        // Nobody has consented to that yet.
        "undo" => kept(VALUED, &["--sandbox", "--quiet", "-q"]),
        _ => kept(&["--state-dir"], &["--sandbox"]),
    };
    line(words.chain(flags.iter().map(|flag| (*flag).to_owned())).chain(kept))
}

/// This command in a few words, for others to read: its verb and what it is about, without its flags, which may hold more
/// than others should see.
pub(super) fn short_line() -> String {
    let flag = |word: &String| word.starts_with('-');
    std::env::args()
        .skip(1)
        .skip_while(flag)
        .take_while(|word| !flag(word))
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Flags that say where, as whom, how fast and how loud, and hold for other commands about the same tenants.
const VALUED: &[&str] = &[
    "--tenant",
    "--group",
    "--shard",
    "--config",
    "-c",
    "--env-file",
    "--state-dir",
    "--confirm-tenant",
    "--report",
    "--concurrency",
    "--rate",
    "--burst",
    "--rate-share",
    "--rate-reserve",
    "--max-retries",
    "--timeout",
    "--max-age",
];
const ALONE: &[&str] = &["--sandbox", "--yes", "-y", "--quiet", "-q"];

/// Such flags as this command has.
fn kept(valued: &[&str], alone: &[&str]) -> impl Iterator<Item = String> + use<> {
    let mut words = Vec::new();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        let joined = word.split_once('=').is_some_and(|(flag, _)| valued.contains(&flag));
        if word == "--shard" && valued.contains(&"--shard") {
            words.push(word);
            words.extend(given.next().map(|value| super::shard::spelled_out(&value)));
        } else if let Some(value) = word.strip_prefix("--shard=").filter(|_| joined) {
            words.push(format!("--shard={}", super::shard::spelled_out(value)));
        } else if valued.contains(&word.as_str()) {
            words.push(word);
            words.extend(given.next());
        } else if joined || alone.contains(&word.as_str()) {
            words.push(word);
        }
    }
    words.into_iter()
}

/// The help of this command's verb.
pub(super) fn help_line() -> String {
    let verb = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    line(verb.into_iter().chain(["--help".to_owned()]))
}

/// The `check` of this command's job: with the flags that say how it is to be read, without which it would be read otherwise.
pub(super) fn check_line(job: &str) -> String {
    const VALUED: [&str; 6] =
        ["--allow-field", "--ignore-column", "--encoding", "--state-dir", "--config", "-c"];
    let mut words = vec!["check".to_owned(), job.to_owned()];
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        let joined = || word.split_once('=').is_some_and(|(flag, _)| VALUED.contains(&flag));
        if VALUED.contains(&word.as_str()) {
            words.push(word);
            words.extend(given.next());
        } else if word == "--no-base" || joined() {
            words.push(word);
        }
    }
    line(words.into_iter())
}

fn line(words: impl Iterator<Item = String>) -> String {
    let quote = |word: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%,+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    format!("patchwave {}", words.map(quote).collect::<Vec<_>>().join(" "))
}

/// Whether JSON was asked for, as far as can be told from flags that are wrong somewhere.
pub(super) fn wants_json(args: impl Iterator<Item = String>) -> bool {
    let args: Vec<String> = args.collect();
    args.iter().any(|arg| arg == "--output=json")
        || args.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}
