//! The grants of a manifest, enforced as the host enforces them.

use crate::manifest::Manifest;
use aistack_sdk::Fault;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Grants {
    interfaces: BTreeSet<String>,
    hosts: BTreeSet<String>,
    secrets: BTreeMap<String, (Vec<String>, BTreeSet<String>)>,
    datasets: BTreeSet<String>,
}

impl Grants {
    pub(super) fn of(manifest: &Manifest, config: &Value) -> Self {
        let resolve = |hosts: &[String]| hosts.iter().flat_map(|h| resolve(h, config)).collect::<BTreeSet<_>>();
        Self {
            interfaces: manifest.interfaces(),
            hosts: manifest
                .egress
                .iter()
                .filter(|e| e.kind == "http")
                .flat_map(|e| resolve(&e.hosts))
                .collect(),
            secrets: manifest
                .secret
                .iter()
                .map(|s| (s.name.clone(), (s.uses.clone(), resolve(&s.hosts))))
                .collect(),
            datasets: manifest
                .report
                .iter()
                .flat_map(|r| r.datasets.iter().cloned())
                .collect(),
        }
    }

    /// A component that imports an interface it was not granted is not even linked.
    pub(super) fn interface(&self, name: &str) -> Result<(), Fault> {
        if self.interfaces.contains(name) {
            return Ok(());
        }
        Err(Fault::denied(
            "interface_not_granted",
            format!("the manifest does not ask for {name}"),
        ))
    }

    pub(super) fn reach(&self, url: &str) -> Result<(), Fault> {
        let authority = authority(url).ok_or_else(|| Fault::invalid_input("not_a_url", format!("not a URL: {url}")))?;
        if self.hosts.contains(&authority) {
            return Ok(());
        }
        Err(Fault::denied(
            "host_not_granted",
            format!("{authority} is not among the granted hosts"),
        ))
    }

    pub(super) fn secret_use(&self, name: &str, usage: &str) -> Result<(), Fault> {
        if self
            .secrets
            .get(name)
            .is_some_and(|(uses, _)| uses.iter().any(|u| u == usage))
        {
            return Ok(());
        }
        Err(Fault::denied(
            "use_not_granted",
            format!("secret {name} may not be used as {usage}"),
        ))
    }

    pub(super) fn secret_host(&self, name: &str, url: &str) -> Result<(), Fault> {
        let bound = authority(url).is_some_and(|a| self.secrets.get(name).is_some_and(|(_, hosts)| hosts.contains(&a)));
        if bound {
            return Ok(());
        }
        Err(Fault::denied(
            "secret_not_bound",
            format!("secret {name} is not bound to the host of {url}"),
        ))
    }

    pub(super) fn dataset(&self, name: &str) -> Result<(), Fault> {
        if self.datasets.contains(name) {
            return Ok(());
        }
        Err(Fault::denied(
            "dataset_not_granted",
            format!("dataset {name} is not granted"),
        ))
    }
}

/// `host:port` of a URL, lower case, with the scheme's default port.
fn authority(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    Some(with_port(&authority, port))
}

fn with_port(authority: &str, default: u16) -> String {
    if authority.contains(':') {
        authority.into()
    } else {
        format!("{authority}:{default}")
    }
}

/// A host entry, `${config.<field>}` replaced by the field's host, or hosts when it is a list. A field may hold a host,
/// `host:port`, or a URL. Nothing when it is absent.
fn resolve(entry: &str, config: &Value) -> Vec<String> {
    let Some(field) = entry.strip_prefix("${config.").and_then(|e| e.strip_suffix('}')) else {
        return vec![with_port(&entry.to_ascii_lowercase(), 443)];
    };
    let host = |text: &str| match authority(text) {
        Some(authority) => authority,
        None => with_port(&text.to_ascii_lowercase(), 443),
    };
    match &config[field] {
        Value::String(text) if !text.is_empty() => vec![host(text)],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(host).collect(),
        _ => Vec::new(),
    }
}
