//! The facts of an X.509 certificate. Nothing is verified here.

use super::Tried;
use crate::{imports::fault, v1::bindings::crypto::CertificateInfo};
use aistack_domain::plugins::port::FaultKind;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};

pub(super) fn read(der_or_pem: &[u8]) -> Tried<CertificateInfo> {
    let invalid = || {
        fault(
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
