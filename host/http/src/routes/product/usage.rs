//! Usage: charts, raw events, and what the product reports itself.

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp, UsageEventId};
use aistack_domain::{
    metering::{self, Bucket, NewUsage, UsageQuery},
    quota::API_CALLS,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::tenant(Permission::UsageRead);
    Routes::new().add(read, routes!(series)).add(read, routes!(events)).add(
        Access::tenant(Permission::UsageWrite).audits(&["usage.reported"]),
        routes!(report),
    )
}

/// Which usage.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// Meter; `api.calls` by default.
    meter: Option<String>,
    /// From this time on; a day (hours) or 30 days (days) before `to` by default.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time; now by default.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// `hour`, or `day` in the tenant's time zone (the default).
    #[param(value_type = Option<String>)]
    bucket: Option<Bucket>,
}

/// Usage of a meter over time.
#[derive(Debug, Serialize, ToSchema)]
struct UsageSeries {
    /// Meter.
    meter: String,
    /// What one of it is called.
    unit: String,
    /// Sum of the points.
    total: i64,
    /// A point per bucket, oldest first.
    points: Vec<UsagePoint>,
}

/// Usage in a bucket.
#[derive(Debug, Serialize, ToSchema)]
struct UsagePoint {
    /// Start of the bucket.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Sum.
    quantity: i64,
}

/// Usage over time.
#[utoipa::path(get, path = "/api/v1/usage", tag = "usage", operation_id = "get_usage", params(SeriesQuery), responses((status = 200, body = UsageSeries)))]
async fn series(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Query(q): Query<SeriesQuery>,
) -> ApiResult<Json<UsageSeries>> {
    let query = UsageQuery {
        meter: q.meter.unwrap_or_else(|| API_CALLS.to_owned()),
        from: q.from,
        to: q.to,
        bucket: q.bucket.unwrap_or(Bucket::Day),
    };
    let series = metering::series(&state.app, &t, &query).await?;
    let points = series.points.into_iter();
    Ok(Json(UsageSeries {
        meter: series.meter.name,
        unit: series.meter.unit.to_owned(),
        total: series.total,
        points: points.map(|(at, quantity)| UsagePoint { at, quantity }).collect(),
    }))
}

/// A counted event.
#[derive(Debug, Serialize, ToSchema)]
struct UsageEvent {
    /// The platform's id.
    #[schema(value_type = String)]
    id: UsageEventId,
    /// Who counted: `gateway`, or what the report said.
    source: String,
    /// The source's own id.
    event_id: String,
    /// Meter.
    meter: String,
    /// How much.
    quantity: i64,
    /// Who used it.
    subject: String,
    /// Dimensions.
    #[schema(value_type = Object)]
    dimensions: Value,
    /// When it was used.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was written here.
    #[schema(value_type = String, format = DateTime)]
    ingested_at: Timestamp,
}

impl From<aistack_store::UsageEvent> for UsageEvent {
    fn from(e: aistack_store::UsageEvent) -> Self {
        Self {
            id: e.id,
            source: e.source,
            event_id: e.event_id,
            meter: e.meter,
            quantity: e.quantity,
            subject: e.subject,
            dimensions: serde_json::from_str(&e.dimensions).unwrap_or_default(),
            occurred_at: e.occurred_at,
            ingested_at: e.ingested_at,
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only of this meter.
    meter: Option<String>,
}

/// Counted events, newest first.
#[utoipa::path(get, path = "/api/v1/usage/events", tag = "usage", operation_id = "list_usage_events", params(ListParams, EventsQuery),
    responses((status = 200, body = Listed<UsageEvent>)))]
async fn events(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    list: List,
    Query(q): Query<EventsQuery>,
) -> ApiResult<Json<Listed<UsageEvent>>> {
    let rows = metering::events(&state.app, &t, &list.page(), q.meter.as_deref()).await?;
    Ok(Json(list.listed(rows, |e| e.id.0, UsageEvent::from)))
}

/// An event to count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUsageEvent {
    /// Who counts; a name or URI, 1 to 200 characters.
    source: String,
    /// The source's own id of the event: sent again, it counts no more.
    id: String,
    /// Meter.
    meter: String,
    /// How much, 0 or more.
    quantity: i64,
    /// When it was used: at most an hour ahead, at most 45 days ago.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// Who used it.
    subject: Option<String>,
    /// Up to 20 plain values.
    #[schema(value_type = Option<Object>)]
    dimensions: Option<Map<String, Value>>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
struct UsageReported {
    /// Counted now.
    accepted: usize,
    /// Known already.
    duplicates: usize,
    /// Not taken.
    errors: Vec<UsageRefused>,
}

/// An event that was not taken.
#[derive(Debug, Serialize, ToSchema)]
struct UsageRefused {
    /// Its place in the report, from 0.
    index: usize,
    /// Why, e.g. `unknown_meter`.
    code: &'static str,
}

/// Counts up to 1000 events; what is wrong with one does not keep the others out.
#[utoipa::path(post, path = "/api/v1/usage/events", tag = "usage", operation_id = "report_usage_events", request_body = Vec<NewUsageEvent>,
    responses((status = 200, body = UsageReported)))]
async fn report(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(events): Json<Vec<NewUsageEvent>>,
) -> ApiResult<Json<UsageReported>> {
    let events: Vec<NewUsage> = events
        .into_iter()
        .map(|e| NewUsage {
            source: e.source,
            id: e.id,
            meter: e.meter,
            quantity: e.quantity,
            occurred_at: e.occurred_at,
            subject: e.subject,
            dimensions: e.dimensions,
        })
        .collect();
    let done = metering::ingest(&state.app, &t, &events).await?;
    let errors = done.errors.into_iter();
    Ok(Json(UsageReported {
        accepted: done.accepted,
        duplicates: done.duplicates,
        errors: errors
            .map(|(index, e)| UsageRefused {
                index,
                code: e.as_str(),
            })
            .collect(),
    }))
}
