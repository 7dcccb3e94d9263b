//! Verifying signatures, and holding components to what is demanded.

use super::{Publisher, Tier, Trust, TrustError, list, of_tenant};
use crate::{
    App, Problem,
    plugins::{
        manifest::{Manifest, min_host},
        port::{SignatureBlock, signed_message},
    },
};
use aistack_core::TenantId;
use aistack_store::{PlatformTx, PluginVersion};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// Most signatures of one component.
const MOST: usize = 16;

/// What comes with an upload.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Detached signatures: a JSON array of `{publisher, key_id, alg, sig}`.
    pub signatures: Option<String>,
    /// The digest the component has to have, hex, with or without `sha256:`.
    pub digest: Option<String>,
    /// Whether an older version than the highest signed one is meant.
    pub allow_downgrade: bool,
    /// Where it comes from, for the audit log: `upload`, `preload`, `watch`, or a reference.
    pub source: Option<String>,
}

/// A signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Who signed.
    pub publisher: String,
    /// With which key.
    pub key_id: String,
}

fn setting(digest: &str) -> String {
    format!("plugins.signed/{digest}")
}

#[derive(Deserialize)]
struct Block {
    publisher: String,
    key_id: String,
    alg: String,
    sig: String,
}

/// Detached signatures as they are written.
fn detached(text: &str) -> Result<Vec<SignatureBlock>, TrustError> {
    let bad = |why: &str| TrustError::SignatureInvalid(why.to_owned());
    let blocks: Vec<Block> = serde_json::from_str(text)
        .map_err(|_| bad("the detached signatures are no JSON array of {publisher, key_id, alg, sig}"))?;
    blocks
        .into_iter()
        .map(|b| {
            Ok(SignatureBlock {
                signature: STANDARD.decode(&b.sig).map_err(|_| bad("sig is not base64"))?,
                publisher: b.publisher,
                key_id: b.key_id,
                alg: b.alg,
            })
        })
        .collect()
}

/// Verifies what came with a component: every signature of a known key has to fit, those of unknown keys count for
/// nothing.
fn known(
    app: &App,
    keys: &[Publisher],
    blocks: &[SignatureBlock],
    payload: &[u8; 32],
    m: &Manifest,
) -> Result<Vec<Signed>, TrustError> {
    let bad = |why: String| TrustError::SignatureInvalid(why);
    if blocks.len() > MOST {
        return Err(bad(format!("more than {MOST} signatures")));
    }
    let message = signed_message(payload);
    let mut signed = Vec::new();
    for b in blocks {
        if b.alg != "Ed25519" {
            return Err(bad(format!("algorithm {:?} is not Ed25519", b.alg)));
        }
        let Some(key) = keys.iter().find(|k| k.key_id == b.key_id) else {
            continue;
        };
        if key.revoked_at.is_some() {
            return Err(TrustError::KeyRevoked(key.key_id.clone()));
        }
        if !app.sealer.verify_ed25519(&key.key(), &message, &b.signature) {
            return Err(bad(format!(
                "the signature with key {} does not fit the component",
                key.key_id
            )));
        }
        let of_id = m.id.split('.').next().unwrap_or_default();
        if key.publisher != m.publisher || key.publisher != of_id || b.publisher != key.publisher {
            return Err(TrustError::PublisherMismatch {
                signer: b.publisher.clone(),
                publisher: m.publisher.clone(),
                id: m.id.clone(),
            });
        }
        signed.push(Signed {
            publisher: key.publisher.clone(),
            key_id: key.key_id.clone(),
        });
    }
    Ok(signed)
}

/// The best tier of these signatures, as keys are trusted now.
fn best(keys: &[Publisher], signed: &[Signed]) -> Option<Tier> {
    signed
        .iter()
        .filter_map(|s| keys.iter().find(|k| k.key_id == s.key_id && k.revoked_at.is_none()))
        .map(|k| k.tier)
        .max_by_key(|t| t.rank())
}

fn hold(trust: Trust, tier: Option<Tier>) -> Result<(), TrustError> {
    match tier {
        _ if trust.takes(tier) => Ok(()),
        Some(has) => Err(TrustError::TierTooLow { has, needed: trust }),
        None => Err(TrustError::Unsigned(trust)),
    }
}

fn plain_digest(text: &str) -> String {
    text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase()
}

