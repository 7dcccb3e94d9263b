//! What the platform does for a component during a call: key-value state, datasets, files, receipts; and what an
//! installation was granted.

use super::{DatasetRows, Fault, FaultKind, FileWriter, Lane, Tape, Use};
use aistack_core::{CallId, InstallationId, RequestId, TenantId, Timestamp, text_enum};
use secrecy::SecretBox;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A stored value of an installation's key-value space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvEntry {
    /// The value.
    pub value: Vec<u8>,
    /// Its version; grows with every write, never 0.
    pub version: u64,
}

/// The platform side of the host imports. One instance serves one call, so tenant and installation are fixed.
#[async_trait::async_trait]
pub trait HostServices: Send + Sync {
    /// Reads a key; expired keys are absent.
    async fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault>;
    /// Writes a key. `if_version`: `Some(0)` = only when absent, `Some(v)` = only when unchanged since `v`; a
    /// mismatch is a `conflict`. Returns the new version.
    async fn kv_put(
        &self,
        key: &str,
        value: Vec<u8>,
        ttl: Option<Duration>,
        if_version: Option<u64>,
    ) -> Result<u64, Fault>;
    /// Removes a key; removing an absent key is fine.
    async fn kv_remove(&self, key: &str) -> Result<(), Fault>;
    /// Opens a granted dataset.
    async fn open_dataset(&self, name: &str, filter: Value, as_of: Timestamp) -> Result<Box<dyn DatasetRows>, Fault>;
    /// Creates a file of the current run.
    async fn create_file(&self, name: &str, media_type: &str) -> Result<Box<dyn FileWriter>, Fault>;
    /// Progress of a long run; false asks the component to stop.
    fn progress(&self, percent: u8) -> bool;
    /// Hears a log line the moment the component writes it, already bounded and scrubbed. Must not wait.
    fn log_line(&self, call: CallId, line: &LogLine) {
        let _ = (call, line);
    }
    /// Asks whether the tenant may make this call now; counts it if so. Must not wait.
    ///
    /// # Errors
    /// A `rate-limited` fault with one of the `tenant_…_exceeded` codes and the time to wait.
    fn admit(&self) -> Result<(), Fault> {
        Ok(())
    }
    /// Counts what the call uses against its tenant's budgets, while it runs. What is used counts in any case. Must not
    /// wait.
    ///
    /// # Errors
    /// As [`HostServices::admit`], once the budget had been used up before: the last piece may go over it.
    fn charge(&self, used: Use) -> Result<(), Fault> {
        let _ = used;
        Ok(())
    }
    /// Takes the receipt of the finished call.
    fn receipt(&self, receipt: CallReceipt);
}

/// Secret material by name; each name has its versions, newest first.
#[derive(Debug, Default)]
pub struct SecretSet(pub BTreeMap<String, Vec<SecretBox<Vec<u8>>>>);

/// What an installation may do: the manifest's declaration, confirmed by whoever enabled it. Anything not named here
/// is not linked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Host interfaces: `log`, `config`, `clock`, `random`, `kv`, `secrets`, `reveal`, `crypto`, `http`,
    /// `dial`, `blob`, `download`, `datasets`.
    pub interfaces: Vec<String>,
    /// Hosts that `http` may reach, `host[:port]`, after `${config.*}` was resolved. Port defaults to 443.
    pub http_hosts: Vec<String>,
    /// Allow plain `http://` and private addresses for these hosts (set by the operator alone, e.g. for an identity
    /// provider on the intranet). Same `host[:port]` form, port defaults to 80.
    pub private_hosts: Vec<String>,
    /// Endpoints that `dial` may reach, `host:port`.
    pub dial_targets: Vec<String>,
    /// Datasets that may be opened.
    pub datasets: Vec<String>,
    /// How each secret may be used.
    pub secrets: BTreeMap<String, SecretGrant>,
    /// Largest key-value space, bytes.
    pub kv_bytes: u64,
    /// Most keys.
    pub kv_keys: u32,
}

/// How a secret may be used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretGrant {
    /// E.g. `mac:HS256`, `sign:RS256`, `http:bearer`, `http:basic`, `reveal`.
    pub uses: Vec<String>,
    /// Hosts into whose requests `http` may inject it.
    pub hosts: Vec<String>,
}

text_enum! {
    /// How a call ended.
    pub enum CallOutcome {
        /// It returned a value.
        Ok = "ok",
        /// It returned a fault.
        Fault = "fault",
        /// The component trapped.
        Trap = "trap",
        /// It ran out of CPU or wall time.
        Timeout = "timeout",
        /// It ran into a memory, traffic or host-call bound.
        Limit = "limit",
        /// It was never started (breaker open, pool full, not loaded), or ended because the installation was switched off.
        Refused = "refused",
    }
}

/// What a call cost, recorded for every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReceipt {
    /// The call.
    pub call: CallId,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Through which installation.
    pub installation: InstallationId,
    /// The plugin's id and version.
    pub plugin: Arc<str>,
    /// The component.
    pub digest: Arc<str>,
    /// Which queue it stood in.
    pub lane: Lane,
    /// The request that caused it.
    pub request: Option<RequestId>,
    /// Operation, e.g. `login.begin`.
    pub operation: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Wall time.
    pub wall: Duration,
    /// Time spent in the guest (wall minus host calls that wait).
    pub guest: Duration,
    /// Turns the guest took on a processor, of [`CallReceipt::TURN`] each, begun ones not counted.
    pub turns: u64,
    /// Peak linear memory, bytes.
    pub memory: u64,
    /// Host calls made.
    pub host_calls: u32,
    /// Bytes sent over HTTP or sockets.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Fault or trap code.
    pub code: Option<String>,
    /// The kind of the fault it came to.
    pub fault: Option<FaultKind>,
    /// Log lines the component emitted, already bounded and scrubbed of control characters.
    pub log: Vec<LogLine>,
    /// What its instructions cost, where the host counts them: in authors' measurements alone.
    pub fuel: Option<u64>,
    /// Where it crashed, innermost first.
    pub frames: Vec<Frame>,
    /// Its journal, when one was kept or followed.
    pub tape: Option<Box<Tape>>,
}

impl CallReceipt {
    /// Length of a turn: what the epoch clock measures CPU time in.
    pub const TURN: Duration = Duration::from_millis(1);
}

/// A place in a component where it crashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function, as far as the component carries names.
    pub function: String,
    /// The source file, relative; as far as the component carries line tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl core::fmt::Display for Frame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line} {}", self.function),
            (Some(file), None) => write!(f, "{file} {}", self.function),
            _ => f.write_str(&self.function),
        }
    }
}

/// One log line of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Text.
    pub message: String,
    /// Fields.
    pub fields: Vec<(String, String)>,
}
