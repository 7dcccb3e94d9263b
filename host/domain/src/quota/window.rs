//! The period a window meter sums over: the calendar month in the tenant's time zone.

use aistack_core::Timestamp;
use aistack_store::{Result, UsageRead};
use jiff::{ToSpan, tz::TimeZone};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

impl Window {
    /// The calendar month that contains an instant, in an IANA zone; an unknown zone counts in UTC.
    #[must_use]
    pub fn month(zone: &str, at: Timestamp) -> Self {
        let tz = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let first = tz.to_datetime(at.to_jiff()).date().first_of_month();
        let instant = |date: jiff::civil::Date| {
            // A month that begins in a gap begins right after the gap; only the ends of time can't be represented.
            tz.to_zoned_datetime(date.to_datetime(jiff::civil::Time::midnight()))
                .map_or(at, |z| Timestamp(z.timestamp().as_microsecond()))
        };
        let next = first.checked_add(1.month()).unwrap_or(first);
        Self {
            start: instant(first),
            end: instant(next),
        }
    }
    /// Whether the instant lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
    /// Whole seconds from an instant to the end, rounded up.
    #[must_use]
    pub fn seconds_left(&self, at: Timestamp) -> u64 {
        self.end
            .since(at)
            .as_micros()
            .div_ceil(1_000_000)
            .try_into()
            .unwrap_or(u64::MAX)
    }
    /// Length in whole seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.end.since(self.start).as_secs()
    }
}

/// What was used in a window before it had a counter.
///
/// A counter is known by the window's start. When a tenant's time zone changes within a month, its window starts
/// somewhere else and has no counter, though part of it has been used: the hourly buckets know. Hours that begin before
/// the window does are left out; they belong to the window before.
pub(crate) async fn carried_over(usage: &mut dyn UsageRead, meter: &str, window: Window) -> Result<i64> {
    if usage.counter(meter, window.start).await? != 0 {
        return Ok(0);
    }
    let first =
        Timestamp(window.start.0.div_euclid(HOUR) * HOUR + if window.start.0.rem_euclid(HOUR) == 0 { 0 } else { HOUR });
    let hours = usage.buckets(Some(meter), first, window.end).await?;
    Ok(hours.iter().map(|h| h.quantity).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_begin_at_the_tenants_midnight() {
        for (zone, now, start, end) in [
            (
                "UTC",
                "2026-02-14T10:00:00Z",
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
            (
                "Asia/Shanghai",
                "2026-01-31T16:00:00Z",
                "2026-01-31T16:00:00Z",
                "2026-02-28T16:00:00Z",
            ),
            (
                "Asia/Shanghai",
                "2026-01-31T15:59:59Z",
                "2025-12-31T16:00:00Z",
                "2026-01-31T16:00:00Z",
            ),
            (
                "Asia/Kolkata",
                "2026-06-15T00:00:00Z",
                "2026-05-31T18:30:00Z",
                "2026-06-30T18:30:00Z",
            ),
            // Summer time begins within this month: its two ends have different offsets.
            (
                "America/New_York",
                "2026-03-20T00:00:00Z",
                "2026-03-01T05:00:00Z",
                "2026-04-01T04:00:00Z",
            ),
            (
                "No/Such_Zone",
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            let w = Window::month(zone, at(now));
            assert_eq!((w.start, w.end), (at(start), at(end)), "{zone} {now}");
            assert!(w.contains(at(now)));
            assert_eq!(Window::month(zone, w.end).start, w.end, "windows leave no gap");
        }
    }

    #[test]
    fn the_time_left_is_rounded_up() {
        let w = Window::month("UTC", at("2026-02-28T00:00:00Z"));
        assert_eq!(w.seconds_left(at("2026-02-28T23:59:58.5Z")), 2);
        assert_eq!(w.seconds_left(at("2026-03-01T00:00:00Z")), 0);
        assert_eq!(w.seconds(), 28 * 86_400);
    }
}
