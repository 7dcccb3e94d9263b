//! Rows to test with: every field set to something that tells it apart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each mount uses a part; tests need no reference and may panic"
)]

use aistack_core::*;
use aistack_store::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

static TURN: AtomicU64 = AtomicU64::new(1);

/// A clock and dice that give a new, later value each time.
#[derive(Debug)]
pub struct Dice;

impl Clock for Dice {
    fn now(&self) -> Timestamp {
        at(i64::try_from(TURN.fetch_add(1, Ordering::Relaxed)).unwrap())
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(TURN.fetch_add(1, Ordering::Relaxed))
    }
}
impl Rng for Dice {
    fn fill(&self, buf: &mut [u8]) {
        let turn = TURN.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (i, byte) in buf.iter_mut().enumerate() {
            *byte = turn[i % 8];
        }
    }
}

/// So many milliseconds after the tests' epoch.
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + ms)
}

/// A fresh number.
pub fn turn() -> u64 {
    TURN.fetch_add(1, Ordering::Relaxed)
}

pub fn audit_entry(action: &str) -> AuditEntry {
    AuditEntry {
        id: AuditEventId::new(&Dice, &Dice),
        at: Dice.now(),
        action: action.to_owned(),
        actor_kind: ActorKind::System,
        actor_id: None,
        target_kind: "thing".to_owned(),
        target_id: "thing_1".to_owned(),
        outcome: Outcome::Ok,
        request_id: None,
        body: format!("{{\"action\":\"{action}\",\"n\":{}}}", turn()).into_bytes(),
    }
}

pub fn audit(action: &str) -> Audit {
    Audit::one(audit_entry(action))
}

