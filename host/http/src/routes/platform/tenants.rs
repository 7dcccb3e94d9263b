//! The catalogue of tenants, for operators.

use crate::routes::product::DomainList;
use crate::{
    extract::{Json, List, ListParams, Listed, OperatorCtx, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Isolation, Permission, TenantId, TenantStatus, Timestamp};
use aistack_domain::{
    App,
    tenancy::{self, NewOwner, NewTenant, TenantPatch, closing::Closing, domains, routing::tenant_url},
};
use axum::extract::State;
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::platform(Permission::PlatformTenantRead);
    let write = Access::platform(Permission::PlatformTenantWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(
            write.audits(&["tenant.created", "tenant.activated", "user.created"]),
            routes!(create),
        )
        .add(read, routes!(get))
        .add(write.audits(&["tenant.updated"]), routes!(update))
        .add(write.audits(&["tenant.renamed"]), routes!(rename))
        .add(read, routes!(list_domains))
        .add(write.audits(&["tenant.suspended"]), routes!(suspend))
        .add(write.audits(&["tenant.activated"]), routes!(activate))
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(in crate::routes) struct TenantView {
    /// Id.
    #[schema(value_type = String)]
    id: TenantId,
    /// DNS label.
    slug: String,
    /// Name.
    name: String,
    /// State.
    #[schema(value_type = String)]
    status: TenantStatus,
    /// Plan code.
    plan: String,
    /// Where its rows live: `row`, `schema`, `database`.
    #[schema(value_type = String)]
    isolation: Isolation,
    /// Language, BCP 47.
    locale: String,
    /// IANA time zone.
    time_zone: String,
    /// ISO 4217.
    currency: String,
    /// Whether it is made-up data.
    demo: bool,
    /// Where it is reached.
    url: String,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed; send it as `if_updated_at` to refuse lost updates.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Active members; only when one tenant is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<i64>,
    /// When a tenant that is closing is erased; only when one tenant is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    erased_at: Option<Timestamp>,
}

impl TenantView {
    pub(in crate::routes) fn new(app: &App, t: aistack_store::Tenant, users: Option<i64>) -> Self {
        Self {
            url: tenant_url(&app.config.public_url, &t.slug),
            id: t.id,
            slug: t.slug,
            name: t.name,
            status: t.status,
            plan: t.plan,
            isolation: t.isolation,
            locale: t.locale,
            time_zone: t.time_zone,
            currency: t.currency,
            demo: t.demo_at.is_some(),
            created_at: t.created_at,
            updated_at: t.updated_at,
            users,
            erased_at: None,
        }
    }
    /// With the time at which it is erased.
    pub(in crate::routes) fn closing(mut self, closing: Option<Closing>) -> Self {
        self.erased_at = closing.map(|c| c.until);
        self
    }
    /// With the address of its own domain.
    pub(in crate::routes) fn at(self, url: String) -> Self {
        Self { url, ..self }
    }
}

/// A tenant to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateTenant {
    /// DNS label, 2 to 40 of a-z, 0-9 and hyphens.
    slug: String,
    /// Name.
    name: String,
    /// Plan code.
    #[serde(default = "free")]
    #[schema(default = "free")]
    plan: String,
    /// Language: `en` or `zh`, BCP 47.
    #[serde(default = "english")]
    #[schema(default = "en")]
    locale: String,
    /// IANA time zone.
    #[serde(default = "utc")]
    #[schema(default = "UTC")]
    time_zone: String,
    /// ISO 4217.
    #[serde(default = "usd")]
    #[schema(default = "USD")]
    currency: String,
    /// `row`, `schema` or `database`; the strongest the store offers when left out.
    #[schema(value_type = Option<String>)]
    isolation: Option<Isolation>,
    /// Its first owner.
    owner: Option<CreateOwner>,
}

/// The first owner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateOwner {
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// Password, 12 to 128 characters.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

fn free() -> String {
    "free".to_owned()
}
fn english() -> String {
    "en".to_owned()
}
fn utc() -> String {
    "UTC".to_owned()
}
fn usd() -> String {
    "USD".to_owned()
}

/// Which tenants.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TenantQuery {
    /// Only in this state.
    #[param(value_type = Option<String>)]
    status: Option<TenantStatus>,
}

/// All tenants.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "tenants", operation_id = "list_tenants", params(ListParams, TenantQuery),
    responses((status = 200, body = Listed<TenantView>)))]
async fn list(
    State(state): State<AppState>,
    list: List,
    Query(q): Query<TenantQuery>,
) -> ApiResult<Json<Listed<TenantView>>> {
    let rows = tenancy::list(&state.app, &list.page(), q.status).await?;
    let urls = domains::addresses(&state.app, &rows).await?;
    Ok(Json(list.listed(
        rows.into_iter().zip(urls).collect(),
        |(t, _)| t.id.0,
        |(t, url)| TenantView::new(&state.app, t, None).at(url),
    )))
}

