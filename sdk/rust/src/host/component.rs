//! The host inside a component: plain calls of the imports. Nothing here is behind a table of functions, so the linker
//! drops what a plugin never calls, and with it the import.

use super::{CertificateInfo, Credential, Endpoint, KvEntry, Level, Packing, SendOptions};
use crate::{Fault, HttpRequest, HttpResponse};
use aistack_bindings_core::{host, report};

type RawSecret = host::secrets::Secret;

pub(super) struct Imports;

#[allow(
    clippy::unused_self,
    reason = "the native host has state; one set of signatures for both"
)]
impl Imports {
    pub(super) fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        host::log::emit(level, message, fields);
    }
    pub(super) fn config(&self) -> String {
        host::config::get()
    }
    pub(super) fn now_ms(&self) -> u64 {
        host::clock::now_ms()
    }
    pub(super) fn monotonic_ns(&self) -> u64 {
        host::clock::monotonic_ns()
    }
    pub(super) fn random(&self, n: u32) -> Vec<u8> {
        host::random::bytes(n)
    }
    pub(super) fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        host::kv::get(key)
    }
    pub(super) fn kv_put(
        &self,
        key: &str,
        value: &[u8],
        ttl_s: Option<u32>,
        if_version: Option<u64>,
    ) -> Result<u64, Fault> {
        host::kv::put(key, value, ttl_s, if_version)
    }
    pub(super) fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        host::kv::remove(key)
    }
    pub(super) fn secret_versions(&self, name: &str) -> Result<Vec<String>, Fault> {
        host::secrets::versions(name)
    }
    pub(super) fn secret_open(&self, name: &str, version: Option<String>) -> Result<RawSecret, Fault> {
        host::secrets::open(name, version.as_deref())
    }
    pub(super) fn secret_size(&self, secret: &RawSecret) -> u32 {
        secret.size()
    }
    pub(super) fn reveal(&self, secret: &RawSecret) -> Result<Vec<u8>, Fault> {
        host::reveal::expose(secret)
    }
    pub(super) fn digest(&self, alg: &str, data: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::digest(alg, data)
    }
    pub(super) fn mac(&self, alg: &str, key: &RawSecret, data: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::mac(alg, key, data)
    }
    pub(super) fn mac_verify(&self, alg: &str, key: &RawSecret, data: &[u8], tag: &[u8]) -> Result<bool, Fault> {
        host::crypto::mac_verify(alg, key, data, tag)
    }
    pub(super) fn sign(&self, alg: &str, key: &RawSecret, data: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::sign(alg, key, data)
    }
    pub(super) fn verify(&self, alg: &str, public_key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, Fault> {
        host::crypto::verify(alg, public_key, data, signature)
    }
    pub(super) fn open_aead(
        &self,
        alg: &str,
        key: &RawSecret,
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        host::crypto::open_aead(alg, key, nonce, aad, sealed)
    }
    pub(super) fn seal_aead(
        &self,
        alg: &str,
        key: &RawSecret,
        nonce: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        host::crypto::seal_aead(alg, key, nonce, aad, plain)
    }
    pub(super) fn decrypt(&self, alg: &str, key: &RawSecret, ciphertext: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::decrypt(alg, key, ciphertext)
    }
    pub(super) fn encrypt(&self, alg: &str, key: &RawSecret, plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::encrypt(alg, key, plaintext)
    }
    pub(super) fn encrypt_to(&self, alg: &str, public_key: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        host::crypto::encrypt_to(alg, public_key, plaintext)
    }
    pub(super) fn certificate(&self, der_or_pem: &[u8]) -> Result<CertificateInfo, Fault> {
        host::crypto::certificate(der_or_pem)
    }
    pub(super) fn send(
        &self,
        request: &HttpRequest,
        credential: Credential<'_>,
        options: &SendOptions,
    ) -> Result<HttpResponse, Fault> {
        host::http::send(request, &raw(credential), options)
    }
    pub(super) fn download(
        &self,
        request: &HttpRequest,
        credential: Credential<'_>,
        unpack: Packing,
        charset: Option<&str>,
        max_bytes: u64,
    ) -> Result<Vec<host::download::Reader>, Fault> {
        host::download::fetch(request, &raw(credential), unpack, charset, max_bytes)
    }
    pub(super) fn dial(&self, to: &Endpoint, client_cert: Option<&RawSecret>) -> Result<host::dial::Conn, Fault> {
        host::dial::connect(to, client_cert)
    }
    pub(super) fn create_file(&self, name: &str, media_type: &str) -> Result<host::blob::Sink, Fault> {
        host::blob::create(name, media_type)
    }
    pub(super) fn open_dataset(
        &self,
        name: &str,
        filter: &str,
        as_of_ms: u64,
    ) -> Result<report::datasets::Rows, Fault> {
        report::datasets::open(name, filter, as_of_ms)
    }
    pub(super) fn progress(&self, percent: u8) -> bool {
        report::datasets::progress(percent)
    }
}

fn raw(credential: Credential<'_>) -> host::http::Credential<'_> {
    use host::http::Credential as C;
    match credential {
        Credential::None => C::None,
        Credential::Bearer(s) => C::Bearer(&s.0),
        Credential::Basic(user, s) => C::Basic((user.to_owned(), &s.0)),
        Credential::Header(name, s) => C::Header((name.to_owned(), &s.0)),
        Credential::Query(name, s) => C::Query((name.to_owned(), &s.0)),
        Credential::Form(name, s) => C::Form((name.to_owned(), &s.0)),
        Credential::ClientCert(s) => C::ClientCert(&s.0),
    }
}
