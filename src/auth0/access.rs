//! Who signs in, where. Central type: [`Access`].

use crate::model::{Domain, EntityId, Secret};

use super::claims::Claims;
use super::private_key::PrivateKey;

/// All that is needed to sign in to one tenant. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Access {
    /// The tenant's canonical domain.
    pub domain: Domain,
    /// The identifier of the tenant's Management API, normally [`Domain::default_audience`].
    pub audience: String,
    /// How to prove who one is.
    pub credential: Credential,
}

/// How to prove who one is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The client-credentials grant of a machine-to-machine application.
    ClientSecret {
        /// The application.
        client_id: EntityId,
        /// Its secret.
        secret: Secret,
    },
    /// The same grant, by a key that the application has the public half of.
    PrivateKey {
        /// The application.
        client_id: EntityId,
        /// Its key.
        key: PrivateKey,
    },
    /// A token that was obtained elsewhere. It is used as it is and never renewed.
    Token(Secret),
}

impl Access {
    /// The client that signs in, so that a run can avoid cutting off its own access. A ready token may tell it, and may not.
    pub fn own_client(&self) -> Option<EntityId> {
        match &self.credential {
            Credential::ClientSecret { client_id, .. } | Credential::PrivateKey { client_id, .. } => {
                Some(client_id.clone())
            }
            Credential::Token(token) => Claims::of(token.expose()).client(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth0::claims::tests::jwt;

    fn access(credential: Credential) -> Access {
        let domain = Domain::parse("acme.eu.auth0.com").unwrap();
        Access { audience: domain.default_audience(), domain, credential }
    }

    #[test]
    fn the_own_client_is_the_id_that_signs_in() {
        let credential = Credential::ClientSecret { client_id: "abc".into(), secret: Secret::new("hush") };
        assert_eq!(access(credential).own_client(), Some("abc".into()));
    }

    #[test]
    fn a_ready_token_may_tell_the_own_client() {
        let by_azp = jwt(&serde_json::json!({"azp": "abc", "sub": "xyz@clients"}));
        let by_sub = jwt(&serde_json::json!({"sub": "xyz@clients"}));
        let person = jwt(&serde_json::json!({"sub": "auth0|123"}));
        let own = |token: &str| access(Credential::Token(Secret::new(token))).own_client();
        assert_eq!(own(&by_azp), Some("abc".into()));
        assert_eq!(own(&by_sub), Some("xyz".into()));
        assert_eq!(own(&person), None);
        assert_eq!(own("opaque"), None);
    }

    #[test]
    fn no_secret_is_shown() {
        let secret = Credential::ClientSecret { client_id: "abc".into(), secret: Secret::new("hush-hush") };
        let token = Credential::Token(Secret::new("hush-hush"));
        for credential in [secret, token] {
            assert!(!format!("{:?}", access(credential)).contains("hush"));
        }
    }
}
