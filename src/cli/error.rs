//! Every error that ends a command: its class, its exit code, its words, and what to type next.

use serde_json::json;

use super::exit;
use super::output::{self, Output};
use crate::auth0::ApiError;
use crate::config::{SecretError, SelectError};
use crate::model::{EntityId, Problem};
use crate::plan::{Refusal, TenantFailure};
use crate::report::{problems, term};
use crate::store::StoreError;

/// The reason of an error about the record of a run.
const JOURNAL: &str = "journal";

/// What ends a command. Boxed, since it travels through every result of the command line.
#[derive(Debug)]
pub(super) struct CliError(Box<Facts>);

#[derive(Debug)]
struct Facts {
    exit: u8,
    class: String,
    /// A word that scripts can tell errors of a class apart by.
    reason: &'static str,
    message: String,
    problems: Vec<Problem>,
    tenant: Option<String>,
    http_status: Option<u16>,
    retryable: bool,
    /// The command to type next; this one again, where nothing else is said.
    next: Option<String>,
}

impl CliError {
    fn new(exit: u8, class: &str, reason: &'static str, message: impl Into<String>) -> Self {
        let (message, class) = (message.into(), class.to_owned());
        let (problems, tenant, next) = (Vec::new(), None, None);
        Self(Box::new(Facts {
            exit,
            class,
            reason,
            message,
            problems,
            tenant,
            http_status: None,
            retryable: false,
            next,
        }))
    }

    /// Shows what is wrong, one by one.
    pub(super) fn with(mut self, problems: Vec<Problem>) -> Self {
        self.0.problems = problems;
        self
    }

    /// Flags or arguments that make no sense.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, "usage", "flags", message).next(output::help_line())
    }

    /// A job that is wrong.
    pub(super) fn job(problems: Vec<Problem>, next: String) -> Self {
        let message = match problems.len() {
            1 => "the job has a mistake; nothing was sent".to_owned(),
            count => format!("the job has {count} mistakes; nothing was sent"),
        };
        Self::new(exit::USAGE, "validation", "job", message).with(problems).next(next)
    }

    /// Configuration or credentials that cannot be used.
    pub(super) fn setup(message: impl Into<String>) -> Self {
        Self::new(exit::SETUP, "usage", "configuration", message)
    }

    /// Problems with the configuration file.
    pub(super) fn config(problems: Vec<Problem>) -> Self {
        Self::setup("the configuration cannot be used; nothing was sent").with(problems)
    }

    /// No tenant could be planned or written.
    pub(super) fn tenant(tenant: &str, error: &ApiError) -> Self {
        let class = error.class().as_str();
        let mut this = Self::new(exit::SETUP, class, "tenant", format!("{tenant}: {error}"));
        this.0.tenant = Some(tenant.to_owned());
        this.0.http_status = error.status();
        this.0.retryable = error.retryable();
        this
    }

    /// One object of a tenant could not be had; only that it does not exist is about the object alone.
    pub(super) fn object(tenant: &str, id: &EntityId, error: &ApiError) -> Self {
        let mut this = Self::tenant(tenant, error);
        this.0.message = format!("{tenant}: {id}: {error}");
        if error.status() == Some(404) {
            this.0.exit = exit::ROWS;
        }
        this
    }

    /// A tenant could not be planned.
    pub(super) fn unplanned(tenant: &str, failure: &TenantFailure) -> Self {
        let mut this =
            Self::new(exit::SETUP, &failure.class, "tenant", format!("{tenant}: {}", failure.message));
        this.0.tenant = Some(tenant.to_owned());
        this.0.http_status = failure.http_status;
        this.0.retryable = failure.retryable;
        this
    }

    /// Some tenants cannot be worked on; `first` is what the first of them failed with.
    pub(super) fn tenants(exit: u8, first: &TenantFailure, message: impl Into<String>) -> Self {
        let mut this = Self::new(exit, &first.class, "tenant", message);
        this.0.http_status = first.http_status;
        this.0.retryable = first.retryable;
        this
    }

    /// The same as the failure of one tenant, beside which others may go on.
    pub(super) fn into_failure(self) -> TenantFailure {
        let Facts { class, message, problems, http_status, retryable, .. } = *self.0;
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let message = if said.is_empty() { message } else { said.join("; ") };
        TenantFailure { message, class, http_status, retryable }
    }

    /// Another run holds the lock of every tenant.
    pub(super) fn locked(message: impl Into<String>) -> Self {
        let mut this = Self::new(exit::LOCKED, "conflict", "locked", message);
        this.0.retryable = true;
        // Who has waited already may do so again; a flag that is given twice would be refused.
        this.next(if output::gives("--lock-wait") {
            output::command_line()
        } else {
            output::command_line_with(&["--lock-wait=10m"])
        })
    }

    /// A signal came before anything was sent.
    pub(super) fn interrupted() -> Self {
        Self::new(exit::INTERRUPTED, "unknown", "interrupted", "interrupted; nothing was written")
    }

    /// A plan or a run that cannot be used as it is.
    pub(super) fn unusable(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, "validation", "plan", message).next(output::verb_line("plan --help"))
    }

    /// The record of a run that cannot be trusted.
    pub(super) fn damaged(message: impl Into<String>) -> Self {
        let message = format!("{}; what became of its rows cannot be told from it", message.into());
        Self::new(exit::REFUSED, "validation", JOURNAL, message).next(output::verb_line("runs"))
    }

    /// Says what to type next where the record of a run is damaged.
    #[must_use]
    pub(super) fn instead(self, command: impl FnOnce() -> String) -> Self {
        if self.0.reason == JOURNAL { self.next(command()) } else { self }
    }

    /// A guard said no.
    pub(super) fn refused(refusals: &[Refusal]) -> Self {
        let lines: Vec<String> = refusals.iter().map(|r| format!("{}\n  {}", r.what, r.help)).collect();
        Self::new(
            exit::REFUSED,
            "usage",
            "guard",
            format!("refused, nothing was written: {}", lines.join("\n")),
        )
        .next(output::look_line())
    }

    /// Nobody consented.
    pub(super) fn no_consent(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, "usage", "no_consent", message)
    }

    /// What went wrong, in words.
    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    /// Names the tenant it is about.
    #[must_use]
    pub(super) fn of_tenant(mut self, tenant: &str) -> Self {
        self.0.tenant = Some(tenant.to_owned());
        self
    }

    /// Says what to type next.
    #[must_use]
    pub(super) fn next(mut self, command: impl Into<String>) -> Self {
        self.0.next = Some(command.into());
        self
    }

    /// Prints it, and returns the exit code.
    pub(super) fn report(&self, output: &Output) -> u8 {
        if output.json() {
            output.error(&self.0.json().to_string());
        } else if output.quiet() {
            output.error(&self.0.line());
        } else {
            output.error(&self.0.text());
        }
        self.0.exit
    }
}

