//! The proxy as a server, upstreams, and a caller that sees every byte.

use crate::testing::TestApp;
use aistack_core::{RequestId, Role};
use aistack_domain::{
    TenantCtx,
    access::SignedIn,
    gateway::{self, Decider, Decisions, NewRoute},
};
use aistack_gateway::{Proxy, Settings};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

/// Application, tenant, member and the proxy in front of them.
pub(crate) struct Stage {
    pub(crate) t: TestApp,
    pub(crate) ctx: TenantCtx,
    pub(crate) who: SignedIn,
    pub(crate) address: SocketAddr,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default(), |d| Arc::new(d)).await
    }

    pub(crate) async fn with(settings: Settings, wrap: impl FnOnce(Decider) -> Arc<dyn Decisions>) -> Self {
        let t = TestApp::new().await;
        let tenant = t.tenant("acme", "free", "UTC").await;
        let (ctx, who) = t.member(&tenant, "mia@example.test", Role::Member).await;
        let proxy = Proxy::new(t.app.clone(), wrap(Decider::new(t.app.clone())), settings);
        let address = serve(proxy, t.app.clone(), ctx.clone(), who.clone()).await;
        Self { t, ctx, who, address }
    }

    /// Routes a prefix to an upstream.
    pub(crate) async fn route(&self, prefix: &str, upstream: &str, timeout_ms: i64) {
        let new = NewRoute {
            path_prefix: prefix.to_owned(),
            upstream: upstream.to_owned(),
            tenant: None,
            meter: "api.calls".to_owned(),
            strip_prefix: false,
            timeout_ms,
        };
        let ctx = aistack_domain::Ctx::system(None);
        gateway::create(&self.t.app, &ctx, &new).await.unwrap();
    }

    /// Calls counted so far.
    pub(crate) async fn counted(&self) -> i64 {
        let views = aistack_domain::quota::list(&self.t.app, &self.ctx).await.unwrap();
        views.into_iter().find(|v| v.meter.name == "api.calls").unwrap().used
    }

    /// Waits until so many calls are counted and recorded.
    pub(crate) async fn until_counted(&self, calls: i64) {
        for _ in 0..300 {
            let recorded = self
                .gateway_events()
                .await
                .iter()
                .filter(|a| *a == "gateway.called")
                .count();
            if self.counted().await == calls && recorded >= usize::try_from(calls).unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{} calls counted, {:?}",
            self.counted().await,
            self.gateway_events().await
        );
    }

    /// The gateway's audit events.
    pub(crate) async fn gateway_events(&self) -> Vec<String> {
        let actions = self.t.actions(&self.ctx).await;
        actions.into_iter().filter(|a| a.starts_with("gateway.")).collect()
    }

    /// One request on a connection of its own, read to the end of the connection.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect(request).await;
        let mut bytes = Vec::new();
        timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        Answer::parse(&bytes)
    }
    /// Sends a head and leaves the connection open.
    pub(crate) async fn connect(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\n\r\n"
        ))
        .await
    }
}

/// An answer as it stood on the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no head in {text:?}"));
        Self {
            status: head[9..12].parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Does what the HTTP layer does in front of the proxy: who and where.
async fn serve(proxy: Proxy, app: Arc<aistack_domain::App>, ctx: TenantCtx, who: SignedIn) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
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
            tokio::spawn(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades(),
            );
        }
    });
    address
}

/// An upstream that answers as `handler` says and tells what it was asked.
pub(crate) async fn upstream<F, B>(handler: F) -> (String, mpsc::UnboundedReceiver<Request<Bytes>>)
where
    F: Fn(Request<Bytes>) -> Response<B> + Clone + Send + Sync + 'static,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (handler, seen) = (handler.clone(), seen.clone());
            let service = service_fn(move |req: Request<Incoming>| {
                let (handler, seen) = (handler.clone(), seen.clone());
                async move {
                    let (head, body) = req.into_parts();
                    let body = body.collect().await?.to_bytes();
                    let request = Request::from_parts(head, body);
                    let _ = seen.send(request.clone());
                    Ok::<_, hyper::Error>(handler(request))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, requests)
}

/// An upstream that says hello.
pub(crate) async fn hello() -> (String, mpsc::UnboundedReceiver<Request<Bytes>>) {
    upstream(|req| {
        let text = format!("{} {}", req.method(), req.uri());
        Response::builder()
            .header("x-upstream", "yes")
            .body(Full::new(Bytes::from(text)))
            .unwrap()
    })
    .await
}
