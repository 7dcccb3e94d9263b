//! What a component is and what it asks for, without running it.

use crate::{Error, Finding};
use aistack_domain::plugins::{
    manifest::{self, EgressKind, Manifest},
    port::Inspection,
};
use aistack_plugins::Anatomy;
use serde::Serialize;
use serde_json::{Value, json};

/// Largest component this host takes; the same as the runtime's own default.
pub const MAX_COMPONENT: u64 = 16 << 20;

/// A component in figures and names.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The plugin's id, from the manifest.
    pub id: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `identity`, `payment` or `report`; none when no host would take it.
    pub kind: Option<String>,
    /// The contract version it was built for.
    pub contract: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file: `sha256:…`.
    pub digest: String,
    /// SHA-256 without signatures: what signatures are about.
    pub payload_digest: String,
    /// Who says to have signed it; nothing of it is verified here.
    pub signatures: Vec<Signature>,
    /// Interfaces it imports, with the functions of each that it uses.
    pub imports: Vec<Interface>,
    /// Interfaces it exports.
    pub exports: Vec<Interface>,
    /// What somebody has to grant before it runs.
    pub needs: Value,
    /// The embedded manifest, as JSON.
    pub manifest: Value,
    /// Why a host would refuse it.
    pub refused: Option<String>,
    /// Everything that is wrong with the embedded manifest.
    pub findings: Vec<Finding>,
}

/// A signature as found.
#[derive(Debug, Clone, Serialize)]
pub struct Signature {
    /// Who claims it.
    pub publisher: String,
    /// With which key.
    pub key_id: String,
}

/// An interface.
#[derive(Debug, Clone, Serialize)]
pub struct Interface {
    /// Its full name.
    pub name: String,
    /// Its functions.
    pub functions: Vec<String>,
}

impl Report {
    /// Looks at a component.
    ///
    /// # Errors
    /// When it is no valid component at all.
    pub fn of(bytes: &[u8]) -> Result<Self, Error> {
        let inside = aistack_plugins::dissect(bytes)?;
        let taken = aistack_plugins::inspect(bytes, MAX_COMPONENT);
        let text = inside.manifest.as_deref().and_then(|m| std::str::from_utf8(m).ok());
        let read = text.map(manifest::lint);
        let (manifest, findings) = match (read, text) {
            (Some(Ok(m)), _) => (Some(m), Vec::new()),
            (Some(Err(found)), Some(text)) => (None, crate::lint::manifest_findings(text, found)),
            _ => (None, Vec::new()),
        };
        let needs = manifest.as_ref().map_or(Value::Null, |m| needs(m, taken.as_ref().ok()));
        Ok(Self {
            id: manifest.as_ref().map(|m| m.id.clone()),
            version: manifest.as_ref().map(|m| m.version.to_string()),
            kind: taken.as_ref().ok().map(|i| i.kind.to_string()),
            contract: taken.as_ref().ok().map(|i| i.contract.clone()),
            size: bytes.len() as u64,
            digest: format!("sha256:{}", inside.digest),
            payload_digest: format!("sha256:{}", hex::encode(inside.payload_sha256)),
            signatures: signatures(&inside),
            imports: interfaces(&inside.imports),
            exports: interfaces(&inside.exports),
            needs,
            manifest: text.and_then(|t| toml::from_str::<Value>(t).ok()).unwrap_or_default(),
            refused: taken.err().map(|r| r.to_string()),
            findings,
        })
    }

    /// The host interfaces it calls, short: `http`, `crypto`, …
    #[must_use]
    pub fn host_imports(&self) -> Vec<&str> {
        let short = |i: &'_ Interface| -> Option<usize> {
            i.name.find("aistack:host/").or_else(|| i.name.find("aistack:report/"))
        };
        let named = self
            .imports
            .iter()
            .filter(|i| !i.functions.is_empty() && short(i).is_some());
        named
            .filter_map(|i| i.name.split('@').next()?.rsplit('/').next())
            .collect()
    }
}

fn signatures(inside: &Anatomy) -> Vec<Signature> {
    let one = |s: &aistack_domain::plugins::port::SignatureBlock| Signature {
        publisher: s.publisher.clone(),
        key_id: s.key_id.clone(),
    };
    inside.signatures.iter().map(one).collect()
}

fn interfaces(of: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>) -> Vec<Interface> {
    let one = |(name, functions): (&String, &std::collections::BTreeMap<String, String>)| Interface {
        name: name.clone(),
        functions: functions.keys().cloned().collect(),
    };
    of.iter().map(one).collect()
}

/// What an administrator is asked to grant.
fn needs(m: &Manifest, taken: Option<&Inspection>) -> Value {
    let hosts = |kind: EgressKind| -> Vec<&String> {
        m.egress
            .iter()
            .filter(|e| e.kind == kind)
            .flat_map(|e| &e.hosts)
            .collect()
    };
    let secrets: Vec<Value> = m
        .secret
        .iter()
        .map(|s| json!({ "name": s.name, "uses": s.uses, "hosts": s.hosts, "required": s.required }))
        .collect();
    json!({
        "interfaces": taken.map(|i| i.imports.clone()),
        "http_hosts": hosts(EgressKind::Http),
        "dial_targets": hosts(EgressKind::Dial),
        "secrets": secrets,
        "datasets": m.datasets(),
        "kv": m.grants.kv.as_ref().map(|k| json!({ "bytes": k.bytes.0, "keys": k.keys })),
        "endpoints": m.endpoint.iter().map(|e| e.name.clone()).collect::<Vec<_>>(),
        "jobs": m.job.iter().map(|j| j.name.clone()).collect::<Vec<_>>(),
    })
}
