//! Access tokens for API calls (RFC 9068): short-lived, signed, bound to a session, so that ending the session ends the
//! token at once.

use super::{Credential, Person, SignedIn, key_ring, session::find_user_session};
use crate::{App, Problem, TenantCtx, tenancy};
use aistack_core::{Entropy, ProblemKind, Role, TenantId, UserId};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a token is good.
pub const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Longest token that is looked at.
const LONGEST: usize = 8 * 1024;
/// How far another node's clock may be ahead, seconds.
const SKEW: i64 = 60;
const TYPE: &str = "at+jwt";

/// The header, with nothing else in it: `crit`, `jku`, `jwk`, `x5u` and duplicates are refused by not being known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    jti: String,
    client_id: String,
    tid: TenantId,
    /// The session: the hash under which it is stored, base64url. It finds the session and opens nothing.
    sid: String,
    role: Role,
    amr: Vec<String>,
}

/// Makes a token from a member's session; it is good for [`TOKEN_LIFE`], or as long as the session if that is less.
///
/// # Errors
/// `permission_denied` for an operator: tokens belong to the tenant's own people.
pub async fn issue_token(app: &App, t: &TenantCtx, who: &SignedIn) -> Result<(String, Duration), Problem> {
    let Person::User(user) = &who.person else {
        return Err(Problem::new(
            ProblemKind::PermissionDenied,
            "access tokens are for members; operators use their session",
        ));
    };
    let now = app.clock.now();
    let life = TOKEN_LIFE.min(who.session.expires_at.since(now));
    let origin = tenancy::routing::tenant_url(&app.config.public_url, &t.tenant.slug);
    let claims = Claims {
        iss: origin.clone(),
        sub: user.id,
        aud: origin,
        exp: now.plus(life).as_secs(),
        iat: now.as_secs(),
        auth_time: who.session.created_at.as_secs(),
        jti: B64.encode(app.rng.bytes::<16>()),
        client_id: "aistack".to_owned(),
        tid: t.tenant.id,
        sid: B64.encode(&who.session.id_hash),
        role: user.role,
        amr: vec![if who.session.method == "password" { "pwd" } else { "fed" }.to_owned()],
    };
    Ok((key_ring(app).await?.sign(TYPE, &claims)?, life))
}

/// The member behind a token that was shown to a tenant.
///
/// # Errors
/// `unauthenticated` for a token that is not good, `tenant_mismatch` for one of another tenant, `session_expired` when
/// its session is over.
pub async fn verify_token(app: &App, known: Option<&tenancy::Known>, token: &str) -> Result<SignedIn, Problem> {
    let claims = read(app, token).await?;
    let known = match known {
        Some(known) => {
            tenancy::routing::agree_with_token(known.tenant.id, claims.tid)?;
            known
        }
        None => {
            return Err(Problem::new(
                ProblemKind::TenantMismatch,
                "the token belongs to a tenant and the address to none",
            ));
        }
    };
    let origin = tenancy::routing::tenant_url(&app.config.public_url, &known.tenant.slug);
    if claims.iss != origin || claims.aud != origin {
        return Err(refuse("it was made for another address"));
    }
    let hash = B64.decode(&claims.sid).map_err(|_| refuse("it names no session"))?;
    let who = find_user_session(app, &known.scope, &hash, Credential::Bearer).await?;
    if who.session.person != claims.sub.0 {
        return Err(refuse("session and subject are two people"));
    }
    Ok(who)
}

/// The tenant that a good token belongs to; whether its session is still open is not looked at here.
///
/// # Errors
/// `unauthenticated` for a token that is not good.
pub async fn token_tenant(app: &App, token: &str) -> Result<TenantId, Problem> {
    Ok(read(app, token).await?.tid)
}

fn refuse(why: &str) -> Problem {
    Problem::new(
        ProblemKind::Unauthenticated,
        format!("the access token is not accepted: {why}"),
    )
}

/// Signature, type and times.
async fn read(app: &App, token: &str) -> Result<Claims, Problem> {
    if token.len() > LONGEST {
        return Err(refuse("it is too long"));
    }
    let malformed = || refuse("it is malformed");
    let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = message.split_once('.').ok_or_else(malformed)?;
    let header = B64.decode(header).map_err(|_| malformed())?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| refuse("its header has other members than alg, typ, kid"))?;
    if header.alg != "EdDSA" || !header.typ.eq_ignore_ascii_case(TYPE) {
        return Err(refuse("it is of another algorithm or type"));
    }
    if !key_ring(app).await?.verify(&header.kid, message, signature) {
        return Err(refuse("its signature does not fit"));
    }
    let claims = B64.decode(claims).map_err(|_| malformed())?;
    // Duplicate members are an error in serde's derived types.
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| malformed())?;
    let now = app.clock.now().as_secs();
    if now >= claims.exp {
        return Err(refuse("it has expired"));
    }
    if claims.iat > now + SKEW {
        return Err(refuse("it is from the future"));
    }
    Ok(claims)
}
