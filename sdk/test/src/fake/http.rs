//! Scripted HTTP: matching requests, answering them, remembering them.

use super::FakeHost;
use aistack_sdk::host::{Credential, SecretRef, SendOptions};
use aistack_sdk::{Fault, HttpRequest, HttpResponse, form};
use base64::Engine as _;
use serde_json::Value;

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// As it went out, with the credential filled in.
    pub request: HttpRequest,
    /// How the credential was attached: `none`, or `<use> <secret name>`, e.g. `bearer api_key`.
    pub credential: String,
    /// The options.
    pub options: SendOptions,
}

impl core::ops::Deref for Request {
    type Target = HttpRequest;
    fn deref(&self) -> &HttpRequest {
        &self.request
    }
}

impl Request {
    /// The fields of a form body.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        form::parse(core::str::from_utf8(&self.request.body).expect("a form is ASCII"))
    }

    /// A field of the form body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

type Predicate = Box<dyn Fn(&HttpRequest) -> bool>;
type Answer = Box<dyn Fn(&HttpRequest) -> Result<HttpResponse, Fault>>;

/// Which requests an answer is for.
pub struct Matcher {
    method: &'static str,
    url: String,
    predicate: Option<Predicate>,
}

/// GET of this URL. A URL without `?` matches any query.
#[must_use]
pub fn get(url: &str) -> Matcher {
    Matcher {
        method: "GET",
        url: url.into(),
        predicate: None,
    }
}

/// POST to this URL. A URL without `?` matches any query.
#[must_use]
pub fn post(url: &str) -> Matcher {
    Matcher {
        method: "POST",
        url: url.into(),
        predicate: None,
    }
}

/// PUT to this URL. A URL without `?` matches any query.
#[must_use]
pub fn put(url: &str) -> Matcher {
    Matcher {
        method: "PUT",
        url: url.into(),
        predicate: None,
    }
}

/// DELETE of this URL. A URL without `?` matches any query.
#[must_use]
pub fn delete(url: &str) -> Matcher {
    Matcher {
        method: "DELETE",
        url: url.into(),
        predicate: None,
    }
}

impl Matcher {
    /// Also demands this.
    #[must_use]
    pub fn when(mut self, predicate: impl Fn(&HttpRequest) -> bool + 'static) -> Self {
        self.predicate = Some(Box::new(predicate));
        self
    }

    fn matches(&self, request: &HttpRequest) -> bool {
        let url = if self.url.contains('?') {
            request.url.as_str()
        } else {
            request.url.split('?').next().unwrap_or_default()
        };
        self.method == request.method && self.url == url && self.predicate.as_ref().is_none_or(|p| p(request))
    }
}

struct Rule {
    matcher: Matcher,
    answer: Answer,
    left: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Script {
    rules: Vec<Rule>,
    pub(super) broken: Option<Fault>,
    pub(crate) sent: Vec<Request>,
}

impl Script {
    pub(super) fn answer(&mut self, request: &Request) -> Result<HttpResponse, Fault> {
        self.sent.push(request.clone());
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        let rule = self
            .rules
            .iter_mut()
            .find(|r| r.left != Some(0) && r.matcher.matches(request));
        let Some(rule) = rule else {
            let message = format!("the test has no answer for {} {}", request.method, request.url);
            return Err(Fault::transport("unscripted_request", message));
        };
        if let Some(left) = &mut rule.left {
            *left -= 1;
        }
        let max = usize::try_from(request.options.max_bytes).unwrap_or(usize::MAX);
        match (rule.answer)(request) {
            Ok(response) if max > 0 && response.body.len() > max => {
                Err(Fault::provider("response_too_large", format!("more than {max} bytes")))
            }
            other => other,
        }
    }

    pub(crate) fn put_first(&mut self, matcher: Matcher, status: u16, body: &Value) {
        let response = json_response(status, body);
        self.rules.insert(
            0,
            Rule {
                matcher,
                answer: Box::new(move |_| Ok(response.clone())),
                left: None,
            },
        );
    }
}

fn json_response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".into(), b"application/json".to_vec())],
        body: body.to_string().into_bytes(),
    }
}

/// A scripted answer being written.
pub struct On {
    fake: FakeHost,
    matcher: Matcher,
    left: Option<u32>,
}

impl On {
    pub(super) fn new(fake: FakeHost, matcher: Matcher) -> Self {
        Self {
            fake,
            matcher,
            left: None,
        }
    }

    /// Answers only the first request that matches.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.left = Some(1);
        self
    }

    /// Answers with JSON.
    #[must_use]
    pub fn reply_json(self, status: u16, body: impl std::borrow::Borrow<Value>) -> FakeHost {
        let response = json_response(status, body.borrow());
        self.reply_with(move |_| Ok(response.clone()))
    }

    /// Answers with this.
    #[must_use]
    pub fn reply(self, response: HttpResponse) -> FakeHost {
        self.reply_with(move |_| Ok(response.clone()))
    }

    /// Fails as the host would.
    #[must_use]
    pub fn fail(self, fault: Fault) -> FakeHost {
        self.reply_with(move |_| Err(fault.clone()))
    }

    /// Answers with whatever the function says.
    #[must_use]
    pub fn reply_with(self, answer: impl Fn(&HttpRequest) -> Result<HttpResponse, Fault> + 'static) -> FakeHost {
        let rule = Rule {
            matcher: self.matcher,
            answer: Box::new(answer),
            left: self.left,
        };
        self.fake.script().rules.push(rule);
        self.fake
    }
}

/// Fills the credential in the way the host does.
pub(super) fn inject(
    request: &HttpRequest,
    credential: Credential<'_>,
    mut open: impl FnMut(&SecretRef, &str) -> Result<Vec<u8>, Fault>,
) -> Result<(HttpRequest, String), Fault> {
    let mut out = request.clone();
    let mut text = |secret: &aistack_sdk::host::Secret, usage: &str| -> Result<(String, String), Fault> {
        let bytes = open(secret.reference(), usage)?;
        let short = usage.trim_start_matches("http:");
        Ok((
            String::from_utf8(bytes).expect("a secret in HTTP is text"),
            format!("{short} {}", secret.reference().name),
        ))
    };
    let used = match credential {
        Credential::None => "none".to_owned(),
        Credential::Bearer(s) => {
            let (value, used) = text(s, "http:bearer")?;
            out = out.with_header("authorization", format!("Bearer {value}"));
            used
        }
        Credential::Basic(user, s) => {
            let (value, used) = text(s, "http:basic")?;
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{value}"));
            out = out.with_header("authorization", format!("Basic {pair}"));
            used
        }
        Credential::Header(name, s) => {
            let (value, used) = text(s, "http:header")?;
            out = out.with_header(name, value);
            used
        }
        Credential::Query(name, s) => {
            let (value, used) = text(s, "http:query")?;
            out.url = form::Form::new().with(name, value).append_to(&out.url);
            used
        }
        Credential::Form(name, s) => {
            let (value, used) = text(s, "http:form")?;
            let body = String::from_utf8(out.body).expect("a form is ASCII");
            let joint = if body.is_empty() { "" } else { "&" };
            out.body = format!("{body}{joint}{}", form::Form::new().with(name, value).encode()).into_bytes();
            used
        }
        Credential::ClientCert(s) => text(s, "http:client-cert")?.1,
    };
    Ok((out, used))
}
