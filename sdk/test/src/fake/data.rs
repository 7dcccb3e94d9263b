//! Key-value state, datasets, files and log lines of the double.

use aistack_sdk::Fault;
use aistack_sdk::host::{Cell, Column, FileDouble, KvEntry, Level, RowsDouble};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// A log line.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// How important.
    pub level: Level,
    /// Text.
    pub message: String,
    /// Fields.
    pub fields: Vec<(String, String)>,
}

#[derive(Default)]
pub(super) struct Kv {
    entries: BTreeMap<String, (KvEntry, Option<u64>)>,
    writes: u64,
}

impl Kv {
    fn live(&self, key: &str, now_ms: u64) -> Option<&KvEntry> {
        self.entries
            .get(key)
            .filter(|(_, until)| until.is_none_or(|u| now_ms < u))
            .map(|(e, _)| e)
    }

    pub(super) fn keys(&self, now_ms: u64) -> Vec<String> {
        self.entries
            .keys()
            .filter(|k| self.live(k, now_ms).is_some())
            .cloned()
            .collect()
    }

    pub(super) fn get(&self, key: &str, now_ms: u64) -> Result<Option<KvEntry>, Fault> {
        check_key(key)?;
        Ok(self.live(key, now_ms).cloned())
    }

    pub(super) fn put(
        &mut self,
        key: &str,
        value: &[u8],
        ttl_s: Option<u32>,
        if_version: Option<u64>,
        now_ms: u64,
    ) -> Result<u64, Fault> {
        check_key(key)?;
        if value.len() > 64 << 10 {
            return Err(Fault::invalid_input("kv_value_too_large", "a value has at most 64 KiB"));
        }
        let current = self.live(key, now_ms).map_or(0, |e| e.version);
        if if_version.is_some_and(|v| v != current) {
            return Err(Fault::conflict("kv_version", "the key changed meanwhile"));
        }
        self.writes += 1;
        let entry = KvEntry {
            value: value.to_vec(),
            version: self.writes,
        };
        self.entries
            .insert(key.into(), (entry, ttl_s.map(|s| now_ms + u64::from(s) * 1000)));
        Ok(self.writes)
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.is_empty() || key.len() > 256 || key.chars().any(char::is_control) {
        return Err(Fault::invalid_input(
            "kv_key",
            "keys are 1 to 256 bytes without control characters",
        ));
    }
    Ok(())
}

#[derive(Clone)]
pub(super) struct Dataset {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Dataset {
    pub(super) fn rows(self) -> impl RowsDouble {
        OpenRows {
            columns: self.columns,
            rows: self.rows.into_iter(),
        }
    }
}

struct OpenRows {
    columns: Vec<Column>,
    rows: std::vec::IntoIter<Vec<Cell>>,
}

impl RowsDouble for OpenRows {
    fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }
    fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault> {
        Ok(self
            .rows
            .by_ref()
            .take(usize::try_from(max).unwrap_or(usize::MAX))
            .collect())
    }
}

#[derive(Default)]
struct Shelf {
    finished: BTreeMap<String, Vec<u8>>,
    started: usize,
}

#[derive(Default)]
pub(super) struct Files(Rc<RefCell<Shelf>>);

impl Files {
    pub(super) fn create(&self, name: &str, _media_type: &str) -> Result<Box<dyn FileDouble>, Fault> {
        let plain = !name.is_empty()
            && name.chars().count() <= 128
            && !name.chars().any(|c| c == '/' || c == '\\' || c.is_control());
        if !plain {
            return Err(Fault::invalid_input("file_name", "not a plain file name"));
        }
        self.0.borrow_mut().started += 1;
        Ok(Box::new(OpenFile {
            shelf: self.0.clone(),
            name: name.into(),
            bytes: Vec::new(),
        }))
    }

    pub(super) fn finished(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.borrow().finished.clone()
    }

    pub(super) fn started(&self) -> usize {
        self.0.borrow().started
    }
}

struct OpenFile {
    shelf: Rc<RefCell<Shelf>>,
    name: String,
    bytes: Vec<u8>,
}

impl FileDouble for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
    fn finish(self: Box<Self>) -> Result<String, Fault> {
        self.shelf.borrow_mut().finished.insert(self.name.clone(), self.bytes);
        Ok(self.name)
    }
}
