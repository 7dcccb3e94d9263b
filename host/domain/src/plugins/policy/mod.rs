//! What stands over the grants that a tenant gives: the operator's ceilings, and what a plan allows. Kept in the platform's
//! settings and in memory, because every call asks. A change counts at once, for calls in flight too.
//!
//! - [`layers`]: who cuts what;
//! - [`ceiling`]: what the operator lets a plugin do, everywhere or in one tenant;
//! - [`permit`]: whether an installation may be as somebody wants it;
//! - [`terms`]: what plans and tenants may use.

pub mod ceiling;
mod layers;
mod permit;
pub mod terms;

pub use ceiling::Ceiling;
pub use layers::{Cut, CutBy, layers};
pub(super) use permit::{one_more, permit};

use super::{
    grants::{self, GrantRequest},
    manifest::Manifest,
    port::{CallLimits, Grants, Lane},
};
use crate::{
    App, Problem,
    plugins::calls,
    quota::{Plan, PluginTerms},
};
use aistack_core::TenantId;
use arc_swap::ArcSwap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Under which all of it is kept.
const PREFIX: &str = "plugins.policy/";

/// Everything that is set.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rules {
    ceilings: HashMap<(String, Option<TenantId>), Ceiling>,
    plans: HashMap<String, PluginTerms>,
    tenants: HashMap<TenantId, PluginTerms>,
}

/// The rules, in memory.
#[derive(Debug, Default)]
pub struct Policies {
    now: ArcSwap<(u64, Rules)>,
    /// One reads them at a time: what was read earlier must not be put in force later.
    refreshing: tokio::sync::Mutex<()>,
}

impl Policies {
    /// Grows with every change of a rule: what was made under an earlier one is made anew.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.now.load().0
    }

    /// What a tenant on a plan may do and use.
    #[must_use]
    pub fn terms(&self, tenant: TenantId, plan: &str) -> PluginTerms {
        let now = self.now.load();
        let of_plan = match now.1.plans.get(Plan::of(plan).code) {
            Some(set) => set.clone(),
            None => PluginTerms::built_in(Plan::of(plan)),
        };
        match now.1.tenants.get(&tenant) {
            Some(own) => own.clone().over(&of_plan),
            None => of_plan,
        }
    }

    /// The ceilings over a plugin in a tenant: the general one, then the tenant's.
    fn ceilings(&self, plugin: &str, tenant: TenantId) -> Vec<Ceiling> {
        let now = self.now.load();
        let of = |tenant| now.1.ceilings.get(&(plugin.to_owned(), tenant)).cloned();
        [of(None), of(Some(tenant))].into_iter().flatten().collect()
    }

    /// Whether the operator lets a tenant use a plugin at all.
    #[must_use]
    pub fn allows(&self, plugin: &str, tenant: TenantId) -> bool {
        self.ceilings(plugin, tenant).iter().all(|c| c.allowed)
    }
}

/// Whose rules are meant.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// Its plan.
    pub plan: &'a str,
}

/// The grants that calls get, and every cut: whatever the row says, nothing beyond the manifest of its version, the
/// operator's ceilings and the plan is ever linked.
pub(in crate::plugins) fn in_force(
    app: &App,
    whose: Whose<'_>,
    manifest: &Manifest,
    guest_config: &Value,
    consent: &Grants,
) -> (Grants, Vec<Cut>) {
    let ceilings = app.policies.ceilings(&manifest.id, whose.tenant);
    let ceilings: Vec<&GrantRequest> = ceilings.iter().map(|c| &c.grants).collect();
    let terms = app.policies.terms(whose.tenant, whose.plan);
    layers(&grants::declared(manifest, guest_config), &ceilings, &terms, consent)
}

/// A call's bounds under a tenant's terms.
#[must_use]
pub(in crate::plugins) fn bounded(limits: CallLimits, lane: Lane, terms: &PluginTerms) -> CallLimits {
    let memory = terms.memory_bytes.and_then(|b| usize::try_from(b).ok());
    let wall = terms.wall().filter(|_| lane == Lane::Ordinary);
    let wall = wall.map_or(limits.wall, |most| limits.wall.min(most));
    CallLimits {
        memory: memory.map_or(limits.memory, |most| limits.memory.min(most)),
        concurrency: terms
            .concurrency
            .map_or(limits.concurrency, |most| limits.concurrency.min(most)),
        cpu: limits.cpu.min(wall),
        wall,
        ..limits
    }
}

/// Reads the rules; when they have changed, everything that was made under the old ones is looked at again.
///
/// # Errors
/// As the stores.
pub async fn refresh(app: &App) -> Result<(), Problem> {
    let one = app.policies.refreshing.lock().await;
    let mut rules = Rules::default();
    let stored = app.store.platform_read().await?.settings().with_prefix(PREFIX).await?;
    for (name, bytes) in stored {
        if let Some(whose) = ceiling::whose(&name) {
            rules.ceilings.insert(whose, document(&name, &bytes)?);
        } else if let Some(plan) = name.strip_prefix(terms::PLANS) {
            rules.plans.insert(plan.to_owned(), document(&name, &bytes)?);
        } else if let Some(Ok(tenant)) = name.strip_prefix(terms::TENANTS).map(str::parse) {
            rules.tenants.insert(tenant, document(&name, &bytes)?);
        }
    }
    let before = app.policies.now.load_full();
    if before.1 == rules {
        return Ok(());
    }
    app.policies.now.store(Arc::new((before.0 + 1, rules)));
    drop(one);
    calls::reconsider(app, None).await;
    Ok(())
}

fn document<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|e| Problem::internal(format!("setting {name}: {e}")))
}
