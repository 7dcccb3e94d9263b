//! Members whom the provider's directory no longer knows lose their access here.
//!
//! The whole directory is read first, within bounds on pages, people and time, and a cursor that comes twice ends it: a
//! plugin can't keep the platform reading for ever. Only a snapshot that says it is complete lets anybody be taken for
//! gone, and when that would be more than a tenth of the connection's members nothing happens until somebody says that it
//! is meant: a directory that comes back empty by mistake must not lock everybody out. Nobody gets access by it, and
//! owners never lose it.

use super::{complete::record_refusal, external::Claimed};
use crate::{
    App, Problem, TenantCtx, audit,
    plugins::{
        calls,
        error::{Doing, fault_problem},
        manifest::CallClass,
        port::{DirectoryChange, ExternalSession, PluginKind},
    },
};
use aistack_core::{InstallationId, Outcome, ProblemKind, Role};
use aistack_store::{Audit, Page, StoreError, User, UserStatus};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Changes asked for at a time.
const AT_A_TIME: u32 = 500;
/// Most pages of one directory.
const MAX_PAGES: usize = 10_000;
/// Most people of one directory.
const MAX_PEOPLE: usize = 100_000;
/// Longest time for all of it.
const LONGEST: Duration = Duration::from_secs(120);
/// Of so many members one may be gone without anybody being asked.
const BRAKE: usize = 10;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// Pages that were read.
    pub pages: usize,
    /// People who are enabled in the directory.
    pub people: usize,
    /// Whether it was all of it; otherwise nobody is taken for gone.
    pub complete: bool,
    /// Active members of this connection before.
    pub members: usize,
    /// Members who lost their access.
    pub disabled: usize,
}

/// (issuer, subject), as identities are known by.
type Key = (String, String);

/// What was read.
struct Snapshot {
    /// Issuers by subject: a person who is gone is named by the subject alone.
    enabled: HashMap<String, HashSet<String>>,
    pages: usize,
    complete: bool,
}

impl Snapshot {
    fn has(&self, (issuer, subject): &Key) -> bool {
        self.enabled
            .get(subject)
            .is_some_and(|issuers| issuers.contains(issuer))
    }
}

/// Reads a connection's directory, and takes their access from members who are not in it any more. `confirm` says that
/// more than a tenth of them is meant.
///
/// # Errors
/// `not_found`, `plugin_failed` (with the code in `fault` when the directory has no end or goes in circles),
/// `plugin_unavailable`, `conflict` with the reason `deletion_brake`, or as the stores.
pub async fn sync(app: &App, t: &TenantCtx, id: InstallationId, confirm: bool) -> Result<Synced, Problem> {
    let snapshot = match read(app, t, id).await {
        Ok(snapshot) => snapshot,
        Err(problem) => {
            let code = problem
                .extras
                .get("fault")
                .and_then(|f| f.as_str())
                .unwrap_or_default()
                .to_owned();
            record_refusal(app, t, id, &code, Outcome::Failed, json!({ "of": "directory" })).await;
            return Err(problem);
        }
    };
    let members = members(app, t, id).await?;
    let gone: Vec<&User> = members
        .iter()
        .filter(|(user, keys)| user.role != Role::Owner && !keys.iter().any(|k| snapshot.has(k)))
        .map(|(user, _)| user)
        .filter(|_| snapshot.complete)
        .collect();
    if gone.len() * BRAKE > members.len() && !confirm {
        let more = json!({ "of": "directory", "members": members.len(), "gone": gone.len() });
        record_refusal(app, t, id, "deletion_brake", Outcome::Denied, more).await;
        let text = format!(
            "{} of {} members are not in the directory any more; nothing was changed",
            gone.len(),
            members.len()
        );
        return Err(Problem::new(ProblemKind::Conflict, text)
            .with("reason", "deletion_brake")
            .with("members", members.len())
            .with("gone", gone.len())
            .hint("look at the directory; if it is right, repeat the request with `confirm: true`"));
    }
    let found = Synced {
        pages: snapshot.pages,
        people: snapshot.enabled.values().map(HashSet::len).sum(),
        complete: snapshot.complete,
        members: members.len(),
        disabled: 0,
    };
    disable(app, t, id, &gone, found).await
}

