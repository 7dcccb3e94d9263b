//! What an installation may do: what its manifest declares, narrowed by whoever enables it, with `${config.…}` in host
//! lists resolved from the installation's own config.
//!
//! Private addresses and plain HTTP are never declared by an author: an operator alone opens them, host by host.

mod added;

pub use added::{Added, added, digest_of};

use super::{
    manifest::{EgressKind, Manifest, SecretUses, declared_interfaces},
    port::{Grants, SecretGrant},
};
use crate::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What somebody asks to grant: every member that is left out means "all that is declared".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantRequest {
    /// Host interfaces.
    pub interfaces: Option<Vec<String>>,
    /// Hosts for `http`.
    pub http_hosts: Option<Vec<String>>,
    /// Hosts that may be private or speak plain HTTP. Operators only; empty when left out.
    pub private_hosts: Option<Vec<String>>,
    /// Endpoints for `dial`.
    pub dial_targets: Option<Vec<String>>,
    /// Datasets.
    pub datasets: Option<Vec<String>>,
    /// Use of secrets.
    pub secrets: Option<BTreeMap<String, SecretGrant>>,
    /// Bytes of key-value state.
    pub kv_bytes: Option<u64>,
    /// Keys of key-value state.
    pub kv_keys: Option<u32>,
}

/// Largest key-value space that is granted at all.
const KV_BYTES_CAP: u64 = 16 << 20;
/// Most keys that are granted at all.
const KV_KEYS_CAP: u32 = 100_000;

/// `host:port`, lower case, from `host[:port]` or an `http(s)` URL; `None` when it is neither. Addresses in brackets
/// are IPv6. User info, paths of bare hosts and wildcards are not taken.
#[must_use]
pub fn normal_host(text: &str, default_port: u16) -> Option<String> {
    let text = text.trim();
    let url = if text.contains("://") {
        let url = url::Url::parse(text).ok()?;
        if !matches!(url.scheme(), "http" | "https" | "ldap" | "ldaps") {
            return None;
        }
        url
    } else {
        if text.contains(['/', '?', '#', '@', '\\', '*']) || text.chars().any(char::is_whitespace) {
            return None;
        }
        // A special scheme makes the parser normalise IP addresses and IDNA names.
        url::Url::parse(&format!("http://{text}/")).ok()?
    };
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let host = url.host_str().filter(|h| !h.is_empty() && h.len() <= 253)?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        return None;
    }
    let port = if text.contains("://") {
        url.port_or_known_default().or(match url.scheme() {
            "ldap" => Some(389),
            "ldaps" => Some(636),
            _ => None,
        })?
    } else if explicit_port(text) {
        // The parser drops a port that equals its scheme's default, so 80 is told apart here.
        url.port().unwrap_or(80)
    } else {
        default_port
    };
    Some(format!("{host}:{port}"))
}

fn explicit_port(text: &str) -> bool {
    let after_bracket = text.rsplit_once(']').map_or(text, |(_, rest)| rest);
    after_bracket.contains(':')
}

