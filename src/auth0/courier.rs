//! What every request to one tenant needs: the connections, the rules for trying again, and whom to tell. Central type:
//! [`Courier`]; the loop that uses them is in `send.rs`.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::model::event::ProgressSink;
use crate::model::{Progress, TenantName};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::error::ApiError;
use super::limiter::Limiter;
use super::send::Round;
use super::settings::{Backoff, Settings};
use super::token::TokenSource;
use super::transport::{Call, Transport};
use super::write::{Settled, Settlement};

/// What a request to the API needs and a token request does not: a token, and the tenant's leave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane<'a> {
    pub(crate) tokens: &'a TokenSource,
    pub(crate) limiter: &'a Limiter,
    /// Turns true when nothing more may be sent.
    pub(crate) halt: Option<&'a watch::Receiver<bool>>,
    /// Turns true when nothing may be tried a second time any more.
    pub(crate) hurry: Option<&'a watch::Receiver<bool>>,
}

/// Reads the body of a success, or says what is wrong with it.
pub(crate) type Parse<'a, T> = &'a (dyn Fn(&[u8]) -> Result<T, String> + Send + Sync);
/// Asks what became of a write whose answer was lost.
pub(crate) type Settle<'a, T> = &'a (dyn Fn() -> BoxFuture<'a, Result<Settled<T>, ApiError>> + Send + Sync);

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Delivery<T> {
    pub(crate) result: Result<T, ApiError>,
    pub(crate) attempts: u32,
    pub(crate) waited: Duration,
    pub(crate) settlement: Settlement,
    /// Status of the success, where one was answered.
    pub(crate) status: Option<u16>,
}

/// Sends requests to one tenant, as often as they deserve.
pub(crate) struct Courier {
    transport: Transport,
    /// Bounds the requests in flight, those for tokens and those that read included.
    room: Semaphore,
    max_retries: u32,
    backoff: Backoff,
    dice: Mutex<fastrand::Rng>,
    tenant: TenantName,
    progress: ProgressSink,
}

impl Courier {
    pub(crate) fn new(
        transport: Transport,
        settings: &Settings,
        tenant: TenantName,
        progress: ProgressSink,
    ) -> Self {
        let dice = Mutex::new(fastrand::Rng::with_seed(settings.seed));
        Self {
            transport,
            room: Semaphore::new(settings.concurrency.max(1)),
            max_retries: settings.max_retries,
            backoff: settings.backoff,
            dice,
            tenant,
            progress,
        }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Waits until another request may be in flight; it is until the answer has been read. In the order of asking.
    pub(crate) async fn room(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed; should that ever change, the bound is lost and nothing else.
        self.room.acquire().await.ok()
    }

    /// Sends `call` until it is answered for good.
    pub(crate) async fn deliver<'a, T: Send>(
        &'a self,
        call: &'a Call,
        lane: Option<Lane<'a>>,
        parse: Parse<'a, T>,
        settle: Option<Settle<'a, T>>,
    ) -> Delivery<T> {
        Round::new(self, call, lane, parse, settle).deliver().await
    }

    /// Exponential backoff with full jitter; `Retry-After` is a lower bound.
    pub(crate) fn pause_before(&self, retry: u32, retry_after: Option<Duration>) -> Duration {
        let top =
            self.backoff.base.saturating_mul(1 << retry.saturating_sub(1).min(16)).min(self.backoff.cap);
        let share = self.dice.lock().unwrap_or_else(PoisonError::into_inner).f64();
        top.mul_f64(share).max(retry_after.unwrap_or_default())
    }

    pub(crate) fn max_retries(&self) -> u32 {
        self.max_retries
    }

    pub(crate) fn tell_throttled(&self) {
        self.progress.tell(Progress::Throttled { tenant: self.tenant.clone() });
    }

    pub(crate) fn tell_retry(&self, wait: Duration, cause: String) {
        self.progress.tell(Progress::Retry { tenant: self.tenant.clone(), wait, cause });
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}
