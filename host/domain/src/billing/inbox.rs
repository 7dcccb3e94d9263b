//! The inbox for providers' deliveries: on disk first, then verified by the plugin, then applied once, in one
//! transaction with its audit events, and only then acknowledged with the exact bytes the provider wants to see.

use super::answer::presentable;
use super::events::{MAX_EVENTS, apply, too_many};
use crate::{
    App, Ctx, Origin, Problem, TenantCtx, access, audit,
    plugins::{
        calls::{self, Loaded},
        error::{Doing, clean, fault_problem},
        installations::tenant_of_key,
        manifest::CallClass,
        port::{HttpRequest, HttpResponse},
    },
    tenancy,
};
use aistack_core::{Actor, ActorKind, DeliveryId, InstallationId, Outcome, ProblemKind, RequestId, TenantId};
use aistack_store::{Audit, Delivery, InstallationStatus};
use serde_json::json;
use std::sync::Arc;

/// Headers of a delivery are kept up to this size.
const MAX_HEADERS: usize = 32 << 10;

/// A delivery as it arrived.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The installation in the URL.
    pub installation: InstallationId,
    /// The endpoint in the URL.
    pub endpoint: String,
    /// The key in the URL.
    pub key: String,
    /// The tenant that host or path name, if they name one.
    pub tenant: Option<TenantId>,
    /// The request: path with query, lower-case header names, exact body.
    pub request: HttpRequest,
    /// Our id for the request.
    pub request_id: Option<RequestId>,
    /// Where it came from.
    pub origin: Origin,
}

/// What to answer.
pub type Answer = HttpResponse;

/// Where a delivery was addressed to.
struct Addressed {
    t: TenantCtx,
    loaded: Arc<Loaded>,
}

fn nowhere() -> Problem {
    Problem::not_found("endpoint")
}

/// Finds the installation behind the URL. Anything that does not fit is the same 404.
async fn address(app: &App, d: &Inbound) -> Result<Addressed, Problem> {
    let tenant = tenant_of_key(&d.key).ok_or_else(nowhere)?;
    if d.tenant.is_some_and(|routed| routed != tenant) {
        return Err(nowhere());
    }
    let scope = app.store.scope(tenant).await?.ok_or_else(nowhere)?;
    let row = app
        .store
        .platform_read()
        .await?
        .tenants()
        .get(tenant)
        .await?
        .ok_or_else(nowhere)?;
    let known = app
        .store
        .tenant_read(&scope)
        .await?
        .installations()
        .get(d.installation)
        .await?;
    let known = known.ok_or_else(nowhere)?;
    if !access::equal(known.endpoint_key.as_bytes(), d.key.as_bytes()) {
        return Err(nowhere());
    }
    tenancy::lifecycle::check(&row, tenancy::lifecycle::Use::Deliver, false)?;
    let mut ctx = Ctx::system(d.request_id);
    ctx.actor = Actor {
        kind: ActorKind::Plugin,
        id: Some(known.id.0),
        label: known.plugin_id.clone(),
    };
    ctx.origin = d.origin.clone();
    let t = TenantCtx {
        ctx,
        scope,
        tenant: Arc::new(row),
    };
    if known.status != InstallationStatus::Active {
        return Err(Problem::new(
            ProblemKind::PluginUnavailable,
            "the plugin is switched off",
        ));
    }
    let loaded = calls::load(app, &t, d.installation, None).await?;
    let endpoint = loaded.manifest.endpoint(&d.endpoint).ok_or_else(nowhere)?;
    if !endpoint.methods.contains(&d.request.method) {
        return Err(Problem::new(
            ProblemKind::MethodNotAllowed,
            "the endpoint does not take this method",
        ));
    }
    if d.request.body.len() as u64 > endpoint.max_body.0 {
        return Err(Problem::new(
            ProblemKind::PayloadTooLarge,
            "the delivery is larger than the endpoint takes",
        ));
    }
    let headers: usize = d.request.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
    if headers > MAX_HEADERS {
        return Err(Problem::new(
            ProblemKind::PayloadTooLarge,
            "the delivery's headers are too large",
        ));
    }
    Ok(Addressed { t, loaded })
}

/// Takes a delivery.
///
/// # Errors
/// `not_found` for an unknown URL, `method_not_allowed`, `payload_too_large`, `signature_invalid` for a forged or stale
/// delivery, `plugin_failed` or `plugin_unavailable` when it should come again later; or as the store.
pub async fn receive(app: &App, mut d: Inbound) -> Result<Answer, Problem> {
    let Addressed { t, loaded } = address(app, &d).await?;
    // Cookies are the browser's business with us, not part of a delivery.
    d.request.headers.retain(|(k, _)| k != "cookie");
    let delivery = keep(app, &t, &d).await?;
    let inv = calls::invocation(app, &t, &loaded, CallClass::Inbound, json!({ "delivery": delivery }));
    let outcome = match app.runtime.inbound(inv, &d.endpoint, d.request).await {
        Ok(outcome) => outcome,
        Err(fault) => {
            let problem = fault_problem(&fault, Doing::Deliver);
            let code = clean(&fault.code, 100);
            let forged = problem.kind == ProblemKind::SignatureInvalid;
            let (status, action, outcome) = if forged {
                ("rejected", "webhook.rejected", Outcome::Denied)
            } else {
                ("failed", "webhook.failed", Outcome::Failed)
            };
            close(app, &t, delivery, status, &code, action, outcome).await?;
            return Err(problem);
        }
    };
    if outcome.events.len() > MAX_EVENTS {
        let code = "too_many_events";
        close(app, &t, delivery, "failed", code, "webhook.failed", Outcome::Failed).await?;
        return Err(too_many());
    }
    match apply(app, &t, &loaded, delivery, &outcome.events).await {
        Ok(()) => Ok(presentable(outcome.ack, 200)),
        Err(problem) => {
            tracing::error!(%delivery, error = %problem, "a delivery could not be applied");
            Ok(presentable(outcome.nack, 503))
        }
    }
}

/// Stores the delivery raw.
async fn keep(app: &App, t: &TenantCtx, d: &Inbound) -> Result<DeliveryId, Problem> {
    let headers: Vec<(&str, String)> = d
        .request
        .headers
        .iter()
        .map(|(k, v)| (k.as_str(), String::from_utf8_lossy(v).into_owned()))
        .collect();
    let row = Delivery {
        id: DeliveryId::new(&*app.clock, &*app.rng),
        installation_id: d.installation,
        endpoint: d.endpoint.clone(),
        headers: json!(headers).to_string(),
        // A delivery by GET carries its content in the query.
        body: if d.request.method == "GET" {
            d.request.url.clone().into_bytes()
        } else {
            d.request.body.clone()
        },
        received_at: app.clock.now(),
        status: "received".to_owned(),
        code: None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.orders().insert_delivery(&row).await?;
    let draft = audit::Draft::new("webhook.received", "delivery", row.id)
        .details(json!({ "installation": d.installation, "endpoint": d.endpoint, "bytes": d.request.body.len() }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(row.id)
}

/// Closes a delivery that has no effect.
async fn close(
    app: &App,
    t: &TenantCtx,
    delivery: DeliveryId,
    status: &str,
    code: &str,
    action: &'static str,
    outcome: Outcome,
) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.orders().set_delivery_status(delivery, status, Some(code)).await?;
    let draft = audit::Draft::new(action, "delivery", delivery)
        .outcome(outcome)
        .details(json!({ "code": code }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(())
}