pub fn demo_tenant(slug: &str, isolation: Isolation) -> Tenant {
    Tenant {
        id: TenantId::new(&Dice, &Dice),
        slug: slug.to_owned(),
        name: format!("Tenant {slug}"),
        status: TenantStatus::Active,
        plan: "starter".to_owned(),
        isolation,
        locale: "en".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        currency: "EUR".to_owned(),
        demo_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// Adds a tenant with storage and answers its scope.
pub async fn scope_of(store: &dyn Store, slug: &str, isolation: Isolation) -> TenantScope {
    let tenant = demo_tenant(slug, isolation);
    let mut tx = store.platform().await.unwrap();
    tx.tenants().insert(&tenant).await.unwrap();
    tx.commit(audit("tenant.created")).await.unwrap();
    let scope = store.scope(tenant.id).await.unwrap().expect("just made");
    store.provision(&scope).await.unwrap();
    scope
}

pub fn operator(email: &str) -> Operator {
    Operator {
        id: OperatorId::new(&Dice, &Dice),
        email: email.to_owned(),
        name: "Olga".to_owned(),
        password_hash: "$argon2id$…".to_owned(),
        role: OperatorRole::Viewer,
        created_at: at(1),
        disabled_at: Some(at(2)),
    }
}

pub fn session(person: Uuid) -> Session {
    Session {
        id: SessionId::new(&Dice, &Dice),
        id_hash: turn().to_be_bytes().repeat(4),
        person,
        csrf_token: "csrf".to_owned(),
        method: "password".to_owned(),
        created_at: at(1),
        last_seen_at: at(2),
        expires_at: at(1_000_000),
        revoked_at: None,
    }
}

pub fn user(email: &str, name: &str) -> User {
    User {
        id: UserId::new(&Dice, &Dice),
        email: email.to_owned(),
        email_verified_at: Some(at(3)),
        name: name.to_owned(),
        role: Role::Member,
        status: UserStatus::Active,
        password_hash: None,
        locale: Some("zh-CN".to_owned()),
        created_at: at(1),
        updated_at: at(2),
        last_login_at: None,
    }
}

pub fn installation(kind: &str) -> Installation {
    Installation {
        id: InstallationId::new(&Dice, &Dice),
        plugin_id: format!("official.{kind}"),
        version: "1.2.3".to_owned(),
        digest: "ab".repeat(32),
        kind: kind.to_owned(),
        name: format!("Our {kind}"),
        config: "{\"a\":1}".to_owned(),
        grants: "[]".to_owned(),
        status: InstallationStatus::Active,
        endpoint_key: "k".to_owned(),
        generation: 1,
        pinned: 0,
        previous: None,
        pending: None,
        created_at: at(1),
        updated_at: at(1),
    }
}

pub fn usage_event(meter: &str, quantity: i64, occurred_at: Timestamp) -> UsageEvent {
    UsageEvent {
        id: UsageEventId::new(&Dice, &Dice),
        source: "gateway".to_owned(),
        event_id: format!("e{}", turn()),
        meter: meter.to_owned(),
        quantity,
        subject: "usr_1".to_owned(),
        dimensions: "{\"model\":\"x\"}".to_owned(),
        occurred_at,
        ingested_at: at(5),
    }
}

pub fn order(number: i64, installation_id: InstallationId) -> Order {
    Order {
        id: OrderId::new(&Dice, &Dice),
        number,
        amount_minor: 1999,
        currency: Currency::CNY,
        description: "Größe 100% – 套餐".to_owned(),
        status: OrderStatus::Draft,
        installation_id,
        provider_ref: None,
        action: None,
        plugin_state: vec![0, 1, 255],
        idempotency_key: None,
        paid_minor: None,
        created_by: Some(Uuid::from_u128(9)),
        created_at: at(1),
        updated_at: at(1),
        paid_at: None,
    }
}

pub fn delivery(installation_id: InstallationId) -> Delivery {
    Delivery {
        id: DeliveryId::new(&Dice, &Dice),
        installation_id,
        endpoint: "webhook".to_owned(),
        headers: "[[\"a\",\"b\"]]".to_owned(),
        body: b"\x00raw\xff".to_vec(),
        received_at: at(4),
        status: "received".to_owned(),
        code: None,
    }
}

pub fn report_run(installation_id: InstallationId) -> ReportRun {
    ReportRun {
        id: ReportRunId::new(&Dice, &Dice),
        installation_id,
        report: "Usage".to_owned(),
        format: "csv".to_owned(),
        params: "{}".to_owned(),
        status: RunStatus::Queued,
        progress: 0,
        error: None,
        summary: None,
        requested_by: Some(Uuid::from_u128(8)),
        created_at: at(1),
        finished_at: None,
    }
}

pub fn file(run_id: ReportRunId) -> FileRow {
    FileRow {
        id: FileId::new(&Dice, &Dice),
        run_id,
        name: "usage.csv".to_owned(),
        media_type: "text/csv".to_owned(),
        bytes: 12,
        sha256: "cd".repeat(32),
        object_key: "a/b".to_owned(),
        created_at: at(6),
    }
}

pub fn job(kind: &str, run_at: Timestamp) -> Job {
    Job {
        id: JobId::new(&Dice, &Dice),
        tenant_id: None,
        kind: kind.to_owned(),
        payload: "{}".to_owned(),
        state: JobState::Ready,
        attempts: 0,
        max_attempts: 2,
        run_at,
        lease_until: None,
        last_error: None,
        created_at: at(1),
        updated_at: at(1),
    }
}

pub fn plugin_version(plugin_id: &str, digest: &str) -> PluginVersion {
    PluginVersion {
        id: PluginVersionId::new(&Dice, &Dice),
        plugin_id: plugin_id.to_owned(),
        version: "1.0.0".to_owned(),
        kind: "payment".to_owned(),
        contract: "1.0.0".to_owned(),
        digest: digest.to_owned(),
        size: 7,
        publisher: "official".to_owned(),
        manifest: "{}".to_owned(),
        config_schema: "{}".to_owned(),
        imports: "[]".to_owned(),
        installed_at: Dice.now(),
    }
}

pub fn route(tenant_id: Option<TenantId>, path_prefix: &str) -> Route {
    Route {
        id: RouteId::new(&Dice, &Dice),
        tenant_id,
        path_prefix: path_prefix.to_owned(),
        upstream: "http://127.0.0.1:9".to_owned(),
        meter: "api.calls".to_owned(),
        strip_prefix: 1,
        timeout_ms: 1000,
        created_at: at(1),
        updated_at: at(1),
    }
}

pub fn login(installation_id: InstallationId, expires_at: Timestamp) -> PendingLogin {
    PendingLogin {
        id: LoginId::new(&Dice, &Dice),
        browser_hash: vec![7; 32],
        installation_id,
        purpose: "login".to_owned(),
        return_to: "/".to_owned(),
        state: vec![1, 2],
        expires_at,
        created_at: at(1),
    }
}

pub fn call(installation_id: InstallationId, started_at: Timestamp, outcome: &str) -> CallRow {
    CallRow {
        id: CallId::new(&Dice, &Dice),
        installation_id,
        request_id: Some(RequestId::new(&Dice, &Dice)),
        operation: "pay".to_owned(),
        started_at,
        wall_us: 1,
        guest_us: 2,
        memory: 3,
        host_calls: 4,
        bytes_out: 5,
        bytes_in: 6,
        outcome: outcome.to_owned(),
        code: None,
        log: "[]".to_owned(),
        plugin: "official.pay 1.0.0".to_owned(),
        digest: "cd".repeat(32),
        lane: "ordinary".to_owned(),
        turns: 7,
        frames: "[]".to_owned(),
    }
}

pub fn message(kind: &str, created_at: Timestamp) -> OutboxMessage {
    OutboxMessage {
        id: JobId::new(&Dice, &Dice),
        kind: kind.to_owned(),
        payload: "{\"x\":1}".to_owned(),
        run_at: at(0),
        max_attempts: 5,
        created_at,
    }
}

pub fn page(limit: i64) -> Page {
    Page {
        limit,
        ..Page::default()
    }
}

pub fn search(q: &str) -> Page {
    Page {
        q: Some(q.to_owned()),
        ..Page::default()
    }
}
