//! The tenant's traits that money hangs on, method by method: usage, orders, reports.

use super::fixtures::*;
use aistack_core::*;
use aistack_store::*;
use uuid::Uuid;

pub async fn usage(store: &dyn Store, scope: &TenantScope) {
    const HOUR: i64 = 3_600_000;
    let mut tx = store.tenant(scope).await.unwrap();
    let usage = tx.usage();
    // The tests' epoch is not on the hour.
    let base = Timestamp(at(0).0.div_euclid(HOUR * 1000) * HOUR * 1000);
    let first = usage_event("api.calls", 3, base.plus(std::time::Duration::from_secs(1)));
    let same_hour = usage_event("api.calls", 4, base.plus(std::time::Duration::from_secs(3599)));
    let next_hour = usage_event("api.calls", -1, base.plus(std::time::Duration::from_secs(3600)));
    let other = usage_event("tokens", 1000, base);
    for event in [&first, &same_hour, &next_hour, &other] {
        assert!(usage.record(event).await.unwrap());
    }
    let again = UsageEvent {
        id: UsageEventId::new(&Dice, &Dice),
        quantity: 99,
        ..first.clone()
    };
    assert!(
        !usage.record(&again).await.unwrap(),
        "the same source and id count once"
    );
    let bucket = |hour: Timestamp, meter: &str, quantity, events| UsageBucket {
        hour,
        meter: meter.to_owned(),
        quantity,
        events,
    };
    let later = next_hour.occurred_at;
    let (all, end) = (Timestamp(i64::MIN), Timestamp(i64::MAX));
    assert_eq!(
        usage.buckets(None, all, end).await.unwrap(),
        [
            bucket(base, "api.calls", 7, 2),
            bucket(base, "tokens", 1000, 1),
            bucket(later, "api.calls", -1, 1)
        ]
    );
    assert_eq!(
        usage.buckets(Some("api.calls"), base, later).await.unwrap(),
        [bucket(base, "api.calls", 7, 2)],
        "the end is exclusive"
    );
    assert_eq!(usage.events(&page(9), Some("tokens")).await.unwrap(), [other.clone()]);
    assert_eq!(usage.events(&search("TOK"), None).await.unwrap(), [other]);
    assert_eq!(usage.events(&search("USR_1"), None).await.unwrap().len(), 4);
    assert_eq!(usage.events(&page(1), None).await.unwrap().len(), 1);

    // The counter never goes over, and giving back is always possible.
    let window = at(0);
    assert_eq!(usage.counter("m", window).await.unwrap(), 0);
    assert_eq!(usage.count("m", window, 7, Some(10)).await.unwrap(), Some(7));
    assert_eq!(usage.count("m", window, 4, Some(10)).await.unwrap(), None);
    assert_eq!(usage.count("m", window, 3, Some(10)).await.unwrap(), Some(10));
    assert_eq!(usage.count("m", window, 1, Some(i64::MIN)).await.unwrap(), None);
    assert_eq!(usage.count("m", window, -2, Some(5)).await.unwrap(), Some(8));
    assert_eq!(usage.count("m", window, 5, None).await.unwrap(), Some(13));
    assert_eq!(usage.count("m", at(1), 1, Some(0)).await.unwrap(), None);
    assert_eq!(usage.counter("m", window).await.unwrap(), 13);
    assert_eq!(usage.counter("m", at(1)).await.unwrap(), 0);

    let limit = |limit| QuotaOverride {
        meter: "m".to_owned(),
        limit,
        updated_at: at(3),
    };
    usage.set_override(&limit(Some(5))).await.unwrap();
    usage.set_override(&limit(None)).await.unwrap();
    assert_eq!(usage.overrides().await.unwrap(), [limit(None)]);
    assert!(usage.remove_override("m").await.unwrap());
    assert!(!usage.remove_override("m").await.unwrap());
    assert_eq!(usage.overrides().await.unwrap(), []);
}

