//! Signing in by a private key: the tenant's side of it, with the rules that Auth0 publishes ("Authenticate with Private Key
//! JWT"). Central type: [`Assertions`].

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde::Deserialize;

use super::public_key::PublicKey;
use super::reply::Reply;
use super::store::lock;

/// `client_assertion_type`.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest assertion, and longest `iss`, `sub` and `jti`.
const LONGEST: usize = 2048;
const LONGEST_NAME: usize = 64;
/// Seconds ahead that an assertion may end, and that clocks may differ.
const LONGEST_LIFE: i64 = 300;
const SKEW: i64 = 10;

/// What an assertion says. Those of another type than expected are refused as unreadable.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: f64,
    jti: String,
    iat: Option<f64>,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// The client that an assertion is about, unproven: `client_id` may be left out beside one.
pub(super) fn subject(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Some(claims.sub)
}

/// Judges the assertions of one client, each of which counts once.
pub(super) struct Assertions {
    key: PublicKey,
    /// What the tenant is called in `aud`.
    issuers: Vec<String>,
    /// `jti` of those that were taken, with when they end.
    used: Mutex<HashMap<String, i64>>,
}

impl Assertions {
    pub(super) fn new(key: PublicKey, issuers: Vec<String>) -> Self {
        Self { key, issuers, used: Mutex::default() }
    }

    /// # Errors
    /// With the answer to send where it proves nothing. The words are the sandbox's own.
    pub(super) fn check(
        &self,
        kind: Option<&str>,
        assertion: &str,
        client: &str,
        now: i64,
    ) -> Result<(), Reply> {
        self.judge(kind, assertion, client, now).map_err(|wrong| Reply::oauth(401, "invalid_client", wrong))
    }

    fn judge(&self, kind: Option<&str>, assertion: &str, client: &str, now: i64) -> Result<(), &'static str> {
        if kind != Some(JWT_BEARER) {
            return Err(
                "client_assertion_type is not urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            );
        }
        let claims = self.verified(assertion)?;
        if claims.iss != client || claims.sub != client {
            return Err("iss and sub of the client_assertion must be the client_id");
        }
        if !self.issuers.contains(&claims.aud) {
            return Err("aud of the client_assertion must be https://DOMAIN/ of this tenant");
        }
        let end = claims.exp as i64;
        if end + SKEW <= now {
            return Err("the client_assertion has expired");
        }
        if end > now + LONGEST_LIFE + SKEW {
            return Err("exp of the client_assertion is more than 5 minutes ahead");
        }
        if claims.iat.into_iter().chain(claims.nbf).any(|from| from as i64 > now + SKEW) {
            return Err("the client_assertion is not valid yet");
        }
        if claims.jti.is_empty() || [&claims.jti, &claims.iss].iter().any(|name| name.len() > LONGEST_NAME) {
            return Err("jti, iss and sub of the client_assertion must have 1 to 64 characters");
        }
        self.take(claims.jti, end, now)
    }

    /// The claims of what the client's own key has signed.
    fn verified(&self, assertion: &str) -> Result<Claims, &'static str> {
        const UNREADABLE: &str =
            "the client_assertion is not a JSON Web Token with iss, sub, aud, exp and jti";
        if assertion.len() > LONGEST {
            return Err("the client_assertion is longer than 2048 bytes");
        }
        let (signed, signature) = assertion.rsplit_once('.').ok_or(UNREADABLE)?;
        let (header, payload) = signed.split_once('.').ok_or(UNREADABLE)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| UNREADABLE);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| UNREADABLE)?;
        let algorithm: &'static dyn VerificationAlgorithm = match header.alg.as_str() {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &RSA_PKCS1_2048_8192_SHA384,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            _ => return Err("alg of the client_assertion must be RS256, RS384 or PS256"),
        };
        let key = UnparsedPublicKey::new(algorithm, &self.key.der);
        key.verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| "the client_assertion is not signed by the client's key")?;
        serde_json::from_slice(&decode(payload)?).map_err(|_| UNREADABLE)
    }

    fn take(&self, jti: String, end: i64, now: i64) -> Result<(), &'static str> {
        let mut used = lock(&self.used);
        used.retain(|_, end| *end + SKEW > now);
        match used.insert(jti, end) {
            None => Ok(()),
            Some(_) => Err("jti of the client_assertion was used before"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Pem;

    const NOW: i64 = 1_700_000_000;
    const OURS: &str = include_str!("../../tests/keys/test-only-rsa-2048.pem");
    const OTHER: &str = include_str!("../../tests/keys/test-only-other-rsa-2048.pem");
    const PUBLIC: &str = include_str!("../../tests/keys/test-only-rsa-2048.public.pem");

    fn assertions() -> Assertions {
        Assertions::new(PUBLIC.parse().unwrap(), vec!["https://t/".to_owned()])
    }

    fn sign(pem: &str, alg: &str, claims: &Value) -> String {
        let pair = RsaKeyPair::from_pkcs8(&Pem::blocks(pem)[0].der().unwrap()).unwrap();
        let encoding: &'static dyn RsaEncoding =
            if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": alg})), part(claims));
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims(jti: &str) -> Value {
        json!({"iss": "me", "sub": "me", "aud": "https://t/", "exp": NOW + 60, "jti": jti})
    }

    #[test]
    fn an_assertion_is_taken_once() {
        let assertions = assertions();
        let first = sign(OURS, "RS256", &claims("1"));
        let judge = |assertion: &str, now| assertions.judge(Some(JWT_BEARER), assertion, "me", now);
        assert_eq!(judge(&first, NOW), Ok(()));
        assert_eq!(judge(&first, NOW), Err("jti of the client_assertion was used before"));
        assert_eq!(judge(&sign(OURS, "PS256", &claims("2")), NOW), Ok(()));
        assert_eq!(judge(&first, NOW + 71), Err("the client_assertion has expired"));
    }

    #[test]
    fn each_mistake_has_its_own_answer() {
        let with = |key: &str, value: Value| {
            let mut claims = claims("1");
            claims[key] = value;
            sign(OURS, "RS256", &claims)
        };
        for (assertion, said) in [
            (sign(OTHER, "RS256", &claims("1")), "not signed by the client's key"),
            (sign(OURS, "RS384", &claims("1")), "not signed by the client's key"),
            (sign(OURS, "HS256", &claims("1")), "must be RS256, RS384 or PS256"),
            (with("iss", json!("you")), "iss and sub"),
            (with("sub", json!("you")), "iss and sub"),
            (with("aud", json!("https://t/oauth/token")), "aud of"),
            (with("aud", json!(["https://t/"])), "not a JSON Web Token with"),
            (with("exp", json!(NOW - 10)), "expired"),
            (with("exp", json!(NOW + 311)), "more than 5 minutes"),
            (with("iat", json!(NOW + 11)), "not valid yet"),
            (with("nbf", json!(NOW + 11)), "not valid yet"),
            (with("jti", json!("")), "1 to 64 characters"),
            (with("jti", json!("x".repeat(65))), "1 to 64 characters"),
            (with("x", json!("x".repeat(2000))), "longer than 2048"),
            ("a.b".to_owned(), "not a JSON Web Token"),
        ] {
            let got = assertions().judge(Some(JWT_BEARER), &assertion, "me", NOW).unwrap_err();
            assert!(got.contains(said), "{said}: {got}");
        }
        let good = sign(OURS, "RS256", &claims("1"));
        assert!(
            assertions().judge(Some("jwt"), &good, "me", NOW).unwrap_err().contains("client_assertion_type")
        );
    }
}
