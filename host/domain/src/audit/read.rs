//! Reading a log back: filters, search, and the personal fields opened for those who may see them.

use crate::{App, Problem};
use aistack_core::{
    ActorKind, AuditEventId, InstallationId, OperatorId, Outcome, RequestId, SubjectId, TenantScope, Timestamp, UserId,
};
use aistack_store::{AuditFilter, AuditRead, AuditRow, PlatformRead, TenantRead};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::Value;
use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};
use uuid::Uuid;

/// Rows looked at for one page of a search; the next page goes on from there.
const SCAN: usize = 2_000;

/// Which log.
#[derive(Debug, Clone)]
pub enum Log {
    /// The operators'.
    Platform,
    /// A tenant's.
    Tenant(TenantScope),
}

/// An event for people to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// As stored.
    pub row: AuditRow,
    /// The actor's id with its prefix.
    pub actor_id: Option<String>,
    /// The actor's name at that time; `None` when there is none, or it was erased.
    pub label: Option<String>,
    /// The address it came from.
    pub ip: Option<IpAddr>,
    /// The user agent.
    pub user_agent: Option<String>,
    /// Method and route.
    pub route: Option<String>,
    /// Details.
    pub details: Value,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Conditions the store checks; `limit` and `before_seq` say which page.
    pub filter: AuditFilter,
    /// Text in action, target, actor's name or details.
    pub text: Option<String>,
}

/// A page of events.
#[derive(Debug)]
pub struct Found {
    /// Newest first.
    pub events: Vec<Event>,
    /// Where the next page goes on; `None` at the end.
    pub next_before: Option<i64>,
}

enum Snapshot {
    Platform(Box<dyn PlatformRead>),
    Tenant(Box<dyn TenantRead>, TenantScope),
}

impl Snapshot {
    async fn open(app: &App, log: &Log) -> Result<Self, Problem> {
        Ok(match log {
            Log::Platform => Self::Platform(app.store.platform_read().await?),
            Log::Tenant(scope) => Self::Tenant(app.store.tenant_read(scope).await?, scope.clone()),
        })
    }
    fn audit(&mut self) -> &mut dyn AuditRead {
        match self {
            Self::Platform(p) => p.audit(),
            Self::Tenant(t, _) => t.audit(),
        }
    }
}

/// A page of a log.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, log: &Log, query: &Query) -> Result<Found, Problem> {
    let wanted = usize::try_from(query.filter.limit).unwrap_or(50);
    let needle = query.text.as_deref().map(str::to_lowercase);
    let mut filter = query.filter.clone();
    filter.limit = if needle.is_some() {
        200
    } else {
        query.filter.limit.saturating_add(1)
    };
    let mut snapshot = Snapshot::open(app, log).await?;
    let mut opener = Opener::default();
    let (mut events, mut scanned): (Vec<Event>, usize) = (Vec::new(), 0);
    loop {
        let rows = snapshot.audit().list(&filter).await?;
        let last_batch = i64::try_from(rows.len()).unwrap_or(0) < filter.limit;
        for row in rows {
            let seq = row.seq;
            scanned += 1;
            let event = opener.open(app, &mut snapshot, row).await?;
            if needle.as_deref().is_some_and(|n| !mentions(&event, n)) {
                filter.before_seq = Some(seq);
                continue;
            }
            if events.len() == wanted {
                // One more than wanted: there is a next page, and it begins with this one.
                return Ok(Found {
                    next_before: filter.before_seq,
                    events,
                });
            }
            filter.before_seq = Some(seq);
            events.push(event);
        }
        if last_batch {
            return Ok(Found {
                events,
                next_before: None,
            });
        }
        if scanned >= SCAN {
            return Ok(Found {
                events,
                next_before: filter.before_seq,
            });
        }
    }
}

/// One event.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, log: &Log, id: AuditEventId) -> Result<Event, Problem> {
    let mut snapshot = Snapshot::open(app, log).await?;
    let row = snapshot.audit().get(id).await?;
    let row = row.ok_or_else(|| Problem::not_found("audit event"))?;
    Opener::default().open(app, &mut snapshot, row).await
}

fn mentions(event: &Event, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    has(&event.row.action)
        || has(&event.row.target_kind)
        || has(&event.row.target_id)
        || event.label.as_deref().is_some_and(has)
        || event.row.request_id.is_some_and(|r| has(&r.to_string()))
        || has(&event.details.to_string())
}

/// Opens personal fields; remembers the keys it has unwrapped.
#[derive(Default)]
struct Opener(HashMap<SubjectId, Option<SecretBox<[u8; 32]>>>);

impl Opener {
    async fn open(&mut self, app: &App, snapshot: &mut Snapshot, row: AuditRow) -> Result<Event, Problem> {
        let body: Value = serde_json::from_slice(&row.body)
            .map_err(|e| Problem::internal(format!("audit event {} is no JSON: {e}", row.seq)))?;
        let personal = self
            .personal(app, snapshot, &body["sealed"])
            .await?
            .unwrap_or(Value::Null);
        let text = |v: &Value| v.as_str().map(str::to_owned);
        Ok(Event {
            actor_id: row.actor_id.and_then(|id| prefixed(row.actor_kind, id)),
            label: text(&personal["label"])
                .or_else(|| (row.actor_kind == ActorKind::System).then(|| "system".to_owned())),
            ip: personal["ip"].as_str().and_then(|ip| ip.parse().ok()),
            user_agent: text(&personal["user_agent"]),
            route: text(&body["route"]),
            details: body["details"].clone(),
            row,
        })
    }

