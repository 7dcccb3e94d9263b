//! What plans and tenants may use of plugins, as the operator sets it.

use super::refresh;
use crate::{
    App, Ctx, Problem, TenantCtx, audit,
    plugins::budgets::Used,
    quota::{Plan, PluginTerms},
};
use aistack_core::TenantId;
use serde_json::json;

pub(super) const PLANS: &str = "plugins.policy/plan/";
pub(super) const TENANTS: &str = "plugins.policy/tenant/";

/// Whose terms.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// A plan's.
    Plan(&'a str),
    /// A tenant's own.
    Tenant(TenantId),
}

impl Of<'_> {
    fn setting(self) -> Result<String, Problem> {
        match self {
            Self::Plan(code) if Plan::find(code).is_none() => Err(Problem::not_found("plan")),
            Self::Plan(code) => Ok(format!("{PLANS}{code}")),
            Self::Tenant(tenant) => Ok(format!("{TENANTS}{tenant}")),
        }
    }
}

/// What is set; for a plan of which nothing is, what the platform itself says.
///
/// # Errors
/// `not_found` for an unknown plan, or as the store.
pub async fn get(app: &App, of: Of<'_>) -> Result<PluginTerms, Problem> {
    let name = of.setting()?;
    let stored = app.store.platform_read().await?.settings().get(&name).await?;
    match (stored, of) {
        (Some(bytes), _) => super::document(&name, &bytes),
        (None, Of::Plan(code)) => Ok(PluginTerms::built_in(Plan::of(code))),
        (None, Of::Tenant(_)) => Ok(PluginTerms::default()),
    }
}

/// Sets terms, or with `None` takes them away: the platform's own, or the plan's, hold again. They count at once.
///
/// # Errors
/// `not_found` for an unknown plan, `validation_failed`, or as the stores.
pub async fn set(app: &App, ctx: &Ctx, of: Of<'_>, terms: Option<PluginTerms>) -> Result<PluginTerms, Problem> {
    let wrong = terms.as_ref().map(PluginTerms::faults).unwrap_or_default();
    if !wrong.is_empty() {
        return Err(Problem::invalid(wrong));
    }
    let (name, before) = (of.setting()?, get(app, of).await?);
    let mut tx = app.store.platform().await?;
    match &terms {
        Some(terms) => {
            let bytes = serde_json::to_vec(terms).map_err(|e| Problem::internal(e.to_string()))?;
            tx.settings().put(&name, &bytes, app.clock.now()).await?;
        }
        None => {
            tx.settings().remove(&name).await?;
        }
    }
    let details = json!({ "plugin_terms": { "before": before, "after": terms } });
    let draft = match of {
        Of::Plan(code) => audit::Draft::new("plugin.policy_changed", "plan", code),
        Of::Tenant(tenant) => audit::Draft::new("plugin.policy_changed", "tenant", tenant),
    };
    audit::commit_platform(app, tx, ctx, draft.details(details)).await?;
    refresh(app).await?;
    get(app, of).await
}

/// What a tenant may use, and what it has used on this node.
#[must_use]
pub fn standing(app: &App, t: &TenantCtx) -> (PluginTerms, Used) {
    let terms = app.policies.terms(t.scope.id(), &t.tenant.plan);
    let used = app.budgets.used(t.scope.id(), app.clock.now(), app.clock.monotonic());
    (terms, used)
}
