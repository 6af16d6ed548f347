//! What goes wrong with the API, in words a person can act on. Central type: [`ApiError`].

use std::fmt;
use std::time::Duration;

use crate::model::Reason;

use super::answer::{ErrorBody, scopes_wanted};
use super::network::NetworkFailure;

/// A call that came to nothing, after whatever retries it deserved. Holds no secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// The API does not accept the token (401), and a new one would not help or did not.
    #[error("the tenant does not accept the token: {message}; {}", unauthorized_advice(*.ready_made))]
    Unauthorized {
        /// In Auth0's words.
        message: String,
        /// Whether the token was given ready-made, so that it could not be renewed.
        ready_made: bool,
    },
    /// The token lacks a scope (403): no call of this kind can succeed.
    #[error("the token lacks a scope: {message}; grant the application {} for the Management API", one_of(.any_of))]
    ScopeMissing {
        /// Any of these would do.
        any_of: Vec<String>,
        /// In Auth0's words.
        message: String,
    },
    /// This very change or field is not allowed to the token or the tenant's plan (403).
    #[error("not allowed: {message}{}", in_brackets(.error_code))]
    Forbidden {
        /// Auth0's `errorCode`.
        error_code: Option<String>,
        /// In Auth0's words.
        message: String,
    },
    /// No such object (404).
    #[error("not found: {message}{}", in_brackets(.error_code))]
    NotFound {
        /// Auth0's `errorCode`.
        error_code: Option<String>,
        /// In Auth0's words.
        message: String,
    },
    /// The API refused the call for what it asks (another 4xx, or a redirect).
    #[error("refused with status {status}: {message}{}", in_brackets(.error_code))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Auth0's `errorCode`.
        error_code: Option<String>,
        /// In Auth0's words.
        message: String,
    },
    /// The rate limit (429) let nothing through for a very long time.
    #[error("refused by the rate limit for {} s: {message}; something else uses up the tenant's limit", .waited.as_secs())]
    RateLimited {
        /// In Auth0's words.
        message: String,
        /// For how long it was tried.
        waited: Duration,
    },
    /// The server went on failing (5xx, 408).
    #[error("the server failed with status {status}{}, {}; try again later", after_colon(.message), tries(*.attempts))]
    Server {
        /// HTTP status of the last answer.
        status: u16,
        /// One short line of its body.
        message: String,
        /// Requests sent.
        attempts: u32,
    },
    /// No usable answer.
    #[error("{failure}, {}; {}", tries(*.attempts), .failure.cause.advice())]
    Network {
        /// What happened last.
        failure: NetworkFailure,
        /// Requests tried.
        attempts: u32,
    },
    /// The token endpoint gives no token.
    #[error("no token: {message}{}{}", in_brackets(.error_code), token_advice(*.status, .error_code.as_deref(), .message, *.by_key))]
    TokenRefused {
        /// HTTP status.
        status: u16,
        /// OAuth's `error`.
        error_code: Option<String>,
        /// OAuth's `error_description`.
        message: String,
        /// Whether a private key was to open the door, and not a secret.
        by_key: bool,
    },
    /// The token that was given is another tenant's, or has ended. Nothing was sent with it.
    #[error("{0}")]
    TokenUnfit(String),
    /// An answer is not what the API answers.
    #[error("unexpected answer: {0}; is the domain that of an Auth0 tenant?")]
    Malformed(String),
    /// A list did not hold all that the tenant said it has, twice.
    #[error(
        "the list of {collection} is incomplete: {arrived} of {total} arrived, twice; try again when nobody adds or deletes any"
    )]
    Incomplete {
        /// What was listed.
        collection: String,
        /// As the tenant said.
        total: usize,
        /// Different objects that arrived.
        arrived: usize,
    },
    /// A list is longer than its paging reaches.
    #[error(
        "the tenant has {total} {collection}, and its list ends at {most}: name those that are meant by id, or by what the API finds them by"
    )]
    TooLong {
        /// What was listed.
        collection: String,
        /// As the tenant said.
        total: usize,
        /// How many can be listed.
        most: usize,
    },
    /// It was not sent any more, since the run was told to stop.
    #[error("not sent: the run was stopped first")]
    Halted,
    /// The connection cannot be made at all from what was given.
    #[error("cannot set up the connection: {0}")]
    Setup(String),
}

/// The class of an error, for `--output json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Token, credential or scope.
    Auth,
    /// What was sent is not accepted.
    Validation,
    /// No such object.
    NotFound,
    /// It collides with something there (409).
    Conflict,
    /// The rate limit.
    RateLimit,
    /// The server failed, or answered nonsense.
    Api,
    /// No answer.
    Network,
}

