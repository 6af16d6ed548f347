//! What a sandbox is asked to be. Central type: [`Options`].

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::faults::Faults;
use super::logs::LogOptions;
use super::public_key::PublicKey;
use super::target::{calls, delete_scope};
use super::tier::Tier;
use crate::catalogue::{Kind, kinds};
use crate::model::{Body, Scopes};

/// How long a tenant takes to answer: evenly between `mean - spread` and `mean + spread`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// The middle.
    pub mean: Duration,
    /// The most that an answer is earlier or later; no answer comes before its request.
    pub spread: Duration,
}

/// A text that says no latency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no latency; write milliseconds, with or without a spread: `390ms`, `390ms,200ms`")]
pub struct LatencyError(String);

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let read = |part: &str| part.trim().strip_suffix("ms")?.parse().ok().map(Duration::from_millis);
        let (mean, spread) = text.split_once(',').unwrap_or((text, "0ms"));
        let parts = read(mean).zip(read(spread));
        let (mean, spread) = parts.ok_or_else(|| LatencyError(text.to_owned()))?;
        Ok(Self { mean, spread })
    }
}

impl Latency {
    /// The latency of one request; `luck` is uniform in 0..1.
    pub(super) fn draw(self, luck: f64) -> Duration {
        let seconds = self.mean.as_secs_f64() + self.spread.as_secs_f64() * (2.0 * luck - 1.0);
        Duration::from_secs_f64(seconds.max(0.0))
    }
}

/// What `x-ratelimit-reset` says. Both readings are in circulation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reset {
    /// The second at which the bucket is full again.
    #[default]
    Full,
    /// The second at which the next call fits.
    Next,
}

/// A word that is no reading of `x-ratelimit-reset`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no reading of x-ratelimit-reset; there are `full` and `next`")]
pub struct ResetError(String);

impl FromStr for Reset {
    type Err = ResetError;

    fn from_str(text: &str) -> Result<Self, ResetError> {
        match text {
            "full" => Ok(Self::Full),
            "next" => Ok(Self::Next),
            _ => Err(ResetError(text.to_owned())),
        }
    }
}

/// What a sandbox is asked to be. The default is one enterprise tenant of 100 clients that answers at once and never fails.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many clients are made up, beside the global client and the runner's own.
    pub clients: usize,
    /// How many tenants, each on a port of its own.
    pub tenants: usize,
    /// Everything made up or left to chance follows from it.
    pub seed: u64,
    /// The rate limits.
    pub tier: Tier,
    /// How long answers take.
    pub latency: Latency,
    /// What goes wrong.
    pub faults: Faults,
    /// The scopes that tokens carry.
    pub scopes: Vec<String>,
    /// How long a token is good for.
    pub token_lifetime: Duration,
    /// The port of the first tenant, the next ones following; free ports where none is given.
    pub port: Option<u16>,
    /// Whether tenants listen with TLS, with a certificate for `localhost`, `127.0.0.1` and `::1` from a certificate authority of their own.
    pub tls: bool,
    /// Clients that become the state of every tenant in place of made-up ones: a list as the API answers it.
    pub load: Option<Vec<Body>>,
    /// How many objects of other kinds are made up, by the kind's name; of those that are not named a few.
    pub objects: BTreeMap<String, usize>,
    /// Objects of other kinds, by the kind's name, that become the state of every tenant in place of made-up ones.
    pub load_objects: BTreeMap<String, Vec<Body>>,
    /// The reading of `x-ratelimit-reset`.
    pub reset: Reset,
    /// Whether 400, 401 and 404 carry rate-limit headers too; recorded ones do not.
    pub headers_on_errors: bool,
    /// Seconds that the tenants' clocks are ahead of this machine's.
    pub clock_skew: i64,
    /// How the tenants' logs behave.
    pub log: LogOptions,
    /// The key that the runner's own client signs in by, in place of its secret. Its private half is the runner's.
    pub public_key: Option<PublicKey>,
}

/// Scopes of the simulated API beside those that the catalogue names: of keys and credentials of clients, and of the log.
const BESIDE: [&str; 8] = [
    "read:client_keys",
    "update:client_keys",
    "read:client_credentials",
    "create:client_credentials",
    "update:client_credentials",
    "delete:client_credentials",
    "update:client_token_vault_privileged_access",
    "read:logs",
];

/// Every scope that a simulated tenant knows, but for `read:client_summary`, which the others hold.
pub fn known_scopes() -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let beside = BESIDE.iter().map(|scope| (*scope).to_owned());
    for scope in kinds().flat_map(scopes_of).chain(beside) {
        if !known.contains(&scope) {
            known.push(scope);
        }
    }
    known
}

/// The scopes that calls about a kind need.
fn scopes_of(kind: &'static Kind) -> Vec<String> {
    let endpoint = &kind.endpoint;
    let Scopes { read, update, create } = &endpoint.scopes;
    let mut scopes: Vec<String> = [read, update, create].into_iter().flatten().cloned().collect();
    scopes.extend(delete_scope(endpoint));
    for association in &endpoint.associations {
        scopes.extend(association.read_scopes.iter().cloned());
        scopes.extend(calls(association).flat_map(|call| call.scopes.iter().cloned()));
    }
    for field in kind.root().fields.values() {
        scopes.extend(field.scope.iter().chain(&field.read_scopes).cloned());
    }
    scopes
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clients: 100,
            tenants: 1,
            seed: 1,
            tier: Tier::default(),
            latency: Latency::default(),
            faults: Faults::default(),
            scopes: known_scopes(),
            token_lifetime: Duration::from_secs(86_400),
            port: None,
            tls: false,
            load: None,
            objects: BTreeMap::new(),
            load_objects: BTreeMap::new(),
            reset: Reset::default(),
            headers_on_errors: false,
            clock_skew: 0,
            log: LogOptions::default(),
            public_key: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_milliseconds_with_or_without_a_spread() {
        let latency: Latency = "390ms, 200ms".parse().unwrap();
        let ms = |luck| latency.draw(luck).as_millis();
        assert_eq!((ms(0.0), ms(0.5), ms(1.0)), (190, 390, 590));
        assert_eq!(
            "5ms,9ms".parse::<Latency>().unwrap().draw(0.0),
            Duration::ZERO,
            "no answer before its request"
        );
        for text in ["", "390", "1s", "390ms,", "-1ms"] {
            assert!(text.parse::<Latency>().unwrap_err().to_string().contains("`390ms,200ms`"), "{text}");
        }
    }
}
