//! The registry of routes. A route can't be served without saying who may use it: what it says is enforced by the
//! guard, shown in the OpenAPI (`x-permission`, `x-realm`, `x-audit`) and listed for the coverage tests.

use crate::{extract::json::BodyLimit, layers, state::AppState};
use aistack_core::Permission;
use axum::{Extension, Router, extract::DefaultBodyLimit, middleware, routing::MethodRouter};
use http::Method;
use serde_json::json;
use utoipa::openapi::{
    RefOr, Schema,
    extensions::Extensions,
    path::{Operation, PathItem, Paths},
};
use utoipa_axum::router::UtoipaMethodRouter;

/// Where a route exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm {
    /// On a base host without a tenant: for operators.
    Platform,
    /// Inside a tenant.
    Tenant,
    /// On a base host and inside a tenant, with the same meaning.
    Either,
    /// Whatever the host says: health, and deliveries whose key names the tenant.
    Anywhere,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Whoever holds this permission.
    Permission(Permission),
    /// Everybody; the text says why that is right.
    Public(&'static str),
}

/// What a route declares about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Where it exists.
    pub realm: Realm,
    /// Who may use it.
    pub need: Need,
    /// Audit actions it may write.
    pub audits: &'static [&'static str],
    /// Why a changing route writes none.
    pub unaudited: Option<&'static str>,
    /// Largest body, bytes, when not the usual 1 MiB.
    pub body_limit: Option<usize>,
}

impl Access {
    const fn new(realm: Realm, need: Need) -> Self {
        Self {
            realm,
            need,
            audits: &[],
            unaudited: None,
            body_limit: None,
        }
    }
    /// For operators, on a base host.
    #[must_use]
    pub const fn platform(permission: Permission) -> Self {
        Self::new(Realm::Platform, Need::Permission(permission))
    }
    /// Inside a tenant: for members, and for operators through `/t/{slug}`.
    #[must_use]
    pub const fn tenant(permission: Permission) -> Self {
        Self::new(Realm::Tenant, Need::Permission(permission))
    }
    /// For whoever is signed in, in either realm.
    #[must_use]
    pub const fn either(permission: Permission) -> Self {
        Self::new(Realm::Either, Need::Permission(permission))
    }
    /// For everybody, with the reason.
    #[must_use]
    pub const fn public(realm: Realm, reason: &'static str) -> Self {
        Self::new(realm, Need::Public(reason))
    }
    /// The audit actions a changing route writes.
    #[must_use]
    pub const fn audits(mut self, actions: &'static [&'static str]) -> Self {
        self.audits = actions;
        self
    }
    /// Why a route with an unsafe method writes no audit event.
    #[must_use]
    pub const fn unaudited(mut self, reason: &'static str) -> Self {
        self.unaudited = Some(reason);
        self
    }
    /// Takes bodies up to so many bytes.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = Some(bytes);
        self
    }
}

/// A route as the coverage tests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// Method.
    pub method: Method,
    /// Template, e.g. `/api/v1/users/{user}`.
    pub path: String,
    /// Declaration.
    pub access: Access,
}

struct Entry {
    access: Access,
    schemas: Vec<(String, RefOr<Schema>)>,
    paths: Paths,
    router: MethodRouter<AppState>,
}

/// Routes, each with its declaration.
#[derive(Default)]
pub struct Routes(Vec<Entry>);

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds what `utoipa_axum::routes!(handler)` made, under one declaration.
    #[must_use]
    pub fn add(mut self, access: Access, (schemas, paths, router): UtoipaMethodRouter<AppState>) -> Self {
        self.0.push(Entry {
            access,
            schemas,
            paths,
            router,
        });
        self
    }
    /// Adds another set.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
    /// Every route.
    #[must_use]
    pub fn list(&self) -> Vec<RouteInfo> {
        let mut all = Vec::new();
        for entry in &self.0 {
            for (path, item) in &entry.paths.paths {
                for (method, _) in operations(item) {
                    all.push(RouteInfo {
                        method,
                        path: path.clone(),
                        access: entry.access,
                    });
                }
            }
        }
        all
    }
    /// Paths and schemas for the OpenAPI document.
    #[must_use]
    pub fn documentation(&self) -> (Paths, Vec<(String, RefOr<Schema>)>) {
        let mut all = Paths::new();
        let mut schemas = Vec::new();
        for entry in &self.0 {
            schemas.extend(entry.schemas.iter().cloned());
            let mut paths = entry.paths.clone();
            for item in paths.paths.values_mut() {
                for (_, operation) in operations_mut(item) {
                    declare(operation, entry.access);
                }
            }
            all.merge(paths);
        }
        (all, schemas)
    }
    /// The router, every route behind its guard.
    pub fn build(self, state: &AppState) -> Router<AppState> {
        let mut router = Router::new();
        for entry in self.0 {
            let guard = middleware::from_fn_with_state((state.clone(), entry.access), layers::guard);
            let mut guarded = entry.router.route_layer(guard);
            if let Some(bytes) = entry.access.body_limit {
                guarded = guarded.layer(DefaultBodyLimit::max(bytes));
                guarded = guarded.layer(Extension(BodyLimit(bytes)));
            }
            for path in entry.paths.paths.keys() {
                router = router.route(path, guarded.clone());
            }
        }
        router
    }
}

fn declare(operation: &mut Operation, access: Access) {
    let realm = match access.realm {
        Realm::Platform => "platform",
        Realm::Tenant => "tenant",
        Realm::Either => "either",
        Realm::Anywhere => "anywhere",
    };
    let mut notes = vec![("x-realm", json!(realm))];
    match access.need {
        Need::Permission(p) => notes.push(("x-permission", json!(p))),
        Need::Public(reason) => notes.push(("x-public", json!(reason))),
    }
    if !access.audits.is_empty() {
        notes.push(("x-audit", json!(access.audits)));
    }
    operation
        .extensions
        .get_or_insert_with(Extensions::default)
        .merge(notes.into_iter().collect());
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(m, o)| o.as_ref().map(|o| (m, o)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(m, o)| o.as_mut().map(|o| (m, o)))
}
