//! Operators' changes to the routes.

use super::path;
use crate::{
    App, Ctx, FieldError, Problem, audit,
    quota::{Meter, MeterKind},
};
use aistack_core::{ProblemKind, RouteId};
use aistack_store::{PlatformTx, Route, StoreError};
use serde_json::{Value, json};
use url::Url;

/// First segments that belong to the platform itself.
const RESERVED: [&str; 6] = ["/api/v1", "/console", "/hooks", "/t", "/.well-known", "/metrics"];

/// A route as an operator writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoute {
    /// Path prefix.
    pub path_prefix: String,
    /// `http(s)://host[:port][/base]`.
    pub upstream: String,
    /// Slug of the only tenant that has it; `None` for all.
    pub tenant: Option<String>,
    /// Meter counted by one per call.
    pub meter: String,
    /// Whether the prefix is cut off before the path is sent.
    pub strip_prefix: bool,
    /// Time to the first byte of the answer, milliseconds.
    pub timeout_ms: i64,
}

/// A route with the slug of its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteView {
    /// The row.
    pub route: Route,
    /// Slug of the only tenant that has it.
    pub tenant: Option<String>,
}

fn check(new: &NewRoute) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: &str, code: &str, text: &str| errors.push(FieldError::new(pointer, code, text));
    let prefix = new.path_prefix.as_str();
    if prefix.len() > 200 || prefix.contains("//") || path::normalise(prefix).is_ok_and(|n| n != prefix) {
        wrong(
            "/path_prefix",
            "format",
            "write the path plainly, without needless escapes or double slashes",
        );
    } else if path::normalise(prefix).is_err() {
        wrong(
            "/path_prefix",
            "format",
            "the prefix must be a path that begins with a slash",
        );
    } else if RESERVED.iter().any(|r| {
        prefix
            .strip_prefix(r)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        wrong("/path_prefix", "reserved", "this path belongs to the platform");
    }
    match Url::parse(&new.upstream) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|h| !h.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
                && new.upstream.len() <= 500
                && path::normalise(url.path()).is_ok() => {}
        _ => wrong(
            "/upstream",
            "format",
            "the upstream must be http(s)://host[:port][/base] without credentials, query or fragment",
        ),
    }
    if Meter::find(&new.meter).is_none_or(|m| m.kind != MeterKind::Window) {
        wrong(
            "/meter",
            "unknown_meter",
            "there is no such meter, or it does not count calls",
        );
    }
    if !(1..=600_000).contains(&new.timeout_ms) {
        wrong("/timeout_ms", "range", "the timeout must be 1 to 600000 milliseconds");
    }
    errors
}

/// All routes, oldest first.
///
/// # Errors
/// As the store.
pub async fn list(app: &App) -> Result<Vec<RouteView>, Problem> {
    let routes = app.store.platform_read().await?.routes().all().await?;
    let mut views = Vec::with_capacity(routes.len());
    for route in routes {
        views.push(view(app, route).await?);
    }
    Ok(views)
}

async fn view(app: &App, route: Route) -> Result<RouteView, Problem> {
    let tenant = match route.tenant_id {
        Some(id) => app.store.scope(id).await?.map(|s| s.slug().to_owned()),
        None => None,
    };
    Ok(RouteView { route, tenant })
}

