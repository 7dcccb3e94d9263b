//! What one hop through the gateway costs, beside plain nginx in front of the same upstream, in the same run.
//!
//! The gateway authenticates nobody here (the HTTP layer does that before it), but it decides, signs the identity,
//! counts, and records a usage event and an audit event per call; nginx only forwards. `cargo bench -p aistack-gateway`;
//! with `-- --quick` a short run. Without nginx the comparison is left out, and the output says so.

#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "a bench talks to whoever runs it")]

#[path = "../../domain/testing/mod.rs"]
mod testing;

use aistack_core::{RequestId, Role};
use aistack_domain::{
    gateway::{self, Decider, NewRoute},
    metering::Accounting,
    quota,
};
use aistack_gateway::{Proxy, Settings};
use aistack_store::Durability;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{body::Incoming, client, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use testing::TestApp;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

/// Calls and callers of a run.
#[derive(Clone, Copy)]
struct Load {
    callers: usize,
    calls: usize,
}

#[derive(Clone, Copy)]
struct Measured {
    p50: Duration,
    p99: Duration,
    per_second: f64,
}

async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let _ = stream.set_nodelay(true);
            let service = service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{\"ok\":true}"))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn gateway(upstream: SocketAddr, accounting: Accounting) -> (TestApp, SocketAddr) {
    let t = TestApp::with(accounting, Durability::PowerLoss).await;
    let tenant = t.tenant("acme", "free", "UTC").await;
    quota::set_limit(&t.app, &tenant, "api.calls", Some(i64::MAX / 2))
        .await
        .unwrap();
    let (ctx, who) = t.member(&tenant, "mia@example.test", Role::Member).await;
    let route = NewRoute {
        path_prefix: "/".to_owned(),
        upstream: format!("http://{upstream}"),
        tenant: None,
        meter: "api.calls".to_owned(),
        strip_prefix: false,
        timeout_ms: 30_000,
    };
    gateway::create(&t.app, &aistack_domain::Ctx::system(None), &route)
        .await
        .unwrap();
    let proxy = Proxy::new(
        t.app.clone(),
        Arc::new(Decider::new(t.app.clone())),
        Settings::default(),
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = t.app.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let _ = stream.set_nodelay(true);
            let (proxy, app, ctx, who) = (proxy.clone(), app.clone(), ctx.clone(), who.clone());
            let service = service_fn(move |mut req: Request<Incoming>| {
                let (proxy, mut ctx) = (proxy.clone(), ctx.clone());
                let id = RequestId::new(&*app.clock, &*app.rng);
                ctx.ctx.request = Some(id);
                req.extensions_mut().insert(ctx);
                req.extensions_mut().insert(who.clone());
                req.extensions_mut().insert(id);
                async move { Ok::<_, Infallible>(proxy.call(req).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (t, address)
}

/// A running nginx; killed when dropped.
struct Nginx(Child);
impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// nginx on a free port, in one process of its own; `None` when it is not installed.
async fn nginx(dir: &Path, upstream: SocketAddr) -> Option<(Nginx, SocketAddr)> {
    let address = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let dir_text = dir.display();
    let config = format!(
        "daemon off; master_process off; pid {dir_text}/pid; error_log {dir_text}/error.log;\n\
         events {{ worker_connections 512; }}\n\
         http {{ access_log off; client_body_temp_path {dir_text}/body; proxy_temp_path {dir_text}/proxy;\n\
           fastcgi_temp_path {dir_text}/f; uwsgi_temp_path {dir_text}/u; scgi_temp_path {dir_text}/s;\n\
           keepalive_requests 1000000;\n\
           upstream product {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}\n\
           server {{ listen {address}; location / {{ proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_pass http://product; }} }} }}\n"
    );
    let file = dir.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|p| {
        let probe = Command::new(p).arg("-v").stderr(Stdio::null()).status();
        probe.is_ok_and(|s| s.success())
    })?;
    let child = Command::new(program)
        .arg("-c")
        .arg(&file)
        .arg("-p")
        .arg(dir)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let nginx = Nginx(child);
    for _ in 0..200 {
        if TcpStream::connect(address).await.is_ok() {
            return Some((nginx, address));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "nginx does not listen: {}",
        std::fs::read_to_string(dir.join("error.log")).unwrap_or_default()
    );
}

async fn measure(address: SocketAddr, load: Load) -> Measured {
    let began = Instant::now();
    let callers: Vec<_> = (0..load.callers)
        .map(|_| {
            tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(connection);
                let mut times = Vec::with_capacity(load.calls / load.callers);
                for _ in 0..load.calls / load.callers {
                    let request = Request::get("/v1/x")
                        .header("host", "acme.localhost")
                        .body(Empty::<Bytes>::new());
                    let at = Instant::now();
                    sender.ready().await.unwrap();
                    let answer = sender.send_request(request.unwrap()).await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.into_body().collect().await.unwrap();
                    times.push(at.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::with_capacity(load.calls);
    for caller in callers {
        times.extend(caller.await.unwrap());
    }
    let took = began.elapsed();
    times.sort_unstable();
    Measured {
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        per_second: times.len() as f64 / took.as_secs_f64(),
    }
}

fn main() {
    let quick = std::env::args().any(|a| a == "--quick" || a == "--test");
    let scale = if quick { 1 } else { 10 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let upstream = upstream().await;
        let dir = tempfile::tempdir().unwrap();
        let nginx = nginx(dir.path(), upstream).await;
        let (_durable, durable) = gateway(upstream, Accounting::Durable).await;
        let (_behind, behind) = gateway(upstream, Accounting::Behind).await;
        if nginx.is_none() {
            println!(
                "nginx is not installed (Debian: apt-get install nginx-light): there is NO comparison in this run"
            );
        }
        for load in [
            Load {
                callers: 1,
                calls: 200 * scale,
            },
            Load {
                callers: 32,
                calls: 1_600 * scale,
            },
        ] {
            println!("\n{} caller(s), {} calls", load.callers, load.calls);
            println!(
                "{:<34}{:>12}{:>12}{:>12}{:>12}",
                "", "p50 µs", "p99 µs", "calls/s", "p50 : nginx"
            );
            let mut base = None;
            let ways = [
                ("upstream alone", Some(upstream)),
                ("nginx", nginx.as_ref().map(|n| n.1)),
                ("gateway, counted before the end", Some(durable)),
                ("gateway, counted behind", Some(behind)),
            ];
            for (name, address) in ways {
                let Some(address) = address else { continue };
                // Connections, caches and the first pages of the files.
                measure(
                    address,
                    Load {
                        callers: load.callers,
                        calls: 64,
                    },
                )
                .await;
                let m = measure(address, load).await;
                if name == "nginx" {
                    base = Some(m.p50);
                }
                let ratio = base.map_or_else(
                    || "–".to_owned(),
                    |b| format!("{:.2}", m.p50.as_secs_f64() / b.as_secs_f64()),
                );
                println!(
                    "{name:<34}{:>12}{:>12}{:>12.0}{ratio:>12}",
                    m.p50.as_micros(),
                    m.p99.as_micros(),
                    m.per_second
                );
            }
        }
    });
}
