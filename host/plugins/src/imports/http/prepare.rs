//! Checks a guest's request and takes the credential out of the vault.

use super::handle;
use crate::{
    call::CallState,
    checks::request,
    imports::{Answer, fault},
    net::host_matches,
    v1::{
        bindings::{http as wit, types},
        convert::fault_out,
    },
};
use aistack_domain::plugins::port::FaultKind;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
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
        request::file_name(&self.url)
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

/// `Err` inside means: the request is refused and the guest is told why.
pub(in crate::imports) fn prepare(
    state: &mut CallState,
    asked: types::HttpRequest,
    cred: &wit::Credential,
    ca: Option<&str>,
) -> Answer<Outgoing> {
    let checked = request::url(&asked.url).and_then(|url| Ok((url, request::method(&asked.method)?)));
    let (url, method) = match checked {
        Ok(c) => c,
        Err(f) => return Ok(Err(fault_out(f))),
    };
    let given = asked.headers.iter().map(|(k, v)| (k.as_str(), v.as_slice()));
    if let Err(f) = state.traffic.headers(FaultKind::InvalidInput, given) {
        return Ok(Err(fault_out(f)));
    }
    let headers = match request::headers(asked.headers) {
        Ok(h) => h,
        Err(f) => return Ok(Err(fault_out(f))),
    };
    let (inject, secret) = match injection(state, cred, &url, &headers, &asked.body)? {
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
        body: asked.body,
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
    let as_header = |(name, value)| Inject::Header(name, value);
    let inject = match cred {
        wit::Credential::None => Ok(Inject::Nothing),
        wit::Credential::Bearer(_) => request::bearer(secret).map(as_header),
        wit::Credential::Basic((user, _)) => request::basic(user, secret).map(as_header),
        wit::Credential::Header((name, _)) => request::secret_header(name, secret).map(as_header),
        wit::Credential::Query((name, _)) => Ok(Inject::Query(name.clone(), copy())),
        wit::Credential::Form((name, _)) => {
            request::is_form(headers, body).map(|()| Inject::Form(name.clone(), copy()))
        }
        wit::Credential::ClientCert(_) => Ok(Inject::ClientCert(copy())),
    };
    Ok(inject.map(|inject| (inject, Some(injected))).map_err(fault_out))
}
