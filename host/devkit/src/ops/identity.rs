//! Operations of the identity world.

use super::{
    arguments::Arguments,
    shared::{bytes_out, request_in},
};
use crate::Error;
use aistack_domain::plugins::port::{
    ExternalSession, ExternalUser, Fault, IdentityPort, Invocation, LoginInput, LoginProgress, LoginStart, LoginStep,
};
use aistack_plugins::PluginHost;
use serde_json::{Map, Value, json};

pub(super) const OPERATIONS: &[&str] = &[
    "login.begin",
    "login.resume",
    "login.unsolicited",
    "login.renew",
    "login.logout",
    "directory.sync",
];

pub(super) async fn call(
    host: &PluginHost,
    inv: Invocation,
    operation: &str,
    mut a: Arguments,
) -> Result<Result<Value, Fault>, Error> {
    let base = inv.base_url.clone();
    Ok(match operation {
        "login.begin" => {
            let start = start_in(a, &base)?;
            host.begin(inv, start).await.map(progress_out)
        }
        "login.resume" => {
            let state = a.bytes("state")?.unwrap_or_default();
            let input = input_in(&mut a)?;
            a.done()?;
            IdentityPort::resume(host, inv, state, input).await.map(progress_out)
        }
        "login.unsolicited" => {
            let input = input_in(&mut a)?;
            a.done()?;
            host.unsolicited(inv, input).await.map(session_out)
        }
        "login.renew" => {
            let tokens = a.take("tokens").unwrap_or_else(|| json!({}));
            a.done()?;
            host.renew(inv, tokens).await.map(session_out)
        }
        "login.logout" => {
            let session = session_in(a.required("session", "the session of a finished login.resume")?)?;
            let back = a.text_or("return_url", &base)?;
            a.done()?;
            let step = host.logout(inv, session, back).await;
            step.map(|s| s.map_or(Value::Null, step_out))
        }
        _ => {
            let (full, limit) = (a.flag_or("full", true)?, a.maybe_number("limit")?.unwrap_or(100));
            let cursor = a.bytes("cursor")?;
            a.done()?;
            host.sync(inv, full, cursor, u32::try_from(limit).unwrap_or(u32::MAX))
                .await
        }
    })
}

fn start_in(mut a: Arguments, base: &str) -> Result<LoginStart, Error> {
    let start = LoginStart {
        return_url: a.text_or("return_url", &format!("{base}/api/v1/auth/callback/ins_1"))?,
        user_agent: a.text_or("user_agent", "aistack plugin call")?,
        login_hint: a.maybe_text("login_hint")?,
        prompt: a.maybe_text("prompt")?,
        purpose: a.text_or("purpose", "login")?,
        extra: a.take("extra").unwrap_or_default(),
    };
    a.done()?;
    Ok(start)
}

fn input_in(a: &mut Arguments) -> Result<LoginInput, Error> {
    let wrong = || Error::Argument {
        pointer: "/input".to_owned(),
        message: "is not what came back".to_owned(),
        hint: "{ \"http\": { \"url\": \"/callback?code=…\" } }, { \"fields\": { \"name\": \"value\" } } or \"poll\""
            .to_owned(),
    };
    match a.take("input") {
        Some(Value::String(s)) if s == "poll" => Ok(LoginInput::Poll),
        Some(value @ Value::Object(_)) => {
            let mut input = Arguments::new(value)?;
            let read = if let Some(http) = input.take("http") {
                LoginInput::Http(request_in(Arguments::new(http)?)?)
            } else {
                LoginInput::Fields(input.pairs("fields")?)
            };
            input.done()?;
            Ok(read)
        }
        _ => Err(wrong()),
    }
}

fn progress_out(p: LoginProgress) -> Value {
    let mut out = Map::new();
    out.insert("step".to_owned(), step_out(p.step));
    bytes_out(&mut out, "state", &p.state);
    out.insert("expires_s".to_owned(), p.expires.as_secs().into());
    Value::Object(out)
}

fn step_out(step: LoginStep) -> Value {
    let ms = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    match step {
        LoginStep::Redirect(url) => json!({ "redirect": url }),
        LoginStep::FormPost(url, fields) => json!({ "form_post": { "url": url, "fields": fields } }),
        LoginStep::Prompt(fields) => json!({ "prompt": fields }),
        LoginStep::Qr(payload, poll) => json!({ "qr": { "payload": payload, "poll_ms": ms(poll) } }),
        LoginStep::Embed(widget, origins) => json!({ "embed": { "widget": widget, "origins": origins } }),
        LoginStep::Wait(show, poll) => json!({ "wait": { "show": show, "poll_ms": ms(poll) } }),
        LoginStep::Done(session) => json!({ "done": session_out(*session) }),
    }
}

fn session_out(s: ExternalSession) -> Value {
    let u = s.user;
    json!({
        "user": {
            "subject": u.subject, "alternate_ids": u.alternate_ids, "username": u.username, "email": u.email,
            "email_verified": u.email_verified, "phone": u.phone, "display_name": u.display_name, "avatar": u.avatar,
            "groups": u.groups, "attributes": u.attributes,
        },
        "provider_session": s.provider_session, "expires_ms": s.expires_ms, "acr": s.acr, "amr": s.amr, "tokens": s.tokens,
    })
}

fn session_in(mut a: Arguments) -> Result<ExternalSession, Error> {
    let mut u = a.object("user")?;
    let user = ExternalUser {
        subject: u.text("subject")?,
        alternate_ids: u.pairs("alternate_ids")?,
        username: u.maybe_text("username")?,
        email: u.maybe_text("email")?,
        email_verified: u.flag("email_verified")?,
        phone: u.maybe_text("phone")?,
        display_name: u.maybe_text("display_name")?,
        avatar: u.maybe_text("avatar")?,
        groups: u.maybe("groups", "a list of texts")?.unwrap_or_default(),
        attributes: u.take("attributes").unwrap_or_default(),
    };
    u.done()?;
    let session = ExternalSession {
        user,
        provider_session: a.maybe_text("provider_session")?,
        expires_ms: a.maybe_number("expires_ms")?,
        acr: a.maybe_text("acr")?,
        amr: a.maybe("amr", "a list of texts")?.unwrap_or_default(),
        tokens: a.take("tokens"),
    };
    a.done()?;
    Ok(session)
}
