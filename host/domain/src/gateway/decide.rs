//! The decision about one call, and what becomes of it afterwards.

use super::{Known, identity, path};
use crate::{
    App, Problem, TenantCtx,
    access::{Person, SignedIn},
    audit::Draft,
    metering::{self, Call, Counted},
    quota::{self, Exceeded, QuotaError, Reservation, Standing},
};
use aistack_core::{Outcome, ProblemKind, RequestId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::json;
use std::sync::Arc;

/// A call that has been routed to a tenant and authenticated.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// In which context.
    pub tenant: &'a TenantCtx,
    /// Who calls.
    pub who: &'a SignedIn,
    /// The request.
    pub request: RequestId,
    /// Method.
    pub method: &'a Method,
    /// Path as it came, without the tenant's prefix.
    pub path: &'a str,
}

/// The right to make one call. Dropping it gives back what was reserved and records nothing: hand it to
/// [`Decisions::finish`].
#[derive(Debug)]
pub struct Pass {
    /// Where to.
    pub target: Known,
    /// The path to send, normalised; the one that was matched.
    pub path: String,
    /// What the upstream is told about the caller.
    pub identity: HeaderMap,
    /// How the quota stands, for the answer.
    pub quota: HeaderMap,
    request: RequestId,
    method: Method,
    subject: String,
    ctx: TenantCtx,
    reservation: Reservation,
}

/// A call that is not made.
#[derive(Debug)]
pub struct Denial {
    /// Why.
    pub problem: Problem,
    /// How the quota stands.
    pub quota: HeaderMap,
}

impl From<Problem> for Denial {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            quota: HeaderMap::new(),
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The upstream answered with this status; the call counts.
    Answered(u16),
    /// The caller left before the answer began. The upstream may have done the work: the call counts.
    Abandoned,
    /// There was no answer to pass on; the call counts nothing.
    Failed(ProblemKind),
    /// We refused it after all; the call counts nothing.
    Refused(ProblemKind),
}

/// What the proxy asks.
#[async_trait::async_trait]
pub trait Decisions: Send + Sync {
    /// Finds the route, reserves the quota, and says what to tell the upstream. A refusal for a quota has been recorded
    /// when this returns.
    ///
    /// # Errors
    /// Why the call is not made.
    async fn admit(&self, call: Incoming<'_>) -> Result<Pass, Denial>;

    /// Counts and records the call. Goes on even when the caller no longer waits.
    ///
    /// # Errors
    /// When it can't be recorded; then the answer must not be finished.
    async fn finish(&self, pass: Pass, ending: Ending) -> Result<(), Problem>;
}

/// The domain's decisions.
#[derive(Clone)]
pub struct Decider(Arc<App>);

impl Decider {
    /// Over the application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self(app)
    }
}

#[async_trait::async_trait]
impl Decisions for Decider {
    async fn admit(&self, call: Incoming<'_>) -> Result<Pass, Denial> {
        let app = &self.0;
        let Person::User(user) = &call.who.person else {
            let why = "the gateway is for the tenant's own members";
            return Err(Problem::new(ProblemKind::PermissionDenied, why).into());
        };
        let path = path::normalise(call.path)?;
        let target = app.routes.find(app, call.tenant.scope.id(), &path).await?;
        let target =
            target.ok_or_else(|| Problem::new(ProblemKind::NotFound, "no route leads anywhere from this path"))?;
        let key = call.request.to_string();
        let (scope, tenant) = (&call.tenant.scope, &call.tenant.tenant);
        let reserved = app
            .quota
            .reserve((&*app.store, &*app.clock), scope, tenant, &target.meter, &key, 1)
            .await;
        let reservation = match reserved {
            Ok(reservation) => reservation,
            Err(e) => return Err(self.denied(&call, &target, e).await),
        };
        let audience = target.origin.origin().ascii_serialization();
        let about = (audience.as_str(), call.method.as_str(), path.as_str());
        let signed = identity::sign(app, call.tenant, (user.id, user.role), call.request, about).await?;
        let mut identity = HeaderMap::with_capacity(5);
        for (name, value) in [
            ("x-aistack-tenant", scope.id().to_string()),
            ("x-aistack-user", user.id.to_string()),
            ("x-aistack-role", user.role.to_string()),
            ("x-aistack-request-id", key),
            ("x-aistack-identity", signed),
        ] {
            let value = HeaderValue::try_from(value).map_err(|_| Problem::internal("an id that is no header"))?;
            identity.insert(HeaderName::from_static(name), value);
        }
        Ok(Pass {
            quota: standing_headers(&target.meter, reservation.standing(), reservation.at()),
            target,
            path,
            identity,
            request: call.request,
            method: call.method.clone(),
            subject: user.id.to_string(),
            ctx: call.tenant.clone(),
            reservation,
        })
    }

