//! The console's files, embedded when the binary was built. A build without them serves a page that says so.

use aistack_http::{Asset, Assets};
use bytes::Bytes;
use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
struct Files;

/// The embedded console.
#[derive(Debug, Clone, Copy)]
pub struct Console;

impl Assets for Console {
    fn get(&self, path: &str) -> Option<Asset> {
        let file = Files::get(path)?;
        let digest = file.metadata.sha256_hash().iter().map(|b| format!("{b:02x}")).collect();
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some(Asset { bytes, digest })
    }
}
