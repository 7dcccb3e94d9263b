//! The directory behind a connection.

use crate::{
    extract::{InTenant, Json, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission};
use aistack_domain::identity;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let write = Access::tenant(Permission::UserWrite);
    Routes::new().add(
        write.audits(&["directory.synced", "user.updated", "login.refused"]),
        routes!(sync),
    )
}

/// How the directory is to be read.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct SyncDirectory {
    /// That more than a tenth of the members is gone is meant.
    confirm: bool,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
struct DirectorySynced {
    /// Pages that were read.
    pages: usize,
    /// People who are enabled in the directory.
    people: usize,
    /// Whether it was all of it; otherwise nobody is taken for gone.
    complete: bool,
    /// Active members of this connection before.
    members: usize,
    /// Members who lost their access.
    disabled: usize,
}

impl From<identity::Synced> for DirectorySynced {
    fn from(s: identity::Synced) -> Self {
        Self {
            pages: s.pages,
            people: s.people,
            complete: s.complete,
            members: s.members,
            disabled: s.disabled,
        }
    }
}

/// Read the provider's directory, and take their access from members who are not in it any more.
#[utoipa::path(post, path = "/api/v1/installations/{installation}/directory/sync", tag = "installations", operation_id = "sync_directory",
    params(("installation" = String, Path)), request_body = SyncDirectory, responses((status = 200, body = DirectorySynced)))]
async fn sync(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Json(body): Json<SyncDirectory>,
) -> ApiResult<Json<DirectorySynced>> {
    // What was begun is finished, also when the client hangs up.
    let work = async move { identity::sync(&state.app, &t, id, body.confirm).await };
    Ok(Json(crate::routes::detached(work).await?.into()))
}
