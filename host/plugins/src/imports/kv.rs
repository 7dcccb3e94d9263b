//! `kv`: checks what a guest hands in; the space itself belongs to the platform (`HostServices`).

use super::{Answer, fault};
use crate::{
    call::CallState,
    checks::names,
    v1::{
        bindings::{kv, types},
        convert::fault_out,
    },
};
use aistack_domain::plugins::port::FaultKind;
use std::time::Duration;

fn check_key(key: &str) -> Result<(), types::Fault> {
    names::key(key).map_err(fault_out)
}

impl kv::Host for CallState {
    async fn get(&mut self, key: String) -> Answer<Option<kv::Entry>> {
        enter!(self, "kv");
        if let Err(f) = check_key(&key) {
            return Ok(Err(f));
        }
        let found = self.inv.services.kv_get(&key).await;
        Ok(found
            .map(|e| {
                e.map(|e| kv::Entry {
                    value: e.value,
                    version: e.version,
                })
            })
            .map_err(fault_out))
    }

    async fn put(&mut self, key: String, value: Vec<u8>, ttl_s: Option<u32>, if_version: Option<u64>) -> Answer<u64> {
        enter!(self, "kv");
        if let Err(f) = check_key(&key) {
            return Ok(Err(f));
        }
        if let Err(f) = names::value(&value) {
            return Ok(Err(fault_out(f)));
        }
        // What is stored outlives the call, and with it every rule about the secret.
        if self.redact.occurs_in(key.as_bytes()) || self.redact.occurs_in(&value) {
            return Ok(Err(fault(
                FaultKind::Denied,
                "secret_in_state",
                "a secret of the installation must not be stored",
            )));
        }
        let ttl = ttl_s.map(|s| Duration::from_secs(s.into()));
        let written = self.inv.services.kv_put(&key, value, ttl, if_version).await;
        Ok(written.map_err(fault_out))
    }

    async fn remove(&mut self, key: String) -> Answer<()> {
        enter!(self, "kv");
        if let Err(f) = check_key(&key) {
            return Ok(Err(f));
        }
        Ok(self.inv.services.kv_remove(&key).await.map_err(fault_out))
    }
}
