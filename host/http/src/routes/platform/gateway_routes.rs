//! Gateway routes: which path goes to which upstream.

use crate::{
    extract::{Json, OperatorCtx, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, RouteId, Timestamp};
use aistack_domain::{
    gateway::{self, NewRoute, RouteView},
    quota::API_CALLS,
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let write = Access::platform(Permission::PlatformRouteWrite);
    Routes::new()
        .add(Access::platform(Permission::PlatformRouteRead), routes!(list))
        .add(write.audits(&["route.created"]), routes!(create))
        .add(write.audits(&["route.updated"]), routes!(update))
        .add(write.audits(&["route.deleted"]), routes!(delete))
}

/// A gateway route.
#[derive(Debug, Serialize, ToSchema)]
struct Route {
    /// Id.
    #[schema(value_type = String)]
    id: RouteId,
    /// Path prefix.
    path_prefix: String,
    /// Where calls go.
    upstream: String,
    /// Slug of the only tenant that has it; null for all.
    #[schema(required = true)]
    tenant: Option<String>,
    /// Meter counted by one per call.
    meter: String,
    /// Whether the prefix is cut off.
    strip_prefix: bool,
    /// Time to the first byte of the answer, milliseconds.
    timeout_ms: i64,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<RouteView> for Route {
    fn from(v: RouteView) -> Self {
        Self {
            id: v.route.id,
            path_prefix: v.route.path_prefix,
            upstream: v.route.upstream,
            tenant: v.tenant,
            meter: v.route.meter,
            strip_prefix: v.route.strip_prefix != 0,
            timeout_ms: v.route.timeout_ms,
            created_at: v.route.created_at,
            updated_at: v.route.updated_at,
        }
    }
}

/// A route to make or to replace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RouteInput {
    /// Path prefix, e.g. `/v1/`; ends at a segment's end.
    path_prefix: String,
    /// `http(s)://host[:port][/base]`.
    upstream: String,
    /// Slug of the only tenant that has it; null or absent for all.
    tenant: Option<String>,
    /// Meter counted by one per call; `api.calls` by default.
    meter: Option<String>,
    /// Whether the prefix is cut off; false by default.
    #[serde(default)]
    strip_prefix: bool,
    /// Time to the first byte of the answer, milliseconds; 30000 by default.
    timeout_ms: Option<i64>,
}

impl From<RouteInput> for NewRoute {
    fn from(i: RouteInput) -> Self {
        Self {
            path_prefix: i.path_prefix,
            upstream: i.upstream,
            tenant: i.tenant,
            meter: i.meter.unwrap_or_else(|| API_CALLS.to_owned()),
            strip_prefix: i.strip_prefix,
            timeout_ms: i.timeout_ms.unwrap_or(30_000),
        }
    }
}

/// All routes.
#[derive(Debug, Serialize, ToSchema)]
struct RouteList {
    /// Oldest first.
    items: Vec<Route>,
    /// Always null: the list is whole.
    #[schema(required = true)]
    next: Option<String>,
}

/// All gateway routes.
#[utoipa::path(get, path = "/api/v1/routes", tag = "routes", operation_id = "list_gateway_routes", responses((status = 200, body = RouteList)))]
async fn list(State(state): State<AppState>) -> ApiResult<Json<RouteList>> {
    let routes = gateway::list(&state.app).await?;
    Ok(Json(RouteList {
        items: routes.into_iter().map(Route::from).collect(),
        next: None,
    }))
}

/// Adds a route, in force at once.
#[utoipa::path(post, path = "/api/v1/routes", tag = "routes", operation_id = "create_gateway_route", request_body = RouteInput, responses((status = 201, body = Route)))]
async fn create(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Json(body): Json<RouteInput>,
) -> ApiResult<(StatusCode, Json<Route>)> {
    let view = gateway::create(&state.app, &ctx, &body.into()).await?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// Replaces a route.
#[utoipa::path(put, path = "/api/v1/routes/{route}", tag = "routes", operation_id = "update_gateway_route", params(("route" = String, Path)), request_body = RouteInput,
    responses((status = 200, body = Route)))]
async fn update(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(route): Path<RouteId>,
    Json(body): Json<RouteInput>,
) -> ApiResult<Json<Route>> {
    let view = gateway::update(&state.app, &ctx, route, &body.into()).await?;
    Ok(Json(view.into()))
}

/// Removes a route; calls under way finish.
#[utoipa::path(delete, path = "/api/v1/routes/{route}", tag = "routes", operation_id = "delete_gateway_route", params(("route" = String, Path)), responses((status = 204)))]
async fn delete(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(route): Path<RouteId>,
) -> ApiResult<StatusCode> {
    gateway::delete(&state.app, &ctx, route).await?;
    Ok(StatusCode::NO_CONTENT)
}
