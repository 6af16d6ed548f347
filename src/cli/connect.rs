//! From flags to connections: which tenants, with whose credentials, at what pace.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::args::{PaceArgs, TenantArgs};
use super::context::state_dir;
use super::error::CliError;
use super::{open_files, shard};
use crate::auth0::{Access, Cap, Connection, Credential, PrivateKey, RateShare, Reserve, Settings};
use crate::config::{
    self, Config, Credentials, Environment, SecretError, SecretSource, Selected, process_environment,
};
use crate::job::{Guards, Threshold, WaveSize};
use crate::model::{Body, Domain, EntityId, Problem, ProgressSink, TagQuery, TenantName};
use crate::plan::{Shard, TagWaves};
use crate::report::progress::Display;
use crate::sandbox::{Options, Sandbox};
use crate::store::{StateDir, paces};

/// Secrets that are fetched at once: a command may ask a password manager, which takes a second.
pub(super) const SECRETS: usize = 8;

/// A tenant chosen for this command.
pub(super) struct Target {
    /// Its name; of a plan or a run that was made earlier, the one that it has there.
    pub(super) tenant: TenantName,
    /// Its name here and now, by which a protected one is confirmed.
    pub(super) known_as: TenantName,
    /// Its domain.
    pub(super) domain: Domain,
    /// Where its credentials came from, for people.
    pub(super) origin: String,
    /// What templates see as `vars`.
    pub(super) vars: Body,
    /// Those of them that say where a secret is kept.
    pub(super) secrets: BTreeMap<String, SecretSource>,
    /// What templates see as `tenant.tags`.
    pub(super) tags: Body,
    /// Whether it asks for its name before anything is written.
    pub(super) protected: bool,
    /// The share of its refill that is never exceeded, 0 to 1.
    pub(super) rate_share: Option<f64>,
    /// The way to it.
    pub(super) connection: Connection,
}

/// Everything a verb that talks to tenants starts from.
pub(super) struct Session {
    /// The tenants, in the order asked for.
    pub(super) targets: Vec<Target>,
    /// What they are a part of, where the chosen tenants were split.
    pub(super) shard: Option<Shard>,
    /// Where runs are kept.
    pub(super) state: StateDir,
    /// Requests in flight per tenant, at the most.
    pub(super) concurrency: usize,
    /// The user's own cap, in requests per second.
    pub(super) rate: Option<f64>,
    /// Guards that the environment and the configuration set: those of both hold.
    pub(super) guards: Vec<Guards>,
    /// Waves over tenants that the environment asks for.
    pub(super) waves_by: Option<TagWaves>,
    /// The tags of all tenants that were chosen, those of other shards included.
    pub(super) tags: Vec<(TenantName, Body)>,
    /// Where the configuration keeps what patchwave signs in with, in any tenant: no job may send that anywhere.
    pub(super) own_places: Vec<SecretSource>,
    /// The tenants of the configuration, chosen or not.
    pub(super) known: Vec<TenantName>,
    /// The environment, for the variables that templates may read.
    pub(super) env: Environment,
    /// Variables that the configuration lets templates read.
    pub(super) allow_env: Vec<String>,
    /// Fields that the configuration lets through.
    pub(super) extra_fields: Vec<String>,
    /// The embedded sandbox, which lives as long as the session.
    pub(super) sandbox: Option<Sandbox>,
}

