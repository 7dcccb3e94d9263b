//! What a guest hands to the host's imports, one function of the host after the other.

use super::{Parts, is_code};
use crate::{
    call::{CallLog, Redactor},
    checks::{Checked, endpoint, names, request},
    crypto,
    net::{host_matches, permit},
};
use aistack_domain::plugins::port::Grants;
use url::Url;

/// A secret of the installation.
const SECRET: &[u8] = b"a-long-secret?";

/// The first byte says which import, the rest are its arguments.
pub fn import_arguments(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let mut p = Parts::of(rest);
    match which {
        b'r' => outgoing(&mut p),
        b'c' => credentials(&mut p),
        b'h' => hosts(&mut p),
        b'd' => dial(&mut p),
        b'n' => small_names(&mut p),
        b'l' => log(&mut p),
        b'm' => macs(&mut p),
        b'v' => {
            let (alg, key, data) = (p.text(), p.bytes(), p.bytes());
            told(crypto::verify(&alg, key, data, p.bytes()));
        }
        b's' => {
            let (alg, key) = (p.text(), p.bytes());
            told(crypto::sign(&alg, key, p.bytes()));
        }
        b'a' => sealed(&mut p),
        b'e' => encrypted(&mut p),
        b'o' => {
            let (alg, key) = (p.text(), p.bytes());
            told(crypto::encrypt_to(&alg, key, p.bytes()));
        }
        // Of one part: DER has 0xFF in it.
        b'x' => {
            told(crypto::certificate(rest));
        }
        b'k' => {
            told(crypto::verify("RS256", rest, b"data", b"signature"));
            told(crypto::encrypt_to("RSA-OAEP", rest, b"data"));
        }
        _ => {}
    }
}

/// Every refusal has a code and says something.
fn told<T>(result: Checked<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(f) => {
            assert!(is_code(&f.code) && !f.message.is_empty(), "{f:?}");
            None
        }
    }
}

fn grants() -> Grants {
    let strings = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect();
    Grants {
        http_hosts: strings(&["api.example.com", "api.example.com:8443", "[2606:4700::1]", "10.0.0.1"]),
        private_hosts: strings(&["127.0.0.1:8080", "idp.intranet"]),
        ..Grants::default()
    }
}

fn outgoing(p: &mut Parts<'_>) {
    let (url, method) = (told(request::url(&p.text())), p.text());
    told(request::method(&method));
    let mut given = Vec::new();
    while let Some(name) = p.maybe() {
        given.push((name.into_owned(), p.bytes().to_vec()));
    }
    if let Some(headers) = told(request::headers(given)) {
        for (name, value) in &headers {
            assert!(!matches!(
                name.as_str(),
                "host" | "content-length" | "transfer-encoding" | "connection"
            ));
            assert!(!value.as_bytes().iter().any(|b| matches!(b, b'\r' | b'\n' | 0)));
        }
        told(request::is_form(&headers, b"a=1"));
    }
    let Some(url) = url else { return };
    assert!(!request::file_name(&url).contains('/'));
    assert_eq!(
        Url::parse(url.as_str()).as_ref(),
        Ok(&url),
        "what is checked is what is sent"
    );
    if let Some(private) = told(permit(&url, &grants())) {
        let of = |all: &[String]| all.iter().any(|g| host_matches(g, &url));
        assert!(if private {
            of(&grants().private_hosts)
        } else {
            of(&grants().http_hosts)
        });
        assert!(private || url.scheme() == "https");
        assert!(url.username().is_empty() && url.password().is_none());
        let host = url.host_str().unwrap_or_default();
        let known = ["api.example.com", "[2606:4700::1]", "127.0.0.1", "idp.intranet"];
        assert!(known.contains(&host), "{url} was let out");
    }
}

