//! Operations by name: arguments as JSON in, results as JSON out.

mod arguments;
mod identity;
pub(crate) mod payment;
pub(crate) mod shared;

pub use shared::{fault_out, receipt_out};

use crate::{
    Error,
    project::Settings,
    run::{Platform, Runner},
};
use aistack_domain::plugins::{
    manifest::CallClass,
    port::{CallReceipt, Fault, Invocation, JournalMode, PluginKind, PluginRuntime, ReportPort, ReportRequest},
};
use arguments::Arguments;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

/// What all worlds have.
const EVERYWHERE: &[&str] = &["lifecycle.describe", "lifecycle.check", "lifecycle.migrate"];
/// What identity and payment plugins have.
const PROVIDERS: &[&str] = &["inbound.handle", "documents.get", "jobs.start"];

/// The operations of a world.
#[must_use]
pub fn known(kind: PluginKind) -> Vec<&'static str> {
    let of_world: &[&str] = match kind {
        PluginKind::Identity => identity::OPERATIONS,
        PluginKind::Payment => payment::OPERATIONS,
        PluginKind::Report => &["generator.run"],
    };
    let providers = if kind == PluginKind::Report { &[] } else { PROVIDERS };
    of_world.iter().chain(providers).chain(EVERYWHERE).copied().collect()
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct Called {
    /// The result, or the plugin's fault.
    pub result: Result<Value, Fault>,
    /// What it cost.
    pub receipt: Option<CallReceipt>,
}

impl Called {
    /// All of it as one document.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = match &self.result {
            Ok(value) => json!({ "result": value }),
            Err(fault) => json!({ "fault": fault_out(fault) }),
        };
        if let Some(r) = &self.receipt {
            document["receipt"] = receipt_out(r);
        }
        document
    }
}

/// What an operation's bounds are decided by.
fn class(operation: &str) -> CallClass {
    match operation {
        "inbound.handle" => CallClass::Inbound,
        "generator.run" => CallClass::Run,
        _ => CallClass::Ordinary,
    }
}

/// Calls an operation with the project's settings.
///
/// # Errors
/// When there is no such operation, the arguments don't fit it, or the settings are wrong. What the plugin answers, a
/// fault included, is in the result.
pub async fn call(
    runner: &Runner,
    settings: &Settings,
    dir: &Path,
    platform: &Arc<Platform>,
    operation: &str,
    arguments: Value,
) -> Result<Called, Error> {
    let off = JournalMode::Off;
    call_with(runner, settings, dir, platform, operation, arguments, off).await
}

/// The same, recorded; the journal is in the receipt.
///
/// # Errors
/// As [`call`].
pub async fn record(
    runner: &Runner,
    settings: &Settings,
    dir: &Path,
    platform: &Arc<Platform>,
    operation: &str,
    arguments: Value,
) -> Result<Called, Error> {
    let mode = JournalMode::Record {
        budget: crate::replay::BUDGET,
    };
    call_with(runner, settings, dir, platform, operation, arguments, mode).await
}

async fn call_with(
    runner: &Runner,
    settings: &Settings,
    dir: &Path,
    platform: &Arc<Platform>,
    operation: &str,
    arguments: Value,
    journal: JournalMode,
) -> Result<Called, Error> {
    let inv = Invocation {
        journal,
        ..runner.invocation(settings, dir, platform, class(operation))?
    };
    let result = on(runner, inv, operation, arguments).await?;
    Ok(Called {
        result,
        receipt: platform.receipt(),
    })
}

/// Calls an operation with an invocation of one's own.
///
/// # Errors
/// As [`call`].
pub async fn on(
    runner: &Runner,
    inv: Invocation,
    operation: &str,
    arguments: Value,
) -> Result<Result<Value, Fault>, Error> {
    let kind = runner.kind();
    let known = known(kind);
    let Some(name) = known.iter().find(|k| **k == operation) else {
        return Err(Error::NoOperation {
            name: operation.to_owned(),
            kind: kind.to_string(),
            known,
        });
    };
    let mut a = Arguments::new(arguments)?;
    let host = runner.host();
    Ok(match *name {
        "lifecycle.describe" => {
            a.done()?;
            let all = host.describe(inv).await;
            all.map(|all| {
                all.into_iter()
                    .map(|f| json!({ "name": f.name, "extra": f.extra }))
                    .collect()
            })
        }
        "lifecycle.check" => {
            let deep = a.flag("deep")?;
            a.done()?;
            host.check(inv, deep).await.map(|findings| json!(findings))
        }
        "lifecycle.migrate" => {
            let from = a.text_or("from_version", "0.0.0")?;
            let config = a.take("config").unwrap_or_else(|| (*inv.config).clone());
            a.done()?;
            host.migrate(inv, &from, config).await
        }
        "inbound.handle" => {
            let loaded = runner.loaded();
            let first = loaded.manifest.endpoint.first();
            let endpoint = a.text_or("endpoint", first.map_or("", |e| e.name.as_str()))?;
            let request = shared::request_in(a.object("request")?)?;
            a.done()?;
            host.inbound(inv, &endpoint, request)
                .await
                .map(|o| shared::outcome_out(&o))
        }
        "documents.get" => {
            let name = a.text("name")?;
            a.done()?;
            host.document(inv, &name).await.map(|d| {
                json!({ "media_type": d.media_type, "body_base64": STANDARD.encode(d.body), "max_age_s": d.max_age_s })
            })
        }
        "jobs.start" => {
            let name = a.text("name")?;
            let cursor = a.bytes("cursor")?;
            a.done()?;
            host.job(inv, &name, cursor).await.map(|r| {
                json!({
                    "events": shared::events_out(&r.events), "cursor_base64": r.cursor.map(|c| STANDARD.encode(c)),
                    "more": r.more,
                })
            })
        }
        "generator.run" => {
            let loaded = runner.loaded();
            let first = loaded.manifest.report.first();
            let request = ReportRequest {
                report: a.text_or("report", first.map_or("", |r| r.name.as_str()))?,
                params: a.take("params").unwrap_or_else(|| json!({})),
                format: a.text_or(
                    "format",
                    first.and_then(|r| r.formats.first()).map_or("", String::as_str),
                )?,
            };
            a.done()?;
            ReportPort::run(host, inv, request).await
        }
        name if kind == PluginKind::Identity => identity::call(host, inv, name, a).await?,
        name => payment::call(host, inv, name, a).await?,
    })
}
