//! The npm package `oidc-provider` as a running OpenID provider.

use super::process::{Command, Process};
use super::{PeerError, find_program, scripts};
use serde_json::{Value, json};
use std::time::Duration;

/// A running provider with one client. Its own pages ask for a login name (any password will do) and for consent.
pub struct OidcProvider {
    _process: Process,
    issuer: String,
}

impl OidcProvider {
    /// The client's id.
    pub const CLIENT_ID: &str = "aistack";
    /// The client's secret.
    pub const CLIENT_SECRET: &str = "a secret between the provider and its client";

    /// Starts a provider whose client may return to `redirect_uris`, and which knows `users`: an object of login
    /// names, each with the claims of that person (`{"alice": {"email": …}}`).
    ///
    /// # Errors
    /// When Node or the package is missing, or the provider does not start.
    pub async fn start(redirect_uris: &[&str], users: &Value) -> Result<Self, PeerError> {
        let node = node("oidc-provider")?;
        let settings = json!({
            "clientId": Self::CLIENT_ID,
            "clientSecret": Self::CLIENT_SECRET,
            "redirectUris": redirect_uris,
            "users": users,
        });
        let mut process = Command::new(node)?
            .arg(scripts().join("node/oidc-provider.mjs").display().to_string())
            .arg(settings.to_string())
            .spawn()?;
        let issuer = process
            .ready(Duration::from_secs(60), |output| async move {
                let line = output.lines().find(|line| line.starts_with("{\"issuer\""))?;
                let ready: Value = serde_json::from_str(line).ok()?;
                Some(ready["issuer"].as_str()?.to_owned())
            })
            .await?;
        Ok(Self {
            _process: process,
            issuer,
        })
    }

    /// The issuer URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// The Node program, provided that `package` is installed in `tests/peers/node`.
pub(super) fn node(package: &str) -> Result<std::path::PathBuf, PeerError> {
    if !scripts().join("node/node_modules").join(package).is_dir() {
        return Err(PeerError::Missing {
            what: format!("the npm package {package}"),
            part: "node",
        });
    }
    find_program("node", &[]).ok_or(PeerError::Missing {
        what: "Node.js".into(),
        part: "node",
    })
}
