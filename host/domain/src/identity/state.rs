//! What binds a half-finished sign-in to its browser, its connection and its time: the cookie's secret, the sealed
//! state, the local path to go to afterwards.

use super::LoginError;
use crate::{App, access::Secret};
use aistack_core::{InstallationId, LoginId, TenantId};

/// Purpose under which the sealer derives its key.
const PURPOSE: &str = "login-state";

/// What the browser's cookie carries: which sign-in, and the secret that proves it is this browser's.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) id: LoginId,
    pub(super) secret: Secret,
}

impl Ticket {
    /// The cookie's value.
    pub(super) fn cookie(&self) -> String {
        format!("{}.{}", self.id, self.secret.expose())
    }
    /// Reads a cookie's value.
    pub(super) fn read(cookie: &str) -> Option<Self> {
        let (id, secret) = cookie.split_once('.')?;
        (secret.len() == 43).then_some(())?;
        Some(Self {
            id: id.parse().ok()?,
            secret: Secret::presented(secret),
        })
    }
}

fn aad(tenant: TenantId, installation: InstallationId, id: LoginId) -> Vec<u8> {
    [
        tenant.0.as_bytes().as_slice(),
        installation.0.as_bytes(),
        id.0.as_bytes(),
    ]
    .concat()
}

pub(super) fn seal(app: &App, tenant: TenantId, installation: InstallationId, id: LoginId, state: &[u8]) -> Vec<u8> {
    app.sealer.seal(PURPOSE, &aad(tenant, installation, id), state)
}

pub(super) fn open(
    app: &App,
    tenant: TenantId,
    installation: InstallationId,
    id: LoginId,
    sealed: &[u8],
) -> Result<Vec<u8>, LoginError> {
    use secrecy::ExposeSecret;
    app.sealer
        .open(PURPOSE, &aad(tenant, installation, id), sealed)
        .map(|plain| plain.expose_secret().clone())
        .map_err(|_| LoginError::StateInvalid)
}

/// A path on this site: one leading slash, no second one, nothing a browser would read as another origin.
#[must_use]
pub fn local_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let fine = text.len() <= 2_000
        && !rest.starts_with('/')
        && !text.contains('\\')
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    // A percent-encoded backslash or slash right after the first slash is resolved by some proxies.
    let sneaky = ["/%2f", "/%5c"]
        .iter()
        .any(|p| text.to_ascii_lowercase().starts_with(p));
    (fine && !sneaky).then_some(text)
}
