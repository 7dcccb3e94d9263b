//! What every handler can reach.

use crate::metrics::HttpMetrics;
use aistack_domain::App;
use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::{Request, Response};
use ipnet::IpNet;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::watch;
use tower::util::BoxCloneSyncService;

/// The data path behind everything that is not the platform's own: gets requests that are routed to a tenant and
/// authenticated, with `TenantCtx`, `SignedIn` and `RequestId` in the extensions.
pub type Gateway = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Makes the gateway from what handles one request.
pub fn gateway<B, F>(call: impl Fn(Request<Body>) -> F + Clone + Send + Sync + 'static) -> Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    F: Future<Output = Response<B>> + Send + 'static,
{
    BoxCloneSyncService::new(tower::service_fn(move |request| {
        let answer = call(request);
        async move { Ok(answer.await.map(Body::new)) }
    }))
}

/// A file of the console.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Contents.
    pub bytes: Bytes,
    /// SHA-256, hex.
    pub digest: String,
}

/// The console's files, by path below `/console/`.
pub trait Assets: Send + Sync {
    /// The file, if the build has it.
    fn get(&self, path: &str) -> Option<Asset>;
}

/// How this process serves.
pub struct Site {
    /// Addresses whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The console.
    pub assets: Arc<dyn Assets>,
    /// The gateway.
    pub gateway: Option<Gateway>,
    /// Whether the data was made by `--demo`.
    pub demo: bool,
    /// Turns true when the process is asked to stop: streams end, `/readyz` says no.
    pub stopping: watch::Receiver<bool>,
}

/// The state of the router.
#[derive(Clone)]
pub struct AppState {
    /// The application.
    pub app: Arc<App>,
    /// The site.
    pub site: Arc<Site>,
    pub(crate) metrics: Arc<HttpMetrics>,
}

impl AppState {
    /// Puts both together and registers the metrics of this crate.
    #[must_use]
    pub fn new(app: Arc<App>, site: Site) -> Self {
        let metrics = Arc::new(HttpMetrics::register(&app));
        Self {
            app,
            site: Arc::new(site),
            metrics,
        }
    }
    /// Whether the process is on its way out.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.site.stopping.borrow()
    }
}
