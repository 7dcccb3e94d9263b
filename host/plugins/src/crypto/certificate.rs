//! The facts of an X.509 certificate. Nothing is verified here.

use super::Tried;
use aistack_domain::plugins::port::{Fault, FaultKind};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate says.
pub(crate) struct CertificateInfo {
    /// Serial number, upper-case hex.
    pub(crate) serial: String,
    /// Subject, RFC 4514.
    pub(crate) subject: String,
    /// Issuer, RFC 4514.
    pub(crate) issuer: String,
    /// Start of validity, Unix milliseconds.
    pub(crate) not_before_ms: i64,
    /// End of validity, Unix milliseconds.
    pub(crate) not_after_ms: i64,
    /// SubjectPublicKeyInfo, DER.
    pub(crate) public_key: Vec<u8>,
}

pub(crate) fn read(der_or_pem: &[u8]) -> Tried<CertificateInfo> {
    let invalid = || {
        Fault::new(
            FaultKind::InvalidInput,
            "certificate_invalid",
            "not an X.509 certificate as DER or PEM",
        )
    };
    let der = if der_or_pem.first() == Some(&0x30) {
        CertificateDer::from(der_or_pem)
    } else {
        CertificateDer::from_pem_slice(der_or_pem).map_err(|_| invalid())?
    };
    let (rest, c) = X509Certificate::from_der(&der).map_err(|_| invalid())?;
    if !rest.is_empty() {
        return Err(invalid());
    }
    Ok(CertificateInfo {
        serial: format!("{:X}", c.serial),
        subject: c.subject().to_string(),
        issuer: c.issuer().to_string(),
        not_before_ms: c.validity().not_before.timestamp().saturating_mul(1_000),
        not_after_ms: c.validity().not_after.timestamp().saturating_mul(1_000),
        public_key: c.public_key().raw.to_vec(),
    })
}
