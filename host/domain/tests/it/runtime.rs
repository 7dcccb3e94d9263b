//! A plugin runtime that answers from a script. It keeps what it was asked, and nothing else: whatever the domain does
//! with an answer is the domain's doing.

use aistack_domain::plugins::port::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

/// A plugin's answers, first in first out. An operation without an answer left is a failed test.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) begin: Mutex<VecDeque<Result<LoginProgress, Fault>>>,
    pub(crate) resume: Mutex<VecDeque<Result<LoginProgress, Fault>>>,
    pub(crate) create: Mutex<VecDeque<Result<Payment, Fault>>>,
    pub(crate) fetch: Mutex<VecDeque<Result<Payment, Fault>>>,
    pub(crate) cancel: Mutex<VecDeque<Result<Payment, Fault>>>,
    pub(crate) pay_resume: Mutex<VecDeque<Result<Payment, Fault>>>,
    pub(crate) inbound: Mutex<VecDeque<Result<InboundOutcome, Fault>>>,
    pub(crate) reports: Mutex<VecDeque<ReportScript>>,
    /// Translations of configs; without one left, there is nothing to translate.
    pub(crate) migrate: Mutex<VecDeque<Result<Value, Fault>>>,
    /// Faults of `describe`, each once.
    pub(crate) sick: Mutex<Vec<Fault>>,
    /// Versions whose checks say something else.
    pub(crate) odd: Mutex<Vec<String>>,
    /// What was asked, as `operation detail`.
    pub(crate) asked: Mutex<Vec<String>>,
    /// The states handed to `resume`.
    pub(crate) states: Mutex<Vec<Vec<u8>>>,
    /// What runs of regular jobs come to.
    pub(crate) jobs: Mutex<VecDeque<Result<JobRun, Fault>>>,
    /// The document that is published.
    pub(crate) document: Mutex<Option<Document>>,
    /// Components, and what they import.
    loaded: Mutex<BTreeMap<String, Vec<String>>>,
}

/// What a report generator does.
pub(crate) enum ReportScript {
    /// Reads a dataset with this filter and writes its rows, comma separated, into a file.
    Csv { dataset: String, filter: Value },
    /// Writes a file of so many bytes.
    Bytes(usize),
    /// Reports progress until it is told to stop.
    UntilCancelled,
    /// Fails.
    Fail(Fault),
}

