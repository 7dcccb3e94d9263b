//! The datasets a generator may open. A dataset is a consistent snapshot of one tenant, cut to what the filter asks for.

use crate::{
    plugins::{
        calls::Datasets,
        port::{Cell, Column, DatasetRows, Fault, FaultKind},
    },
    quota::Meter,
};
use aistack_core::{Clock, TenantScope, Timestamp};
use aistack_store::Store;
use jiff::{
    ToSpan,
    civil::Date,
    tz::{Offset, TimeZone},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Usage per day and meter.
pub const USAGE_DAILY: &str = "usage.daily";
/// Longest period of one report.
const MAX_DAYS: i32 = 400;
/// Most rows handed over at once.
const MAX_BATCH: usize = 2_000;

/// The datasets of one tenant.
pub(super) struct TenantDatasets {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) scope: TenantScope,
    pub(super) time_zone: String,
}

/// What `usage.daily` can be filtered by. Days are the tenant's local days, both included.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UsageFilter {
    from: Option<String>,
    to: Option<String>,
    meter: Option<String>,
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::InvalidInput, "bad_filter", message)
}

fn day(text: &str) -> Result<Date, Fault> {
    text.parse::<Date>().map_err(|_| {
        bad(format!(
            "{:?} is not a day such as 2026-01-31",
            text.chars().take(40).collect::<String>()
        ))
    })
}

#[async_trait::async_trait]
impl Datasets for TenantDatasets {
    async fn open(&self, name: &str, filter: Value, as_of: Timestamp) -> Result<Box<dyn DatasetRows>, Fault> {
        match name {
            USAGE_DAILY => self.usage_daily(filter, as_of).await,
            other => Err(Fault::new(
                FaultKind::NotFound,
                "dataset_unknown",
                format!("there is no dataset {:?}", other.chars().take(80).collect::<String>()),
            )),
        }
    }
}

impl TenantDatasets {
    async fn usage_daily(&self, filter: Value, as_of: Timestamp) -> Result<Box<dyn DatasetRows>, Fault> {
        let filter: UsageFilter = match filter {
            Value::Null => UsageFilter::default(),
            other => serde_json::from_value(other).map_err(|e| bad(e.to_string()))?,
        };
        let zone = TimeZone::get(&self.time_zone).unwrap_or_else(|_| TimeZone::fixed(Offset::UTC));
        // "As of" a moment that has not come yet means now: a report never shows the future.
        let as_of = as_of.min(self.clock.now());
        let last = match filter.to.as_deref() {
            Some(text) => day(text)?,
            None => as_of.to_jiff().to_zoned_datetime(zone.clone()).date(),
        };
        let first = match filter.from.as_deref() {
            Some(text) => day(text)?,
            None => last.checked_sub(29.days()).map_err(|e| bad(e.to_string()))?,
        };
        if first > last {
            return Err(bad("the first day is after the last one"));
        }
        let length = first.until(last).map_err(|e| bad(e.to_string()))?.get_days();
        if length >= MAX_DAYS {
            return Err(bad(format!("the period has more than {MAX_DAYS} days")));
        }
        let midnight = |d: Date| -> Result<Timestamp, Fault> {
            let at = d.to_zoned_datetime(zone.clone()).map_err(|e| bad(e.to_string()))?;
            Ok(Timestamp(at.timestamp().as_microsecond()))
        };
        let from = midnight(first)?;
        let to = midnight(last.tomorrow().map_err(|e| bad(e.to_string()))?)?
            .min(as_of.plus(std::time::Duration::from_micros(1)));
        let buckets = {
            let failed = |e: aistack_store::StoreError| {
                tracing::error!(error = %crate::problem::error_chain(&e), "a dataset can't be read");
                Fault::new(FaultKind::Internal, "dataset_unavailable", "the dataset can't be read")
            };
            let mut read = self.store.tenant_read(&self.scope).await.map_err(failed)?;
            read.usage()
                .buckets(filter.meter.as_deref(), from, to)
                .await
                .map_err(failed)?
        };
        // Usage is kept by the hour in UTC; an hour belongs to the local day in which it starts.
        let mut days: BTreeMap<(Date, String), (i64, i64)> = BTreeMap::new();
        for b in buckets {
            let local = b.hour.to_jiff().to_zoned_datetime(zone.clone()).date();
            let sum = days.entry((local, b.meter)).or_default();
            sum.0 = sum.0.saturating_add(b.quantity);
            sum.1 = sum.1.saturating_add(b.events);
        }
        let rows = days
            .into_iter()
            .map(|((day, meter), (quantity, events))| {
                let unit = Meter::find(&meter).map_or("unit", |m| m.unit);
                vec![
                    Cell::Text(day.to_string()),
                    Cell::Text(meter),
                    Cell::Int(quantity),
                    Cell::Text(unit.to_owned()),
                    Cell::Int(events),
                ]
            })
            .collect::<Vec<_>>();
        Ok(Box::new(Rows {
            columns: usage_columns(),
            rows: rows.into_iter(),
        }))
    }
}

fn usage_columns() -> Vec<Column> {
    let column = |name: &str, kind: &str, en: &str, zh: &str| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        label_en: en.to_owned(),
        label_zh: zh.to_owned(),
        unit: String::new(),
    };
    vec![
        column("day", "text", "Day", "日期"),
        column("meter", "text", "Meter", "计量项"),
        column("quantity", "int", "Quantity", "用量"),
        column("unit", "text", "Unit", "单位"),
        column("events", "int", "Events", "事件数"),
    ]
}

struct Rows {
    columns: Vec<Column>,
    rows: std::vec::IntoIter<Vec<Cell>>,
}

#[async_trait::async_trait]
impl DatasetRows for Rows {
    fn columns(&self) -> &[Column] {
        &self.columns
    }
    async fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault> {
        let max = usize::try_from(max).unwrap_or(usize::MAX).clamp(1, MAX_BATCH);
        Ok(self.rows.by_ref().take(max).collect())
    }
}
