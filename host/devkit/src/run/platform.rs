//! The platform behind calls, in memory: key-value state, datasets, files, progress, log, receipts.

use crate::{Error, project::Settings};
use aistack_core::{CallId, Timestamp};
use aistack_domain::plugins::port::{
    CallReceipt, Cell, Column, DatasetRows, Fault, FaultKind, FileWriter, HostServices, KvEntry, LogLine,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What one or more calls find and leave behind.
#[derive(Debug, Default)]
pub struct Platform {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kv: BTreeMap<String, KvEntry>,
    kv_bytes: u64,
    kv_keys: u32,
    datasets: BTreeMap<String, (Vec<Column>, Vec<Vec<Cell>>)>,
    files: BTreeMap<String, Vec<u8>>,
    progress: Vec<u8>,
    cancelled: bool,
    lines: Vec<LogLine>,
    receipts: Vec<CallReceipt>,
}

impl Platform {
    /// With the state and the datasets of these settings.
    ///
    /// # Errors
    /// A dataset whose rows don't fit its columns.
    pub fn new(settings: &Settings) -> Result<Arc<Self>, Error> {
        let mut state = State::default();
        for set in &settings.dataset {
            state.datasets.insert(set.name.clone(), (set.columns(), set.cells()?));
        }
        let entry = |(k, v): (&String, &String)| {
            let value = v.clone().into_bytes();
            (k.clone(), KvEntry { value, version: 1 })
        };
        state.kv = settings.kv.iter().map(entry).collect();
        Ok(Arc::new(Self {
            state: Mutex::new(state),
        }))
    }

    /// Datasets as these settings have them; all other state stays.
    ///
    /// # Errors
    /// A dataset whose rows don't fit its columns.
    pub fn provide(&self, settings: &Settings) -> Result<(), Error> {
        let mut datasets = BTreeMap::new();
        for set in &settings.dataset {
            datasets.insert(set.name.clone(), (set.columns(), set.cells()?));
        }
        self.state().datasets = datasets;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one call is given.
    #[must_use]
    pub fn services(self: Arc<Self>) -> Arc<dyn HostServices> {
        Arc::new(Services(self))
    }

    /// Bounds of the key-value space.
    pub(crate) fn limit(&self, bytes: u64, keys: u32) {
        let mut state = self.state();
        (state.kv_bytes, state.kv_keys) = (bytes, keys);
    }

    /// Asks the next run to stop at its first question.
    pub fn cancel(&self) {
        self.state().cancelled = true;
    }

    /// Files that were finished.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().files.clone()
    }

    /// Progress that was reported.
    #[must_use]
    pub fn progress(&self) -> Vec<u8> {
        self.state().progress.clone()
    }

    /// Log lines, of all calls.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.state().lines.clone()
    }

    /// The receipt of the last call.
    #[must_use]
    pub fn receipt(&self) -> Option<CallReceipt> {
        self.state().receipts.last().cloned()
    }

    /// Forgets log, progress, files and receipts; state stays.
    pub fn forget(&self) {
        let mut state = self.state();
        state.files.clear();
        state.progress.clear();
        state.lines.clear();
        state.receipts.clear();
    }

    /// All receipts.
    #[must_use]
    pub fn receipts(&self) -> Vec<CallReceipt> {
        self.state().receipts.clone()
    }
}

struct Services(Arc<Platform>);

fn checked(key: &str) -> Result<(), Fault> {
    if key.is_empty() || key.len() > 256 || key.chars().any(char::is_control) {
        let message = "a key has 1 to 256 bytes and no control characters";
        return Err(Fault::new(FaultKind::InvalidInput, "bad_key", message));
    }
    Ok(())
}

#[async_trait::async_trait]
impl HostServices for Services {
    async fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        checked(key)?;
        Ok(self.0.state().kv.get(key).cloned())
    }

    async fn kv_put(
        &self,
        key: &str,
        value: Vec<u8>,
        _: Option<Duration>,
        if_version: Option<u64>,
    ) -> Result<u64, Fault> {
        checked(key)?;
        let mut state = self.0.state();
        let version = state.kv.get(key).map_or(0, |e| e.version);
        if if_version.is_some_and(|v| v != version) {
            return Err(Fault::new(
                FaultKind::Conflict,
                "version_mismatch",
                "the value changed meanwhile",
            ));
        }
        let others = state.kv.iter().filter(|(k, _)| *k != key);
        let bytes: usize = others.map(|(k, e)| k.len() + e.value.len()).sum::<usize>() + key.len() + value.len();
        let keys = state.kv.len() + usize::from(version == 0);
        if bytes as u64 > state.kv_bytes || keys as u64 > u64::from(state.kv_keys) {
            return Err(Fault::new(FaultKind::Denied, "kv_full", "the key-value space is full"));
        }
        let entry = KvEntry {
            value,
            version: version + 1,
        };
        state.kv.insert(key.to_owned(), entry);
        Ok(version + 1)
    }

    async fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        checked(key)?;
        self.0.state().kv.remove(key);
        Ok(())
    }

    async fn open_dataset(&self, name: &str, _: Value, _: Timestamp) -> Result<Box<dyn DatasetRows>, Fault> {
        let found = self.0.state().datasets.get(name).cloned();
        let (columns, rows) = found.ok_or_else(|| {
            let message = format!("there is no dataset {name:?}; add a [[dataset]] with that name");
            Fault::new(FaultKind::NotFound, "dataset_unknown", message)
        })?;
        Ok(Box::new(Rows {
            columns,
            rows: rows.into_iter(),
        }))
    }

    async fn create_file(&self, name: &str, _: &str) -> Result<Box<dyn FileWriter>, Fault> {
        Ok(Box::new(Writer {
            platform: Arc::clone(&self.0),
            name: name.to_owned(),
            bytes: Vec::new(),
        }))
    }

    fn progress(&self, percent: u8) -> bool {
        let mut state = self.0.state();
        state.progress.push(percent);
        !state.cancelled
    }

    fn log_line(&self, _: CallId, line: &LogLine) {
        self.0.state().lines.push(line.clone());
    }

    fn receipt(&self, receipt: CallReceipt) {
        self.0.state().receipts.push(receipt);
    }
}

struct Rows {
    columns: Vec<Column>,
    rows: std::vec::IntoIter<Vec<Cell>>,
}

#[async_trait::async_trait]
impl DatasetRows for Rows {
    fn columns(&self) -> &[Column] {
        &self.columns
    }
    async fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault> {
        Ok(self.rows.by_ref().take(max as usize).collect())
    }
}

struct Writer {
    platform: Arc<Platform>,
    name: String,
    bytes: Vec<u8>,
}

#[async_trait::async_trait]
impl FileWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<String, Fault> {
        self.platform.state().files.insert(self.name.clone(), self.bytes);
        Ok(self.name)
    }
}
