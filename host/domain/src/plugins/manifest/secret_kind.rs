//! Shapes of secrets: what a tenant types in is held to what the manifest says it is, so that a key that can't be read
//! is told when it is typed and not when it is used.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// Any text.
    Text,
    /// A private key as PEM, not encrypted.
    PrivateKey,
    /// Likewise, RSA.
    RsaPrivate,
    /// Likewise, on an elliptic curve.
    EcPrivate,
    /// Certificates as PEM.
    Certificate,
    /// A client's certificate with its private key, both as PEM.
    ClientCertificate,
}

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-ecPublicKey`, 1.2.840.10045.2.1.
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// A block of a PEM text.
struct Block {
    label: String,
    der: Vec<u8>,
}

/// What is wrong with a value, and what to do about it.
type Unfit = (&'static str, &'static str);

const NO_PEM: Unfit = (
    "it is not a PEM text",
    "it begins with -----BEGIN … and ends with -----END …; paste the whole file, with its line ends",
);

/// The blocks of a PEM text (RFC 7468); what stands between them is not looked at.
fn blocks(text: &str) -> Result<Vec<Block>, Unfit> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(NO_PEM)?;
        let (body, after) = after.split_once(&format!("-----END {label}-----")).ok_or(NO_PEM)?;
        let packed: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let broken = (
            "its PEM can't be read",
            "it was cut or changed: paste the whole file again",
        );
        let der = STANDARD.decode(packed).map_err(|_| broken)?;
        if !is_sequence(&der) {
            return Err(broken);
        }
        all.push(Block {
            label: label.to_owned(),
            der,
        });
        rest = after;
    }
    if all.is_empty() { Err(NO_PEM) } else { Ok(all) }
}

/// Whether these bytes are one DER sequence, complete.
fn is_sequence(der: &[u8]) -> bool {
    let Some((0x30, rest)) = der.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return false;
    };
    match rest.split_first() {
        Some((short, body)) if *short < 0x80 => usize::from(*short) == body.len(),
        Some((long, rest)) => {
            let bytes = usize::from(*long & 0x7f);
            (1..=4).contains(&bytes)
                && rest.len() > bytes
                && rest[..bytes].iter().fold(0, |n, b| n << 8 | usize::from(*b)) == rest.len() - bytes
        }
        None => false,
    }
}

fn holds(der: &[u8], oid: &[u8]) -> bool {
    // In PKCS#8 the algorithm stands within the first bytes.
    der.windows(oid.len()).take(32).any(|w| w == oid)
}

fn is_private(block: &Block) -> bool {
    matches!(
        block.label.as_str(),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY"
    )
}

/// The private key of a PEM text.
fn private(all: &[Block]) -> Result<&Block, Unfit> {
    if let Some(key) = all.iter().find(|b| is_private(b)) {
        return Ok(key);
    }
    Err(if all.iter().any(|b| b.label == "ENCRYPTED PRIVATE KEY") {
        (
            "the private key is encrypted",
            "decrypt it first: openssl pkcs8 -in key.pem -out plain.pem; the platform keeps it sealed",
        )
    } else {
        (
            "there is no private key in it",
            "paste the file that begins with -----BEGIN PRIVATE KEY-----",
        )
    })
}

impl SecretKind {
    /// The kind a manifest names.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "text" | "password" | "token" | "hmac" => Self::Text,
            "private-key" => Self::PrivateKey,
            "rsa-private" => Self::RsaPrivate,
            "ec-private" => Self::EcPrivate,
            "certificate" | "pem-certificate" => Self::Certificate,
            "client-certificate" => Self::ClientCertificate,
            _ => return None,
        })
    }

    /// Holds a value to the kind.
    ///
    /// # Errors
    /// What is wrong with it, and what to do about it; neither repeats anything of the value.
    pub fn check(self, value: &str) -> Result<(), (&'static str, &'static str)> {
        if self == Self::Text {
            return Ok(());
        }
        let all = blocks(value)?;
        let certified = || {
            let found = all.iter().any(|b| b.label == "CERTIFICATE");
            found.then_some(()).ok_or((
                "there is no certificate in it",
                "paste the file that begins with -----BEGIN CERTIFICATE-----",
            ))
        };
        match self {
            Self::Text => Ok(()),
            Self::PrivateKey => private(&all).map(drop),
            Self::RsaPrivate => {
                let key = private(&all)?;
                let fits = key.label == "RSA PRIVATE KEY" || holds(&key.der, RSA);
                fits.then_some(()).ok_or((
                    "it is not an RSA key",
                    "the provider wants an RSA key; make one: openssl genrsa 2048",
                ))
            }
            Self::EcPrivate => {
                let key = private(&all)?;
                let fits = key.label == "EC PRIVATE KEY" || holds(&key.der, EC);
                fits.then_some(()).ok_or((
                    "it is not a key on an elliptic curve",
                    "the provider wants an EC key, e.g. of openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
                ))
            }
            Self::Certificate => certified(),
            Self::ClientCertificate => {
                certified()?;
                private(&all).map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der)
        )
    }

    fn sequence(body: &[u8]) -> Vec<u8> {
        [&[0x30, u8::try_from(body.len()).unwrap()], body].concat()
    }

    #[test]
    fn values_are_held_to_their_kind() {
        let (rsa, ec) = (sequence(RSA), sequence(EC));
        let of = |kind: &str, value: &str| SecretKind::of(kind).unwrap().check(value);
        assert!(of("text", "anything").is_ok());
        assert!(of("rsa-private", &pem("PRIVATE KEY", &rsa)).is_ok());
        assert!(of("rsa-private", &pem("RSA PRIVATE KEY", &sequence(b"x"))).is_ok());
        assert_eq!(
            of("rsa-private", &pem("PRIVATE KEY", &ec)).unwrap_err().0,
            "it is not an RSA key"
        );
        assert!(of("ec-private", &pem("PRIVATE KEY", &ec)).is_ok());
        assert!(of("ec-private", &pem("PRIVATE KEY", &rsa)).is_err());
        assert!(of("private-key", &pem("PRIVATE KEY", &ec)).is_ok());
        assert!(of("private-key", &pem("PUBLIC KEY", &ec)).is_err());
        let hidden = of("private-key", &pem("ENCRYPTED PRIVATE KEY", &rsa)).unwrap_err();
        assert!(hidden.1.contains("decrypt"));
        let cut = pem("PRIVATE KEY", &[rsa.as_slice(), b"more"].concat());
        for bad in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\nAAAA",
            cut.as_str(),
            &pem("PRIVATE KEY", b"no DER"),
        ] {
            assert!(of("private-key", bad).is_err(), "{bad}");
        }
        let certificate = pem("CERTIFICATE", &sequence(b"c"));
        assert!(of("certificate", &certificate).is_ok());
        assert!(of("client-certificate", &certificate).is_err());
        assert!(
            of(
                "client-certificate",
                &format!("{certificate}{}", pem("PRIVATE KEY", &ec))
            )
            .is_ok()
        );
        assert!(SecretKind::of("sercet").is_none());
    }

    #[test]
    fn lengths_of_more_than_one_byte_are_read() {
        let body = vec![7; 300];
        let der = [&[0x30, 0x82, 0x01, 0x2c], body.as_slice()].concat();
        assert!(is_sequence(&der));
        assert!(!is_sequence(&der[..der.len() - 1]));
        assert!(!is_sequence(&[0x30, 0x84, 0xff]));
    }
}
