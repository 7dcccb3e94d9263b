//! Which headers pass. Hop-by-hop fields end here; what speaks for the platform is ours alone to say.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, Entry},
};
use std::net::IpAddr;

/// Fields of one connection (RFC 9110 §7.6.1), besides those that `Connection` names.
static HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Our cookies begin with this.
const OUR_COOKIES: &str = "__Host-aistack";

/// What is known about the connection to the caller.
#[derive(Debug, Clone)]
pub(crate) struct Forwarded<'a> {
    /// The caller's address.
    pub(crate) ip: Option<IpAddr>,
    /// The host the caller asked.
    pub(crate) host: Option<HeaderValue>,
    /// `http` or `https`.
    pub(crate) proto: &'a str,
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Whether a field is one that only we may send, in a spelling that some server takes for it: CGI-like interfaces can't
/// tell `-` from `_`.
fn is_ours(name: &HeaderName) -> bool {
    let plain = name.as_str().replace('_', "-");
    plain.starts_with("x-aistack")
        || plain.starts_with("x-forwarded-")
        || matches!(
            plain.as_str(),
            "authorization" | "forwarded" | "x-real-ip" | "x-csrf-token" | "x-tenant-id" | "x-request-id" | "expect"
        )
}

/// Turns the caller's fields into what the upstream gets.
pub(crate) fn for_upstream(headers: &mut HeaderMap, identity: &HeaderMap, from: &Forwarded<'_>) {
    remove_hop_by_hop(headers);
    // hyper writes both anew, from the body as it read it: the upstream and we agree on where the request ends.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::HOST);
    let ours: Vec<HeaderName> = headers.keys().filter(|n| is_ours(n)).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
    strip_cookies(headers);
    for (name, value) in identity {
        headers.insert(name, value.clone());
    }
    if let Some(id) = identity.get("x-aistack-request-id") {
        headers.insert("x-request-id", id.clone());
    }
    if let Some(value) = from.ip.and_then(|ip| HeaderValue::try_from(ip.to_string()).ok()) {
        headers.insert("x-forwarded-for", value);
    }
    if let Some(host) = &from.host {
        headers.insert("x-forwarded-host", host.clone());
    }
    if let Ok(proto) = HeaderValue::from_str(from.proto) {
        headers.insert("x-forwarded-proto", proto);
    }
}

/// Takes our cookies out of the `Cookie` fields; the product's own pass.
fn strip_cookies(headers: &mut HeaderMap) {
    let Entry::Occupied(cookies) = headers.entry(header::COOKIE) else {
        return;
    };
    let (_, values) = cookies.remove_entry_mult();
    let mut kept = Vec::new();
    for value in values {
        for pair in value.as_bytes().split(|b| *b == b';') {
            let pair = pair.trim_ascii();
            if !pair.is_empty() && !pair.starts_with(OUR_COOKIES.as_bytes()) {
                kept.push(pair.to_vec());
            }
        }
    }
    if let (false, Ok(value)) = (kept.is_empty(), HeaderValue::from_bytes(&kept.join(&b"; "[..]))) {
        headers.insert(header::COOKIE, value);
    }
}

/// Turns the upstream's fields into what the caller gets.
pub(crate) fn for_caller(headers: &mut HeaderMap, quota: &HeaderMap) {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // With both, the length is a lie (RFC 9112 §6.3).
        headers.remove(header::CONTENT_LENGTH);
    }
    remove_hop_by_hop(headers);
    let ours: Vec<HeaderName> = headers
        .keys()
        .filter(|n| n.as_str().starts_with("x-aistack") || **n == "x-request-id")
        .cloned()
        .collect();
    for name in ours {
        headers.remove(name);
    }
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    if cookies.iter().any(sets_our_cookie) {
        headers.remove(header::SET_COOKIE);
        for cookie in cookies.into_iter().filter(|c| !sets_our_cookie(c)) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    for (name, value) in quota {
        headers.insert(name, value.clone());
    }
}

fn sets_our_cookie(cookie: &HeaderValue) -> bool {
    cookie.as_bytes().trim_ascii_start().starts_with(OUR_COOKIES.as_bytes())
}

/// Whether the caller asks for a WebSocket (RFC 6455 §4.1). No other upgrade passes.
pub(crate) fn wants_websocket(headers: &HeaderMap) -> bool {
    let lists = |name: HeaderName, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .any(|v| v.trim().eq_ignore_ascii_case(wanted))
    };
    lists(header::CONNECTION, "upgrade") && lists(header::UPGRADE, "websocket")
}

/// Marks a head as one that changes the protocol to WebSocket.
pub(crate) fn mark_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }
    fn names(map: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_that_speaks_for_the_platform_gets_in() {
        let mut h = map(&[
            ("host", "acme.localhost"),
            ("authorization", "Bearer x"),
            ("x-aistack-user", "usr_evil"),
            ("x-aistack-identity", "forged"),
            ("x_aistack_user", "usr_evil"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x_forwarded_for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("x-csrf-token", "t"),
            ("x-tenant-id", "t"),
            ("x-request-id", "theirs"),
            ("connection", "keep-alive, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "1"),
            ("proxy-authorization", "p"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("upgrade", "h2c"),
            ("accept", "text/html"),
            ("traceparent", "00-1-2-01"),
        ]);
        let identity = map(&[("x-aistack-user", "usr_1"), ("x-aistack-request-id", "req_1")]);
        let from = Forwarded {
            ip: Some([203, 0, 113, 9].into()),
            host: Some(HeaderValue::from_static("acme.localhost")),
            proto: "https",
        };
        for_upstream(&mut h, &identity, &from);
        assert_eq!(
            names(&h),
            [
                "accept",
                "traceparent",
                "x-aistack-request-id",
                "x-aistack-user",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded-proto",
                "x-request-id",
            ]
        );
        assert_eq!(h["x-aistack-user"], "usr_1");
        assert_eq!(h["x-request-id"], "req_1");
        assert_eq!(h["x-forwarded-for"], "203.0.113.9");
    }

    #[test]
    fn only_our_cookies_are_taken_out() {
        let mut h = map(&[
            ("cookie", "__Host-aistack=secret; theme=dark"),
            ("cookie", "__Host-aistack-op=secret;lang=zh"),
        ]);
        strip_cookies(&mut h);
        assert_eq!(h["cookie"], "theme=dark; lang=zh");
        let mut h = map(&[("cookie", " __Host-aistack=secret")]);
        strip_cookies(&mut h);
        assert!(h.is_empty());
    }

    #[test]
    fn an_upstream_can_not_speak_for_us_either() {
        let mut h = map(&[
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("set-cookie", "__Host-aistack=stolen; Path=/"),
            ("set-cookie", "theme=dark"),
            ("x-aistack-user", "x"),
            ("ratelimit-limit", "9"),
            ("etag", "\"1\""),
        ]);
        for_caller(&mut h, &map(&[("ratelimit-limit", "1000")]));
        assert_eq!(names(&h), ["etag", "ratelimit-limit", "set-cookie"]);
        assert_eq!(h["set-cookie"], "theme=dark");
        assert_eq!(h["ratelimit-limit"], "1000");
    }

    #[test]
    fn only_websockets_are_upgrades() {
        assert!(wants_websocket(&map(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket")
        ])));
        assert!(!wants_websocket(&map(&[("connection", "upgrade"), ("upgrade", "h2c")])));
        assert!(!wants_websocket(&map(&[("upgrade", "websocket")])));
    }
}
