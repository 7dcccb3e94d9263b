//! The contract's imports, each behind the journal.

use super::{Journaled, Next, Wire, journaled, tape::Tape};
use crate::{
    call::CallState,
    imports::{Connection, Download, Rows, SecretHandle, Sink},
    v1::bindings::{
        blob, clock, config, crypto, datasets, dial, download, http, kv, log, random, reveal, secrets,
        types::{self, Fault},
    },
};
use serde_json::{Map, Value};
use wasmtime::component::Resource;

impl types::Host for Journaled<'_> {}

journaled! {
    impl log::Host as "log" {
        plain emit(level: log::Level, message: String, fields: Vec<(String, String)>) -> ();
    }
    impl config::Host as "config" {
        plain get() -> String;
    }
    impl clock::Host as "clock" {
        plain now_ms() -> u64;
        plain monotonic_ns() -> u64;
    }
    impl random::Host as "random" {
        plain bytes(n: u32) -> Vec<u8>;
    }
    impl kv::Host as "kv" {
        waits get(key: String) -> Result<Option<kv::Entry>, Fault>;
        waits put(key: String, value: Vec<u8>, ttl_s: Option<u32>, if_version: Option<u64>) -> Result<u64, Fault>;
        waits remove(key: String) -> Result<(), Fault>;
    }
    impl secrets::Host as "secrets" {
        plain versions(name: String) -> Result<Vec<String>, Fault>;
        plain open(name: String, version: Option<String>) -> Result<Resource<SecretHandle>, Fault>;
    }
    impl secrets::HostSecret as "secrets.secret" {
        plain size(key: Resource<SecretHandle>) -> u32;
        plain drop(key: Resource<SecretHandle>) -> ();
    }
    impl crypto::Host as "crypto" {
        plain digest(alg: String, data: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain mac(alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain mac_verify(alg: String, key: Resource<SecretHandle>, data: Vec<u8>, tag: Vec<u8>) -> Result<bool, Fault>;
        plain sign(alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain verify(alg: String, public_key: Vec<u8>, data: Vec<u8>, signature: Vec<u8>) -> Result<bool, Fault>;
        plain open_aead(
            alg: String, key: Resource<SecretHandle>, nonce: Vec<u8>, aad: Vec<u8>, ciphertext: Vec<u8>
        ) -> Result<Vec<u8>, Fault>;
        plain seal_aead(
            alg: String, key: Resource<SecretHandle>, nonce: Vec<u8>, aad: Vec<u8>, plaintext: Vec<u8>
        ) -> Result<Vec<u8>, Fault>;
        plain decrypt(alg: String, key: Resource<SecretHandle>, ciphertext: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain encrypt(alg: String, key: Resource<SecretHandle>, plaintext: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain encrypt_to(alg: String, public_key: Vec<u8>, plaintext: Vec<u8>) -> Result<Vec<u8>, Fault>;
        plain certificate(der_or_pem: Vec<u8>) -> Result<crypto::CertificateInfo, Fault>;
    }
    impl http::Host as "http" {
        waits send(
            request: http::HttpRequest, cred: http::Credential, opts: http::Options
        ) -> Result<http::HttpResponse, Fault>;
    }
    impl dial::Host as "dial" {
        waits connect(
            to: dial::Endpoint, client_cert: Option<Resource<SecretHandle>>
        ) -> Result<Resource<Connection>, Fault>;
    }
    impl dial::HostConn as "dial.conn" {
        waits read(conn: Resource<Connection>, max: u32) -> Result<Vec<u8>, Fault>;
        waits write(conn: Resource<Connection>, bytes: Vec<u8>) -> Result<(), Fault>;
        waits write_secret(
            conn: Resource<Connection>, before: Vec<u8>, key: Resource<SecretHandle>, after: Vec<u8>
        ) -> Result<(), Fault>;
        waits start_tls(conn: Resource<Connection>) -> Result<(), Fault>;
        waits drop(conn: Resource<Connection>) -> ();
    }
    impl blob::Host as "blob" {
        waits create(name: String, media_type: String) -> Result<Resource<Sink>, Fault>;
    }
    impl blob::HostSink as "blob.sink" {
        waits write(sink: Resource<Sink>, bytes: Vec<u8>) -> Result<(), Fault>;
        waits finish(sink: Resource<Sink>) -> Result<String, Fault>;
        waits drop(sink: Resource<Sink>) -> ();
    }
    impl download::Host as "download" {
        waits fetch(
            request: types::HttpRequest, cred: http::Credential, unpack: download::Packing, charset: Option<String>,
            max_bytes: u64
        ) -> Result<Vec<Resource<Download>>, Fault>;
    }
    impl download::HostReader as "download.reader" {
        waits name(reader: Resource<Download>) -> String;
        waits size(reader: Resource<Download>) -> u64;
        waits read(reader: Resource<Download>, at: u64, len: u32) -> Result<Vec<u8>, Fault>;
        waits digest(reader: Resource<Download>, alg: String) -> Result<Vec<u8>, Fault>;
        waits drop(reader: Resource<Download>) -> ();
    }
    impl datasets::Host as "datasets" {
        waits open(name: String, filter: String, as_of_ms: u64) -> Result<Resource<Rows>, Fault>;
        plain progress(percent: u8) -> bool;
    }
    impl datasets::HostRows as "datasets.rows" {
        plain columns(rows: Resource<Rows>) -> Vec<datasets::Column>;
        waits next(rows: Resource<Rows>, max: u32) -> Result<Vec<Vec<datasets::Cell>>, Fault>;
        plain drop(rows: Resource<Rows>) -> ();
    }
}

/// The one import whose answer is a secret: a stand-in goes into the journal, and to whoever replays it.
pub(super) const REVEAL: &str = "reveal.expose";

impl reveal::Host for Journaled<'_> {
    fn expose(&mut self, key: Resource<SecretHandle>) -> wasmtime::Result<Result<Vec<u8>, Fault>> {
        let args = |pen: &mut super::Pen<'_>| {
            let mut args = Map::new();
            args.insert("key".to_owned(), key.put(pen));
            Value::Object(args)
        };
        match self.before(REVEAL, args)? {
            Next::Answer(answer) => {
                let shown: Result<Vec<u8>, Fault> = self.read(answer)?;
                if let (Ok(stand_in), Tape::Replaying(player)) = (&shown, &mut self.0.tape) {
                    player.learn(stand_in);
                }
                Ok(shown)
            }
            Next::Run => {
                let done = <CallState as reveal::Host>::expose(self.0, key);
                if let (Ok(Ok(secret)), Tape::Recording(recorder)) = (&done, &mut self.0.tape) {
                    let stand_in = recorder.stand_in(secret, &*self.0.shared.rng);
                    self.after(&Ok(Ok::<_, Fault>(stand_in)));
                } else {
                    self.after(&done);
                }
                done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// `interface.function` and `interface.resource.function` of a WIT file's interfaces.
    fn functions(text: &str, all: &mut BTreeSet<String>) {
        let mut place: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim).filter(|l| !l.starts_with("//")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["interface" | "resource", name, "{"] => {
                    place.push((*name).to_owned());
                    if words[0] == "resource" {
                        all.insert(format!("{}.drop", place.join(".")));
                    }
                }
                [.., "{"] => place.push(String::new()),
                ["}"] => {
                    place.pop();
                }
                [name, f, ..] if name.ends_with(':') && f.starts_with("func") => {
                    all.insert(format!("{}.{}", place.join("."), name.trim_end_matches(':')));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn every_import_of_the_contract_is_journaled() {
        let wit = Path::new("../../wit/v1/deps");
        let mut asked = BTreeSet::new();
        for file in fs::read_dir(wit.join("host")).unwrap() {
            functions(&fs::read_to_string(file.unwrap().path()).unwrap(), &mut asked);
        }
        functions(
            &fs::read_to_string(wit.join("report/datasets.wit")).unwrap(),
            &mut asked,
        );
        assert!(asked.len() > 40 && asked.contains("dial.conn.start-tls"), "{asked:?}");
        let kept: BTreeSet<String> = IMPORTS
            .iter()
            .chain(&[REVEAL])
            .map(|name| name.replace('_', "-"))
            .collect();
        assert_eq!(asked, kept);
    }
}
