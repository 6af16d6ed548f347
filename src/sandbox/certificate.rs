//! The certificate that simulated tenants show over TLS, and the authority that signed it. Central type: [`Certificate`].

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan as _;
use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto::ring};

use super::clock::today;

/// What a tenant on this machine is called. Node and Python compare the address as a name of its own kind.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Days that the certificate is good for: some systems refuse one of more than 825, and no sandbox serves so long.
const DAYS: i64 = 365;

/// A certificate for this machine, signed by an authority made for it alone.
pub(super) struct Certificate {
    /// The authority's certificate, for whoever is to trust it. Its key is gone: it can sign nothing else.
    pub(super) authority: String,
    /// How tenants shake hands.
    pub(super) config: Arc<ServerConfig>,
}

impl Certificate {
    /// Makes an authority, has it sign, and forgets its key.
    pub(super) fn new() -> io::Result<Self> {
        let (authority, issuer) = authority().map_err(io::Error::other)?;
        let (certificate, key) = signed_by(&issuer).map_err(io::Error::other)?;
        let config = server_config(certificate, key).map_err(io::Error::other)?;
        Ok(Self { authority: pem(&authority), config: Arc::new(config) })
    }
}

fn authority() -> Result<(CertificateDer<'static>, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = named("patchwave sandbox authority", &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.into(), Issuer::new(params, key)))
}

fn signed_by(
    issuer: &Issuer<'_, KeyPair>,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let mut params = named("patchwave sandbox", &NAMES)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Python 3.13 and later ask for it.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.into(), key.into()))
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let hosts: Vec<String> = hosts.iter().copied().map(str::to_owned).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A day early: the clock of a container may be behind.
    let midnight =
        |at: Date| date_time_ymd(at.year().into(), at.month().unsigned_abs(), at.day().unsigned_abs());
    params.not_before = midnight(today().saturating_sub(1.day()));
    params.not_after = midnight(today().saturating_add(DAYS.days()));
    Ok(params)
}

/// HTTP/2 as well as HTTP/1.1, as the service's edge offers them.
fn server_config(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// RFC 7468: base64 in lines of 64.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let base64 = STANDARD.encode(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
