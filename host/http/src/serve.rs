//! The router with everything around it, and the listener: one task per connection, a limit on how long a head may
//! take to arrive, and an orderly end.

use crate::{fallback, layers, problem::ApiProblem, routes, state::AppState};
use aistack_domain::Problem;
use axum::{
    Router, extract::DefaultBodyLimit, middleware::from_fn, middleware::from_fn_with_state, response::IntoResponse,
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{any::Any, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use crate::layers::PeerAddr;
use crate::linger::Lingering;

/// The usual cap of a body.
pub(crate) const BODY: usize = 1024 * 1024;
/// A request's head has to be complete after so long.
const HEAD: Duration = Duration::from_secs(15);

/// The whole application as one service.
pub fn router(state: &AppState) -> Router {
    let inner = routes::all()
        .build(state)
        .fallback(fallback::fallback)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(state.clone());
    // Around the router and not inside it: the tenant's prefix has to be cut off before a route is looked for.
    let around = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), layers::request))
        .layer(from_fn(layers::headers))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), layers::place))
        .service(inner);
    Router::new().fallback_service(around)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(what: Box<dyn Any + Send + 'static>) -> axum::response::Response {
    let text = what
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| what.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    ApiProblem(Problem::internal(format!("panic: {text}"))).into_response()
}

/// Serves until `stop` turns true, then lets connections finish what they are doing, for `drain` at most.
///
/// # Errors
/// Never for a single connection; only when nothing can be accepted at all.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    mut stop: watch::Receiver<bool>,
    drain: Duration,
) -> std::io::Result<()> {
    let app = router(&state);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(it) => it,
            Err(e) => {
                // Out of file descriptors, or a connection that went away: neither gets better by spinning.
                tracing::warn!(error = %e, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = TowerToHyperService::new(tower::service_fn(move |mut req: hyper::Request<Incoming>| {
            req.extensions_mut().insert(PeerAddr(peer));
            let waits = req.headers().contains_key(http::header::EXPECT);
            app.clone()
                .oneshot(req.map(|body| axum::body::Body::new(Lingering::new(body, waits))))
        }));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(e) = watcher.watch(connection).await {
                tracing::debug!(error = %e, %peer, "connection");
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(drain) => tracing::warn!("connections were still open after the drain time"),
    }
    Ok(())
}
