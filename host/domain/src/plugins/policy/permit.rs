//! Whether an installation may be as somebody wants it, under the operator's ceilings and the plan.

use super::{CutBy, in_force};
use crate::{
    App, FieldError, Problem, TenantCtx,
    plugins::{
        calls::whose,
        catalogue::Listed,
        error::PluginError,
        port::{Grants, Refusal},
    },
    quota::{Exceeded, QuotaError, upgrade_url},
};
use aistack_store::{Page, TenantTx};
use serde_json::Value;

/// The meter of enabled plugins, as refusals name it.
const METER: &str = "plugins.installations";

/// Whether a plugin may be used here with this consent; the config is the guest's.
///
/// # Errors
/// `plugin_refused` when the operator does not let it be used here; `plugin_config_invalid` when its kind, or something it
/// can't work without, is not in the plan or under the ceiling.
pub(in crate::plugins) fn permit(
    app: &App,
    t: &TenantCtx,
    listed: &Listed,
    guest_config: &Value,
    consent: &Grants,
) -> Result<(), Problem> {
    if !app.policies.allows(&listed.version.plugin_id, t.scope.id()) {
        return Err(PluginError::NotAllowed.into());
    }
    let terms = app.policies.terms(t.scope.id(), &t.tenant.plan);
    let kind = listed.manifest.kind();
    if let (Some(kinds), Some(kind)) = (&terms.kinds, kind)
        && !kinds.contains(&kind)
    {
        let error = FieldError::new("/plugin_id", "not_in_plan", format!("the plan has no {kind} plugins"));
        return Err(refuse(app, t, vec![error.hint(upgrade(app, t))]));
    }
    let (granted, cuts) = in_force(app, whose(t), &listed.manifest, guest_config, consent);
    let missing = match app.runtime.check_grants(&listed.version.digest, &granted) {
        Ok(()) => return Ok(()),
        Err(Refusal::NotGranted(missing)) => missing,
        Err(other) => return Err(PluginError::Refused(other).into()),
    };
    let errors = missing.iter().map(|name| {
        let by_operator = cuts
            .iter()
            .any(|c| c.kind == "interfaces" && c.what == *name && c.by == CutBy::Operator);
        let at = "/grants/interfaces";
        if by_operator {
            FieldError::new(
                at,
                "not_allowed",
                format!("the plugin can't work without {name}, which the operator does not let it use"),
            )
            .hint("ask the operator: aistack plugin ceiling")
        } else {
            FieldError::new(
                at,
                "not_in_plan",
                format!("the plugin can't work without {name}, which the plan does not have"),
            )
            .hint(upgrade(app, t))
        }
    });
    Err(refuse(app, t, errors.collect()))
}

fn upgrade(app: &App, t: &TenantCtx) -> String {
    format!("change the plan: {}", upgrade_url(app, t.scope.slug()))
}

fn refuse(app: &App, t: &TenantCtx, errors: Vec<FieldError>) -> Problem {
    let problem: Problem = PluginError::ConfigInvalid(errors).into();
    if problem.errors.iter().any(|e| e.code == "not_in_plan") {
        return problem
            .with("reason", "not_in_plan")
            .with("upgrade_url", upgrade_url(app, t.scope.slug()));
    }
    problem
}

/// Whether one more plugin may be enabled, asked inside the transaction that does it.
///
/// # Errors
/// `quota_exceeded`, or as the store.
pub(in crate::plugins) async fn one_more(app: &App, t: &TenantCtx, tx: &mut dyn TenantTx) -> Result<(), Problem> {
    let terms = app.policies.terms(t.scope.id(), &t.tenant.plan);
    let Some(limit) = terms.installations.map(i64::from) else {
        return Ok(());
    };
    let mut used = 0i64;
    let mut page = Page {
        limit: 200,
        ..Page::default()
    };
    loop {
        let rows = tx.installations().list(&page, None).await?;
        let Some(last) = rows.last() else { break };
        page.after = Some(last.id.0);
        used += i64::try_from(rows.len()).unwrap_or(i64::MAX);
    }
    if used < limit {
        return Ok(());
    }
    let exceeded = Exceeded {
        meter: METER.to_owned(),
        limit,
        used,
        reset_at: None,
        retry_after: None,
        window: None,
    };
    Err(QuotaError::from(exceeded).into_problem(&upgrade_url(app, t.scope.slug())))
}
