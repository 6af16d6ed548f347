//! Text that must not be seen: tokens, client secrets, private keys.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret. It has no `Display`, its `Debug` shows nothing, it is not serializable, and its memory is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text, for the one call that must send it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether an environment variable of this name is one that patchwave itself signs in with, or that sets it up. A job that
/// came from somewhere else must not be able to send those into a client, where others read them.
pub fn names_own_credential(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    let tutorial = ["CLIENT_DOMAIN", "CLIENT_ID", "CLIENT_SECRET"];
    ["AUTH0_", "PATCHWAVE_"].iter().any(|prefix| upper.starts_with(prefix))
        || tutorial.contains(&upper.as_str())
}

/// Whether an environment variable of this name is, or may hold, a credential: those are never shown to templates.
pub fn names_credential(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    let ours = ["AUTH0_", "CLIENT_", "PATCHWAVE_"].iter().any(|prefix| upper.starts_with(prefix));
    let words = ["SECRET", "PASSWORD", "TOKEN", "PRIVATE_KEY", "CREDENTIAL"];
    ours || words.iter().any(|word| upper.contains(word))
}
