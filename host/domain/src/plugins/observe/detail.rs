//! One recorded call with everything that explains it.

use super::why::{Why, explain};
use crate::{
    App, Problem, TenantCtx,
    plugins::{
        calls::flush_receipts,
        catalogue,
        installations::CallView,
        manifest::CallClass,
        policy,
        port::{CallLimits, Lane},
    },
};
use aistack_core::{CallId, InstallationId, TenantScope};
use aistack_store::CallRow;

/// Tenants looked through for a call.
const TENANTS: usize = 1_000;

/// A call in full.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDetail {
    /// Slug of the tenant.
    pub tenant: String,
    /// The installation.
    pub installation: InstallationId,
    /// The receipt.
    pub call: CallView,
    /// Id and version of the plugin.
    pub plugin: String,
    /// Component.
    pub digest: String,
    /// Queue.
    pub lane: String,
    /// Turns on a processor, of 1 ms each.
    pub turns: i64,
    /// Its bounds under the terms that hold now; `None` when its version is no longer installed.
    pub limits: Option<CallLimits>,
    /// Operations of the installation whose breaker is not closed now.
    pub breakers: Vec<&'static str>,
    /// Why it ended as it did.
    pub why: Why,
}

async fn build(app: &App, scope: &TenantScope, row: CallRow) -> Result<CallDetail, Problem> {
    let version = app
        .store
        .platform_read()
        .await?
        .plugins()
        .find_by_digest(&row.digest)
        .await?;
    let plan = app
        .store
        .platform_read()
        .await?
        .tenants()
        .get(scope.id())
        .await?
        .map(|t| t.plan);
    let limits = match version {
        Some(version) => {
            let lane = row.lane.parse().unwrap_or(Lane::Ordinary);
            let class = match lane {
                Lane::Inbound => CallClass::Inbound,
                Lane::Run => CallClass::Run,
                Lane::Ordinary | Lane::Shadow => CallClass::Ordinary,
            };
            let declared = catalogue::listed(version, 0)?.manifest.call_limits(class);
            let terms = app.policies.terms(scope.id(), &plan.unwrap_or_default());
            Some(policy::bounded(declared, lane, &terms))
        }
        None => None,
    };
    let breakers = app.runtime.breakers(scope.id(), row.installation_id);
    Ok(CallDetail {
        tenant: scope.slug().to_owned(),
        installation: row.installation_id,
        plugin: row.plugin.clone(),
        digest: row.digest.clone(),
        lane: row.lane.clone(),
        turns: row.turns,
        limits,
        breakers: breakers.into_iter().map(|b| b.operation).collect(),
        why: explain(&row, limits.as_ref()),
        call: CallView::from(row),
    })
}

/// A call of an installation.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn detail(
    app: &App,
    t: &TenantCtx,
    installation: InstallationId,
    call: CallId,
) -> Result<CallDetail, Problem> {
    let _ = flush_receipts(app).await;
    let row = app.store.tenant_read(&t.scope).await?.machinery().call(call).await?;
    let row = row.filter(|r| r.installation_id == installation);
    build(app, &t.scope, row.ok_or_else(|| Problem::not_found("call"))?).await
}

/// A call of any of the first thousand tenants, for operators.
///
/// # Errors
/// `not_found`, or as the stores.
pub async fn anywhere(app: &App, call: CallId) -> Result<CallDetail, Problem> {
    let _ = flush_receipts(app).await;
    let ids = app.store.platform_read().await?.tenants().ids().await?;
    let more = ids.len() > TENANTS;
    for id in ids.into_iter().take(TENANTS) {
        let Some(scope) = app.store.scope(id).await? else {
            continue;
        };
        let row = app.store.tenant_read(&scope).await?.machinery().call(call).await?;
        if let Some(row) = row {
            return build(app, &scope, row).await;
        }
    }
    let nowhere = Problem::not_found("call");
    if !more {
        return Err(nowhere);
    }
    Err(nowhere.hint(format!(
        "the first {TENANTS} tenants were looked through: name the tenant and the installation"
    )))
}