impl Facts {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.problems.is_empty() {
            parts.push(problems::render(&self.problems));
            parts.push(String::new());
        }
        parts.push(format!("{} {}", term::paint(term::BAD, "error:"), term::safe_lines(&self.message)));
        let next = self.next.clone().unwrap_or_else(output::command_line);
        parts.push(format!("next:  {next}"));
        parts.join("\n")
    }

    /// Everything in one line, as mails from a timer want it; only mistakes in a file take more.
    fn line(&self) -> String {
        if !self.problems.is_empty() {
            return self.text();
        }
        let message = term::safe_lines(&self.message);
        let message: Vec<&str> = message.lines().map(str::trim).collect();
        let next = self.next.clone().unwrap_or_else(output::command_line);
        format!("{} {}; next: {next}", term::paint(term::BAD, "error:"), message.join("; "))
    }

    fn json(&self) -> serde_json::Value {
        let problems: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        let message = if problems.is_empty() { self.message.clone() } else { problems.join("\n") };
        json!({ "error": {
            "class": self.class,
            "reason": self.reason,
            "message": message,
            "tenant": self.tenant,
            "http_status": self.http_status,
            "retryable": self.retryable,
        }})
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        if error.cause.kind() == std::io::ErrorKind::WouldBlock {
            // Nothing waits for that: `runs` tells when it is over.
            return Self::locked(error.to_string()).next(output::verb_line("runs"));
        }
        Self::setup(format!("{error}; choose another place with --state-dir"))
    }
}

impl From<SecretError> for CliError {
    fn from(error: SecretError) -> Self {
        let message = format!("{error}; {}", error.help);
        Self::new(exit::SETUP, "auth", "credentials", message)
    }
}

impl From<SelectError> for CliError {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Usage(problems) => {
                Self::new(exit::USAGE, "usage", "tenant", "no tenant was chosen that can be used")
                    .with(problems)
            }
            SelectError::Configuration(problem) => {
                Self::new(exit::SETUP, "auth", "credentials", "no usable credentials; nothing was sent")
                    .with(vec![problem])
            }
        }
    }
}
