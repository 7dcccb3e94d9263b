//! A finished sign-in: whose account it is, whether one is made, and the session, all in one transaction.

use super::{LoginError, external::Claimed, policy::Policy};
use crate::{
    App, Problem, TenantCtx,
    access::{self, NewSession},
    audit,
    plugins::{calls::Loaded, port::ExternalSession},
    quota,
};
use aistack_core::{AuditEntry, InstallationId, Outcome, Role, Timestamp, UserId};
use aistack_store::{Audit, Identity, StoreError, TenantTx, User, UserStatus};
use serde_json::{Value, json};

/// Who signed in, with the session.
#[derive(Debug)]
pub struct SignedInAs {
    /// The member.
    pub user: User,
    /// The session.
    pub session: NewSession,
    /// Whether the account was made just now.
    pub provisioned: bool,
}

/// Ends a sign-in.
pub(super) async fn complete(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    external: &ExternalSession,
) -> Result<SignedInAs, Problem> {
    let id = loaded.installation.id;
    let claimed = match Claimed::read(id, external) {
        Ok(claimed) => claimed,
        Err(e) => return Err(reject(app, t, id, e).await),
    };
    let policy = Policy::read(&loaded.host_config);
    // Two first sign-ins of one person at the same time: the second finds the first one's account when it tries again.
    match attempt(app, t, loaded, &claimed, &policy).await {
        Err(Ended::Store(StoreError::AlreadyExists | StoreError::Conflict)) => {
            finish(app, t, id, attempt(app, t, loaded, &claimed, &policy).await).await
        }
        other => finish(app, t, id, other).await,
    }
}

/// How an attempt ended when it did not end well.
enum Ended {
    Rule(LoginError),
    Store(StoreError),
    Other(Problem),
}
impl From<LoginError> for Ended {
    fn from(e: LoginError) -> Self {
        Self::Rule(e)
    }
}
impl From<StoreError> for Ended {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}
impl From<Problem> for Ended {
    fn from(e: Problem) -> Self {
        Self::Other(e)
    }
}

async fn finish(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    result: Result<SignedInAs, Ended>,
) -> Result<SignedInAs, Problem> {
    match result {
        Ok(done) => Ok(done),
        Err(Ended::Rule(e)) => Err(reject(app, t, id, e).await),
        Err(Ended::Store(e)) => Err(e.into()),
        Err(Ended::Other(p)) => Err(p),
    }
}

async fn attempt(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    claimed: &Claimed,
    policy: &Policy,
) -> Result<SignedInAs, Ended> {
    let id = loaded.installation.id;
    if !policy.domain_allowed(claimed.email.as_deref()) {
        return Err(LoginError::DomainNotAllowed.into());
    }
    let mut tx = app.store.tenant(&t.scope).await?;
    let mut entries = Vec::new();
    let known = tx.users().find_identity(id, &claimed.issuer, &claimed.subject).await?;
    let (mut user, provisioned) = match known {
        Some(identity) => {
            let user = tx.users().get(identity.user_id).await?;
            let user =
                user.ok_or_else(|| Problem::internal(format!("identity of {} has no user", identity.user_id)))?;
            (user, false)
        }
        None => attach(app, &mut *tx, t, loaded, claimed, policy, &mut entries).await?,
    };
    if user.status != UserStatus::Active {
        return Err(LoginError::UserDisabled.into());
    }
    if !provisioned && let Some(entry) = follow_groups(app, &mut *tx, t, &mut user, claimed, policy).await? {
        entries.push(entry);
    }
    let method = format!("connection:{id}");
    let session = access::open_session_for_user(app, &mut *tx, &t.tenant, &user, &method).await?;
    user.last_login_at = Some(session.session.created_at);
    let mut as_user = t.clone();
    as_user.ctx.actor = access::user_actor(&user);
    as_user.ctx.session = Some(session.session.id);
    let draft = audit::Draft::new("session.opened", "session", session.session.id)
        .details(json!({ "method": method, "user": user.id, "amr": claimed.amr }));
    entries.push(audit::for_tenant(app, &mut *tx, &as_user, draft).await?);
    let audit = Audit::many(entries).ok_or_else(|| Problem::internal("a sign-in without events"))?;
    tx.commit(audit).await?;
    Ok(SignedInAs {
        user,
        session,
        provisioned,
    })
}

