//! The same component under wasmtime alone: no grants, limits, breaker, queue, receipts; host functions that do the bare
//! work. What a plugin host costs is measured against this.

use aws_lc_rs::hmac;
use std::num::NonZeroUsize;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{
        Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower, Resource, ResourceType,
    },
};

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
enum Kind {
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "invalid-config")]
    InvalidConfig,
    #[component(name = "invalid-input")]
    InvalidInput,
    #[component(name = "denied")]
    Denied,
    #[component(name = "not-found")]
    NotFound,
    #[component(name = "conflict")]
    Conflict,
    #[component(name = "declined")]
    Declined,
    #[component(name = "expired")]
    Expired,
    #[component(name = "signature-invalid")]
    SignatureInvalid,
    #[component(name = "rate-limited")]
    RateLimited,
    #[component(name = "transport")]
    Transport,
    #[component(name = "provider")]
    Provider,
    #[component(name = "internal")]
    Internal,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct Fault {
    kind: Kind,
    code: String,
    message: String,
    #[component(name = "user-message")]
    user_message: Option<String>,
    #[component(name = "retry-after-ms")]
    retry_after_ms: Option<u32>,
    #[component(name = "outcome-unknown")]
    outcome_unknown: bool,
    #[component(name = "provider-ref")]
    provider_ref: Option<String>,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct Pair {
    key: String,
    value: String,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct Money {
    minor: i64,
    currency: String,
    exponent: u8,
}

#[derive(ComponentType, Lower, Clone, Debug)]
#[component(record)]
struct Context {
    tenant: String,
    installation: String,
    #[component(name = "call-id")]
    call_id: String,
    trace: String,
    locale: String,
    #[component(name = "time-zone")]
    time_zone: String,
    live: bool,
    attempt: u32,
    #[component(name = "budget-ms")]
    budget_ms: u32,
    #[component(name = "base-url")]
    base_url: String,
    extra: String,
}

#[derive(ComponentType, Lower, Clone, Debug)]
#[component(record)]
struct Order {
    id: String,
    amount: Money,
    description: String,
    method: String,
    payer: String,
    capture: bool,
    #[component(name = "return-url")]
    return_url: String,
    #[component(name = "notify-url")]
    notify_url: String,
    #[component(name = "expires-ms")]
    expires_ms: Option<u64>,
    agreement: Option<String>,
    #[component(name = "idempotency-key")]
    idempotency_key: String,
    metadata: Vec<Pair>,
    extra: String,
}

#[derive(ComponentType, Lift, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
enum Status {
    #[component(name = "created")]
    Created,
    #[component(name = "pending")]
    Pending,
    #[component(name = "action-needed")]
    ActionNeeded,
    #[component(name = "authorised")]
    Authorised,
    #[component(name = "paid")]
    Paid,
    #[component(name = "part-refunded")]
    PartRefunded,
    #[component(name = "refunded")]
    Refunded,
    #[component(name = "failed")]
    Failed,
    #[component(name = "cancelled")]
    Cancelled,
    #[component(name = "disputed")]
    Disputed,
    #[component(name = "unknown")]
    Unknown,
}

#[derive(ComponentType, Lift, Clone, Debug)]
#[component(variant)]
enum Action {
    #[component(name = "redirect")]
    Redirect(String),
    #[component(name = "form-post")]
    FormPost((String, Vec<Pair>)),
    #[component(name = "qr")]
    Qr(String),
    #[component(name = "client")]
    Client(String),
    #[component(name = "none")]
    Nothing,
}

#[derive(ComponentType, Lift, Clone, Debug)]
#[component(record)]
struct Payment {
    #[component(name = "provider-ref")]
    provider_ref: String,
    status: Status,
    action: Action,
    paid: Option<Money>,
    fee: Option<Money>,
    #[component(name = "occurred-ms")]
    occurred_ms: Option<u64>,
    state: Vec<u8>,
    raw: String,
}

/// How runaway guests would be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    Epoch,
    Fuel,
    Nothing,
}

struct Key;

/// A component under wasmtime alone.
pub struct Raw {
    engine: Engine,
    pre: InstancePre<()>,
    create: ComponentExportIndex,
    metering: Metering,
    context: Context,
    order: Order,
}

/// As the host makes its own.
pub fn engine(metering: Metering) -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(100)
        .total_core_instances(800)
        .total_memories(200)
        .total_tables(400)
        .total_stacks(100)
        .max_memory_size(512 << 20)
        .table_elements(16 << 10)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut c = Config::new();
    c.wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(metering == Metering::Epoch)
        .consume_fuel(metering == Metering::Fuel)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .wasm_backtrace_max_frames(NonZeroUsize::new(20))
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&c).unwrap()
}

