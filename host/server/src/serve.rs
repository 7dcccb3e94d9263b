//! `aistack serve`: start, say where, serve, and stop in an order that loses nothing.

use crate::{
    cli::{Failure, Output},
    config::Config,
    console::Console,
    folder, wire,
};
use aistack_domain::{
    App,
    access::{Secret, key_ring},
    jobs,
    plugins::{flush_receipts, keep_watch, record_receipts},
    setup, tenancy,
};
use aistack_http::{AppState, Site};
use anyhow::Context;
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use url::Url;

/// Runs the server until it is asked to stop.
///
/// # Errors
/// When it can't start.
pub async fn serve(config: Config, demo: bool, out: &Output) -> Result<(), Failure> {
    // The port first: a second server on it is found out before anything is opened.
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("can't listen on {}", config.server.listen))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let public_url = public_url(&config, address)?;
    let app = wire::application(&config, public_url).await?;
    let result = run(&config, demo, out, listener, address, &app).await;
    app.store.close().await;
    result
}

async fn run(
    config: &Config,
    demo: bool,
    out: &Output,
    listener: TcpListener,
    address: SocketAddr,
    app: &Arc<App>,
) -> Result<(), Failure> {
    prepare(app, config).await.context("can't start")?;
    let runner = jobs::Runner::start(app.clone(), wire::job_handlers(), wire::job_settings(config));
    let (stop, stopping) = watch::channel(false);
    let mut recording = stopping.clone();
    let receipts_of = app.clone();
    let receipts = tokio::spawn(async move {
        let stopped = async { drop(recording.wait_for(|stop| *stop).await) };
        record_receipts(&receipts_of, stopped).await;
    });
    let mut watching = stopping.clone();
    let watched = app.clone();
    let watch_calls = tokio::spawn(async move {
        let stopped = async { drop(watching.wait_for(|stop| *stop).await) };
        keep_watch(&watched, stopped).await;
    });
    let mut looking = stopping.clone();
    let (folders_of, watch_dir) = (app.clone(), config.plugins.watch_dir.clone());
    let upgrades = config.plugins.watch_upgrade;
    let watch_folder = tokio::spawn(async move {
        if let Some(dir) = watch_dir {
            let stopped = async { drop(looking.wait_for(|stop| *stop).await) };
            folder::watch(&folders_of, &dir, upgrades, stopped).await;
        }
    });
    let site = Site {
        trusted_proxies: config.server.trusted_proxies.clone(),
        assets: Arc::new(Console),
        gateway: Some(wire::gateway(app)),
        demo,
        stopping: stopping.clone(),
    };
    let token = setup::new_token(app).await.context("can't make the set-up link")?;
    let state = AppState::new(app.clone(), site);
    let drain = Duration::from_secs(config.server.drain_seconds);
    let serving = tokio::spawn(aistack_http::serve(listener, state, stopping, drain));
    announce(config, out, address, app, token.as_ref())?;
    if demo {
        wire::seed_demo(app).await.context("can't make the demo data")?;
    }
    asked_to_stop().await?;
    tracing::info!("stopping");
    // In this order: no new requests, then no new jobs, then what both have written is flushed.
    let _ = stop.send(true);
    serving.await.context("the listener")?.context("the listener")?;
    runner.stop().await;
    wire::flush(app, drain).await;
    // What calls left behind after the recorder had its last look.
    receipts.await.context("the receipts")?;
    watch_calls.await.context("the watch over calls")?;
    watch_folder.await.context("the watched folder")?;
    let _ = flush_receipts(app).await;
    Ok(())
}

/// What has to be true before the first request.
async fn prepare(app: &App, config: &Config) -> anyhow::Result<()> {
    key_ring(app).await?;
    let resumed = tenancy::resume_all(app).await?;
    if resumed > 0 {
        tracing::info!(resumed, "finished tenants whose provisioning was interrupted");
    }
    let erased = tenancy::closing::purge_due(app).await?;
    if erased > 0 {
        tracing::info!(erased, "erased tenants whose time was over");
    }
    wire::plugins(app, config).await
}

/// The configured address, or localhost with the port in use.
fn public_url(config: &Config, address: SocketAddr) -> anyhow::Result<Url> {
    let url = match &config.server.public_url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://localhost:{}", address.port()))?,
    };
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/" && url.query().is_none(),
        "[server] public_url has to be http(s)://host[:port], without a path"
    );
    Ok(url)
}

fn announce(
    config: &Config,
    out: &Output,
    address: SocketAddr,
    app: &App,
    token: Option<&Secret>,
) -> Result<(), Failure> {
    let url = app.config.public_url.as_str().trim_end_matches('/');
    let console = format!("{url}/console/");
    let setup = token.map(|t| format!("{url}/console/setup?token={}", t.expose()));
    out.value(
        &json!({
            "url": url,
            "console_url": console,
            "setup_url": setup,
            "address": address,
            "pid": std::process::id(),
            "version": app.config.version,
            "store": app.store.backend(),
        }),
        |w| {
            writeln!(w, "aistack {} is ready", app.config.version)?;
            writeln!(w, "  console  {console}")?;
            if let Some(setup) = &setup {
                writeln!(w, "  set up   {setup}")?;
                writeln!(w, "           (makes the first operator; good once, for 30 minutes)")?;
            }
            writeln!(w, "  data     {} ({})", config.data.dir.display(), app.store.backend())
        },
    )
}

/// Resolves on SIGTERM and on Ctrl-C.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
