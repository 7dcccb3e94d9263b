//! Signing: an Ed25519 signature over the component, kept in its own last section or in a file beside it.

use crate::{Error, build, inspect::Report};
use aistack_domain::plugins::{
    manifest,
    port::{SIGNATURE_SECTION, signed_message},
};
use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A key that was made.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    /// The private key, PKCS#8 PEM, readable by its owner alone.
    pub key: PathBuf,
    /// The public key, to be given to whoever is to trust it.
    pub public: PathBuf,
    /// Its id.
    pub key_id: String,
}

/// What was signed.
#[derive(Debug, Clone, Serialize)]
pub struct Signed {
    /// Where the signature is: the component, or the file beside it.
    pub file: PathBuf,
    /// Who signed.
    pub publisher: String,
    /// With which key.
    pub key_id: String,
    /// What was signed: the component without signatures.
    pub payload_digest: String,
}

/// What stands between the first pair of PEM lines.
pub(crate) fn pem(text: &str) -> Option<Vec<u8>> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|l| !l.starts_with("-----BEGIN "));
    lines.next()?;
    let body: String = lines.take_while(|l| !l.starts_with("-----")).collect();
    STANDARD.decode(body).ok()
}

fn as_pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|c| std::str::from_utf8(c).ok())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn key_id(public: &[u8]) -> String {
    hex::encode(digest(&SHA256, public))[..16].to_owned()
}

fn bad_key(path: &Path, why: impl Into<String>) -> Error {
    Error::Key {
        path: path.to_owned(),
        why: why.into(),
        hint: "an Ed25519 private key as PKCS#8 PEM: make one with aistack plugin sign --generate-key FILE, or \
               openssl genpkey -algorithm ed25519"
            .to_owned(),
    }
}

/// Makes a key: `path` and `path.pub`.
///
/// # Errors
/// When one of the files is there already, or can't be written.
pub fn generate(path: &Path) -> Result<Made, Error> {
    let pair = Ed25519KeyPair::generate().map_err(|_| Error::Failed("no key could be made".to_owned()))?;
    let private = pair
        .to_pkcs8v1()
        .map_err(|_| Error::Failed("the key can't be written".to_owned()))?;
    let public_der = pair
        .public_key()
        .as_der()
        .map_err(|_| Error::Failed("the key can't be written".to_owned()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let public = PathBuf::from(beside);
    for (file, text, mode) in [
        (path, as_pem("PRIVATE KEY", private.as_ref()), 0o600),
        (&public, as_pem("PUBLIC KEY", public_der.as_ref()), 0o644),
    ] {
        // A key that is there already is never written over: what it has signed could not be signed again.
        let mut open = fs::OpenOptions::new();
        let mut opened = open
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(file)
            .map_err(Error::file(file))?;
        opened.write_all(text.as_bytes()).map_err(Error::file(file))?;
    }
    Ok(Made {
        key: path.to_owned(),
        public,
        key_id: key_id(pair.public_key().as_ref()),
    })
}

/// Signs a component, in place or, with `detached`, in a file `.sig` beside it. Signatures of other keys stay.
///
/// # Errors
/// When key or component can't be used, or the manifest's publisher is not the one its id names: no host would take
/// such a signature.
pub fn sign(component: &Path, key: &Path, detached: bool) -> Result<Signed, Error> {
    let text = crate::project::read(key)?;
    let der = pem(&text).ok_or_else(|| bad_key(key, "it is no PEM"))?;
    let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|e| bad_key(key, format!("it is no Ed25519 key: {e}")))?;
    let bytes = fs::read(component).map_err(Error::file(component))?;
    let inside = aistack_plugins::dissect(&bytes)?;
    let manifest = inside
        .manifest
        .as_deref()
        .and_then(|m| std::str::from_utf8(m).ok())
        .unwrap_or_default();
    let manifest = manifest::parse(manifest).map_err(|e| Error::Build {
        what: format!("the component carries no manifest that a host takes: {e}"),
        hint: "build it with aistack plugin build; nothing can be added after signing".to_owned(),
    })?;
    if manifest.id.split('.').next() != Some(manifest.publisher.as_str()) {
        return Err(Error::Build {
            what: format!(
                "publisher {:?} is not the first part of the id {:?}",
                manifest.publisher, manifest.id
            ),
            hint: "make them the same in aistack-plugin.toml and build again; hosts refuse such signatures".to_owned(),
        });
    }
    let key_id = key_id(pair.public_key().as_ref());
    let block = json!({
        "publisher": manifest.publisher, "key_id": key_id, "alg": "Ed25519",
        "sig": STANDARD.encode(pair.sign(&signed_message(&inside.payload_sha256))),
    });
    let others: Vec<Value> = inside
        .signatures
        .iter()
        .filter(|s| s.key_id != key_id)
        .map(|s| json!({ "publisher": s.publisher, "key_id": s.key_id, "alg": s.alg, "sig": STANDARD.encode(&s.signature) }))
        .collect();
    let file = if detached {
        let mut beside = component.as_os_str().to_owned();
        beside.push(".sig");
        let beside = PathBuf::from(beside);
        fs::write(&beside, json!([block]).to_string()).map_err(Error::file(&beside))?;
        beside
    } else {
        let mut signed = bytes[..inside.payload_size].to_vec();
        let all: Vec<Value> = others.into_iter().chain([block]).collect();
        build::append(&mut signed, SIGNATURE_SECTION, json!(all).to_string().as_bytes());
        // Read again before it replaces anything.
        Report::of(&signed)?;
        fs::write(component, &signed).map_err(Error::file(component))?;
        component.to_owned()
    };
    Ok(Signed {
        file,
        publisher: manifest.publisher,
        key_id,
        payload_digest: format!("sha256:{}", hex::encode(inside.payload_sha256)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn a_key_is_made_once_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.pem");
        let made = generate(&path).unwrap();
        assert_eq!(generate(&path).unwrap_err().code(), "file");
        let pair = Ed25519KeyPair::from_pkcs8(&pem(&fs::read_to_string(&path).unwrap()).unwrap()).unwrap();
        let public = pem(&fs::read_to_string(&made.public).unwrap()).unwrap();
        // SubjectPublicKeyInfo: the key is its last 32 bytes.
        let raw = &public[public.len() - 32..];
        assert_eq!((raw, public.len()), (pair.public_key().as_ref(), 44));
        assert_eq!(made.key_id, key_id(raw));
        let signature = pair.sign(b"x");
        UnparsedPublicKey::new(&ED25519, raw)
            .verify(b"x", signature.as_ref())
            .unwrap();
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
