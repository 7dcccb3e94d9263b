//! What a page has to know before anybody signed in, and the description of the API itself.

use crate::{
    extract::Json,
    layers::Caller,
    openapi,
    problem::ApiResult,
    registry::{Access, Realm, Routes},
    state::AppState,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use std::sync::OnceLock;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    Routes::new()
        .add(
            Access::public(Realm::Either, "the sign-in page needs it before anybody signed in"),
            routes!(meta),
        )
        .add(
            Access::public(Realm::Anywhere, "a description of the API without any data"),
            routes!(openapi_document),
        )
}

/// What a page needs to know first.
#[derive(Debug, Serialize, ToSchema)]
struct Meta {
    /// Version of the binary.
    version: &'static str,
    /// Whether the first operator still has to be made.
    setup_needed: bool,
    /// `operator` on a base host, `tenant` inside one.
    realm: &'static str,
    /// The tenant the address names.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<MetaTenant>,
    /// Whether the data is made up.
    demo: bool,
    /// Languages of the console.
    locales: [&'static str; 2],
}

/// The tenant, as its sign-in page may show it.
#[derive(Debug, Serialize, ToSchema)]
struct MetaTenant {
    /// Id.
    #[schema(value_type = String)]
    id: aistack_core::TenantId,
    /// Slug.
    slug: String,
    /// Name.
    name: String,
    /// Language.
    locale: String,
}

/// What a page needs to know before anybody signed in.
#[utoipa::path(get, path = "/api/v1/meta", tag = "meta", operation_id = "get_meta", responses((status = 200, body = Meta)))]
async fn meta(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Meta>> {
    let setup_needed = state.app.store.platform_read().await?.operators().count().await? == 0;
    let tenant = caller.tenant.map(|t| MetaTenant {
        id: t.tenant.id,
        slug: t.tenant.slug.clone(),
        name: t.tenant.name.clone(),
        locale: t.tenant.locale.clone(),
    });
    Ok(Json(Meta {
        version: state.app.config.version,
        setup_needed,
        realm: if tenant.is_some() { "tenant" } else { "operator" },
        tenant,
        demo: state.site.demo,
        locales: ["en", "zh"],
    }))
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "meta", operation_id = "get_openapi", responses((status = 200, body = serde_json::Value)))]
async fn openapi_document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi::document(&super::all()).to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}
