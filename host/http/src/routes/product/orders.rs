//! Orders and their payment.

use crate::routes::detached;
use crate::{
    Caller,
    extract::{InTenant, Json, List, ListParams, Listed, Path, Query},
    problem::ApiResult,
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Money, OrderId, Permission, Timestamp};
use aistack_domain::{
    billing::{self, NewOrder, OrderView},
    plugins::port::HttpRequest,
};
use aistack_store::OrderStatus;
use axum::{
    extract::{OriginalUri, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Audit actions that a provider's answer may lead to.
const SETTLED: &[&str] = &[
    "order.pending",
    "order.paid",
    "order.failed",
    "order.cancelled",
    "order.refunded",
    "order.unknown",
    "order.reopened",
    "order.mismatch",
    "order.pay_failed",
];

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::tenant(Permission::OrderRead);
    let write = Access::tenant(Permission::OrderWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(write.audits(&["order.created"]), routes!(create))
        .add(read, routes!(get))
        .add(write.audits(SETTLED), routes!(pay))
        .add(write.audits(SETTLED), routes!(refresh))
        .add(write.audits(SETTLED), routes!(cancel))
        .add(
            Access::public(
                Realm::Tenant,
                "the payer's browser comes back here from the provider, perhaps without a session; nothing is shown and \
                 nothing it carries is believed",
            )
            .audits(SETTLED),
            routes!(browser_return),
        )
}

/// An amount of money.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Amount {
    /// Minor units: cents, fen, yen.
    minor: i64,
    /// ISO 4217 code.
    currency: String,
}

impl From<Money> for Amount {
    fn from(m: Money) -> Self {
        Self {
            minor: m.minor,
            currency: m.currency.to_string(),
        }
    }
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
struct Order {
    /// Id.
    #[schema(value_type = String)]
    id: OrderId,
    /// Number for people.
    number: i64,
    /// How much.
    amount: Amount,
    /// What for.
    description: String,
    /// `draft`, `pending`, `paid`, `failed`, `cancelled`, `refunded` or `unknown`.
    #[schema(value_type = String)]
    status: OrderStatus,
    /// Payment installation.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// The provider's reference.
    #[schema(required = true)]
    provider_ref: Option<String>,
    /// What the payer has to do: `{type: "redirect", url}`, `{type: "qr", payload}`, `{type: "form_post", url, fields}` or
    /// `{type: "client", data}`.
    #[schema(value_type = Option<Object>, required = true)]
    action: Option<Value>,
    /// Who made it.
    #[schema(required = true)]
    created_by: Option<String>,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When paid.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    paid_at: Option<Timestamp>,
    /// What was paid.
    #[schema(required = true)]
    paid: Option<Amount>,
}

impl From<OrderView> for Order {
    fn from(o: OrderView) -> Self {
        Self {
            id: o.id,
            number: o.number,
            amount: o.amount.into(),
            description: o.description,
            status: o.status,
            installation: o.installation,
            provider_ref: o.provider_ref,
            action: o.action,
            created_by: o.created_by,
            created_at: o.created_at,
            updated_at: o.updated_at,
            paid_at: o.paid_at,
            paid: o.paid.map(Amount::from),
        }
    }
}

/// An order to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateOrder {
    /// How much; more than zero.
    amount: Amount,
    /// What for.
    description: String,
    /// Payment installation.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// The same key with the same content gives the same order.
    idempotency_key: Option<String>,
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only with this status.
    #[param(value_type = Option<String>)]
    status: Option<OrderStatus>,
}

/// The tenant's orders.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", operation_id = "list_orders", params(ListParams, Filter),
    responses((status = 200, body = Listed<Order>)))]
async fn list(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    list: List,
    Query(filter): Query<Filter>,
) -> ApiResult<Json<Listed<Order>>> {
    let rows = billing::list(&state.app, &t, &list.page(), filter.status).await?;
    Ok(Json(list.listed(rows, |o| o.id.0, Order::from)))
}

/// Make an order.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", operation_id = "create_order", request_body = CreateOrder,
    responses((status = 201, body = Order)))]
async fn create(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<CreateOrder>,
) -> ApiResult<(StatusCode, Json<Order>)> {
    let new = NewOrder {
        minor: body.amount.minor,
        currency: body.amount.currency,
        description: body.description,
        installation: body.installation,
        idempotency_key: body.idempotency_key,
    };
    let made = billing::create(&state.app, &t, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// An order.
#[utoipa::path(get, path = "/api/v1/orders/{order}", tag = "orders", operation_id = "get_order",
    params(("order" = String, Path)), responses((status = 200, body = Order)))]
async fn get(State(state): State<AppState>, InTenant(t): InTenant, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    Ok(Json(billing::get(&state.app, &t, id).await?.into()))
}

/// Ask the provider for the payment. Repeating it changes nothing.
#[utoipa::path(post, path = "/api/v1/orders/{order}/pay", tag = "orders", operation_id = "pay_order",
    params(("order" = String, Path)), responses((status = 200, body = Order)))]
async fn pay(State(state): State<AppState>, InTenant(t): InTenant, Path(id): Path<OrderId>) -> ApiResult<Json<Order>> {
    // The provider acts whether or not the client waits; so its answer is recorded whether or not the client waits.
    let order = detached(async move { billing::pay(&state.app, &t, id).await }).await?;
    Ok(Json(order.into()))
}

/// Look the payment up at the provider.
#[utoipa::path(post, path = "/api/v1/orders/{order}/refresh", tag = "orders", operation_id = "refresh_order",
    params(("order" = String, Path)), responses((status = 200, body = Order)))]
async fn refresh(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<OrderId>,
) -> ApiResult<Json<Order>> {
    let order = detached(async move { billing::refresh(&state.app, &t, id).await }).await?;
    Ok(Json(order.into()))
}

/// Cancel an unpaid order.
#[utoipa::path(post, path = "/api/v1/orders/{order}/cancel", tag = "orders", operation_id = "cancel_order",
    params(("order" = String, Path)), responses((status = 200, body = Order)))]
async fn cancel(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<OrderId>,
) -> ApiResult<Json<Order>> {
    let order = detached(async move { billing::cancel(&state.app, &t, id).await }).await?;
    Ok(Json(order.into()))
}

/// The browser comes back from the provider: off to the order's page.
#[utoipa::path(get, path = "/api/v1/orders/{order}/return", tag = "orders", operation_id = "return_from_payment",
    params(("order" = String, Path)), responses((status = 303)))]
async fn browser_return(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    caller: Caller,
    Path(id): Path<OrderId>,
    OriginalUri(uri): OriginalUri,
) -> ApiResult<Response> {
    let back = HttpRequest {
        method: "GET".to_owned(),
        url: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: Vec::new(),
        body: Vec::new(),
    };
    detached(async move { billing::browser_return(&state.app, &t, id, back).await }).await?;
    Ok(Redirect::to(&format!("{}/console/orders/{id}", caller.prefix)).into_response())
}
