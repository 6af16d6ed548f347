//! What a JSON Web Token says of itself. Nothing is verified: the tenant does that; this is for messages and guards.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Body, EntityId};

/// The claims that matter here; all absent for a token that is no JWT. One of another type than expected is absent too.
#[derive(Debug, Default)]
pub(crate) struct Claims(Body);

impl Claims {
    /// Reads a token's middle part.
    pub(crate) fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).unwrap_or_default();
        let Ok(json) = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')) else { return Self::default() };
        serde_json::from_slice(&json).map(Self).unwrap_or_default()
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim)?.as_str()
    }

    /// The services it is for.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Who issued it.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.text("iss")
    }

    /// The client it was issued to.
    pub(crate) fn client(&self) -> Option<EntityId> {
        let machine = || self.text("sub")?.strip_suffix("@clients");
        self.text("azp").or_else(machine).map(EntityId::new)
    }

    /// The scopes it names, where it names any.
    pub(crate) fn scopes(&self) -> Option<BTreeSet<String>> {
        ["scope", "permissions"].iter().find_map(|claim| scopes_in(self.0.get(*claim)?))
    }

    /// When it ends.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        // RFC 7519 allows fractions of a second.
        let seconds = self.0.get("exp")?.as_f64()?;
        Timestamp::from_second(seconds as i64).ok()
    }
}

/// Scopes as tokens and token answers write them: separated by blanks, or as a list.
pub(crate) fn scopes_in(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::String(text) => Some(text.split_ascii_whitespace().map(str::to_owned).collect()),
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
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
    fn a_claim_of_another_type_costs_no_other_claim() {
        let claims = Claims::of(&jwt(
            &serde_json::json!({"azp": "abc", "sub": 7, "scope": null, "permissions": ["read:clients", 3], "exp": 1_700_000_000.5}),
        ));
        assert_eq!(claims.client().unwrap().as_str(), "abc");
        assert_eq!(claims.scopes().unwrap(), ["read:clients".to_owned()].into());
        assert_eq!(claims.expires().unwrap().as_second(), 1_700_000_000);
    }

    #[test]
    fn expiry_is_read() {
        let claims = Claims::of(&jwt(&serde_json::json!({"exp": 1_700_000_000})));
        assert_eq!(claims.expires().unwrap().as_second(), 1_700_000_000);
    }
}
