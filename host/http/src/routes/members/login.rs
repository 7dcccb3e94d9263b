//! Signing in through a tenant's connections.

use super::{
    login_pages::{form_page, sign_in_page},
    session::session_cookie,
};
use crate::{
    Caller,
    extract::{InTenant, Json, Path, Query},
    problem::{ApiProblem, ApiResult},
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, ProblemKind, RequestId};
use aistack_domain::{
    Problem,
    identity::{self, Begin, Continued, Started, StepView},
    plugins::port::{HttpRequest, LoginInput, LoginStep},
    tenancy::routing::tenant_url,
};
use axum::{
    extract::{OriginalUri, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Carries what binds a half-finished sign-in to this browser.
const COOKIE: &str = "__Host-aistack-login";

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let open = Access::public(Realm::Tenant, "signing in");
    let back = open.audits(&[
        "session.opened",
        "user.provisioned",
        "user.role_changed",
        "identity.linked",
        "login.refused",
    ]);
    Routes::new()
        .add(open, routes!(methods))
        .add(open.audits(&["login.refused"]), routes!(start))
        .add(back, routes!(callback, callback_post))
}

/// A connection people may choose.
#[derive(Debug, Serialize, ToSchema)]
struct Connection {
    /// The installation.
    #[schema(value_type = String)]
    id: InstallationId,
    /// Name.
    name: String,
    /// Always `identity`.
    kind: &'static str,
    /// Plugin.
    plugin_id: String,
}

/// How people may sign in here.
#[derive(Debug, Serialize, ToSchema)]
struct LoginMethods {
    /// With e-mail address and password.
    password: bool,
    /// Through these connections.
    connections: Vec<Connection>,
}

/// How people may sign in here.
#[utoipa::path(get, path = "/api/v1/login/methods", tag = "login", operation_id = "list_login_methods",
    responses((status = 200, body = LoginMethods)))]
async fn methods(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<LoginMethods>> {
    let m = identity::methods(&state.app, &t).await?;
    Ok(Json(LoginMethods {
        password: m.password,
        connections: m
            .connections
            .into_iter()
            .map(|c| Connection {
                id: c.id,
                name: c.name,
                kind: c.kind,
                plugin_id: c.plugin_id,
            })
            .collect(),
    }))
}

/// How to begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StartParams {
    /// Local path to go to afterwards.
    return_to: Option<String>,
    /// OIDC `prompt`.
    prompt: Option<String>,
    /// Name or address to prefill.
    login_hint: Option<String>,
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("application/json") && !v.contains("text/html"))
}

/// Sent across sites when the provider posts the browser back, hence `SameSite=None`; it proves nothing by itself.
fn login_cookie(value: &str, max_age: u64) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=None; Max-Age={max_age}");
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The same address at the tenant's own origin, when the browser is somewhere else: providers send it back there, and
/// the cookie has to be there by then. Ports don't matter to cookies, so they don't matter here.
fn elsewhere(base: &str, prefix: &str, headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let here = headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok()?;
    let own = base.parse::<Uri>().ok()?;
    let same_host = own.host()?.eq_ignore_ascii_case(here.host());
    if same_host && own.path().trim_end_matches('/') == prefix {
        return None;
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let path = uri.path().strip_prefix(prefix).unwrap_or(uri.path());
    Some(format!("{}{path}{query}", base.trim_end_matches('/')))
}

/// Begin a sign-in: a redirect for browsers, the step as JSON for `Accept: application/json`.
#[utoipa::path(get, path = "/api/v1/login/{installation}/start", tag = "login", operation_id = "start_login",
    params(("installation" = String, Path), StartParams),
    responses((status = 302), (status = 200, body = serde_json::Value)))]
