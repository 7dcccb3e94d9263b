//! Quotas: how much is used and left, and (for operators) a tenant's own limits.

use crate::{
    extract::{InTenant, Json, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::quota::{self, QuotaView};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let write = Access::tenant(Permission::QuotaWrite);
    Routes::new()
        .add(Access::tenant(Permission::UsageRead), routes!(list))
        .add(write.audits(&["quota.limit_set"]), routes!(set))
        .add(write.audits(&["quota.limit_cleared"]), routes!(clear))
}

/// A meter's quota.
#[derive(Debug, Serialize, ToSchema)]
struct Quota {
    /// Meter.
    meter: String,
    /// `window` (starts again) or `level` (goes up and down).
    kind: &'static str,
    /// Limit; null is unlimited.
    #[schema(required = true)]
    limit: Option<i64>,
    /// Used.
    used: i64,
    /// Left; null is unlimited.
    #[schema(required = true)]
    remaining: Option<i64>,
    /// When a window starts again.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    reset_at: Option<Timestamp>,
    /// What one of it is called.
    unit: &'static str,
}

impl From<QuotaView> for Quota {
    fn from(v: QuotaView) -> Self {
        Self {
            kind: v.meter.kind.as_str(),
            unit: v.meter.unit,
            meter: v.meter.name,
            limit: v.limit,
            used: v.used,
            remaining: v.remaining,
            reset_at: v.reset_at,
        }
    }
}

/// All quotas.
#[derive(Debug, Serialize, ToSchema)]
struct Quotas {
    /// By meter.
    items: Vec<Quota>,
}

/// All quotas of the tenant.
#[utoipa::path(get, path = "/api/v1/quotas", tag = "quotas", operation_id = "list_quotas", responses((status = 200, body = Quotas)))]
async fn list(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<Quotas>> {
    let items = quota::list(&state.app, &t).await?;
    Ok(Json(Quotas {
        items: items.into_iter().map(Quota::from).collect(),
    }))
}

/// A limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuotaLimit {
    /// 0 or more; null is unlimited.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    limit: Option<i64>,
}

/// Gives the tenant a limit of its own, in force from the next call on.
#[utoipa::path(put, path = "/api/v1/quotas/{meter}", tag = "quotas", operation_id = "set_quota_limit", params(("meter" = String, Path)), request_body = QuotaLimit,
    responses((status = 200, body = Quota)))]
async fn set(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(meter): Path<String>,
    Json(body): Json<QuotaLimit>,
) -> ApiResult<Json<Quota>> {
    let view = quota::set_limit(&state.app, &t, &meter, body.limit).await?;
    Ok(Json(view.into()))
}

/// Takes the tenant's own limit away: the plan's holds again.
#[utoipa::path(delete, path = "/api/v1/quotas/{meter}", tag = "quotas", operation_id = "clear_quota_limit", params(("meter" = String, Path)),
    responses((status = 200, body = Quota)))]
async fn clear(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(meter): Path<String>,
) -> ApiResult<Json<Quota>> {
    let view = quota::clear_limit(&state.app, &t, &meter).await?;
    Ok(Json(view.into()))
}
