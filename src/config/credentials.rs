//! Credentials from the environment: domain, id and secret as one set, from one place and in one spelling.
//!
//! There are two places (the process, a `.env` file) and two spellings (`AUTH0_…`, and `CLIENT_…` as in Auth0's tutorial),
//! hence four possible sets. The first complete one in order of strength is taken: process before file, `AUTH0_` before
//! `CLIENT_`. It is refused as a mix where a variable outside it has a claim to be heard ([`Set::disputes`]).

use crate::model::{Domain, Problem, Secret, SigningAlgorithm};

use super::env::{Environment, Place, Var};
use super::secrets::{CredentialSource, SecretSource};

const AUDIENCE: &str = "AUTH0_AUDIENCE";

/// The names of one spelling.
#[derive(Debug, PartialEq, Eq)]
struct Spelling {
    /// As headings call it.
    label: &'static str,
    domain: &'static str,
    id: &'static str,
    secret: &'static str,
    /// Ready tokens, the preferred name first.
    tokens: &'static [&'static str],
    /// A private key in place of the secret, or the path of its file.
    keys: &'static [&'static str],
    /// What such a key signs by.
    algorithm: Option<&'static str>,
}

const AUTH0: Spelling = Spelling {
    label: "AUTH0_*",
    domain: "AUTH0_DOMAIN",
    id: "AUTH0_CLIENT_ID",
    secret: "AUTH0_CLIENT_SECRET",
    tokens: &["AUTH0_ACCESS_TOKEN", "AUTH0_API_TOKEN"],
    keys: &["AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "AUTH0_CLIENT_SIGNING_KEY_PATH"],
    algorithm: Some("AUTH0_CLIENT_ASSERTION_SIGNING_ALG"),
};

const CLIENT: Spelling = Spelling {
    label: "CLIENT_*",
    domain: "CLIENT_DOMAIN",
    id: "CLIENT_ID",
    secret: "CLIENT_SECRET",
    tokens: &[],
    keys: &[],
    algorithm: None,
};

/// The tenant that the environment names.
#[derive(Debug, Clone)]
pub(super) struct EnvironmentTenant {
    pub(super) domain: Domain,
    pub(super) audience: Option<String>,
    pub(super) credential: CredentialSource,
    /// For headings: `.env (CLIENT_*)`.
    pub(super) origin: String,
}

/// The tenant that the environment names, or `None` where it has no credential variable at all.
pub(super) fn from_environment(env: &Environment) -> Result<Option<EnvironmentTenant>, Problem> {
    let sets = sets(env);
    if let Some(problem) = sets.iter().find_map(Set::several_lines) {
        return Err(problem);
    }
    match sets.iter().find(|set| set.is_complete()) {
        Some(winner) if sets.iter().any(|other| other.disputes(winner)) => Err(mixed(&sets)),
        Some(winner) => winner.tenant(env, &sets).map(Some),
        None => match sets.as_slice() {
            [] => Ok(None),
            [single] => Err(single.incomplete(env)),
            _ => Err(mixed(&sets)),
        },
    }
}

/// The domains that the environment names, whether or not their sets are good.
pub(super) fn domains(env: &Environment) -> Vec<Domain> {
    sets(env).iter().filter_map(|set| Domain::parse(set.get(set.spelling.domain)?).ok()).collect()
}

/// The sets that have any variable, strongest first.
fn sets(env: &Environment) -> Vec<Set<'_>> {
    let four = [
        (Place::Environment, &AUTH0),
        (Place::Environment, &CLIENT),
        (Place::EnvFile, &AUTH0),
        (Place::EnvFile, &CLIENT),
    ];
    four.into_iter()
        .map(|(place, spelling)| Set::gather(env, place, spelling))
        .filter(|set| !set.vars.is_empty())
        .collect()
}

/// The variables of one spelling in one place.
struct Set<'e> {
    place: Place,
    spelling: &'static Spelling,
    vars: Vec<(&'static str, &'e Var)>,
}

