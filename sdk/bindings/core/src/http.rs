//! Reading and making HTTP messages. Header names compare without case; values are raw bytes on the wire and text here.

use crate::types::{HttpRequest, HttpResponse};

fn find<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .and_then(|(_, v)| core::str::from_utf8(v).ok())
}

impl HttpRequest {
    /// A request without body.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A POST of a form, already encoded as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn post_form(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST".into(),
            url: url.into(),
            headers: Vec::new(),
            body: body.into(),
        }
        .with_header("content-type", "application/x-www-form-urlencoded")
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().as_bytes().to_vec()));
        self
    }

    /// The first header of that name, when it is UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The part of the URL after `?`, without a fragment; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        let url = self.url.split('#').next().unwrap_or_default();
        url.split_once('?').map_or("", |(_, q)| q)
    }
}

impl HttpResponse {
    /// A plain-text answer.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), b"text/plain; charset=utf-8".to_vec())],
            body: body.as_bytes().to_vec(),
        }
    }

    /// The first header of that name, when it is UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_compare_without_case_and_queries_end_at_the_fragment() {
        let r = HttpRequest::get("/cb?code=1&x=%20#frag?no").with_header("Stripe-Signature", "t=1");
        assert_eq!(r.header("stripe-signature"), Some("t=1"));
        assert_eq!(r.header("absent"), None);
        assert_eq!(r.query(), "code=1&x=%20");
        assert_eq!(HttpRequest::get("/cb").query(), "");
    }
}
