//! Writing: the one type that can change a tenant. Central type: [`Writer`].

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde::Serialize;
use tokio::sync::watch;

use crate::model::{Association, Body, Endpoint, Entity, EntityId, RunId, Verb};

use super::associated::AssociationCall;
use super::classify::CallKind;
use super::connection::{Connection, Shared, agent_header};
use super::courier::{Delivery, Lane, Parse, Settle};
use super::error::ApiError;
use super::kept;
use super::read::{Reader, below, collection_path, entity, object_url, with_id};
use super::transport::{Call, Payload, correlation};

/// Writes to one tenant on behalf of one run. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
    agent: HeaderValue,
    halt: watch::Receiver<bool>,
}

/// What the caller found when it read an object whose PATCH got no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled<T = Entity> {
    /// It holds what was sent: this is the stored object.
    Landed(T),
    /// It does not, and the write still makes sense.
    SendAgain,
    /// It does not, and the write makes no sense any more: the original failure stands.
    GiveUp,
}

/// Whether a PATCH needed settling, and how the last time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Every attempt was answered, or certainly not sent.
    NotNeeded,
    /// A read found the write in place: the result is what that read saw.
    Landed,
    /// A read found that the lost attempt had not been carried out; the result is of a later one.
    NotLanded,
    /// A read found neither, and the caller gave up.
    GivenUp,
    /// It could not be found out: the object may or may not hold the write.
    Unknown,
}

/// What became of a write.
#[derive(Debug)]
pub struct Sent<T = Entity> {
    /// The stored object after the write, as far as it was wanted.
    pub result: Result<T, ApiError>,
    /// Requests that write sent, those refused by the rate limit included.
    pub attempts: u32,
    /// Time spent waiting for the rate limit and between attempts.
    pub waited: Duration,
    /// Whether a lost answer had to be looked into.
    pub settlement: Settlement,
    /// Status of the answer that told of the success; none where a read had to tell.
    pub status: Option<u16>,
}

impl Writer {
    /// A writer for `run`, whose id goes into every request's `User-Agent`.
    ///
    /// # Errors
    /// [`ApiError::Setup`] where the run's id cannot stand in a header.
    pub fn open(connection: &Connection, run: &RunId) -> Result<Self, ApiError> {
        let shared = Arc::clone(connection.shared());
        let agent = agent_header(&format!("{} run/{run}", shared.user_agent))?;
        Ok(Self { shared, agent, halt: watch::channel(false).1 })
    }

    /// The same writer, which sends nothing more once `halt` turns true: a write that still waits for the tenant's pace
    /// ends as [`ApiError::Halted`], one that is under way is finished, and one whose answer was lost is still looked at.
    #[must_use]
    pub fn until(mut self, halt: watch::Receiver<bool>) -> Self {
        self.halt = halt;
        self
    }