async fn read(app: &App, t: &TenantCtx, id: InstallationId) -> Result<Snapshot, Problem> {
    let endless = |code: &str, text: &str| Problem::new(ProblemKind::PluginFailed, text).with("fault", code);
    let loaded = calls::load(app, t, id, Some(PluginKind::Identity)).await?;
    let began = app.clock.monotonic();
    let mut snapshot = Snapshot {
        enabled: HashMap::new(),
        pages: 0,
        complete: false,
    };
    let mut cursor = None;
    let mut seen = HashSet::new();
    loop {
        let inv = calls::invocation(app, t, &loaded, CallClass::Ordinary, json!({}));
        let page = app.runtime.identity().sync(inv, cursor.take(), AT_A_TIME).await;
        let page = page.map_err(|f| fault_problem(&f, Doing::Other))?;
        snapshot.pages += 1;
        for change in page.changes {
            match change {
                DirectoryChange::Person(user, enabled) => {
                    let session = ExternalSession {
                        user: *user,
                        provider_session: None,
                        expires_ms: None,
                        acr: None,
                        amr: Vec::new(),
                        tokens: None,
                    };
                    let who = Claimed::read(id, &session).map_err(Problem::from)?;
                    if enabled {
                        snapshot.enabled.entry(who.subject).or_default().insert(who.issuer);
                    } else if let Some(issuers) = snapshot.enabled.get_mut(&who.subject) {
                        issuers.remove(&who.issuer);
                    }
                }
                DirectoryChange::Gone(subject) => {
                    snapshot.enabled.remove(&subject);
                }
                DirectoryChange::Groups => {}
            }
        }
        if snapshot.enabled.len() > MAX_PEOPLE {
            return Err(endless(
                "directory_too_large",
                "the directory has more people than can be read",
            ));
        }
        if page.full_snapshot_end || !page.more {
            snapshot.complete = page.full_snapshot_end;
            return Ok(snapshot);
        }
        if snapshot.pages >= MAX_PAGES || app.clock.monotonic().saturating_sub(began) > LONGEST {
            return Err(endless("directory_endless", "the directory did not come to an end"));
        }
        if !seen.insert(<[u8; 32]>::from(Sha256::digest(&page.cursor))) {
            return Err(endless(
                "directory_repeats",
                "the directory's pages go round in circles",
            ));
        }
        cursor = Some(page.cursor);
    }
}

/// The active members who sign in through a connection, with their identities there.
async fn members(app: &App, t: &TenantCtx, id: InstallationId) -> Result<Vec<(User, Vec<Key>)>, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let mut page = Page {
        limit: 200,
        ..Page::default()
    };
    let mut members = Vec::new();
    loop {
        let rows = read.users().list(&page).await?;
        let Some(last) = rows.last() else { return Ok(members) };
        page.after = Some(last.id.0);
        for user in rows.into_iter().filter(|u| u.status == UserStatus::Active) {
            let keys: Vec<Key> = read
                .users()
                .identities(user.id)
                .await?
                .into_iter()
                .filter(|i| i.installation_id == id)
                .map(|i| (i.issuer, i.subject))
                .collect();
            if !keys.is_empty() {
                members.push((user, keys));
            }
        }
    }
}

/// Takes their access, their sessions with it, and writes down that the directory was read: all of it or nothing.
async fn disable(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    gone: &[&User],
    mut synced: Synced,
) -> Result<Synced, Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let now = app.clock.now();
    let mut entries = Vec::new();
    for user in gone {
        let mut user = tx.users().get(user.id).await?.ok_or(StoreError::Conflict)?;
        // Made an owner or disabled since we looked.
        if user.role == Role::Owner || user.status != UserStatus::Active {
            continue;
        }
        synced.disabled += 1;
        let before = user.status;
        user.status = UserStatus::Disabled;
        user.updated_at = now;
        tx.users().update(&user).await?;
        tx.users().revoke_sessions_of(user.id, now).await?;
        let draft = audit::Draft::new("user.updated", "user", user.id).details(json!({
            "status": { "from": before, "to": user.status }, "reason": "not in the directory", "connection": id,
        }));
        entries.push(audit::for_tenant(app, &mut *tx, t, draft).await?);
    }
    let draft = audit::Draft::new("directory.synced", "installation", id).details(json!(synced));
    entries.push(audit::for_tenant(app, &mut *tx, t, draft).await?);
    let audit = Audit::many(entries).ok_or_else(|| Problem::internal("a directory without events"))?;
    tx.commit(audit).await?;
    Ok(synced)
}
