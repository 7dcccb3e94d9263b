//! Publishers' keys, kept in the platform's settings.

use super::Tier;
use crate::{App, Ctx, FieldError, Problem, audit};
use aistack_core::{ProblemKind, Timestamp};
use aistack_store::PlatformTx;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

const PREFIX: &str = "plugins.publisher/";
/// What comes before the 32 bytes of an Ed25519 public key in its DER form.
const DER: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A publisher's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// Id of the key: the first 16 hex digits of its SHA-256.
    pub key_id: String,
    /// Who publishes with it; the first part of their plugins' ids.
    pub publisher: String,
    /// The key, 32 bytes in base64.
    pub public_key: String,
    /// How far it is trusted.
    pub tier: Tier,
    /// For people.
    pub note: String,
    /// When added.
    pub added_at: Timestamp,
    /// When revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Publisher {
    pub(super) fn key(&self) -> Vec<u8> {
        STANDARD.decode(&self.public_key).unwrap_or_default()
    }
}

/// A key to be added.
#[derive(Debug, Clone)]
pub struct NewPublisher {
    /// Who publishes with it.
    pub publisher: String,
    /// The key: PEM (`PUBLIC KEY`), or its DER or its 32 bytes in base64 or hex.
    pub public_key: String,
    /// How far it is trusted.
    pub tier: Tier,
    /// For people.
    pub note: String,
}

/// The 32 bytes of a key, however it is written.
fn read_key(text: &str) -> Option<[u8; 32]> {
    let body: String = text.lines().filter(|l| !l.starts_with("-----")).collect();
    let body = body.trim();
    let bytes = match hex::decode(body) {
        Ok(bytes) if bytes.len() == 32 => bytes,
        _ => STANDARD.decode(body).ok()?,
    };
    bytes.strip_prefix(DER).unwrap_or(&bytes).try_into().ok()
}

/// Id of a key.
fn key_id(public: &[u8]) -> String {
    hex::encode(Sha256::digest(public))[..16].to_owned()
}

/// All keys, revoked ones too.
///
/// # Errors
/// As the store.
pub async fn list(app: &App) -> Result<Vec<Publisher>, Problem> {
    let rows = app.store.platform_read().await?.settings().with_prefix(PREFIX).await?;
    rows.iter().map(|(name, bytes)| read(name, bytes)).collect()
}

/// Adds a key, or changes the tier and the note of one that is there. A revoked key stays revoked.
///
/// # Errors
/// `validation_failed`, `conflict` for a revoked key or one that is another publisher's, or as the store.
pub async fn add(app: &App, ctx: &Ctx, new: NewPublisher) -> Result<Publisher, Problem> {
    let mut errors = Vec::new();
    let name = new.publisher.trim();
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        errors.push(
            FieldError::new("/publisher", "format", "a publisher is 1 to 64 of a-z, 0-9, - and _")
                .hint("the first part of their plugins' ids, e.g. acme for acme.pay"),
        );
    }
    let key = read_key(&new.public_key);
    if key.is_none() {
        errors.push(
            FieldError::new("/public_key", "format", "this is no Ed25519 public key")
                .hint("PEM as `openssl pkey -pubout` writes it, or the 32 bytes in base64 or hex"),
        );
    }
    if new.note.chars().count() > 200 || new.note.chars().any(char::is_control) {
        errors.push(FieldError::new(
            "/note",
            "too_long",
            "a note has at most 200 characters, none of them control characters",
        ));
    }
    let Some(key) = key.filter(|_| errors.is_empty()) else {
        return Err(Problem::invalid(errors));
    };
    let mut tx = app.store.platform().await?;
    let known = find(&mut *tx, &key_id(&key)).await?;
    let publisher = Publisher {
        key_id: key_id(&key),
        publisher: name.to_owned(),
        public_key: STANDARD.encode(key),
        tier: new.tier,
        note: new.note,
        added_at: known.as_ref().map_or_else(|| app.clock.now(), |k| k.added_at),
        revoked_at: None,
    };
    if let Some(known) = known {
        if known.revoked_at.is_some() {
            return Err(Problem::new(ProblemKind::Conflict, "this key has been revoked")
                .with("reason", "key_revoked")
                .hint("a revoked key stays so: add another key"));
        }
        if known.publisher != publisher.publisher {
            return Err(Problem::new(
                ProblemKind::Conflict,
                format!("this key belongs to {}", known.publisher),
            ));
        }
    }
    write(app, tx, ctx, "publisher.added", &publisher).await?;
    Ok(publisher)
}

/// Revokes a key: what it has signed counts as unsigned from now on, and new uploads signed with it are refused.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn revoke(app: &App, ctx: &Ctx, key: &str) -> Result<(), Problem> {
    let mut tx = app.store.platform().await?;
    let known = find(&mut *tx, key).await?;
    let known = known.ok_or_else(|| Problem::not_found("publisher's key"))?;
    if known.revoked_at.is_some() {
        return Ok(());
    }
    let revoked = Publisher {
        revoked_at: Some(app.clock.now()),
        ..known
    };
    write(app, tx, ctx, "publisher.revoked", &revoked).await
}

/// A key, read where it is going to be written: nothing can come between.
async fn find(tx: &mut dyn PlatformTx, key_id: &str) -> Result<Option<Publisher>, Problem> {
    let name = format!("{PREFIX}{key_id}");
    let stored = tx.settings().get(&name).await?;
    stored.map(|bytes| read(&name, &bytes)).transpose()
}

fn read(name: &str, bytes: &[u8]) -> Result<Publisher, Problem> {
    serde_json::from_slice(bytes).map_err(|e| Problem::internal(format!("setting {name}: {e}")))
}

async fn write(
    app: &App,
    mut tx: Box<dyn PlatformTx>,
    ctx: &Ctx,
    action: &'static str,
    p: &Publisher,
) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(p).map_err(|e| Problem::internal(e.to_string()))?;
    tx.settings()
        .put(&format!("{PREFIX}{}", p.key_id), &bytes, app.clock.now())
        .await?;
    let draft = audit::Draft::new(action, "publisher", &p.key_id)
        .details(json!({ "publisher": p.publisher, "tier": p.tier, "public_key": p.public_key }));
    audit::commit_platform(app, tx, ctx, draft).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_however_it_is_written() {
        let key = [7; 32];
        let der = [DER, &key].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(&der)
        );
        for text in [hex::encode(key), STANDARD.encode(key), STANDARD.encode(&der), pem] {
            assert_eq!(read_key(&text), Some(key), "{text}");
        }
        for text in [
            "",
            "00",
            &hex::encode([7; 33]),
            &STANDARD.encode([7; 31]),
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert_eq!(read_key(text), None, "{text}");
        }
    }
}
