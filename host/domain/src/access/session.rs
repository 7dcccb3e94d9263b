//! Sessions of operators and members: opened after a sign-in, found by the cookie's secret, ended by sign-out, by
//! being idle, by age, or with the person's account.

use super::Secret;
use crate::{App, Problem, tenancy};
use aistack_core::{Actor, ActorKind, OperatorId, Permission, ProblemKind, SessionId, TenantScope, Timestamp, UserId};
use aistack_store::{Operator, PlatformTx, Session, Tenant, TenantTx, User, UserStatus};
use std::{sync::Arc, time::Duration};

/// A session that nobody used for so long is over.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// A session is over so long after sign-in, used or not.
pub const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Use is recorded at most this often.
const TOUCH: Duration = Duration::from_secs(60);

/// A session just opened, with the only copy of its secret.
#[derive(Debug)]
pub struct NewSession {
    /// For the cookie.
    pub secret: Secret,
    /// As stored.
    pub session: Session,
}

/// Who signed in.
#[derive(Debug, Clone)]
pub enum Person {
    /// Somebody who runs the platform.
    Operator(Operator),
    /// Somebody inside the tenant.
    User(User),
}

/// What they showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A cookie, which browsers send by themselves: changes need the CSRF token too.
    Cookie,
    /// An access token in the Authorization header.
    Bearer,
}

/// A person with a session in force.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The session.
    pub session: Session,
    /// How it was shown.
    pub credential: Credential,
}

impl SignedIn {
    /// Id, address, name and role text.
    #[must_use]
    pub fn profile(&self) -> (String, &str, &str, &'static str) {
        match &self.person {
            Person::Operator(o) => (o.id.to_string(), &o.email, &o.name, o.role.as_str()),
            Person::User(u) => (u.id.to_string(), &u.email, &u.name, u.role.as_str()),
        }
    }
    /// Whether an operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        matches!(self.person, Person::Operator(_))
    }
    /// What they may do, by role.
    #[must_use]
    pub fn permissions(&self) -> Arc<[Permission]> {
        let may = |p: &Permission| match &self.person {
            Person::Operator(o) => o.role.allows(*p),
            Person::User(u) => u.role.allows(*p),
        };
        Permission::ALL.iter().copied().filter(may).collect()
    }
    /// As the audit log names them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.person {
            Person::Operator(o) => operator_actor(o),
            Person::User(u) => user_actor(u),
        }
    }
}

/// An operator as the audit log names them.
#[must_use]
pub fn operator_actor(o: &Operator) -> Actor {
    Actor {
        kind: ActorKind::Operator,
        id: Some(o.id.0),
        label: format!("{} <{}>", o.name, o.email),
    }
}

/// A member as the audit log names them.
#[must_use]
pub fn user_actor(u: &User) -> Actor {
    Actor {
        kind: ActorKind::User,
        id: Some(u.id.0),
        label: format!("{} <{}>", u.name, u.email),
    }
}

fn fresh(app: &App, person: uuid::Uuid, method: &str) -> NewSession {
    let secret = Secret::generate(&*app.rng);
    let now = app.clock.now();
    let session = Session {
        id: SessionId::new(&*app.clock, &*app.rng),
        id_hash: secret.hash(),
        person,
        csrf_token: Secret::generate(&*app.rng).expose().to_owned(),
        method: method.to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(LIFETIME),
        revoked_at: None,
    };
    NewSession { secret, session }
}

/// Opens a session for an operator inside the caller's transaction; the caller commits it with a `session.opened` event.
///
/// # Errors
/// `login_refused` when the account is disabled, or as the store.
pub async fn open_session_for_operator(
    app: &App,
    tx: &mut dyn PlatformTx,
    operator: &Operator,
    method: &str,
) -> Result<NewSession, Problem> {
    if operator.disabled_at.is_some() {
        return Err(Problem::new(ProblemKind::LoginRefused, "this account is disabled"));
    }
    let new = fresh(app, operator.id.0, method);
    tx.operators().insert_session(&new.session).await?;
    Ok(new)
}

/// Opens a session for a member inside the caller's transaction, after whatever proved who they are. `method` is
/// `password` or `connection:<installation id>`. The caller commits it with a `session.opened` event.
///
/// # Errors
/// `login_refused` when the account is disabled, `tenant_state_forbids`, or as the store.
pub async fn open_session_for_user(
    app: &App,
    tx: &mut dyn TenantTx,
    tenant: &Tenant,
    user: &User,
    method: &str,
) -> Result<NewSession, Problem> {
    tenancy::lifecycle::check(tenant, tenancy::lifecycle::Use::SignIn, false)?;
    if user.status != UserStatus::Active {
        return Err(Problem::new(ProblemKind::LoginRefused, "this account is disabled"));
    }
    let new = fresh(app, user.id.0, method);
    tx.users().insert_session(&new.session).await?;
    let signed_in = User {
        last_login_at: Some(new.session.created_at),
        ..user.clone()
    };
    tx.users().update(&signed_in).await?;
    Ok(new)
}

/// Whether a session is in force.
fn in_force(session: &Session, now: Timestamp) -> bool {
    session.revoked_at.is_none() && now < session.expires_at && now.since(session.last_seen_at) < IDLE
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::Unauthenticated, "sign in first")
}
fn over() -> Problem {
    Problem::new(ProblemKind::SessionExpired, "the session is over; sign in again")
}

/// The operator behind a session hash.
///
/// # Errors
/// `unauthenticated` for an unknown session, `session_expired` for one that is over, or as the store.
pub async fn find_operator_session(app: &App, hash: &[u8], credential: Credential) -> Result<SignedIn, Problem> {
    let now = app.clock.now();
    let (session, operator) = {
        let mut read = app.store.platform_read().await?;
        let session = read.operators().find_session(hash).await?.ok_or_else(unknown)?;
        let operator = read.operators().get(OperatorId(session.person)).await?;
        (session, operator.ok_or_else(over)?)
    };
    if !in_force(&session, now) || operator.disabled_at.is_some() {
        return Err(over());
    }
    if now.since(session.last_seen_at) >= TOUCH {
        let mut machine = app.store.platform_machine().await?;
        machine.touch_operator_session(&session.id_hash, now).await?;
        machine.commit().await?;
    }
    Ok(SignedIn {
        person: Person::Operator(operator),
        session,
        credential,
    })
}

/// The member behind a session hash.
///
/// # Errors
/// As [`find_operator_session`].
pub async fn find_user_session(
    app: &App,
    scope: &TenantScope,
    hash: &[u8],
    credential: Credential,
) -> Result<SignedIn, Problem> {
    let now = app.clock.now();
    let (session, user) = {
        let mut read = app.store.tenant_read(scope).await?;
        let session = read.users().find_session(hash).await?.ok_or_else(unknown)?;
        let user = read.users().get(UserId(session.person)).await?;
        (session, user.ok_or_else(over)?)
    };
    if !in_force(&session, now) || user.status != UserStatus::Active {
        return Err(over());
    }
    if now.since(session.last_seen_at) >= TOUCH {
        let mut machine = app.store.tenant_machine(scope).await?;
        machine.machinery().touch_session(&session.id_hash, now).await?;
        machine.commit().await?;
    }
    Ok(SignedIn {
        person: Person::User(user),
        session,
        credential,
    })
}
