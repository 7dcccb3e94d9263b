//! What goes over the wire, seen from a simulator: the request that came, the answer to it, and the webhook to send.

use aistack_core::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// A request to the provider.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Timestamp,
}

impl Call {
    /// A header's value, empty when it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> Fields {
        Fields::parse(self.query.as_bytes())
    }

    /// The parameters of a form body.
    pub(crate) fn form(&self) -> Fields {
        Fields::parse(&self.body)
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Path and query, as in the request line.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The path's segments.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|s| !s.is_empty()).collect()
    }
}

/// Decoded form parameters in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of that name, empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.some(name).unwrap_or_default()
    }

    /// The first value of that name.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// The answer to a [`Call`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether money may have moved: what "time out after charge" waits for.
    pub(crate) charges: bool,
    /// Webhooks that follow.
    pub(crate) notices: Vec<Notice>,
}

impl Reply {
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", media_type.to_owned())],
            body: body.into(),
            ..Self::default()
        }
    }
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }
    pub(crate) fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }
    pub(crate) fn redirect(to: &str) -> Self {
        Self::default().status(303).with("location", to)
    }
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
    pub(crate) fn charging(mut self) -> Self {
        self.charges = true;
        self
    }
    pub(crate) fn notify(mut self, notices: Vec<Notice>) -> Self {
        self.notices = notices;
        self
    }
}

/// How a receiver says that it took a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// Any status of 200 to 299.
    By2xx,
    /// A body of exactly these bytes.
    ByBody(String),
}

/// A webhook, signed and ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// The provider's name of the event.
    pub(crate) kind: String,
    /// Where the order says it goes; else the simulator's own webhook address.
    pub(crate) to: Option<String>,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) acknowledged: Acknowledged,
}

/// Why the control plane can't do what it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    /// The field at fault, when there is one.
    pub(crate) field: Option<&'static str>,
    pub(crate) detail: String,
    pub(crate) hint: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status,
            code,
            field: None,
            detail: detail.into(),
            hint: hint.into(),
        }
    }
    pub(crate) fn unknown_order(reference: &str) -> Self {
        Self::new(
            404,
            "order_unknown",
            format!("there is no order {reference:?} here"),
            "GET /_sim/state lists the orders; the reference is the provider's or the merchant's",
        )
    }
    pub(crate) fn unknown_kind(kind: &Value, known: &str) -> Self {
        let detail = format!("kind {kind} can't be delivered");
        Self {
            field: Some("kind"),
            ..Self::new(400, "kind_unknown", detail, format!("one of: {known}"))
        }
    }
    pub(crate) fn not_now(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(409, "not_in_this_state", detail, hint)
    }
    pub(crate) fn reply(&self) -> Reply {
        let body = json!({"type": "about:blank", "status": self.status, "code": self.code, "field": self.field,
            "detail": self.detail, "hint": self.hint});
        Reply::new(self.status, "application/problem+json", body.to_string())
    }
}

/// Escapes for HTML and XML, text and attribute values alike.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// Adds parameters to a URL that may have some already.
pub(crate) fn append_query(url: &str, fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let (base, fragment) = url.split_once('#').map_or((url, None), |(b, f)| (b, Some(f)));
    let joint = match base.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{base}{joint}{query}{fragment}")
}
