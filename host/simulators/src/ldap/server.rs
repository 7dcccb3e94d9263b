//! The conversation: bind, search, StartTLS, on one port for `ldap` and `ldaps`.

use super::Ldap;
use super::ber::{MOST_BYTES, Malformed, Reader, integer, octets, sequence};
use super::search::{MOST_ENTRIES, PAGED, START_TLS, Search, WHO_AM_I, paged_control};
use crate::material::element;
use crate::shell::faults::Armed;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(super) async fn serve(listener: TcpListener, ldap: Arc<Ldap>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let ldap = ldap.clone();
        // A peer that goes away or talks nonsense ends its own connection.
        connections.spawn(async move { welcome(stream, &ldap).await });
    }
}

async fn welcome(stream: TcpStream, ldap: &Ldap) {
    let mut first = [0];
    let Ok(1) = stream.peek(&mut first).await else { return };
    // A TLS handshake begins with 22, an LDAP message with 48.
    let plain = if first[0] == 22 {
        Some(stream)
    } else {
        talk(stream, ldap, false).await
    };
    if let Some(stream) = plain
        && let Ok(stream) = ldap.acceptor().accept(stream).await
    {
        talk(stream, ldap, true).await;
    }
}

/// What one connection remembers.
#[derive(Default)]
struct Session {
    tls: bool,
    /// Who is bound; nobody is anonymous.
    who: Option<String>,
    /// Open paged searches: the request, and how far it got.
    pages: BTreeMap<Vec<u8>, (Vec<u8>, usize)>,
    cookies: u64,
}

/// What happens after an answer.
enum Then {
    Continue,
    StartTls,
    Close,
}

/// Talks until the end, or until TLS starts: then the stream is handed back.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, ldap: &Ldap, tls: bool) -> Option<S> {
    let mut session = Session {
        tls,
        ..Session::default()
    };
    let mut buffer = Vec::new();
    loop {
        let mut reader = Reader(&buffer);
        let message = match reader.next() {
            Ok(Some((0x30, content))) => content.to_vec(),
            Ok(None) if buffer.len() <= MOST_BYTES => {
                let mut chunk = [0; 8192];
                match stream.read(&mut chunk).await {
                    Ok(count) if count > 0 => buffer.extend(&chunk[..count]),
                    _ => return None,
                }
                continue;
            }
            _ => return None,
        };
        let read = buffer.len() - reader.0.len();
        buffer.drain(..read);
        let armed = ldap.base.faults.look();
        let delay = armed.number("delay_ms");
        let answered = answer(ldap, &mut session, &message, &armed);
        ldap.base.faults.settle(&armed);
        if let Some(delay) = delay {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let Ok((out, then)) = answered else { return None };
        stream.write_all(&out).await.ok()?;
        match then {
            Then::Continue => {}
            Then::Close => return None,
            // What was sent behind StartTLS in the clear must not count as if it came through TLS.
            Then::StartTls if buffer.is_empty() => return Some(stream),
            Then::StartTls => return None,
        }
    }
}

fn message(id: i64, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    sequence(&[integer(0x02, id), operation.to_vec(), controls.to_vec()])
}

/// An LDAPResult of that response.
fn result(tag: u8, code: i64, text: &str) -> Vec<u8> {
    element(
        tag,
        &[integer(0x0a, code), octets(b""), octets(text.as_bytes())].concat(),
    )
}

