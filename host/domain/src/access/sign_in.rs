//! Signing in with a password and signing out. Plugins' sign-ins end in the same `open_session_for_user`.

use super::{
    NewSession, Person, SignedIn, Who, open_session_for_operator, open_session_for_user, operator_actor,
    password::verify_password, user_actor,
};
use crate::{
    App, Ctx, Problem, TenantCtx,
    audit::{self, Draft},
    tenancy::lifecycle::{self, Use},
};
use aistack_core::{Actor, Outcome, ProblemKind, SessionId};
use aistack_store::UserStatus;
use secrecy::SecretString;
use serde_json::json;

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedInNow {
    /// The session and its secret.
    pub new: NewSession,
    /// Who.
    pub person: Person,
}

/// The context with somebody as the actor: after a sign-in the event is theirs.
#[must_use]
pub fn acting_as(ctx: &Ctx, actor: Actor, session: SessionId) -> Ctx {
    Ctx {
        actor,
        session: Some(session),
        ..ctx.clone()
    }
}

/// The same words whoever is unknown and whatever is wrong.
fn wrong() -> Problem {
    Problem::new(ProblemKind::InvalidCredentials, "the address or the password is wrong")
}

/// Signs an operator in.
///
/// # Errors
/// `invalid_credentials`, `rate_limited`, `unavailable`.
pub async fn sign_in_operator(
    app: &App,
    ctx: &Ctx,
    email: &str,
    password: &SecretString,
) -> Result<SignedInNow, Problem> {
    let who = Who {
        realm: None,
        email: email.trim().to_lowercase(),
        ip: ctx.origin.ip,
    };
    app.access.throttle.attempt(app.clock.monotonic(), &who)?;
    let found = app
        .store
        .platform_read()
        .await?
        .operators()
        .find_by_email(&who.email)
        .await?;
    let fits = verify_password(app, password, found.as_ref().map(|o| o.password_hash.as_str())).await?;
    let mut tx = app.store.platform().await?;
    let Some(operator) = found.filter(|o| fits && o.disabled_at.is_none()) else {
        let draft = Draft::new("session.refused", "session", "password").outcome(Outcome::Denied);
        audit::commit_platform(app, tx, ctx, draft).await?;
        return Err(wrong());
    };
    let new = open_session_for_operator(app, &mut *tx, &operator, "password").await?;
    let ctx = acting_as(ctx, operator_actor(&operator), new.session.id);
    let draft = Draft::new("session.opened", "session", new.session.id).details(json!({ "method": "password" }));
    audit::commit_platform(app, tx, &ctx, draft).await?;
    app.access.throttle.succeeded(&who);
    Ok(SignedInNow {
        new,
        person: Person::Operator(operator),
    })
}

/// Signs a member in.
///
/// # Errors
/// `invalid_credentials`, `rate_limited`, `tenant_state_forbids`, `unavailable`.
pub async fn sign_in_user(
    app: &App,
    t: &TenantCtx,
    email: &str,
    password: &SecretString,
) -> Result<SignedInNow, Problem> {
    lifecycle::check(&t.tenant, Use::SignIn, false)?;
    let who = Who {
        realm: Some(t.tenant.id),
        email: email.trim().to_lowercase(),
        ip: t.ctx.origin.ip,
    };
    app.access.throttle.attempt(app.clock.monotonic(), &who)?;
    let found = app
        .store
        .tenant_read(&t.scope)
        .await?
        .users()
        .find_by_email(&who.email)
        .await?;
    let fits = verify_password(app, password, found.as_ref().and_then(|u| u.password_hash.as_deref())).await?;
    let mut tx = app.store.tenant(&t.scope).await?;
    let target = found.as_ref().map(|u| u.id.to_string());
    let Some(user) = found.filter(|u| fits && u.status == UserStatus::Active) else {
        let draft = Draft::new("session.refused", "session", "password")
            .outcome(Outcome::Denied)
            .details(json!({ "method": "password", "user": target }));
        audit::commit_tenant(app, tx, t, draft).await?;
        return Err(wrong());
    };
    let new = open_session_for_user(app, &mut *tx, &t.tenant, &user, "password").await?;
    let mut theirs = t.clone();
    theirs.ctx = acting_as(&t.ctx, user_actor(&user), new.session.id);
    let draft = Draft::new("session.opened", "session", new.session.id).details(json!({ "method": "password" }));
    audit::commit_tenant(app, tx, &theirs, draft).await?;
    app.access.throttle.succeeded(&who);
    Ok(SignedInNow {
        new,
        person: Person::User(user),
    })
}

/// Ends the caller's own session; ending one that is over changes nothing.
///
/// # Errors
/// As the store.
pub async fn sign_out(app: &App, ctx: &Ctx, tenant: Option<&TenantCtx>, who: &SignedIn) -> Result<(), Problem> {
    let draft = Draft::new("session.closed", "session", who.session.id);
    let now = app.clock.now();
    match (&who.person, tenant) {
        (Person::Operator(_), _) => {
            let mut tx = app.store.platform().await?;
            if tx.operators().revoke_session(&who.session.id_hash, now).await? {
                audit::commit_platform(app, tx, ctx, draft).await?;
            }
        }
        (Person::User(_), Some(t)) => {
            let mut tx = app.store.tenant(&t.scope).await?;
            if tx.users().revoke_session(&who.session.id_hash, now).await? {
                audit::commit_tenant(app, tx, t, draft).await?;
            }
        }
        (Person::User(_), None) => return Err(Problem::internal("a member's session outside a tenant")),
    }
    Ok(())
}
