//! One HTTP exchange with one tenant; no retries here. Central type: [`Transport`].

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, Method, Request, Response, Url};

use crate::model::Domain;

use super::classify::CallKind;
use super::error::ApiError;
use super::network::{NetworkFailure, innermost};
use super::rate_headers;
use super::settings::Settings;

/// Most bytes read of one answer: a page of 100 clients is some hundred kilobytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// Idle connections are dropped before servers drop them (30 s), so that a request seldom meets a dead one.
const IDLE: Duration = Duration::from_secs(20);
/// Characters that Auth0 keeps of a correlation id ("Management API Reference").
const CORRELATION_LENGTH: usize = 64;

/// What stays as it is in a segment of a path: RFC 3986's unreserved characters. Ids such as `auth0|…` hold others.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// What a request carries.
pub(crate) enum Payload {
    /// The same each time it is sent.
    Same(Bytes),
    /// Made anew each time, since a server takes it once.
    Fresh(Box<dyn Fn() -> Bytes + Send + Sync>),
}

impl Payload {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Same(bytes) => bytes.clone(),
            Self::Fresh(make) => make(),
        }
    }
}

impl fmt::Debug for Payload {
    /// It may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same(_) => "Same(…)",
            Self::Fresh(_) => "Fresh(…)",
        })
    }
}

/// A request that can be sent any number of times.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) kind: CallKind,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Payload>,
    pub(crate) agent: HeaderValue,
    pub(crate) correlation: Option<HeaderValue>,
    /// How often it is tried again, where not as often as the connection says.
    pub(crate) max_retries: Option<u32>,
}

impl Call {
    /// Method and path, for logs.
    pub(crate) fn line(&self) -> (&str, &str) {
        (self.method.as_str(), self.url.path())
    }

    fn request(&self, bearer: Option<&HeaderValue>) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.agent.clone());
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        if let Some(correlation) = &self.correlation {
            headers.insert(CORRELATION, correlation.clone());
        }
        if let Some(body) = &self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.bytes().into());
        }
        request
    }
}

/// The head of an answer; its body is still to be read.
#[derive(Debug)]
pub(crate) struct Head(Response);

impl Head {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Reads the body to its end. An answer that ends early is a failure, not a short body.
    pub(crate) async fn body(mut self) -> Result<Bytes, NetworkFailure> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.0.chunk().await.map_err(|e| NetworkFailure::within_answer(&e))? {
            if whole.len() + chunk.len() > LARGEST_ANSWER {
                return Err(NetworkFailure::unreadable("the answer is larger than 64 MiB"));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.into())
    }
}

/// Connections to one tenant.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    reached: AtomicBool,
    /// Milliseconds by which the tenant's clock is ahead of ours; the least number where no answer told.
    ahead: AtomicI64,
}

impl Transport {
    /// Prepares connections; opens none.
    pub(crate) fn new(domain: &Domain, settings: &Settings) -> Result<Self, ApiError> {
        let base = Url::parse(&domain.base_url()).map_err(|e| ApiError::Setup(e.to_string()))?;
        let client = settings.clients.of(domain, settings).map_err(|e| unprepared(&e))?;
        let (reached, ahead) = (AtomicBool::new(false), AtomicI64::new(i64::MIN));
        Ok(Self { client, base, reached, ahead })
    }

    /// The address of a path such as `["api", "v2", "clients"]`; each segment is percent-encoded.
    pub(crate) fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        let encoded = segments.into_iter().map(|segment| utf8_percent_encode(segment, SEGMENT).to_string());
        url.set_path(&encoded.collect::<Vec<_>>().join("/"));
        url
    }

    /// Whether the tenant has ever answered.
    pub(crate) fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// What time it is for the tenant, as far as its answers told.
    pub(crate) fn time_there(&self) -> Timestamp {
        let ours = wall_clock();
        let ahead = self.clock_ahead().map_or(0, |seconds| seconds.round() as i64);
        ours.checked_add(jiff::SignedDuration::from_secs(ahead)).unwrap_or(ours)
    }

    /// Seconds by which the tenant's clock is ahead of ours, to about one; below zero where it is behind.
    pub(crate) fn clock_ahead(&self) -> Option<f64> {
        let millis = self.ahead.load(Ordering::Relaxed);
        (millis != i64::MIN).then_some(millis as f64 / 1000.0)
    }

    /// Sends the request once, up to the head of the answer.
    pub(crate) async fn send(
        &self,
        call: &Call,
        bearer: Option<&HeaderValue>,
    ) -> Result<Head, NetworkFailure> {
        let sent = wall_clock();
        let answer = self.client.execute(call.request(bearer)).await;
        let response = answer.map_err(|e| NetworkFailure::before_answer(&e))?;
        self.reached.store(true, Ordering::Relaxed);
        match call.kind {
            CallKind::Read => self.compare_clocks(response.headers(), sent),
            // The first request opens a connection, which makes its trip long: better than nothing, and no more.
            CallKind::Token if self.clock_ahead().is_none() => self.compare_clocks(response.headers(), sent),
            CallKind::Token | CallKind::Write | CallKind::Create => {}
        }
        Ok(Head(response))
    }
}

