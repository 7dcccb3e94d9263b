//! Documents that plugins publish to anybody: metadata of a service provider, files that prove a domain.

use super::{
    calls,
    error::{Doing, clean, fault_problem},
    manifest::CallClass,
    port::{Document, FaultKind},
};
use crate::{App, Problem, TenantCtx};
use aistack_core::InstallationId;
use serde_json::json;

/// Longest name.
const MAX_NAME: usize = 200;
/// Longest time a document may be cached, seconds.
const MAX_AGE: u32 = 86_400;
/// Types that a browser shows or saves and never runs.
const SAFE: &[&str] = &[
    "text/plain",
    "text/csv",
    "application/json",
    "application/xml",
    "text/xml",
    "application/samlmetadata+xml",
    "application/pdf",
    "application/pkix-cert",
    "application/x-pem-file",
    "application/jwk-set+json",
    "image/png",
    "image/jpeg",
];

/// A document of an installation. What it says of itself is held to what is safe to hand to a browser: any other type is
/// bytes.
///
/// # Errors
/// `not_found` also for an installation that is switched off or a name that can't be one; `rate_limited`,
/// `plugin_unavailable`, `plugin_failed`, or as the stores.
pub async fn document(app: &App, t: &TenantCtx, id: InstallationId, name: &str) -> Result<Document, Problem> {
    let nothing = || Problem::not_found("document");
    if name.is_empty() || name.len() > MAX_NAME || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return Err(nothing());
    }
    let row = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    if row.is_none_or(|r| r.status != aistack_store::InstallationStatus::Active) {
        return Err(nothing());
    }
    let loaded = calls::load(app, t, id, None).await?;
    let inv = calls::invocation(app, t, &loaded, CallClass::Ordinary, json!({}));
    let found = match app.runtime.document(inv, name).await {
        Ok(found) => found,
        Err(f) if matches!(f.kind, FaultKind::NotFound | FaultKind::Unsupported) && f.code != "not_loaded" => {
            return Err(nothing());
        }
        Err(f) => return Err(fault_problem(&f, Doing::Other)),
    };
    let (essence, charset) = match found.media_type.split_once(';') {
        Some((essence, rest)) => (essence, rest.trim().eq_ignore_ascii_case("charset=utf-8")),
        None => (found.media_type.as_str(), false),
    };
    let essence = clean(essence, 100).to_ascii_lowercase();
    let media_type = match (SAFE.contains(&essence.as_str()), charset) {
        (true, true) => format!("{essence}; charset=utf-8"),
        (true, false) => essence,
        (false, _) => "application/octet-stream".to_owned(),
    };
    Ok(Document {
        media_type,
        max_age_s: found.max_age_s.min(MAX_AGE),
        ..found
    })
}
