//! Usage as charts and lists need it.

use crate::{App, FieldError, Problem, TenantCtx, quota::Meter};
use aistack_core::{Timestamp, text_enum};
use aistack_store::{Page, UsageEvent};
use jiff::{RoundMode, ToSpan, Unit, ZonedDateTime, ZonedDateTimeRound, tz::TimeZone};
use std::collections::BTreeMap;

/// Most points of one answer.
const MOST: usize = 2_000;

text_enum! {
    /// Width of a point.
    pub enum Bucket {
        /// An hour.
        Hour = "hour",
        /// A day in the tenant's time zone.
        Day = "day",
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// Meter.
    pub meter: String,
    /// From; the bucket that contains it is the first. Default: a day (hours) or 30 days (days) before `to`.
    pub from: Option<Timestamp>,
    /// To; the bucket that contains the last instant before it is the last. Default: now.
    pub to: Option<Timestamp>,
    /// Width.
    pub bucket: Bucket,
}

/// Usage of a meter over time; every bucket of the range has a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Meter.
    pub meter: Meter,
    /// Sum of all points.
    pub total: i64,
    /// Start of the bucket and its sum, oldest first.
    pub points: Vec<(Timestamp, i64)>,
}

/// Usage over time. Sums stand in hours (UTC); an hour belongs to the day in which it begins.
///
/// # Errors
/// `not_found` for an unknown meter, `validation_failed` for a range that is empty or has too many points.
pub async fn series(app: &App, t: &TenantCtx, query: &UsageQuery) -> Result<Series, Problem> {
    let meter = Meter::find(&query.meter)
        .ok_or_else(|| Problem::not_found(&format!("meter: {}", query.meter.chars().take(80).collect::<String>())))?;
    let tz = TimeZone::get(&t.tenant.time_zone).unwrap_or(TimeZone::UTC);
    let to = query.to.unwrap_or_else(|| app.clock.now());
    let back = match query.bucket {
        Bucket::Hour => 24 * 3_600,
        Bucket::Day => 30 * 24 * 3_600,
    };
    let from = query
        .from
        .unwrap_or_else(|| to.minus(std::time::Duration::from_secs(back)));
    let starts = starts(&tz, query.bucket, from, to)?;
    let (Some(first), last) = (starts.first().copied(), to) else {
        return Ok(Series {
            meter,
            total: 0,
            points: Vec::new(),
        });
    };
    let rows = app
        .store
        .tenant_read(&t.scope)
        .await?
        .usage()
        .buckets(Some(&meter.name), first, last)
        .await?;
    let mut points: BTreeMap<Timestamp, i64> = starts.into_iter().map(|at| (at, 0)).collect();
    for row in rows {
        if let Some((_, sum)) = points.range_mut(..=row.hour).next_back() {
            *sum += row.quantity;
        }
    }
    Ok(Series {
        meter,
        total: points.values().sum(),
        points: points.into_iter().collect(),
    })
}

fn starts(tz: &TimeZone, bucket: Bucket, from: Timestamp, to: Timestamp) -> Result<Vec<Timestamp>, Problem> {
    let invalid = |code: &str, text: String| Problem::invalid(vec![FieldError::new("/from", code, text)]);
    if from >= to {
        return Err(invalid("range", "`from` must be before `to`".to_owned()));
    }
    let out_of_range = |_| invalid("range", "the range is outside the calendar".to_owned());
    let mut at = floor(tz, bucket, from).map_err(out_of_range)?;
    let mut starts = Vec::new();
    loop {
        let start = Timestamp(at.timestamp().as_microsecond());
        if start >= to {
            return Ok(starts);
        }
        if starts.len() == MOST {
            return Err(invalid(
                "range",
                format!("the range has more than {MOST} points; ask for less or for days"),
            ));
        }
        starts.push(start);
        at = match bucket {
            Bucket::Hour => at.checked_add(1.hour()),
            Bucket::Day => at.checked_add(1.day()).and_then(|z| z.start_of_day()),
        }
        .map_err(out_of_range)?;
    }
}

fn floor(tz: &TimeZone, bucket: Bucket, at: Timestamp) -> Result<ZonedDateTime, jiff::Error> {
    match bucket {
        // Sums stand in hours of UTC, whatever the zone's offset is.
        Bucket::Hour => at
            .to_jiff()
            .to_zoned_datetime(TimeZone::UTC)
            .round(ZonedDateTimeRound::new().smallest(Unit::Hour).mode(RoundMode::Floor)),
        Bucket::Day => at.to_jiff().to_zoned_datetime(tz.clone()).start_of_day(),
    }
}

/// Raw events, newest first.
///
/// # Errors
/// As the store.
pub async fn events(app: &App, t: &TenantCtx, page: &Page, meter: Option<&str>) -> Result<Vec<UsageEvent>, Problem> {
    Ok(app
        .store
        .tenant_read(&t.scope)
        .await?
        .usage()
        .events(page, meter)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_follow_the_tenants_midnight_across_summer_time() {
        let tz = TimeZone::get("America/New_York").unwrap();
        let days = starts(&tz, Bucket::Day, at("2026-03-07T12:00:00Z"), at("2026-03-10T04:00:00Z")).unwrap();
        let texts: Vec<_> = days.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"]
        );
    }

    #[test]
    fn hours_are_whole_in_utc() {
        let tz = TimeZone::get("Asia/Kolkata").unwrap();
        let hours = starts(
            &tz,
            Bucket::Hour,
            at("2026-03-07T12:59:59Z"),
            at("2026-03-07T14:00:01Z"),
        )
        .unwrap();
        let texts: Vec<_> = hours.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["2026-03-07T12:00:00Z", "2026-03-07T13:00:00Z", "2026-03-07T14:00:00Z"]
        );
    }

    #[test]
    fn an_empty_or_endless_range_is_refused() {
        let (a, b) = (at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert!(starts(&TimeZone::UTC, Bucket::Hour, a, b).is_err());
        assert!(starts(&TimeZone::UTC, Bucket::Day, b, a).is_err());
        assert!(starts(&TimeZone::UTC, Bucket::Day, a, a).is_err());
        assert!(starts(&TimeZone::UTC, Bucket::Day, Timestamp(i64::MIN), b).is_err());
    }
}