impl Raw {
    /// Compiles the component and links what its ordinary work needs; everything else traps.
    pub fn new(component: &[u8], metering: Metering, config: &str, order: &str) -> Self {
        let engine = engine(metering);
        let component = Component::new(&engine, component).unwrap();
        let mut linker: Linker<()> = Linker::new(&engine);
        let config = config.to_owned();
        linker
            .instance("aistack:host/config@1.0.0")
            .unwrap()
            .func_wrap("get", move |_, (): ()| Ok((config.clone(),)))
            .unwrap();
        let mut secrets = linker.instance("aistack:host/secrets@1.0.0").unwrap();
        secrets
            .resource("secret", ResourceType::host::<Key>(), |_, _| Ok(()))
            .unwrap();
        secrets
            .func_wrap("open", |_, (_, _): (String, Option<String>)| {
                Ok((Ok::<Resource<Key>, Fault>(Resource::new_own(1)),))
            })
            .unwrap();
        // These interfaces name the resource of that one as theirs.
        for interface in ["crypto", "http", "dial", "reveal"] {
            linker
                .instance(&format!("aistack:host/{interface}@1.0.0"))
                .unwrap()
                .resource("secret", ResourceType::host::<Key>(), |_, _| Ok(()))
                .unwrap();
        }
        let mut crypto = linker.instance("aistack:host/crypto@1.0.0").unwrap();
        crypto
            .func_wrap("mac", |_, (_, _, data): (String, Resource<Key>, Vec<u8>)| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, b"newest");
                Ok((Ok::<Vec<u8>, Fault>(hmac::sign(&key, &data).as_ref().to_vec()),))
            })
            .unwrap();
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let payments = component
            .get_export_index(None, "aistack:payment/payments@1.0.0")
            .unwrap();
        let create = component.get_export_index(Some(&payments), "create").unwrap();
        let text = str::to_owned;
        Self {
            pre: linker.instantiate_pre(&component).unwrap(),
            engine,
            create,
            metering,
            context: Context {
                tenant: text("ten_00000000000000000000000000000001"),
                installation: text("ins_00000000000000000000000000000002"),
                call_id: text("cal_00000000000000000000000000000003"),
                trace: String::new(),
                locale: text("en"),
                time_zone: text("Asia/Shanghai"),
                live: false,
                attempt: 1,
                budget_ms: 5_000,
                base_url: text("http://acme.localhost"),
                extra: text("{}"),
            },
            order: Order {
                id: text("ord_0192f0c1a2b3"),
                amount: Money {
                    minor: 1999,
                    currency: text("CNY"),
                    exponent: 2,
                },
                description: text("Plan"),
                method: String::new(),
                payer: text("{}"),
                capture: true,
                return_url: text("https://acme.example.com/back"),
                notify_url: text("https://acme.example.com/hooks/1"),
                expires_ms: None,
                agreement: None,
                idempotency_key: text("k"),
                metadata: vec![],
                extra: order.to_owned(),
            },
        }
    }

    /// One call in a fresh instance; the address it came to.
    pub async fn call(&self) -> String {
        let mut store = Store::new(&self.engine, ());
        match self.metering {
            Metering::Epoch => store.set_epoch_deadline(1_000_000),
            Metering::Fuel => store.set_fuel(1_000_000_000).unwrap(),
            Metering::Nothing => {}
        }
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let create = instance
            .get_typed_func::<(&Context, &Order), (Result<Payment, Fault>,)>(&mut store, &self.create)
            .unwrap();
        let (paid,) = create
            .call_async(&mut store, (&self.context, &self.order))
            .await
            .unwrap();
        match paid.unwrap().action {
            Action::Redirect(url) => url,
            other => panic!("{other:?}"),
        }
    }
}
