//! The people of a tenant: adding, changing, disabling and removing them.
//!
//! Rules: nobody changes somebody of equal or higher rank, or gives a role above their own; only owners and operators
//! make owners; the last active owner stays one.

use crate::{
    App, Problem, TenantCtx, access,
    audit::{self, Draft},
    quota,
    validate::Checks,
};
use aistack_core::{ActorKind, ProblemKind, Role, UserId};
use aistack_store::{Identity, Page, StoreError, TenantTx, User, UserStatus};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Password; without one they sign in through a connection.
    pub password: Option<SecretString>,
}

/// A change of a member; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// Name.
    pub name: Option<String>,
    /// Role.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub status: Option<UserStatus>,
    /// New password; ends all sessions.
    pub password: Option<SecretString>,
}

/// A member with their identities at providers.
#[derive(Debug, Clone)]
pub struct Member {
    /// The member.
    pub user: User,
    /// Where else they are known.
    pub identities: Vec<Identity>,
}

/// A page of members.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, t: &TenantCtx, page: &Page) -> Result<Vec<Member>, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let users = read.users().list(page).await?;
    let mut members = Vec::with_capacity(users.len());
    for user in users {
        let identities = read.users().identities(user.id).await?;
        members.push(Member { user, identities });
    }
    Ok(members)
}

/// One member.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, t: &TenantCtx, id: UserId) -> Result<Member, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let user = read.users().get(id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let identities = read.users().identities(id).await?;
    Ok(Member { user, identities })
}

/// Who is changing others, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    /// An operator, or the platform itself.
    Above,
    /// A member.
    Member(UserId, Role),
}

async fn hand(tx: &mut dyn TenantTx, t: &TenantCtx) -> Result<Hand, Problem> {
    match (t.ctx.actor.kind, t.ctx.actor.id) {
        (ActorKind::Operator | ActorKind::System, _) => Ok(Hand::Above),
        (ActorKind::User, Some(id)) => {
            let me = tx.users().get(UserId(id)).await?;
            let me = me.ok_or_else(|| Problem::new(ProblemKind::SessionExpired, "your account is gone"))?;
            Ok(Hand::Member(me.id, me.role))
        }
        _ => Err(Problem::new(
            ProblemKind::PermissionDenied,
            "only members and operators change members",
        )),
    }
}

impl Hand {
    /// Whether a role is within what this hand may give.
    fn may_give(self, role: Role) -> bool {
        match self {
            Self::Above => true,
            Self::Member(_, Role::Owner) => true,
            Self::Member(_, mine) => role.rank() < mine.rank(),
        }
    }
    /// Whether this hand may change somebody.
    fn may_change(self, other: &User) -> bool {
        match self {
            Self::Above => true,
            Self::Member(me, mine) => me == other.id || other.role.rank() < mine.rank(),
        }
    }
    fn is(self, other: &User) -> bool {
        matches!(self, Self::Member(me, _) if me == other.id)
    }
}

fn denied(detail: &str) -> Problem {
    Problem::new(ProblemKind::PermissionDenied, detail)
}

