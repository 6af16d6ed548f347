//! Identifiers as types of their own, so that an id cannot be passed where a name is meant.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it stands; nothing is trimmed or checked.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_newtype! {
    /// What the user calls a tenant: its table in the configuration, or its domain where there is none.
    TenantName
}
text_newtype! {
    /// The id of one object in one tenant, such as a `client_id`. It means nothing in another tenant.
    EntityId
}
text_newtype! {
    /// The id of a run: sorts by time, is safe as a file name, and is short enough to go before a row
    /// number in the 64 characters that Auth0 keeps of `X-Correlation-ID`.
    RunId
}
