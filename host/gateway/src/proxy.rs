//! One call: decide, queue, send, pass the answer on, settle.

use crate::{
    body::{After, ProxyBody, RequestBody},
    client::{self, BoxError, Upstreams},
    fair::Gates,
    headers::{self, Forwarded},
    upgrade,
};
use aistack_core::{ProblemKind, RequestId};
use aistack_domain::{
    App, Problem, TenantCtx,
    access::SignedIn,
    gateway::{Decisions, Denial, Ending, Incoming, Pass},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts};
use http_body::Body;
use hyper::body::Incoming as UpstreamBody;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::sleep_until};

/// How the proxy behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Calls of one tenant under way at a time.
    pub at_once: usize,
    /// Calls of one tenant that may wait for their turn.
    pub waiting: usize,
    /// How long they wait.
    pub patience: Duration,
    /// How long connecting to an upstream may take.
    pub connect: Duration,
    /// How long an idle connection to an upstream is kept.
    pub idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_once: 64,
            waiting: 256,
            patience: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(60),
        }
    }
}

/// The proxy. Cheap to clone.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    app: Arc<App>,
    decisions: Arc<dyn Decisions>,
    client: Upstreams,
    gates: Gates,
}

impl core::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Proxy")
    }
}

/// Counts a call as open while it exists.
struct Open(Arc<App>);
impl Open {
    fn new(app: &Arc<App>) -> Self {
        app.metrics.gateway_open(true);
        Self(Arc::clone(app))
    }
}
impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.gateway_open(false);
    }
}

/// A pass that is settled even when the caller leaves while we wait for the upstream: hyper drops us then.
struct Travelling {
    decisions: Arc<dyn Decisions>,
    pass: Option<Pass>,
}

impl Travelling {
    fn settle(&mut self, ending: Ending) -> Option<JoinHandle<Result<(), Problem>>> {
        let (decisions, pass) = (Arc::clone(&self.decisions), self.pass.take()?);
        Some(tokio::spawn(async move { decisions.finish(pass, ending).await }))
    }
}

impl Drop for Travelling {
    fn drop(&mut self) {
        // The recording goes on by itself.
        drop(self.settle(Ending::Abandoned));
    }
}

impl Proxy {
    /// Over the application and its decisions.
    #[must_use]
    pub fn new(app: Arc<App>, decisions: Arc<dyn Decisions>, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            app,
            decisions,
            client: client::build(settings.connect, settings.idle),
            gates: Gates::new(settings.at_once, settings.waiting, settings.patience),
        }))
    }

    /// Handles a request that carries `TenantCtx`, `SignedIn` and `RequestId` in its extensions. A refusal is an empty
    /// answer with its status and fields and the [`Problem`] in its extensions, for the HTTP layer to write out.
    pub async fn call<B>(&self, request: Request<B>) -> Response<ProxyBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let _open = Open::new(&self.0.app);
        match self.0.pass_on(request).await {
            Ok(response) => response,
            Err(denial) => refusal(denial),
        }
    }
}

