//! `dial`: byte streams to granted endpoints, TLS by the host.

mod socket;

use self::socket::{Stream, broken, connect, handshake, within};
use super::{Answer, SecretHandle, fault, revoked};
use crate::{
    call::{CallState, Socket},
    checks::endpoint,
    v1::{
        bindings::{dial as wit, types},
        convert::fault_out,
    },
};
use aistack_domain::plugins::port::FaultKind;
use rustls::{ClientConfig, pki_types::ServerName};
use secrecy::{ExposeSecret, SecretBox};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasmtime::component::Resource;

/// Most bytes in the clear before `start-tls`: the request for it and no more.
const MAX_CLEAR: usize = 4 << 10;
/// Most bytes of one read.
const MAX_READ: usize = 256 << 10;
/// What is read from the socket at once: secrets are looked for in whole pieces, however small a guest's reads are.
const PIECE: usize = 64 << 10;

/// A connection of a guest.
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct Connection {
    stream: Stream,
    mode: wit::Tls,
    /// `host:port` as granted; secrets are bound to it.
    target: String,
    host: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    clear_sent: usize,
    /// Arrived and not yet asked for, from there on.
    inbox: (Vec<u8>, usize),
    /// Its place among the tenant's sockets.
    held: Option<Socket>,
}

fn lists(grants: &[String], target: &str) -> bool {
    grants.iter().any(|g| g.eq_ignore_ascii_case(target))
}

impl wit::Host for CallState {
    async fn connect(
        &mut self,
        to: wit::Endpoint,
        client_cert: Option<Resource<SecretHandle>>,
    ) -> Answer<Resource<Connection>> {
        enter!(self, "dial");
        let target = format!("{}:{}", to.host, to.port);
        let grants = self.inv.powers.now();
        let private = lists(&grants.private_hosts, &target);
        let denied = |code, message: String| Ok(Err(fault(FaultKind::Denied, code, message)));
        if !lists(&grants.dial_targets, &target) {
            return denied("target_not_granted", format!("{target} is not granted"));
        }
        if to.tls == wit::Tls::None && !private {
            return denied(
                "not_protected",
                format!("an unprotected connection to {target} is not granted"),
            );
        }
        // Never waits: whoever holds the others may be this very guest.
        let crowded = || {
            denied(
                "too_many_connections",
                format!("there are too many open connections for one to {target}"),
            )
        };
        if self.connections >= self.inv.limits.connections {
            return crowded();
        }
        let Some(held) = self.shared.sockets.open(self.inv.tenant, &target) else {
            return crowded();
        };
        let (host, server_name) = match endpoint::names(&to.host, to.server_name.as_deref()) {
            Ok(names) => names,
            Err(f) => return Ok(Err(fault_out(f))),
        };
        let identity = match &client_cert {
            None => None,
            Some(key) => match self.usable(key, "dial", "client-cert")? {
                Ok(u) if bound(&u.grant.hosts, &to.host, &target) => Some(u.bytes),
                Ok(_) => return Ok(Err(not_bound(&target))),
                Err(f) => return Ok(Err(f)),
            },
        };
        let tls = match to.tls {
            wit::Tls::None => None,
            _ => match endpoint::tls(to.ca.as_deref(), identity.map(|pem| pem.expose_secret().as_slice())) {
                Ok(config) => Some((Arc::new(config), server_name)),
                Err(f) => return Ok(Err(fault_out(f))),
            },
        };
        let names = Arc::clone(&self.shared.http.names);
        let connected = within(self.time_for(to.timeout_ms), async {
            let tcp = connect(&*names, &host, to.port, private).await?;
            match (&tls, to.tls) {
                (Some(tls), wit::Tls::Direct) => handshake(tls, tcp).await,
                _ => Ok(Stream::Plain(tcp)),
            }
        })
        .await;
        match connected {
            Ok(stream) => {
                let conn = self.table.push(Connection {
                    stream,
                    mode: to.tls,
                    target,
                    host: to.host,
                    tls,
                    clear_sent: 0,
                    inbox: (Vec::new(), 0),
                    held: Some(held),
                })?;
                self.connections += 1;
                Ok(Ok(conn))
            }
            Err(f) => Ok(Err(f)),
        }
    }
}

fn bound(hosts: &[String], host: &str, target: &str) -> bool {
    lists(hosts, target) || lists(hosts, host)
}

fn not_bound(target: &str) -> types::Fault {
    fault(
        FaultKind::Denied,
        "secret_not_bound",
        format!("the secret is not bound to {target}"),
    )
}

fn closed() -> types::Fault {
    fault(FaultKind::Transport, "connection_closed", "the connection is closed")
}

impl CallState {
    /// A connection that may still be used. One whose target was taken away is cut.
    fn open(&mut self, conn: &Resource<Connection>) -> Answer<&mut Connection> {
        let grants = self.inv.powers.now();
        let c = self.table.get_mut(conn)?;
        if lists(&grants.dial_targets, &c.target) {
            return Ok(Ok(c));
        }
        c.stream = Stream::Closed;
        c.held = None;
        Ok(Err(revoked(&c.target)))
    }

    /// Whether bytes of the guest's own would carry a secret to where it is not bound.
    fn leaks(&self, conn: &Resource<Connection>, bytes: &[u8]) -> wasmtime::Result<bool> {
        let c = self.table.get(conn)?;
        let grants = self.inv.powers.now();
        let known = self.redact.found_in(bytes);
        Ok(known.into_iter().any(|name| {
            !grants
                .secrets
                .get(name)
                .is_some_and(|g| bound(&g.hosts, &c.host, &c.target))
        }))
    }

