//! The product behind the gateway: an HTTP server that records every request and answers as told.

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as the upstream saw it.
pub type Recorded = http::Request<Bytes>;

type Handler = dyn Fn(&Recorded) -> http::Response<Bytes> + Send + Sync;

/// A running upstream. Dropping it stops it.
pub struct Upstream {
    address: SocketAddr,
    recorded: Arc<Mutex<Vec<Recorded>>>,
    server: JoinHandle<()>,
}

impl Upstream {
    /// Starts an upstream that answers 200 with a JSON object naming method and path.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|request| {
            let body = serde_json::json!({"method": request.method().as_str(), "path": request.uri().path()});
            let mut answer = http::Response::new(Bytes::from(body.to_string()));
            answer
                .headers_mut()
                .insert("content-type", http::HeaderValue::from_static("application/json"));
            answer
        })
        .await
    }

    /// Starts an upstream that answers with what `handler` makes of each request.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start_with(
        handler: impl Fn(&Recorded) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("upstream port")?;
        let address = listener.local_addr()?;
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let server = tokio::spawn(serve(listener, Arc::clone(&recorded), handler));
        Ok(Self {
            address,
            recorded,
            server,
        })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.recorded.lock().expect("recorded requests").clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, recorded: Arc<Mutex<Vec<Recorded>>>, handler: Arc<Handler>) {
    // Connections end with the listener: the set aborts its tasks when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (recorded, handler) = (Arc::clone(&recorded), Arc::clone(&handler));
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (recorded, handler) = (Arc::clone(&recorded), Arc::clone(&handler));
            async move {
                let (head, body) = request.into_parts();
                let body = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                let request = http::Request::from_parts(head, body);
                let answer = handler(&request);
                recorded.lock().expect("recorded requests").push(request);
                Ok::<_, Infallible>(answer.map(Full::new))
            }
        });
        connections.spawn(async move {
            // A client that goes away early is its own business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}