fn refusal(denial: Denial) -> Response<ProxyBody> {
    let mut response = Response::new(ProxyBody::empty());
    *response.status_mut() =
        StatusCode::from_u16(denial.problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = denial.quota;
    response.extensions_mut().insert(denial.problem);
    response
}

fn missing(what: &str) -> Problem {
    Problem::internal(format!("a request reached the gateway without its {what}"))
}

impl Inner {
    async fn pass_on<B>(&self, request: Request<B>) -> Result<Response<ProxyBody>, Denial>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let began = self.app.clock.monotonic();
        let (mut parts, body) = request.into_parts();
        let tenant = parts
            .extensions
            .remove::<TenantCtx>()
            .ok_or_else(|| missing("tenant"))?;
        let who = parts.extensions.remove::<SignedIn>().ok_or_else(|| missing("caller"))?;
        let request = parts
            .extensions
            .get::<RequestId>()
            .copied()
            .ok_or_else(|| missing("id"))?;
        if parts.method == Method::CONNECT {
            return Err(Problem::new(ProblemKind::MethodNotAllowed, "the gateway opens no tunnels").into());
        }
        let pass = self
            .decisions
            .admit(Incoming {
                tenant: &tenant,
                who: &who,
                request,
                method: &parts.method,
                path: parts.uri.path(),
            })
            .await?;
        let Some(turn) = self.gates.enter(tenant.scope.id()).await else {
            let quota = pass.quota.clone();
            let kind = ProblemKind::RateLimited;
            self.decisions.finish(pass, Ending::Refused(kind)).await?;
            let problem = Problem::new(kind, "too many calls of this tenant are under way").with("retry_after", 1);
            return Err(Denial { problem, quota });
        };
        let after = After {
            app: Arc::clone(&self.app),
            route: pass.target.prefix.clone(),
            status: 499,
            began,
            _turn: turn,
        };
        self.exchange(parts, RequestBody::new(body), pass, after, &tenant).await
    }

    async fn exchange(
        &self,
        mut parts: Parts,
        body: RequestBody,
        pass: Pass,
        mut after: After,
        tenant: &TenantCtx,
    ) -> Result<Response<ProxyBody>, Denial> {
        let websocket = parts.method == Method::GET && headers::wants_websocket(&parts.headers);
        let caller = websocket
            .then(|| parts.extensions.remove::<hyper::upgrade::OnUpgrade>())
            .flatten();
        self.prepare(&mut parts, &pass, tenant, caller.is_some())?;
        let (timeout, quota) = (pass.target.timeout, pass.quota.clone());
        let mut travelling = Travelling {
            decisions: Arc::clone(&self.decisions),
            pass: Some(pass),
        };
        let sent = self.send(parts, body, timeout).await;
        let mut response = match sent {
            Ok(response) => response,
            Err(problem) => {
                after.status = problem.kind.status();
                if let Some(recorded) = travelling.settle(Ending::Failed(problem.kind)) {
                    settled(recorded).await?;
                }
                return Err(Denial { problem, quota });
            }
        };
        let first_byte = self.app.clock.monotonic().saturating_sub(after.began);
        self.app.metrics.gateway_first_byte(first_byte);
        after.status = response.status().as_u16();
        let mut recorded = travelling.settle(Ending::Answered(after.status));
        headers::for_caller(response.headers_mut(), &quota);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return switch(caller, response, recorded, after).await;
        }
        let (head, body) = response.into_parts();
        if body.is_end_stream()
            && let Some(recorded) = recorded.take()
        {
            // Nothing that could be held back: the head is the whole answer.
            settled(recorded).await?;
        }
        let mut response = Response::from_parts(head, ProxyBody::new(body, recorded, after));
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }

    /// Turns the caller's head into the upstream's.
    fn prepare(&self, parts: &mut Parts, pass: &Pass, tenant: &TenantCtx, websocket: bool) -> Result<(), Problem> {
        let target = &pass.target;
        let host = parts.headers.get(header::HOST).cloned();
        let uri = Uri::builder()
            .scheme(target.origin.scheme())
            .authority(target.authority())
            .path_and_query(target.path_and_query(&pass.path, parts.uri.query()))
            .build();
        parts.uri = uri.map_err(|e| Problem::internal(format!("a route to no address: {e}")))?;
        parts.version = Version::HTTP_11;
        let from = Forwarded {
            ip: tenant.ctx.origin.ip,
            host,
            proto: self.app.config.public_url.scheme(),
        };
        headers::for_upstream(&mut parts.headers, &pass.identity, &from);
        if websocket {
            headers::mark_websocket(&mut parts.headers);
        }
        Ok(())
    }

    /// Sends, and sends once more when that is safe and the first try did not get through.
    async fn send(
        &self,
        parts: Parts,
        body: RequestBody,
        timeout: Duration,
    ) -> Result<Response<UpstreamBody>, Problem> {
        let progress = body.progress();
        let request = |parts: &Parts| {
            let mut request = Request::new(body.clone());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = parts.uri.clone();
            *request.headers_mut() = parts.headers.clone();
            request
        };
        let attempts = async {
            match self.client.request(request(&parts)).await {
                Err(e) if may_repeat(&parts.method, &e) && !progress.touched() => {
                    tracing::debug!(error = %e, "trying the upstream once more");
                    self.client.request(request(&parts)).await
                }
                other => other,
            }
        };
        let mut attempts = std::pin::pin!(attempts);
        loop {
            // The upstream's time runs from the last part of the request it was given.
            let deadline = progress.last() + timeout;
            tokio::select! {
                answer = &mut attempts => return answer.map_err(|e| unavailable(&e)),
                () = sleep_until(deadline) => {
                    if progress.last() + timeout <= deadline {
                        return Err(Problem::new(
                            ProblemKind::UpstreamTimeout,
                            format!("the service did not answer within {} ms", timeout.as_millis()),
                        ));
                    }
                }
            }
        }
    }
}

/// Whether a failed request may be made again: a method that may be repeated (RFC 9110 §9.2.2), and either no connection
/// at all or one that was closed before it answered.
fn may_repeat(method: &Method, e: &hyper_util::client::legacy::Error) -> bool {
    let idempotent = matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    let source = std::error::Error::source(e).and_then(|s| s.downcast_ref::<hyper::Error>());
    idempotent && (e.is_connect() || source.is_some_and(|s| s.is_incomplete_message() || s.is_closed()))
}

fn unavailable(e: &hyper_util::client::legacy::Error) -> Problem {
    // Addresses and causes are for the operator, not for the caller.
    tracing::warn!(
        error = aistack_domain::problem::error_chain(e),
        "an upstream is not available"
    );
    let why = if e.is_connect() {
        "the service behind this path can't be reached"
    } else {
        "the service behind this path broke off"
    };
    Problem::new(ProblemKind::UpstreamUnavailable, why)
}

async fn settled(recorded: JoinHandle<Result<(), Problem>>) -> Result<(), Problem> {
    recorded
        .await
        .unwrap_or_else(|e| Err(Problem::internal(format!("recording a call: {e}"))))
}

/// Answers a changed protocol with a changed protocol, once the call is recorded.
async fn switch(
    caller: Option<hyper::upgrade::OnUpgrade>,
    mut response: Response<UpstreamBody>,
    recorded: Option<JoinHandle<Result<(), Problem>>>,
    after: After,
) -> Result<Response<ProxyBody>, Denial> {
    let Some(caller) = caller else {
        let why = "the service changed the protocol without being asked";
        return Err(Problem::new(ProblemKind::UpstreamUnavailable, why).into());
    };
    if let Some(recorded) = recorded {
        settled(recorded).await?;
    }
    let upstream = hyper::upgrade::on(&mut response);
    upgrade::join(caller, upstream, after);
    let mut answer = Response::new(ProxyBody::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = std::mem::take::<HeaderMap>(response.headers_mut());
    headers::mark_websocket(answer.headers_mut());
    Ok(answer)
}
