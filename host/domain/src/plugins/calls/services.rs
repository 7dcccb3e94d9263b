//! The platform side of the host imports during one call. Tenant and installation are fixed here: nothing a guest says
//! can name another one.

use super::{receipts::Queue, run::RunContext};
use crate::{
    plugins::{
        budgets::Budgets,
        observe::{LogEvent, Observer},
        port::{CallReceipt, DatasetRows, Fault, FaultKind, FileWriter, Grants, HostServices, KvEntry, LogLine, Use},
        quarantine::Held,
        recordings::Recordings,
        releases::Releases,
    },
    quota::PluginTerms,
};
use aistack_core::{CallId, Clock, InstallationId, TenantScope, Timestamp};
use aistack_store::{Store, StoreError};
use serde_json::Value;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Longest key.
const MAX_KEY: usize = 256;
/// Longest life of a value that says when it ends.
const MAX_TTL: Duration = Duration::from_secs(400 * 24 * 3600);

pub(super) struct Services {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) scope: TenantScope,
    pub(super) installation: InstallationId,
    pub(super) grants: Arc<Grants>,
    pub(super) receipts: Arc<Queue>,
    pub(super) observer: Arc<Observer>,
    pub(super) held: Arc<Held>,
    pub(super) budgets: Arc<Budgets>,
    pub(super) terms: Arc<PluginTerms>,
    pub(super) releases: Arc<Releases>,
    pub(super) recordings: Arc<Recordings>,
    pub(super) run: Option<Arc<RunContext>>,
}

fn store_fault(e: &StoreError) -> Fault {
    match e {
        StoreError::Conflict | StoreError::AlreadyExists => {
            Fault::new(FaultKind::Conflict, "version_mismatch", "the value changed meanwhile")
        }
        StoreError::MissingReference => Fault::new(FaultKind::NotFound, "gone", "the installation was removed"),
        StoreError::Unavailable(_) | StoreError::Corrupt(_) | StoreError::Backend(_) => {
            tracing::error!(error = %crate::problem::error_chain(e), "key-value state of a plugin failed");
            Fault::new(
                FaultKind::Internal,
                "state_unavailable",
                "the platform's state store failed",
            )
        }
    }
}

fn checked(key: &str) -> Result<&str, Fault> {
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(Fault::new(
            FaultKind::InvalidInput,
            "bad_key",
            format!("a key has 1 to {MAX_KEY} bytes and no control characters"),
        ));
    }
    Ok(key)
}