/// Make a tenant and its first owner.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "tenants", operation_id = "create_tenant", request_body = CreateTenant,
    responses((status = 201, body = TenantView)))]
async fn create(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Json(body): Json<CreateTenant>,
) -> ApiResult<(StatusCode, Json<TenantView>)> {
    let new = NewTenant {
        slug: body.slug,
        name: body.name,
        plan: body.plan,
        locale: body.locale,
        time_zone: body.time_zone,
        currency: body.currency,
        isolation: body.isolation,
        owner: body.owner.map(|o| NewOwner {
            email: o.email,
            name: o.name,
            password: o.password,
        }),
        demo: false,
    };
    let tenant = tenancy::create(&state.app, &ctx, new).await?;
    Ok((StatusCode::CREATED, Json(TenantView::new(&state.app, tenant, None))))
}

/// One tenant, by id or slug.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}", tag = "tenants", operation_id = "get_tenant", params(("tenant" = String, Path)),
    responses((status = 200, body = TenantView)))]
async fn get(State(state): State<AppState>, Path(id): Path<String>) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let users = tenancy::user_count(&state.app, &tenant).await?;
    let closing = tenancy::closing::closing_of(&state.app, tenant.id).await?;
    let url = domains::address(&state.app, tenant.id, &tenant.slug).await?;
    Ok(Json(
        TenantView::new(&state.app, tenant, users).closing(closing).at(url),
    ))
}

/// A change of a tenant; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTenant {
    /// Name.
    name: Option<String>,
    /// Plan code.
    plan: Option<String>,
    /// Language.
    locale: Option<String>,
    /// IANA time zone.
    time_zone: Option<String>,
    /// Refuse if the tenant changed since this version.
    #[schema(value_type = Option<String>)]
    if_updated_at: Option<Timestamp>,
}

/// Change a tenant.
#[utoipa::path(patch, path = "/api/v1/tenants/{tenant}", tag = "tenants", operation_id = "update_tenant", params(("tenant" = String, Path)),
    request_body = UpdateTenant, responses((status = 200, body = TenantView)))]
async fn update(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<UpdateTenant>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let patch = TenantPatch {
        name: body.name,
        plan: body.plan,
        locale: body.locale,
        time_zone: body.time_zone,
        if_updated_at: body.if_updated_at,
    };
    let plan_before = tenant.plan.clone();
    let tenant = tenancy::update(&state.app, &ctx, &tenant, patch).await?;
    if tenant.plan != plan_before {
        state.app.quota.limits_changed(tenant.id);
    }
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}

/// Another slug.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct RenameTenant {
    /// DNS label, 2 to 40 of a-z, 0-9 and hyphens.
    pub(in crate::routes) slug: String,
    /// Refuse if the tenant changed since this version.
    #[schema(value_type = Option<String>)]
    pub(in crate::routes) if_updated_at: Option<Timestamp>,
}

/// Give a tenant another slug. Its people are sent on from the old one for 90 days and have to sign in again; nobody else
/// ever gets the old one.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/slug", tag = "tenants", operation_id = "rename_tenant", params(("tenant" = String, Path)),
    request_body = RenameTenant, responses((status = 200, body = TenantView)))]
async fn rename(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<RenameTenant>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = tenancy::rename(&state.app, &ctx, &tenant, &body.slug, body.if_updated_at).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}

/// The own domains of a tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/domains", tag = "tenants", operation_id = "list_tenant_domains",
    params(("tenant" = String, Path)), responses((status = 200, body = DomainList)))]
async fn list_domains(State(state): State<AppState>, Path(id): Path<String>) -> ApiResult<Json<DomainList>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let rows = domains::list(&state.app, tenant.id).await?;
    Ok(Json(DomainList::new(&state.app, rows)))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Kept in the audit log.
    pub(super) reason: String,
}

/// Suspend a tenant: nobody but operators may act in it.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/suspend", tag = "tenants", operation_id = "suspend_tenant",
    params(("tenant" = String, Path)), request_body = Reason, responses((status = 200, body = TenantView)))]
async fn suspend(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<Reason>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = tenancy::suspend(&state.app, &ctx, &tenant, &body.reason).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}

/// Activate a tenant again, or finish one whose making failed.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/activate", tag = "tenants", operation_id = "activate_tenant",
    params(("tenant" = String, Path)), request_body = Reason, responses((status = 200, body = TenantView)))]
async fn activate(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<Reason>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = tenancy::activate(&state.app, &ctx, &tenant, &body.reason).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}