pub async fn orders(store: &dyn Store, scope: &TenantScope) {
    let installation = InstallationId::new(&Dice, &Dice);
    let mut tx = store.tenant(scope).await.unwrap();
    assert_eq!(tx.orders().next_number().await.unwrap(), 1);
    drop(tx);
    let mut tx = store.tenant(scope).await.unwrap();
    let orders = tx.orders();
    assert_eq!(orders.next_number().await.unwrap(), 1, "a number not used is not lost");
    assert_eq!(orders.next_number().await.unwrap(), 2);
    let keyed = Order {
        idempotency_key: Some("k1".to_owned()),
        ..order(1, installation)
    };
    let plain = order(2, installation);
    orders.insert(&keyed).await.unwrap();
    orders.insert(&plain).await.unwrap();
    assert_eq!(orders.get(keyed.id).await.unwrap().as_ref(), Some(&keyed));
    assert_eq!(orders.find_by_key("k1").await.unwrap().as_ref(), Some(&keyed));
    assert_eq!(orders.find_by_key("k2").await.unwrap(), None);
    let paid = Order {
        status: OrderStatus::Paid,
        provider_ref: Some("PI_abc".to_owned()),
        action: Some("{}".to_owned()),
        plugin_state: vec![],
        paid_minor: Some(1999),
        updated_at: at(8),
        paid_at: Some(at(8)),
        ..keyed.clone()
    };
    assert!(matches!(
        orders.update(&paid, OrderStatus::Pending).await,
        Err(StoreError::Conflict)
    ));
    orders.update(&paid, OrderStatus::Draft).await.unwrap();
    assert_eq!(orders.get(keyed.id).await.unwrap().as_ref(), Some(&paid));
    assert_eq!(orders.list(&search("pi_A"), None).await.unwrap(), [paid.clone()]);
    assert_eq!(orders.list(&search("100%"), None).await.unwrap().len(), 2);
    assert_eq!(
        orders.list(&page(9), Some(OrderStatus::Draft)).await.unwrap(),
        [plain.clone()]
    );

    assert!(orders.claim_event(installation, "evt_1", "paid", at(1)).await.unwrap());
    assert!(!orders.claim_event(installation, "evt_1", "paid", at(2)).await.unwrap());
    let other = InstallationId::new(&Dice, &Dice);
    assert!(orders.claim_event(other, "evt_1", "paid", at(2)).await.unwrap());

    let raw = delivery(installation);
    orders.insert_delivery(&raw).await.unwrap();
    orders
        .set_delivery_status(raw.id, "rejected", Some("bad_signature"))
        .await
        .unwrap();
    let raw = Delivery {
        status: "rejected".to_owned(),
        code: Some("bad_signature".to_owned()),
        ..raw
    };
    assert_eq!(orders.delivery(raw.id).await.unwrap().as_ref(), Some(&raw));
    assert_eq!(orders.deliveries(installation, &page(9)).await.unwrap(), [raw]);
    assert_eq!(orders.deliveries(other, &page(9)).await.unwrap(), []);
    let unknown = DeliveryId(Uuid::nil());
    assert!(matches!(
        orders.set_delivery_status(unknown, "applied", None).await,
        Err(StoreError::Conflict)
    ));
    tx.commit(audit("orders.changed")).await.unwrap();

    // An idempotency key stands for one order.
    let mut tx = store.tenant(scope).await.unwrap();
    let same_key = Order {
        idempotency_key: Some("k1".to_owned()),
        ..order(3, installation)
    };
    assert!(matches!(
        tx.orders().insert(&same_key).await,
        Err(StoreError::AlreadyExists)
    ));
}

pub async fn reports(store: &dyn Store, scope: &TenantScope) {
    let mut tx = store.tenant(scope).await.unwrap();
    let run = report_run(InstallationId::new(&Dice, &Dice));
    tx.reports().insert(&run).await.unwrap();
    assert_eq!(tx.reports().get(run.id).await.unwrap().as_ref(), Some(&run));
    assert!(
        !tx.machinery().set_progress(run.id, 50).await.unwrap(),
        "not running yet"
    );
    let running = ReportRun {
        status: RunStatus::Running,
        ..run.clone()
    };
    tx.reports().update(&running, RunStatus::Queued).await.unwrap();
    assert!(matches!(
        tx.reports().update(&running, RunStatus::Queued).await,
        Err(StoreError::Conflict)
    ));
    assert!(tx.machinery().set_progress(run.id, 150).await.unwrap());
    assert_eq!(tx.reports().get(run.id).await.unwrap().unwrap().progress, 100);
    let failed = ReportRun {
        status: RunStatus::Failed,
        progress: 60,
        error: Some("{}".to_owned()),
        summary: Some("{}".to_owned()),
        finished_at: Some(at(9)),
        ..run.clone()
    };
    tx.reports().update(&failed, RunStatus::Running).await.unwrap();
    assert_eq!(tx.reports().list(&search("USA"), None).await.unwrap(), [failed]);
    assert_eq!(tx.reports().list(&page(9), Some(RunStatus::Queued)).await.unwrap(), []);
    let (one, two) = (file(run.id), file(run.id));
    tx.reports().insert_file(&one).await.unwrap();
    tx.reports().insert_file(&two).await.unwrap();
    assert_eq!(tx.reports().files(run.id).await.unwrap(), [one, two]);
    let orphan = tx.reports().insert_file(&file(ReportRunId(Uuid::nil()))).await;
    assert!(matches!(orphan, Err(StoreError::MissingReference)));
}
