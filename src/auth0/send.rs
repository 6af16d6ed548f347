//! The one retry loop: every request of the crate goes through [`Round`]. What to do after an exchange is decided by the
//! table in `classify.rs`; here it is done.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::Instant;

use super::answer::ErrorBody;
use super::classify::{CallKind, Ended, Step, step};
use super::courier::{Courier, Delivery, Lane, Parse, Settle};
use super::error::ApiError;
use super::groups::Group;
use super::limiter::Ticket;
use super::network::NetworkFailure;
use super::rate_headers::RateHeaders;
use super::token::Token;
use super::transport::Call;
use super::write::{Settled, Settlement};

/// How long one request goes on being refused by the rate limit before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// Refusals of the token (401) that one request survives, provided that others were accepted meanwhile.
const RENEWALS: u32 = 2;

/// One request on its way through its attempts.
pub(crate) struct Round<'a, T> {
    courier: &'a Courier,
    call: &'a Call,
    lane: Option<Lane<'a>>,
    parse: Parse<'a, T>,
    settle: Option<Settle<'a, T>>,
    attempts: u32,
    retries: u32,
    renewals: u32,
    waited: Duration,
    throttled_since: Option<Instant>,
    /// Some attempt may have been carried out although no success was seen.
    in_doubt: bool,
    settlement: Settlement,
    /// Status of the success.
    status: Option<u16>,
}

/// How one exchange ended.
enum Exchange<T> {
    Success(T),
    Refusal {
        status: u16,
        body: ErrorBody,
        retry_after: Option<Duration>,
    },
    Lost(NetworkFailure),
    /// It was not sent: nothing more may be.
    Halted,
}

/// What is left to do after it was dealt with.
enum Flow<T> {
    Again,
    Done(Result<T, ApiError>),
}

impl<'a, T: Send> Round<'a, T> {
    pub(crate) fn new(
        courier: &'a Courier,
        call: &'a Call,
        lane: Option<Lane<'a>>,
        parse: Parse<'a, T>,
        settle: Option<Settle<'a, T>>,
    ) -> Self {
        Self {
            courier,
            call,
            lane,
            parse,
            settle,
            attempts: 0,
            retries: 0,
            renewals: 0,
            waited: Duration::ZERO,
            throttled_since: None,
            in_doubt: false,
            settlement: Settlement::NotNeeded,
            status: None,
        }
    }

    /// Sends it until it is answered for good.
    pub(crate) async fn deliver(mut self) -> Delivery<T> {
        let result = self.run().await;
        let Self { attempts, waited, settlement, status, .. } = self;
        Delivery {
            result,
            attempts,
            waited,
            settlement,
            status: status.filter(|_| settlement != Settlement::Landed),
        }
    }

    async fn run(&mut self) -> Result<T, ApiError> {
        loop {
            let token = match self.lane {
                Some(lane) => Some(lane.tokens.current().await),
                None => None,
            };
            let flow = match token.transpose() {
                Ok(token) => {
                    let exchange = self.exchange(token.as_deref()).await;
                    self.deal_with(exchange, token.as_ref()).await
                }
                Err(error) => Flow::Done(Err(error)),
            };
            match flow {
                Flow::Again => {}
                Flow::Done(Ok(value)) => return Ok(value),
                Flow::Done(Err(error)) => return self.give_up(error).await,
            }
        }
    }

    /// Sends it once, when the tenant's pace allows.
    async fn exchange(&mut self, token: Option<&Token>) -> Exchange<T> {
        // Held until the answer has been read.
        let (_room, ticket) = match self.lane {
            Some(lane) => match self.take_ticket(lane).await {
                Some((room, ticket)) => (room, Some(ticket)),
                None => return Exchange::Halted,
            },
            None => (self.courier.room().await, None),
        };
        self.attempts += 1;
        let sent = Instant::now();
        let head = match self.courier.transport().send(self.call, token.map(Token::bearer)).await {
            Ok(head) => head,
            Err(failure) => {
                self.log_loss(&failure, sent);
                return Exchange::Lost(failure);
            }
        };
        let status = head.status();
        let rate = RateHeaders::read(head.headers());
        self.log_answer(status, &rate, sent);
        if let Some(ticket) = ticket {
            ticket.answered(status, &rate);
        }
        if let Some(token) = token.filter(|_| status != 401 && status < 500) {
            token.accept();
        }
        let body = head.body().await;
        if (200..300).contains(&status) {
            self.status = Some(status);
            return self.success(body);
        }
        let mut body = ErrorBody::read(&body.unwrap_or_default());
        if let Some(token) = token {
            body.message = token.scrub(&body.message);
            body.code = body.code.map(|code| token.scrub(&code));
        }
        Exchange::Refusal { status, body, retry_after: rate.retry_after }
    }

