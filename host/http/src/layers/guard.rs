//! Per route: does it exist here, who is asking, may they, and does the tenant's state allow it.

use super::{ClientAddr, Place, RouteName, auth, place::moved};
use crate::{
    problem::ApiProblem,
    registry::{Access, Need, Realm},
    state::AppState,
};
use aistack_core::{Actor, Permission, ProblemKind, RequestId};
use aistack_domain::{
    Ctx, Origin, Problem, TenantCtx,
    access::SignedIn,
    tenancy::lifecycle::{self, Use},
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{header, request::Parts};

/// Everything known about the caller; extractors take their part of it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The context.
    pub ctx: Ctx,
    /// The same inside the routed tenant.
    pub tenant: Option<TenantCtx>,
    /// `/t/{slug}` when the path named the tenant, else empty: in front of links to the same place.
    pub prefix: String,
    /// The session, unless the route is public.
    pub signed_in: Option<SignedIn>,
}

/// See the module.
pub(crate) async fn guard(State((state, access)): State<(AppState, Access)>, req: Request, next: Next) -> Response {
    let route = req
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let (mut parts, body) = req.into_parts();
    let elsewhere = match parts.extensions.get::<Place>() {
        Some(Place::Moved(location)) if access.realm != Realm::Anywhere => Some(moved(&parts.method, location)),
        _ => None,
    };
    if let Some(mut response) = elsewhere {
        response.extensions_mut().insert(RouteName(route));
        return response;
    }
    let mut response = match admit(&state, access, &parts, &route).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => ApiProblem(problem).into_response(),
    };
    response.extensions_mut().insert(RouteName(route));
    response
}

async fn admit(state: &AppState, access: Access, parts: &Parts, route: &str) -> Result<Caller, Problem> {
    let place = parts
        .extensions
        .get::<Place>()
        .ok_or_else(|| Problem::internal("a request that was not placed"))?;
    match (access.realm, place) {
        (Realm::Anywhere, _) => {}
        (_, Place::Refused(problem)) => return Err(problem.clone()),
        (Realm::Platform, Place::Tenant { .. }) => {
            return Err(Problem::new(
                ProblemKind::NotFound,
                "this exists on the platform's own address only",
            ));
        }
        // A token that would have named the tenant, had it been good: say that, not that nothing is here.
        (Realm::Tenant, Place::Base) if parts.headers.contains_key(header::AUTHORIZATION) => {
            auth::authenticate(state, parts, place).await?;
        }
        (Realm::Tenant, Place::Base) => {
            return Err(Problem::new(
                ProblemKind::NotFound,
                "this exists inside a tenant only: use its host name or /t/{slug}",
            ));
        }
        _ => {}
    }
    let signed_in = match access.need {
        Need::Public(_) => None,
        Need::Permission(permission) => Some(permitted(state, parts, place, permission).await?),
    };
    Ok(caller(parts, place, Some(route), signed_in))
}

/// Authenticates and checks permission, CSRF token and the tenant's state.
async fn permitted(
    state: &AppState,
    parts: &Parts,
    place: &Place,
    permission: Permission,
) -> Result<SignedIn, Problem> {
    let who = auth::authenticate(state, parts, place).await?;
    auth::check_csrf(parts, &who)?;
    check_permission(&who, permission)?;
    if let Place::Tenant { known, .. } = place {
        lifecycle::check(&known.tenant, Use::of(permission), who.is_operator())?;
    }
    Ok(who)
}

/// Refuses somebody without the permission.
pub(crate) fn check_permission(who: &SignedIn, permission: Permission) -> Result<(), Problem> {
    if who.permissions().contains(&permission) {
        return Ok(());
    }
    let (_, _, _, role) = who.profile();
    Err(Problem::new(
        ProblemKind::PermissionDenied,
        format!("the role {role} does not hold the permission {permission}"),
    )
    .with("permission", permission.as_str()))
}

/// Where the request came from.
pub(super) fn origin(parts: &Parts, route: Option<&str>) -> Origin {
    Origin {
        ip: parts.extensions.get::<ClientAddr>().and_then(|c| c.0),
        user_agent: parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .map(|v| v.chars().take(256).collect()),
        route: route.map(|r| format!("{} {r}", parts.method)),
    }
}

/// Puts the caller together.
pub(crate) fn caller(parts: &Parts, place: &Place, route: Option<&str>, signed_in: Option<SignedIn>) -> Caller {
    let ctx = Ctx {
        request: parts.extensions.get::<RequestId>().copied(),
        actor: signed_in.as_ref().map_or_else(Actor::anonymous, SignedIn::actor),
        session: signed_in.as_ref().map(|s| s.session.id),
        permissions: signed_in.as_ref().map_or_else(|| [].into(), SignedIn::permissions),
        origin: origin(parts, route),
    };
    let (tenant, prefix) = match place {
        Place::Tenant { known, prefix } => (
            Some(TenantCtx {
                ctx: ctx.clone(),
                scope: known.scope.clone(),
                tenant: known.tenant.clone(),
            }),
            prefix.clone(),
        ),
        _ => (None, String::new()),
    };
    Caller {
        ctx,
        tenant,
        prefix,
        signed_in,
    }
}
