//! Orders, and what payment providers delivered.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::{DeliveryId, InstallationId, OrderId, Timestamp};
use aistack_store::{Delivery, Order, OrderStatus, Orders, OrdersRead, Page, Result};

#[async_trait::async_trait]
impl OrdersRead for TenantDb {
    async fn get(&mut self, id: OrderId) -> Result<Option<Order>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Order,
                "SELECT id, number, amount_minor, currency, description, status, installation_id, provider_ref, \
                 action, plugin_state, idempotency_key, paid_minor, created_by, created_at, updated_at, paid_at \
                 FROM orders WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn find_by_key(&mut self, key: &str) -> Result<Option<Order>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Order,
                "SELECT id, number, amount_minor, currency, description, status, installation_id, provider_ref, \
                 action, plugin_state, idempotency_key, paid_minor, created_by, created_at, updated_at, paid_at \
                 FROM orders WHERE tenant_id = $1 AND idempotency_key = $2",
                self.tenant as _,
                key
            )
        )
    }

    async fn list(&mut self, page: &Page, status: Option<OrderStatus>) -> Result<Vec<Order>> {
        page!(
            self,
            page,
            Order,
            "SELECT id, number, amount_minor, currency, description, status, installation_id, provider_ref, \
             action, plugin_state, idempotency_key, paid_minor, created_by, created_at, updated_at, paid_at \
             FROM orders WHERE tenant_id = $3 AND ($4 = '' OR status = $4) \
             AND ($5 = '' OR search LIKE $5 ESCAPE '!')",
            self.tenant as _,
            status.map_or("", OrderStatus::as_str),
            list::pattern(page.q.as_deref())
        )
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Delivery,
                "SELECT id, installation_id, endpoint, headers, body, received_at, status, code FROM deliveries \
                 WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn deliveries(&mut self, installation: InstallationId, page: &Page) -> Result<Vec<Delivery>> {
        page!(
            self,
            page,
            Delivery,
            "SELECT id, installation_id, endpoint, headers, body, received_at, status, code FROM deliveries \
             WHERE tenant_id = $3 AND installation_id = $4",
            self.tenant as _,
            installation as _
        )
    }
}

#[async_trait::async_trait]
impl Orders for TenantDb {
    async fn next_number(&mut self) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "INSERT INTO order_counters (tenant_id, last_number) VALUES ($1, 1) \
                 ON CONFLICT (tenant_id) DO UPDATE SET last_number = order_counters.last_number + 1 \
                 RETURNING last_number",
                self.tenant as _
            )
        )
    }

    async fn insert(&mut self, o: &Order) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO orders (tenant_id, id, number, amount_minor, currency, description, status, \
                 installation_id, provider_ref, action, plugin_state, idempotency_key, paid_minor, created_by, \
                 search, created_at, updated_at, paid_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                self.tenant as _,
                o.id as _,
                o.number,
                o.amount_minor,
                o.currency as _,
                o.description,
                o.status as _,
                o.installation_id as _,
                o.provider_ref,
                o.action,
                o.plugin_state,
                o.idempotency_key,
                o.paid_minor,
                o.created_by,
                folded(o),
                o.created_at as _,
                o.updated_at as _,
                o.paid_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, o: &Order, expected: OrderStatus) -> Result<()> {
        // Number, amount, currency, key, maker and creation time are what the order is; they never change.
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE orders SET description = $4, status = $5, installation_id = $6, provider_ref = $7, \
                 action = $8, plugin_state = $9, paid_minor = $10, search = $11, updated_at = $12, paid_at = $13 \
                 WHERE tenant_id = $1 AND id = $2 AND status = $3",
                self.tenant as _,
                o.id as _,
                expected as _,
                o.description,
                o.status as _,
                o.installation_id as _,
                o.provider_ref,
                o.action,
                o.plugin_state,
                o.paid_minor,
                folded(o),
                o.updated_at as _,
                o.paid_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn claim_event(
        &mut self,
        installation: InstallationId,
        event_id: &str,
        kind: &str,
        at: Timestamp,
    ) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO provider_events (tenant_id, installation_id, event_id, kind, applied_at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, installation_id, event_id) DO NOTHING",
                self.tenant as _,
                installation as _,
                event_id,
                kind,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn insert_delivery(&mut self, d: &Delivery) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO deliveries (tenant_id, id, installation_id, endpoint, headers, body, received_at, status, \
                 code) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                self.tenant as _,
                d.id as _,
                d.installation_id as _,
                d.endpoint,
                d.headers,
                d.body,
                d.received_at as _,
                d.status,
                d.code
            )
        )?;
        Ok(())
    }

    async fn set_delivery_status(&mut self, id: DeliveryId, status: &str, code: Option<&str>) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE deliveries SET status = $3, code = $4 WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _,
                status,
                code
            )
        )?;
        list::changed_one(done.rows_affected())
    }
}

fn folded(o: &Order) -> String {
    list::folded(&[&o.description, o.provider_ref.as_deref().unwrap_or("")])
}
