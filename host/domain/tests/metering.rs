//! Metering against a real store: events count once, in the hour and window in which they happened.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../testing/mod.rs"]
mod testing;

use aistack_core::{Clock, ProblemKind, Timestamp};
use aistack_domain::metering::{Bucket, IngestError, MAX_BATCH, NewUsage, UsageQuery, events, ingest, series};
use aistack_store::Page;
use std::time::Duration;
use testing::TestApp;

fn event(id: &str, meter: &str, quantity: i64, at: Timestamp) -> NewUsage {
    NewUsage {
        source: "https://api.example.test".to_owned(),
        id: id.to_owned(),
        meter: meter.to_owned(),
        quantity,
        occurred_at: at,
        subject: Some("usr_x".to_owned()),
        dimensions: None,
    }
}

#[tokio::test]
async fn an_event_counts_once_however_often_it_is_sent() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let now = t.clock.now();
    let report = [
        event("1", "ai.tokens", 5, now),
        event("2", "ai.tokens", 7, now),
        event("1", "ai.tokens", 5, now),
    ];
    let first = ingest(&t.app, &ctx, &report).await.unwrap();
    assert_eq!((first.accepted, first.duplicates, first.errors.len()), (2, 1, 0));
    let again = ingest(&t.app, &ctx, &report).await.unwrap();
    assert_eq!((again.accepted, again.duplicates), (0, 3));
    let query = UsageQuery {
        meter: "ai.tokens".to_owned(),
        from: None,
        to: None,
        bucket: Bucket::Day,
    };
    assert_eq!(series(&t.app, &ctx, &query).await.unwrap().total, 12);
    assert_eq!(
        events(&t.app, &ctx, &Page::default(), Some("ai.tokens"))
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        t.actions(&ctx).await.iter().filter(|a| *a == "usage.reported").count(),
        1
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_by_index_and_the_rest_is_taken() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let now = t.clock.now();
    let day = Duration::from_secs(86_400);
    let good = event("0", "ai.tokens", 1, now);
    let big = serde_json::Map::from_iter([("k".to_owned(), "v".repeat(5_000).into())]);
    let nested = serde_json::Map::from_iter([("k".to_owned(), serde_json::json!({"a": 1}))]);
    let report = [
        good.clone(),
        event("1", "ai.token", 1, now),
        event("2", "users", 1, now),
        event("3", "ai.tokens", -1, now),
        event("4", "ai.tokens", i64::MAX, now),
        event("5", "ai.tokens", 1, now.plus(Duration::from_secs(3_700))),
        event("6", "ai.tokens", 1, now.minus(day * 46)),
        event("", "ai.tokens", 1, now),
        NewUsage {
            source: "gateway".to_owned(),
            ..event("8", "ai.tokens", 1, now)
        },
        NewUsage {
            source: "x".repeat(201),
            ..event("9", "ai.tokens", 1, now)
        },
        NewUsage {
            dimensions: Some(big),
            ..event("10", "ai.tokens", 1, now)
        },
        NewUsage {
            dimensions: Some(nested),
            ..event("11", "ai.tokens", 1, now)
        },
        NewUsage {
            subject: Some("x\n".to_owned()),
            ..event("12", "ai.tokens", 1, now)
        },
        event("13", "custom.pages", 3, now.minus(day * 44)),
    ];
    let done = ingest(&t.app, &ctx, &report).await.unwrap();
    use IngestError as E;
    let expected = [
        (1, E::UnknownMeter),
        (2, E::MeterNotReportable),
        (3, E::QuantityOutOfRange),
        (4, E::QuantityOutOfRange),
        (5, E::OccurredInFuture),
        (6, E::OccurredTooLongAgo),
        (7, E::IdInvalid),
        (8, E::SourceReserved),
        (9, E::SourceInvalid),
        (10, E::DimensionsInvalid),
        (11, E::DimensionsInvalid),
        (12, E::SubjectInvalid),
    ];
    assert_eq!(done.errors, expected);
    assert_eq!(done.accepted, 2);
    let only_bad = ingest(&t.app, &ctx, &report[1..4]).await.unwrap();
    assert_eq!((only_bad.accepted, only_bad.errors.len()), (0, 3));
    for report in [Vec::new(), vec![good; MAX_BATCH + 1]] {
        let refused = ingest(&t.app, &ctx, &report).await.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::ValidationFailed);
    }
}

#[tokio::test]
async fn charts_have_a_point_per_bucket_in_the_tenants_days() {
    let t = TestApp::new().await;
    t.clock.set("2026-03-10T02:00:00Z");
    let ctx = t.tenant("acme", "free", "America/New_York").await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // Midnight in New York is 05:00Z before 8 March and 04:00Z after it.
    let report = [
        event("a", "api.calls", 1, at("2026-03-08T04:59:59Z")),
        event("b", "api.calls", 2, at("2026-03-08T05:00:00Z")),
        event("c", "api.calls", 4, at("2026-03-09T03:59:59Z")),
        event("d", "api.calls", 8, at("2026-03-09T04:00:00Z")),
    ];
    ingest(&t.app, &ctx, &report).await.unwrap();
    let query = UsageQuery {
        meter: "api.calls".to_owned(),
        from: Some(at("2026-03-07T12:00:00Z")),
        to: None,
        bucket: Bucket::Day,
    };
    let chart = series(&t.app, &ctx, &query).await.unwrap();
    assert_eq!(chart.points.iter().map(|p| p.1).collect::<Vec<_>>(), [1, 6, 8]);
    assert_eq!(chart.total, 15);
    let hours = UsageQuery {
        bucket: Bucket::Hour,
        from: Some(at("2026-03-08T04:30:00Z")),
        to: Some(at("2026-03-08T07:00:00Z")),
        ..query.clone()
    };
    let chart = series(&t.app, &ctx, &hours).await.unwrap();
    assert_eq!(chart.points.iter().map(|p| p.1).collect::<Vec<_>>(), [1, 2, 0]);
    let unknown = UsageQuery {
        meter: "nope".to_owned(),
        ..query
    };
    assert_eq!(
        series(&t.app, &ctx, &unknown).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
}
