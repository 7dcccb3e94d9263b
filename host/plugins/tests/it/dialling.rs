//! `dial`: byte streams, TLS by the host, secrets written without the guest seeing them.

use crate::harness::*;
use aistack_domain::plugins::port::*;
use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Answers each message with itself in brackets.
async fn echo(mut s: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buf = [0; 1024];
    while let Ok(n @ 1..) = s.read(&mut buf).await {
        let answer = [b"[", &buf[..n], b"]"].concat();
        if s.write_all(&answer).await.is_err() || s.flush().await.is_err() {
            return;
        }
    }
}

pub(crate) struct Directory {
    pub(crate) port: u16,
    pub(crate) ca: String,
}

/// `mode`: `plain`, `tls`, `starttls`, or `inject` (sends bytes in the clear right after agreeing to TLS).
pub(crate) async fn directory(mode: &'static str) -> Directory {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if mode == "plain" {
                    return echo(tcp).await;
                }
                if mode != "tls" {
                    let mut buf = [0; 1024];
                    let Ok(1..) = tcp.read(&mut buf).await else { return };
                    let answer: &[u8] = if mode == "inject" { b"go" } else { b"go!" };
                    tcp.write_all(answer).await.unwrap();
                    if mode == "inject" {
                        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                        tcp.write_all(b"forged").await.unwrap();
                    }
                }
                if let Ok(tls) = acceptor.accept(tcp).await {
                    echo(tls).await;
                }
            });
        }
    });
    Directory {
        port,
        ca: key.cert.pem(),
    }
}

pub(crate) async fn talk(
    b: &Bench,
    d: &Directory,
    tls: &str,
    steps: Value,
    change: impl FnOnce(&mut Grants, &mut Value),
) -> Result<Value, Fault> {
    let target = format!("127.0.0.1:{}", d.port);
    let mut grants = Grants {
        dial_targets: vec![target.clone()],
        private_hosts: vec![target.clone()],
        secrets: [(
            "key".to_owned(),
            SecretGrant {
                uses: strings(&["dial:write"]),
                hosts: vec![target],
            },
        )]
        .into(),
        ..all_grants()
    };
    let mut what = json!({ "do": "dial", "host": "127.0.0.1", "port": d.port, "tls": tls, "ca": d.ca, "steps": steps });
    change(&mut grants, &mut what);
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.installation = aistack_core::InstallationId(uuid::Uuid::now_v7());
    inv.powers = powers(grants);
    b.ask(inv, what).await
}

#[tokio::test]
async fn protected_conversations_carry_secrets() {
    let b = Bench::new();
    let steps = json!([{ "do": "secret", "name": "key" }, { "do": "read" }]);
    let direct = directory("tls").await;
    let heard = talk(&b, &direct, "direct", steps, |_, _| {}).await.unwrap();
    assert_eq!(heard, json!({ "heard": ["[<******>]"] }));

    let upgraded = directory("starttls").await;
    let steps = json!([
        { "do": "write", "text": "starttls" }, { "do": "read" }, { "do": "start-tls" },
        { "do": "secret", "name": "key" }, { "do": "read" }
    ]);
    let heard = talk(&b, &upgraded, "starttls", steps, |_, _| {}).await.unwrap();
    assert_eq!(heard, json!({ "heard": ["go!", "[<******>]"] }));
    assert!(b.platform.last().bytes_in > 0);
}

#[tokio::test]
async fn secrets_stay_on_protected_and_bound_connections() {
    let b = Bench::new();
    let secret = || json!([{ "do": "secret", "name": "key" }]);
    let plain = directory("plain").await;
    assert_eq!(
        talk(&b, &plain, "none", secret(), |_, _| {}).await.unwrap_err().code,
        "not_protected"
    );
    let upgraded = directory("starttls").await;
    let fault = talk(&b, &upgraded, "starttls", secret(), |_, _| {}).await.unwrap_err();
    assert_eq!(fault.code, "not_protected", "before start-tls");
    let direct = directory("tls").await;
    let unbound = |g: &mut Grants| g.secrets.get_mut("key").unwrap().hosts = strings(&["127.0.0.1:1"]);
    let fault = talk(&b, &direct, "direct", secret(), |g, _| unbound(g))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "secret_not_bound");
    let other = |g: &mut Grants| g.secrets.get_mut("key").unwrap().uses = strings(&["http:bearer"]);
    let fault = talk(&b, &direct, "direct", secret(), |g, _| other(g))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "use_not_granted");
}