impl<'e> Set<'e> {
    fn gather(env: &'e Environment, place: Place, spelling: &'static Spelling) -> Self {
        let names = [spelling.domain, spelling.id, spelling.secret];
        let names = names.iter().chain(spelling.tokens).chain(spelling.keys).chain(&spelling.algorithm);
        let vars = names.filter_map(|name| Some((*name, env.at(place, name)?))).collect();
        Self { place, spelling, vars }
    }

    fn get(&self, name: &str) -> Option<&'e str> {
        self.vars.iter().find(|(known, _)| *known == name).map(|(_, var)| var.expose())
    }

    /// A value over several lines has swallowed the lines of other variables.
    fn several_lines(&self) -> Option<Problem> {
        let broken = |(name, var): &&(&str, &Var)| {
            !self.spelling.keys.contains(name) && var.expose().contains(char::is_control)
        };
        self.vars.iter().find(broken).map(|(name, var)| {
            Problem::new(format!("{name} ({}) has more than one line", var.origin))
                .help("a quote may be missing there")
        })
    }

    fn token(&self) -> Option<&'e str> {
        self.spelling.tokens.iter().find_map(|name| self.get(name))
    }

    /// The variables of private keys that are set.
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.spelling.keys.iter().copied().filter(|name| self.get(name).is_some())
    }

    fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    fn missing(&self) -> Vec<&'static str> {
        let Spelling { domain, id, secret, .. } = self.spelling;
        let needed = match (self.token(), self.keys().next()) {
            (Some(_), _) => vec![*domain],
            (None, Some(_)) => vec![*domain, *id],
            (None, None) => vec![*domain, *id, *secret],
        };
        needed.into_iter().filter(|name| self.get(name).is_none()).collect()
    }

    /// Whether `self` has a claim against taking `winner`, so that taking it could mean the wrong tenant.
    fn disputes(&self, winner: &Set<'_>) -> bool {
        let same_spelling = self.spelling == winner.spelling;
        match (self.place, winner.place) {
            (Place::Environment, Place::Environment) | (Place::EnvFile, Place::EnvFile) if same_spelling => {
                false
            }
            // `CLIENT_…` counts only where no `AUTH0_…` is set, wherever that may be.
            _ if self.spelling == &AUTH0 && winner.spelling == &CLIENT => true,
            // A complete set of the process shadows the file.
            (Place::EnvFile, Place::Environment) => false,
            // What the process says must not be overruled by the file, unless it says the same.
            (Place::Environment, Place::EnvFile) if same_spelling => {
                self.vars.iter().any(|(name, var)| winner.get(name) != Some(var.expose()))
            }
            (Place::Environment, Place::EnvFile) => true,
            // `CLIENT_ID` alone is a common name and `AUTH0_…` precedes it; another domain is another tenant.
            _ => self.names_another_domain(winner),
        }
    }

    fn names_another_domain(&self, winner: &Set<'_>) -> bool {
        let (Some(ours), Some(theirs)) = (self.get(self.spelling.domain), winner.get(winner.spelling.domain))
        else {
            return false;
        };
        match (Domain::parse(ours), Domain::parse(theirs)) {
            (Ok(ours), Ok(theirs)) => ours != theirs,
            _ => ours != theirs,
        }
    }

    fn tenant(&self, env: &Environment, sets: &[Set<'_>]) -> Result<EnvironmentTenant, Problem> {
        let Spelling { domain, id, label, .. } = *self.spelling;
        let credential = match (self.token(), self.get(id)) {
            (Some(token), _) => CredentialSource::Token(given(token)),
            (None, Some(client_id)) => self.of_client(client_id, env)?,
            (None, None) => return Err(self.incomplete(env)),
        };
        Ok(EnvironmentTenant {
            domain: self.domain(domain)?,
            audience: self.audience(env, sets),
            credential,
            origin: format!("{} ({label})", env.place_name(self.place)),
        })
    }

    /// A secret or a key: with both nobody could say which one the tenant knows.
    fn of_client(&self, client_id: &str, env: &Environment) -> Result<CredentialSource, Problem> {
        let client_id = client_id.to_owned();
        let (secret, mut keys) = (self.get(self.spelling.secret), self.keys());
        let Some(variable) = keys.next() else {
            let secret = given(secret.ok_or_else(|| self.incomplete(env))?);
            return Ok(CredentialSource::Client { client_id, secret });
        };
        let twice = secret.map(|_| self.spelling.secret).or(keys.next());
        if let Some(other) = twice {
            let place = env.place_name(self.place);
            return Err(Problem::new(format!(
                "{other} and {variable} ({place}) are both set, and each is a way to sign in"
            ))
            .help(format!(
                "unset {other} where the application uses Private Key JWT with the key of {variable}, else {variable}"
            )));
        }
        let value = Secret::new(self.get(variable).unwrap_or_default());
        let key = SecretSource::TextOrPath { variable, value };
        Ok(CredentialSource::Key { client_id, key, algorithm: self.algorithm()?, key_id: None })
    }

    fn algorithm(&self) -> Result<SigningAlgorithm, Problem> {
        let Some((name, text)) = self.spelling.algorithm.and_then(|name| Some((name, self.get(name)?)))
        else {
            return Ok(SigningAlgorithm::default());
        };
        text.parse().map_err(|unknown| {
            Problem::new(format!("{name} ({}): {unknown}", self.origin(name)))
                .help("set it to the algorithm of the application's credential, or unset it for RS256")
        })
    }

    fn origin(&self, name: &str) -> String {
        let found = self.vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, var)| var.origin.to_string()).unwrap_or_default()
    }

    /// The value is not shown: where a quote is missing or two lines were swapped it is the secret.
    fn domain(&self, name: &'static str) -> Result<Domain, Problem> {
        let text = self.get(name).unwrap_or_default();
        let full = |domain: &Domain| domain.is_loopback() || domain.as_str().contains('.');
        Domain::parse(text).ok().filter(full).ok_or_else(|| {
            Problem::new(format!("{name} ({}) is not the domain of a tenant", self.origin(name))).help(
                "it looks like acme.eu.auth0.com, or https://acme.eu.auth0.com; http:// is for loopback hosts alone",
            )
        })
    }

    /// `AUTH0_AUDIENCE` may stand alone; in a file whose own set is shadowed it belongs to that set, and is shadowed too.
    fn audience(&self, env: &Environment, sets: &[Set<'_>]) -> Option<String> {
        let file_counts = self.place == Place::EnvFile || !sets.iter().any(|set| set.place == Place::EnvFile);
        let in_file = || env.at(Place::EnvFile, AUDIENCE).filter(|_| file_counts);
        env.at(Place::Environment, AUDIENCE).or_else(in_file).map(|var| var.expose().to_owned())
    }

    fn incomplete(&self, env: &Environment) -> Problem {
        let place = env.place_name(self.place);
        let missing = self.missing();
        let secret = self.spelling.secret;
        let others = self.spelling.tokens.first().zip(self.spelling.keys.first());
        let or_token = others.filter(|_| missing.contains(&secret)).map(|(token, key)| {
            format!(" (or a ready token in {token}, or in place of {secret} a private key in {key})")
        });
        let or_token = or_token.unwrap_or_default();
        Problem::new(format!(
            "credentials are incomplete: {} set, but {} missing",
            listed(self.vars.iter().map(|(name, var)| format!("{name} ({})", var.origin))),
            listed(missing.iter()),
        ))
        .help(format!("set {} in the same place, {place}{or_token}", listed(missing.iter())))
    }
}

fn given(secret: &str) -> SecretSource {
    SecretSource::Given(Secret::new(secret))
}

fn mixed(sets: &[Set<'_>]) -> Problem {
    let vars = sets.iter().flat_map(|set| &set.vars).map(|(name, var)| format!("{name} ({})", var.origin));
    Problem::new(format!("credentials are mixed from several places or spellings: {}", listed(vars))).help(
        "set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET all in one place and unset the others; \
         or name the tenant in patchwave.toml and choose it with --tenant NAME",
    )
}

fn listed(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
