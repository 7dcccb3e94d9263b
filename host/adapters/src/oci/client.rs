//! Requests to one registry about one repository: signing in when it is asked for, following where content lies, and
//! reading no more than was agreed.

use super::{
    OciRegistries,
    auth::{Challenge, Login},
    reach::authority,
    reference::{Reference, is_loopback},
};
use aistack_domain::port::RegistryError;
use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, WWW_AUTHENTICATE},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// Redirects that are followed to content.
const MOST_REDIRECTS: usize = 5;
/// Largest answer of a token service, and of an error that is quoted.
const MOST_TALK: u64 = 64 << 10;

/// A conversation with a registry about one repository.
pub(super) struct Conversation<'a> {
    registries: &'a OciRegistries,
    pub(super) reference: &'a Reference,
    origin: String,
    /// `pull`, or `pull,push`.
    actions: &'static str,
    authorization: Mutex<Option<HeaderValue>>,
}

/// A body with its media type.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) bytes: Bytes,
}

impl<'a> Conversation<'a> {
    pub(super) fn open(
        registries: &'a OciRegistries,
        reference: &'a Reference,
        actions: &'static str,
    ) -> Result<Self, RegistryError> {
        registries.reach.admits(&reference.host)?;
        Ok(Self {
            registries,
            reference,
            origin: reference.origin(),
            actions,
            authorization: Mutex::default(),
        })
    }

    pub(super) fn failed(&self, why: impl Into<String>) -> RegistryError {
        RegistryError::Failed {
            host: self.reference.host.clone(),
            why: why.into(),
        }
    }

    /// An address below the repository.
    pub(super) fn url(&self, rest: &str) -> Result<Url, RegistryError> {
        let text = format!("{}/v2/{}/{rest}", self.origin, self.reference.name);
        text.parse().map_err(|e| self.failed(format!("{text}: {e}")))
    }

    /// Asks, signing in when the registry wants that, and following redirects of reads.
    pub(super) async fn ask(
        &self,
        method: &Method,
        url: &Url,
        accept: Option<&str>,
        content: Option<&Content>,
    ) -> Result<Response, RegistryError> {
        let mut answer = self.once(method, url, accept, content).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.sign_in(&answer).await?;
            answer = self.once(method, url, accept, content).await?;
        }
        if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(RegistryError::Denied(self.reference.host.clone()));
        }
        let mut from = url.clone();
        for _ in 0..MOST_REDIRECTS {
            if !(answer.status().is_redirection() && matches!(*method, Method::GET | Method::HEAD)) {
                return Ok(answer);
            }
            from = self.location(&answer, &from)?;
            answer = self.once(method, &from, accept, None).await?;
        }
        Err(self.failed("it redirects in circles"))
    }

    /// Where an answer refers to.
    pub(super) fn location(&self, answer: &Response, from: &Url) -> Result<Url, RegistryError> {
        let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
        let joined = location.and_then(|l| from.join(l).ok());
        joined.ok_or_else(|| self.failed(format!("it answers {} and does not say where", answer.status())))
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        accept: Option<&str>,
        content: Option<&Content>,
    ) -> Result<Response, RegistryError> {
        let client = self.registries.reach.client(url, &self.origin)?;
        let mut request = client.request(method.clone(), url.clone());
        if let Some(accept) = accept {
            request = request.header(ACCEPT, accept);
        }
        // Credentials are the registry's, not those of whoever it refers to.
        let ours = url.origin().ascii_serialization() == self.origin;
        let authorization = self
            .authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(authorization) = authorization.filter(|_| ours) {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(content) = content {
            request = request
                .header(CONTENT_TYPE, content.media_type)
                .body(content.bytes.clone());
        }
        self.send(request, url).await
    }

    async fn send(&self, request: RequestBuilder, url: &Url) -> Result<Response, RegistryError> {
        request.send().await.map_err(|e| RegistryError::Failed {
            host: authority(url),
            why: causes(&e.without_url()),
        })
    }

    async fn sign_in(&self, answer: &Response) -> Result<(), RegistryError> {
        let denied = || RegistryError::Denied(self.reference.host.clone());
        let login = self.registries.credentials.of(&self.reference.host);
        let asked = answer.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = asked.filter_map(|v| v.to_str().ok()).find_map(Challenge::read);
        let authorization = match challenge.ok_or_else(denied)? {
            Challenge::Basic => basic(login.ok_or_else(denied)?),
            Challenge::Bearer { realm, service, scope } => self.token(login, &realm, service, scope).await?,
        };
        let mut value = HeaderValue::from_str(&authorization).map_err(|_| self.failed("its token is no header"))?;
        value.set_sensitive(true);
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    }

    async fn token(
        &self,
        login: Option<&Login>,
        realm: &str,
        service: Option<String>,
        scope: Option<String>,
    ) -> Result<String, RegistryError> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let mut url: Url = realm
            .parse()
            .map_err(|_| self.failed("its token service has no address"))?;
        let scope = scope.unwrap_or_else(|| format!("repository:{}:{}", self.reference.name, self.actions));
        let mut query = vec![("scope", scope)];
        query.extend(service.map(|s| ("service", s)));
        url.query_pairs_mut().extend_pairs(query);
        let client = self.registries.reach.client(&url, &self.origin)?;
        let mut request = client.get(url.clone());
        if let Some(login) = login {
            request = request.basic_auth(&login.user, Some(login.password.expose_secret()));
        }
        let answer = self.send(request, &url).await?;
        let status = answer.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(RegistryError::Denied(self.reference.host.clone()));
        }
        let body = self.read(answer, MOST_TALK).await?;
        let token: Option<Token> = serde_json::from_slice(&body).ok();
        let token = token
            .and_then(|t| t.token.or(t.access_token))
            .filter(|_| status.is_success());
        let token = token.ok_or_else(|| self.failed(format!("its token service answers {status} and no token")))?;
        Ok(format!("Bearer {token}"))
    }

    /// Reads a body of at most `max` bytes; what says that it is larger is not read at all.
    pub(super) async fn read(&self, mut answer: Response, max: u64) -> Result<Bytes, RegistryError> {
        if let Some(size) = answer.content_length().filter(|size| *size > max) {
            return Err(RegistryError::TooLarge { size, max });
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|e| self.failed(causes(&e.without_url())))?
        {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > max {
                return Err(RegistryError::TooLarge {
                    size: body.len() as u64,
                    max,
                });
            }
        }
        Ok(body.freeze())
    }

    /// An answer that is neither what was wanted nor one of the expected refusals.
    pub(super) async fn unexpected(&self, answer: Response, doing: &str) -> RegistryError {
        let status = answer.status();
        let body = self.read(answer, MOST_TALK).await.unwrap_or_default();
        let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = said["errors"][0]["message"].as_str().unwrap_or_default();
        let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
        self.failed(format!("{doing}: it answers {status} {message}").trim_end().to_owned())
    }
}

fn basic(login: &Login) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let pair = format!("{}:{}", login.user, login.password.expose_secret());
    format!("Basic {}", STANDARD.encode(pair))
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

/// Whether an upload may go on at this address: the registry's own, or a TLS one it refers to.
pub(super) fn may_upload_to(url: &Url, origin: &str) -> bool {
    let own = url.origin().ascii_serialization() == origin;
    own || url.scheme() == "https" || (origin.starts_with("http://") && is_loopback(url.host_str().unwrap_or_default()))
}
