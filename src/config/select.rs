//! Which tenants a command works on.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::model::suggest::nearest;
use crate::model::{Domain, Problem, TagQuery, TenantName, tag};

use super::credentials::{self, EnvironmentTenant};
use super::env::Environment;
use super::file::Config;
use super::secrets::{CredentialSource, SecretSource};
use super::tenants::TenantConfig;

/// A tenant to work on, with what a person must see of it before anything is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Its table's name, or its domain where it came from the environment.
    pub tenant: TenantName,
    /// Where it is.
    pub domain: Domain,
    /// The audience of its Management API.
    pub audience: String,
    /// How access is had; [`super::resolve`] makes credentials of it.
    pub credential: CredentialSource,
    /// Where all this was set, for headings and prompts: `patchwave.toml [tenants.dev]`, `environment (AUTH0_*)`, `.env (CLIENT_*)`.
    pub origin: String,
    /// What templates see as `vars`.
    pub vars: Map<String, Value>,
    /// Those of them that say where a secret is kept.
    pub secrets: BTreeMap<String, SecretSource>,
    /// What templates see as `tenant.tags`.
    pub tags: Map<String, Value>,
    /// Whether a person must repeat the tenant's name before anything is written.
    pub protected: bool,
    /// The share of its refill that a run never exceeds, 0 to 1.
    pub rate_share: Option<f64>,
}

/// Why no tenant was selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// What was asked for on the command line cannot be (exit code 64).
    #[error("{}", lines(.0))]
    Usage(Vec<Problem>),
    /// The credentials as set cannot be used (exit code 3).
    #[error("{0}")]
    Configuration(Problem),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

impl SelectError {
    /// What is wrong, one by one.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Usage(problems) => problems,
            Self::Configuration(problem) => std::slice::from_ref(problem),
        }
    }
}