    async fn personal(&mut self, app: &App, snapshot: &mut Snapshot, sealed: &Value) -> Result<Option<Value>, Problem> {
        let Some(text) = sealed["text"].as_str().and_then(|t| hex::decode(t).ok()) else {
            return Ok(None);
        };
        let opened = match (snapshot, sealed["subject"].as_str()) {
            (Snapshot::Platform(_), _) => app.sealer.open("audit-platform", b"", &text),
            (Snapshot::Tenant(_, scope), None) => app.sealer.open("audit-anonymous", scope.id().0.as_bytes(), &text),
            (Snapshot::Tenant(read, scope), Some(subject)) => {
                let Ok(subject) = subject.parse::<SubjectId>() else {
                    return Ok(None);
                };
                let aad = [scope.id().0.as_bytes().as_slice(), subject.0.as_bytes()].concat();
                if let Entry::Vacant(place) = self.0.entry(subject) {
                    let row = read.subject_keys().get(subject).await?;
                    let key = row.and_then(|row| app.sealer.open("subject-key", &aad, &row.wrapped).ok());
                    let key = key.and_then(|k| <[u8; 32]>::try_from(k.expose_secret().as_slice()).ok());
                    place.insert(key.map(|k| SecretBox::new(Box::new(k))));
                }
                match self.0.get(&subject) {
                    Some(Some(key)) => app.sealer.open_with(key, &aad, &text),
                    // The person was erased: that is how it is meant.
                    _ => return Ok(None),
                }
            }
        };
        Ok(opened
            .ok()
            .and_then(|plain| serde_json::from_slice(plain.expose_secret()).ok()))
    }
}

/// An actor's id as the API shows it.
fn prefixed(kind: ActorKind, id: Uuid) -> Option<String> {
    match kind {
        ActorKind::User => Some(UserId(id).to_string()),
        ActorKind::Operator => Some(OperatorId(id).to_string()),
        ActorKind::Plugin => Some(InstallationId(id).to_string()),
        ActorKind::System | ActorKind::Anonymous => None,
    }
}

impl Query {
    /// Reads the conditions as people write them: an actor by its prefixed id, a target by id or by kind.
    ///
    /// # Errors
    /// `validation_failed` for an actor that is no id.
    #[expect(clippy::too_many_arguments, reason = "one per documented query parameter")]
    pub fn new(
        action: Option<String>,
        actor: Option<&str>,
        target: Option<String>,
        outcome: Option<Outcome>,
        request_id: Option<RequestId>,
        times: (Option<Timestamp>, Option<Timestamp>),
        text: Option<String>,
        page: (Option<i64>, i64),
    ) -> Result<Self, Problem> {
        let actor_id = actor.map(actor_uuid).transpose()?;
        let (target_kind, target_id) = target.map_or((None, None), |t| target_of(&t));
        Ok(Self {
            filter: AuditFilter {
                action,
                actor_id,
                target_kind,
                target_id,
                outcome,
                request_id,
                from: times.0,
                to: times.1,
                before_seq: page.0,
                limit: page.1,
            },
            text,
        })
    }
}

/// `kind:id`, an id, or a kind. Ids are a prefix and 32 hexadecimal digits; kinds may have an underscore too.
fn target_of(text: &str) -> (Option<String>, Option<String>) {
    if let Some((kind, id)) = text.split_once(':') {
        return (Some(kind.to_owned()), Some(id.to_owned()));
    }
    let digits = text.rsplit_once('_').map_or("", |(_, digits)| digits);
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        (None, Some(text.to_owned()))
    } else {
        (Some(text.to_owned()), None)
    }
}

fn actor_uuid(text: &str) -> Result<Uuid, Problem> {
    let id = text.parse::<UserId>().map(|i| i.0);
    let id = id.or_else(|_| text.parse::<OperatorId>().map(|i| i.0));
    id.or_else(|_| text.parse::<InstallationId>().map(|i| i.0))
        .map_err(|_| {
            Problem::invalid(vec![crate::FieldError::new(
                "?actor",
                "format",
                "an actor is the id of a user, an operator or an installation",
            )])
        })
}

#[cfg(test)]
mod tests {
    use super::target_of;

    #[test]
    fn a_target_is_named_by_kind_by_id_or_by_both() {
        let some = |s: &str| Some(s.to_owned());
        // The prefixes have different lengths.
        for id in [
            "ten_01a209b465a875f79f857c55d9c330c0",
            "plugv_01a209b465a875f79f857c55d9c330c0",
        ] {
            assert_eq!(target_of(id), (None, some(id)));
            assert_eq!(target_of(&format!("tenant:{id}")), (some("tenant"), some(id)));
        }
        assert_eq!(target_of("setup_token"), (some("setup_token"), None));
        assert_eq!(target_of("quota:api.calls"), (some("quota"), some("api.calls")));
    }
}
