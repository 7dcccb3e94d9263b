//! What the upstream is told about the caller, in headers it can trust.

use crate::{App, Problem, TenantCtx, access};
use aistack_core::{RequestId, Role, TenantId, UserId};
use serde::Serialize;
use std::time::Duration;

/// `typ` of the signed identity, so that it can't be used as an access token.
pub const IDENTITY_TYPE: &str = "aistack-identity+jwt";
/// The upstream has to look at it soon; slow calls do not need it again.
const LIFE: Duration = Duration::from_secs(60);

/// Claims of `X-Aistack-Identity`; times in seconds.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    tid: TenantId,
    slug: &'a str,
    role: Role,
    req: RequestId,
    method: &'a str,
    path: &'a str,
    iat: i64,
    exp: i64,
}

/// A compact JWS by the platform's key over who calls what; `audience` is the upstream's origin.
pub(super) async fn sign(
    app: &App,
    t: &TenantCtx,
    (user, role): (UserId, Role),
    request: RequestId,
    (audience, method, path): (&str, &str, &str),
) -> Result<String, Problem> {
    let now = app.clock.now();
    let claims = Claims {
        iss: app.config.public_url.as_str().trim_end_matches('/'),
        aud: audience,
        sub: user,
        tid: t.scope.id(),
        slug: t.scope.slug(),
        role,
        req: request,
        method,
        path,
        iat: now.as_secs(),
        exp: now.plus(LIFE).as_secs(),
    };
    access::key_ring(app).await?.sign(IDENTITY_TYPE, &claims)
}