/// Everything that is demanded of an upload beyond its being a fit component; what has signed it.
pub(in crate::plugins) async fn verify(
    app: &App,
    digest: &str,
    (embedded, payload): (&[SignatureBlock], &[u8; 32]),
    m: &Manifest,
    terms: &Terms,
) -> Result<Vec<Signed>, Problem> {
    let pinned = app.config.plugin_pins.get(&m.id);
    for expected in [terms.digest.as_ref(), pinned].into_iter().flatten() {
        let expected = plain_digest(expected);
        if expected != digest {
            let found = digest.to_owned();
            return Err(TrustError::DigestMismatch { expected, found }.into());
        }
    }
    if let Some(needed) = &m.min_host
        && min_host(needed) > min_host(app.config.version)
        && min_host(app.config.version).is_some()
    {
        return Err(TrustError::MinHost {
            needed: needed.clone(),
            have: app.config.version.to_owned(),
        }
        .into());
    }
    let keys = list(app).await?;
    let mut blocks = embedded.to_vec();
    if let Some(text) = &terms.signatures {
        blocks.extend(detached(text)?);
    }
    let signed = known(app, &keys, &blocks, payload, m)?;
    hold(app.config.plugin_trust, best(&keys, &signed))?;
    if !terms.allow_downgrade {
        let rows = app.store.platform_read().await?.plugins().versions(&m.id).await?;
        no_downgrade(app, &keys, &rows, m).await?;
    }
    Ok(signed)
}

/// A version below the highest signed one is not taken silently: it may have holes that the newer one closed.
async fn no_downgrade(app: &App, keys: &[Publisher], rows: &[PluginVersion], m: &Manifest) -> Result<(), Problem> {
    for row in rows {
        let Ok(there) = semver::Version::parse(&row.version) else {
            continue;
        };
        if there > m.version && best(keys, &signed(app, &row.digest).await?).is_some() {
            return Err(TrustError::Downgrade {
                found: m.version.to_string(),
                highest: row.version.clone(),
            }
            .into());
        }
    }
    Ok(())
}

/// Writes down who has signed a component.
pub(in crate::plugins) async fn keep_signatures(
    app: &App,
    tx: &mut dyn PlatformTx,
    digest: &str,
    signed: &[Signed],
) -> Result<(), Problem> {
    if signed.is_empty() {
        return Ok(());
    }
    let bytes = serde_json::to_vec(signed).map_err(|e| Problem::internal(e.to_string()))?;
    Ok(tx.settings().put(&setting(digest), &bytes, app.clock.now()).await?)
}

/// Who has signed an installed component.
///
/// # Errors
/// As the store.
pub async fn signed(app: &App, digest: &str) -> Result<Vec<Signed>, Problem> {
    let stored = app
        .store
        .platform_read()
        .await?
        .settings()
        .get(&setting(digest))
        .await?;
    stored.map_or(Ok(Vec::new()), |bytes| {
        serde_json::from_slice(&bytes).map_err(|e| Problem::internal(format!("signatures of {digest}: {e}")))
    })
}

/// The tier of an installed component as its keys are trusted now; `None` for an unsigned one.
///
/// # Errors
/// As the store.
pub async fn tier_of(app: &App, digest: &str) -> Result<Option<Tier>, Problem> {
    Ok(best(&list(app).await?, &signed(app, digest).await?))
}

/// Holds an installed component to what is demanded.
///
/// # Errors
/// `plugin_refused` with the reason, or as the store.
pub async fn demand(app: &App, digest: &str, trust: Trust) -> Result<(), Problem> {
    if trust == Trust::Development {
        return Ok(());
    }
    let (keys, signed) = (list(app).await?, signed(app, digest).await?);
    let revoked = |s: &Signed| keys.iter().any(|k| k.key_id == s.key_id && k.revoked_at.is_some());
    match (hold(trust, best(&keys, &signed)), signed.iter().find(|s| revoked(s))) {
        (Err(TrustError::Unsigned(_)), Some(s)) => Err(TrustError::KeyRevoked(s.key_id.clone()).into()),
        (held, _) => Ok(held?),
    }
}

/// Holds a component to what the node and a tenant demand.
pub(in crate::plugins) async fn tenant_demand(app: &App, digest: &str, tenant: TenantId) -> Result<(), Problem> {
    let trust = app.config.plugin_trust.and(of_tenant(app, tenant).await?);
    demand(app, digest, trust).await
}
