//! One run per tenant at a time: the tenants' locks, taken before the first read and held to the report.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::connect::Session;
use super::error::CliError;
use super::output::{self, Output};
use crate::model::TenantName;
use crate::report::term;
use crate::store::lock::{Asked, Holder, Lock, ask};

/// Between two attempts.
const EVERY: Duration = Duration::from_millis(100);

/// The locks of a command. Dropped, they are free.
#[derive(Debug, Default)]
pub(super) struct Locks {
    _held: Vec<Lock>,
    /// Tenants whose lock another run holds, with words for it.
    refused: Vec<(TenantName, String)>,
}

impl Locks {
    /// Who holds the lock of a tenant, where it is not ours.
    pub(super) fn refused(&self, tenant: &TenantName) -> Option<&str> {
        self.refused.iter().find(|(of, _)| of == tenant).map(|(_, words)| words.as_str())
    }
}

/// Takes the lock of each tenant, in the order of their domains, so that two commands never wait for each other in a
/// circle. One that stays held leaves out its tenant alone.
///
/// # Errors
/// Where every lock is held: nothing can be done then (exit code 6).
pub(super) async fn take(
    session: &Session,
    wait: Option<Duration>,
    output: &Output,
) -> Result<Locks, CliError> {
    let mut locks = Locks::default();
    if session.sandbox.is_some() {
        // Nobody else can reach a tenant inside this process.
        return Ok(locks);
    }
    let me = Holder {
        pid: std::process::id(),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        since: now(),
        command: output::short_line(),
    };
    let until = Instant::now() + wait.unwrap_or_default();
    let mut targets: Vec<_> = session.targets.iter().collect();
    targets.sort_by(|a, b| a.domain.cmp(&b.domain));
    for target in &targets {
        let mut told = false;
        let asked = loop {
            match ask(&session.state, &target.domain, &me)? {
                Asked::Held(holder) if Instant::now() < until => {
                    if !told {
                        output.note(&format!("waiting for {}: {}", target.domain, who(holder)));
                        told = true;
                    }
                    tokio::time::sleep(EVERY).await;
                }
                asked => break asked,
            }
        };
        match asked {
            Asked::Taken(lock) => locks._held.push(lock),
            Asked::Held(holder) => {
                let words = format!("{}: another run holds the lock: {}", target.domain, who(holder));
                locks.refused.push((target.tenant.clone(), words));
            }
        }
    }
    if locks.refused.len() == targets.len() {
        let words: Vec<&str> = locks.refused.iter().map(|(_, words)| words.as_str()).collect();
        return Err(CliError::locked(words.join("\n")));
    }
    Ok(locks)
}

fn who(holder: Option<Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |holder| term::safe(&holder.to_string()))
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock of its locks")]
fn now() -> Timestamp {
    Timestamp::now()
}