/// Opens connections to the chosen tenants. Nothing is sent yet. A plan or a run that was made earlier says itself for which
/// tenants it is (`planned`); where tenants are configured and none is chosen, it is theirs.
pub(super) async fn connect(
    tenant: &TenantArgs,
    pace: &PaceArgs,
    planned: &[(TenantName, Domain)],
    display: &Display,
) -> Result<Session, CliError> {
    if tenant.sandbox {
        let settings = settings(pace, pace.concurrency());
        let caps = Caps { rate: pace.rate, share: pace.rate_share };
        return connect_sandbox(tenant, (settings, caps), planned, display).await;
    }
    let Surroundings { env, config } = surroundings(tenant)?;
    let config_guards = config.as_ref().map(config_guards).transpose()?;
    let chosen = chosen(tenant, planned, config.as_ref());
    let selected = config::select(&chosen, &tenant.groups, config.as_ref(), &env)?;
    let own_places = own_places(tenant, config.as_ref(), &selected);
    let known = config.iter().flat_map(|config| config.tenants.keys().cloned()).collect();
    let tags = selected.iter().map(|one| (one.tenant.clone(), one.tags.clone())).collect();
    let (selected, shard) = match shard::part(tenant)? {
        None => (selected, None),
        Some(part) => {
            let (ours, shard) = shard::divide(selected, part);
            (ours, Some(shard))
        }
    };
    if selected.is_empty() {
        return Err(CliError::usage("none of the tenants that this is about falls to this shard"));
    }
    let state = prepared(tenant.state_dir.as_deref(), &env)?;
    let settings = settings(pace, open_files::share(selected.len(), 1, pace.concurrency())?);
    let secrets = stream::iter(&selected).map(|one| config::resolve(one, &env)).buffered(SECRETS);
    let secrets: Vec<Credentials> = secrets.try_collect().await?;
    let learned = paces::recall(&state);
    let mut targets = Vec::new();
    for (one, secret) in selected.iter().zip(secrets) {
        let share = pace.rate_share.or(one.rate_share);
        let settings = shared(&settings, share, learned.get(one.domain.as_str()));
        let target = target_of(one, secret, &settings, display.sink())?;
        targets.push(Target { rate_share: share, ..target });
    }
    let (allow_env, extra_fields) =
        config.map(|config| (config.allow_env, config.extra_fields)).unwrap_or_default();
    Ok(Session {
        targets,
        shard,
        state,
        concurrency: settings.concurrency,
        rate: pace.rate,
        guards: std::iter::once(guards(&env)?).chain(config_guards).collect(),
        waves_by: waves_by(&env)?,
        tags,
        own_places,
        known,
        env,
        allow_env,
        extra_fields,
        sandbox: None,
    })
}

/// The way to a tenant that was selected, with the credentials that it was found to have.
pub(super) fn target_of(
    one: &Selected,
    credentials: Credentials,
    settings: &Settings,
    sink: ProgressSink,
) -> Result<Target, CliError> {
    let credential = match credentials {
        Credentials::Client { client_id, secret } => {
            Credential::ClientSecret { client_id: EntityId::new(client_id), secret }
        }
        Credentials::Key { client_id, key, algorithm, key_id, found } => {
            let key = PrivateKey::read(&key, algorithm, key_id).map_err(|wrong| SecretError {
                tenant: one.tenant.clone(),
                kind: "private key",
                source_text: found,
                cause: wrong.cause,
                help: wrong.help,
            })?;
            Credential::PrivateKey { client_id: EntityId::new(client_id), key }
        }
        Credentials::Token(token) => Credential::Token(token),
    };
    let access = Access { domain: one.domain.clone(), audience: one.audience.clone(), credential };
    Ok(Target {
        protected: one.protected,
        vars: one.vars.clone(),
        secrets: one.secrets.clone(),
        tags: one.tags.clone(),
        ..target(one.tenant.clone(), one.origin.clone(), access, settings, sink)?
    })
}

/// The user's own caps on the pace.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Caps {
    /// Requests per second.
    pub(super) rate: Option<f64>,
    /// Share of the refill, 0 to 1.
    pub(super) share: Option<f64>,
}

