//! Agreeing to what waits or saying no to it, and the way back to the version before.

use super::Installation;
use crate::{
    extract::{InTenant, Json, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission};
use aistack_domain::plugins::installations;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let write = Access::tenant(Permission::PluginWrite);
    Routes::new()
        .add(
            write.audits(&[
                "installation.consented",
                "installation.upgraded",
                "installation.updated",
            ]),
            routes!(consent),
        )
        .add(write.audits(&["installation.consent_declined"]), routes!(decline))
        .add(write.audits(&["installation.rolled_back"]), routes!(rollback))
}

/// Agreement to a change that waits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Consent {
    /// The `added_digest` of what was shown.
    added_digest: String,
}

/// Agree to the change that waits, and do it.
#[utoipa::path(post, path = "/api/v1/installations/{installation}/consent", tag = "installations", operation_id = "consent_installation",
    params(("installation" = String, Path)), request_body = Consent, responses((status = 200, body = Installation)))]
async fn consent(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Json(body): Json<Consent>,
) -> ApiResult<Json<Installation>> {
    let after = installations::consent(&state.app, &t, id, body.added_digest).await?;
    Ok(Json(after.into()))
}

/// Say no to the change that waits; a release that asked for it does not ask again.
#[utoipa::path(delete, path = "/api/v1/installations/{installation}/pending", tag = "installations", operation_id = "decline_installation",
    params(("installation" = String, Path)), responses((status = 200, body = Installation)))]
async fn decline(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
) -> ApiResult<Json<Installation>> {
    Ok(Json(installations::decline(&state.app, &t, id).await?.into()))
}

/// Go back to the version before, with the config and the grants it had.
#[utoipa::path(post, path = "/api/v1/installations/{installation}/rollback", tag = "installations", operation_id = "rollback_installation",
    params(("installation" = String, Path)), responses((status = 200, body = Installation)))]
async fn rollback(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
) -> ApiResult<Json<Installation>> {
    Ok(Json(installations::rollback(&state.app, &t, id).await?.into()))
}