impl Script {
    fn note(&self, inv: &Invocation, text: String) {
        assert!(!inv.digest.is_empty() && inv.base_url.starts_with("http://"));
        self.asked.lock().unwrap().push(text);
    }
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn next<T>(queue: &Mutex<VecDeque<T>>, what: &str) -> T {
    let answer = queue.lock().unwrap().pop_front();
    answer.unwrap_or_else(|| panic!("no answer left for {what}"))
}

/// What stands in for a component in these tests: what the runtime would find in it.
#[derive(serde::Deserialize)]
struct Fake {
    manifest: String,
    schema: String,
    imports: Vec<String>,
}

#[async_trait::async_trait]
impl PluginRuntime for Script {
    async fn admit(&self, component: &[u8]) -> Result<Inspection, Refusal> {
        let fake: Fake = serde_json::from_slice(component).map_err(|e| Refusal::NotAComponent(e.to_string()))?;
        let kind = [PluginKind::Identity, PluginKind::Payment, PluginKind::Report]
            .into_iter()
            .find(|k| fake.manifest.contains(&format!("aistack:{k}/")))
            .ok_or_else(|| Refusal::WrongWorld("none".to_owned()))?;
        let digest = hex::encode(Sha256::digest(component));
        self.loaded.lock().unwrap().insert(digest.clone(), fake.imports.clone());
        Ok(Inspection {
            digest,
            kind,
            contract: "1.0.0".to_owned(),
            manifest: fake.manifest,
            config_schema: fake.schema,
            imports: fake.imports,
            size: component.len() as u64,
            payload_sha256: Sha256::digest(component).into(),
            payload_size: component.len() as u64,
            signatures: Vec::new(),
        })
    }
    async fn restore(&self, digest: &str, component: &[u8]) -> Result<(), Refusal> {
        assert_eq!(digest, hex::encode(Sha256::digest(component)));
        self.admit(component).await.map(drop)
    }
    async fn forget(&self, digest: &str) {
        self.loaded.lock().unwrap().remove(digest);
    }
    fn has(&self, digest: &str) -> bool {
        self.loaded.lock().unwrap().contains_key(digest)
    }
    fn check_grants(&self, digest: &str, grants: &Grants) -> Result<(), Refusal> {
        let loaded = self.loaded.lock().unwrap();
        let imports = loaded.get(digest).ok_or_else(|| Refusal::Missing(digest.to_owned()))?;
        let mut missing = imports.clone();
        missing.retain(|i| !grants.interfaces.contains(i));
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Refusal::NotGranted(missing))
        }
    }
    async fn describe(&self, _: Invocation) -> Result<Vec<Feature>, Fault> {
        if let Some(fault) = self.sick.lock().unwrap().pop() {
            return Err(fault);
        }
        Ok(Vec::new())
    }
    async fn check(&self, inv: Invocation, deep: bool) -> Result<Vec<Finding>, Fault> {
        self.note(&inv, format!("check {deep}"));
        let odd = self
            .odd
            .lock()
            .unwrap()
            .iter()
            .any(|v| inv.plugin.ends_with(v.as_str()));
        let message = if odd { "odd" } else { "fine\u{1b}[31m" };
        Ok(vec![Finding {
            field: None,
            ok: true,
            message: message.to_owned(),
        }])
    }
    async fn migrate(&self, inv: Invocation, from_version: &str, config: Value) -> Result<Value, Fault> {
        let answer = self.migrate.lock().unwrap().pop_front();
        let Some(answer) = answer else {
            return Err(Fault::new(
                FaultKind::Unsupported,
                "unsupported",
                "nothing to translate",
            ));
        };
        let g = inv.powers.now();
        let hosts = g.http_hosts.len() + g.dial_targets.len();
        let (secrets, kv) = (g.secrets.len() + inv.secrets.0.len(), g.kv_bytes);
        self.note(
            &inv,
            format!("migrate {from_version} {config} hosts={hosts} secrets={secrets} kv={kv}"),
        );
        answer
    }
    async fn job(&self, inv: Invocation, name: &str, cursor: Option<Vec<u8>>) -> Result<JobRun, Fault> {
        let cursor = cursor.map(|c| String::from_utf8(c).unwrap()).unwrap_or_default();
        self.note(&inv, format!("job {name} {cursor}"));
        next(&self.jobs, "job")
    }
    async fn document(&self, _: Invocation, name: &str) -> Result<Document, Fault> {
        let found = self.document.lock().unwrap().clone().filter(|_| name == "metadata.xml");
        found.ok_or_else(|| Fault::new(FaultKind::NotFound, "no_document", "none of that name"))
    }
    async fn inbound(&self, inv: Invocation, endpoint: &str, request: HttpRequest) -> Result<InboundOutcome, Fault> {
        self.note(
            &inv,
            format!("inbound {endpoint} {}", String::from_utf8_lossy(&request.body)),
        );
        next(&self.inbound, "inbound")
    }
    fn identity(&self) -> &dyn IdentityPort {
        self
    }
    fn payment(&self) -> &dyn PaymentPort {
        self
    }
    fn report(&self) -> &dyn ReportPort {
        self
    }
}