fn answer(ldap: &Ldap, session: &mut Session, content: &[u8], armed: &Armed) -> Result<(Vec<u8>, Then), Malformed> {
    let mut reader = Reader(content);
    let id = reader.integer(0x02)?;
    let (tag, operation) = reader.next()?.ok_or(Malformed)?;
    let controls = controls(&mut reader)?;
    let log = |name: &str, detail: serde_json::Value, code: i64| {
        let entry = json!({"operation": name, "detail": detail, "result": code, "tls": session.tls});
        ldap.base.log.add(ldap.base.clock.now(), "in", entry);
    };
    let simple = |operation: Vec<u8>| Ok((message(id, &operation, &[]), Then::Continue));
    if armed.on("drop") {
        return Ok((Vec::new(), Then::Close));
    }
    let unknown = controls.iter().any(|(oid, critical, _)| *critical && oid != PAGED);
    match tag {
        0x60 => {
            let mut bind = Reader(operation);
            bind.integer(0x02)?;
            let name = bind.text(0x04)?;
            let (method, password) = bind.next()?.ok_or(Malformed)?;
            let (code, text) = if armed.on("busy") {
                (51, "busy".to_owned())
            } else if method == 0x80 {
                ldap.bind(&name, password, session.tls, armed)
            } else {
                (7, "only simple authentication".to_owned())
            };
            // A bind that fails leaves the connection anonymous, and so does one without a password.
            let proven = code == 0 && !name.is_empty() && !password.is_empty();
            session.who = proven.then(|| name.clone());
            log("bind", json!(name), code);
            simple(result(0x61, code, &text))
        }
        0x42 => Ok((Vec::new(), Then::Close)),
        0x50 => Ok((Vec::new(), Then::Continue)),
        0x63 => {
            let search = Search::read(operation)?;
            let mut out = Vec::new();
            let (code, text, control) = if unknown {
                (12, "a critical control is not known", Vec::new())
            } else if armed.on("busy") {
                (51, "busy", Vec::new())
            } else if session.who.is_none() && !search.base.is_empty() {
                (
                    1,
                    "000004DC: LdapErr: DSID-0C0907C2, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563",
                    Vec::new(),
                )
            } else {
                let page = controls
                    .into_iter()
                    .find(|(oid, ..)| oid == PAGED)
                    .map(|(.., value)| value);
                find(
                    ldap,
                    session,
                    &search,
                    (id, operation),
                    page.as_deref(),
                    armed,
                    &mut out,
                )?
            };
            let entry = json!({"operation": "search", "detail": search.base, "result": code, "tls": session.tls});
            ldap.base.log.add(ldap.base.clock.now(), "in", entry);
            out.extend(message(id, &result(0x65, code, text), &control));
            Ok((out, Then::Continue))
        }
        0x77 => {
            let mut extended = Reader(operation);
            let oid = extended.text(0x80)?;
            log("extended", json!(oid), 0);
            match oid.as_str() {
                START_TLS if session.tls => simple(result(0x78, 1, "TLS is on already")),
                START_TLS if armed.on("no_start_tls") => simple(result(0x78, 52, "TLS is not available")),
                START_TLS => Ok((message(id, &result(0x78, 0, ""), &[]), Then::StartTls)),
                WHO_AM_I => {
                    let who = session.who.as_ref().map(|w| format!("dn:{w}")).unwrap_or_default();
                    let body = [
                        integer(0x0a, 0),
                        octets(b""),
                        octets(b""),
                        element(0x8b, who.as_bytes()),
                    ]
                    .concat();
                    simple(element(0x78, &body))
                }
                _ => simple(result(0x78, 2, "the extended operation is not known")),
            }
        }
        // Requests to change something, and to compare: each has its response one tag on.
        0x66 | 0x68 | 0x6c | 0x6e => simple(result(
            tag + 1,
            53,
            "the simulator is changed through its control plane",
        )),
        0x4a => simple(result(0x6b, 53, "the simulator is changed through its control plane")),
        _ => Err(Malformed),
    }
}

/// Object identifier, whether critical, value.
type Control = (String, bool, Vec<u8>);

fn controls(reader: &mut Reader<'_>) -> Result<Vec<Control>, Malformed> {
    let mut out = Vec::new();
    if let Some((0xa0, content)) = reader.next()? {
        let mut list = Reader(content);
        while !list.0.is_empty() {
            let mut control = Reader(list.expect(0x30)?);
            let oid = control.text(0x04)?;
            let (mut critical, mut value) = (false, Vec::new());
            while let Some((tag, content)) = control.next()? {
                match tag {
                    0x01 => critical = content != [0],
                    _ => value = content.to_vec(),
                }
            }
            out.push((oid, critical, value));
        }
    }
    Ok(out)
}

/// Runs a search, or its next page. Returns code, text and the control of the result.
fn find(
    ldap: &Ldap,
    session: &mut Session,
    search: &Search,
    (id, request): (i64, &[u8]),
    page: Option<&[u8]>,
    armed: &Armed,
    out: &mut Vec<u8>,
) -> Result<(i64, &'static str, Vec<u8>), Malformed> {
    let directory = ldap.directory();
    let Some(found) = search.run(&directory) else {
        return Ok((32, "there is no such object", Vec::new()));
    };
    let mut from = 0;
    let mut most = if search.size == 0 {
        MOST_ENTRIES
    } else {
        search.size.min(MOST_ENTRIES)
    };
    let paged = page.is_some();
    if let Some(value) = page {
        let mut value = Reader(Reader(value).expect(0x30)?);
        let size = usize::try_from(value.integer(0x02)?).unwrap_or_default();
        let cookie = value.expect(0x04)?;
        if !cookie.is_empty() {
            // A cookie is good once, on its connection, for the search it was given for.
            match session.pages.remove(cookie) {
                Some((same, position)) if same == request && !armed.on("lose_cookie") => from = position,
                _ => return Ok((53, "00002120: the cookie is not known", Vec::new())),
            }
        }
        if size == 0 {
            return Ok((0, "", paged_control(0, b"")));
        }
        most = size.min(MOST_ENTRIES);
    }
    let end = (from + most).min(found.len());
    for entry in &found[from..end] {
        out.extend(message(id, &search.shown(entry), &[]));
    }
    if search.base.to_lowercase().ends_with("dc=test") && armed.on("referral") {
        let url = octets(b"ldap://elsewhere.example/DC=DomainDnsZones,DC=sim,DC=test");
        out.extend(message(id, &element(0x73, &url), &[]));
    }
    if !paged {
        let cut = end < found.len() || armed.on("incomplete");
        return Ok(if cut {
            (4, "the size limit was exceeded", Vec::new())
        } else {
            (0, "", Vec::new())
        });
    }
    if armed.on("incomplete") {
        return Ok((4, "the size limit was exceeded", paged_control(0, b"")));
    }
    let mut cookie = Vec::new();
    if end < found.len() {
        session.cookies += 1;
        cookie = format!("page-{}", session.cookies).into_bytes();
        session.pages.insert(cookie.clone(), (request.to_vec(), end));
    }
    Ok((0, "", paged_control(found.len(), &cookie)))
}
