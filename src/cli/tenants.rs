//! `patchwave tenants`: whether tenants can be worked on. Reads, and cannot write.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Semaphore;

use super::args::TenantsArgs;
use super::connect::{Caps, SECRETS, Surroundings, Target, connect_sandbox, surroundings, target_of};
use super::context::state_dir;
use super::error::CliError;
use super::exit;
use super::interrupt::Interrupt;
use super::output::Output;
use super::planned::failure;
use super::{open_files, shard};
use crate::auth0::{ApiError, Grant, Settings};
use crate::catalogue::{self, Kind};
use crate::config::{self, Environment, Selected, process_environment};
use crate::model::{Body, Domain, TenantName};
use crate::plan::TenantFailure;
use crate::report::progress::Display;
use crate::report::tenants::{Allowed, Bucket, Lack, Refill, TenantCheck, Use, render};
use crate::sandbox::Sandbox;
use crate::store::StateDir;
use crate::store::paces::{self, Learned};

/// Tries for a token: a tenant that is away is told soon.
const RETRIES: u32 = 1;
/// Verbs that the scope for reading is needed for, and those that the one for updating is.
const READING: [&str; 4] = ["plan", "get", "record", "diff"];
const WRITING: [&str; 4] = ["apply", "replay", "resume", "undo"];
/// What reads the tenant's log, and the scopes any of which lets it (OpenAPI, "Search log events").
const READING_LOG: [&str; 1] = ["record --from-log"];
const LOG_SCOPES: [&str; 2] = ["read:logs", "read:logs_users"];

/// Looks at the tenants that were chosen, or at all that are configured, beside each other.
pub(super) async fn run(args: TenantsArgs, output: &Output) -> Result<u8, CliError> {
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    let checks = interrupt.or(look(&args, &display)).await?;
    let now = now();
    if output.json() {
        output.result(&json!({ "tenants": checks }).to_string());
    } else {
        output.result(&render(&checks, now));
    }
    match unusable(&checks) {
        None => Ok(exit::OK),
        Some(error) => Err(error),
    }
}

async fn look(args: &TenantsArgs, display: &Display) -> Result<Vec<TenantCheck>, CliError> {
    let found = found(args, display).await?;
    display.reading();
    let now = now();
    let learned = paces::recall(&found.state);
    let secrets = Semaphore::new(SECRETS);
    let looks = found.tenants.into_iter().map(|one| async {
        // A tenant whose secret takes long is waited for by itself: the others are asked meanwhile.
        match one.open(&secrets, display).await {
            Ok((target, kept_as)) => check(&target, learned.get(&kept_as), now).await,
            Err((known, failure)) => blank(&known, Some(failure)),
        }
    });
    let checks = join_all(looks).await;
    display.clear();
    Ok(checks)
}

/// The tenants to look at.
struct Found {
    tenants: Vec<One>,
    state: StateDir,
    /// Lives as long as it is looked at.
    _sandbox: Option<Sandbox>,
}

/// A tenant to look at.
enum One {
    /// The way to it is known.
    Open(Target),
    /// Its credentials are still to be fetched.
    Chosen { selected: Selected, settings: Arc<Settings>, env: Arc<Environment> },
}

impl One {
    /// The way to it, and under which name the state directory knows it.
    async fn open(
        self,
        secrets: &Semaphore,
        display: &Display,
    ) -> Result<(Target, String), (Known, TenantFailure)> {
        let (selected, settings, env) = match self {
            Self::Open(target) => {
                let kept_as = target.tenant.to_string();
                return Ok((target, kept_as));
            }
            Self::Chosen { selected, settings, env } => (selected, settings, env),
        };
        let credentials = {
            // It is never closed; should that ever change, the bound is lost and nothing else.
            let _one_of_few = secrets.acquire().await;
            config::resolve(&selected, &env).await.map_err(CliError::from)
        };
        let target = credentials.and_then(|found| target_of(&selected, found, &settings, display.sink()));
        match target {
            Ok(target) => Ok((target, selected.domain.to_string())),
            Err(error) => Err((Known::of(&selected), error.into_failure())),
        }
    }
}

