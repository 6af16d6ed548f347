//! One simulated tenant, from the server's side: its objects, buckets, tokens, faults and counts. Central type: [`Tenant`].

mod perform;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::assertion::Assertions;
use super::bucket::{Bucket, Taken};
use super::call::{Call, Target};
use super::clients::Clients;
use super::clock::Clock;
use super::counters::{Counters, Tally};
use super::faults::{Effect, FaultState, Faults};
use super::generate::{Maker, mix};
use super::logs::{TenantLog, Write};
use super::oauth::{self, Registered, TokenRequest};
use super::objects::Objects;
use super::options::Options;
use super::populate::populate;
use super::reply::Reply;
use super::store::{Store, lock};
use super::tier::{Apart, Limits};
use super::token::{self, Claims, Issuer};
use super::validate::Validator;
use crate::catalogue::default_kind;
use crate::model::{Body, Domain, Secret};

/// The server's side of a tenant.
pub(super) struct Tenant {
    pub(super) options: Arc<Options>,
    pub(super) clock: Clock,
    pub(super) clients: Clients,
    /// Those of every other kind.
    pub(super) objects: Objects,
    pub(super) tally: Tally,
    log: TenantLog,
    /// Turns true when the sandbox stops, so that hanging requests end.
    pub(super) closing: watch::Receiver<bool>,
    seed: u64,
    pub(super) client_id: String,
    pub(super) secret: Secret,
    authority: String,
    audiences: Vec<String>,
    assertions: Option<Assertions>,
    issuer: Issuer,
    main: Mutex<Bucket>,
    reads: Option<Mutex<Bucket>>,
    logs: Option<Mutex<Bucket>>,
    /// Those of other kinds that are counted apart.
    apart: Vec<(Apart, Mutex<Bucket>)>,
    /// The first API call, with which the clock of limits and traffic starts.
    first_call: OnceLock<Duration>,
    /// Microseconds since the start, at the last one.
    last_call: AtomicU64,
    faults: RwLock<Arc<FaultState>>,
    requests: AtomicU64,
    api_calls: AtomicU64,
    tokens_issued: AtomicU64,
    /// Tokens with a lower number have expired before their time.
    first_good_token: AtomicU64,
}

impl Tenant {
    /// A tenant with its clients. `number` counts from 1; `domain` is where it will be reached.
    pub(super) fn new(
        options: Arc<Options>,
        number: usize,
        domain: &Domain,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let seed = mix(options.seed, number as u64);
        let mut maker = Maker::new(options.seed, number);
        let store = Arc::new(Store::default());
        let runner = populate(&store, &mut maker, &options);
        let text = |key: &str| runner.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let clock = Clock::start(options.clock_skew);
        let bucket = |limits| Mutex::new(Bucket::new(limits, seed));
        let alone = |first| bucket(Limits { first, second: None });
        let objects = Objects::stocked(&options, number, domain, &store, &text("client_id"));
        let tenant = Self {
            clients: Clients {
                store,
                validator: Validator::of(default_kind()),
                maker: Mutex::new(maker),
                url: format!("{}/api/v2/clients", domain.base_url()),
                idle: AtomicU64::default(),
            },
            objects,
            tally: Tally::default(),
            log: TenantLog::new(options.log),
            client_id: text("client_id"),
            secret: Secret::new(text("client_secret")),
            audiences: named(domain, "api/v2/"),
            assertions: options.public_key.clone().map(|key| Assertions::new(key, named(domain, ""))),
            issuer: Issuer::new(mix(seed, 0x746f_6b65)),
            main: bucket(options.tier.main),
            reads: options.tier.reads.map(alone),
            logs: options.tier.logs.map(alone),
            apart: options.tier.apart.iter().map(|apart| (*apart, alone(apart.limit))).collect(),
            first_call: OnceLock::new(),
            last_call: AtomicU64::default(),
            faults: RwLock::new(Arc::new(FaultState::new(Faults::default()))),
            requests: AtomicU64::default(),
            api_calls: AtomicU64::default(),
            tokens_issued: AtomicU64::default(),
            first_good_token: AtomicU64::default(),
            options,
            clock,
            closing,
            seed,
            authority: domain.as_str().to_owned(),
        };
        tenant.set_faults(tenant.options.faults.clone());
        tenant
    }

    /// Replaces what goes wrong, from the next request on.
    pub(super) fn set_faults(&self, faults: Faults) {
        let mut main = lock(&self.main);
        main.set_competing(&faults.competing, self.clock.now());
        main.set_changes(faults.limits.clone());
        drop(main);
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(FaultState::new(faults));
    }

