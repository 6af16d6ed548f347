//! `patchwave tenants`: whether tenants can be worked on. Reads, and cannot write.

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::json;

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
use crate::model::{Domain, TenantName};
use crate::plan::TenantFailure;
use crate::report::progress::Display;
use crate::report::tenants::{Allowed, Bucket, Lack, Refill, TenantCheck, render};
use crate::sandbox::Sandbox;
use crate::store::StateDir;
use crate::store::paces::{self, Learned};

/// Tries for a token: a tenant that is away is told soon.
const RETRIES: u32 = 1;
/// Verbs that the scope for reading is needed for, and those that the one for updating is.
const READING: [&str; 2] = ["plan", "get"];
const WRITING: [&str; 3] = ["apply", "resume", "undo"];

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
    let looks = found.tenants.iter().map(|tenant| async {
        match &tenant.target {
            Ok(target) => check(target, learned.get(&tenant.kept_as), now).await,
            Err(failure) => blank(&tenant.selected, Some(failure.clone())),
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

struct One {
    selected: Known,
    target: Result<Target, TenantFailure>,
    /// Under which name the state directory knows it.
    kept_as: String,
}

/// What is known of a tenant before it is asked.
struct Known {
    tenant: TenantName,
    domain: Domain,
    origin: String,
    protected: bool,
}

async fn found(args: &TenantsArgs, display: &Display) -> Result<Found, CliError> {
    let settings = Settings { timeout: args.timeout, max_retries: RETRIES, ..Settings::default() };
    let flag = args.tenant.state_dir.as_deref();
    if args.tenant.sandbox {
        let session = connect_sandbox(&args.tenant, (settings, Caps::default()), &[], display).await?;
        let one = |target: Target| One {
            kept_as: target.tenant.to_string(),
            selected: Known::of_target(&target),
            target: Ok(target),
        };
        let state = state_dir(flag, &Environment::new(process_environment()))?.sandbox();
        let tenants = session.targets.into_iter().map(one).collect();
        return Ok(Found { tenants, state, _sandbox: session.sandbox });
    }
    let surroundings = surroundings(&args.tenant)?;
    let state = state_dir(flag, &surroundings.env)?;
    let selected = selected(args, &surroundings)?;
    let concurrency = open_files::share(selected.len(), 1, settings.concurrency)?;
    let settings = Settings { concurrency, ..settings };
    let tenants = stream::iter(&selected).map(|one| async {
        let credentials = config::resolve(one, &surroundings.env).await.map_err(CliError::from);
        let target = credentials.and_then(|found| target_of(one, found, &settings, display.sink()));
        One {
            kept_as: one.domain.to_string(),
            selected: Known::of(one),
            target: target.map_err(CliError::into_failure),
        }
    });
    Ok(Found { tenants: tenants.buffered(SECRETS).collect().await, state, _sandbox: None })
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
        Self { tenant, domain, origin, protected: one.protected }
    }

    fn of_target(target: &Target) -> Self {
        let (tenant, domain, origin) = (target.tenant.clone(), target.domain.clone(), target.origin.clone());
        Self { tenant, domain, origin, protected: target.protected }
    }
}

/// A tenant that could not even be asked.
fn blank(known: &Known, error: Option<TenantFailure>) -> TenantCheck {
    TenantCheck {
        tenant: known.tenant.clone(),
        domain: known.domain.clone(),
        credentials: known.origin.clone(),
        protected: known.protected,
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
        reachable: Some(!matches!(error, Some(ApiError::Network { .. }))),
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
    let (read, write) = (has(&endpoint.read_scope), kind.update_scopes().iter().any(|scope| has(scope)));
    let essential = |scope: &str, verbs: &[&str]| Lack {
        scope: scope.to_owned(),
        needed_for: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        essential: true,
    };
    let mut lacks = Vec::new();
    if !read {
        lacks.push(essential(&endpoint.read_scope, &READING));
    }
    if !write {
        lacks.push(essential(&endpoint.update_scope, &WRITING));
    }
    let of_fields = kind.field_scopes().into_iter().filter(|(scope, _)| !has(scope));
    lacks.extend(of_fields.map(|(scope, fields)| Lack {
        scope: scope.to_owned(),
        needed_for: fields.into_iter().map(str::to_owned).collect(),
        essential: false,
    }));
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