/// An identity seen for the first time: linked to an account that is there, or to a new one.
async fn attach(
    app: &App,
    tx: &mut dyn TenantTx,
    t: &TenantCtx,
    loaded: &Loaded,
    claimed: &Claimed,
    policy: &Policy,
    entries: &mut Vec<AuditEntry>,
) -> Result<(User, bool), Ended> {
    let id = loaded.installation.id;
    let now = app.clock.now();
    let email = claimed.account_email(id);
    let (user, provisioned) = match tx.users().find_by_email(&email).await? {
        Some(existing) => {
            let may_link = policy.link_verified_email && claimed.email_verified && existing.email_verified_at.is_some();
            if !may_link {
                return Err(LoginError::AccountExists.into());
            }
            if existing.status != UserStatus::Active {
                return Err(LoginError::UserDisabled.into());
            }
            (existing, false)
        }
        None if !policy.create => return Err(LoginError::NotProvisioned.into()),
        None => (new_user(app, claimed, policy, email, now), true),
    };
    // The person acts on their own account from the first event on, so that its personal fields are under their key.
    let mut as_user = t.clone();
    as_user.ctx.actor = access::user_actor(&user);
    if provisioned {
        quota::ensure_users(tx, &t.tenant, 1)
            .await
            .map_err(|e| e.into_problem(&quota::upgrade_url(app, &t.tenant.slug)))?;
        tx.users().insert(&user).await?;
        let draft = audit::Draft::new("user.provisioned", "user", user.id).details(
            json!({ "connection": id, "role": user.role, "email_verified": user.email_verified_at.is_some() }),
        );
        entries.push(audit::for_tenant(app, tx, &as_user, draft).await?);
    }
    let identity = Identity {
        installation_id: id,
        issuer: claimed.issuer.clone(),
        subject: claimed.subject.clone(),
        user_id: user.id,
        created_at: now,
    };
    tx.users().insert_identity(&identity).await?;
    let how = if provisioned { "provisioned" } else { "verified_email" };
    let draft = audit::Draft::new("identity.linked", "user", user.id)
        .details(json!({ "connection": id, "issuer": claimed.issuer, "how": how }));
    entries.push(audit::for_tenant(app, tx, &as_user, draft).await?);
    Ok((user, provisioned))
}

fn new_user(app: &App, claimed: &Claimed, policy: &Policy, email: String, now: Timestamp) -> User {
    User {
        id: UserId::new(&*app.clock, &*app.rng),
        email,
        email_verified_at: claimed.email_verified.then_some(now),
        name: claimed.name.clone(),
        role: policy.role_for(&claimed.groups),
        status: UserStatus::Active,
        password_hash: None,
        locale: None,
        created_at: now,
        updated_at: now,
        last_login_at: None,
    }
}

/// Keeps the role in step with the provider's groups, where groups are mapped. No groups in the answer says nothing
/// about the role (the provider may have left them out); an owner's role is never touched.
async fn follow_groups(
    app: &App,
    tx: &mut dyn TenantTx,
    t: &TenantCtx,
    user: &mut User,
    claimed: &Claimed,
    policy: &Policy,
) -> Result<Option<AuditEntry>, Ended> {
    if policy.group_roles.is_empty() || claimed.groups.is_empty() || user.role == Role::Owner {
        return Ok(None);
    }
    let role = policy.role_for(&claimed.groups);
    if role == user.role {
        return Ok(None);
    }
    let before = user.role;
    user.role = role;
    user.updated_at = app.clock.now();
    tx.users().update(user).await?;
    let mut as_user = t.clone();
    as_user.ctx.actor = access::user_actor(user);
    let draft = audit::Draft::new("user.role_changed", "user", user.id)
        .details(json!({ "before": before, "after": role, "reason": "groups at the provider" }));
    Ok(Some(audit::for_tenant(app, tx, &as_user, draft).await?))
}

async fn reject(app: &App, t: &TenantCtx, id: InstallationId, e: LoginError) -> Problem {
    record_refusal(app, t, id, e.code(), e.outcome(), Value::Null).await;
    e.into()
}

/// Puts a sign-in that came to nothing on record. That it can't be recorded must not turn a refusal into something
/// else, so a failure is logged.
pub(super) async fn record_refusal(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    code: &str,
    outcome: Outcome,
    details: Value,
) {
    let written = async {
        let mut tx = app.store.tenant(&t.scope).await?;
        let draft = audit::Draft::new("login.refused", "installation", id)
            .outcome(outcome)
            .details(json!({ "code": code, "more": details }));
        let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
        tx.commit(Audit::one(entry)).await?;
        Ok::<(), Problem>(())
    }
    .await;
    if let Err(e) = written {
        tracing::error!(error = %e, code, "a refused sign-in could not be recorded");
    }
}
