//! XML signatures (RSA-SHA256, exclusive canonicalisation, enveloped), and the detached ones of the redirect binding.

use super::xml::{Element, Node};
use crate::material::{Certificate, RsaKey};
use crate::shell::faults::Armed;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;

pub(super) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Signs the element; the signature goes behind its first child, the issuer.
pub(super) fn enveloped(mut element: Element, certificate: &Certificate, armed: &Armed) -> Element {
    let hash = STANDARD.encode(digest(&SHA256, element.canonical().as_bytes()));
    let method = |name, uri| Element::new(name).attr("Algorithm", uri);
    let transforms = Element::new("ds:Transforms")
        .child(method(
            "ds:Transform",
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        ))
        .child(method("ds:Transform", EXCLUSIVE));
    let reference = Element::new("ds:Reference")
        .attr("URI", format!("#{}", element.id()))
        .child(transforms)
        .child(method("ds:DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256"))
        .child(Element::text("ds:DigestValue", &hash));
    let info = Element::new("ds:SignedInfo")
        .child(method("ds:CanonicalizationMethod", EXCLUSIVE))
        .child(method("ds:SignatureMethod", RSA_SHA256))
        .child(reference);
    let mut value = certificate.key.sign(info.canonical().as_bytes());
    if armed.on("bad_signature") {
        value[20] ^= 1;
    }
    let signature = Element::new("ds:Signature")
        .child(info)
        .child(Element::text("ds:SignatureValue", &STANDARD.encode(value)))
        .child(key_info(certificate));
    element
        .children
        .insert(1.min(element.children.len()), Node::Element(signature));
    element
}

/// The certificate as metadata and signatures carry it.
pub(super) fn key_info(certificate: &Certificate) -> Element {
    let der = STANDARD.encode(&certificate.der);
    let data = Element::new("ds:X509Data").child(Element::text("ds:X509Certificate", &der));
    Element::new("ds:KeyInfo").child(data)
}

/// The signed query of the redirect binding.
pub(super) fn redirect_query(field: &str, document: &str, relay: Option<&str>, key: &RsaKey, armed: &Armed) -> String {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(document.as_bytes());
    let deflated = written
        .and_then(|()| encoder.finish())
        .expect("a vector takes everything");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(field, &STANDARD.encode(deflated));
    if let Some(relay) = relay {
        query.append_pair("RelayState", relay);
    }
    let signed = query.append_pair("SigAlg", RSA_SHA256).finish();
    let mut signature = key.sign(signed.as_bytes());
    if armed.on("bad_signature") {
        signature[20] ^= 1;
    }
    let signature = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("Signature", &STANDARD.encode(signature))
        .finish();
    format!("{signed}&{signature}")
}
