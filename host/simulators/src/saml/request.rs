//! What service providers send: requests by redirect and form, and their metadata.

use crate::wire::{Call, Fields};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use std::io::Read as _;

/// Largest message that is unpacked.
const MOST_BYTES: u64 = 256 * 1024;
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

/// A request that was understood.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// `AuthnRequest` or `LogoutRequest`.
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) acs: Option<String>,
    pub(super) name_format: Option<String>,
    pub(super) passive: bool,
}

/// A service provider that made itself known.
#[derive(Debug, Clone)]
pub(super) struct ServiceProvider {
    pub(super) entity: String,
    pub(super) acs: String,
    pub(super) slo: Option<String>,
}

/// Reads `SAMLRequest` from query or form.
pub(super) fn read(call: &Call, fields: &Fields) -> Result<Request, &'static str> {
    let text = fields.get("SAMLRequest");
    let packed = STANDARD
        .decode(text.replace(['\r', '\n', ' '], ""))
        .map_err(|_| "SAMLRequest is not base64")?;
    let mut xml = Vec::new();
    // By redirect it is deflated, by form it is not. A posted form that carries on a redirect's query still is.
    if call.method == http::Method::GET || call.query.contains("SAMLRequest=") {
        flate2::read::DeflateDecoder::new(&packed[..])
            .take(MOST_BYTES)
            .read_to_end(&mut xml)
            .map_err(|_| "SAMLRequest is not deflated")?;
    } else {
        xml = packed;
    }
    let xml = String::from_utf8(xml).map_err(|_| "SAMLRequest is not UTF-8")?;
    let document = Document::parse(&xml).map_err(|_| "SAMLRequest is not XML")?;
    let root = document.root_element();
    if root.tag_name().namespace() != Some(PROTOCOL) || root.attribute("Version") != Some("2.0") {
        return Err("SAMLRequest is not SAML 2.0");
    }
    let child = |namespace: &str, name: &str| root.children().find(|n| n.has_tag_name((namespace, name)));
    let issuer = child(ASSERTION, "Issuer")
        .and_then(|n| n.text())
        .unwrap_or_default()
        .trim();
    let id = root.attribute("ID").unwrap_or_default();
    if issuer.is_empty() || id.is_empty() || id.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a request needs an Issuer and an ID that does not begin with a digit");
    }
    let policy = child(PROTOCOL, "NameIDPolicy");
    Ok(Request {
        kind: root.tag_name().name().to_owned(),
        id: id.to_owned(),
        issuer: issuer.to_owned(),
        acs: root.attribute("AssertionConsumerServiceURL").map(str::to_owned),
        name_format: policy.and_then(|p| p.attribute("Format")).map(str::to_owned),
        passive: root.attribute("IsPassive") == Some("true"),
    })
}

/// Reads the metadata of a service provider.
pub(super) fn service_provider(xml: &[u8]) -> Option<ServiceProvider> {
    let text = std::str::from_utf8(xml).ok()?;
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    let role = root
        .descendants()
        .find(|n| n.has_tag_name((METADATA, "SPSSODescriptor")))?;
    let location = |name: &str, wanted: &dyn Fn(&Node<'_, '_>) -> bool| {
        let all = role.children().filter(|n| n.has_tag_name((METADATA, name)));
        let mut all: Vec<_> = all.filter(wanted).collect();
        // The default one first.
        all.sort_by_key(|n| n.attribute("isDefault") != Some("true"));
        all.first().and_then(|n| n.attribute("Location")).map(str::to_owned)
    };
    let post = |n: &Node<'_, '_>| n.attribute("Binding").is_some_and(|b| b.ends_with("HTTP-POST"));
    let redirect = |n: &Node<'_, '_>| n.attribute("Binding").is_some_and(|b| b.ends_with("HTTP-Redirect"));
    Some(ServiceProvider {
        entity: root.attribute("entityID")?.to_owned(),
        acs: location("AssertionConsumerService", &post)?,
        slo: location("SingleLogoutService", &redirect).or_else(|| location("SingleLogoutService", &post)),
    })
}
