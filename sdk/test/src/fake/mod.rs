//! [`FakeHost`]: the platform in a test.

mod crypto;
mod data;
mod grants;
mod http;

pub use data::LogLine;
pub use http::{Matcher, On, Request, delete, get, post, put};

use crate::manifest::Manifest;
use aistack_sdk::host::{
    Cell, CertificateInfo, Column, Credential, FileDouble, KvEntry, Level, RowsDouble, SecretRef, SendOptions,
};
use aistack_sdk::{Fault, Host, HttpRequest, HttpResponse, Platform};
use grants::Grants;
use serde_json::Value;
use std::{
    cell::{Cell as Shared, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

/// Where the clock of a new double stands: 2026-01-01T00:00:00Z.
pub(crate) const START_MS: u64 = 1_767_225_600_000;

/// A platform under the test's control. It dereferences to [`Host`], so it is passed to a plugin as `&fake`.
pub struct FakeHost {
    world: Rc<World>,
    host: Host,
}

/// The state behind a [`FakeHost`]; shared with the [`Host`] that the plugin sees.
#[derive(Default)]
struct World {
    config: RefCell<Value>,
    grants: RefCell<Option<Grants>>,
    now_ms: Shared<u64>,
    random_counter: Shared<u64>,
    seed: Shared<u64>,
    secrets: RefCell<BTreeMap<String, Vec<Vec<u8>>>>,
    kv: RefCell<data::Kv>,
    http: RefCell<http::Script>,
    logs: RefCell<Vec<LogLine>>,
    datasets: RefCell<BTreeMap<String, data::Dataset>>,
    opened: RefCell<Vec<(String, Value, u64)>>,
    files: data::Files,
    progress: RefCell<Vec<u8>>,
    cancel_at: Shared<Option<u8>>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl core::ops::Deref for FakeHost {
    type Target = Host;
    fn deref(&self) -> &Host {
        &self.host
    }
}

/// Setting up.
impl FakeHost {
    /// A platform that grants everything, with an empty config. Its clock stands at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        let world = Rc::new(World::default());
        world.now_ms.set(START_MS);
        *world.config.borrow_mut() = Value::Object(serde_json::Map::new());
        let host = Host::native(world.clone());
        Self { world, host }
    }

    /// A platform that grants what the manifest declares, with `config` filled into it, and refuses the rest as the
    /// real one does.
    #[must_use]
    pub fn for_plugin(manifest: &str, config: Value) -> Self {
        let manifest = Manifest::parse(manifest).expect("the manifest is valid");
        let fake = Self::new();
        *fake.world.grants.borrow_mut() = Some(Grants::of(&manifest, &config));
        *fake.world.config.borrow_mut() = config;
        fake
    }

    /// Sets the config, without touching the grants.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        *self.world.config.borrow_mut() = config;
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.secret_versions(name, &[value.as_ref()])
    }

    /// Adds a secret that is being rolled over: its versions, newest first.
    #[must_use]
    pub fn secret_versions(self, name: &str, versions: &[&[u8]]) -> Self {
        let versions = versions.iter().map(|v| v.to_vec()).collect();
        self.world.secrets.borrow_mut().insert(name.to_owned(), versions);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn at_ms(self, now_ms: u64) -> Self {
        self.world.now_ms.set(now_ms);
        self
    }

    /// Other dice.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.world.seed.set(seed);
        self
    }

    /// Starts a scripted answer; finish it with one of the `reply` functions of [`On`]. Of several that match, the
    /// first one that is not used up answers.
    #[must_use]
    pub fn on(self, matcher: Matcher) -> On {
        On::new(self, matcher)
    }

    /// Adds a dataset.
    #[must_use]
    pub fn dataset(self, name: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Self {
        self.world
            .datasets
            .borrow_mut()
            .insert(name.to_owned(), data::Dataset { columns, rows });
        self
    }

    /// Cancels the run as soon as it reports this much progress or more.
    #[must_use]
    pub fn cancel_at(self, percent: u8) -> Self {
        self.world.cancel_at.set(Some(percent));
        self
    }
}

/// Moving on and looking back.
impl FakeHost {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.world.now_ms.set(self.world.now_ms.get().saturating_add(ms));
    }

    /// The requests that were sent, credentials filled in as the host would.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.world.http.borrow().sent.clone()
    }

    /// Adds another scripted answer while the test is running, before the ones there are.
    pub fn now_on(&self, matcher: Matcher, status: u16, body: &Value) {
        self.world.http.borrow_mut().put_first(matcher, status, body);
    }

    /// The newest version of a secret that the test itself put there.
    #[must_use]
    pub fn secret_handle(&self, name: &str) -> aistack_sdk::host::Secret {
        self.host.secret(name).expect("the test added the secret")
    }

    /// From now on every request fails like this.
    pub fn break_network(&self, fault: Fault) {
        self.world.http.borrow_mut().broken = Some(fault);
    }

    /// The log lines.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.world.logs.borrow().clone()
    }

    /// The finished files by name.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.world.files.finished()
    }

    /// How many files were started, finished or not.
    #[must_use]
    pub fn files_started(&self) -> usize {
        self.world.files.started()
    }

    /// The reported progress.
    #[must_use]
    pub fn reported_progress(&self) -> Vec<u8> {
        self.world.progress.borrow().clone()
    }

    /// The datasets that were opened: name, filter, as-of.
    #[must_use]
    pub fn opened(&self) -> Vec<(String, Value, u64)> {
        self.world.opened.borrow().clone()
    }

    /// Live keys of the key-value space.
    #[must_use]
    pub fn kv_keys(&self) -> Vec<String> {
        self.world.kv.borrow().keys(self.world.now_ms.get())
    }

    pub(crate) fn script(&self) -> core::cell::RefMut<'_, http::Script> {
        self.world.http.borrow_mut()
    }
}

