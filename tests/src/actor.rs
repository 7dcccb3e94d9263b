//! A party that talks to the platform's API: an operator, a member, or somebody unknown.

use crate::browser::{Browser, Page};
use anyhow::Context as _;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};
use url::Url;

/// Somebody at the API, with a browser's cookies and the CSRF token of the session, or with a bearer token.
#[derive(Clone)]
pub struct Actor {
    /// The browser; clones of the actor share it.
    pub browser: Browser,
    base: Url,
    csrf: Option<String>,
    bearer: Option<String>,
}

/// An answer of the API, with assertions that show the whole of it when they fail.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request, for messages.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Actor {
    /// Somebody unknown at `base`, which is a host of the platform, perhaps with a path prefix (`…/t/acme`).
    pub fn new(base: Url) -> Self {
        Self {
            browser: Browser::new(),
            base,
            csrf: None,
            bearer: None,
        }
    }

    /// Where `path` is.
    ///
    /// # Panics
    /// When `path` is no path.
    pub fn url(&self, path: &str) -> Url {
        let base = self.base.as_str().trim_end_matches('/');
        format!("{base}{path}")
            .parse()
            .expect("a path that starts with a slash")
    }

    /// The same party, its cookies included, at another host or below another prefix.
    #[must_use]
    pub fn at(&self, base: Url) -> Self {
        Self { base, ..self.clone() }
    }

    /// Somebody with nothing but a bearer token.
    #[must_use]
    pub fn with_bearer(&self, token: &str) -> Self {
        Self {
            bearer: Some(token.to_owned()),
            ..Self::new(self.base.clone())
        }
    }

    /// The same party without the CSRF token.
    #[must_use]
    pub fn without_csrf(&self) -> Self {
        Self {
            csrf: None,
            ..self.clone()
        }
    }

    /// The same party with a CSRF token of the caller's choice.
    #[must_use]
    pub fn with_csrf(&self, token: &str) -> Self {
        Self {
            csrf: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// Signs in with a password and answers the session.
    ///
    /// # Errors
    /// When there is no answer or it is no session.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> anyhow::Result<Value> {
        let session = self
            .post("/api/v1/session", json!({"email": email, "password": password}))
            .await?
            .ok(200)?;
        self.remember(&session)?;
        Ok(session)
    }

    /// Asks who the cookies say this is, as a page does after a redirect, and keeps the CSRF token.
    ///
    /// # Errors
    /// When there is no session.
    pub async fn resume(&mut self) -> anyhow::Result<Value> {
        let session = self.get("/api/v1/session").await?.ok(200)?;
        self.remember(&session)?;
        Ok(session)
    }

    fn remember(&mut self, session: &Value) -> anyhow::Result<()> {
        self.csrf = Some(
            session["csrf_token"]
                .as_str()
                .context("a session has a CSRF token")?
                .to_owned(),
        );
        Ok(())
    }

    /// A request with this party's credentials.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let unsafe_method = ![Method::GET, Method::HEAD].contains(&method);
        let mut request = self.browser.request(method, &self.url(path));
        if let Some(token) = &self.bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(csrf) = self.csrf.as_ref().filter(|_| unsafe_method) {
            request = request.header("x-csrf-token", csrf);
        }
        request
    }

    /// Sends a request made by [`Actor::request`].
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let named = request.try_clone().and_then(|request| request.build().ok());
        let named = named.map_or_else(
            || "request".to_owned(),
            |request| format!("{} {}", request.method(), request.url()),
        );
        let Page {
            status, headers, body, ..
        } = self.browser.send(request).await.with_context(|| named.clone())?;
        Ok(Answer {
            request: named,
            status: status.as_u16(),
            headers,
            body,
        })
    }

    /// `GET`
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// `PUT` with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// `PATCH` with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// `DELETE`
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Uploads a component.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn install_plugin(&self, component: Vec<u8>) -> anyhow::Result<Answer> {
        self.send(
            self.request(Method::POST, "/api/v1/plugins")
                .header("content-type", "application/wasm")
                .body(component),
        )
        .await
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// When a page is not a list.
    pub async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut url = self.url(path);
            url.query_pairs_mut().append_pair("limit", "100");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page = self
                .send(self.request(Method::GET, path_of(&url, &self.base)))
                .await?
                .ok(200)?;
            items.extend(page["items"].as_array().context("a list has items")?.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }
}

/// The part of `url` behind `base`.
fn path_of<'a>(url: &'a Url, base: &Url) -> &'a str {
    &url.as_str()[base.as_str().trim_end_matches('/').len()..]
}

impl Answer {
    /// The body as JSON, provided that the status is `status`.
    ///
    /// # Errors
    /// When either is not so.
    pub fn ok(&self, status: u16) -> anyhow::Result<Value> {
        anyhow::ensure!(self.status == status, "expected {status}: {self}");
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.body).with_context(|| self.to_string())
    }

    /// The problem document, provided that it is one, complete, and has this status and code.
    ///
    /// # Errors
    /// When anything of it is not so.
    pub fn problem(&self, status: u16, code: &str) -> anyhow::Result<Value> {
        anyhow::ensure!(self.status == status, "expected {status} {code}: {self}");
        anyhow::ensure!(
            self.header("content-type") == "application/problem+json",
            "no problem document: {self}"
        );
        let problem: Value = serde_json::from_str(&self.body).with_context(|| self.to_string())?;
        anyhow::ensure!(problem["code"] == code, "expected the code {code}: {self}");
        anyhow::ensure!(problem["status"] == status, "status and body disagree: {self}");
        anyhow::ensure!(
            problem["type"] == format!("urn:aistack:problem:{code}"),
            "type and code disagree: {self}"
        );
        anyhow::ensure!(
            problem["title"].as_str().is_some_and(|title| !title.is_empty()),
            "no title: {self}"
        );
        anyhow::ensure!(
            problem["request_id"] == self.request_id(),
            "header and body disagree on the request: {self}"
        );
        Ok(problem)
    }

    /// A header as text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        self.header("x-request-id")
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} answered {} {:?}: {}",
            self.request, self.status, self.headers, self.body
        )
    }
}
