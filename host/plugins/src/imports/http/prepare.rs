//! Checks a guest's request and takes the credential out of the vault.

use super::handle;
use crate::{
    call::CallState,
    imports::{Answer, fault},
    net::host_matches,
    v1::{
        bindings::{http as wit, types},
        convert::fault_out,
    },
};
use aistack_domain::plugins::port::FaultKind;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretBox};
use url::Url;

/// A request that passed all checks that need no network.
pub(in crate::imports) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) inject: Inject,
    /// The secret behind `inject`.
    pub(super) secret: Option<Injected>,
    pub(super) ca: Option<String>,
}

impl Outgoing {
    /// The last segment of the path, as a name for what is downloaded.
    pub(in crate::imports) fn file_name(&self) -> String {
        let last = self.url.path_segments().and_then(Iterator::last).unwrap_or_default();
        if last.is_empty() {
            "download".to_owned()
        } else {
            last.to_owned()
        }
    }
}

/// A secret that goes out with a request.
pub(in crate::imports) struct Injected {
    pub(in crate::imports) name: String,
    /// How: `bearer`, `query`, …
    pub(super) way: &'static str,
    pub(in crate::imports) value: SecretBox<Vec<u8>>,
}

/// What the host adds to the request on its way out.
pub(super) enum Inject {
    Nothing,
    Header(HeaderName, HeaderValue),
    Query(String, SecretBox<Vec<u8>>),
    Form(String, SecretBox<Vec<u8>>),
    ClientCert(SecretBox<Vec<u8>>),
}

/// Headers that belong to the host: framing, routing and connection management.
fn is_ours(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::HOST
            | header::CONTENT_LENGTH
            | header::TRANSFER_ENCODING
            | header::TE
            | header::TRAILER
            | header::CONNECTION
            | header::UPGRADE
            | header::EXPECT
            | header::PROXY_AUTHORIZATION
            | header::PROXY_AUTHENTICATE
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

fn invalid(code: &str, message: &str) -> types::Fault {
    fault(FaultKind::InvalidInput, code, message)
}

fn headers(given: Vec<(String, Vec<u8>)>) -> Result<HeaderMap, types::Fault> {
    let mut map = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid("header_invalid", "a header name is not well-formed"))?;
        if is_ours(&name) {
            return Err(fault(
                FaultKind::Denied,
                "header_not_allowed",
                format!("the host sets {name} itself"),
            ));
        }
        // Refuses CR, LF and NUL.
        let value = HeaderValue::from_bytes(&value)
            .map_err(|_| invalid("header_invalid", "a header value is not well-formed"))?;
        map.try_append(name, value)
            .map_err(|_| invalid("header_invalid", "too many headers"))?;
    }
    Ok(map)
}

/// `Err` inside means: the request is refused and the guest is told why.
pub(in crate::imports) fn prepare(
    state: &mut CallState,
    request: types::HttpRequest,
    cred: &wit::Credential,
    ca: Option<&str>,
) -> Answer<Outgoing> {
    // The URL standard drops tabs and newlines silently; here they are a reason to refuse.
    if request.url.chars().any(|c| c.is_control() || c == ' ') {
        return Ok(Err(invalid("url_invalid", "the URL has control characters")));
    }
    let Ok(mut url) = Url::parse(&request.url) else {
        return Ok(Err(invalid("url_invalid", "not an absolute URL")));
    };
    url.set_fragment(None);
    let method = match Method::from_bytes(request.method.as_bytes()) {
        Ok(m) if m != Method::CONNECT && m != Method::TRACE => m,
        _ => return Ok(Err(invalid("method_invalid", "not a method guests may use"))),
    };
    let given = request.headers.iter().map(|(k, v)| (k.as_str(), v.as_slice()));
    if let Err(f) = state.traffic.headers(FaultKind::InvalidInput, given) {
        return Ok(Err(fault_out(f)));
    }
    let headers = match headers(request.headers) {
        Ok(h) => h,
        Err(f) => return Ok(Err(f)),
    };
    let (inject, secret) = match injection(state, cred, &url, &headers, &request.body)? {
        Ok(i) => i,
        Err(f) => return Ok(Err(f)),
    };
    // Whatever comes back of it is not for the guest.
    if let Some(secret) = &secret {
        state.redact.learn(&secret.name, secret.value.expose_secret());
    }
    Ok(Ok(Outgoing {
        method,
        url,
        headers,
        body: request.body,
        inject,
        secret,
        ca: ca.map(str::to_owned),
    }))
}

/// What to inject, and the secret it is made of.
type Injection = (Inject, Option<Injected>);

fn injection(
    state: &CallState,
    cred: &wit::Credential,
    url: &Url,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer<Injection> {
    let Some(key) = handle(cred) else {
        return Ok(Ok((Inject::Nothing, None)));
    };
    let way = match cred {
        wit::Credential::None => return Ok(Ok((Inject::Nothing, None))),
        wit::Credential::Bearer(_) => "bearer",
        wit::Credential::Basic(_) => "basic",
        wit::Credential::Header(_) => "header",
        wit::Credential::Query(_) => "query",
        wit::Credential::Form(_) => "form",
        wit::Credential::ClientCert(_) => "client-cert",
    };
    let usable = match state.usable(key, "http", way)? {
        Ok(u) => u,
        Err(f) => return Ok(Err(f)),
    };
    if !usable.grant.hosts.iter().any(|g| host_matches(g, url)) {
        return Ok(Err(fault(
            FaultKind::Denied,
            "secret_not_bound",
            format!("the secret is not bound to {}", url.host_str().unwrap_or_default()),
        )));
    }
    let secret = usable.bytes.expose_secret();
    let copy = || SecretBox::new(Box::new(secret.clone()));
    let injected = Injected {
        name: usable.name.to_owned(),
        way,
        value: copy(),
    };
    let inject = match cred {
        wit::Credential::None => Ok(Inject::Nothing),
        wit::Credential::Bearer(_) => sensitive(header::AUTHORIZATION, &[b"Bearer ", secret.as_slice()].concat()),
        wit::Credential::Basic((user, _)) => {
            if user.contains(':') {
                return Ok(Err(invalid("user_invalid", "a user name must not contain a colon")));
            }
            let pair = STANDARD.encode([user.as_bytes(), b":", secret].concat());
            sensitive(header::AUTHORIZATION, &[b"Basic ", pair.as_bytes()].concat())
        }
        wit::Credential::Header((name, _)) => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if !is_ours(&name) => sensitive(name, secret),
            _ => Err(invalid("header_invalid", "the secret can't be sent in that header")),
        },
        wit::Credential::Query((name, _)) => Ok(Inject::Query(name.clone(), copy())),
        wit::Credential::Form((name, _)) => {
            let form = headers
                .get(header::CONTENT_TYPE)
                .is_none_or(|t| t.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
            if !form || std::str::from_utf8(body).is_err() {
                return Ok(Err(invalid("body_invalid", "the body is not a form")));
            }
            Ok(Inject::Form(name.clone(), copy()))
        }
        wit::Credential::ClientCert(_) => Ok(Inject::ClientCert(copy())),
    };
    Ok(inject.map(|inject| (inject, Some(injected))))
}

fn sensitive(name: HeaderName, value: &[u8]) -> Result<Inject, types::Fault> {
    let mut value = HeaderValue::from_bytes(value).map_err(|_| {
        fault(
            FaultKind::InvalidConfig,
            "secret_not_sendable",
            "the secret has characters that can't stand in a header",
        )
    })?;
    value.set_sensitive(true);
    Ok(Inject::Header(name, value))
}
