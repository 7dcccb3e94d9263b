//! Usage reported by the product itself: `POST /api/v1/usage/events`.

use crate::{App, FieldError, Problem, TenantCtx, audit, live::LiveEvent, quota};
use aistack_core::{Timestamp, UsageEventId, text_enum};
use aistack_store::UsageEvent;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Most events of one report.
pub const MAX_BATCH: usize = 1_000;
/// An event may lie so far in the future: clocks differ.
const FUTURE: Duration = Duration::from_secs(3_600);
/// An event may lie so far in the past: the longest open window and some grace.
const PAST: Duration = Duration::from_secs(45 * 24 * 3_600);
/// Largest quantity of one event; sums of many stay far from overflow.
const MOST: i64 = 1_000_000_000_000;
/// Events of the platform itself have this source.
const OURS: &str = "gateway";

/// An event as reported.
#[derive(Debug, Clone, PartialEq)]
pub struct NewUsage {
    /// Who counted.
    pub source: String,
    /// The source's own id of the event.
    pub id: String,
    /// Meter.
    pub meter: String,
    /// How much.
    pub quantity: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Who used it.
    pub subject: Option<String>,
    /// Dimensions.
    pub dimensions: Option<Map<String, Value>>,
}

text_enum! {
    /// Why one event of a report was not taken.
    pub enum IngestError {
        /// `source` is empty or longer than 200 characters.
        SourceInvalid = "source_invalid",
        /// `source` is one of the platform's own.
        SourceReserved = "source_reserved",
        /// `id` is empty or longer than 200 characters.
        IdInvalid = "id_invalid",
        /// No meter has this name.
        UnknownMeter = "unknown_meter",
        /// The meter is counted from the truth, not from events.
        MeterNotReportable = "meter_not_reportable",
        /// The quantity is negative or absurdly large.
        QuantityOutOfRange = "quantity_out_of_range",
        /// More than an hour in the future.
        OccurredInFuture = "occurred_in_future",
        /// More than 45 days in the past.
        OccurredTooLongAgo = "occurred_too_long_ago",
        /// `subject` is longer than 200 characters.
        SubjectInvalid = "subject_invalid",
        /// More than 20 dimensions, nested ones, or more than 4 KiB of them.
        DimensionsInvalid = "dimensions_invalid",
    }
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Events counted now.
    pub accepted: usize,
    /// Events that were known already.
    pub duplicates: usize,
    /// Events not taken, by index in the report.
    pub errors: Vec<(usize, IngestError)>,
}

fn check(e: &NewUsage, now: Timestamp) -> Result<(), IngestError> {
    use IngestError as E;
    let text = |s: &str| (1..=200).contains(&s.chars().count()) && !s.contains(char::is_control);
    if !text(&e.source) {
        return Err(E::SourceInvalid);
    }
    if e.source == OURS || e.source.starts_with("aistack") {
        return Err(E::SourceReserved);
    }
    if !text(&e.id) {
        return Err(E::IdInvalid);
    }
    match quota::Meter::find(&e.meter).map(|m| m.kind) {
        None => return Err(E::UnknownMeter),
        Some(quota::MeterKind::Level) => return Err(E::MeterNotReportable),
        Some(quota::MeterKind::Window) => {}
    }
    if !(0..=MOST).contains(&e.quantity) {
        return Err(E::QuantityOutOfRange);
    }
    if e.occurred_at > now.plus(FUTURE) {
        return Err(E::OccurredInFuture);
    }
    if e.occurred_at < now.minus(PAST) {
        return Err(E::OccurredTooLongAgo);
    }
    if e.subject.as_ref().is_some_and(|s| !s.is_empty() && !text(s)) {
        return Err(E::SubjectInvalid);
    }
    let fine = e.dimensions.as_ref().is_none_or(|d| {
        d.len() <= 20
            && d.values().all(|v| !v.is_object() && !v.is_array())
            && d.iter().map(|(k, v)| k.len() + v.to_string().len()).sum::<usize>() <= 4096
    });
    if fine { Ok(()) } else { Err(E::DimensionsInvalid) }
}

