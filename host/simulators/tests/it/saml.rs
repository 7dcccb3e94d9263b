//! SAML: signatures verified by a canonicaliser of our own over the crate roxmltree, with the crates sha2 and rsa.

use crate::support::{Bench, Hook, public_key_of, rsa_verifies};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use serde_json::json;
use sha2::Digest as _;
use std::io::{Read as _, Write as _};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const ACS: &str = "http://127.0.0.1:9/acs";
const SP: &str = "https://sp.example/metadata";

/// Exclusive canonicalisation without comments; `without` is left out (the enveloped signature).
fn canonical(node: Node<'_, '_>, without: Option<Node<'_, '_>>, declared: &[(&str, &str)], out: &mut String) {
    if node.is_text() {
        let text = node.text().unwrap();
        out.push_str(
            &text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('\r', "&#xD;"),
        );
    }
    if !node.is_element() || Some(node) == without {
        return;
    }
    let uri = node.tag_name().namespace().unwrap();
    let prefix = node.lookup_prefix(uri).unwrap();
    let name = format!("{prefix}:{}", node.tag_name().name());
    out.push_str(&format!("<{name}"));
    let mut declared = declared.to_vec();
    if !declared.contains(&(prefix, uri)) {
        out.push_str(&format!(" xmlns:{prefix}=\"{uri}\""));
        declared.push((prefix, uri));
    }
    let mut attributes: Vec<_> = node.attributes().map(|a| (a.name(), a.value())).collect();
    attributes.sort_unstable();
    for (name, value) in attributes {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        out.push_str(&format!(" {name}=\"{value}\""));
    }
    out.push('>');
    node.children()
        .for_each(|child| canonical(child, without, &declared, out));
    out.push_str(&format!("</{name}>"));
}

fn child<'a, 'i>(node: Node<'a, 'i>, namespace: &str, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.has_tag_name((namespace, name)))
}

/// Whether the element carries a valid signature of its own.
fn signed(element: Node<'_, '_>, key: &str) -> bool {
    let Some(signature) = child(element, DS, "Signature") else {
        return false;
    };
    let info = child(signature, DS, "SignedInfo").unwrap();
    let text = |name: &str| {
        signature
            .descendants()
            .find(|n| n.has_tag_name((DS, name)))
            .unwrap()
            .text()
            .unwrap()
    };
    let reference = child(info, DS, "Reference").unwrap();
    assert_eq!(
        reference.attribute("URI").unwrap()[1..],
        *element.attribute("ID").unwrap()
    );
    let (mut bytes, mut head) = (String::new(), String::new());
    canonical(element, Some(signature), &[], &mut bytes);
    canonical(info, None, &[], &mut head);
    let digest = STANDARD.encode(sha2::Sha256::digest(bytes.as_bytes()));
    digest == text("DigestValue") && rsa_verifies(key, &head, text("SignatureValue"))
}

fn deflated(xml: &str) -> String {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(xml.as_bytes()).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

fn request() -> String {
    format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r1\" Version=\"2.0\" \
         AssertionConsumerServiceURL=\"{ACS}\"><saml:Issuer xmlns:saml=\"{SAML}\">{SP}</saml:Issuer></samlp:AuthnRequest>"
    )
}

fn field(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    rest.split('"').next().unwrap().replace("&amp;", "&")
}

fn response(page: &str) -> String {
    String::from_utf8(STANDARD.decode(field(page, "SAMLResponse")).unwrap()).unwrap()
}

/// Signs in by redirect; the response's XML.
async fn sign_in(bench: &Bench) -> String {
    let query = [
        ("SAMLRequest", deflated(&request())),
        ("RelayState", "a&b".into()),
        ("auto", "zhang".into()),
    ];
    let page = bench
        .http
        .get(bench.url("/sso"))
        .query(&query)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(field(&page, "RelayState"), "a&b");
    response(&page)
}

fn key(bench: &Bench) -> String {
    public_key_of(bench.config("idp_certificate"))
}

