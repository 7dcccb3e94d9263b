//! The DNS, asked through hickory: the name servers of the configuration, else the machine's own. No search domains, no
//! hosts file, no cache: a proof that was published a moment ago has to be seen.

use aistack_domain::port::{LookupError, Resolver};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData},
    },
};
use std::{net::SocketAddr, time::Duration};

/// The whole look-up may take so many times the patience with one server.
const TRIES: u32 = 3;

/// Asks name servers.
pub struct DnsResolver {
    inner: TokioResolver,
    patience: Duration,
}

/// The resolver can't be made.
#[derive(Debug, thiserror::Error)]
#[error("the DNS can't be asked: {0}")]
pub struct ResolverError(String);

impl DnsResolver {
    /// Asks these servers, or the machine's own if there are none. `patience` is for one try of one server.
    ///
    /// # Errors
    /// When the machine's settings can't be read.
    pub fn new(servers: &[SocketAddr], patience: Duration) -> Result<Self, ResolverError> {
        let refuse = |e: NetError| ResolverError(e.to_string());
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(refuse)?
        } else {
            let servers = servers.iter().map(name_server).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        settle(builder.options_mut(), patience);
        Ok(Self {
            inner: builder.build().map_err(refuse)?,
            patience: patience * TRIES,
        })
    }
}

fn name_server(at: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = at.port();
        connection
    });
    NameServerConfig::new(at.ip(), true, connections.into())
}

fn settle(options: &mut ResolverOpts, patience: Duration) {
    options.timeout = patience;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    // Long TXT records do not fit into the smallest datagram.
    options.edns0 = true;
    options.try_tcp_on_error = true;
}

#[async_trait::async_trait]
impl Resolver for DnsResolver {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, LookupError> {
        let failed = |e: &dyn std::fmt::Display| LookupError::Failed(e.to_string());
        let mut name = Name::from_ascii(name).map_err(|e| failed(&e))?;
        // With the root at its end the name is complete, and no search domain is put behind it.
        name.set_fqdn(true);
        let answer = tokio::time::timeout(self.patience, self.inner.txt_lookup(name)).await;
        let found = answer.map_err(|_| LookupError::Timeout)?.map_err(|e| meaning(&e))?;
        let texts = found.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        });
        Ok(texts.collect())
    }
}

fn meaning(e: &NetError) -> LookupError {
    match e {
        NetError::Timeout => LookupError::Timeout,
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => LookupError::NoSuchName,
            ResponseCode::NoError => LookupError::NoRecords,
            _ => LookupError::ServerFailure,
        },
        NetError::Dns(DnsError::ResponseCode(_)) => LookupError::ServerFailure,
        e => LookupError::Failed(e.to_string()),
    }
}
