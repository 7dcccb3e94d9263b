//! How a component lies in a registry: the image manifest and the config beside it, as `wkg` writes and reads them.

use aistack_core::Timestamp;
use aistack_domain::port::RegistryError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

/// Media type of the manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of the config.
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Media type of the one layer.
pub(super) const LAYER: &str = "application/wasm";

/// A reference from a manifest to content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: sha256(bytes),
            size: bytes.len() as u64,
        }
    }
}

/// The image manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u32,
    #[serde(default)]
    pub(super) media_type: Option<String>,
    pub(super) config: Descriptor,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
}

/// The config: what a component imports and exports, so that registries and tools can say it without the component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    pub(super) created: String,
    pub(super) architecture: String,
    pub(super) os: String,
    pub(super) layer_digests: Vec<String>,
    pub(super) component: Shape,
}

/// A component's outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
    pub(super) target: Option<String>,
}

/// `sha256:<hex>` of bytes.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

impl Manifest {
    /// Reads a manifest and says which layer is the component.
    pub(super) fn component(bytes: &[u8]) -> Result<Descriptor, RegistryError> {
        let no = |why: String| RegistryError::Layout(format!("it is no component as wkg lays it out: {why}"));
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| no(e.to_string()))?;
        if manifest.schema_version != 2 || manifest.media_type.as_deref().is_some_and(|m| m != MANIFEST) {
            return Err(no(
                "it is no image manifest (an index of several images is not taken)".to_owned()
            ));
        }
        if manifest.config.media_type != CONFIG {
            return Err(no(format!(
                "its config is {:?}, not {CONFIG}",
                manifest.config.media_type
            )));
        }
        match <[Descriptor; 1]>::try_from(manifest.layers) {
            Ok([layer]) if layer.media_type == LAYER => Ok(layer),
            Ok([layer]) => Err(no(format!("its layer is {:?}, not {LAYER}", layer.media_type))),
            Err(layers) => Err(no(format!("it has {} layers, not one", layers.len()))),
        }
    }
}

/// Manifest and config for a component.
pub(super) fn lay_out(component: &[u8], created: Timestamp) -> Result<(Vec<u8>, Vec<u8>), RegistryError> {
    let layer = Descriptor::of(LAYER, component);
    let config = Config {
        created: created.to_string(),
        architecture: "wasm".to_owned(),
        os: "wasip2".to_owned(),
        layer_digests: vec![layer.digest.clone()],
        component: shape(component)?,
    };
    let json = |e: serde_json::Error| RegistryError::Layout(e.to_string());
    let config = serde_json::to_vec(&config).map_err(json)?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.to_owned()),
        config: Descriptor::of(CONFIG, &config),
        layers: vec![layer],
    };
    Ok((serde_json::to_vec(&manifest).map_err(json)?, config))
}

/// Names of what the outermost component imports and exports.
fn shape(component: &[u8]) -> Result<Shape, RegistryError> {
    let no = |e: wasmparser::BinaryReaderError| RegistryError::Layout(format!("it is no WebAssembly component: {e}"));
    if !Parser::is_component(component) {
        return Err(RegistryError::Layout("it is no WebAssembly component".to_owned()));
    }
    let mut shape = Shape {
        exports: Vec::new(),
        imports: Vec::new(),
        target: None,
    };
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(no)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    shape.imports.push(import.map_err(no)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    shape.exports.push(export.map_err(no)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(shape)
}
