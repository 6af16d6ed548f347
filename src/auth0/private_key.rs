//! The private key that a client signs in with, in place of a secret. Central type: [`PrivateKey`].

use std::fmt;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};

use crate::model::{Pem, Secret, SigningAlgorithm};

/// An RSA key with what it signs by. Its `Debug` shows nothing of the key; cheap to clone.
#[derive(Clone)]
pub struct PrivateKey {
    pair: Arc<RsaKeyPair>,
    algorithm: SigningAlgorithm,
    id: Option<String>,
}

/// Why a text is no key to sign with. It holds nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}; {help}")]
pub struct KeyError {
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub help: String,
}

fn error(cause: impl Into<String>, help: impl Into<String>) -> KeyError {
    KeyError { cause: cause.into(), help: help.into() }
}

const MAKE_ONE: &str = "make one with `openssl genrsa -out private.pem 2048`, and register its public half (`openssl rsa -in private.pem -pubout`) with the application";

impl PrivateKey {
    /// Reads a key in PEM: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), of 2048 to 4096 bits. Line ends may be
    /// written as `\n`, or be lost, as happens to what is pasted into a variable. `id` becomes the `kid` of assertions.
    ///
    /// # Errors
    /// For everything else, with what it is and what to do.
    pub fn read(text: &Secret, algorithm: SigningAlgorithm, id: Option<String>) -> Result<Self, KeyError> {
        let text = Secret::new(text.expose().replace("\\r", "\n").replace("\\n", "\n"));
        let pair = read_pair(text.expose())?;
        let key = Self { pair: Arc::new(pair), algorithm, id };
        // The parts of a key are held against each other when it signs.
        match key.sign(b"") {
            Some(_) => Ok(key),
            None => Err(error("its parts do not belong together", MAKE_ONE)),
        }
    }

    /// The signature of a message, or `None` where the system gives no random numbers.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let encoding: &'static dyn RsaEncoding = match self.algorithm {
            SigningAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
            SigningAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
            SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    pub(super) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A bundle may hold certificates and parameters beside the key.
fn read_pair(text: &str) -> Result<RsaKeyPair, KeyError> {
    let blocks = Pem::blocks(text);
    let key = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).or(blocks.first());
    let key = key.ok_or_else(|| {
        error(
            "there is no private key in PEM in it",
            "it must hold the key itself, from -----BEGIN PRIVATE KEY----- to its end",
        )
    })?;
    if let Some(wrong) = of_another_kind(key) {
        return Err(wrong);
    }
    if !key.ended {
        let cause = format!("the key has no end (-----END {}-----)", key.label);
        let help = "it was cut off: put it into quotes in a .env file, or write its line ends as \\n, or name a file";
        return Err(error(cause, help));
    }
    let damaged = || error("the key is damaged: it is not base64", "copy it again, whole");
    let der = key.der().ok_or_else(damaged)?;
    let read = if key.label == "PRIVATE KEY" { RsaKeyPair::from_pkcs8 } else { RsaKeyPair::from_der };
    read(&der).map_err(|rejected| unusable(&rejected.to_string()))
}

/// What is in PEM as well, and no RSA key to sign with.
fn of_another_kind(block: &Pem<'_>) -> Option<KeyError> {
    if block.is_encrypted() {
        return Some(error(
            "the key is encrypted with a passphrase, which nobody can type here",
            "decrypt it (`openssl pkey -in KEY -out PLAIN`) into a file that this user alone can read, or take it from a password manager with { command = … }",
        ));
    }
    Some(match block.label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => return None,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => error(
            "that is the public half of a key",
            "give the private one; the public one is what Auth0 keeps",
        ),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            error("that is a certificate", "give the private key that it was made for")
        }
        "EC PRIVATE KEY" | "EC PARAMETERS" => no_rsa(),
        "OPENSSH PRIVATE KEY" => error(
            "that is a key in the form of OpenSSH",
            "bring a copy of it into PEM with `ssh-keygen -p -m PKCS8 -f COPY`; it must be an RSA key",
        ),
        other => error(format!("a block of PEM called `{other}` is no private key"), MAKE_ONE),
    })
}

