//! The connection pool to the upstreams: HTTP/1.1 in the clear or over rustls.

use crate::body::RequestBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{sync::Arc, time::Duration};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The client.
pub(crate) type Upstreams = Client<HttpsConnector<HttpConnector>, RequestBody>;

/// A client that keeps idle connections for `idle` and gives up connecting after `connect`.
pub(crate) fn build(connect: Duration, idle: Duration) -> Upstreams {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(256)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        // The upstream's own header names and cases pass as they are; obsolete folding does not.
        .http1_allow_obsolete_multiline_headers_in_responses(false)
        .build(connector)
}

fn tls() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider offers TLS 1.2 and 1.3");
    match builder.clone().with_platform_verifier() {
        Ok(config) => config.with_no_client_auth(),
        Err(e) => {
            // Upstreams in the clear still work; those over TLS are refused, never trusted unseen.
            tracing::warn!(error = %e, "this machine has no trusted certificates");
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        }
    }
}
