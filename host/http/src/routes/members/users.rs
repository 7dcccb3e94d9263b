//! The members of a tenant.

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission, Role, Timestamp, UserId};
use aistack_domain::tenancy::users::{self, Member, NewUser, UserPatch};
use aistack_store::UserStatus;
use axum::extract::State;
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::tenant(Permission::UserRead);
    let write = Access::tenant(Permission::UserWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(write.audits(&["user.created"]), routes!(create))
        .add(read, routes!(get))
        .add(write.audits(&["user.updated"]), routes!(update))
        .add(write.audits(&["user.deleted"]), routes!(delete))
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    /// Id.
    #[schema(value_type = String)]
    id: UserId,
    /// E-mail address.
    email: String,
    /// Whether the address was verified.
    email_verified: bool,
    /// Name.
    name: String,
    /// `owner`, `admin`, `billing`, `auditor`, `member`.
    #[schema(value_type = String)]
    role: Role,
    /// `active` or `disabled`.
    #[schema(value_type = String)]
    status: UserStatus,
    /// Whether they have a password here.
    has_password: bool,
    /// Who they are at providers.
    identities: Vec<IdentityView>,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last sign-in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<Timestamp>,
}

/// A member's identity at a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
struct IdentityView {
    /// The connection (an installation).
    #[schema(value_type = String)]
    connection: InstallationId,
    /// Issuer.
    issuer: String,
    /// Subject at the issuer.
    subject: String,
}

impl From<Member> for UserView {
    fn from(m: Member) -> Self {
        let identities = m.identities.into_iter().map(|i| IdentityView {
            connection: i.installation_id,
            issuer: i.issuer,
            subject: i.subject,
        });
        Self {
            id: m.user.id,
            email: m.user.email,
            email_verified: m.user.email_verified_at.is_some(),
            name: m.user.name,
            role: m.user.role,
            status: m.user.status,
            has_password: m.user.password_hash.is_some(),
            identities: identities.collect(),
            created_at: m.user.created_at,
            last_login_at: m.user.last_login_at,
        }
    }
}

/// Somebody to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateUser {
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// `owner`, `admin`, `billing`, `auditor`, `member`.
    #[schema(value_type = String)]
    role: Role,
    /// Password, 12 to 128 characters; without one they sign in through a connection.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// A change of a member; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateUser {
    /// Name.
    name: Option<String>,
    /// Role.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// `active` or `disabled`.
    #[schema(value_type = Option<String>)]
    status: Option<UserStatus>,
    /// New password; ends all their sessions.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// The tenant's members.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", operation_id = "list_users", params(ListParams),
    responses((status = 200, body = Listed<UserView>)))]
async fn list(State(state): State<AppState>, InTenant(t): InTenant, list: List) -> ApiResult<Json<Listed<UserView>>> {
    let members = users::list(&state.app, &t, &list.page()).await?;
    Ok(Json(list.listed(members, |m| m.user.id.0, UserView::from)))
}

/// Add a member.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", operation_id = "create_user", request_body = CreateUser,
    responses((status = 201, body = UserView)))]
async fn create(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<CreateUser>,
) -> ApiResult<(StatusCode, Json<UserView>)> {
    let new = NewUser {
        email: body.email,
        name: body.name,
        role: body.role,
        password: body.password,
    };
    let member = users::create(&state.app, &t, new).await?;
    Ok((StatusCode::CREATED, Json(member.into())))
}

/// One member.
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "users", operation_id = "get_user", params(("user" = String, Path)),
    responses((status = 200, body = UserView)))]
async fn get(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<UserId>,
) -> ApiResult<Json<UserView>> {
    Ok(Json(users::get(&state.app, &t, id).await?.into()))
}

/// Change a member.
#[utoipa::path(patch, path = "/api/v1/users/{user}", tag = "users", operation_id = "update_user", params(("user" = String, Path)),
    request_body = UpdateUser, responses((status = 200, body = UserView)))]
async fn update(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<UserId>,
    Json(body): Json<UpdateUser>,
) -> ApiResult<Json<UserView>> {
    let patch = UserPatch {
        name: body.name,
        role: body.role,
        status: body.status,
        password: body.password,
    };
    Ok(Json(users::update(&state.app, &t, id, patch).await?.into()))
}

/// Remove a member with their identities and sessions.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "users", operation_id = "delete_user", params(("user" = String, Path)),
    responses((status = 204)))]
async fn delete(State(state): State<AppState>, InTenant(t): InTenant, Path(id): Path<UserId>) -> ApiResult<StatusCode> {
    users::delete(&state.app, &t, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
