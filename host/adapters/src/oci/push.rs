//! Publishing a component: blobs first, then the manifest that names them. A tag that names something else already is
//! left alone unless that is meant.

use super::{
    OciRegistries, Reference,
    client::{Content, Conversation, may_upload_to},
    layout::{CONFIG, LAYER, MANIFEST, Manifest, lay_out, sha256},
    pull,
};
use aistack_core::Timestamp;
use aistack_domain::port::RegistryError;
use bytes::Bytes;
use reqwest::{Method, StatusCode};

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The reference, pinned to the manifest's digest.
    pub reference: Reference,
    /// Digest of the component, `sha256:<hex>`.
    pub component: String,
    /// Whether the tag named this very component before.
    pub was_there: bool,
}

impl OciRegistries {
    /// Publishes a component under a reference's tag. `created` is written into its config; `replace` lets a tag that
    /// names something else be moved.
    ///
    /// # Errors
    /// As [`RegistryError`]; `Taken` when the tag names something else.
    pub async fn publish(
        &self,
        reference: &Reference,
        component: &[u8],
        created: Timestamp,
        replace: bool,
    ) -> Result<Published, RegistryError> {
        let Some(tag) = reference.tag.as_deref().filter(|_| reference.digest.is_none()) else {
            let why = "a component is published under a tag; its digest is what comes of it";
            return Err(RegistryError::Reference(format!("{reference}: {why}")));
        };
        let (manifest, config) = lay_out(component, created)?;
        let talk = Conversation::open(self, reference, "pull,push")?;
        let digest = sha256(component);
        let published = |manifest: String, was_there| Published {
            reference: Reference {
                digest: Some(manifest),
                ..reference.clone()
            },
            component: digest.clone(),
            was_there,
        };
        if let Some((bytes, there)) = pull::manifest(&talk, tag).await? {
            if Manifest::component(&bytes).is_ok_and(|layer| layer.digest == digest) {
                return Ok(published(there, true));
            }
            if !replace {
                return Err(RegistryError::Taken(reference.to_string()));
            }
        }
        blob(&talk, LAYER, Bytes::copy_from_slice(component)).await?;
        blob(&talk, CONFIG, config.into()).await?;
        let expected = sha256(&manifest);
        let content = Content {
            media_type: MANIFEST,
            bytes: manifest.into(),
        };
        let url = talk.url(&format!("manifests/{tag}"))?;
        let answer = talk.ask(&Method::PUT, &url, None, Some(&content)).await?;
        if answer.status() != StatusCode::CREATED {
            return Err(talk.unexpected(answer, "writing the manifest").await);
        }
        match answer.headers().get(pull::DIGEST).and_then(|v| v.to_str().ok()) {
            Some(found) if found != expected => Err(RegistryError::Digest {
                expected,
                found: found.to_owned(),
            }),
            _ => Ok(published(expected, false)),
        }
    }
}

/// Uploads a blob, unless it is there.
async fn blob(talk: &Conversation<'_>, media_type: &str, bytes: Bytes) -> Result<(), RegistryError> {
    let digest = sha256(&bytes);
    let there = talk
        .ask(&Method::HEAD, &talk.url(&format!("blobs/{digest}"))?, None, None)
        .await?;
    if there.status() == StatusCode::OK {
        return Ok(());
    }
    let url = talk.url("blobs/uploads/")?;
    let content = Content {
        media_type: "application/octet-stream",
        bytes: Bytes::new(),
    };
    let begun = talk.ask(&Method::POST, &url, None, Some(&content)).await?;
    if begun.status() != StatusCode::ACCEPTED {
        return Err(talk
            .unexpected(begun, &format!("beginning the upload of {media_type}"))
            .await);
    }
    let mut to = talk.location(&begun, &url)?;
    if !may_upload_to(&to, &url.origin().ascii_serialization()) {
        return Err(talk.failed("it wants the upload sent elsewhere without TLS"));
    }
    to.query_pairs_mut().append_pair("digest", &digest);
    let content = Content { bytes, ..content };
    let done = talk.ask(&Method::PUT, &to, None, Some(&content)).await?;
    if done.status() != StatusCode::CREATED {
        return Err(talk.unexpected(done, &format!("uploading {media_type}")).await);
    }
    Ok(())
}