/// What is known of a tenant before it is asked.
struct Known {
    tenant: TenantName,
    domain: Domain,
    origin: String,
    protected: bool,
    tags: Body,
}

async fn found(args: &TenantsArgs, display: &Display) -> Result<Found, CliError> {
    let settings = Settings { timeout: args.timeout, max_retries: RETRIES, ..Settings::default() };
    let flag = args.tenant.state_dir.as_deref();
    if args.tenant.sandbox {
        let session = connect_sandbox(&args.tenant, (settings, Caps::default()), &[], display).await?;
        let state = state_dir(flag, &Environment::new(process_environment()))?.sandbox();
        let tenants = session.targets.into_iter().map(One::Open).collect();
        return Ok(Found { tenants, state, _sandbox: session.sandbox });
    }
    let surroundings = surroundings(&args.tenant)?;
    let state = state_dir(flag, &surroundings.env)?;
    let selected = selected(args, &surroundings)?;
    let concurrency = open_files::share(selected.len(), 1, settings.concurrency)?;
    let settings = Settings { concurrency, ..settings };
    let (settings, env) = (Arc::new(settings), Arc::new(surroundings.env));
    let one = |selected| One::Chosen { selected, settings: Arc::clone(&settings), env: Arc::clone(&env) };
    Ok(Found { tenants: selected.into_iter().map(one).collect(), state, _sandbox: None })
}

/// Those that were chosen; where none was, all that are configured, each by itself: two names for one tenant are no mistake
/// where nothing is written.
fn selected(args: &TenantsArgs, surroundings: &Surroundings) -> Result<Vec<Selected>, CliError> {
    let (config, env) = (surroundings.config.as_ref(), &surroundings.env);
    let all = config.map(|config| config.tenants.keys()).into_iter().flatten();
    let explicit = !args.tenant.tenants.is_empty() || !args.tenant.groups.is_empty();
    if explicit || config.is_none_or(|config| config.tenants.is_empty()) {
        let selected = config::select(&args.tenant.tenants, &args.tenant.groups, config, env)?;
        return shard::ours(selected, &args.tenant);
    }
    let mut selected = Vec::new();
    for name in all {
        selected.extend(config::select(&[name.to_string()], &[], config, env)?);
    }
    shard::ours(selected, &args.tenant)
}

impl Known {
    fn of(one: &Selected) -> Self {
        let (tenant, domain, origin) = (one.tenant.clone(), one.domain.clone(), one.origin.clone());
        Self { tenant, domain, origin, protected: one.protected, tags: one.tags.clone() }
    }

    fn of_target(target: &Target) -> Self {
        let (tenant, domain, origin) = (target.tenant.clone(), target.domain.clone(), target.origin.clone());
        Self { tenant, domain, origin, protected: target.protected, tags: target.tags.clone() }
    }
}

/// A tenant that could not even be asked.
fn blank(known: &Known, error: Option<TenantFailure>) -> TenantCheck {
    TenantCheck {
        tenant: known.tenant.clone(),
        domain: known.domain.clone(),
        credentials: known.origin.clone(),
        protected: known.protected,
        tags: known.tags.clone(),
        reachable: None,
        token: false,
        token_expires: None,
        scopes: None,
        allows: None,
        clients: None,
        bucket: None,
        refill: None,
        clock_ahead_seconds: None,
        error,
    }
}

