//! `aistack:identity/login` and `…/directory` as the domain's `IdentityPort`.

use super::{
    bindings::identity::exports::aistack::identity::{directory, login as wit},
    common::operation,
    convert as c,
};
use crate::host::PluginHost;
use aistack_domain::plugins::port::{
    DirectoryChange, DirectoryPage, ExternalSession, ExternalUser, Fault, IdentityPort, Invocation, LoginInput,
    LoginProgress, LoginStart, LoginStep, PromptField,
};
use std::time::Duration;

fn start_out(s: LoginStart) -> wit::Start {
    wit::Start {
        return_url: s.return_url,
        user_agent: s.user_agent,
        login_hint: s.login_hint,
        prompt: s.prompt,
        purpose: s.purpose,
        extra: c::object_out(&s.extra),
    }
}

fn input_out(i: LoginInput) -> wit::Input {
    match i {
        LoginInput::Http(r) => wit::Input::Http(c::request_out(r)),
        LoginInput::Fields(f) => wit::Input::Fields(c::pairs_out(f)),
        LoginInput::Poll => wit::Input::Poll,
    }
}

fn progress_in(p: wit::Progress) -> Result<LoginProgress, Fault> {
    Ok(LoginProgress {
        step: step_in(p.step)?,
        state: p.state,
        expires: Duration::from_secs(p.expires_s.into()),
    })
}

/// An address the browser is sent to. Anything but http(s) could run script in the platform's origin.
fn url_in(url: String) -> Result<String, Fault> {
    match url::Url::parse(&url) {
        Ok(u) if matches!(u.scheme(), "https" | "http") && u.host().is_some() => Ok(url),
        _ => Err(c::bad_output("an address for the browser is not an http(s) URL")),
    }
}

fn step_in(s: wit::Step) -> Result<LoginStep, Fault> {
    Ok(match s {
        wit::Step::Redirect(url) => LoginStep::Redirect(url_in(url)?),
        wit::Step::FormPost((url, fields)) => LoginStep::FormPost(url_in(url)?, c::pairs_in(fields)),
        wit::Step::Prompt(fields) => LoginStep::Prompt(
            fields
                .into_iter()
                .map(|f| PromptField {
                    name: f.name,
                    label: f.label,
                    secret: f.secret,
                })
                .collect(),
        ),
        wit::Step::Qr((payload, ms)) => LoginStep::Qr(payload, Duration::from_millis(ms.into())),
        wit::Step::Embed((widget, origins)) => LoginStep::Embed(c::json_in(&widget, "embed")?, origins),
        wit::Step::Wait((what, ms)) => LoginStep::Wait(c::json_in(&what, "wait")?, Duration::from_millis(ms.into())),
        wit::Step::Done(session) => LoginStep::Done(Box::new(session_in(session)?)),
    })
}

/// Most groups of one person; more is a mistake in the provider's mapping, or an attack on the store.
const MAX_GROUPS: usize = 10_000;

fn user_in(u: wit::User) -> Result<ExternalUser, Fault> {
    if u.subject.is_empty() || u.subject.len() > 512 || u.subject.chars().any(char::is_control) {
        return Err(c::bad_output("a subject has 1 to 512 bytes"));
    }
    if u.groups.len() > MAX_GROUPS {
        return Err(c::bad_output("more than 10000 groups"));
    }
    Ok(ExternalUser {
        subject: u.subject,
        alternate_ids: c::pairs_in(u.alternate_ids),
        username: u.username,
        email: u.email,
        email_verified: u.email_verified,
        phone: u.phone,
        display_name: u.display_name.map(|n| crate::call::scrub(&n)),
        // A picture from elsewhere than https is dropped, not a reason to refuse the person.
        avatar: u
            .avatar
            .filter(|a| url::Url::parse(a).is_ok_and(|u| u.scheme() == "https")),
        groups: u.groups,
        attributes: c::json_in(&u.attributes, "user.attributes")?,
    })
}

/// Most changes in one page, whatever was asked for.
const MAX_CHANGES: usize = 10_000;
/// Longest cursor.
const MAX_CURSOR: usize = 64 << 10;

