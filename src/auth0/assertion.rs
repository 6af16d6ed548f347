//! What a client sends in place of a secret: a JSON Web Token that it signed itself (RFC 7523; Auth0's documentation,
//! "Authenticate with Private Key JWT"). Central type: [`Signer`].

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;

use crate::model::{Domain, EntityId};

use super::private_key::PrivateKey;

/// `client_assertion_type` of the token endpoint.
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds that an assertion is good for. Auth0 takes 300 at most; its own SDKs use these.
const LIFE: i64 = 120;

/// Makes the assertions of one client for one tenant.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    client_id: EntityId,
    audience: String,
    key: PrivateKey,
}

impl Signer {
    pub(super) fn new(client_id: &EntityId, domain: &Domain, key: &PrivateKey) -> Self {
        Self { client_id: client_id.clone(), audience: domain.issuer(), key: key.clone() }
    }

    /// A new assertion, which is good for one request: its `jti` was never used before. `now` is by the tenant's clock, as far as
    /// that is known. `iat` and `nbf` may be left out and are: with them a clock that is a little ahead would be refused.
    pub(super) fn assertion(&self, now: Timestamp) -> String {
        let header = match self.key.id() {
            Some(id) => json!({ "alg": self.key.algorithm().as_str(), "typ": "JWT", "kid": id }),
            None => json!({ "alg": self.key.algorithm().as_str(), "typ": "JWT" }),
        };
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "exp": now.as_second() + LIFE,
            "jti": unique(),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        // The key has signed before. Should the system have no random numbers now, the tenant refuses what is not signed.
        let signature = self.key.sign(signed.as_bytes()).unwrap_or_default();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// 128 random bits. They come from the system: two processes must not make the same.
fn unique() -> String {
    let mut bytes = [0_u8; 16];
    // Without random numbers nothing can be signed either.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ring::signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use serde_json::Value;

    use super::*;
    use crate::auth0::private_key::tests::RSA;
    use crate::model::{Pem, Secret, SigningAlgorithm};

    fn signer(algorithm: SigningAlgorithm, id: Option<&str>) -> Signer {
        let key = PrivateKey::read(&Secret::new(RSA), algorithm, id.map(str::to_owned)).unwrap();
        Signer::new(&"own-client".into(), &Domain::parse("http://127.0.0.1:4000").unwrap(), &key)
    }

    fn parts(assertion: &str) -> [Vec<u8>; 3] {
        let parts: Vec<_> = assertion.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        parts.try_into().unwrap()
    }

    #[test]
    fn an_assertion_says_who_asks_whom_until_when() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let [header, claims, _] = parts(&signer(SigningAlgorithm::Rs256, Some("k1")).assertion(now));
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
        let mut claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["jti"].take().as_str().unwrap().len(), 32);
        assert_eq!(
            claims,
            json!({"iss": "own-client", "sub": "own-client", "aud": "https://127.0.0.1:4000/", "exp": 1_700_000_120, "jti": null})
        );
    }

    #[test]
    fn it_is_signed_by_the_algorithm_that_it_names() {
        let public = include_str!("../../tests/keys/test-only-rsa-2048.pkcs1-public.pem");
        let public = Pem::blocks(public)[0].der().unwrap();
        let algorithms: [(_, &'static dyn VerificationAlgorithm); 3] = [
            (SigningAlgorithm::Rs256, &RSA_PKCS1_2048_8192_SHA256),
            (SigningAlgorithm::Rs384, &RSA_PKCS1_2048_8192_SHA384),
            (SigningAlgorithm::Ps256, &RSA_PSS_2048_8192_SHA256),
        ];
        for (algorithm, verifier) in algorithms {
            let assertion = signer(algorithm, None).assertion(Timestamp::UNIX_EPOCH);
            let (signed, _) = assertion.rsplit_once('.').unwrap();
            let [header, _, signature] = parts(&assertion);
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!((header["alg"].as_str(), header.get("kid")), (Some(algorithm.as_str()), None));
            UnparsedPublicKey::new(verifier, &*public).verify(signed.as_bytes(), &signature).unwrap();
        }
    }

    #[test]
    fn no_two_assertions_are_the_same_and_all_are_short_enough() {
        let signer = signer(SigningAlgorithm::Ps256, None);
        let made: HashSet<String> = (0..20).map(|_| signer.assertion(Timestamp::UNIX_EPOCH)).collect();
        assert_eq!(made.len(), 20);
        // Auth0 takes 2048 bytes.
        assert!(made.iter().all(|assertion| assertion.len() < 2048));
    }
}
