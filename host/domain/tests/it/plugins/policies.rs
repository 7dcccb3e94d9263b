//! What stands over a tenant's grants: the operator's ceilings, the plan, and what all calls together may use.

use crate::world::{PAYMENT, World, component, pointers};
use aistack_core::ProblemKind;
use aistack_domain::{
    Problem, TenantCtx,
    plugins::{
        calls, catalogue,
        installations::{self, InstallationView},
        manifest::CallClass,
        policy::{
            CutBy,
            ceiling::{self, Ceiling},
            terms::{self, Of},
        },
        port::{Fault, Invocation, TENANT_CALLS, TENANT_CPU, TENANT_EGRESS, Use},
        trust::Terms,
    },
    quota::PluginTerms,
    tenancy::{self, TenantPatch},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

async fn ceiling(w: &World, t: Option<&TenantCtx>, grants: Value) -> Result<Ceiling, Problem> {
    let set: Ceiling = serde_json::from_value(grants).unwrap();
    ceiling::set(&w.app, &w.operator(), "test.pay", t.map(|t| t.scope.id()), Some(set)).await
}

async fn own(w: &World, t: &TenantCtx, terms: Value) {
    let set: PluginTerms = serde_json::from_value(terms).unwrap();
    terms::set(&w.app, &w.operator(), Of::Tenant(t.scope.id()), Some(set))
        .await
        .unwrap();
}

async fn see(w: &World, t: &TenantCtx, i: &InstallationView) -> InstallationView {
    installations::get(&w.app, t, i.id).await.unwrap()
}

async fn call(w: &World, t: &TenantCtx, i: &InstallationView) -> Invocation {
    let loaded = calls::load(&w.app, t, i.id, None).await.unwrap();
    calls::invocation(&w.app, t, &loaded, CallClass::Ordinary, json!({}))
}

/// One that can't work without `http`.
async fn networked(w: &World) {
    let bytes = component(PAYMENT, &json!({ "type": "object" }), &["config", "http"]);
    catalogue::install(&w.app, &w.operator(), &bytes, &Terms::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_ceiling_cuts_at_once_and_says_so() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    assert_eq!(
        (made.effective_grants.clone(), made.cuts.len()),
        (made.grants.clone(), 0)
    );
    let running = call(&w, &t, &made).await;
    ceiling(&w, None, json!({ "grants": { "http_hosts": ["*.other.example"] } }))
        .await
        .unwrap();
    assert!(
        running.powers.now().http_hosts.is_empty(),
        "a call in flight hears of it"
    );
    assert_eq!(running.powers.ended(), None);
    let seen = see(&w, &t, &made).await;
    assert_eq!(
        seen.grants.http_hosts,
        ["api.pay.example:443"],
        "what the tenant gave stays"
    );
    assert!(seen.effective_grants.http_hosts.is_empty());
    assert_eq!(
        seen.cuts
            .iter()
            .map(|c| (c.kind, c.what.as_str(), c.by))
            .collect::<Vec<_>>(),
        [("http_hosts", "api.pay.example:443", CutBy::Operator)]
    );
    // Two ceilings: both hold. Opened again, new calls have it, those in flight don't.
    ceiling(&w, None, json!({ "grants": { "http_hosts": ["*.pay.example"] } }))
        .await
        .unwrap();
    assert_eq!(call(&w, &t, &made).await.powers.now().http_hosts.len(), 1);
    assert!(running.powers.now().http_hosts.is_empty());
    ceiling(&w, Some(&t), json!({ "grants": { "secrets": {} } }))
        .await
        .unwrap();
    let now = call(&w, &t, &made).await.powers.now();
    assert_eq!((now.http_hosts.len(), now.secrets.len()), (1, 0));
    let other = w.tenant("globex").await;
    let theirs = w.enable(&other, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    assert_eq!(call(&w, &other, &theirs).await.powers.now().secrets.len(), 1);

    let p = ceiling(
        &w,
        None,
        json!({ "grants": { "interfaces": ["htpp"], "http_hosts": ["a b"] } }),
    )
    .await
    .unwrap_err();
    assert_eq!(
        pointers(&p),
        ["/grants/interfaces/0 not_allowed", "/grants/http_hosts/0 format"]
    );
    assert!(p.errors.iter().all(|e| e.hint.is_some()));
    let nobodys = ceiling::set(&w.app, &w.operator(), "no.such", None, Some(Ceiling::default())).await;
    assert_eq!(nobodys.unwrap_err().kind, ProblemKind::NotFound);
    assert_eq!(w.recorded(None, "plugin.policy_changed").await.len(), 3);
}

#[tokio::test]
async fn a_plugin_that_is_not_allowed_is_neither_enabled_nor_called() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    let running = call(&w, &t, &made).await;
    ceiling(&w, Some(&t), json!({ "allowed": false })).await.unwrap();
    assert_eq!(running.powers.ended(), Some("not_allowed"));
    let p = calls::load(&w.app, &t, made.id, None).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::PluginUnavailable, &json!("not_allowed"))
    );
    let p = w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::PluginRefused, &json!("not_allowed"))
    );
    ceiling::set(&w.app, &w.operator(), "test.pay", Some(t.scope.id()), None)
        .await
        .unwrap();
    call(&w, &t, &made).await;
}