/// Adds a route; it is in force when this returns.
///
/// # Errors
/// `validation_failed`, `already_exists` when tenant and prefix are taken, or as the store.
pub async fn create(app: &App, ctx: &Ctx, new: &NewRoute) -> Result<RouteView, Problem> {
    let now = app.clock.now();
    let route = Route {
        id: RouteId::new(&*app.clock, &*app.rng),
        tenant_id: checked(app, new).await?,
        path_prefix: new.path_prefix.clone(),
        upstream: new.upstream.clone(),
        meter: new.meter.clone(),
        strip_prefix: i64::from(new.strip_prefix),
        timeout_ms: new.timeout_ms,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.store.platform().await?;
    tx.routes().insert(&route).await.map_err(taken)?;
    finish(app, ctx, tx, "route.created", &route, None).await?;
    view(app, route).await
}

/// Replaces a route.
///
/// # Errors
/// `not_found`, `validation_failed`, `already_exists`, or as the store.
pub async fn update(app: &App, ctx: &Ctx, id: RouteId, new: &NewRoute) -> Result<RouteView, Problem> {
    let tenant_id = checked(app, new).await?;
    let mut tx = app.store.platform().await?;
    let before = tx.routes().get(id).await?.ok_or_else(|| Problem::not_found("route"))?;
    let route = Route {
        id,
        tenant_id,
        path_prefix: new.path_prefix.clone(),
        upstream: new.upstream.clone(),
        meter: new.meter.clone(),
        strip_prefix: i64::from(new.strip_prefix),
        timeout_ms: new.timeout_ms,
        created_at: before.created_at,
        updated_at: app.clock.now(),
    };
    tx.routes().update(&route).await.map_err(taken)?;
    finish(app, ctx, tx, "route.updated", &route, Some(&before)).await?;
    view(app, route).await
}

/// Removes a route; calls in flight finish.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn delete(app: &App, ctx: &Ctx, id: RouteId) -> Result<(), Problem> {
    let mut tx = app.store.platform().await?;
    let before = tx.routes().get(id).await?.ok_or_else(|| Problem::not_found("route"))?;
    tx.routes().delete(id).await?;
    let draft = audit::Draft::new("route.deleted", "route", id).details(json!({ "before": shown(&before) }));
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await;
    Ok(())
}

async fn checked(app: &App, new: &NewRoute) -> Result<Option<aistack_core::TenantId>, Problem> {
    let mut errors = check(new);
    let tenant = match &new.tenant {
        None => None,
        Some(slug) => {
            let scope = app.store.scope_by_slug(slug).await?;
            if scope.is_none() {
                errors.push(FieldError::new(
                    "/tenant",
                    "unknown_tenant",
                    "there is no tenant with this slug",
                ));
            }
            scope.map(|s| s.id())
        }
    };
    if errors.is_empty() {
        Ok(tenant)
    } else {
        Err(Problem::invalid(errors))
    }
}

fn taken(e: StoreError) -> Problem {
    match e {
        StoreError::AlreadyExists => Problem::new(
            ProblemKind::AlreadyExists,
            "there is a route with this prefix already, for the same tenant",
        ),
        other => other.into(),
    }
}

async fn finish(
    app: &App,
    ctx: &Ctx,
    tx: Box<dyn PlatformTx>,
    action: &'static str,
    after: &Route,
    before: Option<&Route>,
) -> Result<(), Problem> {
    let details = json!({ "before": before.map(shown), "after": shown(after) });
    let draft = audit::Draft::new(action, "route", after.id).details(details);
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await;
    Ok(())
}

/// The change is made; a node that can't read it now sees it a few seconds later.
async fn refresh(app: &App) {
    if let Err(problem) = app.routes.reload(app).await {
        tracing::warn!(%problem, "routes can't be read again");
    }
}

fn shown(r: &Route) -> Value {
    json!({
        "path_prefix": r.path_prefix, "upstream": r.upstream, "tenant": r.tenant_id, "meter": r.meter,
        "strip_prefix": r.strip_prefix != 0, "timeout_ms": r.timeout_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, upstream: &str) -> NewRoute {
        NewRoute {
            path_prefix: prefix.to_owned(),
            upstream: upstream.to_owned(),
            tenant: None,
            meter: "api.calls".to_owned(),
            strip_prefix: false,
            timeout_ms: 30_000,
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_pointer() {
        let pointers = |r: &NewRoute| check(r).into_iter().map(|e| e.pointer).collect::<Vec<_>>();
        for prefix in ["/", "/v1/", "/v1", "/tt", "/api/v2", "/api"] {
            assert!(check(&route(prefix, "http://127.0.0.1:9000")).is_empty(), "{prefix}");
        }
        for prefix in [
            "",
            "v1",
            "/a//b",
            "/a/../b",
            "/%61",
            "/api/v1",
            "/api/v1/x",
            "/t",
            "/console/x",
            "/hooks/",
            "/a?b",
        ] {
            assert_eq!(pointers(&route(prefix, "http://u")), ["/path_prefix"], "{prefix}");
        }
        for upstream in ["", "u:80", "ftp://u", "http://a:b@u", "http://u/?q", "http://u/#f"] {
            assert_eq!(pointers(&route("/v1/", upstream)), ["/upstream"], "{upstream}");
        }
        let all = NewRoute {
            meter: "users".to_owned(),
            timeout_ms: 0,
            ..route("x", "y")
        };
        assert_eq!(pointers(&all), ["/path_prefix", "/upstream", "/meter", "/timeout_ms"]);
    }
}
