//! What a JSON Web Token says of itself. Nothing is verified: the tenant does that; this is for messages and guards.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::model::EntityId;

/// The claims that matter here; all absent for a token that is no JWT.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    azp: Option<String>,
    sub: Option<String>,
    scope: Option<String>,
    permissions: Option<Vec<String>>,
    exp: Option<i64>,
}

impl Claims {
    /// Reads a token's middle part.
    pub(crate) fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).unwrap_or_default();
        let Ok(json) = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')) else { return Self::default() };
        serde_json::from_slice(&json).unwrap_or_default()
    }

    /// The client it was issued to.
    pub(crate) fn client(&self) -> Option<EntityId> {
        let machine = || self.sub.as_deref()?.strip_suffix("@clients");
        self.azp.as_deref().or_else(machine).map(EntityId::new)
    }

    /// The scopes it names, where it names any.
    pub(crate) fn scopes(&self) -> Option<BTreeSet<String>> {
        match (&self.scope, &self.permissions) {
            (Some(scope), _) => Some(split_scopes(scope)),
            (None, Some(permissions)) => Some(permissions.iter().cloned().collect()),
            (None, None) => None,
        }
    }

    /// When it ends.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.exp.and_then(|seconds| Timestamp::from_second(seconds).ok())
    }
}

/// A space-separated list of scopes, as tokens and token answers write it.
pub(crate) fn split_scopes(text: &str) -> BTreeSet<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An unsigned token with these claims.
    pub(crate) fn jwt(claims: &serde_json::Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn scopes_come_from_scope_or_permissions() {
        let by_scope = Claims::of(&jwt(&serde_json::json!({"scope": "read:clients  update:clients"})));
        let by_permission = Claims::of(&jwt(&serde_json::json!({"permissions": ["read:clients"]})));
        assert_eq!(by_scope.scopes().unwrap().len(), 2);
        assert!(by_permission.scopes().unwrap().contains("read:clients"));
        assert_eq!(Claims::of("opaque").scopes(), None);
    }

    #[test]
    fn expiry_is_read() {
        let claims = Claims::of(&jwt(&serde_json::json!({"exp": 1_700_000_000})));
        assert_eq!(claims.expires().unwrap().as_second(), 1_700_000_000);
    }
}
