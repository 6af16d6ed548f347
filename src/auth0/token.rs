//! One access token for all workers of a tenant. Central types: [`TokenSource`], and [`Grant`] for callers.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use serde_json::Value;
use tokio::time::Instant;

use crate::model::Secret;

use super::access::{Access, Credential};
use super::assertion::Signer;
use super::claims::{Claims, scopes_in};
use super::courier::Courier;
use super::error::ApiError;
use super::ready;
use super::sign_in::{self, Answer, Desk};

/// A token is renewed so long before its end, or a tenth of its life, whichever is less.
const MARGIN: Duration = Duration::from_secs(60);
/// Life of a token whose answer does not say (Auth0's default for the Management API).
const DEFAULT_LIFE: Duration = Duration::from_secs(86_400);

/// What the token allows, as far as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its scopes; none where neither the answer nor the token tells them.
    pub scopes: Option<BTreeSet<String>>,
    /// When it ends, where that is known. A renewable token is renewed before.
    pub expires: Option<Timestamp>,
}

/// A token in use.
pub(crate) struct Token {
    bearer: HeaderValue,
    grant: Grant,
    /// From when it is to be replaced; never for a ready-made one.
    stale_from: Option<Instant>,
    /// Obtained because the one before was refused.
    after_refusal: bool,
    accepted: AtomicBool,
}

impl Token {
    /// A text in which the token cannot be read: a server may quote what it refuses.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let token = self.bearer.to_str().ok().and_then(|bearer| bearer.strip_prefix("Bearer "));
        token.map_or_else(|| text.to_owned(), |token| text.replace(token, "…"))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn bearer(&self) -> &HeaderValue {
        &self.bearer
    }

    /// The API has taken it.
    pub(crate) fn accept(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    fn is_stale(&self) -> bool {
        self.stale_from.is_some_and(|from| Instant::now() >= from)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("grant", &self.grant).finish_non_exhaustive()
    }
}

type Fetch = Shared<BoxFuture<'static, Result<Arc<Token>, ApiError>>>;

enum State {
    Empty { after_refusal: bool },
    Fetching(Fetch),
    Held(Arc<Token>),
}

/// Hands out the token, and sees to it that all workers together ask for one once.
pub(crate) struct TokenSource {
    access: Access,
    courier: Arc<Courier>,
    agent: HeaderValue,
    state: Mutex<State>,
}

impl TokenSource {
    pub(crate) fn new(access: Access, courier: Arc<Courier>, agent: HeaderValue) -> Self {
        Self { access, courier, agent, state: Mutex::new(State::Empty { after_refusal: false }) }
    }

    /// The token to use now. Many callers share one request.
    pub(crate) async fn current(&self) -> Result<Arc<Token>, ApiError> {
        let fetch = match self.held_or_fetch() {
            Ok(token) => return Ok(token),
            Err(fetch) => fetch,
        };
        let result = fetch.clone().await;
        let mut state = self.state();
        if matches!(&*state, State::Fetching(current) if current.ptr_eq(&fetch)) {
            *state = match &result {
                Ok(token) => State::Held(Arc::clone(token)),
                Err(_) => State::Empty { after_refusal: false },
            };
        }
        result
    }

    /// What the token allows.
    pub(crate) async fn grant(&self) -> Result<Grant, ApiError> {
        Ok(self.current().await?.grant.clone())
    }

    /// The API has refused `token` (401). Afterwards [`current`](Self::current) gives another one.
    ///
    /// # Errors
    /// Where another one cannot be had or would not help: the token was given, or is itself the answer to a refusal.
    pub(crate) fn refused(&self, token: &Arc<Token>, message: &str) -> Result<(), ApiError> {
        let ready_made = matches!(self.access.credential, Credential::Token(_));
        let fresh = token.after_refusal && !token.accepted.load(Ordering::Relaxed);
        if ready_made || fresh {
            return Err(ApiError::Unauthorized { message: message.to_owned(), ready_made });
        }
        let mut state = self.state();
        if matches!(&*state, State::Held(held) if Arc::ptr_eq(held, token)) {
            *state = State::Empty { after_refusal: true };
        }
        Ok(())
    }

    fn held_or_fetch(&self) -> Result<Arc<Token>, Fetch> {
        let mut state = self.state();
        let after_refusal = match &*state {
            State::Held(token) if !token.is_stale() => return Ok(Arc::clone(token)),
            State::Fetching(fetch) => return Err(fetch.clone()),
            State::Held(_) => false,
            State::Empty { after_refusal } => *after_refusal,
        };
        let fetch = self.fetch(after_refusal).shared();
        *state = State::Fetching(fetch.clone());
        Err(fetch)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The guarded code does not panic; should it ever, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(&self, after_refusal: bool) -> BoxFuture<'static, Result<Arc<Token>, ApiError>> {
        let desk = Desk {
            courier: Arc::clone(&self.courier),
            agent: self.agent.clone(),
            audience: self.access.audience.clone(),
        };
        let answer = match &self.access.credential {
            Credential::Token(secret) => {
                let token = ready_made(&self.access, secret);
                return async move { token.map(Arc::new) }.boxed();
            }
            Credential::ClientSecret { client_id, secret } => {
                desk.by_secret(client_id.clone(), secret.clone()).boxed()
            }
            Credential::PrivateKey { client_id, key } => {
                let signer = Signer::new(client_id, &self.access.domain, key);
                desk.by_key(client_id.clone(), signer).boxed()
            }
        };
        async move {
            let (answer, asked) = answer.await?;
            issued(answer, asked, after_refusal).map(Arc::new)
        }
        .boxed()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("access", &self.access).finish_non_exhaustive()
    }
}

/// Seconds, as a number or as a text.
fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    Duration::try_from_secs_f64(number?).ok()
}

fn issued(answer: Answer, asked: Instant, after_refusal: bool) -> Result<Token, ApiError> {
    let life = seconds(&answer.expires_in).unwrap_or(DEFAULT_LIFE).min(DEFAULT_LIFE * 30);
    let claims = Claims::of(&answer.access_token);
    let grant = Grant {
        scopes: scopes_in(&answer.scope).or_else(|| claims.scopes()),
        expires: claims.expires().or_else(|| wall_clock().checked_add(life).ok()),
    };
    let stale_from = asked + life.saturating_sub(MARGIN.min(life / 10));
    let bearer = bearer(&Secret::new(answer.access_token))?;
    Ok(Token { bearer, grant, stale_from: Some(stale_from), after_refusal, accepted: AtomicBool::new(false) })
}

/// What the token endpoint's answer allows.
pub(super) fn granted(body: &[u8]) -> Result<Grant, ApiError> {
    issued(sign_in::answer(body).map_err(ApiError::Malformed)?, Instant::now(), false)
        .map(|token| token.grant)
}

fn ready_made(access: &Access, secret: &Secret) -> Result<Token, ApiError> {
    let claims = Claims::of(secret.expose());
    ready::check(access, &claims, wall_clock())?;
    let grant = Grant { scopes: claims.scopes(), expires: claims.expires() };
    let bearer = bearer(secret)?;
    Ok(Token { bearer, grant, stale_from: None, after_refusal: false, accepted: AtomicBool::new(false) })
}

fn bearer(token: &Secret) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim())).map_err(|_| {
        ApiError::Setup(
            "the access token holds characters that no token has; was a file or a line break copied with it?"
                .to_owned(),
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one look at the wall clock here: when a token ends, for people to read and to use none that has ended"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
