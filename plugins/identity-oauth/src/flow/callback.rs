//! The browser came back. First: is this the answer to what was asked, from whom it was asked? Only then: what does it say?

use crate::claims;
use crate::config::{Config, Issuer, Preset, is_uuid};
use crate::flow::authorize::{Pending, provider_name};
use crate::github;
use crate::policy;
use crate::provider::discovery::{self, Metadata};
use crate::provider::fetch;
use crate::provider::tokens;
use crate::token::id_token;
use aistack_sdk::identity::Session;
use aistack_sdk::{Fault, Host, HttpRequest, HttpResponse, form};
use serde_json::Value;

/// Longest authorization code.
const MAX_CODE: usize = 4096;

/// The parameters of an authorization response, each at most once.
struct Response(Vec<(String, String)>);

impl Response {
    /// Reads query (GET) or form body (`form_post`). A repeated parameter makes the response ambiguous, and two parties
    /// reading it differently is what attacks are made of (RFC 6749 §3.1).
    fn read(request: &HttpRequest) -> Result<Self, Fault> {
        let malformed = |why: &str| Fault::invalid_input("response_malformed", why.to_owned());
        let text = match request.method.as_str() {
            "GET" => request.query().to_owned(),
            "POST" => String::from_utf8(request.body.clone()).map_err(|_| malformed("the form is not text"))?,
            _ => return Err(malformed("neither GET nor POST")),
        };
        let mut fields = form::parse(&text);
        fields.sort();
        if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(malformed("a parameter is repeated"));
        }
        Ok(Self(fields))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
            .filter(|v| !v.is_empty())
    }
}

/// Ends a sign-in.
pub(crate) fn resume(host: &Host, state: &[u8], request: &HttpRequest) -> Result<Session, Fault> {
    let pending: Pending = serde_json::from_slice(state)
        .map_err(|_| Fault::invalid_input("state_unreadable", "the sign-in's state is not ours"))?;
    let response = Response::read(request)?;
    if !same(response.get("state").unwrap_or_default(), &pending.state) {
        return Err(Fault::denied(
            "state_mismatch",
            "the response does not belong to this sign-in",
        ));
    }
    let config = Config::load(host)?;
    if pending.issuer != provider_name(&config) || pending.client_id != config.client_id {
        return Err(Fault::expired(
            "configuration_changed",
            "the connection was changed while somebody signed in",
        ));
    }
    if config.provider == Preset::Github {
        return github::finish(host, &config, &pending, code(&response)?);
    }
    let metadata = discovery::metadata(host, &config)?;
    check_issuer(&response, &config, &metadata)?;
    openid(
        host,
        &config,
        &metadata,
        &pending,
        code(&response)?,
        response.get("iss"),
    )
}

/// Compares without telling by time how much was right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |difference, (x, y)| difference | (x ^ y))
            == 0
}

/// RFC 9207: which provider answered. Errors carry it too, so it is checked before anything is believed.
fn check_issuer(response: &Response, config: &Config, metadata: &Metadata) -> Result<(), Fault> {
    let Some(said) = response.get("iss") else {
        if metadata.authorization_response_iss_parameter_supported {
            return Err(Fault::denied(
                "iss_missing",
                "the provider names itself in responses, this one does not",
            ));
        }
        return Ok(());
    };
    let fits = match config.expected_issuer() {
        Issuer::Exact(issuer) => said == issuer,
        // Which directory it is, the ID token tells; it is compared with this there.
        Issuer::Template(template) => template
            .split_once("{tenantid}")
            .and_then(|(before, after)| said.strip_prefix(before)?.strip_suffix(after))
            .is_some_and(is_uuid),
    };
    if fits {
        return Ok(());
    }
    Err(Fault::denied(
        "iss_mismatch",
        format!("the response comes from {:?}", fetch::excerpt(said)),
    ))
}

/// The code, or what the provider says instead.
fn code(response: &Response) -> Result<&str, Fault> {
    if let Some(error) = response.get("error") {
        let more = fetch::excerpt(response.get("error_description").unwrap_or_default());
        let message = format!("the provider answered {}: {more}", fetch::excerpt(error));
        return Err(match error {
            "access_denied" => Fault::denied("user_cancelled", message),
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
                Fault::denied(error, message)
            }
            "temporarily_unavailable" | "server_error" => Fault::provider("idp_down", message),
            "invalid_request" | "invalid_scope" | "unauthorized_client" | "unsupported_response_type" => {
                Fault::invalid_config("idp_refused", message)
            }
            _ => Fault::denied("idp_error", message),
        });
    }
    match response.get("code") {
        Some(code) if code.len() <= MAX_CODE => Ok(code),
        _ => Err(Fault::invalid_input("response_malformed", "there is no code")),
    }
}

fn openid(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    pending: &Pending,
    code: &str,
    iss: Option<&str>,
) -> Result<Session, Fault> {
    let tokens = tokens::exchange(host, config, metadata, pending, code)?;
    let verified = id_token::verify(host, config, metadata, pending, &tokens, code)?;
    if iss.is_some_and(|iss| Some(iss) != verified["iss"].as_str()) {
        return Err(Fault::denied(
            "iss_mismatch",
            "response and ID token come from different issuers",
        ));
    }
    // The gates look at what is signed, and at nothing else.
    policy::check(config, &verified)?;
    let mut all = verified;
    if config.userinfo {
        let more = userinfo(host, config, metadata, &tokens, &all)?;
        merge(&mut all, more);
    }
    let session = claims::session(host, config, &all, &tokens)?;
    policy::check_groups(config, &session.user)?;
    Ok(session)
}

/// Claims from the user information endpoint. They count only if they are about the same person (OpenID Connect Core
/// §5.3.2).
fn userinfo(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    tokens: &tokens::Tokens,
    claims: &Value,
) -> Result<Value, Fault> {
    let (Some(endpoint), Some(access)) = (&metadata.userinfo_endpoint, &tokens.access_token) else {
        let message = "userinfo is switched on, but the provider has no such endpoint or gave no access token";
        return Err(Fault::invalid_config("userinfo_unavailable", message));
    };
    let request = HttpRequest::get(endpoint)
        .with_header("accept", "application/json")
        .with_header("authorization", format!("Bearer {access}"));
    let answer = fetch::send(host, config, "userinfo", &request, aistack_sdk::host::Credential::None)?;
    let info = read_userinfo(&answer)?;
    if info["sub"].as_str().is_none() || info["sub"] != claims["sub"] {
        return Err(Fault::denied(
            "userinfo_subject_mismatch",
            "the user information is about somebody else",
        ));
    }
    Ok(info)
}

fn read_userinfo(answer: &HttpResponse) -> Result<Value, Fault> {
    if answer.status != 200 {
        return Err(Fault::provider(
            "idp_refused",
            format!("userinfo: the provider answered {}", answer.status),
        ));
    }
    if answer
        .header("content-type")
        .is_some_and(|t| t.starts_with("application/jwt"))
    {
        let message = "userinfo: signed answers are not taken; register the client for plain ones";
        return Err(Fault::invalid_config("userinfo_signed", message));
    }
    fetch::body("userinfo", answer)
}

/// Adds what is not there yet: what the ID token says is signed and stays.
fn merge(claims: &mut Value, more: Value) {
    let (Some(have), Value::Object(more)) = (claims.as_object_mut(), more) else {
        return;
    };
    for (name, value) in more {
        have.entry(name).or_insert(value);
    }
}
