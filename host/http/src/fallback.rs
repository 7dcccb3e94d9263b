//! What no route took: the console's pages, the tenant's upstreams through the gateway, or nothing.

use crate::{
    console,
    layers::{self, FromUpstream, Place, RouteName},
    problem::ApiProblem,
    state::{AppState, Gateway},
};
use aistack_core::{Permission, ProblemKind};
use aistack_domain::{
    Problem,
    tenancy::lifecycle::{self, Use},
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::Method;
use tower::ServiceExt;

/// Paths that are ours even where we have no route: an upstream never gets them.
const RESERVED: [&str; 4] = ["/api/v1", "/console", "/hooks", "/t"];

fn is_reserved(path: &str) -> bool {
    RESERVED.iter().any(|p| {
        path.strip_prefix(p)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// No route has this path.
pub(crate) async fn fallback(State(state): State<AppState>, req: Request) -> Response {
    match answer(&state, req).await {
        Ok(response) => response,
        Err(problem) => named(ApiProblem(problem).into_response(), "-"),
    }
}

/// A route has this path, but not for this method.
pub(crate) async fn method_not_allowed() -> ApiProblem {
    ApiProblem::new(ProblemKind::MethodNotAllowed, "this address does not take this method")
}

async fn answer(state: &AppState, req: Request) -> Result<Response, Problem> {
    let nothing = || Problem::new(ProblemKind::NotFound, "there is nothing at this address");
    let place = req.extensions().get::<Place>().cloned();
    let place = place.ok_or_else(|| Problem::internal("a request that was not placed"))?;
    let path = req.uri().path();
    let reads = matches!(*req.method(), Method::GET | Method::HEAD);
    let prefix = match &place {
        Place::Refused(problem) => return Err(problem.clone()),
        Place::Moved(location) => return Ok(named(layers::moved(req.method(), location), "-")),
        Place::Base => "",
        Place::Tenant { prefix, .. } => prefix,
    };
    if reads && (path == "/" || path == "/console") {
        return Ok(named(Redirect::to(&format!("{prefix}/console/")).into_response(), "/"));
    }
    if let Some(file) = path.strip_prefix("/console/") {
        if !reads {
            return Err(Problem::new(ProblemKind::MethodNotAllowed, "pages are only read"));
        }
        return Ok(named(
            console::page(&*state.site.assets, file, req.headers()),
            "/console/*",
        ));
    }
    match (&place, &state.site.gateway) {
        (Place::Tenant { .. }, Some(gateway)) if !is_reserved(path) => {
            forward(state, gateway.clone(), &place, req).await
        }
        _ => Err(nothing()),
    }
}

/// Hands a request to the gateway, with everything decided that can be decided without a route.
async fn forward(state: &AppState, gateway: Gateway, place: &Place, req: Request) -> Result<Response, Problem> {
    let (mut parts, body) = req.into_parts();
    let who = layers::authenticate(state, &parts, place).await?;
    layers::check_same_origin(&parts, &who)?;
    layers::check_permission(&who, Permission::GatewayCall)?;
    let caller = layers::caller(&parts, place, Some("gateway"), Some(who.clone()));
    let tenant = caller
        .tenant
        .ok_or_else(|| Problem::internal("the gateway outside a tenant"))?;
    lifecycle::check(&tenant.tenant, Use::Gateway, false)?;
    parts.extensions.insert(tenant);
    parts.extensions.insert(who);
    let Ok(mut response) = gateway.oneshot(Request::from_parts(parts, body)).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        // The gateway's own refusal: our document, with the fields the gateway gave it.
        let mut refusal = ApiProblem(problem).into_response();
        refusal.headers_mut().extend(std::mem::take(response.headers_mut()));
        return Ok(named(refusal, "gateway"));
    }
    response.extensions_mut().insert(FromUpstream);
    Ok(named(response, "gateway"))
}

fn named(mut response: Response, route: &str) -> Response {
    response.extensions_mut().insert(RouteName(route.to_owned()));
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn reserved_paths_are_whole_segments() {
        for (path, reserved) in [
            ("/api/v1", true),
            ("/api/v1/x", true),
            ("/api/v10", false),
            ("/api", false),
            ("/t/a", true),
            ("/tt", false),
        ] {
            assert_eq!(super::is_reserved(path), reserved, "{path}");
        }
    }
}