impl World {
    fn check(&self, check: impl FnOnce(&Grants) -> Result<(), Fault>) -> Result<(), Fault> {
        self.grants.borrow().as_ref().map_or(Ok(()), check)
    }

    fn secret_bytes(&self, secret: &SecretRef) -> Vec<u8> {
        let version: usize = secret.version.parse().expect("a version this double named");
        self.secrets.borrow()[&secret.name][version].clone()
    }

    fn keyed(&self, secret: &SecretRef, usage: &str) -> Result<Vec<u8>, Fault> {
        self.check(|g| g.interface("crypto"))?;
        self.check(|g| g.secret_use(&secret.name, usage))?;
        Ok(self.secret_bytes(secret))
    }
}

impl Platform for World {
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        self.check(|g| g.interface("log")).expect("the manifest asks for log");
        self.logs.borrow_mut().push(LogLine {
            level,
            message: message.into(),
            fields: fields.to_vec(),
        });
    }
    fn config(&self) -> String {
        self.check(|g| g.interface("config"))
            .expect("the manifest asks for config");
        self.config.borrow().to_string()
    }
    fn now_ms(&self) -> u64 {
        self.check(|g| g.interface("clock"))
            .expect("the manifest asks for clock");
        self.now_ms.get()
    }
    fn monotonic_ns(&self) -> u64 {
        self.now_ms().saturating_mul(1_000_000)
    }
    fn random(&self, n: u32) -> Vec<u8> {
        self.check(|g| g.interface("random"))
            .expect("the manifest asks for random");
        let start = self.random_counter.get();
        self.random_counter.set(start + u64::from(n));
        crypto::dice(self.seed.get(), start, n)
    }
    fn progress(&self, percent: u8) -> bool {
        self.progress.borrow_mut().push(percent);
        self.cancel_at.get().is_none_or(|at| percent < at)
    }
    fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        self.check(|g| g.interface("kv"))?;
        self.kv.borrow().get(key, self.now_ms.get())
    }
    fn kv_put(&self, key: &str, value: &[u8], ttl_s: Option<u32>, if_version: Option<u64>) -> Result<u64, Fault> {
        self.check(|g| g.interface("kv"))?;
        self.kv
            .borrow_mut()
            .put(key, value, ttl_s, if_version, self.now_ms.get())
    }
    fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        self.check(|g| g.interface("kv"))?;
        self.kv.borrow_mut().remove(key);
        Ok(())
    }
    fn secret_versions(&self, name: &str) -> Result<Vec<String>, Fault> {
        self.check(|g| g.interface("secrets"))?;
        match self.secrets.borrow().get(name) {
            Some(versions) => Ok((0..versions.len()).map(|v| v.to_string()).collect()),
            None => Err(Fault::not_found(
                "no_such_secret",
                format!("there is no secret {name:?}"),
            )),
        }
    }
    fn secret_open(&self, name: &str, version: Option<String>) -> Result<SecretRef, Fault> {
        let known = self.secret_versions(name)?;
        let version = version.unwrap_or_else(|| "0".into());
        if !known.contains(&version) {
            return Err(Fault::not_found(
                "no_such_secret",
                format!("{name:?} has no version {version:?}"),
            ));
        }
        Ok(SecretRef {
            name: name.into(),
            version,
        })
    }
    fn secret_size(&self, secret: &SecretRef) -> u32 {
        u32::try_from(self.secret_bytes(secret).len()).unwrap_or(u32::MAX)
    }
    fn reveal(&self, secret: &SecretRef) -> Result<Vec<u8>, Fault> {
        self.check(|g| g.interface("reveal"))?;
        self.check(|g| g.secret_use(&secret.name, "reveal"))?;
        Ok(self.secret_bytes(secret))
    }
    fn digest(&self, alg: &str, data: &[u8]) -> Result<Vec<u8>, Fault> {
        self.check(|g| g.interface("crypto"))?;
        crypto::digest(alg, data)
    }
    fn mac(&self, alg: &str, key: &SecretRef, data: &[u8]) -> Result<Vec<u8>, Fault> {
        crypto::mac(alg, &self.keyed(key, &format!("mac:{alg}"))?, data)
    }
    fn mac_verify(&self, alg: &str, key: &SecretRef, data: &[u8], tag: &[u8]) -> Result<bool, Fault> {
        Ok(self.mac(alg, key, data)? == tag)
    }
    fn sign(&self, alg: &str, key: &SecretRef, data: &[u8]) -> Result<Vec<u8>, Fault> {
        crate::keys::sign_pem(alg, &self.keyed(key, &format!("sign:{alg}"))?, data)
    }
    fn verify(&self, alg: &str, public_key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, Fault> {
        self.check(|g| g.interface("crypto"))?;
        crypto::verify(alg, public_key, data, signature)
    }
    fn open_aead(&self, alg: &str, key: &SecretRef, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        crypto::open_aead(alg, &self.keyed(key, &format!("aead:{alg}"))?, nonce, aad, sealed)
    }
    fn seal_aead(&self, alg: &str, key: &SecretRef, nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        crypto::seal_aead(alg, &self.keyed(key, &format!("aead:{alg}"))?, nonce, aad, plain)
    }
    fn certificate(&self, _der_or_pem: &[u8]) -> Result<CertificateInfo, Fault> {
        Err(Fault::unsupported("reading certificates in the test double"))
    }
    fn send(
        &self,
        request: &HttpRequest,
        credential: Credential<'_>,
        options: &SendOptions,
    ) -> Result<HttpResponse, Fault> {
        self.check(|g| g.interface("http"))?;
        self.check(|g| g.reach(&request.url))?;
        let (request, credential) = http::inject(request, credential, |secret, usage| {
            self.check(|g| g.secret_use(&secret.name, usage))?;
            self.check(|g| g.secret_host(&secret.name, &request.url))?;
            Ok(self.secret_bytes(secret))
        })?;
        self.http.borrow_mut().answer(&Request {
            request,
            credential,
            options: options.clone(),
        })
    }
    fn create_file(&self, name: &str, media_type: &str) -> Result<Box<dyn FileDouble>, Fault> {
        self.check(|g| g.interface("blob"))?;
        self.files.create(name, media_type)
    }
    fn open_dataset(&self, name: &str, filter: &str, as_of_ms: u64) -> Result<Box<dyn RowsDouble>, Fault> {
        self.check(|g| g.interface("datasets"))?;
        self.check(|g| g.dataset(name))?;
        let filter = serde_json::from_str(filter).expect("the filter is JSON");
        self.opened.borrow_mut().push((name.into(), filter, as_of_ms));
        match self.datasets.borrow().get(name) {
            Some(dataset) => Ok(Box::new(dataset.clone().rows())),
            None => Err(Fault::not_found(
                "no_such_dataset",
                format!("there is no dataset {name:?}"),
            )),
        }
    }
}