#[async_trait::async_trait]
impl IdentityPort for Script {
    async fn begin(&self, inv: Invocation, start: LoginStart) -> Result<LoginProgress, Fault> {
        self.note(&inv, format!("begin {}", start.return_url));
        next(&self.begin, "begin")
    }
    async fn resume(&self, inv: Invocation, state: Vec<u8>, _: LoginInput) -> Result<LoginProgress, Fault> {
        self.note(&inv, "resume".to_owned());
        self.states.lock().unwrap().push(state);
        next(&self.resume, "resume")
    }
    async fn unsolicited(&self, _: Invocation, _: LoginInput) -> Result<ExternalSession, Fault> {
        Err(Fault::new(FaultKind::Unsupported, "unsupported", "not here"))
    }
    async fn logout(&self, _: Invocation, _: ExternalSession, _: String) -> Result<Option<LoginStep>, Fault> {
        Ok(None)
    }
}

#[async_trait::async_trait]
impl PaymentPort for Script {
    async fn create(&self, inv: Invocation, order: PaymentOrder) -> Result<Payment, Fault> {
        self.note(&inv, format!("create {} {}", order.idempotency_key, order.amount));
        next(&self.create, "create")
    }
    async fn resume(&self, inv: Invocation, _: Payment, back: HttpRequest) -> Result<Payment, Fault> {
        self.note(&inv, format!("resume {}", back.url));
        next(&self.pay_resume, "resume")
    }
    async fn fetch(&self, inv: Invocation, order_id: String, provider_ref: Option<String>) -> Result<Payment, Fault> {
        self.note(&inv, format!("fetch {order_id} {}", provider_ref.unwrap_or_default()));
        next(&self.fetch, "fetch")
    }
    async fn cancel(&self, inv: Invocation, payment: Payment, _: String) -> Result<Payment, Fault> {
        self.note(&inv, format!("cancel {}", payment.provider_ref));
        next(&self.cancel, "cancel")
    }
    async fn refund(&self, _: Invocation, _: Payment, _: Refund) -> Result<Refund, Fault> {
        Err(Fault::new(FaultKind::Unsupported, "unsupported", "not here"))
    }
}

#[async_trait::async_trait]
impl ReportPort for Script {
    async fn run(&self, inv: Invocation, request: ReportRequest) -> Result<Value, Fault> {
        self.note(
            &inv,
            format!("run {} {} {}", request.report, request.format, request.params),
        );
        let services = inv.services.clone();
        match next(&self.reports, "run") {
            ReportScript::Fail(fault) => return Err(fault),
            ReportScript::Bytes(n) => {
                let mut file = services.create_file("data.bin", "application/octet-stream").await?;
                for _ in 0..n.div_ceil(1 << 20) {
                    file.write(&vec![7; (1 << 20).min(n)]).await?;
                }
                file.finish().await?;
            }
            ReportScript::UntilCancelled => {
                let mut file = services.create_file("late.csv", "text/csv").await?;
                file.write(b"x").await?;
                file.finish().await?;
                while services.progress(40) {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
            ReportScript::Csv { dataset, filter } => {
                let as_of = aistack_core::Timestamp(i64::MAX);
                let mut rows = services.open_dataset(&dataset, filter, as_of).await?;
                let mut file = services.create_file("usage.csv", "text/csv; charset=utf-8").await?;
                let names: Vec<String> = rows.columns().iter().map(|c| c.name.clone()).collect();
                file.write(format!("{}\n", names.join(",")).as_bytes()).await?;
                loop {
                    // Two at a time, so that more than one batch is asked for.
                    let batch = rows.next(2).await?;
                    if batch.is_empty() {
                        break;
                    }
                    for row in batch {
                        let cells: Vec<String> = row
                            .into_iter()
                            .map(|c| match c {
                                Cell::Text(t) | Cell::Decimal(t) => t,
                                Cell::Int(n) => n.to_string(),
                                other => panic!("unexpected cell {other:?}"),
                            })
                            .collect();
                        file.write(format!("{}\n", cells.join(",")).as_bytes()).await?;
                    }
                }
                file.finish().await?;
            }
        }
        Ok(serde_json::json!({ "done": true }))
    }
}
