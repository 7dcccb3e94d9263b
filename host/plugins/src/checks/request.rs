//! An HTTP request of a guest, before it is known where it may go.

use super::{Checked, invalid};
use aistack_domain::plugins::port::{Fault, FaultKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

/// An absolute URL without its fragment.
pub(crate) fn url(text: &str) -> Checked<Url> {
    // The URL standard drops tabs and newlines silently; here they are a reason to refuse.
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err(invalid("url_invalid", "the URL has control characters"));
    }
    let mut url = Url::parse(text).map_err(|_| invalid("url_invalid", "not an absolute URL"))?;
    url.set_fragment(None);
    Ok(url)
}

/// The last segment of a URL's path, as a name for what is downloaded.
pub(crate) fn file_name(url: &Url) -> String {
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    if last.is_empty() {
        "download".to_owned()
    } else {
        last.to_owned()
    }
}

/// A method that guests may use.
pub(crate) fn method(name: &str) -> Checked<Method> {
    match Method::from_bytes(name.as_bytes()) {
        Ok(m) if m != Method::CONNECT && m != Method::TRACE => Ok(m),
        _ => Err(invalid("method_invalid", "not a method guests may use")),
    }
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

/// The guest's own headers.
pub(crate) fn headers(given: Vec<(String, Vec<u8>)>) -> Checked<HeaderMap> {
    let mut map = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid("header_invalid", "a header name is not well-formed"))?;
        if is_ours(&name) {
            return Err(Fault::new(
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

/// `Authorization: Bearer` with a secret.
pub(crate) fn bearer(secret: &[u8]) -> Checked<(HeaderName, HeaderValue)> {
    sensitive(header::AUTHORIZATION, &[b"Bearer ", secret].concat())
}

/// `Authorization: Basic` with a secret as the password.
pub(crate) fn basic(user: &str, secret: &[u8]) -> Checked<(HeaderName, HeaderValue)> {
    if user.contains(':') {
        return Err(invalid("user_invalid", "a user name must not contain a colon"));
    }
    let pair = STANDARD.encode([user.as_bytes(), b":", secret].concat());
    sensitive(header::AUTHORIZATION, &[b"Basic ", pair.as_bytes()].concat())
}

/// A header of the guest's choice with a secret as its value.
pub(crate) fn secret_header(name: &str, secret: &[u8]) -> Checked<(HeaderName, HeaderValue)> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) if !is_ours(&name) => sensitive(name, secret),
        _ => Err(invalid("header_invalid", "the secret can't be sent in that header")),
    }
}

/// Whether a secret can be added to a body as a field of a form.
pub(crate) fn is_form(headers: &HeaderMap, body: &[u8]) -> Checked<()> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|t| t.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if form && std::str::from_utf8(body).is_ok() {
        return Ok(());
    }
    Err(invalid("body_invalid", "the body is not a form"))
}

fn sensitive(name: HeaderName, value: &[u8]) -> Checked<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_bytes(value).map_err(|_| {
        Fault::new(
            FaultKind::InvalidConfig,
            "secret_not_sendable",
            "the secret has characters that can't stand in a header",
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}
