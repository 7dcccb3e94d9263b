//! What a report run adds to a call: the datasets it may open, the files it writes, its progress.

use crate::{
    plugins::{
        error::clean,
        port::{DatasetRows, Fault, FaultKind, FileWriter},
    },
    port::{ObjectError, ObjectKey, ObjectWriter, Objects},
};
use aistack_core::{Clock, FileId, ReportRunId, Rng, TenantScope, Timestamp};
use serde_json::Value;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

/// Largest total of one run's files.
const MAX_RUN_BYTES: u64 = 64 << 20;
/// Most files of one run.
const MAX_FILES: usize = 8;

/// Opens datasets by name, filtered to the tenant. Implemented by `reports`.
#[async_trait::async_trait]
pub trait Datasets: Send + Sync {
    /// Opens one.
    async fn open(&self, name: &str, filter: Value, as_of: Timestamp) -> Result<Box<dyn DatasetRows>, Fault>;
}

/// A file that a run has written completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducedFile {
    /// Id.
    pub id: FileId,
    /// Name for people.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// Where it lies.
    pub key: ObjectKey,
}

/// One run, shared between its call and whoever watches it.
pub struct RunContext {
    /// The run.
    pub run: ReportRunId,
    /// Its tenant.
    pub scope: TenantScope,
    /// Datasets.
    pub datasets: Box<dyn Datasets>,
    /// Files.
    pub objects: Arc<dyn Objects>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// 0..=100.
    pub percent: AtomicU8,
    /// Set when the run was cancelled: the component is asked to stop.
    pub cancelled: AtomicBool,
    /// Whether files may be written: a check of the configuration reads only.
    writes: bool,
    bytes: AtomicU64,
    opened: Mutex<usize>,
    files: Mutex<Vec<ProducedFile>>,
}

impl RunContext {
    /// A run that starts.
    #[must_use]
    pub fn new(
        run: ReportRunId,
        scope: TenantScope,
        datasets: Box<dyn Datasets>,
        objects: Arc<dyn Objects>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self {
            run,
            scope,
            datasets,
            objects,
            clock,
            rng,
            percent: AtomicU8::new(0),
            cancelled: AtomicBool::new(false),
            writes: true,
            bytes: AtomicU64::new(0),
            opened: Mutex::new(0),
            files: Mutex::default(),
        }
    }

    /// The same without files: for checks, which may read what a run reads.
    #[must_use]
    pub fn reading(self) -> Self {
        Self { writes: false, ..self }
    }

    /// Takes the files written so far.
    #[must_use]
    pub fn take_files(&self) -> Vec<ProducedFile> {
        std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn create(self: &Arc<Self>, name: &str, media_type: &str) -> Result<Box<dyn FileWriter>, Fault> {
        if !self.writes {
            return Err(Fault::new(FaultKind::Denied, "not_in_a_run", "a check writes no files"));
        }
        {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if *opened >= MAX_FILES {
                return Err(Fault::new(
                    FaultKind::Denied,
                    "too_many_files",
                    format!("a run writes at most {MAX_FILES} files"),
                ));
            }
            *opened += 1;
        }
        let name = file_name(name).ok_or_else(|| {
            Fault::new(
                FaultKind::InvalidInput,
                "file_name",
                "the file name is empty or not a plain name",
            )
        })?;
        let media_type = media_type_of(media_type).ok_or_else(|| {
            Fault::new(
                FaultKind::InvalidInput,
                "media_type",
                "the media type is not type/subtype",
            )
        })?;
        let id = FileId::new(&*self.clock, &*self.rng);
        let key = ObjectKey::tenant(&self.scope, &["reports", &self.run.to_string(), &id.to_string()])
            .ok_or_else(|| Fault::new(FaultKind::Internal, "object_key", "the run has no place for files"))?;
        let writer = self.objects.create(&key).await.map_err(|e| storage(&e))?;
        Ok(Box::new(RunFile {
            run: Arc::clone(self),
            writer,
            file: ProducedFile {
                id,
                name,
                media_type,
                bytes: 0,
                sha256: String::new(),
                key,
            },
        }))
    }
}

fn storage(e: &ObjectError) -> Fault {
    tracing::error!(error = %crate::problem::error_chain(e), "a report file can't be written");
    Fault::new(FaultKind::Internal, "file_store", "the file can't be written")
}

/// A plain file name: no path, no control characters, none that mean something to a shell or a header.
fn file_name(name: &str) -> Option<String> {
    let name = clean(name, 120);
    let bad = |c: char| "/\\:*?\"<>|;%".contains(c);
    (!name.is_empty() && !name.starts_with('.') && !name.contains(bad)).then_some(name)
}

/// `type/subtype` with an optional charset, nothing that a header could be split with.
fn media_type_of(text: &str) -> Option<String> {
    let token = |s: &str| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let (kind, charset) = text.split_once(';').map_or((text, None), |(k, c)| (k, Some(c.trim())));
    let (major, minor) = kind.trim().split_once('/')?;
    let charset_ok = charset.is_none_or(|c| c.strip_prefix("charset=").is_some_and(token));
    (text.len() <= 120 && token(major) && token(minor) && charset_ok).then(|| text.trim().to_ascii_lowercase())
}

struct RunFile {
    run: Arc<RunContext>,
    writer: Box<dyn ObjectWriter>,
    file: ProducedFile,
}

#[async_trait::async_trait]
impl FileWriter for RunFile {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let add = bytes.len() as u64;
        let before = self.run.bytes.fetch_add(add, Ordering::Relaxed);
        if before.saturating_add(add) > MAX_RUN_BYTES {
            return Err(Fault::new(
                FaultKind::Denied,
                "file_too_large",
                format!("the files of one run have at most {} MiB", MAX_RUN_BYTES >> 20),
            ));
        }
        self.writer.write(bytes).await.map_err(|e| storage(&e))
    }

    async fn finish(self: Box<Self>) -> Result<String, Fault> {
        let Self { run, writer, mut file } = *self;
        let (bytes, sha256) = writer.finish().await.map_err(|e| storage(&e))?;
        file.bytes = bytes;
        file.sha256 = sha256;
        let name = file.name.clone();
        run.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        Ok(name)
    }
}