async fn start(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    caller: Caller,
    Path(id): Path<InstallationId>,
    Query(params): Query<StartParams>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let json = wants_json(&headers);
    if !json {
        let base = tenant_url(&state.app.config.public_url, t.scope.slug());
        if let Some(home) = elsewhere(&base, &caller.prefix, &headers, &uri) {
            return Ok(found(&home));
        }
    }
    let begin = Begin {
        return_to: params.return_to,
        prompt: params.prompt,
        login_hint: params.login_hint,
    };
    let return_to = begin.return_to.clone();
    match identity::start(&state.app, &t, id, begin).await {
        // A browser can follow these two by itself; for anything else there is a page.
        Ok(started) if !json && !matches!(started.step, LoginStep::Redirect(_) | LoginStep::FormPost(..)) => {
            Ok(found(&sign_in_page(&caller.prefix, id, return_to.as_deref())))
        }
        Ok(started) => Ok(step(&started, json)),
        Err(problem) => refused(problem, &caller, json),
    }
}

fn found(to: &str) -> Response {
    match HeaderValue::try_from(to) {
        Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Err(_) => ApiProblem(Problem::internal("a redirect to what is no address")).into_response(),
    }
}

/// A step for the browser or for the page.
fn step(started: &Started, json: bool) -> Response {
    let cookie = login_cookie(&started.cookie, started.max_age.as_secs());
    let mut response = match &started.step {
        LoginStep::Redirect(url) if !json => found(url),
        LoginStep::FormPost(url, fields) if !json => form_page(url, fields),
        other => Json(StepView::of(other)).into_response(),
    };
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, cookie);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Come back from the provider.
#[utoipa::path(get, path = "/api/v1/login/{installation}/callback", tag = "login", operation_id = "finish_login",
    params(("installation" = String, Path)), responses((status = 302)))]
async fn callback(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    caller: Caller,
    Path(id): Path<InstallationId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let json = wants_json(&headers);
    finish(&state, &t, &caller, id, &headers, LoginInput::Http(request), json).await
}

/// An answer of the sign-in page: filled-in fields, or a poll.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Answer {
    /// Fields that a `prompt` step asked for.
    fields: Option<BTreeMap<String, String>>,
    /// True to ask whether a `qr` or `wait` step is done.
    poll: bool,
}

/// Come back from the provider by POST (`form_post`, SAML), or answer a step as JSON.
#[utoipa::path(post, path = "/api/v1/login/{installation}/callback", tag = "login", operation_id = "continue_login",
    params(("installation" = String, Path)), request_body = Answer,
    responses((status = 302), (status = 200, body = serde_json::Value)))]
async fn callback_post(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    caller: Caller,
    Path(id): Path<InstallationId>,
    OriginalUri(uri): OriginalUri,
    req: Request,
) -> ApiResult<Response> {
    let headers = req.headers().clone();
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if media.starts_with("application/json") {
        let Json(answer) = <Json<Answer> as axum::extract::FromRequest<_>>::from_request(req, &state).await?;
        let input = match (answer.fields, answer.poll) {
            (Some(fields), false) => LoginInput::Fields(fields.into_iter().collect()),
            (None, true) => LoginInput::Poll,
            _ => {
                return Err(ApiProblem::new(
                    ProblemKind::MalformedRequest,
                    "send either fields or poll",
                ));
            }
        };
        return finish(&state, &t, &caller, id, &headers, input, true).await;
    }
    if !media.starts_with("application/x-www-form-urlencoded") {
        return Err(ApiProblem::new(
            ProblemKind::UnsupportedMediaType,
            "send a form or JSON",
        ));
    }
    let body = crate::extract::json::body(req, &state).await?;
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: vec![("content-type".to_owned(), media.into_bytes())],
        body: body.to_vec(),
    };
    finish(
        &state,
        &t,
        &caller,
        id,
        &headers,
        LoginInput::Http(request),
        wants_json(&headers),
    )
    .await
}

