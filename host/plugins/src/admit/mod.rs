//! Whether a component may be run at all: its structure, world, version, imports and what is embedded in it. Nothing
//! is compiled or run for that.

mod anatomy;
mod exports;
mod imports;
mod signatures;
mod structure;

use aistack_domain::plugins::port::{Inspection, PluginKind, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use anatomy::{Anatomy, dissect};
pub(crate) use imports::NotGranted;

/// What is known of an admitted component.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) inspection: Inspection,
    pub(crate) linked: Linked,
}

/// What calls need to know of it; kept beside the compiled form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Linked {
    pub(crate) kind: PluginKind,
    /// Host interfaces it calls functions of: what has to be granted.
    pub(crate) needs: BTreeSet<String>,
    /// Host interfaces it imports in any way, types included: what has to be linked.
    pub(crate) links: BTreeSet<String>,
}

impl Linked {
    /// As it is kept.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // A struct of strings: it can't fail. An empty text would not be read again, and the component compiled anew.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// SHA-256 of a component, lower-case hex.
pub(crate) fn digest(component: &[u8]) -> String {
    hex::encode(sha256(component))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    out
}

/// Whether this host would take a component, short of compiling it, and what it then is.
///
/// # Errors
/// As `PluginRuntime::admit`, for what shows without compiling.
pub fn inspect(component: &[u8], max: u64) -> Result<Inspection, Refusal> {
    read(component, max).map(|facts| facts.inspection)
}

/// Reads a component. The manifest may be absent for components that were admitted by an earlier host; admitting asks
/// for it.
pub(crate) fn read(component: &[u8], max: u64) -> Result<Facts, Refusal> {
    let size = component.len() as u64;
    if size > max {
        return Err(Refusal::TooLarge { size, max });
    }
    let shape = structure::read(component)?;
    let (signatures, payload) = signatures::read(component)?;
    let (kind, exported) = exports::world(&shape)?;
    let imported = imports::check(&shape, kind)?;
    let manifest = shape
        .manifest
        .ok_or_else(|| Refusal::Manifest("the component has no section aistack:manifest".to_owned()))?;
    let manifest = text(manifest, "aistack:manifest")?;
    let config_schema = match shape.config_schema {
        None => "{}".to_owned(),
        Some(bytes) => {
            let schema = text(bytes, "aistack:config-schema")?;
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&schema)
                .map_err(|e| Refusal::Manifest(format!("aistack:config-schema is not a JSON object: {e}")))?;
            schema
        }
    };
    let contract = imported.version.map_or(exported.clone(), |v| v.max(exported));
    Ok(Facts {
        inspection: Inspection {
            digest: digest(component),
            kind,
            contract: contract.to_string(),
            manifest,
            config_schema,
            imports: imported.needs.iter().map(|s| (*s).to_owned()).collect(),
            size,
            payload_sha256: sha256(&component[..payload]),
            payload_size: payload as u64,
            signatures,
        },
        linked: Linked {
            kind,
            needs: imported.needs.into_iter().map(str::to_owned).collect(),
            links: imported.links.into_iter().map(str::to_owned).collect(),
        },
    })
}

fn text(bytes: Vec<u8>, section: &str) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| Refusal::Manifest(format!("section {section} is not UTF-8")))
}