impl Transport {
    /// The date of an answer is of some instant within its trip, cut to whole seconds.
    fn compare_clocks(&self, headers: &HeaderMap, sent: Timestamp) {
        let Some(date) = rate_headers::date(headers) else { return };
        let ours = (sent.as_millisecond() + wall_clock().as_millisecond()) / 2;
        self.ahead.store(date.as_millisecond() + 500 - ours, Ordering::Relaxed);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tenant's clock is compared with ours, for people to read and for assertions to be in time"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

/// HTTP clients, made when they are first needed and shared by all tenants that are talked to alike: each holds the trusted
/// certificates and a pool of connections, which is kept apart by tenant in any case.
#[derive(Debug, Clone, Default)]
pub struct HttpClients(Arc<Mutex<HashMap<Manner, Client>>>);

/// How tenants are talked to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Manner {
    timeout: Duration,
    connect_timeout: Duration,
    idle_connections: usize,
    through_proxies: bool,
    encrypted: bool,
}

impl HttpClients {
    fn of(&self, domain: &Domain, settings: &Settings) -> reqwest::Result<Client> {
        let manner = Manner {
            timeout: settings.timeout,
            connect_timeout: settings.connect_timeout,
            idle_connections: settings.concurrency.max(1),
            through_proxies: !domain.is_loopback(),
            encrypted: !domain.base_url().starts_with("http:"),
        };
        // A client is in the map whole or not at all.
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&manner) {
            return Ok(client.clone());
        }
        let client = client(&manner)?;
        clients.insert(manner, client.clone());
        Ok(client)
    }
}

/// A correlation id cut to what Auth0 keeps, without what a header cannot hold.
pub(crate) fn correlation(text: &str) -> Option<HeaderValue> {
    let legal = |c: &char| c.is_ascii_graphic();
    let kept: String = text.chars().filter(legal).take(CORRELATION_LENGTH).collect();
    HeaderValue::from_str(&kept).ok().filter(|_| !kept.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that builds clients")]
fn client(manner: &Manner) -> reqwest::Result<Client> {
    provide_cryptography();
    let mut builder = Client::builder()
        .timeout(manner.timeout)
        .connect_timeout(manner.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        // A retry below would send a PATCH twice unseen. What remains is hyper's own: a request that met a dead idle
        // connection before a byte of it was written goes to another one.
        .retry(reqwest::retry::never())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(manner.idle_connections)
        .tcp_keepalive(IDLE)
        .tcp_nodelay(true)
        .referer(false);
    if !manner.through_proxies {
        builder = builder.no_proxy();
    }
    if !manner.encrypted {
        // No certificate will be asked for: spare the time of loading the system's.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// It is of what surrounds the process that no client can be made.
fn unprepared(error: &reqwest::Error) -> ApiError {
    let cause = innermost(error);
    ApiError::Setup(format!("{cause}; check SSL_CERT_FILE, SSL_CERT_DIR and HTTPS_PROXY, where they are set"))
}

/// rustls is compiled with one provider only, ring. Some other part of the process may have chosen before; then that holds.
fn provide_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(domain: &str) -> Transport {
        Transport::new(&Domain::parse(domain).unwrap(), &Settings::default()).unwrap()
    }

    #[test]
    fn ids_are_percent_encoded_into_the_path() {
        let url = transport("http://127.0.0.1:4000").url(["api", "v2", "users", "auth0|a/b?c d"]);
        assert_eq!(url.as_str(), "http://127.0.0.1:4000/api/v2/users/auth0%7Ca%2Fb%3Fc%20d");
    }

    #[test]
    fn https_tenants_can_be_set_up() {
        assert_eq!(
            transport("acme.eu.auth0.com").url(["oauth", "token"]).as_str(),
            "https://acme.eu.auth0.com/oauth/token"
        );
    }

    #[test]
    fn a_correlation_id_is_at_most_64_plain_characters() {
        let long = format!("run\n-é/{}", "9".repeat(80));
        let value = correlation(&long).unwrap();
        assert_eq!(value.len(), 64);
        assert!(value.to_str().unwrap().starts_with("run-/999"));
        assert_eq!(correlation("\n"), None);
    }
}