    async fn finish(&self, pass: Pass, ending: Ending) -> Result<(), Problem> {
        let (action, outcome, status) = match ending {
            Ending::Answered(status) if status < 500 => ("gateway.called", Outcome::Ok, Some(status)),
            Ending::Answered(status) => ("gateway.called", Outcome::Failed, Some(status)),
            Ending::Abandoned => ("gateway.called", Outcome::Ok, None),
            Ending::Failed(kind) => ("gateway.called", Outcome::Failed, Some(kind.status())),
            Ending::Refused(kind) => ("gateway.denied", Outcome::Denied, Some(kind.status())),
        };
        let reason = match ending {
            Ending::Answered(_) => None,
            Ending::Abandoned => Some("abandoned"),
            Ending::Failed(kind) | Ending::Refused(kind) => Some(kind.as_str()),
        };
        let (method, route) = (pass.method.as_str(), &pass.target.prefix);
        let counts = matches!(ending, Ending::Answered(_) | Ending::Abandoned);
        let details = json!({
            "method": method, "route": route, "status": status, "reason": reason,
            "meter": pass.target.meter, "quantity": i64::from(counts),
        });
        let dimensions = json!({ "method": method, "route": route, "status": status });
        let draft = Draft::new(action, "route", pass.target.id)
            .outcome(outcome)
            .details(details);
        let counted = counts.then_some(Counted {
            reservation: pass.reservation,
            meter: pass.target.meter.clone(),
            quantity: 1,
            subject: pass.subject,
            dimensions,
        });
        let call = Call {
            event_id: pass.request.to_string(),
            ctx: pass.ctx,
            counted,
            draft,
        };
        metering::record(&self.0, call).await
    }
}

impl Decider {
    /// Records a refusal and puts its answer together.
    async fn denied(&self, call: &Incoming<'_>, target: &Known, error: QuotaError) -> Denial {
        let app = &self.0;
        let upgrade = quota::upgrade_url(app, call.tenant.scope.slug());
        let QuotaError::Exceeded(exceeded) = error else {
            return error.into_problem(&upgrade).into();
        };
        app.metrics.quota_denied(&exceeded.meter);
        let headers = exceeded_headers(&exceeded);
        let draft = Draft::new("gateway.denied", "route", target.id)
            .outcome(Outcome::Denied)
            .details(json!({
                "method": call.method.as_str(), "route": target.prefix, "status": 429, "reason": "quota_exceeded",
                "meter": exceeded.meter, "limit": exceeded.limit, "quantity": 0,
            }));
        let recorded = metering::record(
            app,
            Call {
                event_id: call.request.to_string(),
                ctx: call.tenant.clone(),
                counted: None,
                draft,
            },
        );
        if let Err(problem) = recorded.await {
            return problem.into();
        }
        Denial {
            problem: QuotaError::Exceeded(exceeded).into_problem(&upgrade),
            quota: headers,
        }
    }
}

fn standing_headers(meter: &str, standing: Standing, at: aistack_core::Timestamp) -> HeaderMap {
    let Some(limit) = standing.limit else {
        return HeaderMap::new();
    };
    let remaining = standing.remaining().unwrap_or(0);
    headers(
        meter,
        limit,
        remaining,
        standing.window.seconds_left(at),
        standing.window.seconds(),
    )
}

fn exceeded_headers(e: &Exceeded) -> HeaderMap {
    let reset = e.retry_after.unwrap_or(0);
    let mut map = headers(&e.meter, e.limit, 0, reset, e.window.unwrap_or(0));
    map.insert(header::RETRY_AFTER, HeaderValue::from(reset));
    map
}

/// The common `RateLimit-*` fields and those of draft-ietf-httpapi-ratelimit-headers.
fn headers(meter: &str, limit: i64, remaining: i64, reset: u64, window: u64) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(6);
    map.insert("ratelimit-limit", HeaderValue::from(limit));
    map.insert("ratelimit-remaining", HeaderValue::from(remaining));
    map.insert("ratelimit-reset", HeaderValue::from(reset));
    // Meter names hold no quotes or backslashes: they are fine as structured-field strings.
    for (name, text) in [
        ("ratelimit-policy", format!("\"{meter}\";q={limit};w={window}")),
        ("ratelimit", format!("\"{meter}\";r={remaining};t={reset}")),
    ] {
        if let Ok(value) = HeaderValue::try_from(text) {
            map.insert(name, value);
        }
    }
    map
}