    fn faults(&self) -> Arc<FaultState> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What chance has in store for the next request: its latency, and a number in 0..1 for [`Self::strike`].
    pub(super) fn fate(&self) -> (Duration, f64) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut rng = fastrand::Rng::with_seed(mix(self.seed, number));
        (self.options.latency.draw(rng.f64()), rng.f64())
    }

    /// The fault that strikes a request, if any.
    pub(super) fn strike(&self, call: Call, luck: f64) -> Option<Effect> {
        let struck = self.faults().strike(call, luck);
        if struck.is_some() {
            self.tally.fault();
        }
        struck
    }

    /// Takes a token of the bucket that the call draws on.
    pub(super) fn take(&self, target: &Target) -> Taken {
        let now = self.clock.now();
        self.first_call.get_or_init(|| {
            lock(&self.main).begin(now);
            now
        });
        self.last_call.fetch_max(now.as_micros() as u64, Ordering::Relaxed);
        let taken = lock(self.bucket(target)).take(now);
        if !taken.granted {
            self.tally.throttled.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn bucket(&self, target: &Target) -> &Mutex<Bucket> {
        let call = target.call;
        let reads = self.reads.as_ref().filter(|_| call.reads() && target.is_of_clients());
        let logs = self.logs.as_ref().filter(|_| call.reads_logs());
        let apart = self.apart.iter().find(|(apart, _)| apart.is_for(target)).map(|(_, bucket)| bucket);
        reads.or(logs).or(apart).unwrap_or(&self.main)
    }

    /// The token endpoint.
    pub(super) fn issue(&self, request: &TokenRequest) -> Reply {
        let now = self.clock.unix(self.clock.now()) as i64;
        let decided = oauth::decide(request, &self.audiences, now, |id| self.registered(id));
        let (client_id, audience) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return refusal,
        };
        let lifetime = self.options.token_lifetime.as_secs() as i64;
        let scope = self.options.scopes.join(" ");
        let claims = Claims {
            iss: format!("https://{}/", self.authority),
            sub: format!("{client_id}@clients"),
            aud: audience.to_owned(),
            iat: now,
            exp: now + lifetime,
            scope: scope.clone(),
            gty: "client-credentials".to_owned(),
            azp: client_id.to_owned(),
            jti: self.tokens_issued.fetch_add(1, Ordering::Relaxed).to_string(),
        };
        let body = serde_json::json!({
            "access_token": self.issuer.sign(&claims),
            "scope": scope,
            "expires_in": lifetime,
            "token_type": "Bearer",
        });
        Reply::json(200, &body).header("cache-control", "no-store")
    }

    /// What is stored of a client that asks for a token: one that was deleted, or given other means, gets none.
    fn registered(&self, id: &str) -> Option<Registered<'_>> {
        let client = self.clients.store.get(id)?.read().body();
        let methods = client.get("client_authentication_methods");
        let by_secret = methods.is_none_or(Value::is_null);
        let by_key = methods.is_some_and(|methods| methods.get("private_key_jwt").is_some());
        let secret = client.get("client_secret").and_then(Value::as_str).filter(|_| by_secret);
        let grants = client.get("grant_types").and_then(Value::as_array);
        Some(Registered {
            secret: secret.map(str::to_owned),
            key: self.assertions.as_ref().filter(|_| by_key && id == self.client_id),
            grants: grants.is_some_and(|grants| grants.iter().any(|grant| grant == "client_credentials")),
            authorized: id == self.client_id,
        })
    }

    /// Who calls.
    ///
    /// # Errors
    /// With the answer to send to a caller without a good token.
    pub(super) fn authenticate(&self, authorization: Option<&str>) -> Result<Claims, Reply> {
        let claims = self.issuer.verify(token::bearer(authorization)?).ok_or_else(token::invalid)?;
        let number: u64 = claims.jti.parse().map_err(|_| token::invalid())?;
        self.age_tokens();
        let now = self.clock.unix(self.clock.now());
        if now >= claims.exp as f64 || number < self.first_good_token.load(Ordering::Relaxed) {
            return Err(token::expired());
        }
        Ok(claims)
    }

    /// Counts the call; every so many, all tokens issued until now expire.
    fn age_tokens(&self) {
        let calls = self.api_calls.fetch_add(1, Ordering::Relaxed);
        if let Some(every) = self.faults().faults.expire_token_after
            && calls > 0
            && calls.is_multiple_of(every)
        {
            self.expire_tokens();
        }
    }

    /// Writes an event into the tenant's log.
    pub(super) fn record(&self, write: Write<'_>) {
        self.log.add(write, self.unix_micros());
    }

    /// Makes every event of the log so much older.
    pub(super) fn age_log(&self, by: Duration) {
        self.log.age(by);
    }

    /// The time, as the tenant has it.
    fn unix_micros(&self) -> i64 {
        (self.clock.unix(self.clock.now()) * 1e6) as i64
    }

    /// The tenant's log, oldest event first.
    pub(super) fn events(&self) -> Vec<Body> {
        self.log.all(&self.options.scopes, self.unix_micros())
    }

    /// The log is where the clients are.
    fn logs_url(&self) -> String {
        self.clients.url.strip_suffix("clients").unwrap_or_default().to_owned() + "logs"
    }

    /// Ends every token issued until now.
    pub(super) fn expire_tokens(&self) {
        self.first_good_token.store(self.tokens_issued.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What was seen until now, without the updates themselves.
    pub(super) fn counts(&self) -> Counters {
        let mut counters = self.tally.snapshot();
        let idle = |counted: &AtomicU64| counted.load(Ordering::Relaxed);
        counters.idle = idle(&self.clients.idle) + idle(&self.objects.idle);
        let last = Duration::from_micros(self.last_call.load(Ordering::Relaxed));
        let first = self.first_call.get().copied().unwrap_or_default();
        counters.seconds = last.saturating_sub(first).as_secs_f64();
        let mut main = lock(&self.main);
        main.advance(self.clock.now());
        counters.lowest_tokens = main.lowest;
        counters.competing_served = main.competing_served;
        counters.competing_throttled = main.competing_throttled;
        let apart = self.apart.iter().map(|(_, bucket)| bucket);
        for apart in self.reads.iter().chain(&self.logs).chain(apart) {
            counters.lowest_tokens = counters.lowest_tokens.min(lock(apart).lowest);
        }
        counters
    }
}

/// What is below the tenant's address, by all its names. A caller may have the tenant under either name of this machine, and
/// tools that know a host alone make it `https`.
fn named(domain: &Domain, path: &str) -> Vec<String> {
    let address = domain.as_str();
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let hosts = [address.to_owned(), format!("localhost:{port}")];
    let of = |host: &String| ["https", "http"].map(|scheme| format!("{scheme}://{host}/{path}"));
    hosts.iter().flat_map(of).collect()
}
