//! The first operator.

use super::session::session_cookie;
use crate::{
    extract::{Json, OperatorCtx},
    problem::ApiResult,
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::Timestamp;
use aistack_domain::{access::Secret, setup};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let access = Access::public(Realm::Platform, "there is nobody yet; the one-time token decides");
    Routes::new().add(access.audits(&["operator.created", "session.opened"]), routes!(set_up))
}

/// The first operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUp {
    /// From the link the server printed.
    token: String,
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// Password, 12 to 128 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The operator just made.
#[derive(Debug, Serialize, ToSchema)]
struct SetUpDone {
    /// Who.
    operator: OperatorView,
    /// For the `X-CSRF-Token` header of changes.
    csrf_token: String,
}

/// An operator.
#[derive(Debug, Serialize, ToSchema)]
struct OperatorView {
    /// Id.
    id: String,
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// Role.
    role: String,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Make the first operator with the one-time token, and sign them in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "setup", operation_id = "set_up", request_body = SetUp, responses((status = 201, body = SetUpDone)))]
async fn set_up(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Json(body): Json<SetUp>,
) -> ApiResult<Response> {
    let first = setup::FirstOperator {
        token: Secret::presented(&body.token),
        email: body.email,
        name: body.name,
        password: body.password,
    };
    let (operator, new) = setup::set_up(&state.app, &ctx, first).await?;
    let done = SetUpDone {
        operator: OperatorView {
            id: operator.id.to_string(),
            email: operator.email,
            name: operator.name,
            role: operator.role.to_string(),
            created_at: operator.created_at,
        },
        csrf_token: new.session.csrf_token.clone(),
    };
    let cookie = session_cookie(&new, true);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(done)).into_response())
}