/// Records a report: events that are fine are counted, the others named, known ones left alone; all in one transaction.
/// Counts towards quotas, but is never refused by one: it has happened.
///
/// # Errors
/// `validation_failed` for an empty or too large report, or as the store.
pub async fn ingest(app: &App, t: &TenantCtx, report: &[NewUsage]) -> Result<Ingested, Problem> {
    if report.is_empty() || report.len() > MAX_BATCH {
        let text = format!("a report has 1 to {MAX_BATCH} events");
        return Err(Problem::invalid(vec![FieldError::new("", "length", text)]));
    }
    let now = app.clock.now();
    let mut errors = Vec::new();
    let mut fine = Vec::with_capacity(report.len());
    for (index, event) in report.iter().enumerate() {
        match check(event, now) {
            Ok(()) => fine.push(event),
            Err(e) => errors.push((index, e)),
        }
    }
    if fine.is_empty() {
        return Ok(Ingested {
            accepted: 0,
            duplicates: 0,
            errors,
        });
    }
    let mut tx = app.store.tenant(&t.scope).await?;
    // Before anything is recorded: what an earlier window of the same time left to carry over.
    let mut windows: BTreeMap<(&str, Timestamp), (i64, i64)> = BTreeMap::new();
    let (mut accepted, mut duplicates) = (0, 0);
    let mut counted = BTreeMap::<&str, i64>::new();
    for event in fine {
        let window = quota::Window::month(&t.tenant.time_zone, event.occurred_at);
        let key = (event.meter.as_str(), window.start);
        if let std::collections::btree_map::Entry::Vacant(vacant) = windows.entry(key) {
            let carried = quota::carried_over(tx.usage(), &event.meter, window).await?;
            vacant.insert((carried, 0));
        }
        let row = UsageEvent {
            id: UsageEventId::new(&*app.clock, &*app.rng),
            source: event.source.clone(),
            event_id: event.id.clone(),
            meter: event.meter.clone(),
            quantity: event.quantity,
            subject: event.subject.clone().unwrap_or_default(),
            dimensions: event
                .dimensions
                .clone()
                .map_or_else(|| "{}".to_owned(), |d| Value::Object(d).to_string()),
            occurred_at: event.occurred_at,
            ingested_at: now,
        };
        if tx.usage().record(&row).await? {
            accepted += 1;
            *counted.entry(&event.meter).or_default() += event.quantity;
            if let Some((_, sum)) = windows.get_mut(&key) {
                *sum += event.quantity;
            }
        } else {
            duplicates += 1;
        }
    }
    if accepted == 0 {
        // Nothing changed, so there is nothing to commit and nothing to say about it.
        return Ok(Ingested {
            accepted,
            duplicates,
            errors,
        });
    }
    let mut counters = Vec::new();
    for ((meter, start), (carried, sum)) in windows {
        if let Some(value) = tx.usage().count(meter, start, carried + sum, None).await? {
            counters.push((meter, start, value));
        }
    }
    let draft = audit::Draft::new("usage.reported", "tenant", t.scope.id()).details(json!({
        "accepted": accepted, "duplicates": duplicates, "errors": errors.len(), "quantities": counted,
    }));
    audit::commit_tenant(app, tx, t, draft).await?;
    for (meter, start, value) in counters {
        app.quota.counted(t.scope.id(), meter, start, value);
    }
    for (meter, quantity) in counted {
        app.metrics.usage(meter, quantity);
        app.live.publish(LiveEvent {
            tenant: Some(t.scope.id()),
            topic: "usage",
            data: json!({ "meter": meter, "quantity": quantity }),
        });
    }
    Ok(Ingested {
        accepted,
        duplicates,
        errors,
    })
}
