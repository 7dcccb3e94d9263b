//! What people do with quotas: look at them, and (operators) change a tenant's limits.

use super::{Meter, MeterKind, Plan, QuotaError, meter};
use crate::{App, FieldError, Problem, TenantCtx, audit};
use aistack_core::{TenantId, Timestamp};
use aistack_store::QuotaOverride;
use serde_json::json;
use std::collections::BTreeSet;

/// A meter's quota as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaView {
    /// Meter and its kind.
    pub meter: Meter,
    /// Limit; `None` is unlimited.
    pub limit: Option<i64>,
    /// Used and reserved.
    pub used: i64,
    /// What is left; `None` is unlimited.
    pub remaining: Option<i64>,
    /// When a window starts again.
    pub reset_at: Option<Timestamp>,
}

/// Where more can be had.
#[must_use]
pub fn upgrade_url(app: &App, slug: &str) -> String {
    let mut url = app.config.public_url.clone();
    url.set_path(&format!("/t/{slug}/console/usage"));
    url.set_query(None);
    url.to_string()
}

/// All quotas of a tenant: members, calls, whatever has a limit of its own, and whatever its gateway routes count.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, t: &TenantCtx) -> Result<Vec<QuotaView>, Problem> {
    let overrides = app.store.tenant_read(&t.scope).await?.usage().overrides().await?;
    let mut names: BTreeSet<String> = [meter::API_CALLS, meter::USERS].map(str::to_owned).into();
    names.extend(overrides.iter().map(|o| o.meter.clone()));
    names.extend(route_meters(app, t.scope.id()).await?);
    let mut views = Vec::new();
    for meter in names.iter().filter_map(|n| Meter::find(n)) {
        views.push(view(app, t, meter).await?);
    }
    Ok(views)
}

async fn route_meters(app: &App, tenant: TenantId) -> Result<Vec<String>, Problem> {
    let routes = app.store.platform_read().await?.routes().all().await?;
    let ours = routes.into_iter().filter(|r| r.tenant_id.is_none_or(|id| id == tenant));
    Ok(ours.map(|r| r.meter).collect())
}

/// Gives the tenant a limit of its own for a meter; `None` is unlimited. Holds from the next decision on.
///
/// # Errors
/// `not_found` for an unknown meter, `validation_failed` for a negative limit, or as the store.
pub async fn set_limit(app: &App, t: &TenantCtx, name: &str, limit: Option<i64>) -> Result<QuotaView, Problem> {
    known(name)?;
    if limit.is_some_and(|l| l < 0) {
        let error = FieldError::new(
            "/limit",
            "minimum",
            "the limit must be 0 or more, or null for unlimited",
        );
        return Err(Problem::invalid(vec![error]));
    }
    change(app, t, name, Some(limit)).await
}

/// Takes the tenant's own limit away: the plan's holds again.
///
/// # Errors
/// `not_found` for an unknown meter or when there is no limit of its own, or as the store.
pub async fn clear_limit(app: &App, t: &TenantCtx, name: &str) -> Result<QuotaView, Problem> {
    known(name)?;
    change(app, t, name, None).await
}

fn known(name: &str) -> Result<Meter, Problem> {
    Meter::find(name).ok_or_else(|| QuotaError::UnknownMeter(name.to_owned()).into_problem(""))
}

async fn change(app: &App, t: &TenantCtx, name: &str, to: Option<Option<i64>>) -> Result<QuotaView, Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let before = tx.usage().overrides().await?.into_iter().find(|o| o.meter == name);
    let (action, after) = match to {
        Some(limit) => {
            let value = QuotaOverride {
                meter: name.to_owned(),
                limit,
                updated_at: app.clock.now(),
            };
            tx.usage().set_override(&value).await?;
            ("quota.limit_set", shown(Some(limit)))
        }
        None => {
            if !tx.usage().remove_override(name).await? {
                return Err(Problem::not_found("limit of the tenant's own"));
            }
            ("quota.limit_cleared", shown(None))
        }
    };
    let details = json!({ "before": shown(before.map(|b| b.limit)), "after": after });
    let draft = audit::Draft::new(action, "quota", name).details(details);
    audit::commit_tenant(app, tx, t, draft).await?;
    app.quota.limits_changed(t.scope.id());
    view(app, t, known(name)?).await
}

async fn view(app: &App, t: &TenantCtx, meter: Meter) -> Result<QuotaView, Problem> {
    match meter.kind {
        MeterKind::Window => {
            let standing = app
                .quota
                .standing((&*app.store, &*app.clock), &t.scope, &t.tenant, &meter.name)
                .await
                .map_err(|e| e.into_problem(&upgrade_url(app, t.scope.slug())))?;
            Ok(QuotaView {
                meter,
                limit: standing.limit,
                used: standing.used,
                remaining: standing.remaining(),
                reset_at: Some(standing.window.end),
            })
        }
        MeterKind::Level => {
            let mut read = app.store.tenant_read(&t.scope).await?;
            let own = read
                .usage()
                .overrides()
                .await?
                .into_iter()
                .find(|o| o.meter == meter.name);
            let used = read.users().count_active().await?;
            let limit = own.map_or_else(|| Plan::of(&t.tenant.plan).limit(&meter.name), |o| o.limit);
            Ok(QuotaView {
                meter,
                limit,
                used,
                remaining: limit.map(|l| l.saturating_sub(used).max(0)),
                reset_at: None,
            })
        }
    }
}

fn shown(limit: Option<Option<i64>>) -> serde_json::Value {
    match limit {
        None => json!("plan"),
        Some(None) => json!("unlimited"),
        Some(Some(n)) => json!(n),
    }
}