/// Selects by `--tenant` (`names`: of a table, a domain, or `tag:KEY=VALUE`) and `--group`, in that order and without doubles.
/// What several tenants are chosen by gives them in the file's order.
/// With neither, the environment's tenant is taken, but only where no tenant is configured.
///
/// # Errors
/// Where a name is unknown or could mean two tenants, where tenants are configured and none is chosen, and where the
/// environment's credentials are needed and are missing, incomplete or mixed.
pub fn select(
    names: &[String],
    groups: &[String],
    config: Option<&Config>,
    env: &Environment,
) -> Result<Vec<Selected>, SelectError> {
    if names.is_empty() && groups.is_empty() {
        return match config.filter(|config| !config.tenants.is_empty()) {
            Some(config) => Err(none_chosen(config)),
            None => environment_alone(env).map(|only| vec![only]),
        };
    }
    let mut chosen = IndexMap::new();
    let mut problems = Vec::new();
    for name in names {
        let found = match TagQuery::parse(name) {
            Some(query) => by_tag(&query, config),
            None => by_name(name, config, env).map(|one| vec![one]),
        };
        match found {
            Ok(found) => found.into_iter().for_each(|one| keep(&mut chosen, one)),
            Err(SelectError::Usage(more)) => problems.extend(more),
            Err(error) => return Err(error),
        }
    }
    for group in groups {
        match members(group, config) {
            Ok(tenants) => tenants.for_each(|one| keep(&mut chosen, one)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(two_names_for_one(chosen.values()));
    if problems.is_empty() { Ok(chosen.into_values().collect()) } else { Err(SelectError::Usage(problems)) }
}

fn keep(chosen: &mut IndexMap<TenantName, Selected>, one: Selected) {
    chosen.entry(one.tenant.clone()).or_insert(one);
}

fn by_name(name: &str, config: Option<&Config>, env: &Environment) -> Result<Selected, SelectError> {
    if let Some(tenant) = config.and_then(|config| config.tenants.get(&TenantName::new(name))) {
        return Ok(configured(tenant));
    }
    let Ok(domain) = Domain::parse(name) else { return Err(unknown(name, config, env)) };
    let same = |other: &Domain| other.as_str() == domain.as_str();
    let tables = config.iter().flat_map(|config| config.tenants.values());
    match tables.filter(|tenant| same(&tenant.domain)).collect::<Vec<_>>().as_slice() {
        [tenant] => Ok(configured(tenant)),
        [] if credentials::domains(env).iter().any(same) => environment_tenant(env, same, name),
        [] => Err(unknown(name, config, env)),
        several => Err(SelectError::Usage(vec![
            Problem::new(format!(
                "{name} is the domain of several tenants: {}",
                list(several.iter().map(|t| &t.name))
            ))
            .help("choose one by its name: --tenant NAME"),
        ])),
    }
}

fn by_tag(query: &TagQuery, config: Option<&Config>) -> Result<Vec<Selected>, SelectError> {
    let tables = || config.iter().flat_map(|config| config.tenants.values());
    let found: Vec<Selected> = tables().filter(|table| query.fits(&table.tags)).map(configured).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let help = match tables().next() {
        None => "no tenants are configured; add [tenants.NAME] with tags = { ring = \"canary\" } to patchwave.toml".to_owned(),
        Some(_) => tag::help(query, tables().map(|table| &table.tags)),
    };
    Err(SelectError::Usage(vec![Problem::new(format!("no tenant has the tag of `{query}`")).help(help)]))
}

/// The environment names the domain; it is selected where the set that holds is for it.
fn environment_tenant(
    env: &Environment,
    same: impl Fn(&Domain) -> bool,
    name: &str,
) -> Result<Selected, SelectError> {
    match credentials::from_environment(env).map_err(SelectError::Configuration)? {
        Some(tenant) if same(&tenant.domain) => Ok(from_environment(tenant)),
        found => {
            let stronger = found.map(|tenant| format!(" for {} from {}", tenant.domain, tenant.origin));
            let what =
                format!("the credentials for {name} are shadowed by those{}", stronger.unwrap_or_default());
            Err(SelectError::Configuration(
                Problem::new(what).help("unset those, or name both tenants in patchwave.toml"),
            ))
        }
    }
}

fn environment_alone(env: &Environment) -> Result<Selected, SelectError> {
    match credentials::from_environment(env) {
        Ok(Some(tenant)) => Ok(from_environment(tenant)),
        Ok(None) => Err(SelectError::Configuration(
            Problem::new("no tenant: there is no patchwave.toml, and no credentials are set in the environment or .env").help(
                "set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or try without a tenant: --sandbox",
            ),
        )),
        Err(problem) => Err(SelectError::Configuration(problem)),
    }
}

fn members<'c>(
    group: &str,
    config: Option<&'c Config>,
) -> Result<impl Iterator<Item = Selected> + 'c, Problem> {
    let found = config.and_then(|config| Some((config, config.groups.get(group)?)));
    let Some((config, members)) = found else {
        let names =
            config.iter().flat_map(|config| config.groups.keys().map(String::as_str)).collect::<Vec<_>>();
        let known = match names.as_slice() {
            [] => "no groups are configured; add [groups] to patchwave.toml".to_owned(),
            names => format!("groups: {}", names.join(", ")),
        };
        return Err(Problem::new(format!("unknown group `{group}`")).help(did_you_mean(group, &names, known)));
    };
    Ok(members.iter().filter_map(|name| config.tenants.get(name)).map(configured))
}

fn configured(tenant: &TenantConfig) -> Selected {
    Selected {
        tenant: tenant.name.clone(),
        domain: tenant.domain.clone(),
        audience: tenant.audience.clone().unwrap_or_else(|| tenant.domain.default_audience()),
        credential: tenant.credential.clone(),
        origin: tenant.origin.clone(),
        vars: tenant.vars.clone(),
        secrets: tenant.secrets.clone(),
        tags: tenant.tags.clone(),
        protected: tenant.protected,
        rate_share: tenant.rate_share,
    }
}

fn from_environment(tenant: EnvironmentTenant) -> Selected {
    Selected {
        tenant: TenantName::new(tenant.domain.as_str()),
        audience: tenant.audience.unwrap_or_else(|| tenant.domain.default_audience()),
        domain: tenant.domain,
        credential: tenant.credential,
        origin: tenant.origin,
        vars: Map::new(),
        secrets: BTreeMap::new(),
        tags: Map::new(),
        protected: false,
        rate_share: None,
    }
}

/// One tenant under two names would be planned twice and written twice.
fn two_names_for_one<'s>(chosen: impl Iterator<Item = &'s Selected>) -> Vec<Problem> {
    let mut names: IndexMap<&str, Vec<&TenantName>> = IndexMap::new();
    for one in chosen {
        names.entry(one.domain.as_str()).or_default().push(&one.tenant);
    }
    let twice = names.into_iter().filter(|(_, names)| names.len() > 1);
    twice
        .map(|(domain, names)| {
            Problem::new(format!("{} are all the tenant {domain}", list(names.into_iter())))
                .help("choose one of them")
        })
        .collect()
}

fn none_chosen(config: &Config) -> SelectError {
    SelectError::Usage(vec![
        Problem::new(format!(
            "no tenant chosen; {} has: {}",
            config.source.name,
            list(config.tenants.keys())
        ))
        .help("choose with --tenant NAME (repeatable), --tenant tag:KEY=VALUE or --group NAME"),
    ])
}

fn unknown(name: &str, config: Option<&Config>, env: &Environment) -> SelectError {
    let tables = config.iter().flat_map(|config| config.tenants.values());
    let from_env = credentials::domains(env);
    let mut names =
        config.iter().flat_map(|config| config.tenants.keys()).map(TenantName::as_str).collect::<Vec<_>>();
    names.extend(from_env.iter().map(Domain::as_str));
    let known = match names.as_slice() {
        [] => "no tenants are configured; add [tenants.NAME] to patchwave.toml, or set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET".to_owned(),
        names => format!("tenants: {}", names.join(", ")),
    };
    let candidates =
        names.iter().copied().chain(tables.map(|tenant| tenant.domain.as_str())).collect::<Vec<_>>();
    let help = did_you_mean(name, &candidates, known);
    SelectError::Usage(vec![Problem::new(format!("unknown tenant `{name}`")).help(help)])
}

fn did_you_mean(name: &str, candidates: &[&str], known: String) -> String {
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {known}"),
        None => known,
    }
}

fn list<'n>(names: impl Iterator<Item = &'n TenantName>) -> String {
    names.map(TenantName::as_str).collect::<Vec<_>>().join(", ")
}
