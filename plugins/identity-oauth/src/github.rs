//! GitHub: OAuth without OpenID Connect. There is no ID token; who signed in is asked from the API with the token that the
//! code was exchanged for, over TLS. The numeric id is who somebody is: login names are given up and taken over.

use crate::config::{CLIENT_SECRET, Config};
use crate::flow::authorize::Pending;
use crate::policy;
use crate::provider::fetch;
use crate::provider::tokens;
use aistack_sdk::form::{Form, encode_component};
use aistack_sdk::host::Credential;
use aistack_sdk::identity::{Session, Start, User};
use aistack_sdk::{Fault, Host, HttpRequest, Kind, Pair};
use serde_json::{Value, json};

/// The API version answers are written for.
const API_VERSION: &str = "2022-11-28";

pub(crate) fn authorize_url(host: &Host, config: &Config, pending: &Pending, start: &Start) -> Result<String, Fault> {
    let scope = if config.allowed_organizations.is_empty() {
        "read:user user:email"
    } else {
        "read:user user:email read:org"
    };
    let form = Form::new()
        .with("client_id", &config.client_id)
        .with("redirect_uri", &pending.redirect_uri)
        .with("scope", scope)
        .with("state", &pending.state)
        .with("code_challenge", pending.challenge(host)?)
        .with("code_challenge_method", "S256")
        .with_some("login", start.login_hint.as_deref().filter(|l| !l.is_empty()))
        .with_some("prompt", start.prompt.as_deref().filter(|p| *p == "select_account"));
    Ok(form.append_to(&format!("{}/login/oauth/authorize", config.github_url)))
}

/// Exchanges the code and asks who it was.
pub(crate) fn finish(host: &Host, config: &Config, pending: &Pending, code: &str) -> Result<Session, Fault> {
    let access = exchange(host, config, pending, code)?;
    let api = Api { host, config, access };
    let me = api
        .get("/user")?
        .ok_or_else(|| Fault::provider("idp_refused", "GitHub does not say who signed in"))?;
    let groups = organizations(&api)?;
    let user = person(&api, config, &me, groups)?;
    policy::check_groups(config, &user)?;
    Ok(Session {
        user,
        provider_session: None,
        expires_ms: None,
        acr: None,
        amr: Vec::new(),
        tokens: None,
    })
}

fn exchange(host: &Host, config: &Config, pending: &Pending, code: &str) -> Result<String, Fault> {
    let secret = host.secret(CLIENT_SECRET).map_err(|fault| match fault.kind {
        Kind::NotFound => Fault::invalid_config("client_secret_missing", "the secret client_secret is not set"),
        _ => fault,
    })?;
    let form = Form::new()
        .with("client_id", &config.client_id)
        .with("code", code)
        .with("redirect_uri", &pending.redirect_uri)
        .with("code_verifier", &pending.verifier);
    let url = format!("{}/login/oauth/access_token", config.github_url);
    let request = HttpRequest::post_form(url, form.encode()).with_header("accept", "application/json");
    let answer = fetch::send(
        host,
        config,
        "token endpoint",
        &request,
        Credential::Form("client_secret", &secret),
    )?;
    let body = fetch::body("token endpoint", &answer)?;
    // Errors come with status 200.
    if answer.status != 200 || body.get("error").is_some() {
        return Err(tokens::refusal(answer.status, &body));
    }
    let token = body["access_token"]
        .as_str()
        .filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_graphic()));
    let bearer = body["token_type"]
        .as_str()
        .is_some_and(|t| t.eq_ignore_ascii_case("bearer"));
    match token {
        Some(token) if bearer => Ok(token.to_owned()),
        _ => Err(Fault::provider(
            "token_type_unknown",
            "token endpoint: there is no bearer token",
        )),
    }
}

struct Api<'a> {
    host: &'a Host,
    config: &'a Config,
    access: String,
}

impl Api<'_> {
    /// Nothing for 403 and 404, which mean "not for you" here.
    fn get(&self, path: &str) -> Result<Option<Value>, Fault> {
        let request = HttpRequest::get(format!("{}{path}", self.config.github_api_url))
            .with_header("accept", "application/vnd.github+json")
            .with_header("x-github-api-version", API_VERSION)
            .with_header("authorization", format!("Bearer {}", self.access));
        let answer = fetch::send(self.host, self.config, "GitHub API", &request, Credential::None)?;
        match answer.status {
            200 => fetch::body("GitHub API", &answer).map(Some),
            403 | 404 => Ok(None),
            status => Err(Fault::provider(
                "idp_refused",
                format!("GitHub API: {path} answered {status}"),
            )),
        }
    }
}

/// The allowed organisations the person is an active member of, by their immutable ids. Nobody signs in without one, if
/// any are demanded.
fn organizations(api: &Api<'_>) -> Result<Vec<String>, Fault> {
    let mut ids = Vec::new();
    for name in &api.config.allowed_organizations {
        let membership = api.get(&format!("/user/memberships/orgs/{}", encode_component(name)))?;
        if let Some(membership) = membership.filter(|m| m["state"] == "active")
            && let Some(id) = membership["organization"]["id"].as_u64()
        {
            ids.push(id.to_string());
        }
    }
    if ids.is_empty() && !api.config.allowed_organizations.is_empty() {
        return Err(Fault::denied(
            "policy_denied",
            "the account is not an active member of an allowed organisation",
        ));
    }
    Ok(ids)
}

fn person(api: &Api<'_>, config: &Config, me: &Value, groups: Vec<String>) -> Result<User, Fault> {
    let Some(id) = me["id"].as_u64().filter(|id| *id > 0) else {
        return Err(Fault::denied("subject_invalid", "GitHub did not say the account's id"));
    };
    let text = |name: &str| {
        me[name]
            .as_str()
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
    };
    // The profile's public address is whatever somebody typed there.
    let emails = api.get("/user/emails")?.unwrap_or_default();
    let primary = emails
        .as_array()
        .into_iter()
        .flatten()
        .find(|e| e["primary"] == true && e["verified"] == true);
    let email = primary.and_then(|e| e["email"].as_str()).map(str::to_owned);
    let login = text("login");
    Ok(User {
        subject: id.to_string(),
        alternate_ids: vec![Pair {
            key: "issuer".into(),
            value: config.github_url.clone(),
        }],
        username: login.clone(),
        email_verified: email.is_some(),
        email,
        phone: None,
        display_name: text("name").or_else(|| login.clone()),
        avatar: text("avatar_url").filter(|u| u.starts_with("https://")),
        groups,
        attributes: json!({"login": login}).to_string(),
    })
}