impl Services {
    /// Whether the space has room for this value in place of what the key holds now.
    fn room(
        &self,
        used: aistack_store::KvUse,
        all: i64,
        key: &str,
        old: Option<usize>,
        new: usize,
    ) -> Result<(), Fault> {
        let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let entry = |value: usize| signed(key.len()).saturating_add(signed(value));
        let more = entry(new) - old.map_or(0, entry);
        let bytes = used.bytes.saturating_add(more);
        let keys = used.keys + i64::from(old.is_none());
        let most = i64::try_from(self.grants.kv_bytes).unwrap_or(i64::MAX);
        if bytes > most || keys > i64::from(self.grants.kv_keys) {
            return Err(Fault::new(
                FaultKind::Denied,
                "kv_full",
                format!(
                    "the key-value space is full ({most} bytes, {} keys)",
                    self.grants.kv_keys
                ),
            ));
        }
        let tenant = self.terms.kv_bytes.map(|b| i64::try_from(b).unwrap_or(i64::MAX));
        if let Some(most) = tenant.filter(|most| more > 0 && all.saturating_add(more) > *most) {
            return Err(Fault::new(
                FaultKind::Denied,
                "kv_full",
                format!("the key-value spaces of all the tenant's plugins together are full ({most} bytes)"),
            ));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl HostServices for Services {
    async fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        let key = checked(key)?;
        let mut read = self.store.tenant_read(&self.scope).await.map_err(|e| store_fault(&e))?;
        let row = read
            .machinery()
            .kv_get(self.installation, key)
            .await
            .map_err(|e| store_fault(&e))?;
        let now = self.clock.now();
        Ok(row
            .filter(|r| r.expires_at.is_none_or(|end| end > now))
            .map(|r| KvEntry {
                value: r.value,
                version: u64::try_from(r.version).unwrap_or(0),
            }))
    }

    async fn kv_put(
        &self,
        key: &str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        if_version: Option<u64>,
    ) -> Result<u64, Fault> {
        let key = checked(key)?;
        let now = self.clock.now();
        let expires_at = ttl.map(|t| now.plus(t.min(MAX_TTL)));
        let expected = if_version
            .map(|v| i64::try_from(v).map_err(|_| store_fault(&StoreError::Conflict)))
            .transpose()?;
        let mut machine = self
            .store
            .tenant_machine(&self.scope)
            .await
            .map_err(|e| store_fault(&e))?;
        let written = async {
            let m = machine.machinery();
            let old = m.kv_get(self.installation, key).await.map_err(|e| store_fault(&e))?;
            let used = m.kv_use(self.installation).await.map_err(|e| store_fault(&e))?;
            // Only a tenant with a limit is summed up.
            let all = match self.terms.kv_bytes {
                Some(_) => m.kv_total().await.map_err(|e| store_fault(&e))?,
                None => 0,
            };
            self.room(used, all, key, old.map(|o| o.value.len()), value.len())?;
            m.kv_put(self.installation, key, &value, expires_at, expected, now)
                .await
                .map_err(|e| store_fault(&e))
        }
        .await?;
        machine.commit().await.map_err(|e| store_fault(&e))?;
        Ok(u64::try_from(written).unwrap_or(0))
    }

    async fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        let key = checked(key)?;
        let mut machine = self
            .store
            .tenant_machine(&self.scope)
            .await
            .map_err(|e| store_fault(&e))?;
        machine
            .machinery()
            .kv_remove(self.installation, key)
            .await
            .map_err(|e| store_fault(&e))?;
        machine.commit().await.map_err(|e| store_fault(&e))
    }

    async fn open_dataset(&self, name: &str, filter: Value, as_of: Timestamp) -> Result<Box<dyn DatasetRows>, Fault> {
        let run = self.run.as_ref().ok_or_else(outside_run)?;
        if !self.grants.datasets.iter().any(|d| d == name) {
            return Err(Fault::new(
                FaultKind::Denied,
                "dataset_not_granted",
                format!("dataset {:?} is not granted", name.chars().take(80).collect::<String>()),
            ));
        }
        run.datasets.open(name, filter, as_of).await
    }

    async fn create_file(&self, name: &str, media_type: &str) -> Result<Box<dyn FileWriter>, Fault> {
        let run = self.run.as_ref().ok_or_else(outside_run)?;
        run.create(name, media_type).await
    }

    fn progress(&self, percent: u8) -> bool {
        let Some(run) = &self.run else { return true };
        run.percent.fetch_max(percent.min(100), Ordering::Relaxed);
        !run.cancelled.load(Ordering::Relaxed)
    }

    fn log_line(&self, call: CallId, line: &LogLine) {
        self.observer.log(|| LogEvent {
            tenant: self.scope.id(),
            installation: self.installation,
            call,
            line: line.clone(),
        });
    }

    fn admit(&self) -> Result<(), Fault> {
        let now = (self.clock.now(), self.clock.monotonic());
        self.budgets.admit(self.scope.id(), &self.terms, now)
    }

    fn charge(&self, used: Use) -> Result<(), Fault> {
        let now = (self.clock.now(), self.clock.monotonic());
        self.budgets.charge(self.scope.id(), &self.terms, used, now)
    }

    fn receipt(&self, mut receipt: CallReceipt) {
        self.recordings.settle(&mut receipt);
        self.observer.call(&self.scope, &receipt, self.clock.monotonic());
        self.held.note(&receipt, self.clock.monotonic());
        self.releases.note(&receipt);
        self.receipts.push(receipt);
    }
}

fn outside_run() -> Fault {
    Fault::new(
        FaultKind::Denied,
        "not_in_a_run",
        "datasets and files belong to report runs",
    )
}
