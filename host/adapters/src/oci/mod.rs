//! Components in OCI registries, laid out as `wkg` lays them out: an image manifest with a config of the media type
//! `application/vnd.wasm.config.v0+json` and one layer `application/wasm`, which is the component as it is.
//!
//! A client of a few hundred lines on purpose: it pulls and pushes one kind of thing, checks every digest itself, reads
//! nothing that is larger than was agreed, speaks plain HTTP with loopback addresses alone, and goes, when a server
//! pulls, only where the operator said.

mod auth;
mod client;
mod layout;
mod pull;
mod push;
mod reach;
mod reference;

pub use auth::Credentials;
pub use push::Published;
pub use reference::Reference;

use aistack_domain::port::{Pulled, Registry, RegistryError};
use reach::Reach;

/// Registries as they are reached from here.
#[derive(Debug, Clone)]
pub struct OciRegistries {
    reach: Reach,
    credentials: Credentials,
}

impl OciRegistries {
    /// Any registry: for a person at a command line, who names it.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn any(credentials: Credentials) -> Result<Self, RegistryError> {
        Ok(Self {
            reach: Reach::anywhere()?,
            credentials,
        })
    }

    /// These registries (`host` or `host:port`) and no others: for a server. Where they refer to, for tokens and for
    /// content kept elsewhere, has to be listed too or be a public address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn listed(hosts: &[String], credentials: Credentials) -> Result<Self, RegistryError> {
        Ok(Self {
            reach: Reach::listed(hosts)?,
            credentials,
        })
    }
}

#[async_trait::async_trait]
impl Registry for OciRegistries {
    async fn pull(&self, reference: &str, max: u64) -> Result<Pulled, RegistryError> {
        let reference: Reference = reference.parse()?;
        pull::pull(self, &reference, max).await
    }
}

#[cfg(test)]
mod tests;
