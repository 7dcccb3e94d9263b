//! Reading a manifest and checking that it says something the platform can hold it to.

use super::{EgressKind, LocalText, Manifest};
use crate::plugins::port::PluginKind;
use std::collections::BTreeSet;

/// Why a manifest is not accepted; the text is for the plugin's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(pub String);

/// Reads and checks a manifest.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    if text.len() > 256 << 10 {
        return Err(ManifestError("the manifest is larger than 256 KiB".to_owned()));
    }
    let manifest: Manifest = toml::from_str(text).map_err(|e| ManifestError(e.message().to_owned()))?;
    check(&manifest)?;
    Ok(manifest)
}

/// A name that stands in URLs, keys and reports: lower-case letters, digits, `-`, `_`; a letter first.
fn is_name(s: &str) -> bool {
    (1..=64).contains(&s.len())
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && s.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Two to five names joined by dots.
fn is_plugin_id(s: &str) -> bool {
    s.len() <= 128 && (2..=5).contains(&s.split('.').count()) && s.split('.').all(is_name)
}

fn text_ok(t: &LocalText) -> bool {
    let fine = |s: &str| !s.trim().is_empty() && s.len() <= 2_000 && !s.chars().any(char::is_control);
    fine(&t.en) && t.zh_cn.as_deref().is_none_or(fine)
}

fn check(m: &Manifest) -> Result<(), ManifestError> {
    let fail = |why: String| Err(ManifestError(why));
    if !is_plugin_id(&m.id) {
        return fail(format!(
            "id {:?} is not dotted lower-case names such as acme.alipay",
            m.id
        ));
    }
    let Some(kind) = m.kind() else {
        return fail(format!("world {:?} is not one of this platform", m.world));
    };
    if m.publisher.trim().is_empty() || m.publisher.len() > 128 || m.publisher.chars().any(char::is_control) {
        return fail("publisher is empty or too long".to_owned());
    }
    if !text_ok(&m.name) || !m.description.as_ref().is_none_or(text_ok) {
        return fail("name or description is empty, too long, or has control characters".to_owned());
    }
    unique("secret", m.secret.iter().map(|s| s.name.as_str()))?;
    unique("endpoint", m.endpoint.iter().map(|e| e.name.as_str()))?;
    unique("job", m.job.iter().map(|j| j.name.as_str()))?;
    unique("report", m.report.iter().map(|r| r.name.as_str()))?;
    for e in &m.egress {
        if e.hosts.is_empty() {
            return fail("an [[egress]] names no hosts".to_owned());
        }
        for h in &e.hosts {
            host_pattern(h)?;
        }
    }
    for s in &m.secret {
        for h in &s.hosts {
            host_pattern(h)?;
        }
        if s.uses
            .iter()
            .any(|u| u.is_empty() || u.len() > 64 || u.chars().any(|c| c.is_control() || c == ' '))
        {
            return fail(format!("secret {:?} has an unreadable use", s.name));
        }
    }
    for e in &m.endpoint {
        let known = ["GET", "POST", "PUT"];
        if e.methods.is_empty() || e.methods.iter().any(|x| !known.contains(&x.as_str())) {
            return fail(format!("endpoint {:?} takes methods other than GET, POST, PUT", e.name));
        }
        if e.max_body.0 > 1 << 20 {
            return fail(format!("endpoint {:?} asks for bodies over 1 MiB", e.name));
        }
    }
    if (kind == PluginKind::Report) == m.report.is_empty() {
        return fail(match kind {
            PluginKind::Report => "a report plugin declares at least one [[report]]".to_owned(),
            PluginKind::Identity | PluginKind::Payment => "only a report plugin declares [[report]]".to_owned(),
        });
    }
    for r in &m.report {
        if r.formats.is_empty() || r.formats.iter().any(|f| !is_name(f)) || !text_ok(&r.title) {
            return fail(format!("report {:?} has no formats or no title", r.name));
        }
        crate::plugins::schema::Schema::compile(&r.params)
            .map_err(|e| ManifestError(format!("params of report {:?}: {e}", r.name)))?;
    }
    Ok(())
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ManifestError> {
    let mut seen = BTreeSet::new();
    for n in names {
        if !is_name(n) {
            return Err(ManifestError(format!(
                "{what} name {n:?} is not lower-case letters, digits, - and _"
            )));
        }
        if !seen.insert(n) {
            return Err(ManifestError(format!("{what} {n:?} is declared twice")));
        }
    }
    Ok(())
}

fn host_pattern(h: &str) -> Result<(), ManifestError> {
    let reference = h
        .strip_prefix("${config.")
        .and_then(|r| r.strip_suffix('}'))
        .is_some_and(|path| !path.is_empty() && path.split('.').all(|p| !p.is_empty()));
    if reference || crate::plugins::grants::normal_host(h, 443).is_some() {
        Ok(())
    } else {
        Err(ManifestError(format!(
            "{h:?} is neither host[:port] nor ${{config.<member>}}"
        )))
    }
}

/// The host interfaces a manifest's declarations amount to. Logging, config, time, randomness and plain cryptography
/// reach nothing outside the call; everything else has to be declared.
#[must_use]
pub fn declared_interfaces(m: &Manifest) -> Vec<String> {
    let egress = |kind| m.egress.iter().any(|e| e.kind == kind);
    let declared = |name: &str| match name {
        "log" | "config" | "clock" | "random" | "crypto" => true,
        "kv" => m.grants.kv.is_some(),
        "secrets" => !m.secret.is_empty(),
        "reveal" => m.secret.iter().any(|s| s.uses.iter().any(|u| u == "reveal")),
        // A download is a request whose answer goes to a file: the same hosts, the same permission.
        "http" | "download" => egress(EgressKind::Http),
        "dial" => egress(EgressKind::Dial),
        "blob" => m.grants.blob || !m.report.is_empty(),
        "datasets" => !m.datasets().is_empty(),
        _ => false,
    };
    super::INTERFACES
        .iter()
        .filter(|n| declared(n))
        .map(|n| (*n).to_owned())
        .collect()
}