fn find<'a, 'i>(document: &'a Document<'i>, name: &str) -> Node<'a, 'i> {
    document.descendants().find(|n| n.has_tag_name((SAML, name))).unwrap()
}

#[tokio::test]
async fn a_person_signs_in_and_the_assertion_verifies() {
    let bench = Bench::start("saml").await;
    let xml = sign_in(&bench).await;
    let document = Document::parse(&xml).unwrap();
    let assertion = find(&document, "Assertion");
    assert!(signed(assertion, &key(&bench)), "{xml}");
    assert!(child(document.root_element(), DS, "Signature").is_none());
    let data = find(&document, "SubjectConfirmationData");
    assert_eq!(
        (data.attribute("InResponseTo"), data.attribute("Recipient")),
        (Some("_r1"), Some(ACS))
    );
    assert_eq!(data.attribute("NotOnOrAfter"), Some("2026-01-01T00:05:00Z"));
    assert_eq!(find(&document, "Audience").text(), Some(SP));
    assert_eq!(find(&document, "NameID").text(), Some("sim-0003"));
    assert!(xml.contains("张伟"));
    let tampered = xml.replace("sim-0003", "sim-0001");
    let tampered = Document::parse(&tampered).unwrap();
    assert!(
        !signed(find(&tampered, "Assertion"), &key(&bench)),
        "the check itself can fail"
    );
}

