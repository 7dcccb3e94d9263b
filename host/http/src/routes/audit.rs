//! Reading the audit logs: the tenant's own and the operators'.

use crate::{
    extract::{InTenant, Json, Listed, Path, Query, decode_cursor, encode_cursor},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{AuditEventId, Outcome, Permission, RequestId, Timestamp};
use aistack_domain::{
    FieldError, Problem,
    audit::{self, Event, Log},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let tenant = Access::tenant(Permission::AuditRead);
    let platform = Access::platform(Permission::PlatformAuditRead);
    Routes::new()
        .add(tenant, routes!(list))
        .add(tenant, routes!(get))
        .add(tenant, routes!(verify))
        .add(platform, routes!(platform_list))
        .add(platform, routes!(platform_get))
        .add(platform, routes!(platform_verify))
}

/// An event of a log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEvent {
    /// Place in the log, from 0 without gaps.
    seq: i64,
    /// Id.
    #[schema(value_type = String)]
    id: AuditEventId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What was done, e.g. `order.paid`.
    action: String,
    /// Who did it.
    actor: AuditActor,
    /// What it was done to.
    target: AuditTarget,
    /// `ok`, `denied` or `failed`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// The request that caused it.
    #[schema(value_type = Option<String>)]
    request_id: Option<RequestId>,
    /// Before, after, reasons.
    details: serde_json::Value,
    /// Where from; null when unknown or erased.
    #[schema(value_type = Option<String>)]
    ip: Option<std::net::IpAddr>,
    /// The user agent; null when unknown or erased.
    user_agent: Option<String>,
    /// Method and route.
    route: Option<String>,
    /// RFC 6962 hash of the stored bytes, hex.
    leaf_hash: String,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
struct AuditActor {
    /// `user`, `operator`, `plugin`, `system`, `anonymous`.
    kind: String,
    /// Id, for users, operators and plugins' installations.
    id: Option<String>,
    /// Name at that time; null when there was none or the person was erased.
    label: Option<String>,
}

/// What was acted on.
#[derive(Debug, Serialize, ToSchema)]
struct AuditTarget {
    /// Kind.
    kind: String,
    /// Id.
    id: String,
}

impl From<Event> for AuditEvent {
    fn from(e: Event) -> Self {
        Self {
            seq: e.row.seq,
            id: e.row.id,
            at: e.row.at,
            action: e.row.action,
            actor: AuditActor {
                kind: e.row.actor_kind.to_string(),
                id: e.actor_id,
                label: e.label,
            },
            target: AuditTarget {
                kind: e.row.target_kind,
                id: e.row.target_id,
            },
            outcome: e.row.outcome,
            request_id: e.row.request_id,
            details: e.details,
            ip: e.ip,
            user_agent: e.user_agent,
            route: e.route,
            leaf_hash: hex(&e.row.leaf_hash),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Action; a trailing `*` matches any ending.
    action: Option<String>,
    /// Id of a user, operator or installation.
    actor: Option<String>,
    /// Id of the target, its kind, or `kind:id`.
    target: Option<String>,
    /// `ok`, `denied` or `failed`.
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// The request.
    #[param(value_type = Option<String>)]
    request_id: Option<RequestId>,
    /// From this time on.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Text in action, target, actor's name or details.
    q: Option<String>,
    /// At most so many, 1 to 200.
    limit: Option<i64>,
    /// `next` of the previous page.
    cursor: Option<String>,
}

async fn page(state: &AppState, log: &Log, q: AuditQuery) -> ApiResult<Json<Listed<AuditEvent>>> {
    let limit = q.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Problem::invalid(vec![FieldError::new("?limit", "range", "limit is between 1 and 200")]).into());
    }
    let before = q
        .cursor
        .as_deref()
        .map(decode_cursor::<8>)
        .transpose()?
        .map(i64::from_be_bytes);
    let query = audit::Query::new(
        q.action,
        q.actor.as_deref(),
        q.target,
        q.outcome,
        q.request_id,
        (q.from, q.to),
        q.q,
        (before, limit),
    )?;
    let found = audit::list(&state.app, log, &query).await?;
    Ok(Json(Listed {
        items: found.events.into_iter().map(AuditEvent::from).collect(),
        next: found.next_before.map(|seq| encode_cursor(&seq.to_be_bytes())),
    }))
}

/// What came out of recomputing a log.
#[derive(Debug, Serialize, ToSchema)]
struct Verification {
    /// Events in the log.
    size: i64,
    /// RFC 6962 tree head, hex.
    root: String,
    /// Whether every event is as it was written.
    ok: bool,
    /// The first that is not.
    first_bad_seq: Option<i64>,
}

async fn verified(state: &AppState, log: &Log) -> ApiResult<Json<Verification>> {
    let v = audit::verify(&state.app, log).await?;
    Ok(Json(Verification {
        size: v.size,
        root: v.root,
        ok: v.ok,
        first_bad_seq: v.first_bad_seq,
    }))
}

/// The tenant's audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit-events", tag = "audit", operation_id = "list_audit_events", params(AuditQuery), responses((status = 200, body = Listed<AuditEvent>)))]
async fn list(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Query(q): Query<AuditQuery>,
) -> ApiResult<Json<Listed<AuditEvent>>> {
    page(&state, &Log::Tenant(t.scope), q).await
}

/// One event of the tenant's audit log.
#[utoipa::path(get, path = "/api/v1/audit-events/{id}", tag = "audit", operation_id = "get_audit_event", params(("id" = String, Path)), responses((status = 200, body = AuditEvent)))]
async fn get(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<AuditEventId>,
) -> ApiResult<Json<AuditEvent>> {
    Ok(Json(audit::get(&state.app, &Log::Tenant(t.scope), id).await?.into()))
}

/// Recompute the tenant's audit log.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", operation_id = "verify_audit", responses((status = 200, body = Verification)))]
async fn verify(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<Verification>> {
    verified(&state, &Log::Tenant(t.scope)).await
}

/// The operators' audit log, newest first.
#[utoipa::path(get, path = "/api/v1/platform/audit-events", tag = "audit", operation_id = "list_platform_audit_events", params(AuditQuery), responses((status = 200, body = Listed<AuditEvent>)))]
async fn platform_list(
    State(state): State<AppState>,
    Query(q): Query<AuditQuery>,
) -> ApiResult<Json<Listed<AuditEvent>>> {
    page(&state, &Log::Platform, q).await
}

/// One event of the operators' audit log.
#[utoipa::path(get, path = "/api/v1/platform/audit-events/{id}", tag = "audit", operation_id = "get_platform_audit_event", params(("id" = String, Path)), responses((status = 200, body = AuditEvent)))]
async fn platform_get(State(state): State<AppState>, Path(id): Path<AuditEventId>) -> ApiResult<Json<AuditEvent>> {
    Ok(Json(audit::get(&state.app, &Log::Platform, id).await?.into()))
}

/// Recompute the operators' audit log.
#[utoipa::path(get, path = "/api/v1/platform/audit/verify", tag = "audit", operation_id = "verify_platform_audit", responses((status = 200, body = Verification)))]
async fn platform_verify(State(state): State<AppState>) -> ApiResult<Json<Verification>> {
    verified(&state, &Log::Platform).await
}