/// Starts a sandbox in this process: no credentials are read from anywhere, and its runs live apart.
pub(super) async fn connect_sandbox(
    tenant: &TenantArgs,
    (settings, caps): (Settings, Caps),
    planned: &[(TenantName, Domain)],
    display: &Display,
) -> Result<Session, CliError> {
    if let Some(query) = tenant.tenants.iter().find_map(|name| TagQuery::parse(name)) {
        return Err(CliError::usage(format!(
            "--tenant {query}: tenants of the sandbox have no tags; name them"
        )));
    }
    let env = Environment::new(process_environment());
    let state = prepared(tenant.state_dir.as_deref(), &env)?.sandbox();
    let names: Vec<&str> = match tenant.tenants.as_slice() {
        [] if !planned.is_empty() => planned.iter().map(|(name, _)| name.as_str()).collect(),
        [] => vec!["sandbox"],
        names => names.iter().map(String::as_str).collect(),
    };
    // Of each connection both ends are in this process, and each tenant listens.
    let concurrency = open_files::share(names.len(), 2, settings.concurrency)?;
    let settings = Settings { concurrency, ..settings };
    let options = Options { tenants: names.len(), ..Options::default() };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| CliError::setup(format!("the sandbox cannot start: {error}")))?;
    let learned = paces::recall(&state);
    let mut targets = Vec::new();
    for (name, of) in names.iter().zip(sandbox.tenants()) {
        let credential = Credential::ClientSecret {
            client_id: EntityId::new(of.client_id()),
            secret: of.client_secret().clone(),
        };
        let access = Access { domain: of.domain().clone(), audience: of.audience().to_owned(), credential };
        let origin = "the sandbox".to_owned();
        let settings = shared(&settings, caps.share, learned.get(*name));
        targets.push(Target {
            rate_share: caps.share,
            ..target(TenantName::new(name), origin, access, &settings, display.sink())?
        });
    }
    Ok(Session {
        targets,
        shard: None,
        state,
        concurrency: settings.concurrency,
        rate: caps.rate,
        guards: vec![guards(&env)?],
        waves_by: waves_by(&env)?,
        tags: Vec::new(),
        own_places: Vec::new(),
        known: Vec::new(),
        env,
        allow_env: Vec::new(),
        extra_fields: Vec::new(),
        sandbox: Some(sandbox),
    })
}

impl Session {
    /// What is kept of a tenant is kept under this. An embedded sandbox listens elsewhere each time; its tenants go by name.
    pub(super) fn known_by(&self, target: &Target) -> String {
        if self.sandbox.is_some() { target.tenant.to_string() } else { target.domain.to_string() }
    }

    /// The variables of its tenants.
    pub(super) fn vars(&self) -> HashMap<TenantName, Body> {
        self.targets.iter().map(|target| (target.tenant.clone(), target.vars.clone())).collect()
    }

    /// A tenant by its name.
    pub(super) fn target(&self, tenant: &TenantName) -> Option<&Target> {
        self.targets.iter().find(|target| target.tenant == *tenant)
    }
}

/// Where what patchwave signs in with is kept: for any tenant of the configuration, and for those that the environment gives.
fn own_places(tenant: &TenantArgs, config: Option<&Config>, selected: &[Selected]) -> Vec<SecretSource> {
    let configured = config.into_iter().flat_map(|config| config.tenants.values());
    let configured = configured.map(|tenant| tenant.credential.place().clone());
    let places = configured.chain(selected.iter().map(|one| one.credential.place().clone()));
    let env_file = tenant.env_file.clone().unwrap_or_else(|| ".env".into());
    places.chain([SecretSource::File(env_file)]).collect()
}

/// What is around a command: its environment and its configuration.
pub(super) struct Surroundings {
    pub(super) env: Environment,
    pub(super) config: Option<Config>,
}

/// Reads the environment and the configuration.
pub(super) fn surroundings(tenant: &TenantArgs) -> Result<Surroundings, CliError> {
    let cwd = std::env::current_dir()
        .map_err(|error| CliError::setup(format!("the current directory is not to be had: {error}")))?;
    let env = Environment::read(tenant.env_file.as_deref(), &cwd, process_environment())
        .map_err(CliError::config)?;
    let config = config::load(tenant.config.as_deref(), &cwd, &env).map_err(CliError::config)?;
    Ok(Surroundings { env, config })
}

/// The names that are chosen: on the command line, else those of the plan, as far as they are configured.
fn chosen(tenant: &TenantArgs, planned: &[(TenantName, Domain)], config: Option<&Config>) -> Vec<String> {
    if !tenant.tenants.is_empty() || !tenant.groups.is_empty() {
        return tenant.tenants.clone();
    }
    match config.filter(|config| !config.tenants.is_empty()) {
        Some(_) => planned.iter().map(|(name, _)| name.as_str().to_owned()).collect(),
        None => Vec::new(),
    }
}

/// Guards that the configuration sets.
fn config_guards(config: &Config) -> Result<Guards, CliError> {
    let mut guards = Guards::default();
    for (key, text, span) in &config.guards.limits {
        let limit = text.parse::<Threshold>().map_err(|wrong| {
            CliError::config(vec![Problem::new(format!("`{key}`: {wrong}")).at(&config.source, span.clone())])
        })?;
        match key.as_str() {
            "max_changes" => guards.max_changes = Some(limit),
            _ => guards.max_failures = Some(limit),
        }
    }
    guards.protect = config.guards.protect.iter().map(EntityId::new).collect();
    Ok(guards)
}