#[tokio::test]
async fn the_form_asks_by_either_binding() {
    let bench = Bench::start("saml").await;
    let by_form = bench
        .http
        .post(bench.url("/sso"))
        .form(&[("SAMLRequest", STANDARD.encode(request()))]);
    let page = by_form.send().await.unwrap().text().await.unwrap();
    let action = page
        .split("action=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let answer = bench
        .http
        .post(bench.url(&action))
        .form(&[("choice", "bob")])
        .send()
        .await
        .unwrap();
    assert!(response(&answer.text().await.unwrap()).contains("sim-0002"));
    let answer = bench
        .http
        .post(bench.url(&action))
        .form(&[("choice", "deny")])
        .send()
        .await
        .unwrap();
    let denied = response(&answer.text().await.unwrap());
    assert!(denied.contains("status:AuthnFailed") && !denied.contains("Assertion "));
    for wrong in ["", "!!!", &deflated("<x/>"), &deflated(&request().replace("_r1", "1r"))] {
        let answer = bench
            .http
            .get(bench.url("/sso"))
            .query(&[("SAMLRequest", wrong)])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn each_knob_makes_the_response_wrong_in_its_own_way() {
    let bench = Bench::start("saml").await;
    let key = key(&bench);
    for knob in [
        "bad_signature",
        "unsigned",
        "response_only",
        "sign_both",
        "wrapped",
        "comment_in_name",
        "stale",
        "wrong_audience",
        "wrong_destination",
        "wrong_in_response_to",
    ] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        let xml = sign_in(&bench).await;
        let document = Document::parse(&xml).unwrap();
        let assertions: Vec<_> = document
            .descendants()
            .filter(|n| n.has_tag_name((SAML, "Assertion")))
            .collect();
        let good = assertions.iter().map(|a| signed(*a, &key)).collect::<Vec<_>>();
        let whole = signed(document.root_element(), &key);
        let data = find(&document, "SubjectConfirmationData");
        let fits = match knob {
            "bad_signature" => good == [false] && !whole && xml.contains("SignatureValue"),
            "unsigned" => good == [false] && !whole && !xml.contains("SignatureValue"),
            "response_only" => good == [false] && whole,
            "sign_both" => good == [true] && whole,
            "wrapped" => good == [false, true] && xml.find("sim-9999") < xml.find("sim-0003"),
            "comment_in_name" => good == [true] && xml.contains("sim-00<!-- -->03"),
            "stale" => good == [true] && data.attribute("NotOnOrAfter") < Some("2026-01-01T00:00:00Z"),
            "wrong_audience" => good == [true] && find(&document, "Audience").text() != Some(SP),
            "wrong_destination" => good == [true] && data.attribute("Recipient") != Some(ACS),
            _ => good == [true] && data.attribute("InResponseTo") != Some("_r1"),
        };
        assert!(fits, "{knob}: {xml}");
    }
}

#[tokio::test]
async fn certificates_rotate_in_the_metadata() {
    let bench = Bench::start("saml").await;
    bench.control("faults", json!({"rotate_certificate": true})).await;
    let metadata = bench
        .http
        .get(bench.url("/metadata"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let document = Document::parse(&metadata).unwrap();
    let certificates: Vec<_> = document
        .descendants()
        .filter(|n| n.has_tag_name((DS, "X509Certificate")))
        .collect();
    assert_eq!(certificates.len(), 2);
    assert_eq!(
        document.root_element().attribute("entityID"),
        Some(bench.config("idp_entity_id"))
    );
    let pem = |n: &Node<'_, '_>| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            n.text().unwrap()
        )
    };
    let xml = sign_in(&bench).await;
    let response = Document::parse(&xml).unwrap();
    assert!(!signed(
        find(&response, "Assertion"),
        &public_key_of(&pem(&certificates[0]))
    ));
    assert!(signed(
        find(&response, "Assertion"),
        &public_key_of(&pem(&certificates[1]))
    ));
}

#[tokio::test]
async fn unasked_replayed_and_signed_out() {
    let bench = Bench::start("saml").await;
    let hook = Hook::start("").await;
    bench
        .control(
            "deliver",
            json!({"kind": "unsolicited", "to": hook.url, "audience": SP, "relay_state": "x"}),
        )
        .await;
    bench
        .control("deliver", json!({"kind": "replay", "to": hook.url}))
        .await;
    let got = hook.take();
    let xml = |n: usize, name: &str| {
        let form = got[n].form();
        let packed = &form.iter().find(|(field, _)| field == name).unwrap().1;
        String::from_utf8(STANDARD.decode(packed).unwrap()).unwrap()
    };
    let first = xml(0, "SAMLResponse");
    assert!(!first.contains("InResponseTo") && first == xml(1, "SAMLResponse"));
    bench
        .control(
            "deliver",
            json!({"kind": "logout", "to": hook.url, "session_index": "_s"}),
        )
        .await;
    let form = hook.take().remove(0).form();
    let xml = String::from_utf8(STANDARD.decode(&form[0].1).unwrap()).unwrap();
    assert!(
        signed(Document::parse(&xml).unwrap().root_element(), &key(&bench)),
        "{xml}"
    );

    let metadata = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{SP}\"><md:SPSSODescriptor>\
         <md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"http://127.0.0.1:9/slo\"/>\
         <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{ACS}\" index=\"0\"/>\
         </md:SPSSODescriptor></md:EntityDescriptor>"
    );
    let logout = request().replace("AuthnRequest", "LogoutRequest");
    let ask = || {
        bench
            .http
            .get(bench.url("/slo"))
            .query(&[("SAMLRequest", deflated(&logout)), ("RelayState", "r".into())])
    };
    assert_eq!(
        ask().send().await.unwrap().status(),
        400,
        "where to answer is not known yet"
    );
    assert_eq!(
        bench
            .http
            .post(bench.url("/sp"))
            .body(metadata)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let answer = ask().send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let query = location.strip_prefix("http://127.0.0.1:9/slo?").unwrap();
    let (message, signature) = query.split_once("&Signature=").unwrap();
    let signature = url::form_urlencoded::parse(format!("s={signature}").as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned();
    assert!(rsa_verifies(&key(&bench), message, &signature));
    let packed = url::form_urlencoded::parse(message.as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned();
    let mut xml = String::new();
    flate2::read::DeflateDecoder::new(&STANDARD.decode(packed).unwrap()[..])
        .read_to_string(&mut xml)
        .unwrap();
    assert!(
        xml.contains("InResponseTo=\"_r1\"") && xml.contains("status:Success"),
        "{xml}"
    );
}
