//! Sessions of both realms, tokens made from them, and the keys that verify the tokens.

use crate::{
    extract::Json,
    layers::{COOKIE_OPERATOR, COOKIE_USER, Caller},
    problem::ApiResult,
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::{
    Problem,
    access::{self, Credential, LIFETIME, NewSession, SignedIn},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let own = Access::either(Permission::SelfManage);
    Routes::new()
        .add(
            Access::public(Realm::Either, "signing in").audits(&["session.opened", "session.refused"]),
            routes!(sign_in),
        )
        .add(own, routes!(current))
        .add(own.audits(&["session.closed"]), routes!(sign_out))
        .add(
            Access::tenant(Permission::SelfManage).unaudited("a token is a view of its session and ends with it"),
            routes!(token),
        )
        .add(Access::public(Realm::Anywhere, "public keys are public"), routes!(jwks))
}

/// Address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// E-mail address.
    email: String,
    /// Password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// A session in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    /// Whose: `operator` or `tenant`.
    realm: &'static str,
    /// Id.
    id: String,
    /// Who.
    user: SessionUser,
    /// What they may do here.
    #[schema(value_type = Vec<String>)]
    permissions: Vec<Permission>,
    /// For the `X-CSRF-Token` header of changes.
    csrf_token: String,
    /// Absolute end.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The tenant of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<SessionTenant>,
}

/// The person behind a session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionUser {
    /// Id of a user or operator.
    id: String,
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// Role.
    role: String,
}

/// The tenant a session is used in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionTenant {
    /// Id.
    id: String,
    /// Slug.
    slug: String,
    /// Name.
    name: String,
}

impl Session {
    pub(super) fn view(who: &SignedIn, caller: &Caller) -> Self {
        let (id, email, name, role) = who.profile();
        Self {
            realm: if who.is_operator() { "operator" } else { "tenant" },
            id: who.session.id.to_string(),
            user: SessionUser {
                id,
                email: email.to_owned(),
                name: name.to_owned(),
                role: role.to_owned(),
            },
            permissions: who.permissions().to_vec(),
            csrf_token: who.session.csrf_token.clone(),
            expires_at: who.session.expires_at,
            tenant: caller.tenant.as_ref().map(|t| SessionTenant {
                id: t.tenant.id.to_string(),
                slug: t.tenant.slug.clone(),
                name: t.tenant.name.clone(),
            }),
        }
    }
}

/// The `Set-Cookie` value for a session just opened.
#[must_use]
pub fn session_cookie(new: &NewSession, operator: bool) -> HeaderValue {
    let name = if operator { COOKIE_OPERATOR } else { COOKIE_USER };
    cookie(&format!("{name}={}", new.secret.expose()), LIFETIME.as_secs())
}

/// `__Host-` demands Secure and Path=/ without Domain; browsers take Secure from localhost without TLS.
fn cookie(pair: &str, max_age: u64) -> HeaderValue {
    let text = format!("{pair}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={max_age}");
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Sign in with a password.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", operation_id = "sign_in", request_body = SignIn, responses((status = 200, body = Session)))]
async fn sign_in(State(state): State<AppState>, caller: Caller, Json(body): Json<SignIn>) -> ApiResult<Response> {
    let now = match &caller.tenant {
        Some(t) => access::sign_in_user(&state.app, t, &body.email, &body.password).await?,
        None => access::sign_in_operator(&state.app, &caller.ctx, &body.email, &body.password).await?,
    };
    let who = SignedIn {
        person: now.person,
        session: now.new.session.clone(),
        credential: Credential::Cookie,
    };
    let cookie = session_cookie(&now.new, who.is_operator());
    Ok(([(header::SET_COOKIE, cookie)], Json(Session::view(&who, &caller))).into_response())
}

fn signed_in(caller: &Caller) -> Result<&SignedIn, Problem> {
    caller
        .signed_in
        .as_ref()
        .ok_or_else(|| Problem::internal("a session route without a session"))
}

/// The session in use.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", operation_id = "get_session", responses((status = 200, body = Session)))]
async fn current(caller: Caller) -> ApiResult<Json<Session>> {
    Ok(Json(Session::view(signed_in(&caller)?, &caller)))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", operation_id = "sign_out", responses((status = 204)))]
async fn sign_out(State(state): State<AppState>, caller: Caller) -> ApiResult<Response> {
    let who = signed_in(&caller)?;
    access::sign_out(&state.app, &caller.ctx, caller.tenant.as_ref(), who).await?;
    let name = if who.is_operator() {
        COOKIE_OPERATOR
    } else {
        COOKIE_USER
    };
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookie(&format!("{name}="), 0))],
    )
        .into_response())
}

/// An access token (RFC 9068).
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// The token.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
}

/// Make an access token from the session.
#[utoipa::path(post, path = "/api/v1/session/token", tag = "session", operation_id = "create_token", responses((status = 200, body = Token)))]
async fn token(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Token>> {
    let tenant = caller
        .tenant
        .as_ref()
        .ok_or_else(|| Problem::internal("a token outside a tenant"))?;
    let (access_token, life) = access::issue_token(&state.app, tenant, signed_in(&caller)?).await?;
    Ok(Json(Token {
        access_token,
        token_type: "Bearer",
        expires_in: life.as_secs(),
    }))
}

/// The public keys of tokens and of the gateway's signed identity.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "session", operation_id = "get_jwks", responses((status = 200, body = serde_json::Value)))]
async fn jwks(State(state): State<AppState>) -> ApiResult<Response> {
    let keys = access::key_ring(&state.app).await?.jwks();
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response())
}
