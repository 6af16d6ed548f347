//! The address of a tenant.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A tenant's canonical address: lower case, with its scheme, without path. `http` is possible on loopback alone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain {
    plain_http: bool,
    /// Host, with a port where one was given.
    authority: String,
}

/// Why a text is not a tenant's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// It has no host, or characters that a host cannot have.
    #[error("`{0}` is not a domain; it looks like `acme.eu.auth0.com`")]
    Malformed(String),
    /// `http://` to another machine would send the secret in the clear.
    #[error(
        "`{0}` would send credentials unencrypted; `http://` is accepted for loopback hosts alone, use `https://`"
    )]
    PlainHttp(String),
}

impl Domain {
    /// Reads a bare host (`acme.eu.auth0.com`, `localhost:4000`) or a URL. A path such as `/api/v2` is dropped.
    ///
    /// # Errors
    /// Where the text has no usable host, or asks for `http` elsewhere than on loopback.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let malformed = || DomainError::Malformed(text.to_owned());
        let trimmed = text.trim().to_lowercase();
        let (plain_http, rest) = match trimmed.split_once("://") {
            Some(("https", rest)) => (false, rest),
            Some(("http", rest)) => (true, rest),
            Some(_) => return Err(malformed()),
            None => (false, trimmed.as_str()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = split_port(authority).ok_or_else(malformed)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        if host.is_empty() || !host.chars().all(legal) {
            return Err(malformed());
        }
        if plain_http && !is_loopback(host) {
            return Err(DomainError::PlainHttp(text.to_owned()));
        }
        let default_port = if plain_http { "80" } else { "443" };
        let authority = match port {
            Some(port) if port != default_port => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        Ok(Self { plain_http, authority })
    }

    /// `https://acme.eu.auth0.com`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.plain_http { "http" } else { "https" }, self.authority)
    }

    /// The audience of the tenant's Management API where nothing else is configured: `https://DOMAIN/api/v2/`.
    /// The scheme is `https` even where the tenant is simulated over plain HTTP, since it names the API and is not an address.
    pub fn default_audience(&self) -> String {
        format!("https://{}/api/v2/", self.authority)
    }

    /// What the tenant calls itself in tokens, and is called in what clients sign for it: `https://DOMAIN/`.
    pub fn issuer(&self) -> String {
        format!("https://{}/", self.authority)
    }

    /// Host and port as shown to people.
    pub fn as_str(&self) -> &str {
        &self.authority
    }

    /// Whether the tenant lives on this machine (a sandbox).
    pub fn is_loopback(&self) -> bool {
        split_port(&self.authority).is_some_and(|(host, _)| is_loopback(host))
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_bracket..].rfind(':') {
        None => Some((authority, None)),
        Some(at) => {
            let (host, port) = authority.split_at(after_bracket + at);
            let port = &port[1..];
            port.parse::<u16>().is_ok().then_some((host, Some(port)))
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.authority)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base_url())
    }
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        if domain.plain_http { domain.base_url() } else { domain.authority }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_hosts_and_urls_name_the_same_tenant() {
        for text in
            ["acme.eu.auth0.com", " https://ACME.eu.auth0.com/ ", "https://acme.eu.auth0.com:443/api/v2/"]
        {
            let domain = Domain::parse(text).unwrap();
            assert_eq!(domain.base_url(), "https://acme.eu.auth0.com");
            assert_eq!(domain.default_audience(), "https://acme.eu.auth0.com/api/v2/");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        assert_eq!(Domain::parse("http://127.0.0.1:4000").unwrap().base_url(), "http://127.0.0.1:4000");
        assert_eq!(Domain::parse("http://[::1]:4000").unwrap().base_url(), "http://[::1]:4000");
        assert!(matches!(Domain::parse("http://acme.eu.auth0.com"), Err(DomainError::PlainHttp(_))));
        assert!(matches!(Domain::parse("http://localhost.evil.example"), Err(DomainError::PlainHttp(_))));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "https://", "ftp://acme.eu.auth0.com", "acme eu", "acme.com:port", "user@acme.com"] {
            assert!(matches!(Domain::parse(text), Err(DomainError::Malformed(_))), "{text:?}");
        }
    }
}
