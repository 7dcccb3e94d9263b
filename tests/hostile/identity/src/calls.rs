//! Every import of an identity plugin, called as the test says.

use super::{
    aistack::core::types::HttpRequest,
    aistack::host::{clock, config, crypto, dial, http, kv, log, random, reveal, secrets},
};
use aistack_hostile::{
    calls::{self, Arguments, done},
    outcome, request_of,
};
use serde_json::Value;

/// What the calls have got so far.
#[derive(Default)]
struct Held {
    secrets: Vec<secrets::Secret>,
    connections: Vec<dial::Conn>,
}

/// Makes the calls, one after the other; what became of each.
pub(super) fn make(all: &Value) -> Value {
    calls::make(all, one)
}

fn one(op: &str, a: &mut Arguments<'_>, held: &mut Held) -> Option<Value> {
    if let Some(op) = op.strip_prefix("crypto.") {
        return cryptography(op, a, held);
    }
    Some(match op {
        "log.emit" => {
            let level = [
                log::Level::Trace,
                log::Level::Debug,
                log::Level::Info,
                log::Level::Warn,
                log::Level::Error,
            ][a.number() as usize % 5];
            let message = a.text();
            let mut fields = Vec::new();
            while let Some(name) = a.maybe() {
                fields.push((name.to_owned(), a.text().to_owned()));
            }
            log::emit(level, message, &fields);
            return done("");
        }
        "config.get" => return done(config::get()),
        "clock.now-ms" => return done(clock::now_ms()),
        "clock.monotonic-ns" => return done(clock::monotonic_ns()),
        "random.bytes" => return done(random::bytes(a.number() as u32)),
        "kv.get" => outcome!(kv::get(a.text())),
        "kv.put" => {
            let (ttl, version) = (a.number(), a.number());
            let (key, value) = (a.text(), a.bytes());
            outcome!(kv::put(
                key,
                &value,
                (ttl > 0).then_some(ttl as u32),
                (version > 0).then_some(version - 1)
            ))
        }
        "kv.remove" => outcome!(kv::remove(a.text())),
        "secrets.versions" => outcome!(secrets::versions(a.text())),
        "secrets.open" => outcome!(secrets::open(a.text(), a.maybe()).map(|s| held.secrets.push(s))),
        "secrets.secret.size" => return done(a.one_of(&held.secrets)?.size()),
        "reveal.expose" => outcome!(reveal::expose(a.one_of(&held.secrets)?)),
        "http.send" => {
            let way = a.number();
            let key = a.one_of(&held.secrets);
            let options = http::Options {
                timeout_ms: a.number() as u32,
                max_bytes: a.number() as u32,
                redirects: a.number() as u8,
                idempotent: a.number() % 2 == 1,
                ca: a.maybe().map(Into::into),
            };
            let name = a.text().to_owned();
            let credential = match (way % 7, key) {
                (1, Some(s)) => http::Credential::Bearer(s),
                (2, Some(s)) => http::Credential::Basic((name, s)),
                (3, Some(s)) => http::Credential::Header((name, s)),
                (4, Some(s)) => http::Credential::Query((name, s)),
                (5, Some(s)) => http::Credential::Form((name, s)),
                (6, Some(s)) => http::Credential::ClientCert(s),
                _ => http::Credential::None,
            };
            outcome!(http::send(&request_of!(a, HttpRequest), &credential, &options))
        }
        "dial.connect" => {
            let certificate = (a.number() % 2 == 1).then(|| a.one_of(&held.secrets)).flatten();
            let endpoint = dial::Endpoint {
                tls: [dial::Tls::None, dial::Tls::Direct, dial::Tls::Starttls][a.number() as usize % 3],
                port: a.number() as u16,
                timeout_ms: a.number() as u32,
                host: a.text().into(),
                server_name: a.maybe().map(Into::into),
                ca: a.maybe().map(Into::into),
            };
            outcome!(dial::connect(&endpoint, certificate).map(|c| held.connections.push(c)))
        }
        "dial.conn.read" => outcome!(a.one_of(&held.connections)?.read(a.number() as u32)),
        "dial.conn.write" => outcome!(a.one_of(&held.connections)?.write(&a.bytes())),
        "dial.conn.write-secret" => {
            let (c, key) = (a.one_of(&held.connections)?, a.one_of(&held.secrets)?);
            outcome!(c.write_secret(&a.bytes(), key, &a.bytes()))
        }
        "dial.conn.start-tls" => outcome!(a.one_of(&held.connections)?.start_tls()),
        "drop" => {
            held.secrets.pop();
            held.connections.pop();
            return done(());
        }
        _ => return None,
    })
}

fn cryptography(op: &str, a: &mut Arguments<'_>, held: &Held) -> Option<Value> {
    Some(match op {
        "digest" => outcome!(crypto::digest(a.text(), &a.bytes())),
        "verify" => outcome!(crypto::verify(a.text(), &a.bytes(), &a.bytes(), &a.bytes())),
        "encrypt-to" => outcome!(crypto::encrypt_to(a.text(), &a.bytes(), &a.bytes())),
        "certificate" => outcome!(crypto::certificate(&a.bytes())),
        _ => {
            let (key, alg) = (a.one_of(&held.secrets)?, a.text());
            match op {
                "mac" => outcome!(crypto::mac(alg, key, &a.bytes())),
                "mac-verify" => outcome!(crypto::mac_verify(alg, key, &a.bytes(), &a.bytes())),
                "sign" => outcome!(crypto::sign(alg, key, &a.bytes())),
                "open-aead" => outcome!(crypto::open_aead(alg, key, &a.bytes(), &a.bytes(), &a.bytes())),
                "seal-aead" => outcome!(crypto::seal_aead(alg, key, &a.bytes(), &a.bytes(), &a.bytes())),
                "decrypt" => outcome!(crypto::decrypt(alg, key, &a.bytes())),
                "encrypt" => outcome!(crypto::encrypt(alg, key, &a.bytes())),
                _ => return None,
            }
        }
    })
}
