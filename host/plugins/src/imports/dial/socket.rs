//! The sockets behind `dial`: resolved and checked by the host, protected by the host.

use super::super::fault;
use crate::{
    net::{AddressRefused, NameLookup, checked_lookup},
    v1::bindings::types,
};
use aistack_domain::plugins::port::FaultKind;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Host;

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A failed change to TLS leaves nothing that could be used.
    Closed,
}

pub(super) type Tried<T> = Result<T, types::Fault>;

pub(super) fn broken(e: &std::io::Error) -> types::Fault {
    fault(
        FaultKind::Transport,
        "connection_broken",
        format!("the connection broke: {e}"),
    )
}

pub(super) async fn within<T>(time: Duration, f: impl Future<Output = Tried<T>>) -> Tried<T> {
    tokio::time::timeout(time, f)
        .await
        .unwrap_or_else(|_| Err(fault(FaultKind::Transport, "timeout", "the peer took too long")))
}

pub(super) async fn handshake(tls: &(Arc<ClientConfig>, ServerName<'static>), tcp: TcpStream) -> Tried<Stream> {
    match TlsConnector::from(Arc::clone(&tls.0)).connect(tls.1.clone(), tcp).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(e) => Err(fault(
            FaultKind::Transport,
            "tls_failed",
            format!("no protected connection: {e}"),
        )),
    }
}

/// Resolves, checks and connects, trying each address in turn.
pub(super) async fn connect(names: &dyn NameLookup, host: &Host<String>, port: u16, private: bool) -> Tried<TcpStream> {
    let refused = |what: &str| {
        fault(
            FaultKind::Denied,
            "address_not_allowed",
            format!("{what} is not an address guests may reach"),
        )
    };
    let addresses = match host {
        Host::Ipv4(ip) => vec![(*ip).into()],
        Host::Ipv6(ip) => vec![(*ip).into()],
        Host::Domain(name) => match checked_lookup(names, name, private).await {
            Ok(found) => found,
            Err(e) if e.is::<AddressRefused>() => return Err(refused(name)),
            Err(e) => return Err(fault(FaultKind::Transport, "connect_failed", e.to_string())),
        },
    };
    let mut last = None;
    for ip in addresses {
        if !crate::net::allowed(ip, private) {
            return Err(refused(&ip.to_string()));
        }
        match TcpStream::connect(SocketAddr::new(ip, port)).await {
            Ok(tcp) => {
                // Small request, small answer: waiting to fill packets only costs time. Not essential.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(e) => last = Some(e),
        }
    }
    let why = last.map_or_else(|| "no address".to_owned(), |e| e.to_string());
    Err(fault(
        FaultKind::Transport,
        "connect_failed",
        format!("no connection: {why}"),
    ))
}
