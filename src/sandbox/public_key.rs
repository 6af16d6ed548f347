//! The key that a simulated tenant knows of a client. Central type: [`PublicKey`].

use std::fmt;
use std::str::FromStr;

use crate::model::Pem;

/// The public half of an RSA key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `RSAPublicKey` of PKCS#1.
    pub(super) der: Vec<u8>,
}

/// Why a text is no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PublicKeyError(&'static str);

const PRIVATE: &str = "that is a private key, which a tenant never sees; write its public half into a file: `openssl rsa -in KEY -pubout -out FILE`";
const CERTIFICATE: &str =
    "that is a certificate; take the key out of it: `openssl x509 -in CERTIFICATE -noout -pubkey`";

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    /// Reads PEM: `PUBLIC KEY`, as `openssl rsa -in KEY -pubout` writes it, or `RSA PUBLIC KEY` (PKCS#1).
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let blocks = Pem::blocks(text);
        let first = blocks.first().ok_or(PublicKeyError("there is no public key in PEM in it"))?;
        let der = first.der().ok_or(PublicKeyError("the key is cut off or damaged"))?;
        let der = match first.label {
            "PUBLIC KEY" => inner_of_info(&der).ok_or(PublicKeyError("that is no RSA key"))?,
            "RSA PUBLIC KEY" => &der,
            label if label.ends_with("PRIVATE KEY") => return Err(PublicKeyError(PRIVATE)),
            "CERTIFICATE" => return Err(PublicKeyError(CERTIFICATE)),
            _ => return Err(PublicKeyError("that is no public key in PEM")),
        };
        let modulus = sequence(der).and_then(|parts| element(INTEGER, parts)).map(|(modulus, _)| modulus);
        match modulus {
            None => Err(PublicKeyError("the key is damaged")),
            Some(modulus) if modulus.len() < 256 => Err(PublicKeyError("the key is smaller than 2048 bits")),
            Some(_) => Ok(Self { der: der.to_vec() }),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// The object identifier `rsaEncryption`, with its tag and length.
const RSA_ENCRYPTION: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The key within a `SubjectPublicKeyInfo` (RFC 5280), where it is an RSA key.
fn inner_of_info(der: &[u8]) -> Option<&[u8]> {
    let (algorithm, key) = element(SEQUENCE, sequence(der)?)?;
    let (bits, _) = element(BIT_STRING, key)?;
    let (unused, inner) = bits.split_first()?;
    (algorithm.starts_with(&RSA_ENCRYPTION) && *unused == 0).then_some(inner)
}

fn sequence(der: &[u8]) -> Option<&[u8]> {
    element(SEQUENCE, der).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length).filter(|_| *found == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = include_str!("../../tests/keys/test-only-rsa-2048.public.pem");
    const PRIVATE: &str = include_str!("../../tests/keys/test-only-rsa-2048.pem");

    #[test]
    fn a_public_key_is_read_in_either_form_and_nothing_else_is() {
        let pkcs1 = include_str!("../../tests/keys/test-only-rsa-2048.pkcs1-public.pem");
        assert_eq!(PUBLIC.parse::<PublicKey>().unwrap(), pkcs1.parse().unwrap());
        let small = "-----BEGIN RSA PUBLIC KEY-----\nMAYCAQUCAQM=\n-----END RSA PUBLIC KEY-----";
        let certificate = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----";
        let damaged = PUBLIC.replace("MII", "MIA");
        for (text, said) in [
            (PRIVATE, "private key"),
            (small, "smaller than 2048 bits"),
            (certificate, "certificate"),
            (&damaged, "no RSA key"),
            (&PUBLIC[..200], "cut off"),
            ("nothing", "no public key in PEM"),
        ] {
            let error = text.parse::<PublicKey>().unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