/// Resolves `${config.a.b}`; a plain entry stands for itself. An absent or empty setting resolves to nothing.
fn resolve(pattern: &str, config: &Value) -> Vec<String> {
    let Some(path) = pattern.strip_prefix("${config.").and_then(|r| r.strip_suffix('}')) else {
        return vec![pattern.to_owned()];
    };
    let mut at = config;
    for member in path.split('.') {
        match at.get(member) {
            Some(v) => at = v,
            None => return Vec::new(),
        }
    }
    match at {
        Value::String(s) if !s.is_empty() => vec![s.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn resolve_all<'a>(patterns: impl Iterator<Item = &'a String>, config: &Value, default_port: u16) -> Vec<String> {
    let mut hosts: Vec<String> = patterns
        .flat_map(|p| resolve(p, config))
        .filter_map(|h| normal_host(&h, default_port))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Everything the manifest declares, for this config. No private hosts.
#[must_use]
pub fn declared(manifest: &Manifest, config: &Value) -> Grants {
    let of_kind = |kind| {
        manifest
            .egress
            .iter()
            .filter(move |e| e.kind == kind)
            .flat_map(|e| e.hosts.iter())
    };
    let secrets: SecretUses = manifest
        .secret
        .iter()
        .map(|s| {
            let grant = SecretGrant {
                uses: s.uses.clone(),
                hosts: resolve_all(s.hosts.iter(), config, 443),
            };
            (s.name.clone(), grant)
        })
        .collect();
    let kv = manifest.grants.kv.as_ref();
    Grants {
        interfaces: declared_interfaces(manifest),
        http_hosts: resolve_all(of_kind(EgressKind::Http), config, 443),
        private_hosts: Vec::new(),
        dial_targets: resolve_all(of_kind(EgressKind::Dial), config, 636),
        datasets: manifest.datasets(),
        secrets,
        kv_bytes: kv.map_or(0, |k| k.bytes.0.min(KV_BYTES_CAP)),
        kv_keys: kv.map_or(0, |k| k.keys.min(KV_KEYS_CAP)),
    }
}

/// Declared ∩ asked for. `operator` says whether the actor may open private hosts.
///
/// # Errors
/// Entries that are not declared, or private hosts asked for by somebody else than an operator; pointers start at `at`.
pub fn narrow(declared: &Grants, asked: &GrantRequest, operator: bool, at: &str) -> Result<Grants, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut granted = declared.clone();
    let mut list = |name: &str, have: &mut Vec<String>, want: Option<&[String]>, port: Option<u16>| {
        if let Some(want) = want {
            keep_wanted(have, want, port, &format!("{at}/{name}"), &mut errors);
        }
    };
    list("interfaces", &mut granted.interfaces, asked.interfaces.as_deref(), None);
    list(
        "http_hosts",
        &mut granted.http_hosts,
        asked.http_hosts.as_deref(),
        Some(443),
    );
    list(
        "dial_targets",
        &mut granted.dial_targets,
        asked.dial_targets.as_deref(),
        Some(636),
    );
    list("datasets", &mut granted.datasets, asked.datasets.as_deref(), None);
    if let Some(want) = &asked.secrets {
        for (name, w) in want {
            let at = format!("{at}/secrets/{name}");
            match granted.secrets.get_mut(name) {
                Some(have) => {
                    keep_wanted(&mut have.uses, &w.uses, None, &format!("{at}/uses"), &mut errors);
                    keep_wanted(
                        &mut have.hosts,
                        &w.hosts,
                        Some(443),
                        &format!("{at}/hosts"),
                        &mut errors,
                    );
                }
                None => errors.push(FieldError::new(
                    at,
                    "not_declared",
                    "the plugin's manifest does not declare this secret",
                )),
            }
        }
        granted.secrets.retain(|name, _| want.contains_key(name));
    }
    granted.kv_bytes = asked.kv_bytes.map_or(granted.kv_bytes, |b| b.min(granted.kv_bytes));
    granted.kv_keys = asked.kv_keys.map_or(granted.kv_keys, |k| k.min(granted.kv_keys));
    let private = asked.private_hosts.as_deref().unwrap_or_default();
    if !private.is_empty() && !operator {
        errors.push(FieldError::new(
            format!("{at}/private_hosts"),
            "operator_only",
            "only an operator may allow private addresses or plain HTTP",
        ));
    } else {
        for (i, p) in private.iter().enumerate() {
            match normal_host(p, 80) {
                Some(h) if granted.http_hosts.contains(&h) || granted.dial_targets.contains(&h) => {
                    granted.private_hosts.push(h);
                }
                _ => errors.push(FieldError::new(
                    format!("{at}/private_hosts/{i}"),
                    "not_declared",
                    format!("{p:?} is not among the hosts granted to this installation"),
                )),
            }
        }
        granted.private_hosts.sort_unstable();
        granted.private_hosts.dedup();
    }
    if errors.is_empty() { Ok(granted) } else { Err(errors) }
}

/// Keeps what is wanted; what is wanted and not there is an error. `port` is given for lists of hosts.
fn keep_wanted(have: &mut Vec<String>, want: &[String], port: Option<u16>, at: &str, errors: &mut Vec<FieldError>) {
    let want: Vec<String> = want
        .iter()
        .map(|w| port.and_then(|p| normal_host(w, p)).unwrap_or_else(|| w.clone()))
        .collect();
    for (i, w) in want.iter().enumerate() {
        if !have.contains(w) {
            errors.push(FieldError::new(
                format!("{at}/{i}"),
                "not_declared",
                format!("the plugin's manifest does not declare {w:?} for this configuration"),
            ));
        }
    }
    have.retain(|h| want.contains(h));
}

/// Carries an installation's choices over to a new declaration (new config or version): what had been left out stays
/// out, private hosts stay as far as they are still reachable.
#[must_use]
pub fn carry_over(old_declared: &Grants, old_granted: &Grants, new_declared: &Grants) -> Grants {
    let keep = |new: &[String], declared: &[String], granted: &[String]| -> Vec<String> {
        new.iter()
            .filter(|n| granted.contains(n) || !declared.contains(n))
            .cloned()
            .collect()
    };
    let http_hosts = keep(
        &new_declared.http_hosts,
        &old_declared.http_hosts,
        &old_granted.http_hosts,
    );
    let dial_targets = keep(
        &new_declared.dial_targets,
        &old_declared.dial_targets,
        &old_granted.dial_targets,
    );
    let secrets = new_declared
        .secrets
        .iter()
        .filter(|(name, _)| old_granted.secrets.contains_key(*name) || !old_declared.secrets.contains_key(*name))
        .map(|(name, grant)| {
            let had = old_granted.secrets.get(name).cloned().unwrap_or_default();
            let was = old_declared.secrets.get(name).cloned().unwrap_or_default();
            let grant = SecretGrant {
                uses: keep(&grant.uses, &was.uses, &had.uses),
                hosts: keep(&grant.hosts, &was.hosts, &had.hosts),
            };
            (name.clone(), grant)
        })
        .collect();
    let number = |new: u64, declared: u64, granted: u64| if granted < declared { new.min(granted) } else { new };
    Grants {
        interfaces: keep(
            &new_declared.interfaces,
            &old_declared.interfaces,
            &old_granted.interfaces,
        ),
        private_hosts: old_granted
            .private_hosts
            .iter()
            .filter(|h| http_hosts.contains(h) || dial_targets.contains(h))
            .cloned()
            .collect(),
        http_hosts,
        dial_targets,
        datasets: keep(&new_declared.datasets, &old_declared.datasets, &old_granted.datasets),
        secrets,
        kv_bytes: number(new_declared.kv_bytes, old_declared.kv_bytes, old_granted.kv_bytes),
        kv_keys: u32::try_from(number(
            new_declared.kv_keys.into(),
            old_declared.kv_keys.into(),
            old_granted.kv_keys.into(),
        ))
        .unwrap_or(new_declared.kv_keys),
    }
}

/// Cuts stored grants down to a declaration.
#[must_use]
pub fn within(mut granted: Grants, declared: &Grants) -> Grants {
    let cut = |have: &mut Vec<String>, may: &[String]| have.retain(|h| may.contains(h));
    cut(&mut granted.interfaces, &declared.interfaces);
    cut(&mut granted.http_hosts, &declared.http_hosts);
    cut(&mut granted.dial_targets, &declared.dial_targets);
    cut(&mut granted.datasets, &declared.datasets);
    granted
        .private_hosts
        .retain(|h| granted.http_hosts.contains(h) || granted.dial_targets.contains(h));
    granted.secrets.retain(|name, grant| {
        declared.secrets.get(name).is_some_and(|d| {
            cut(&mut grant.uses, &d.uses);
            cut(&mut grant.hosts, &d.hosts);
            true
        })
    });
    granted.kv_bytes = granted.kv_bytes.min(declared.kv_bytes);
    granted.kv_keys = granted.kv_keys.min(declared.kv_keys);
    granted
}

/// What calls in flight keep when an installation's grants become `after`: never more than they had.
#[must_use]
pub fn kept(before: &Grants, after: &Grants) -> Grants {
    let mut kept = within(before.clone(), after);
    kept.private_hosts.retain(|h| after.private_hosts.contains(h));
    kept
}
