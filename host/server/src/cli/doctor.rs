//! `aistack doctor`: the usual reasons why a server does not start or does not answer.

use super::{Failure, Local, Output};
use crate::{config::Config, wire};
use serde::Serialize;
use serde_json::json;
use std::{net::TcpListener, os::unix::fs::PermissionsExt, path::Path, time::Duration};

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

fn check(name: &'static str, result: Result<String, String>) -> Check {
    let (ok, detail) = match result {
        Ok(detail) => (true, detail),
        Err(detail) => (false, detail),
    };
    Check { name, ok, detail }
}

/// Runs the checks.
pub(super) async fn run(local: &Local, out: &Output) -> Result<(), Failure> {
    let mut checks = Vec::new();
    match local.load() {
        Err(Failure::Failed(e)) => checks.push(check("configuration", Err(format!("{e:#}")))),
        Err(other) => return Err(other),
        Ok((config, file)) => {
            let from = file.map_or_else(|| "defaults and environment".to_owned(), |f| f.display().to_string());
            checks.push(check("configuration", Ok(from)));
            checks.push(check("data folder", folder(&config.data.dir)));
            checks.push(check("root key", root_key(&config)));
            let running = ready(&config).await;
            let serves = running.is_some();
            checks.push(match running {
                Some(result) => check("server", result),
                None => check("server", port(&config)),
            });
            // A running server holds the databases.
            if !serves && config.data.dir.is_dir() {
                checks.push(check("database", database(&config).await));
            }
        }
    }
    let ok = checks.iter().all(|c| c.ok);
    out.value(&json!({ "ok": ok, "checks": checks }), |w| {
        for c in &checks {
            writeln!(w, "{} {:<14} {}", if c.ok { "ok  " } else { "FAIL" }, c.name, c.detail)?;
        }
        Ok(())
    })?;
    if ok {
        Ok(())
    } else {
        Err(Failure::Failed(anyhow::anyhow!("something is wrong")))
    }
}

fn folder(dir: &Path) -> Result<String, String> {
    let shown = dir.display();
    if !dir.exists() {
        return Ok(format!("{shown} will be made at the first start"));
    }
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"x").map_err(|e| format!("{shown} can't be written: {e}"))?;
    let _ = std::fs::remove_file(&probe);
    match std::fs::metadata(dir) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => Err(format!(
            "{shown} is open to other users of this machine: chmod 700 {shown}"
        )),
        _ => Ok(format!("{shown} can be written")),
    }
}

fn root_key(config: &Config) -> Result<String, String> {
    let path = config.root_key_file();
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            Err(format!("{shown} is readable by others: chmod 600 {shown}"))
        }
        Ok(_) => Ok(format!("{shown} is there; keep a copy apart from the data")),
        // Databases without their key: nothing sealed in them can be opened.
        Err(_) if config.data.dir.join("store").exists() => {
            Err(format!("{shown} is missing, but there is data sealed under it"))
        }
        Err(_) => Ok(format!("{shown} will be made at the first start")),
    }
}

fn address(config: &Config) -> String {
    format!("http://{}", config.server.listen)
}

/// What a server at the configured address says; `None` when nothing listens there.
async fn ready(config: &Config) -> Option<Result<String, String>> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(3))
        .build()
        .ok()?;
    let url = format!("{}/readyz", address(config));
    let answer = match client.get(url).send().await {
        Ok(answer) => answer,
        Err(e) if e.is_connect() => return None,
        Err(e) => return Some(Err(format!("something listens at {}, but: {e}", address(config)))),
    };
    let status = answer.status();
    let body: serde_json::Value = answer.json().await.unwrap_or_default();
    Some(match body["ready"].as_bool() {
        Some(true) => Ok(format!("running and ready at {}", address(config))),
        Some(false) => Err(format!("running at {}, not ready: {}", address(config), body["checks"])),
        None => Err(format!("something else listens at {} ({status})", address(config))),
    })
}

fn port(config: &Config) -> Result<String, String> {
    TcpListener::bind(config.server.listen)
        .map(|_| format!("not running; {} is free", config.server.listen))
        .map_err(|e| format!("not running, and {} can't be listened on: {e}", config.server.listen))
}

async fn database(config: &Config) -> Result<String, String> {
    let store = wire::open_store(config).await.map_err(|e| format!("{e:#}"))?;
    let health = store.health().await.map_err(|e| e.to_string());
    store.close().await;
    health
}