/// A token and one page: that tells all there is to tell.
async fn check(target: &Target, known: Option<&Learned>, now: Timestamp) -> TenantCheck {
    let kind = catalogue::default_kind();
    let reader = target.connection.reader().once();
    let (grant, mut error) = match reader.sign_in().await {
        Ok(grant) => (Some(grant), None),
        Err(error) => (None, Some(error)),
    };
    let mut clients = None;
    if grant.is_some() {
        match reader.first_page(&kind.endpoint, Some(&[])).await {
            Ok(page) => clients = page.total(),
            Err(failed) => error = Some(failed),
        }
    }
    let pace = target.connection.pace();
    TenantCheck {
        reachable: match &error {
            // Nothing was sent.
            Some(ApiError::TokenUnfit(_) | ApiError::Setup(_)) => None,
            error => Some(!matches!(error, Some(ApiError::Network { .. }))),
        },
        token: grant.is_some(),
        token_expires: grant.as_ref().and_then(|grant| grant.expires),
        allows: grant.as_ref().and_then(|grant| allowed(kind, grant)),
        scopes: grant.and_then(|grant| grant.scopes),
        clients,
        bucket: pace.limit.zip(pace.remaining).map(|(size, left)| Bucket { size, left }),
        refill: known.and_then(|known| refill(target, known, now)),
        clock_ahead_seconds: target.connection.clock_ahead().map(|ahead| (ahead * 10.0).round() / 10.0),
        error: error.as_ref().map(failure),
        ..blank(&Known::of_target(target), None)
    }
}

/// The refill as last learned; void where the limit is another now.
fn refill(target: &Target, learned: &Learned, now: Timestamp) -> Option<Refill> {
    let seen = target.connection.measured();
    if seen.reads.is_some() && !seen.is_of_the_limit_of(&learned.measured) {
        return None;
    }
    Some(Refill {
        per_second: learned.measured.refill?,
        bucket: learned.measured.limit.or(learned.measured.reads),
        measured: learned.at,
        age_seconds: learned.at.map(|at| now.duration_since(at).as_secs()),
    })
}

/// What the scopes of a token allow, where it tells them.
fn allowed(kind: &Kind, grant: &Grant) -> Option<Allowed> {
    let scopes = grant.scopes.as_ref()?;
    let endpoint = &kind.endpoint;
    let has = |scope: &str| scopes.contains(scope);
    let (read, write) = (has(endpoint.read_scope()), kind.update_scopes().iter().any(|scope| has(scope)));
    let lack = |scope: &str, to: Use, needed_for: &[&str]| Lack {
        scope: scope.to_owned(),
        needed_for: needed_for.iter().map(|word| (*word).to_owned()).collect(),
        to,
        essential: to == Use::Run,
    };
    let mut lacks = Vec::new();
    if !read {
        lacks.push(lack(endpoint.read_scope(), Use::Run, &READING));
    }
    if !write {
        lacks.push(lack(endpoint.update_scope(), Use::Run, &WRITING));
    }
    let written = kind.field_scopes().into_iter().filter(|(scope, _)| !has(scope));
    lacks.extend(written.map(|(scope, fields)| lack(scope, Use::WriteFields, &fields)));
    let seen = kind.field_read_scopes(has).into_iter();
    lacks.extend(seen.map(|(scope, fields)| lack(scope, Use::ReadFields, &fields)));
    if !LOG_SCOPES.iter().any(|scope| has(scope)) {
        lacks.push(lack(LOG_SCOPES[0], Use::ReadLog, &READING_LOG));
    }
    Some(Allowed { read, write, lacks })
}

/// The error of tenants that cannot be worked on: all of them, or some.
fn unusable(checks: &[TenantCheck]) -> Option<CliError> {
    let failed: Vec<(&TenantCheck, &TenantFailure)> =
        checks.iter().filter_map(|check| Some((check, check.error.as_ref()?))).collect();
    let (first, failure) = failed.first()?;
    let code = if failed.len() == checks.len() { exit::SETUP } else { exit::ROWS };
    let lines = failed.iter().map(|(check, failure)| format!("{}: {}", check.tenant, failure.message));
    let lines: Vec<String> = lines.collect();
    let error = CliError::tenants(code, failure, lines.join("\n"));
    Some(if failed.len() == 1 { error.of_tenant(first.tenant.as_str()) } else { error })
}

#[expect(clippy::disallowed_methods, reason = "the command line owns the wall clock that ages are told by")]
fn now() -> Timestamp {
    Timestamp::now()
}
