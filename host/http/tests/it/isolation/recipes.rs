//! How each route is asked. A tenant's route with something in its path, and any that takes an id in its body, has to
//! stand here.

use super::things::Things;
use aistack_http::{
    registry::{Realm, RouteInfo},
    routes,
};
use http::Method;
use serde_json::{Value, json};

/// What a tenant gets when it asks for what is its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::isolation) enum Own {
    /// Anything but "there is none": the recipe reaches the thing.
    Reached,
    /// The same answer as for others' things; the text says why.
    Hidden(&'static str),
    /// A stream without an end, which is not waited for.
    Stream,
}

/// How to ask.
#[derive(Clone, Copy)]
pub(in crate::isolation) struct Recipe {
    method: &'static str,
    path: &'static str,
    /// The body, if it takes one.
    body: Option<fn(&Things) -> Value>,
    pub(in crate::isolation) own: Own,
    /// What is answered about what is not there.
    pub(in crate::isolation) absent: u16,
}

const fn ask(method: &'static str, path: &'static str) -> Recipe {
    Recipe {
        method,
        path,
        body: None,
        own: Own::Reached,
        absent: 404,
    }
}

impl Recipe {
    const fn with(mut self, body: fn(&Things) -> Value) -> Self {
        self.body = Some(body);
        self
    }
    const fn own(mut self, own: Own) -> Self {
        self.own = own;
        self
    }
    /// Answers about nobody's things with this instead of 404.
    const fn absent(mut self, status: u16) -> Self {
        self.absent = status;
        self
    }
    pub(in crate::isolation) fn method(&self) -> Method {
        self.method.parse().unwrap()
    }
    pub(in crate::isolation) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
    pub(in crate::isolation) fn body(&self, things: &Things) -> Option<Value> {
        self.body.map(|body| body(things))
    }
    /// The path about these things.
    pub(in crate::isolation) fn path(&self, things: &Things) -> String {
        fill_path(self.path, things)
    }
    /// The names of what stands in the path.
    pub(in crate::isolation) fn params(&self) -> Vec<&'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')).collect()
    }
}

/// A route's template with these things in it.
pub(in crate::isolation) fn fill_path(template: &str, things: &Things) -> String {
    let part = |p: &str| match p.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
        Some(name) => things.get(name).map_or(name, String::as_str).to_owned(),
        None => p.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

const INSTALLATION: &str = "/api/v1/installations/{installation}";

macro_rules! of_installation {
    ($rest:literal) => {
        concat!("/api/v1/installations/{installation}", $rest)
    };
}

/// Of every route about a thing of a tenant.
pub(in crate::isolation) const RECIPES: &[Recipe] = &[
    ask("GET", "/api/v1/audit-events/{id}"),
    ask("GET", INSTALLATION),
    ask("PATCH", INSTALLATION).with(|_| json!({ "name": "Other" })),
    ask("DELETE", INSTALLATION),
    ask("DELETE", "/api/v1/domains/{domain}"),
    ask("POST", "/api/v1/domains/{domain}/primary"),
    ask("POST", "/api/v1/domains/{domain}/verify"),
    ask("GET", of_installation!("/calls")),
    ask("GET", of_installation!("/calls/{call}")),
    ask("GET", of_installation!("/calls/{call}/component")),
    ask("GET", of_installation!("/calls/{call}/journal")),
    ask("POST", of_installation!("/check")).with(|_| json!({})),
    ask("POST", of_installation!("/consent")).with(|_| json!({ "added_digest": "ab" })),
    ask("POST", of_installation!("/directory/sync")).with(|_| json!({})),
    ask("GET", of_installation!("/documents/{name}")),
    ask("GET", of_installation!("/logs")).own(Own::Stream),
    ask("DELETE", of_installation!("/pending")),
    ask("DELETE", of_installation!("/record")),
    ask("POST", of_installation!("/record")).with(|_| json!({ "calls": 1, "minutes": 1 })),
    ask("POST", of_installation!("/rollback")),
    ask("PUT", of_installation!("/secrets/{name}")).with(|_| json!({ "value": "s3cret" })),
    // A browser is sent back to the page of sign-in, with the same words whatever the id is.
    ask("GET", "/api/v1/login/{installation}/callback")
        .absent(303)
        .own(Own::Hidden("it signs nobody in")),
    ask("POST", "/api/v1/login/{installation}/callback")
        .with(|_| json!({ "fields": {} }))
        .absent(400)
        .own(Own::Hidden("it signs nobody in")),
    ask("GET", "/api/v1/login/{installation}/start")
        .absent(303)
        .own(Own::Hidden("it signs nobody in")),
    ask("GET", "/api/v1/orders/{order}"),
    ask("POST", "/api/v1/orders/{order}/cancel"),
    ask("POST", "/api/v1/orders/{order}/pay"),
    ask("POST", "/api/v1/orders/{order}/refresh"),
    ask("GET", "/api/v1/orders/{order}/return"),
    ask("DELETE", "/api/v1/quotas/{meter}"),
    ask("PUT", "/api/v1/quotas/{meter}").with(|_| json!({ "limit": 7 })),
    ask("GET", "/api/v1/report-runs/{run}"),
    ask("POST", "/api/v1/report-runs/{run}/cancel"),
    ask("GET", "/api/v1/report-runs/{run}/file"),
    ask("GET", "/api/v1/users/{user}"),
    ask("PATCH", "/api/v1/users/{user}").with(|_| json!({ "name": "Other" })),
    ask("DELETE", "/api/v1/users/{user}"),
];

/// Routes that take ids in their bodies.
pub(in crate::isolation) const IN_BODIES: &[Recipe] = &[
    ask("POST", "/api/v1/orders").with(|t| {
        json!({ "installation": t["installation"], "amount": { "minor": 100, "currency": "USD" }, "description": "x" })
    }),
    ask("POST", "/api/v1/report-runs")
        .with(|t| json!({ "installation": t["installation"], "report": "usage", "format": "csv", "params": {} })),
];

/// Names in paths that are the same in every tenant: no id, so nobody else's.
pub(in crate::isolation) const NAMES: &[&str] = &["name", "meter", "endpoint", "key"];

/// Routes with something in the path that belong to no tenant's address, each with the reason.
const ELSEWHERE: &[(&str, &str)] = &[(
    "/hooks/{installation}/{endpoint}/{key}",
    "the unguessable key is the permission; tests/it/hostile/webhooks.rs",
)];

/// The routes in a tenant whose path names a thing but which have no recipe, and recipes whose route is gone.
pub(in crate::isolation) fn uncovered() -> Vec<String> {
    let all = routes::all().list();
    let in_tenant = |r: &&RouteInfo| match r.access.realm {
        Realm::Platform => false,
        Realm::Tenant | Realm::Either => true,
        Realm::Anywhere => !ELSEWHERE.iter().any(|(path, _)| *path == r.path),
    };
    let name = |r: &RouteInfo| format!("{} {}", r.method, r.path);
    let missing = all
        .iter()
        .filter(in_tenant)
        .filter(|r| r.path.contains('{') && !RECIPES.iter().any(|known| known.name() == name(r)))
        .map(|r| format!("{}: no recipe", name(r)));
    let known = RECIPES.iter().chain(IN_BODIES);
    let stale = known
        .filter(|recipe| !all.iter().any(|r| name(r) == recipe.name()))
        .map(|recipe| format!("{}: no such route", recipe.name()));
    missing.chain(stale).collect()
}