    async fn put(&mut self, conn: &Resource<Connection>, bytes: &[u8]) -> Answer<()> {
        let time = self.time_for(0);
        if let Err(f) = self.open(conn)? {
            return Ok(Err(f));
        }
        if let Err(f) = self.traffic.send(bytes.len() as u64) {
            return Ok(Err(fault_out(f)));
        }
        // What a directory is told to do, it may have done.
        self.may_have_acted = true;
        let c = self.table.get_mut(conn)?;
        if let (Stream::Plain(_), wit::Tls::Starttls) = (&c.stream, c.mode) {
            c.clear_sent += bytes.len();
            if c.clear_sent > MAX_CLEAR {
                return Ok(Err(fault(
                    FaultKind::Denied,
                    "not_protected",
                    "too much in the clear before start-tls",
                )));
            }
        }
        let done = within(time, async {
            match &mut c.stream {
                Stream::Plain(s) => s.write_all(bytes).await,
                Stream::Tls(s) => match s.write_all(bytes).await {
                    Ok(()) => s.flush().await,
                    e => e,
                },
                Stream::Closed => return Err(closed()),
            }
            .map_err(|e| broken(&e))
        })
        .await;
        Ok(done)
    }
}

impl wit::HostConn for CallState {
    async fn read(&mut self, conn: Resource<Connection>, max: u32) -> Answer<Vec<u8>> {
        enter!(self, "dial");
        let time = self.time_for(0);
        if let Err(f) = self.open(&conn)? {
            return Ok(Err(f));
        }
        let max = (max as usize).min(MAX_READ);
        let c = self.table.get_mut(&conn)?;
        if c.inbox.1 == c.inbox.0.len() && max > 0 {
            let most = self.traffic.left().min(PIECE as u64);
            if most == 0 {
                return Ok(Err(fault_out(self.traffic.egress_exceeded())));
            }
            let mut piece = vec![0; usize::try_from(most).unwrap_or(PIECE)];
            let read = within(time, async {
                match &mut c.stream {
                    Stream::Plain(s) => s.read(&mut piece).await,
                    Stream::Tls(s) => s.read(&mut piece).await,
                    Stream::Closed => return Err(closed()),
                }
                .map_err(|e| broken(&e))
            })
            .await;
            let n = match read {
                Ok(n) => n,
                Err(f) => return Ok(Err(f)),
            };
            piece.truncate(n);
            self.redact.cover(&mut piece);
            c.inbox = (piece, 0);
            if let Err(f) = self.traffic.receive(n as u64) {
                return Ok(Err(fault_out(f)));
            }
        }
        let (piece, from) = &mut c.inbox;
        let to = piece.len().min(*from + max);
        let bytes = piece[*from..to].to_vec();
        *from = to;
        Ok(Ok(bytes))
    }

    async fn write(&mut self, conn: Resource<Connection>, bytes: Vec<u8>) -> Answer<()> {
        enter!(self, "dial");
        if self.leaks(&conn, &bytes)? {
            return Ok(Err(fault(
                FaultKind::Denied,
                "secret_leak",
                "a secret must not be sent to where it is not bound",
            )));
        }
        self.put(&conn, &bytes).await
    }

    async fn write_secret(
        &mut self,
        conn: Resource<Connection>,
        before: Vec<u8>,
        key: Resource<SecretHandle>,
        after: Vec<u8>,
    ) -> Answer<()> {
        enter!(self, "dial");
        let c = self.table.get(&conn)?;
        if !matches!(c.stream, Stream::Tls(_)) {
            return Ok(Err(fault(
                FaultKind::Denied,
                "not_protected",
                "a secret is written to protected connections only",
            )));
        }
        let usable = match self.usable(&key, "dial", "write")? {
            Ok(u) => u,
            Err(f) => return Ok(Err(f)),
        };
        if !bound(&usable.grant.hosts, &c.host, &c.target) {
            return Ok(Err(not_bound(&c.target)));
        }
        let message = SecretBox::new(Box::new(
            [before.as_slice(), usable.bytes.expose_secret(), &after].concat(),
        ));
        let (name, secret) = (usable.name.to_owned(), usable.bytes.expose_secret().clone());
        self.redact.learn(&name, &secret);
        self.put(&conn, message.expose_secret()).await
    }

    async fn start_tls(&mut self, conn: Resource<Connection>) -> Answer<()> {
        enter!(self, "dial");
        let time = self.time_for(0);
        let c = match self.open(&conn)? {
            Ok(c) => c,
            Err(f) => return Ok(Err(f)),
        };
        let Some(tls) = c.tls.clone().filter(|_| c.mode == wit::Tls::Starttls) else {
            return Ok(Err(wrong_state()));
        };
        let tcp = match std::mem::replace(&mut c.stream, Stream::Closed) {
            Stream::Plain(tcp) => tcp,
            other => {
                c.stream = other;
                return Ok(Err(wrong_state()));
            }
        };
        if c.inbox.1 < c.inbox.0.len() {
            return Ok(Err(injected()));
        }
        // Anything already there was sent in the clear, by whoever sits between; it must not count as protected.
        let mut probe = [0; 1];
        if tcp.try_read(&mut probe).is_ok() {
            return Ok(Err(injected()));
        }
        match within(time, handshake(&tls, tcp)).await {
            Ok(stream) => {
                c.stream = stream;
                Ok(Ok(()))
            }
            Err(f) => Ok(Err(f)),
        }
    }

    async fn drop(&mut self, conn: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(conn)?;
        self.connections -= 1;
        Ok(())
    }
}

fn injected() -> types::Fault {
    fault(
        FaultKind::Transport,
        "starttls_injection",
        "the peer sent data before the connection was protected",
    )
}

fn wrong_state() -> types::Fault {
    fault(
        FaultKind::Conflict,
        "tls_state",
        "start-tls fits a starttls connection, once",
    )
}