#[tokio::test]
async fn a_plan_says_what_may_be_enabled() {
    let w = World::new().await;
    networked(&w).await;
    let t = w.tenant("acme").await;
    let enable = async |t: &TenantCtx| w.enable(t, "test.pay", json!({}), &[("key", "k")]).await;
    own(&w, &t, json!({ "interfaces": ["secrets"] })).await;
    let p = enable(&t).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"], pointers(&p)),
        (
            ProblemKind::PluginConfigInvalid,
            &json!("not_in_plan"),
            vec!["/grants/interfaces not_in_plan".to_owned()]
        )
    );
    assert!(p.errors[0].hint.as_ref().unwrap().contains("/t/acme/console/usage"));
    own(&w, &t, json!({ "kinds": ["report"] })).await;
    assert_eq!(pointers(&enable(&t).await.unwrap_err()), ["/plugin_id not_in_plan"]);
    own(
        &w,
        &t,
        json!({ "installations": 1, "memory_bytes": 2_097_152, "call_ms": 900, "concurrency": 2 }),
    )
    .await;
    let made = enable(&t).await.unwrap();
    let p = enable(&t).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["meter"]),
        (ProblemKind::QuotaExceeded, &json!("plugins.installations"))
    );
    let limits = call(&w, &t, &made).await.limits;
    assert_eq!(
        (
            limits.memory,
            limits.wall,
            limits.cpu <= limits.wall,
            limits.concurrency
        ),
        (2 << 20, Duration::from_millis(900), true, 2)
    );
    // Taken from the plan while a call runs; then another plan.
    let running = call(&w, &t, &made).await;
    let bare: PluginTerms = serde_json::from_value(json!({ "interfaces": [] })).unwrap();
    terms::set(&w.app, &w.operator(), Of::Plan("basic"), Some(bare))
        .await
        .unwrap();
    terms::set(&w.app, &w.operator(), Of::Tenant(t.scope.id()), None)
        .await
        .unwrap();
    assert!(running.powers.now().interfaces.iter().any(|i| i == "http"));
    let patch = TenantPatch {
        plan: Some("basic".to_owned()),
        ..TenantPatch::default()
    };
    let changed = tenancy::update(&w.app, &w.operator(), &t.tenant, patch).await.unwrap();
    assert!(!running.powers.now().interfaces.iter().any(|i| i == "http"));
    let t = TenantCtx {
        tenant: Arc::new(changed),
        ..t
    };
    let seen = see(&w, &t, &made).await;
    assert!(
        seen.cuts.iter().any(|c| c.what == "http" && c.by == CutBy::Plan),
        "{:?}",
        seen.cuts
    );
    assert_eq!(
        call(&w, &t, &made).await.powers.now().interfaces,
        ["log", "config", "clock", "random", "crypto"]
    );
    let none = terms::get(&w.app, Of::Plan("gold")).await.unwrap_err();
    assert_eq!(none.kind, ProblemKind::NotFound);
}

fn code(done: Result<(), Fault>) -> String {
    done.unwrap_err().code
}

#[tokio::test]
async fn all_calls_of_a_tenant_share_its_budgets() {
    let w = World::new().await;
    let (t, other) = (w.tenant("acme").await, w.tenant("globex").await);
    let made = w.till(&t).await;
    let theirs = w.enable(&other, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    own(
        &w,
        &t,
        json!({ "calls_per_second": 1, "cpu_ms_per_minute": 1_000, "egress_bytes_per_day": 1_000 }),
    )
    .await;
    let one = call(&w, &t, &made).await.services;
    let two = call(&w, &t, &made).await.services;
    for _ in 0..5 {
        one.admit().unwrap();
    }
    assert_eq!(code(two.admit()), TENANT_CALLS);
    call(&w, &other, &theirs).await.services.admit().unwrap();
    w.clock.forward(Duration::from_secs(2));
    two.admit().unwrap();
    one.charge(Use::Cpu(Duration::from_millis(1_200))).unwrap();
    assert_eq!(code(two.charge(Use::Cpu(Duration::ZERO))), TENANT_CPU);
    assert_eq!(code(two.admit()), TENANT_CPU);
    w.clock.forward(Duration::from_secs(61));
    one.charge(Use::Egress(999)).unwrap();
    two.charge(Use::Egress(500)).unwrap();
    assert_eq!(code(one.charge(Use::Egress(1))), TENANT_EGRESS);
    let (_, used) = terms::standing(&w.app, &t);
    assert_eq!((used.cpu_ms, used.egress_bytes), (0, 1_500));
    w.clock.forward(Duration::from_secs(24 * 3_600));
    two.admit().unwrap();
}

#[tokio::test]
async fn the_state_of_all_plugins_has_a_size() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let one = w.connection(&t, json!({})).await;
    let config = json!({ "issuer": "https://idp.example" });
    let two = w
        .enable(&t, "test.idp", config, &[("client_secret", "s")])
        .await
        .unwrap();
    own(&w, &t, json!({ "kv_bytes": 1_000 })).await;
    let (one, two) = (call(&w, &t, &one).await.services, call(&w, &t, &two).await.services);
    one.kv_put("a", vec![0; 600], None, None).await.unwrap();
    let full = two.kv_put("a", vec![0; 600], None, None).await.unwrap_err();
    assert_eq!(full.code, "kv_full");
    two.kv_put("a", vec![0; 300], None, None).await.unwrap();
    two.kv_put("a", vec![0; 200], None, None).await.unwrap();
    one.kv_remove("a").await.unwrap();
    two.kv_put("a", vec![0; 600], None, None).await.unwrap();
}
