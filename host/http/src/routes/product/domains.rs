//! The tenant's own domains.

use crate::{
    extract::{InTenant, Json, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::{
    App, TenantCtx,
    tenancy::{
        Known,
        domains::{self, Miss},
        routing::normalise_host,
    },
};
use aistack_store::{DomainStatus, TenantDomain};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let write = Access::tenant(Permission::TenantWrite);
    Routes::new()
        .add(Access::tenant(Permission::TenantRead), routes!(list))
        .add(write.audits(&["domain.added"]), routes!(add))
        .add(
            write.audits(&["domain.verified", "domain.failing", "domain.lost"]),
            routes!(verify),
        )
        .add(write.audits(&["domain.primary_set"]), routes!(make_primary))
        .add(write.audits(&["domain.removed"]), routes!(remove))
}

/// A domain of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Domain)]
pub(in crate::routes) struct DomainView {
    /// Lower case; internationalised names in their `xn--` form.
    domain: String,
    /// `pending` (not proven yet), `verified`, `failing` (the proof is missing; still works for a week), `unverified`.
    #[schema(value_type = String)]
    status: DomainStatus,
    /// Whether links to the tenant use it.
    primary: bool,
    /// The record that proves it.
    challenge: Challenge,
    /// Host name to point the domain to with a CNAME; none when the platform is reached at an address.
    target: Option<String>,
    /// Why the last look did not find the proof: `txt_missing`, `txt_wrong`, `dns_failure`, `dns_timeout`, `dns_unreadable`.
    last_error: Option<String>,
    /// The same as a sentence.
    last_error_message: Option<&'static str>,
    /// When the DNS was last asked.
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
    /// When it will be asked again by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_check_at: Option<Timestamp>,
    /// When it was proven.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// When a failing domain stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    works_until: Option<Timestamp>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A DNS record to publish.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DomainChallenge)]
struct Challenge {
    /// Kind of record: `TXT`.
    kind: &'static str,
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

/// All domains.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Domains)]
pub(in crate::routes) struct DomainList {
    /// By name.
    items: Vec<DomainView>,
    /// Most that a tenant can have.
    limit: usize,
}

impl DomainView {
    fn new(app: &App, row: TenantDomain) -> Self {
        let last_error = row.last_error;
        let miss = Miss::ALL.into_iter().find(|m| Some(m.code()) == last_error.as_deref());
        Self {
            challenge: Challenge {
                kind: "TXT",
                name: domains::challenge_name(&row.domain),
                value: domains::challenge_value(&row.token),
            },
            target: app.config.public_url.domain().map(str::to_owned),
            domain: row.domain,
            status: row.status,
            primary: row.is_primary == 1,
            last_error_message: miss.map(Miss::message),
            last_error,
            checked_at: row.checked_at,
            next_check_at: row.next_check_at,
            verified_at: row.verified_at,
            works_until: row.failing_since.map(|since| since.plus(domains::GRACE)),
            created_at: row.created_at,
        }
    }
}

impl DomainList {
    pub(in crate::routes) fn new(app: &App, rows: Vec<TenantDomain>) -> Self {
        Self {
            items: rows.into_iter().map(|row| DomainView::new(app, row)).collect(),
            limit: domains::MOST,
        }
    }
}

fn known(t: &TenantCtx) -> Known {
    Known {
        scope: t.scope.clone(),
        tenant: t.tenant.clone(),
    }
}

/// In the spelling in which it is stored.
fn stored(domain: &str) -> String {
    normalise_host(domain).unwrap_or_else(|_| domain.to_owned())
}

/// The tenant's own domains, proven or not.
#[utoipa::path(get, path = "/api/v1/domains", tag = "domains", operation_id = "list_domains", responses((status = 200, body = DomainList)))]
async fn list(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<DomainList>> {
    let rows = domains::list(&state.app, t.scope.id()).await?;
    Ok(Json(DomainList::new(&state.app, rows)))
}

/// A domain to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddDomain {
    /// Like `app.example.com`.
    domain: String,
}

/// Add a domain. It works once the record in `challenge` has been published and verified.
#[utoipa::path(post, path = "/api/v1/domains", tag = "domains", operation_id = "add_domain", request_body = AddDomain,
    responses((status = 201, body = DomainView)))]
async fn add(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<AddDomain>,
) -> ApiResult<(StatusCode, Json<DomainView>)> {
    let row = domains::add(&state.app, &t.ctx, &known(&t), &body.domain).await?;
    Ok((StatusCode::CREATED, Json(DomainView::new(&state.app, row))))
}

/// Look for the proof of a domain in the DNS now. Without it: 409, with the `reason` and what to publish.
#[utoipa::path(post, path = "/api/v1/domains/{domain}/verify", tag = "domains", operation_id = "verify_domain", params(("domain" = String, Path)),
    responses((status = 200, body = DomainView)))]
async fn verify(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(domain): Path<String>,
) -> ApiResult<Json<DomainView>> {
    let row = domains::verify(&state.app, &t.ctx, &known(&t), &stored(&domain)).await?;
    Ok(Json(DomainView::new(&state.app, row)))
}

/// Make a proven domain the one that links to the tenant use.
#[utoipa::path(post, path = "/api/v1/domains/{domain}/primary", tag = "domains", operation_id = "make_domain_primary", params(("domain" = String, Path)),
    responses((status = 200, body = DomainView)))]
async fn make_primary(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(domain): Path<String>,
) -> ApiResult<Json<DomainView>> {
    let row = domains::make_primary(&state.app, &t.ctx, &known(&t), &stored(&domain)).await?;
    Ok(Json(DomainView::new(&state.app, row)))
}

/// Remove a domain; it stops working at once.
#[utoipa::path(delete, path = "/api/v1/domains/{domain}", tag = "domains", operation_id = "remove_domain", params(("domain" = String, Path)),
    responses((status = 204)))]
async fn remove(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(domain): Path<String>,
) -> ApiResult<StatusCode> {
    domains::remove(&state.app, &t.ctx, &known(&t), &stored(&domain)).await?;
    Ok(StatusCode::NO_CONTENT)
}
