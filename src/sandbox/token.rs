//! Access tokens: JSON Web Tokens signed with HMAC-SHA256 by a key of the tenant, and really checked. Central type: [`Issuer`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::reply::{Refusal, Reply};

/// What a token says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) scope: String,
    pub(super) gty: String,
    pub(super) azp: String,
    /// Which token of this tenant it is, as a decimal number.
    pub(super) jti: String,
}

impl Claims {
    /// Whether any one of the scopes was granted.
    pub(super) fn any_scope(&self, scopes: &[&str]) -> bool {
        self.scope.split(' ').any(|granted| scopes.contains(&granted))
    }
}

/// Signs and checks one tenant's tokens.
pub(super) struct Issuer {
    key: [u8; 32],
}

impl Issuer {
    /// A key of its own, from the tenant's seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        fastrand::Rng::with_seed(seed).fill(&mut key);
        Self { key }
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT","kid":"sandbox"}"#);
        // Claims are strings and numbers, which always serialize.
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token that this tenant signed; whether they still hold is another question.
    pub(super) fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, payload) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if signature != hmac_sha256(&self.key, signed.as_bytes()) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

/// RFC 2104, with the 64-byte blocks of SHA-256. The key is shorter than a block.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Reads the Authorization header as the service's web framework does (hapi, with its JWT scheme).
///
/// # Errors
/// With the answer to send where there is none, or it does not hold a token of the form a JWT has.
pub(super) fn bearer(header: Option<&str>) -> Result<&str, Reply> {
    let missing = || {
        let missing = Reply::from(Refusal::new(401, "Missing authentication"));
        missing.header("www-authenticate", "Bearer")
    };
    let malformed = || Refusal::new(400, "Bad HTTP authentication header format").code("Bearer").into();
    let header = header.filter(|header| !header.is_empty()).ok_or_else(missing)?;
    let mut parts = header.split_whitespace();
    let (Some(scheme), Some(token), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed());
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    // An opaque token, as is issued without an audience, has no dots.
    if token.split('.').count() != 3 {
        return Err(malformed());
    }
    Ok(token)
}

/// The answer to a token that is not one of ours.
pub(super) fn invalid() -> Reply {
    refused("Invalid token")
}

/// The answer to a token whose time is over.
pub(super) fn expired() -> Reply {
    refused("Expired token received for JSON Web Token validation")
}

/// The reason stands in the body twice, and in a header.
fn refused(message: &str) -> Reply {
    let body = serde_json::json!({
        "statusCode": 401,
        "error": "Unauthorized",
        "message": message,
        "attributes": { "error": message },
    });
    Reply::json(401, &body).header("www-authenticate", format!("Token error=\"{message}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: "https://127.0.0.1/".into(),
            sub: "a@clients".into(),
            aud: "https://127.0.0.1/api/v2/".into(),
            iat: 1,
            exp: 2,
            scope: "read:clients update:clients".into(),
            gty: "client-credentials".into(),
            azp: "a".into(),
            jti: "0".into(),
        }
    }

    #[test]
    fn hmac_agrees_with_the_published_test_vector() {
        // RFC 4231 test case 1: a key of twenty 0x0b, which is the same as one padded with zeros.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let tag = hmac_sha256(&key, b"Hi There");
        assert_eq!(tag[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }

    #[test]
    fn a_token_is_good_for_its_own_tenant_and_unchanged_alone() {
        let (ours, theirs) = (Issuer::new(1), Issuer::new(2));
        let token = ours.sign(&claims());
        assert_eq!(ours.verify(&token), Some(claims()));
        assert_eq!(theirs.verify(&token), None);
        let forged = Claims { scope: "delete:clients".into(), ..claims() };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&forged).unwrap());
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(ours.verify(&format!("{}.{payload}.{}", parts[0], parts[2])), None);
        assert_eq!(ours.verify("garbage"), None);
    }
}