/// Guards that the environment sets: they can tighten a job's, never loosen it.
fn guards(env: &Environment) -> Result<Guards, CliError> {
    let list = |flag: &str| env.flag(flag).map(|var| var.expose().to_owned()).unwrap_or_default();
    let words = |text: String| -> Vec<String> {
        let split = text.split(|c: char| c == ',' || c.is_whitespace()).map(str::to_owned);
        split.filter(|word| !word.is_empty()).collect()
    };
    let waves: Result<Vec<WaveSize>, String> = words(list("waves")).iter().map(|word| word.parse()).collect();
    let waves = waves.and_then(|waves| WaveSize::check(&waves).map(|()| waves));
    let waves = waves.map_err(|wrong| CliError::usage(format!("PATCHWAVE_WAVES: {wrong}")))?;
    let protect = words(list("protect")).iter().map(EntityId::new).collect();
    let read = |flag: &str| -> Result<Option<Threshold>, CliError> {
        let value = env.flag(flag).map(|var| var.expose().parse::<Threshold>());
        value.transpose().map_err(|wrong| {
            CliError::usage(format!("PATCHWAVE_{}: {wrong}", flag.to_uppercase().replace('-', "_")))
        })
    };
    Ok(Guards { max_changes: read("max-changes")?, max_failures: read("max-failures")?, waves, protect })
}

/// Waves over tenants that the environment asks for.
fn waves_by(env: &Environment) -> Result<Option<TagWaves>, CliError> {
    let Some(var) = env.flag("waves-by") else { return Ok(None) };
    if env.flag("waves").is_some() {
        return Err(CliError::usage("PATCHWAVE_WAVES and PATCHWAVE_WAVES_BY are both set; set one of them"));
    }
    let waves = var.expose().parse().map(Some);
    waves.map_err(|wrong: String| CliError::usage(format!("PATCHWAVE_WAVES_BY: {wrong}")))
}

fn prepared(flag: Option<&Path>, env: &Environment) -> Result<StateDir, CliError> {
    let state = state_dir(flag, env)?;
    state.prepare()?;
    Ok(state)
}

fn target(
    tenant: TenantName,
    origin: String,
    access: Access,
    settings: &Settings,
    sink: ProgressSink,
) -> Result<Target, CliError> {
    let domain = access.domain.clone();
    let connection = Connection::open(tenant.clone(), access, settings.clone(), sink)
        .map_err(|error| CliError::tenant(tenant.as_str(), &error))?;
    let (vars, tags) = (Body::new(), Body::new());
    Ok(Target {
        known_as: tenant.clone(),
        tenant,
        domain,
        origin,
        vars,
        secrets: BTreeMap::new(),
        tags,
        protected: false,
        rate_share: None,
        connection,
    })
}

/// The settings for a tenant of whose refill a share is the most, with what earlier runs learned of it.
fn shared(settings: &Settings, share: Option<f64>, learned: Option<&paces::Learned>) -> Settings {
    let earlier = learned.and_then(|known| known.measured.limit.zip(known.measured.refill));
    let rate_share = share.map(|share| RateShare { share, learned: earlier });
    Settings { rate_share, ..settings.clone() }
}

fn settings(pace: &PaceArgs, concurrency: usize) -> Settings {
    Settings {
        timeout: pace.timeout,
        max_retries: pace.max_retries,
        reserve: match pace.rate_reserve {
            Threshold::Count(tokens) => Reserve::Tokens(u32::try_from(tokens).unwrap_or(u32::MAX)),
            Threshold::Percent(percent) => Reserve::Share(percent / 100.0),
        },
        rate: pace.rate.and_then(cap),
        burst: pace.burst,
        concurrency,
        seed: fastrand::u64(..),
        ..Settings::default()
    }
}

/// So many per second as whole requests in a time: 2.5/s is one in 400 ms.
fn cap(rate: f64) -> Option<Cap> {
    let per = Duration::try_from_secs_f64(1.0 / rate).ok()?;
    Some(Cap { count: NonZeroU32::MIN, per })
}
