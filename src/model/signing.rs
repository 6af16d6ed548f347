//! How a client signs what it proves itself by.

use std::fmt;
use std::str::FromStr;

/// An algorithm that Auth0 takes for assertions of a client (documentation, "Authenticate with Private Key JWT").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Auth0 takes a credential for where nothing else is said.
    #[default]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

/// A word that names no such algorithm. It is not shown: where two lines were swapped it is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is none of RS256, RS384 and PS256")]
pub struct UnknownAlgorithm;

impl SigningAlgorithm {
    /// As it stands in the header of a JSON Web Token (RFC 7518).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let all = [Self::Rs256, Self::Rs384, Self::Ps256];
        all.into_iter().find(|one| one.as_str() == text).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
