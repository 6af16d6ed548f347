//! Signals and the deadline, in every phase of a command.

use std::future::Future;

use jiff::ZonedDateTime;

use super::args::Deadline;
use super::error::CliError;
use crate::model::{Progress, StopReason};
use crate::report::progress::Display;
use crate::run::{Stop, signals};

/// The will to stop, raised by signals and by the deadline.
pub(super) struct Interrupt {
    stop: Stop,
}

impl Interrupt {
    /// Listens from here on. Where the system lets no handlers be installed, a signal just ends the process.
    pub(super) fn listen(display: &Display) -> Self {
        let stop = Stop::default();
        let sink = display.sink();
        let listening = signals::listen(stop.clone(), move || sink.tell(Progress::Stopping));
        if let Err(error) = listening {
            tracing::debug!(%error, "signals cannot be received");
        }
        Self { stop }
    }

    /// What a run obeys.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Work that writes nothing: a signal ends it at once.
    pub(super) async fn or<T>(&self, work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
        tokio::select! {
            biased;
            () = self.stop.at_least(StopReason::Interrupted) => Err(CliError::interrupted()),
            done = work => done,
        }
    }

    /// Waits until the time has come.
    pub(super) async fn wait(&self, until: Deadline) {
        if let Some(wait) = until.from(&now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Raises the will to stop when the time has come.
    pub(super) fn at(&self, deadline: Option<Deadline>) {
        let Some(wait) = deadline.and_then(|deadline| deadline.from(&now())) else { return };
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            stop.raise(StopReason::Deadline);
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the clock on the wall that a deadline is read from"
)]
fn now() -> ZonedDateTime {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system())
}
