//! The first start: a one-time token, and the first operator made with it.
//!
//! Invariants: there is a valid token only while there is no operator; the token is stored as a hash and is good for
//! half an hour; two people with the same link make one operator.

use crate::{
    App, Ctx, Problem,
    access::{self, NewSession, Secret, acting_as, operator_actor},
    audit::{self, Draft},
    validate::Checks,
};
use aistack_core::{OperatorId, OperatorRole, ProblemKind, Timestamp};
use aistack_store::{Audit, Operator};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long a token is good.
pub const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);
const SETTING: &str = "setup-token";

#[derive(Serialize, Deserialize)]
struct Stored {
    hash: String,
    expires_at: Timestamp,
}

/// Makes a new token while there is no operator, replacing the one of an earlier start; `None` when set-up is done.
///
/// # Errors
/// As the store.
pub async fn new_token(app: &App) -> Result<Option<Secret>, Problem> {
    let mut tx = app.store.platform().await?;
    if tx.operators().count().await? > 0 {
        return Ok(None);
    }
    let secret = Secret::generate(&*app.rng);
    let now = app.clock.now();
    let stored = Stored {
        hash: hex::encode(secret.hash()),
        expires_at: now.plus(TOKEN_LIFE),
    };
    let bytes = serde_json::to_vec(&stored).map_err(|e| Problem::internal(e.to_string()))?;
    tx.settings().put(SETTING, &bytes, now).await?;
    let draft =
        Draft::new("setup_token.created", "setup_token", "setup").details(json!({ "expires_at": stored.expires_at }));
    audit::commit_platform(app, tx, &Ctx::system(None), draft).await?;
    Ok(Some(secret))
}

/// What the first operator types.
#[derive(Debug)]
pub struct FirstOperator {
    /// The token of the link.
    pub token: Secret,
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Password.
    pub password: SecretString,
}

/// Makes the first operator and signs them in.
///
/// # Errors
/// `setup_done`, `setup_token_invalid`, `validation_failed`.
pub async fn set_up(app: &App, ctx: &Ctx, first: FirstOperator) -> Result<(Operator, NewSession), Problem> {
    // Before any work: a wrong token costs nothing and tells nothing about the other values.
    {
        let mut read = app.store.platform_read().await?;
        if read.operators().count().await? > 0 {
            return Err(done());
        }
        let stored = read.settings().get(SETTING).await?;
        check_token(app, stored.as_deref(), &first.token)?;
    }
    let mut checks = Checks::new();
    let email = checks.email("/email", &first.email);
    let name = checks.name("/name", &first.name);
    checks.add(access::check_policy("/password", &first.password));
    checks.done()?;
    let password_hash = access::hash_password(app, &first.password).await?;

    let mut tx = app.store.platform().await?;
    let stored = tx.settings().get(SETTING).await?;
    check_token(app, stored.as_deref(), &first.token)?;
    // Removing the token decides who was first when two requests are here at once.
    if tx.operators().count().await? > 0 || !tx.settings().remove(SETTING).await? {
        return Err(done());
    }
    let operator = Operator {
        id: OperatorId::new(&*app.clock, &*app.rng),
        email,
        name,
        password_hash,
        role: OperatorRole::Operator,
        created_at: app.clock.now(),
        disabled_at: None,
    };
    tx.operators().insert(&operator).await?;
    let new = access::open_session_for_operator(app, &mut *tx, &operator, "password").await?;
    let ctx = acting_as(ctx, operator_actor(&operator), new.session.id);
    let made = Draft::new("operator.created", "operator", operator.id)
        .details(json!({ "role": operator.role, "by": "setup" }));
    let opened = Draft::new("session.opened", "session", new.session.id).details(json!({ "method": "setup" }));
    let entries = vec![
        audit::for_platform(app, &ctx, made),
        audit::for_platform(app, &ctx, opened),
    ];
    let entries = Audit::many(entries).ok_or_else(|| Problem::internal("no audit entries"))?;
    tx.commit(entries).await?;
    Ok((operator, new))
}

fn done() -> Problem {
    Problem::new(ProblemKind::SetupDone, "there is an operator already; sign in")
}

fn check_token(app: &App, stored: Option<&[u8]>, token: &Secret) -> Result<(), Problem> {
    let invalid = || {
        Problem::new(
            ProblemKind::SetupTokenInvalid,
            "the set-up link is wrong, used or older than half an hour; restart the server for a new one",
        )
    };
    let stored = stored.ok_or_else(invalid)?;
    let stored: Stored = serde_json::from_slice(stored).map_err(|e| Problem::internal(e.to_string()))?;
    let fits = access::equal(stored.hash.as_bytes(), hex::encode(token.hash()).as_bytes());
    if fits && app.clock.now() < stored.expires_at {
        Ok(())
    } else {
        Err(invalid())
    }
}
