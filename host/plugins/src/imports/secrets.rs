//! `secrets` and `reveal`: handles to material that stays with the host.

use super::{Answer, fault};
use crate::{
    call::CallState,
    v1::bindings::{reveal, secrets, types},
};
use aistack_domain::plugins::port::{FaultKind, SecretGrant};
use secrecy::{ExposeSecret, SecretBox};
use wasmtime::component::Resource;

/// A version of a secret, by name and place; the bytes are looked up at each use.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct SecretHandle {
    name: String,
    /// 0 is the newest.
    place: usize,
}

/// A secret that may be used in the asked-for way.
pub(crate) struct Usable<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The bytes.
    pub(crate) bytes: &'a SecretBox<Vec<u8>>,
    /// How it may be used.
    pub(crate) grant: SecretGrant,
}

impl CallState {
    /// The secret behind a handle, when its grant lists the use: `class:detail`, or the whole class.
    pub(crate) fn usable(&self, key: &Resource<SecretHandle>, class: &str, detail: &str) -> Answer<Usable<'_>> {
        let handle = self.table.get(key)?;
        let denied = || {
            let wanted = if detail.is_empty() {
                class.to_owned()
            } else {
                format!("{class}:{detail}")
            };
            fault(
                FaultKind::Denied,
                "use_not_granted",
                format!("secret {:?} is not granted for {wanted}", handle.name),
            )
        };
        let grants = self.inv.powers.now();
        let Some(grant) = grants.secrets.get(&handle.name) else {
            return Ok(Err(denied()));
        };
        if !lists(grant, class, detail) {
            return Ok(Err(denied()));
        }
        let bytes = self.inv.secrets.0.get(&handle.name).and_then(|v| v.get(handle.place));
        Ok(bytes
            .map(|bytes| Usable {
                name: &handle.name,
                bytes,
                grant: grant.clone(),
            })
            .ok_or_else(|| missing(&handle.name)))
    }
}

/// Whether a grant lists the use.
pub(crate) fn lists(grant: &SecretGrant, class: &str, detail: &str) -> bool {
    grant.uses.iter().any(|u| match u.split_once(':') {
        Some((c, d)) => c == class && d == detail,
        None => u == class,
    })
}

fn missing(name: &str) -> types::Fault {
    fault(
        FaultKind::NotFound,
        "secret_not_found",
        format!("there is no secret {:?}", name.chars().take(80).collect::<String>()),
    )
}

/// Opaque to the guest; a number so that it is short.
fn version_name(place: usize) -> String {
    format!("v{place}")
}

impl secrets::Host for CallState {
    fn versions(&mut self, name: String) -> Answer<Vec<String>> {
        enter!(self, "secrets");
        Ok(match self.inv.secrets.0.get(&name) {
            Some(v) if !v.is_empty() => Ok((0..v.len()).map(version_name).collect()),
            _ => Err(missing(&name)),
        })
    }

    fn open(&mut self, name: String, version: Option<String>) -> Answer<Resource<SecretHandle>> {
        enter!(self, "secrets");
        let Some(all) = self.inv.secrets.0.get(&name).filter(|v| !v.is_empty()) else {
            return Ok(Err(missing(&name)));
        };
        let place = match version {
            None => Some(0),
            Some(v) => (0..all.len()).find(|place| version_name(*place) == v),
        };
        match place {
            Some(place) => Ok(Ok(self.table.push(SecretHandle { name, place })?)),
            None => Ok(Err(missing(&name))),
        }
    }
}

impl secrets::HostSecret for CallState {
    fn size(&mut self, key: Resource<SecretHandle>) -> wasmtime::Result<u32> {
        self.charge()?;
        let handle = self.table.get(&key)?;
        let bytes = self.inv.secrets.0.get(&handle.name).and_then(|v| v.get(handle.place));
        Ok(bytes.map_or(0, |b| u32::try_from(b.expose_secret().len()).unwrap_or(u32::MAX)))
    }

    fn drop(&mut self, key: Resource<SecretHandle>) -> wasmtime::Result<()> {
        self.table.delete(key)?;
        Ok(())
    }
}

impl reveal::Host for CallState {
    fn expose(&mut self, key: Resource<SecretHandle>) -> Answer<Vec<u8>> {
        enter!(self, "reveal");
        let shown = match self.usable(&key, "reveal", "")? {
            Ok(u) => u.bytes.expose_secret().clone(),
            Err(f) => return Ok(Err(f)),
        };
        // From here on the guest knows it: what it says is watched.
        let name = self.table.get(&key)?.name.clone();
        self.redact.learn(&name, &shown);
        Ok(Ok(shown))
    }
}
