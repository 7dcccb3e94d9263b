//! A thin HTTP server around a function, so that the sides that are called in process can be measured over HTTP as well.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// Serves on a free port of the loopback for the life of the runtime it is called on: the body goes in, what the function
/// makes of it comes out.
///
/// # Errors
/// When no port is free.
pub async fn serve<F, R>(work: F) -> Result<SocketAddr>
where
    F: Fn(Bytes) -> R + Send + Sync + 'static,
    R: Future<Output = String> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    let work = Arc::new(work);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // Small request, small answer: waiting to fill packets only costs time.
            let _ = tcp.set_nodelay(true);
            let work = Arc::clone(&work);
            let answer = service_fn(move |request: hyper::Request<Incoming>| {
                let work = Arc::clone(&work);
                async move {
                    let body = request
                        .into_body()
                        .collect()
                        .await
                        .map_or_else(|_| Bytes::new(), |b| b.to_bytes());
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(work(body).await))))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), answer));
        }
    });
    Ok(at)
}