/// Adds a member.
///
/// # Errors
/// `validation_failed`, `permission_denied`, `already_exists`, `quota_exceeded`.
pub async fn create(app: &App, t: &TenantCtx, new: NewUser) -> Result<Member, Problem> {
    let mut checks = Checks::new();
    let email = checks.email("/email", &new.email);
    let name = checks.name("/name", &new.name);
    checks.add(new.password.as_ref().and_then(|p| access::check_policy("/password", p)));
    checks.done()?;
    let password_hash = match &new.password {
        Some(password) => Some(access::hash_password(app, password).await?),
        None => None,
    };
    let now = app.clock.now();
    let user = User {
        id: UserId::new(&*app.clock, &*app.rng),
        email,
        email_verified_at: None,
        name,
        role: new.role,
        status: UserStatus::Active,
        password_hash,
        locale: None,
        created_at: now,
        updated_at: now,
        last_login_at: None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    if !hand(&mut *tx, t).await?.may_give(user.role) {
        return Err(denied("you can't give a role that is not below your own"));
    }
    quota::ensure_users(&mut *tx, &t.tenant, 1)
        .await
        .map_err(|e| e.into_problem(&quota::upgrade_url(app, &t.tenant.slug)))?;
    tx.users().insert(&user).await.map_err(|e| match e {
        StoreError::AlreadyExists => {
            Problem::new(ProblemKind::AlreadyExists, "somebody has this e-mail address already")
        }
        e => e.into(),
    })?;
    let draft = Draft::new("user.created", "user", user.id)
        .details(json!({ "role": user.role, "password": user.password_hash.is_some() }));
    audit::commit_tenant(app, tx, t, draft).await?;
    Ok(Member {
        user,
        identities: Vec::new(),
    })
}

/// Changes a member.
///
/// # Errors
/// `validation_failed`, `not_found`, `permission_denied`, `conflict` for the last owner.
pub async fn update(app: &App, t: &TenantCtx, id: UserId, patch: UserPatch) -> Result<Member, Problem> {
    let mut checks = Checks::new();
    let name = patch.name.as_ref().map(|n| checks.name("/name", n));
    checks.add(
        patch
            .password
            .as_ref()
            .and_then(|p| access::check_policy("/password", p)),
    );
    checks.done()?;
    let password_hash = match &patch.password {
        Some(password) => Some(access::hash_password(app, password).await?),
        None => None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    let old = tx.users().get(id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let hand = hand(&mut *tx, t).await?;
    if !hand.may_change(&old) {
        return Err(denied("you can't change somebody whose role is not below your own"));
    }
    let mut new = old.clone();
    new.name = name.unwrap_or(new.name);
    new.role = patch.role.unwrap_or(new.role);
    new.status = patch.status.unwrap_or(new.status);
    if new.role != old.role && !hand.may_give(new.role) {
        return Err(denied("you can't give a role that is not below your own"));
    }
    if new.status == UserStatus::Disabled && hand.is(&old) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "you can't disable yourself; ask another administrator",
        ));
    }
    if new.status == UserStatus::Active && old.status == UserStatus::Disabled {
        quota::ensure_users(&mut *tx, &t.tenant, 1)
            .await
            .map_err(|e| e.into_problem(&quota::upgrade_url(app, &t.tenant.slug)))?;
    }
    let changes = differences(&old, &new, password_hash.is_some());
    if !changes.is_empty() {
        keep_an_owner(&mut *tx, &old, Some(&new)).await?;
        new.updated_at = app.clock.now();
        new.password_hash = password_hash.or(new.password_hash);
        tx.users().update(&new).await?;
        let ends = new.status == UserStatus::Disabled || patch.password.is_some();
        if ends {
            tx.users().revoke_sessions_of(id, new.updated_at).await?;
        }
        let draft = Draft::new("user.updated", "user", id).details(Value::Object(changes));
        audit::commit_tenant(app, tx, t, draft).await?;
    }
    get(app, t, id).await
}

/// What changed. A name is personal: the log says that it changed, not from what to what.
fn differences(old: &User, new: &User, password: bool) -> Map<String, Value> {
    let mut changes = Map::new();
    if old.name != new.name {
        changes.insert("name".to_owned(), json!("changed"));
    }
    if old.role != new.role {
        changes.insert("role".to_owned(), json!({ "from": old.role, "to": new.role }));
    }
    if old.status != new.status {
        changes.insert("status".to_owned(), json!({ "from": old.status, "to": new.status }));
    }
    if password {
        changes.insert("password".to_owned(), json!("changed"));
    }
    changes
}

/// Removes a member with their identities and sessions.
///
/// # Errors
/// `not_found`, `permission_denied`, `conflict` for oneself and for the last owner.
pub async fn delete(app: &App, t: &TenantCtx, id: UserId) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let user = tx.users().get(id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let hand = hand(&mut *tx, t).await?;
    if hand.is(&user) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "you can't remove yourself; ask another administrator",
        ));
    }
    if !hand.may_change(&user) {
        return Err(denied("you can't remove somebody whose role is not below your own"));
    }
    keep_an_owner(&mut *tx, &user, None).await?;
    tx.users().delete(id).await?;
    let draft = Draft::new("user.deleted", "user", id).details(json!({ "role": user.role }));
    audit::commit_tenant(app, tx, t, draft).await
}

/// Refuses a change after which the tenant would have no active owner.
async fn keep_an_owner(tx: &mut dyn TenantTx, old: &User, new: Option<&User>) -> Result<(), Problem> {
    let owns = |u: &User| u.role == Role::Owner && u.status == UserStatus::Active;
    if owns(old) && !new.is_some_and(owns) && tx.users().count_owners().await? <= 1 {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "this is the last active owner; make somebody else an owner first",
        ));
    }
    Ok(())
}
