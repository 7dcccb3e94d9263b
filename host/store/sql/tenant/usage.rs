//! Usage events, their hourly buckets, the quota counters and the tenant's own limits.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::Timestamp;
use aistack_store::{Page, QuotaOverride, Result, Usage, UsageBucket, UsageEvent, UsageRead};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

#[async_trait::async_trait]
impl UsageRead for TenantDb {
    async fn events(&mut self, page: &Page, meter: Option<&str>) -> Result<Vec<UsageEvent>> {
        page!(
            self,
            page,
            UsageEvent,
            "SELECT id, source, event_id, meter, quantity, subject, dimensions, occurred_at, ingested_at \
             FROM usage_events WHERE tenant_id = $3 AND ($4 = '' OR meter = $4) \
             AND ($5 = '' OR LOWER(meter) LIKE $5 ESCAPE '!' OR LOWER(subject) LIKE $5 ESCAPE '!')",
            self.tenant as _,
            meter.unwrap_or(""),
            list::pattern(page.q.as_deref())
        )
    }

    async fn buckets(&mut self, meter: Option<&str>, from: Timestamp, to: Timestamp) -> Result<Vec<UsageBucket>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                UsageBucket,
                "SELECT hour, meter, quantity, events FROM usage_hours \
                 WHERE tenant_id = $1 AND ($2 = '' OR meter = $2) AND hour >= $3 AND hour < $4 ORDER BY hour, meter",
                self.tenant as _,
                meter.unwrap_or(""),
                from as _,
                to as _
            )
        )
    }

    async fn counter(&mut self, meter: &str, window_start: Timestamp) -> Result<i64> {
        let used = run!(
            self,
            fetch_optional,
            sqlx::query_scalar!(
                "SELECT used FROM quota_counters WHERE tenant_id = $1 AND meter = $2 AND window_start = $3",
                self.tenant as _,
                meter,
                window_start as _
            )
        )?;
        Ok(used.unwrap_or(0))
    }

    async fn overrides(&mut self) -> Result<Vec<QuotaOverride>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                QuotaOverride,
                "SELECT meter, cap AS \"limit\", updated_at FROM quota_overrides WHERE tenant_id = $1 ORDER BY meter",
                self.tenant as _
            )
        )
    }
}

#[async_trait::async_trait]
impl Usage for TenantDb {
    async fn record(&mut self, e: &UsageEvent) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO usage_events (tenant_id, id, source, event_id, meter, quantity, subject, dimensions, \
                 occurred_at, ingested_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 ON CONFLICT (tenant_id, source, event_id) DO NOTHING",
                self.tenant as _,
                e.id as _,
                e.source,
                e.event_id,
                e.meter,
                e.quantity,
                e.subject,
                e.dimensions,
                e.occurred_at as _,
                e.ingested_at as _
            )
        )?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let hour = e.occurred_at.0.div_euclid(HOUR).saturating_mul(HOUR);
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO usage_hours (tenant_id, meter, hour, quantity, events) VALUES ($1, $2, $3, $4, 1) \
                 ON CONFLICT (tenant_id, meter, hour) DO UPDATE \
                 SET quantity = usage_hours.quantity + excluded.quantity, events = usage_hours.events + 1",
                self.tenant as _,
                e.meter,
                hour,
                e.quantity
            )
        )?;
        Ok(true)
    }

    async fn count(
        &mut self,
        meter: &str,
        window_start: Timestamp,
        amount: i64,
        cap: Option<i64>,
    ) -> Result<Option<i64>> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO quota_counters (tenant_id, meter, window_start, used) VALUES ($1, $2, $3, 0) \
                 ON CONFLICT (tenant_id, meter, window_start) DO NOTHING",
                self.tenant as _,
                meter,
                window_start as _
            )
        )?;
        // Giving back is always possible, also when the cap has been lowered below what is used.
        let at_most = match cap {
            Some(cap) if amount > 0 => cap.saturating_sub(amount),
            _ => i64::MAX,
        };
        run!(
            self,
            fetch_optional,
            sqlx::query_scalar!(
                "UPDATE quota_counters SET used = used + $4 WHERE tenant_id = $1 AND meter = $2 AND window_start = $3 \
                 AND used <= $5 RETURNING used",
                self.tenant as _,
                meter,
                window_start as _,
                amount,
                at_most
            )
        )
    }

    async fn set_override(&mut self, value: &QuotaOverride) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO quota_overrides (tenant_id, meter, cap, updated_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (tenant_id, meter) DO UPDATE SET cap = excluded.cap, updated_at = excluded.updated_at",
                self.tenant as _,
                value.meter,
                value.limit,
                value.updated_at as _
            )
        )?;
        Ok(())
    }

    async fn remove_override(&mut self, meter: &str) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM quota_overrides WHERE tenant_id = $1 AND meter = $2",
                self.tenant as _,
                meter
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}