async fn finish(
    state: &AppState,
    t: &aistack_domain::TenantCtx,
    caller: &Caller,
    id: InstallationId,
    headers: &HeaderMap,
    input: LoginInput,
    json: bool,
) -> ApiResult<Response> {
    match identity::callback(&state.app, t, id, cookie_of(headers), input).await {
        Ok(Continued::Step(started)) => Ok(step(&started, json)),
        Ok(Continued::Done { session, return_to }) => {
            let to = below(&caller.prefix, &return_to);
            let mut response = if json {
                Json(StepView::Done { return_to: to }).into_response()
            } else {
                found(&to)
            };
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, session_cookie(&session.session, false));
            headers.append(header::SET_COOKIE, login_cookie("", 0));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(problem) => refused(problem, caller, json),
    }
}

/// A local path, below the tenant's prefix when the browser is there.
fn below(prefix: &str, path: &str) -> String {
    if prefix.is_empty() || path == prefix || path.starts_with(&format!("{prefix}/")) {
        path.to_owned()
    } else {
        format!("{prefix}{path}")
    }
}

/// A refusal: a problem document for programs, the sign-in page with the code for browsers.
fn refused(problem: Problem, caller: &Caller, json: bool) -> ApiResult<Response> {
    if json {
        return Err(ApiProblem(problem));
    }
    if problem.kind == ProblemKind::Internal {
        tracing::error!(detail = %problem.detail, "internal error");
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", problem.kind.as_str());
    if let Some(reason) = problem.extras.get("reason").or_else(|| problem.extras.get("fault"))
        && let Some(reason) = reason.as_str()
    {
        query.append_pair("reason", reason);
    }
    if let Some(request) = caller.ctx.request {
        query.append_pair("request_id", &RequestId::to_string(&request));
    }
    let to = format!("{}/console/login?{}", caller.prefix, query.finish());
    Ok(Redirect::to(&to).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(base: &str, prefix: &str, host: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        let asked = format!("{prefix}/api/v1/login/x/start?a=b");
        elsewhere(base, prefix, &headers, &asked.parse().unwrap())
    }

    #[test]
    fn a_sign_in_begins_where_the_provider_will_send_the_browser_back() {
        let own = "http://acme.localhost:8080";
        assert_eq!(home(own, "", "acme.localhost:8080"), None);
        assert_eq!(home(own, "", "ACME.localhost"), None);
        let there = Some("http://acme.localhost:8080/api/v1/login/x/start?a=b".to_owned());
        assert_eq!(home(own, "/t/acme", "localhost:8080"), there);
        assert_eq!(home(own, "/t/acme", "acme.localhost:8080"), there);
        let by_path = "http://127.0.0.1:8080/t/acme";
        assert_eq!(home(by_path, "/t/acme", "127.0.0.1:8080"), None);
    }

    #[test]
    fn the_cookie_is_found_among_others_and_by_its_whole_name() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static("a=1; __Host-aistack-login2=x; __Host-aistack-login=lgn_1.s"),
        )]);
        assert_eq!(cookie_of(&headers), Some("lgn_1.s"));
        assert_eq!(cookie_of(&HeaderMap::new()), None);
    }

    #[test]
    fn forms_can_not_break_out_of_their_page() {
        let page = form_page("https://idp.example/acs", &[("a\"b".into(), "<script>&".into())]);
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"));
        let body = futures_util::FutureExt::now_or_never(axum::body::to_bytes(page.into_body(), 10_000))
            .unwrap()
            .unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains("name=\"a&quot;b\" value=\"&lt;script&gt;&amp;\""),
            "{text}"
        );
    }

    #[test]
    fn paths_stay_below_the_prefix() {
        for (prefix, path, to) in [
            ("", "/console/", "/console/"),
            ("/t/acme", "/console/", "/t/acme/console/"),
            ("/t/acme", "/t/acme/console/x", "/t/acme/console/x"),
            ("/t/acme", "/t/acmeX", "/t/acme/t/acmeX"),
        ] {
            assert_eq!(below(prefix, path), to);
        }
    }
}
