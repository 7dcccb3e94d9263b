//! Looking up payments whose outcome is not known, until it is.

use super::pay::refresh;
use crate::{
    App, Ctx, TenantCtx,
    jobs::{JobError, JobHandler},
};
use aistack_core::{JobId, OrderId, TenantStatus};
use aistack_store::{Job, OrderStatus, OutboxMessage};
use serde::Deserialize;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// The job's kind.
const KIND: &str = "order.refresh";

#[derive(Debug, Deserialize)]
struct Payload {
    order: OrderId,
}

/// The message that has an order looked up shortly.
pub(super) fn message(app: &App, order: OrderId) -> OutboxMessage {
    let now = app.clock.now();
    OutboxMessage {
        id: JobId::new(&*app.clock, &*app.rng),
        kind: KIND.to_owned(),
        payload: json!({ "order": order }).to_string(),
        run_at: now.plus(Duration::from_secs(2)),
        max_attempts: 25,
        created_at: now,
    }
}

/// Job: fetches one order's status.
#[derive(Debug)]
pub struct RefreshOrder;

#[async_trait::async_trait]
impl JobHandler for RefreshOrder {
    fn kind(&self) -> &'static str {
        KIND
    }
    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let t = tenant_ctx(app, job).await?;
        let order = refresh(app, &t, payload.order).await?;
        if order.status == OrderStatus::Unknown {
            return Err(JobError::retry("the provider still does not know"));
        }
        Ok(())
    }
}

/// The context of a tenant's job.
pub(crate) async fn tenant_ctx(app: &App, job: &Job) -> Result<TenantCtx, JobError> {
    let id = job
        .tenant_id
        .ok_or_else(|| JobError::fatal("the job names no tenant"))?;
    let scope = app
        .store
        .scope(id)
        .await?
        .ok_or_else(|| JobError::fatal("the tenant is gone"))?;
    let tenant = app.store.platform_read().await?.tenants().get(id).await?;
    let tenant = tenant.filter(|t| t.status != TenantStatus::Purged);
    let tenant = tenant.ok_or_else(|| JobError::fatal("the tenant is gone"))?;
    Ok(TenantCtx {
        ctx: Ctx::system(None),
        scope,
        tenant: Arc::new(tenant),
    })
}
