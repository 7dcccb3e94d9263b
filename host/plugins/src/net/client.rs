//! The host's HTTP clients. Names are resolved by [`NameLookup`], checked, and connected to as resolved: there is no
//! second resolution that could answer differently.

use super::{HttpPeer, allowed};
use reqwest::{
    Certificate, Client, ClientBuilder, Identity,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// How host names become addresses.
#[async_trait::async_trait]
pub trait NameLookup: Send + Sync + fmt::Debug {
    /// The addresses of a name.
    ///
    /// # Errors
    /// When the name can't be resolved.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

#[async_trait::async_trait]
impl NameLookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect())
    }
}

/// A name resolved to nothing a guest may be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} resolves to no address guests may reach")]
pub(crate) struct AddressRefused(pub(crate) String);

/// Resolves and checks.
#[derive(Debug, Clone)]
struct Guarded {
    names: Arc<dyn NameLookup>,
    private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = checked_lookup(&*this.names, name.as_str(), this.private).await?;
            Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// The addresses of a name that may be connected to; at least one.
pub(crate) async fn checked_lookup(
    names: &dyn NameLookup,
    host: &str,
    private: bool,
) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let mut found = names.lookup(host).await?;
    found.retain(|ip| allowed(*ip, private));
    if found.is_empty() {
        return Err(Box::new(AddressRefused(host.to_owned())));
    }
    Ok(found)
}

/// Time to establish a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Two shared clients, for public and for private destinations: a connection made under one rule is never reused
/// under the other.
#[derive(Debug)]
pub(crate) struct HttpClients {
    public: Client,
    private: Client,
    pub(crate) names: Arc<dyn NameLookup>,
    /// Answers in place of the network.
    pub(crate) peer: Option<Arc<dyn HttpPeer>>,
}

impl HttpClients {
    pub(crate) fn new(names: Arc<dyn NameLookup>, peer: Option<Arc<dyn HttpPeer>>) -> Result<Self, reqwest::Error> {
        Ok(Self {
            peer,
            public: builder(&names, false).build()?,
            private: builder(&names, true).build()?,
            names,
        })
    }

    /// The shared client.
    pub(crate) fn shared(&self, private: bool) -> &Client {
        if private { &self.private } else { &self.public }
    }

    /// A client of its own for one request with special trust or identity; nothing of it is shared.
    pub(crate) fn special(
        &self,
        private: bool,
        ca: Option<&str>,
        identity: Option<&[u8]>,
    ) -> Result<Client, reqwest::Error> {
        let mut b = builder(&self.names, private).pool_max_idle_per_host(0);
        if let Some(pem) = ca {
            b = b.tls_certs_merge(Certificate::from_pem_bundle(pem.as_bytes())?);
        }
        if let Some(pem) = identity {
            b = b.identity(Identity::from_pem(pem)?);
        }
        b.build()
    }
}

fn builder(names: &Arc<dyn NameLookup>, private: bool) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Guarded {
            names: Arc::clone(names),
            private,
        })
        // Redirects are ours: each hop is checked like the first request.
        .redirect(redirect::Policy::none())
        .referer(false)
        // A proxy would resolve names for us, unchecked.
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("aistack/", env!("CARGO_PKG_VERSION")))
}
