//! One tenant: its address, its token, its pace. Central type: [`Connection`].

use std::fmt;
use std::sync::Arc;

use reqwest::header::HeaderValue;

use crate::model::event::{Pace, ProgressSink};
use crate::model::{EntityId, Measured, TenantName};

use super::access::Access;
use super::courier::{Courier, Lane};
use super::error::ApiError;
use super::limiter::Limiter;
use super::read::Reader;
use super::rehearsal::{Conditions, Rehearsal};
use super::settings::Settings;
use super::token::TokenSource;
use super::transport::Transport;

/// A tenant as it is talked to: one per tenant and run, cheap to clone. All readers and writers made from it share one
/// token and one pace.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

/// What readers and writers of one tenant share.
pub(crate) struct Shared {
    pub(crate) tenant: TenantName,
    pub(crate) agent: HeaderValue,
    pub(crate) user_agent: String,
    pub(crate) courier: Arc<Courier>,
    pub(crate) progress: ProgressSink,
    tokens: TokenSource,
    limiter: Limiter,
    log_limiter: Limiter,
    own_client: Option<EntityId>,
}

impl Shared {
    pub(crate) fn lane(&self) -> Lane<'_> {
        Lane { tokens: &self.tokens, limiter: &self.limiter, halt: None, hurry: None }
    }

    /// For reads of the log, which have a limit of their own on some tiers (Auth0, "Rate Limit Configurations").
    pub(crate) fn log_lane(&self) -> Lane<'_> {
        Lane { limiter: &self.log_limiter, ..self.lane() }
    }
}

impl Connection {
    /// Prepares a connection. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`ApiError::Setup`] where the HTTP client cannot be built: no trusted certificates on this machine, an unusable proxy
    /// setting or user agent.
    pub fn open(
        tenant: TenantName,
        access: Access,
        settings: Settings,
        progress: ProgressSink,
    ) -> Result<Self, ApiError> {
        let transport = Transport::new(&access.domain, &settings)?;
        let agent = agent_header(&settings.user_agent)?;
        let courier = Arc::new(Courier::new(transport, &settings, tenant.clone(), progress.clone()));
        let limiter = Limiter::new(&settings, tenant.clone(), progress.clone());
        let log_limiter = limiter.beside(&settings);
        let own_client = access.own_client();
        let tokens = TokenSource::new(access, Arc::clone(&courier), agent.clone());
        let user_agent = settings.user_agent;
        Ok(Self(Arc::new(Shared {
            tenant,
            agent,
            user_agent,
            courier,
            progress,
            tokens,
            limiter,
            log_limiter,
            own_client,
        })))
    }

    /// What can read the tenant, and nothing else.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.0), self.0.agent.clone())
    }

    /// The client that signs in, where it is known.
    pub fn own_client(&self) -> Option<&EntityId> {
        self.0.own_client.as_ref()
    }

    /// What is known of the tenant's rate limit. Where reads and writes have limits of their own, that of writes.
    pub fn pace(&self) -> Pace {
        self.0.limiter.pace()
    }

    /// Seconds by which the tenant's clock is ahead of ours, to about one; below zero where it is behind. `None` until an
    /// answer told its date.
    pub fn clock_ahead(&self) -> Option<f64> {
        self.0.courier.transport().clock_ahead()
    }

    /// What was measured of the limit and of the way to the tenant.
    pub fn measured(&self) -> Measured {
        self.0.limiter.measured()
    }

    /// What is to come, in virtual time: nothing is sent, and nothing changes here.
    pub fn rehearsal(&self, conditions: &Conditions, seed: u64) -> Rehearsal {
        Rehearsal::new(self.0.limiter.stand(), conditions, seed)
    }

    /// How many writes in flight the tenant's pace and latency need, as known now.
    pub fn in_flight_needed(&self) -> usize {
        self.0.limiter.in_flight_needed()
    }

    /// Tells how many requests are still to be answered, so that the last of them need not save tokens for more.
    pub fn expect(&self, requests: u64) {
        self.0.limiter.expect(requests);
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

/// A `User-Agent`.
pub(crate) fn agent_header(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|_| ApiError::Setup(format!("{text:?} cannot be a user agent")))
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("tenant", &self.0.tenant)
            .field("tokens", &self.0.tokens)
            .finish_non_exhaustive()
    }
}