    /// A reader whose requests carry the run's id as well.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared), self.agent.clone())
    }

    /// A reader that looks what became of a write: also after the run was told to stop, but then only once.
    pub fn settling_reader(&self) -> Reader {
        self.reader().hurried(self.halt.clone())
    }

    /// A reader for what a write is made of: like the write itself it sends nothing more once the run is told to stop.
    pub fn composing_reader(&self) -> Reader {
        self.reader().hurried(self.halt.clone()).until(self.halt.clone())
    }

    /// Changes one object. `id` and `body` go out as they are; of the stored object that is answered the fields that are
    /// `wanted` come back. `trace` becomes `X-Correlation-ID`, of which 64 characters count.
    ///
    /// `settle` is asked when it is unknown whether an attempt was carried out: before any further attempt after a lost
    /// answer, and once at the end where the last word was a server failure. It reads the object and says.
    pub async fn patch<F, Fut>(
        &self,
        endpoint: &Endpoint,
        id: &EntityId,
        (body, wanted): (&Body, &(dyn Fn(&str) -> bool + Sync)),
        trace: &str,
        settle: F,
    ) -> Sent
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<Settled, ApiError>> + Send,
    {
        let url = object_url(self.shared.courier.transport(), endpoint, id);
        let call =
            match url.and_then(|url| self.call((CallKind::Write, endpoint.update), url, Some(body), trace)) {
                Ok(call) => call,
                Err(error) => return Sent::unsent(error),
            };
        let kept = |key: &str| key == endpoint.id_field || wanted(key);
        let parse = |answer: &[u8]| {
            let body = kept::object(answer, &kept).map_err(|_| "it is not a JSON object".to_owned())?;
            same_object(with_id(body, endpoint)?, id)
        };
        let ask = || -> BoxFuture<'_, Result<Settled, ApiError>> { settle().boxed() };
        Sent::of(self.deliver(&call, &parse, &ask).await)
    }

    /// Creates one object; what is stored comes back. `settle` is asked before any further attempt after one that may have been
    /// carried out: it looks for the object, and says.
    pub async fn create<F, Fut>(&self, endpoint: &Endpoint, body: &Body, trace: &str, settle: F) -> Sent
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<Settled, ApiError>> + Send,
    {
        let url = self.shared.courier.transport().url(collection_path(endpoint));
        let call = match self.call((CallKind::Create, Verb::Post), url, Some(body), trace) {
            Ok(call) => call,
            Err(error) => return Sent::unsent(error),
        };
        let ask = || -> BoxFuture<'_, Result<Settled, ApiError>> { settle().boxed() };
        Sent::of(self.deliver(&call, &|answer| entity(answer, endpoint), &ask).await)
    }

    /// Adds to, or takes out of, a list that belongs to an object. The answer says nothing that counts.
    pub async fn associate(
        &self,
        endpoint: &Endpoint,
        association: &Association,
        id: &EntityId,
        step: &AssociationCall<'_>,
        trace: &str,
    ) -> Sent<()> {
        let transport = self.shared.courier.transport();
        let url = below(transport, endpoint, id, &association.path, step.item.as_deref());
        let call =
            url.and_then(|url| self.call((CallKind::Write, step.call.verb), url, step.body.as_ref(), trace));
        match call {
            Ok(call) => self.repeatable(&call).await,
            Err(error) => Sent::unsent(error),
        }
    }

    /// The call that follows a change of an object.
    pub async fn follow(&self, endpoint: &Endpoint, path: &str, id: &EntityId, trace: &str) -> Sent<()> {
        let url = below(self.shared.courier.transport(), endpoint, id, path, None);
        let call = url.and_then(|url| self.call((CallKind::Write, Verb::Post), url, None::<&Body>, trace));
        match call {
            Ok(call) => self.repeatable(&call).await,
            Err(error) => Sent::unsent(error),
        }
    }

    /// A call that leads to the same, however often it is carried out. One whose answer was lost is simply sent again; what a
    /// second one is refused for (there already, gone already) the first has done.
    async fn repeatable(&self, call: &Call) -> Sent<()> {
        let ask =
            || -> BoxFuture<'_, Result<Settled<()>, ApiError>> { async { Ok(Settled::SendAgain) }.boxed() };
        let sent = Sent::of(self.deliver(call, &|_| Ok(()), &ask).await);
        let done_before = matches!(&sent.result, Err(error) if matches!(error.status(), Some(404 | 409)));
        if sent.settlement == Settlement::NotLanded && done_before {
            return Sent { result: Ok(()), ..sent };
        }
        sent
    }

    async fn deliver<'a, T: Send>(
        &'a self,
        call: &'a Call,
        parse: Parse<'a, T>,
        settle: Settle<'a, T>,
    ) -> Delivery<T> {
        let lane = Lane { halt: Some(&self.halt), hurry: Some(&self.halt), ..self.shared.lane() };
        self.shared.courier.deliver(call, Some(lane), parse, Some(settle)).await
    }

    fn call(
        &self,
        (kind, verb): (CallKind, Verb),
        url: Url,
        body: Option<&impl Serialize>,
        trace: &str,
    ) -> Result<Call, ApiError> {
        let printed = body.map(serde_json::to_vec).transpose();
        let body = printed.map_err(|e| ApiError::Setup(format!("the body cannot be written: {e}")))?;
        Ok(Call {
            kind,
            method: match verb {
                Verb::Patch => Method::PATCH,
                Verb::Put => Method::PUT,
                Verb::Post => Method::POST,
                Verb::Delete => Method::DELETE,
            },
            url,
            body: body.map(|body| Payload::Same(body.into())),
            agent: self.agent.clone(),
            correlation: correlation(trace),
            max_retries: None,
        })
    }
}

impl<T> Sent<T> {
    fn of(delivery: Delivery<T>) -> Self {
        let Delivery { result, attempts, waited, settlement, status } = delivery;
        Self { result, attempts, waited, settlement, status }
    }

    fn unsent(error: ApiError) -> Self {
        let (attempts, waited, settlement) = (0, Duration::ZERO, Settlement::NotNeeded);
        Self { result: Err(error), attempts, waited, settlement, status: None }
    }
}

fn same_object(entity: Entity, id: &EntityId) -> Result<Entity, String> {
    if entity.id == *id { Ok(entity) } else { Err(format!("the answer is about {}, not {id}", entity.id)) }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("tenant", &self.shared.tenant)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}