fn page_in(p: directory::Page) -> Result<DirectoryPage, Fault> {
    if p.changes.len() > MAX_CHANGES || p.cursor.len() > MAX_CURSOR {
        return Err(c::bad_output("a page of a directory is too large"));
    }
    let change = |one| {
        Ok(match one {
            directory::Change::User((user, enabled)) => DirectoryChange::Person(Box::new(user_in(user)?), enabled),
            directory::Change::Gone((directory::EntryKind::User, subject)) => DirectoryChange::Gone(subject),
            directory::Change::Gone((directory::EntryKind::Group, _))
            | directory::Change::Group(_)
            | directory::Change::Member(_) => DirectoryChange::Groups,
        })
    };
    Ok(DirectoryPage {
        changes: p.changes.into_iter().map(change).collect::<Result<_, Fault>>()?,
        cursor: p.cursor,
        more: p.more,
        full_snapshot_end: p.full_snapshot_end,
    })
}

pub(super) fn session_in(s: wit::Session) -> Result<ExternalSession, Fault> {
    Ok(ExternalSession {
        user: user_in(s.user)?,
        provider_session: s.provider_session,
        expires_ms: s.expires_ms,
        acr: s.acr,
        amr: s.amr,
        tokens: s.tokens.map(|t| c::json_in(&t, "session.tokens")).transpose()?,
    })
}

fn session_out(s: ExternalSession) -> wit::Session {
    let u = s.user;
    wit::Session {
        user: wit::User {
            subject: u.subject,
            alternate_ids: c::pairs_out(u.alternate_ids),
            username: u.username,
            email: u.email,
            email_verified: u.email_verified,
            phone: u.phone,
            display_name: u.display_name,
            avatar: u.avatar,
            groups: u.groups,
            attributes: c::object_out(&u.attributes),
        },
        provider_session: s.provider_session,
        expires_ms: s.expires_ms,
        acr: s.acr,
        amr: s.amr,
        tokens: s.tokens.map(|t| t.to_string()),
    }
}

operation!(pub(super) fn begin(start: wit::Start) -> LoginProgress
    = "aistack:identity/login#begin"(&start), progress_in);
operation!(pub(super) fn resume(state: Vec<u8>, input: wit::Input) -> LoginProgress
    = "aistack:identity/login#resume"(&state, &input), progress_in);
operation!(pub(super) fn unsolicited(input: wit::Input) -> ExternalSession
    = "aistack:identity/login#unsolicited"(&input), session_in);
operation!(pub(super) fn logout(session: wit::Session, return_url: String) -> Option<LoginStep>
    = "aistack:identity/login#logout"(&session, &return_url), |step: Option<wit::Step>| step.map(step_in).transpose());
operation!(pub(super) fn sync(full: bool, cursor: Option<Vec<u8>>, limit: u32) -> DirectoryPage
    = "aistack:identity/directory#sync"(full, cursor.as_deref(), limit), page_in);

#[async_trait::async_trait]
impl IdentityPort for PluginHost {
    async fn begin(&self, inv: Invocation, start: LoginStart) -> Result<LoginProgress, Fault> {
        self.run(inv, "login.begin", begin(Some((start_out(start),)))).await
    }

    async fn resume(&self, inv: Invocation, state: Vec<u8>, input: LoginInput) -> Result<LoginProgress, Fault> {
        let given = (state, input_out(input));
        self.run(inv, "login.resume", resume(Some(given))).await
    }

    async fn unsolicited(&self, inv: Invocation, input: LoginInput) -> Result<ExternalSession, Fault> {
        self.run(inv, "login.unsolicited", unsolicited(Some((input_out(input),))))
            .await
    }

    async fn logout(
        &self,
        inv: Invocation,
        session: ExternalSession,
        return_url: String,
    ) -> Result<Option<LoginStep>, Fault> {
        let given = (session_out(session), return_url);
        self.run(inv, "login.logout", logout(Some(given))).await
    }

    async fn sync(&self, inv: Invocation, cursor: Option<Vec<u8>>, limit: u32) -> Result<DirectoryPage, Fault> {
        let given = (cursor.is_none(), cursor, limit);
        self.run(inv, "directory.sync", sync(Some(given))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_sent_to_web_addresses_only() {
        assert!(url_in("https://idp.example/authorize?a=b".into()).is_ok());
        assert!(url_in("http://localhost:8080/x".into()).is_ok());
        for bad in ["javascript:alert(1)", "data:text/html,x", "/relative", "", "https://"] {
            assert!(url_in(bad.into()).is_err(), "{bad}");
        }
    }
}
