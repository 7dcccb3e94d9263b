//! X.509 certificates over seeded keys. Their dates are fixed, so that a certificate is the same after a restart.

use super::{Material, RsaKey, der};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: RsaKey,
    pub(crate) der: Vec<u8>,
    /// Upper-case hex, without leading zeros.
    pub(crate) serial: String,
    /// The subject's attributes as (type, value), in the certificate's order: country, organisation, common name.
    pub(crate) subject: [(&'static str, String); 3],
}

/// Who signs a certificate.
pub(crate) enum Signer<'a> {
    /// Itself, as an authority that may sign others.
    Authority,
    /// An authority.
    By(&'a Certificate),
}

impl Certificate {
    /// Makes one for `purpose`; `names` are the host names and addresses it is for.
    pub(crate) fn make(material: &Material, purpose: &str, name: &str, names: &[String], signer: &Signer<'_>) -> Self {
        let key = material.rsa(&format!("certificate {purpose}"));
        let mut serial = material.bytes::<16>(&format!("serial {purpose}"));
        // Positive and without leading zero, so that every way to print it agrees.
        serial[0] = serial[0] & 0x3f | 0x40;
        let mut params = CertificateParams::new(names).expect("names of simulators are ASCII");
        params.distinguished_name = distinguished(name);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2045, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        let pair = pair(&key);
        let certificate = match signer {
            Signer::Authority => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.key_usages.push(KeyUsagePurpose::KeyCertSign);
                params.self_signed(&pair)
            }
            Signer::By(authority) => {
                params.is_ca = IsCa::ExplicitNoCa;
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                let mut of = CertificateParams::default();
                of.distinguished_name = distinguished(&authority.subject[2].1);
                of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.signed_by(&pair, &Issuer::new(of, self::pair(&authority.key)))
            }
        };
        let certificate = certificate.expect("a certificate over an RSA key with fixed parameters can be signed");
        Self {
            key,
            der: certificate.der().to_vec(),
            serial: hex::encode_upper(serial),
            subject: subject(name),
        }
    }

    pub(crate) fn pem(&self) -> String {
        der::pem("CERTIFICATE", &self.der)
    }
}

fn subject(name: &str) -> [(&'static str, String); 3] {
    [
        ("C", "CN".into()),
        ("O", "aistack simulators".into()),
        ("CN", name.into()),
    ]
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut out = DistinguishedName::new();
    for (kind, value) in subject(name) {
        let kind = match kind {
            "C" => DnType::CountryName,
            "O" => DnType::OrganizationName,
            _ => DnType::CommonName,
        };
        out.push(kind, value);
    }
    out
}

fn pair(key: &RsaKey) -> KeyPair {
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key.pkcs8()), &rcgen::PKCS_RSA_SHA256)
        .expect("a key made here is PKCS#8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    #[test]
    fn another_implementation_reads_the_chain() {
        let material = Material::new(1, "test");
        let root = Certificate::make(&material, "root", "Root", &[], &Signer::Authority);
        let leaf = Certificate::make(&material, "leaf", "Leaf", &["localhost".into()], &Signer::By(&root));
        let (_, parsed_root) = X509Certificate::from_der(&root.der).unwrap();
        let (_, parsed) = X509Certificate::from_der(&leaf.der).unwrap();
        assert_eq!(
            parsed.raw_serial_as_string().replace(':', "").to_uppercase(),
            leaf.serial
        );
        assert_eq!(parsed.issuer(), parsed_root.subject());
        assert!(parsed_root.is_ca() && !parsed.is_ca());
        assert_eq!(parsed.public_key().raw, leaf.key.spki());
        let again = Certificate::make(&material, "leaf", "Leaf", &["localhost".into()], &Signer::By(&root));
        assert_eq!(again.der, leaf.der, "the same seed gives the same certificate");
    }
}
