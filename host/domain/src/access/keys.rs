//! The platform's signing keys: Ed25519, made at first start, kept sealed in the platform's settings, published as a
//! JSON Web Key Set. The document has a state per key, so that rotation needs no other format.

use crate::{App, Ctx, Problem, audit};
use aistack_core::{KeyId, Timestamp};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The setting's name.
const SETTING: &str = "signing-keys";
/// The sealing purpose.
const PURPOSE: &str = "signing-key";

#[derive(Serialize, Deserialize)]
struct Stored {
    kid: KeyId,
    /// `active` signs; `retired` only verifies.
    state: String,
    created_at: Timestamp,
    /// Raw public key, base64url.
    public: String,
    /// Sealed PKCS#8, base64url.
    sealed: String,
}

struct Public {
    kid: String,
    x: String,
    key: DecodingKey,
}

/// The keys, ready to use.
pub struct KeyRing {
    kid: String,
    private: EncodingKey,
    public: Vec<Public>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// A compact JWS over the claims. `typ` says what kind of token it is, so that one can't be used as another.
    ///
    /// # Errors
    /// When the claims are no JSON.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Problem> {
        let part = |v: &Value| B64.encode(v.to_string());
        let claims = serde_json::to_value(claims).map_err(|e| Problem::internal(e.to_string()))?;
        let header = json!({ "alg": "EdDSA", "typ": typ, "kid": self.kid });
        let message = format!("{}.{}", part(&header), part(&claims));
        let signature = crypto::sign(message.as_bytes(), &self.private, Algorithm::EdDSA)
            .map_err(|e| Problem::internal(format!("signing: {e}")))?;
        Ok(format!("{message}.{signature}"))
    }

    /// Whether `signature` (base64url) over `message` is by the key `kid`.
    pub(super) fn verify(&self, kid: &str, message: &str, signature: &str) -> bool {
        self.public
            .iter()
            .find(|p| p.kid == kid)
            .is_some_and(|p| crypto::verify(signature, message.as_bytes(), &p.key, Algorithm::EdDSA).unwrap_or(false))
    }

    /// The public keys (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let key = |p: &Public| json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": p.kid, "x": p.x });
        json!({ "keys": self.public.iter().map(key).collect::<Vec<_>>() })
    }

    fn open(app: &App, stored: &[u8]) -> Result<Self, Problem> {
        let damaged = |what: &str| Problem::internal(format!("the stored signing keys are damaged: {what}"));
        let stored: Vec<Stored> = serde_json::from_slice(stored).map_err(|e| damaged(&e.to_string()))?;
        let mut public = Vec::new();
        for key in &stored {
            public.push(Public {
                kid: key.kid.to_string(),
                x: key.public.clone(),
                key: DecodingKey::from_ed_components(&key.public).map_err(|e| damaged(&e.to_string()))?,
            });
        }
        let active = stored
            .iter()
            .find(|k| k.state == "active")
            .ok_or_else(|| damaged("none is active"))?;
        let sealed = B64.decode(&active.sealed).map_err(|e| damaged(&e.to_string()))?;
        let pkcs8 = app
            .sealer
            .open(PURPOSE, active.kid.to_string().as_bytes(), &sealed)
            .map_err(|_| damaged("they were sealed under another root key"))?;
        Ok(Self {
            kid: active.kid.to_string(),
            private: EncodingKey::from_ed_der(pkcs8.expose_secret()),
            public,
        })
    }
}

/// The keys; made at the first call on an empty platform.
///
/// # Errors
/// When the store fails, or the keys were sealed under another root key.
pub async fn key_ring(app: &App) -> Result<Arc<KeyRing>, Problem> {
    if let Some(ring) = &*app.access.keys.load() {
        return Ok(ring.clone());
    }
    // One at a time: a second maker would find the name taken by a transaction that no reader can see yet.
    let _loading = app.access.loading_keys.lock().await;
    if let Some(ring) = &*app.access.keys.load() {
        return Ok(ring.clone());
    }
    let stored = app.store.platform_read().await?.settings().get(SETTING).await?;
    let stored = match stored {
        Some(stored) => stored,
        None => create(app).await?,
    };
    let ring = Arc::new(KeyRing::open(app, &stored)?);
    app.access.keys.store(Some(ring.clone()));
    Ok(ring)
}

async fn create(app: &App) -> Result<Vec<u8>, Problem> {
    let pair = app.sealer.generate_ed25519();
    let kid = KeyId::new(&*app.clock, &*app.rng);
    let now = app.clock.now();
    let stored = Stored {
        kid,
        state: "active".to_owned(),
        created_at: now,
        public: B64.encode(&pair.public),
        sealed: B64.encode(
            app.sealer
                .seal(PURPOSE, kid.to_string().as_bytes(), pair.pkcs8.expose_secret()),
        ),
    };
    let bytes = serde_json::to_vec(&[stored]).map_err(|e| Problem::internal(e.to_string()))?;
    let mut tx = app.store.platform().await?;
    if tx.settings().put_new(SETTING, &bytes, now).await? {
        let draft = audit::Draft::new("signing_key.created", "signing_key", kid);
        audit::commit_platform(app, tx, &Ctx::system(None), draft).await?;
        return Ok(bytes);
    }
    // Another node was faster: its keys are the keys.
    drop(tx);
    let stored = app.store.platform_read().await?.settings().get(SETTING).await?;
    stored.ok_or_else(|| Problem::internal("the signing keys vanished"))
}