impl ErrorClass {
    /// The word scripts see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Validation => "validation",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimit => "rate_limit",
            Self::Api => "api",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ApiError {
    /// From an answer of the Management API that is final.
    pub(crate) fn of_answer(status: u16, body: ErrorBody, attempts: u32) -> Self {
        let ErrorBody { code: error_code, message } = body;
        match status {
            401 => Self::Unauthorized { message, ready_made: false },
            403 => match scopes_wanted(&message) {
                Some(any_of) => Self::ScopeMissing { any_of, message },
                None => Self::Forbidden { error_code, message },
            },
            404 => Self::NotFound { error_code, message },
            408 | 500.. => Self::Server { status, message, attempts },
            300..=399 => Self::Refused {
                status,
                error_code,
                message: format!("redirected elsewhere {message}").trim_end().to_owned(),
            },
            _ => Self::Refused { status, error_code, message },
        }
    }

    /// Status of the last HTTP answer, if one arrived.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized { .. } => Some(401),
            Self::ScopeMissing { .. } | Self::Forbidden { .. } => Some(403),
            Self::NotFound { .. } => Some(404),
            Self::RateLimited { .. } => Some(429),
            Self::Refused { status, .. }
            | Self::Server { status, .. }
            | Self::TokenRefused { status, .. } => Some(*status),
            Self::Network { .. }
            | Self::Malformed(_)
            | Self::Incomplete { .. }
            | Self::TooLong { .. }
            | Self::TokenUnfit(_)
            | Self::Halted
            | Self::Setup(_) => None,
        }
    }

    /// Auth0's `errorCode`, or OAuth's `error`.
    pub fn error_code(&self) -> Option<&str> {
        match self {
            Self::ScopeMissing { .. } => Some("insufficient_scope"),
            Self::Forbidden { error_code, .. }
            | Self::NotFound { error_code, .. }
            | Self::Refused { error_code, .. }
            | Self::TokenRefused { error_code, .. } => error_code.as_deref(),
            _ => None,
        }
    }

    /// Its class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unauthorized { .. }
            | Self::ScopeMissing { .. }
            | Self::TokenRefused { .. }
            | Self::TokenUnfit(_)
            | Self::Forbidden { .. } => ErrorClass::Auth,
            Self::NotFound { .. } => ErrorClass::NotFound,
            Self::Refused { status: 409, .. } => ErrorClass::Conflict,
            Self::Refused { .. } => ErrorClass::Validation,
            Self::RateLimited { .. } => ErrorClass::RateLimit,
            Self::Server { .. } | Self::Malformed(_) | Self::Incomplete { .. } | Self::TooLong { .. } => {
                ErrorClass::Api
            }
            Self::Network { .. } | Self::Halted | Self::Setup(_) => ErrorClass::Network,
        }
    }

    /// Whether the same call may succeed later although nothing is changed here.
    pub fn retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Server { .. } | Self::Incomplete { .. } | Self::Halted => true,
            Self::Network { failure, .. } => !failure.is_configuration(),
            Self::TokenRefused { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether every further call of the kind to this tenant would fail alike: token or scope are missing.
    pub fn stops_tenant(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized { .. }
                | Self::ScopeMissing { .. }
                | Self::TokenRefused { .. }
                | Self::TokenUnfit(_)
                | Self::Setup(_)
        )
    }

    /// The reason a row's report gives for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NotFound { .. } => Reason::NotFound,
            Self::Unauthorized { .. }
            | Self::ScopeMissing { .. }
            | Self::Forbidden { .. }
            | Self::TokenUnfit(_)
            | Self::TokenRefused { .. } => Reason::Forbidden,
            Self::Refused { .. } => Reason::Refused,
            Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Malformed(_)
            | Self::Incomplete { .. }
            | Self::TooLong { .. } => Reason::ServerError,
            Self::Halted => Reason::Stopped,
            Self::Network { .. } | Self::Setup(_) => Reason::Network,
        }
    }
}

fn unauthorized_advice(ready_made: bool) -> &'static str {
    if ready_made {
        "the token that was given has expired or belongs to another tenant: get a new one, or give a client id and secret"
    } else {
        "check that the audience is the tenant's own Management API"
    }
}

fn one_of(scopes: &[String]) -> String {
    match scopes {
        [] => "the missing scope".to_owned(),
        [one] => format!("`{one}`"),
        many => format!("one of `{}`", many.join("`, `")),
    }
}

fn in_brackets(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

fn tries(attempts: u32) -> String {
    if attempts == 1 { "tried once".to_owned() } else { format!("tried {attempts} times") }
}

/// What to do about a refusal of the token endpoint. Sources: Auth0's client-credentials documentation and issue threads of its SDKs.
fn token_advice(status: u16, code: Option<&str>, message: &str, by_key: bool) -> &'static str {
    match (status, code) {
        _ if message.contains("Service not enabled within domain") => {
            "; the audience must be `https://DOMAIN/api/v2/` with the tenant's canonical domain, never a custom one"
        }
        _ if message.contains("client-grant") || message.contains("not authorized to access") => {
            "; authorize the application for the Auth0 Management API in the Dashboard"
        }
        (_, Some("unauthorized_client")) => "; allow the application the grant type `client_credentials`",
        (400..=403, _) if by_key => {
            "; check client id and private key: the application of that id, in this domain, must have the public half of the key \
             as a credential, with the same algorithm (RS256 where nothing else was said), and use Private Key JWT"
        }
        (401, _) | (_, Some("invalid_client" | "access_denied")) => {
            "; check client id and client secret, and that they belong to this domain"
        }
        (404, _) | (300..=399, _) => "; check that the domain is that of an Auth0 tenant",
        (429, _) => "; too many tokens were asked for: wait, or see the tenant's machine-to-machine quota",
        (500.., _) => "; try again later",
        _ => "; check audience, client id and client secret",
    }
}

#[cfg(test)]
mod tests;