fn credentials(p: &mut Parts<'_>) {
    let (user, header, secret) = (p.text(), p.text(), p.bytes());
    for made in [
        request::bearer(secret),
        request::basic(&user, secret),
        request::secret_header(&header, secret),
    ] {
        if let Some((_, value)) = told(made) {
            assert!(value.is_sensitive() && !value.as_bytes().contains(&b'\n'));
        }
    }
}

fn hosts(p: &mut Parts<'_>) {
    let (grant, url) = (p.text(), p.text());
    if let Ok(url) = Url::parse(&url)
        && host_matches(&grant, &url)
    {
        assert!(url.host().is_some());
        assert!(!grant.contains(['@', '?', '#']), "{grant:?} matched {url}");
    }
}

fn dial(p: &mut Parts<'_>) {
    let (host, server, ca) = (p.text(), p.maybe(), p.text());
    told(endpoint::names(&host, server.as_deref()));
    // Always with certificates: the platform's own are read from disk.
    told(endpoint::tls(Some(&ca), Some(p.bytes())));
    told(endpoint::tls(Some(&ca), None));
}

fn small_names(p: &mut Parts<'_>) {
    let (key, file, media_type, charset) = (p.text(), p.text(), p.text(), p.maybe());
    if told(names::key(&key)).is_some() {
        assert!((1..=256).contains(&key.len()) && !key.contains('\0'));
    }
    told(names::value(p.bytes()));
    if told(names::file(&file, &media_type)).is_some() {
        let path = std::path::Path::new("/tmp/x").join(&*file);
        assert_eq!(path.parent(), Some(std::path::Path::new("/tmp/x")), "{file:?}");
        assert!(!media_type.contains(['\r', '\n']));
    }
    told(names::charset(charset.as_deref()));
}

/// No line shows a secret or drives a terminal, whatever surrounds the one and spells the other.
fn log(p: &mut Parts<'_>) {
    let mut redact = Redactor::default();
    redact.learn("key", SECRET);
    let (before, after) = (p.text(), p.text());
    let secret = String::from_utf8_lossy(SECRET);
    let message = format!("{before}{secret}{after}");
    let field = (p.text().into_owned(), message.clone());
    let mut log = CallLog::new(16 << 10);
    if let Some(line) = log.push("info", &message, &[field], &redact) {
        let texts = [&line.message, &line.fields[0].0, &line.fields[0].1];
        for text in texts {
            assert!(
                !text.contains(&*secret) && !text.chars().any(char::is_control),
                "{text:?}"
            );
        }
    }
    let mut covered = message.clone().into_bytes();
    redact.cover(&mut covered);
    assert_eq!(covered.len(), message.len());
    assert!(!redact.occurs_in(&covered));
}

fn macs(p: &mut Parts<'_>) {
    let (alg, key, data) = (p.text(), p.bytes(), p.bytes());
    told(crypto::digest(&alg, data));
    if let Some(tag) = told(crypto::mac(&alg, key, data)) {
        assert_eq!(crypto::mac_verify(&alg, key, data, &tag), Ok(true));
        assert_eq!(crypto::mac_verify(&alg, key, data, &tag[1..]), Ok(false));
    }
}

fn sealed(p: &mut Parts<'_>) {
    let (alg, key, nonce, aad, text) = (p.text(), p.bytes(), p.bytes(), p.bytes(), p.bytes());
    told(crypto::open(&alg, key, nonce, aad, text.to_vec()));
    if let Some(closed) = told(crypto::seal(&alg, key, nonce, aad, text.to_vec())) {
        assert_eq!(crypto::open(&alg, key, nonce, aad, closed).as_deref(), Ok(text));
    }
}

fn encrypted(p: &mut Parts<'_>) {
    let (alg, key, text) = (p.text(), p.bytes(), p.bytes());
    told(crypto::decrypt(&alg, key, text));
    if let Some(closed) = told(crypto::encrypt(&alg, key, [7; 16], text.to_vec())) {
        assert_eq!(crypto::decrypt(&alg, key, &closed).as_deref(), Ok(text));
    }
}
