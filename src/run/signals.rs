//! Ctrl-C, SIGTERM and SIGHUP: the first finishes what is in flight, the second stops at once.

use super::Stop;
use crate::model::StopReason;

/// Listens until dropped, and raises `stop` when a signal comes; `told` is called at the first.
///
/// # Errors
/// Where the system does not let handlers be installed.
pub fn listen(
    stop: Stop,
    told: impl FnOnce() + Send + 'static,
) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let mut signals = Signals::install()?;
    Ok(tokio::spawn(async move {
        signals.next().await;
        stop.raise(StopReason::Interrupted);
        told();
        signals.next().await;
        stop.raise(StopReason::Killed);
    }))
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// None where whoever started this process had it ignored: `nohup` means that a closed terminal is no reason to stop.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) {
        let hangup = futures::future::OptionFuture::from(self.hangup.as_mut().map(|hangup| hangup.recv()));
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
            Some(_) = hangup => (),
        }
    }
}

/// As the system tells of this process, where it tells such things (Linux): a bit a signal, SIGHUP the lowest.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