fn no_rsa() -> KeyError {
    error("that is no RSA key, and Auth0 takes RS256, RS384 and PS256 alone", MAKE_ONE)
}

/// In words, what `ring` says of a key that it does not take.
fn unusable(rejected: &str) -> KeyError {
    match rejected {
        "TooSmall" => error("the key is too small: it must have 2048 bits at least", MAKE_ONE),
        "TooLarge" => error("the key is too large: it must have 4096 bits at most", MAKE_ONE),
        "WrongAlgorithm" => no_rsa(),
        other => {
            error(format!("the key cannot be read ({other})"), "copy it again, whole; or make another one")
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const RSA: &str = include_str!("../../tests/keys/test-only-rsa-2048.pem");
    const PKCS1: &str = include_str!("../../tests/keys/test-only-rsa-2048.pkcs1.pem");

    fn read(text: &str) -> Result<PrivateKey, KeyError> {
        PrivateKey::read(&Secret::new(text), SigningAlgorithm::Rs256, None)
    }

    #[test]
    fn a_key_is_read_in_either_form_and_as_it_is_pasted() {
        let signature = read(RSA).unwrap().sign(b"x").unwrap();
        let one_line = RSA.trim().replace('\n', "\\n");
        let blanks = RSA.replace('\n', " ");
        let windows = RSA.replace('\n', "\r\n");
        let escaped = RSA.trim().replace('\n', "\\r\\n");
        let with_certificate = format!("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n{RSA}");
        for text in [PKCS1, &one_line, &blanks, &windows, &escaped, &with_certificate] {
            assert_eq!(read(text).unwrap().sign(b"x").unwrap(), signature, "{text}");
        }
    }

    #[test]
    fn what_is_no_such_key_is_told_with_what_to_do_and_never_shown() {
        let half = &RSA[..RSA.len() / 2];
        let broken = RSA.replace("MII", "M!I");
        let swapped = RSA.replacen("MII", "MIJ", 1);
        let parts = "-----BEGIN RSA PRIVATE KEY-----\nMAMCAQA=\n-----END RSA PRIVATE KEY-----";
        for (text, cause, help) in [
            ("s3cr3t", "no private key in PEM", "-----BEGIN PRIVATE KEY-----"),
            (half, "has no end", ".env"),
            (&broken, "damaged", "copy it again"),
            (&swapped, "cannot be read (InvalidEncoding)", "copy it again"),
            (parts, "cannot be read (InvalidEncoding)", "copy it again"),
            (
                include_str!("../../tests/keys/test-only-rsa-2048.public.pem"),
                "public half",
                "the private one",
            ),
            (include_str!("../../tests/keys/test-only-rsa-2048.pkcs1-public.pem"), "public half", "private"),
            ("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----", "a certificate", "private key"),
            (include_str!("../../tests/keys/test-only-ec-p256.pem"), "no RSA key", "openssl genrsa"),
            ("-----BEGIN EC PRIVATE KEY-----\nAQID\n-----END EC PRIVATE KEY-----", "no RSA key", "genrsa"),
            (
                include_str!("../../tests/keys/test-only-rsa-1024.pem"),
                "too small",
                "genrsa -out private.pem 2048",
            ),
            (include_str!("../../tests/keys/test-only-rsa-2048.encrypted.pem"), "encrypted", "openssl pkey"),
            (include_str!("../../tests/keys/test-only-rsa-2048.encrypted-pkcs1.pem"), "encrypted", "openssl"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAQID\n-----END", "OpenSSH", "ssh-keygen"),
            (
                "-----BEGIN DH PARAMETERS-----\nAQID\n-----END DH PARAMETERS-----",
                "`DH PARAMETERS`",
                "openssl",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.cause.contains(cause), "{cause}: {error}");
            assert!(error.help.contains(help), "{help}: {error}");
            assert!(!error.to_string().contains("s3cr3t") && !error.to_string().contains("AQID"));
        }
        assert_eq!(format!("{:?}", read(RSA).unwrap()), "PrivateKey { algorithm: Rs256, id: None, .. }");
    }
}
