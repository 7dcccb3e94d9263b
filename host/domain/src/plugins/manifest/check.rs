//! Reading a manifest and checking that it says something the platform can hold it to.

use super::{
    EgressKind, FailurePolicy, LocalText, Manifest, SecretKind,
    lint::{Lines, lint},
};
use crate::{FieldError, plugins::port::PluginKind};
use std::{collections::BTreeSet, time::Duration};

/// The least time between two runs of a job.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);

/// Why a manifest is not accepted; the text is for the plugin's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(pub String);

/// Reads and checks a manifest.
///
/// # Errors
/// The first thing that is wrong with it, in one sentence; [`super::lint`] says all of them.
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    lint(text).map_err(|found| ManifestError(found.into_iter().next().map(|f| f.message).unwrap_or_default()))
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

/// Collects findings with their lines.
struct Found<'a> {
    all: Vec<FieldError>,
    lines: &'a Lines<'a>,
}

impl Found<'_> {
    fn say(&mut self, pointer: impl Into<String>, code: &str, message: impl Into<String>, hint: &str) {
        let pointer = pointer.into();
        let line = self.lines.of(&pointer);
        let mut e = FieldError::new(pointer, code, message).at_line(line);
        if !hint.is_empty() {
            e = e.hint(hint);
        }
        self.all.push(e);
    }

    fn names<'n>(&mut self, what: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for (i, n) in names.enumerate() {
            let at = format!("/{what}/{i}/name");
            if !is_name(n) {
                self.say(
                    at,
                    "format",
                    format!("{what} name {n:?} is not lower-case letters, digits, - and _"),
                    "begin with a letter; at most 64 characters",
                );
            } else if !seen.insert(n) {
                self.say(
                    at,
                    "duplicate",
                    format!("{what} {n:?} is declared twice"),
                    "give it another name",
                );
            }
        }
    }

    fn hosts(&mut self, at: &str, hosts: &[String]) {
        for (i, h) in hosts.iter().enumerate() {
            if !is_host_pattern(h) {
                self.say(
                    format!("{at}/{i}"),
                    "format",
                    format!("{h:?} is neither host[:port] nor ${{config.<member>}}"),
                    "name the host alone, e.g. api.example.com:443; no paths and no wildcards",
                );
            }
        }
    }
}

