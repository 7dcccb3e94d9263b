//! Getting a component: the manifest, then the one layer it names, each held to its digest.

use super::{
    OciRegistries, Reference,
    client::Conversation,
    layout::{MANIFEST, Manifest, sha256},
    reference::sha256_hex,
};
use aistack_domain::port::{Pulled, RegistryError};
use bytes::Bytes;
use reqwest::{Method, StatusCode};

/// Largest manifest; the specification wants registries to take at least this much, and ours has a kilobyte.
pub(super) const MOST_MANIFEST: u64 = 4 << 20;
/// Header that says the digest of a manifest.
pub(super) const DIGEST: &str = "docker-content-digest";

pub(super) async fn pull(registries: &OciRegistries, reference: &Reference, max: u64) -> Result<Pulled, RegistryError> {
    let talk = Conversation::open(registries, reference, "pull")?;
    let (bytes, digest) = manifest(&talk, reference.wanted())
        .await?
        .ok_or_else(|| RegistryError::NotFound(reference.to_string()))?;
    let layer = Manifest::component(&bytes)?;
    if layer.size > max {
        return Err(RegistryError::TooLarge { size: layer.size, max });
    }
    if sha256_hex(&layer.digest).is_none() {
        return Err(RegistryError::Layout(format!(
            "digest {:?} is not a SHA-256",
            layer.digest
        )));
    }
    let url = talk.url(&format!("blobs/{}", layer.digest))?;
    let answer = talk.ask(&Method::GET, &url, None, None).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => {
            return Err(RegistryError::NotFound(format!(
                "{reference}: its layer {}",
                layer.digest
            )));
        }
        _ => return Err(talk.unexpected(answer, "reading the component").await),
    }
    let component = talk.read(answer, layer.size).await?;
    held_to(&layer.digest, &component)?;
    Ok(Pulled {
        component: component.to_vec(),
        manifest: digest,
    })
}

/// A manifest by tag or digest, with its digest; `None` when there is none.
pub(super) async fn manifest(talk: &Conversation<'_>, wanted: &str) -> Result<Option<(Bytes, String)>, RegistryError> {
    let url = talk.url(&format!("manifests/{wanted}"))?;
    let answer = talk.ask(&Method::GET, &url, Some(MANIFEST), None).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        _ => return Err(talk.unexpected(answer, "reading the manifest").await),
    }
    let said = answer
        .headers()
        .get(DIGEST)
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let bytes = talk.read(answer, MOST_MANIFEST).await?;
    let pinned = sha256_hex(wanted).map(|_| wanted.to_owned());
    for expected in pinned.into_iter().chain(said) {
        held_to(&expected, &bytes)?;
    }
    let digest = sha256(&bytes);
    Ok(Some((bytes, digest)))
}

fn held_to(expected: &str, bytes: &[u8]) -> Result<(), RegistryError> {
    let found = sha256(bytes);
    if found == expected {
        return Ok(());
    }
    Err(RegistryError::Digest {
        expected: expected.to_owned(),
        found,
    })
}
