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
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn install() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hangup.recv() => (),
        }
    }
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
