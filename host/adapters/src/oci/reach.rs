//! Where requests may go. A person's command line goes where they say; a server goes to the registries its operator
//! listed, and from there, when a registry refers elsewhere, to public addresses only: a registry's answer must not be
//! able to make the server ask around in its own network.

use super::reference::is_loopback;
use aistack_core::address::allowed;
use aistack_domain::port::RegistryError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use url::{Host, Url};

#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// `None`: anywhere.
    listed: Option<Arc<[String]>>,
    /// For what was named.
    direct: reqwest::Client,
    /// For what a registry refers to: finds public addresses only.
    guarded: reqwest::Client,
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("aistack/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .timeout(Duration::from_secs(300))
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, RegistryError> {
    builder.build().map_err(|e| RegistryError::Failed {
        host: "any".to_owned(),
        why: e.to_string(),
    })
}

impl Reach {
    pub(super) fn anywhere() -> Result<Self, RegistryError> {
        let direct = built(builder())?;
        Ok(Self {
            listed: None,
            guarded: direct.clone(),
            direct,
        })
    }

    pub(super) fn listed(hosts: &[String]) -> Result<Self, RegistryError> {
        Ok(Self {
            listed: Some(hosts.iter().map(|h| h.to_ascii_lowercase()).collect()),
            // A proxy would resolve names for us, unguarded.
            direct: built(builder().no_proxy())?,
            guarded: built(builder().no_proxy().dns_resolver(PublicOnly))?,
        })
    }

    /// Whether a registry may be pulled from at all.
    pub(super) fn admits(&self, host: &str) -> Result<(), RegistryError> {
        match &self.listed {
            Some(listed) if !listed.iter().any(|l| l == host) => Err(RegistryError::NotListed(host.to_owned())),
            _ => Ok(()),
        }
    }

    /// The client for an address; `registry` is the origin that was asked for.
    pub(super) fn client(&self, url: &Url, registry: &str) -> Result<&reqwest::Client, RegistryError> {
        let refuse = |why: &str| RegistryError::Failed {
            host: authority(url),
            why: why.to_owned(),
        };
        let host = url.host_str().unwrap_or_default();
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(host) && registry.starts_with("http://"))
        {
            return Err(refuse("it is referred to without TLS"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it is referred to with a user in its address"));
        }
        if url.origin().ascii_serialization() == registry {
            return Ok(&self.direct);
        }
        match &self.listed {
            None => Ok(&self.direct),
            Some(listed) if listed.contains(&authority(url)) => Ok(&self.direct),
            Some(_) => {
                let literal = match url.host() {
                    Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
                    Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
                    _ => None,
                };
                // An address that is written out never comes past the resolver.
                if literal.is_some_and(|ip| !allowed(ip, false)) {
                    return Err(refuse("it is referred to, is not listed, and is no public address"));
                }
                Ok(&self.guarded)
            }
        }
    }
}

/// Host with the port when it is not the scheme's.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Finds public addresses only.
#[derive(Debug, Clone, Copy)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|a| allowed(a.ip(), false)) {
                return Err(format!("{} is no public address", name.as_str()).into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_registry_can_not_refer_into_the_network() {
        let reach = Reach::listed(&[
            "registry.example".into(),
            "127.0.0.1:5000".into(),
            "tokens.internal".into(),
        ])
        .unwrap();
        assert!(reach.admits("registry.example").is_ok());
        assert!(matches!(
            reach.admits("other.example"),
            Err(RegistryError::NotListed(_))
        ));
        assert!(reach.admits("registry.example:444").is_err());
        let goes = |to: &str, from: &str| reach.client(&to.parse().unwrap(), from).is_ok();
        let from = "https://registry.example";
        assert!(goes("https://registry.example/v2/", from) && goes("https://tokens.internal/t", from));
        assert!(goes("https://cdn.example/blob", from), "the resolver decides");
        for to in [
            "http://registry.example/v2/",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::ffff:10.0.0.1]/x",
            "http://127.0.0.1:5000/x",
            "https://u:p@cdn.example/x",
            "ftp://cdn.example/x",
        ] {
            assert!(!goes(to, from), "{to}");
        }
        assert!(goes("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000"));
        assert!(
            !goes("http://127.0.0.1:5001/v2/", "http://127.0.0.1:5000"),
            "another port is another place"
        );
    }
}