    /// What `-v` shows: method, path and status. Query, headers and bodies can hold what nobody should read in a log.
    fn log_answer(&self, status: u16, rate: &RateHeaders, sent: Instant) {
        let (method, path) = self.call.line();
        let took = sent.elapsed().as_millis() as u64;
        let remaining = rate.bucket.map(|(_, remaining)| remaining);
        tracing::debug!(method, path, status, took, remaining, attempt = self.attempts, "answered");
    }

    fn log_loss(&self, failure: &NetworkFailure, sent: Instant) {
        let (method, path) = self.call.line();
        let took = sent.elapsed().as_millis() as u64;
        tracing::debug!(
            method,
            path,
            cause = failure.cause.as_str(),
            took,
            attempt = self.attempts,
            "no answer"
        );
    }

    /// Waits for room, and then for the tenant's pace, since a ticket counts as sent; `None` where nothing more may be.
    async fn take_ticket<'l>(&mut self, lane: Lane<'l>) -> Option<(Option<SemaphorePermit<'a>>, Ticket<'l>)> {
        let group = if self.call.kind.is_write() { Group::Write } else { Group::Read };
        let asked = Instant::now();
        let courier = self.courier;
        let leave = async {
            let room = courier.room().await;
            (room, lane.limiter.acquire(group).await)
        };
        let ticket = tokio::select! {
            biased;
            () = halted(lane.halt) => None,
            leave = leave => Some(leave),
        };
        self.waited += asked.elapsed();
        ticket
    }

    /// A success whose body was cut off, or is not what it must be, is a lost answer: nobody knows what it said.
    fn success(&self, body: Result<Bytes, NetworkFailure>) -> Exchange<T> {
        let parsed = body.and_then(|body| (self.parse)(&body).map_err(NetworkFailure::unreadable));
        match parsed {
            Ok(value) => Exchange::Success(value),
            Err(failure) => Exchange::Lost(failure),
        }
    }

    async fn deal_with(&mut self, exchange: Exchange<T>, token: Option<&Arc<Token>>) -> Flow<T> {
        let reached = self.courier.transport().reached();
        match exchange {
            Exchange::Success(value) => Flow::Done(Ok(value)),
            Exchange::Halted => Flow::Done(Err(ApiError::Halted)),
            Exchange::Refusal { status, body, retry_after } => {
                match step(self.call.kind, &Ended::Answered(status), reached) {
                    Step::Throttled => self.throttled(body),
                    Step::Renew => self.renew(token, body),
                    step @ (Step::TryAgain | Step::Settle) => {
                        self.in_doubt = true;
                        self.after_failure(step, status, body, retry_after).await
                    }
                    Step::Fail => self.final_answer(status, body),
                }
            }
            Exchange::Lost(failure) => {
                let step = step(self.call.kind, &Ended::Lost(&failure), reached);
                self.after_loss(step, failure).await
            }
        }
    }

    /// The limiter already knows, and holds everybody back.
    fn throttled(&mut self, body: ErrorBody) -> Flow<T> {
        self.courier.tell_throttled();
        let since = *self.throttled_since.get_or_insert_with(Instant::now);
        if since.elapsed() < PATIENCE {
            return Flow::Again;
        }
        Flow::Done(Err(ApiError::RateLimited { message: body.message, waited: since.elapsed() }))
    }

    fn renew(&mut self, token: Option<&Arc<Token>>, body: ErrorBody) -> Flow<T> {
        self.renewals += 1;
        let (Some(lane), Some(token)) = (self.lane, token) else {
            return Flow::Done(Err(ApiError::of_answer(401, body, self.attempts)));
        };
        match lane.tokens.refused(token, &body.message) {
            Ok(()) if self.renewals <= RENEWALS => {
                self.courier.tell_retry(Duration::ZERO, "401, renewing the token".to_owned());
                Flow::Again
            }
            Ok(()) => Flow::Done(Err(ApiError::of_answer(401, body, self.attempts))),
            Err(error) => Flow::Done(Err(error)),
        }
    }

    async fn after_failure(
        &mut self,
        step: Step,
        status: u16,
        body: ErrorBody,
        retry_after: Option<Duration>,
    ) -> Flow<T> {
        if !self.wait_for_retry(retry_after, || status.to_string()).await {
            return self.final_answer(status, body);
        }
        if step == Step::Settle {
            self.ask(ApiError::of_answer(status, body, self.attempts)).await
        } else {
            Flow::Again
        }
    }

    /// What the token endpoint refuses is about the credential, whatever the status.
    fn final_answer(&self, status: u16, body: ErrorBody) -> Flow<T> {
        let about_credential = self.call.kind == CallKind::Token && status < 500 && status != 408;
        Flow::Done(Err(if about_credential {
            ApiError::TokenRefused { status, error_code: body.code, message: body.message, by_key: false }
        } else {
            ApiError::of_answer(status, body, self.attempts)
        }))
    }

    async fn after_loss(&mut self, step: Step, failure: NetworkFailure) -> Flow<T> {
        let error = ApiError::Network { failure: failure.clone(), attempts: self.attempts };
        self.in_doubt |= step == Step::Settle;
        if step == Step::Fail || !self.wait_for_retry(None, || failure.cause.as_str().to_owned()).await {
            return Flow::Done(Err(error));
        }
        if step == Step::Settle { self.ask(error).await } else { Flow::Again }
    }

    /// Waits before another attempt, unless there were enough. Tells whether there is one.
    async fn wait_for_retry(&mut self, at_least: Option<Duration>, cause: impl FnOnce() -> String) -> bool {
        if self.retries >= self.call.max_retries.unwrap_or(self.courier.max_retries()) {
            return false;
        }
        self.retries += 1;
        let wait = self.courier.pause_before(self.retries, at_least);
        self.courier.tell_retry(wait, cause());
        let asked = Instant::now();
        let hurry = self.lane.and_then(|lane| lane.hurry);
        let goes_on = tokio::select! {
            biased;
            () = halted(hurry) => false,
            () = tokio::time::sleep(wait) => true,
        };
        self.waited += asked.elapsed();
        goes_on
    }

    /// Asks the caller, who reads the object, what became of the write.
    async fn ask(&mut self, error: ApiError) -> Flow<T> {
        let Some(settle) = self.settle else { return Flow::Again };
        // Whatever comes of it, it has been asked: giving up need not ask again.
        self.in_doubt = false;
        match settle().await {
            Ok(Settled::Landed(value)) => {
                self.settlement = Settlement::Landed;
                Flow::Done(Ok(value))
            }
            Ok(Settled::SendAgain) => {
                self.settlement = Settlement::NotLanded;
                Flow::Again
            }
            Ok(Settled::GiveUp) => {
                self.settlement = Settlement::GivenUp;
                Flow::Done(Err(error))
            }
            // The object is gone: whatever was sent to it, this is the state of things.
            Err(asking @ ApiError::NotFound { .. }) => {
                self.settlement = Settlement::NotLanded;
                Flow::Done(Err(asking))
            }
            Err(asking) => {
                self.settlement = Settlement::Unknown;
                Flow::Done(Err(if asking.stops_tenant() { asking } else { error }))
            }
        }
    }

    /// The last word on a failure: a write that may have been carried out is looked at once more before it is called failed.
    async fn give_up(&mut self, error: ApiError) -> Result<T, ApiError> {
        if !self.call.kind.is_write() || !self.in_doubt {
            return Err(error);
        }
        match self.ask(error.clone()).await {
            Flow::Done(result) => result,
            Flow::Again => Err(error),
        }
    }
}

/// Ends when nothing more may be sent; never, where nobody can say so any more.
async fn halted(halt: Option<&watch::Receiver<bool>>) {
    let Some(halt) = halt else { return std::future::pending().await };
    if halt.clone().wait_for(|halted| *halted).await.is_err() {
        std::future::pending::<()>().await;
    }
}