/// Everything a well-formed manifest says that the platform can't hold it to.
pub(super) fn check(m: &Manifest, lines: &Lines<'_>) -> Vec<FieldError> {
    let mut f = Found { all: Vec::new(), lines };
    if !is_plugin_id(&m.id) {
        f.say(
            "/id",
            "format",
            format!("id {:?} is not dotted lower-case names such as acme.alipay", m.id),
            "two to five names joined by dots, the publisher's first",
        );
    }
    let kind = m.kind();
    if kind.is_none() {
        f.say(
            "/world",
            "not_allowed",
            format!("world {:?} is not one of this platform", m.world),
            "one of aistack:identity/identity-provider@1.0, aistack:payment/payment-provider@1.0, \
             aistack:report/report-generator@1.0",
        );
    }
    if m.publisher.trim().is_empty() || m.publisher.len() > 128 || m.publisher.chars().any(char::is_control) {
        f.say(
            "/publisher",
            "format",
            "publisher is empty or too long",
            "1 to 128 characters",
        );
    }
    for (at, text) in [("/name", Some(&m.name)), ("/description", m.description.as_ref())] {
        if !text.is_none_or(text_ok) {
            f.say(
                at,
                "format",
                "name or description is empty, too long, or has control characters",
                "write it as { en = \"…\", zh-CN = \"…\" }, at most 2000 bytes each",
            );
        }
    }
    if let Some(v) = &m.min_host
        && min_host(v).is_none()
    {
        f.say(
            "/min-host",
            "format",
            format!("min-host {v:?} is not major.minor"),
            "e.g. \"0.1\"",
        );
    }
    f.names("secret", m.secret.iter().map(|s| s.name.as_str()));
    f.names("endpoint", m.endpoint.iter().map(|e| e.name.as_str()));
    f.names("job", m.job.iter().map(|j| j.name.as_str()));
    f.names("report", m.report.iter().map(|r| r.name.as_str()));
    for (i, e) in m.egress.iter().enumerate() {
        if e.hosts.is_empty() {
            f.say(
                format!("/egress/{i}/hosts"),
                "too_short",
                "an [[egress]] names no hosts",
                "name one, or take it out",
            );
        }
        f.hosts(&format!("/egress/{i}/hosts"), &e.hosts);
    }
    for (i, s) in m.secret.iter().enumerate() {
        f.hosts(&format!("/secret/{i}/hosts"), &s.hosts);
        if SecretKind::of(&s.kind).is_none() {
            f.say(
                format!("/secret/{i}/kind"),
                "not_allowed",
                format!(
                    "secret {:?} is of a kind this platform does not know: {:?}",
                    s.name, s.kind
                ),
                "one of text, password, hmac, private-key, rsa-private, ec-private, certificate",
            );
        }
        let unreadable = |u: &String| u.is_empty() || u.len() > 64 || u.chars().any(|c| c.is_control() || c == ' ');
        if s.uses.iter().any(unreadable) {
            f.say(
                format!("/secret/{i}/use"),
                "format",
                format!("secret {:?} has an unreadable use", s.name),
                "e.g. mac:HS256, sign:RS256, http:bearer, reveal",
            );
        }
    }
    if m.failure.policy == FailurePolicy::Skip && matches!(kind, Some(PluginKind::Identity | PluginKind::Payment)) {
        f.say(
            "/failure/policy",
            "not_allowed",
            "nobody signs in or pays without the plugin: only a report may be skipped",
            "policy = \"closed\", or leave it out",
        );
    }
    for (i, j) in m.job.iter().enumerate() {
        if kind == Some(PluginKind::Report) {
            f.say(
                format!("/job/{i}"),
                "not_allowed",
                "a report plugin has no jobs",
                "take it out; reports are asked for",
            );
        }
        if j.every.0 < SHORTEST_INTERVAL {
            f.say(
                format!("/job/{i}/every"),
                "too_short",
                format!("job {:?} wants to run more often than once a minute", j.name),
                "at least \"1m\"",
            );
        }
    }
    for (i, e) in m.endpoint.iter().enumerate() {
        let known = ["GET", "POST", "PUT"];
        if e.methods.is_empty() || e.methods.iter().any(|x| !known.contains(&x.as_str())) {
            f.say(
                format!("/endpoint/{i}/methods"),
                "not_allowed",
                format!("endpoint {:?} takes methods other than GET, POST, PUT", e.name),
                "any of GET, POST, PUT",
            );
        }
        if e.max_body.0 > 1 << 20 {
            f.say(
                format!("/endpoint/{i}/max-body"),
                "too_large",
                format!("endpoint {:?} asks for bodies over 1 MiB", e.name),
                "at most 1MiB",
            );
        }
    }
    match (kind, m.report.is_empty()) {
        (Some(PluginKind::Report), true) => f.say(
            "/report",
            "required",
            "a report plugin declares at least one [[report]]",
            "add [[report]] with name, title and formats",
        ),
        (Some(PluginKind::Identity | PluginKind::Payment), false) => f.say(
            "/report",
            "not_allowed",
            "only a report plugin declares [[report]]",
            "take it out, or build for the report world",
        ),
        _ => {}
    }
    for (i, r) in m.report.iter().enumerate() {
        if r.formats.is_empty() || r.formats.iter().any(|f| !is_name(f)) || !text_ok(&r.title) {
            f.say(
                format!("/report/{i}"),
                "format",
                format!("report {:?} has no formats or no title", r.name),
                "formats = [\"csv\"], title = { en = \"…\" }",
            );
        }
        if let Err(e) = crate::plugins::schema::Schema::compile(&r.params) {
            f.say(
                format!("/report/{i}/params"),
                "schema",
                format!("params of report {:?}: {e}", r.name),
                "params is a JSON Schema of an object",
            );
        }
    }
    f.all
}

/// `major.minor` of a host; a third number says nothing, because a host's patches change no behaviour.
#[must_use]
pub fn min_host(text: &str) -> Option<(u64, u64)> {
    let numbers: Option<Vec<u64>> = text.split('.').map(|n| n.parse().ok()).collect();
    match numbers?.as_slice() {
        [major, minor] | [major, minor, _] => Some((*major, *minor)),
        _ => None,
    }
}

fn is_host_pattern(h: &str) -> bool {
    let reference = h
        .strip_prefix("${config.")
        .and_then(|r| r.strip_suffix('}'))
        .is_some_and(|path| !path.is_empty() && path.split('.').all(|p| !p.is_empty()));
    reference || crate::plugins::grants::normal_host(h, 443).is_some()
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
