//! The public API, from the command line's side.

use super::{
    credentials::{Credential, Credentials},
    output::Failure,
};
use anyhow::Context;
use clap::Args;
use reqwest::{
    Method, RequestBuilder, Response,
    header::{self, HeaderMap},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Which server.
#[derive(Debug, Clone, Default, Args)]
pub struct Remote {
    /// The server's address; the one signed in to last when not given
    #[arg(long, env = "AISTACK_URL", value_name = "URL")]
    pub url: Option<Url>,
}

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub(super) struct Paging {
    /// At most so many, up to 200
    #[arg(long, default_value_t = 50)]
    limit: u8,
    /// `next` of the previous page
    #[arg(long)]
    cursor: Option<String>,
}

impl Paging {
    /// The query of a list: these parameters as far as they were given, and the part.
    pub(super) fn query(&self, parameters: &[(&str, Option<String>)]) -> String {
        let limit = ("limit", Some(self.limit.to_string()));
        let cursor = ("cursor", self.cursor.clone());
        let all: Vec<_> = [limit]
            .into_iter()
            .chain(parameters.iter().cloned())
            .chain([cursor])
            .collect();
        query(&all)
    }
}

/// A query of these parameters as far as they were given, with its question mark.
pub(super) fn query(parameters: &[(&str, Option<String>)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(
        parameters
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
    );
    let text = out.finish();
    if text.is_empty() { text } else { format!("?{text}") }
}

/// A server and who we are there.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Without trailing slash.
    base: String,
    /// `/t/{slug}` or nothing.
    prefix: String,
    credential: Option<Credential>,
}

/// The place a session is kept under: the address without path.
pub(super) fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl Client {
    /// A client for the platform itself.
    ///
    /// # Errors
    /// When no server is named and none was signed in to.
    pub fn open(remote: &Remote) -> Result<Self, Failure> {
        let credentials = Credentials::read()?;
        let base = match (&remote.url, &credentials.default) {
            (Some(url), _) => place(url),
            (None, Some(default)) => default.clone(),
            (None, None) => {
                return Err(Failure::Usage(
                    "which server? give --url, or sign in with: aistack login --url URL".to_owned(),
                ));
            }
        };
        let http = reqwest::Client::builder()
            .user_agent(concat!("aistack-cli/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            http,
            credential: credentials.sessions.get(&base).cloned(),
            base,
            prefix: String::new(),
        })
    }

    /// A client for one tenant: with the member's session if there is one, else as the operator.
    ///
    /// # Errors
    /// As [`Client::open`], and when `slug` can't be one.
    pub fn in_tenant(remote: &Remote, slug: &str) -> Result<Self, Failure> {
        if slug.is_empty() || !slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Failure::Usage(format!("{slug:?} is not a tenant's slug")));
        }
        let mut client = Self::open(remote)?;
        client.prefix = format!("/t/{slug}");
        if let Some(member) = Credentials::read()?.sessions.remove(&client.place()) {
            client.credential = Some(member);
        }
        Ok(client)
    }

    /// A client for the platform, or for one tenant if there is a slug.
    ///
    /// # Errors
    /// As the other two.
    pub fn anywhere(remote: &Remote, slug: Option<&str>) -> Result<Self, Failure> {
        slug.map_or_else(|| Self::open(remote), |slug| Self::in_tenant(remote, slug))
    }

    /// Where its session is kept.
    pub(super) fn place(&self) -> String {
        format!("{}{}", self.base, self.prefix)
    }

    /// The server.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Nobody, for signing in.
    pub(super) fn signed_out(mut self) -> Self {
        self.credential = None;
        self
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{}{path}", self.base, self.prefix))
            .header(header::ACCEPT, "application/json");
        match &self.credential {
            Some(c) => request
                .header(header::COOKIE, format!("{}={}", c.cookie, c.secret.expose_secret()))
                .header("x-csrf-token", c.csrf_token.expose_secret()),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|e| {
            let causes = causes(&e);
            if e.is_connect() && causes.contains("certificate") {
                Failure::Unreachable(format!("the certificate of {} is not accepted: {causes}", self.base))
            } else if e.is_connect() || e.is_timeout() {
                Failure::Unreachable(format!("{} does not answer: is the server running?", self.base))
            } else {
                Failure::Failed(e.into())
            }
        })?;
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let problem = serde_json::from_str(&text).unwrap_or_else(|_| {
            let detail = text.chars().take(200).collect::<String>();
            json!({ "status": status.as_u16(), "title": status.canonical_reason(), "code": "not_aistack", "detail": detail })
        });
        Err(Failure::Refused(problem))
    }

    /// Reads.
    ///
    /// # Errors
    /// As [`Failure`].
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        read(self.answer(self.request(Method::GET, path)).await?)
            .await
            .map(|(_, body)| body)
    }

    /// Sends a body, or nothing.
    ///
    /// # Errors
    /// As [`Failure`].
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.exchange(method, path, body).await.map(|(_, body)| body)
    }

    /// Posts a body.
    ///
    /// # Errors
    /// As [`Failure`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Like [`Client::send`], with the answer's headers.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(HeaderMap, Value), Failure> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        read(self.answer(request).await?).await
    }

    /// Sends a file as it is, with a further header if there is one.
    ///
    /// # Errors
    /// As [`Failure`].
    pub async fn upload(
        &self,
        path: &str,
        media_type: &str,
        bytes: Vec<u8>,
        extra: Option<(&'static str, &str)>,
    ) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path);
        let mut request = request.header(header::CONTENT_TYPE, media_type).body(bytes);
        if let Some((name, value)) = extra {
            request = request.header(name, value);
        }
        read(self.answer(request).await?).await.map(|(_, body)| body)
    }

    /// Reads a file as it is; the answer's body is still to be read.
    ///
    /// # Errors
    /// As [`Failure`].
    pub async fn download(&self, path: &str) -> Result<Response, Failure> {
        self.answer(self.request(Method::GET, path)).await
    }
}

/// What is behind an error, outermost first.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.dedup();
    texts.join(": ")
}

async fn read(response: Response) -> Result<(HeaderMap, Value), Failure> {
    let headers = response.headers().clone();
    let bytes = response.bytes().await?;
    if bytes.is_empty() {
        return Ok((headers, Value::Null));
    }
    let body = serde_json::from_slice(&bytes).context("the server's answer is not JSON: is this an aistack server?")?;
    Ok((headers, body))
}

#[cfg(test)]
mod tests {
    use super::Paging;

    #[test]
    fn a_list_is_asked_for_with_what_was_given() {
        let paging = |cursor: Option<&str>| Paging {
            limit: 50,
            cursor: cursor.map(str::to_owned),
        };
        assert_eq!(paging(None).query(&[("q", None)]), "?limit=50");
        let all = paging(Some("a/b")).query(&[("q", Some("x y&z".to_owned())), ("kind", None)]);
        assert_eq!(all, "?limit=50&q=x+y%26z&cursor=a%2Fb");
    }
}
