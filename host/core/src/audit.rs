//! What an audit event says. Storing it (as a Merkle leaf, in the change's own transaction) is the store's job;
//! sealing the personal fields is the domain's.

use crate::{AuditEventId, RequestId, Timestamp, text_enum};
use uuid::Uuid;

text_enum! {
    /// What kind of party acted.
    pub enum ActorKind {
        /// A tenant's member.
        User = "user",
        /// A person who runs the platform.
        Operator = "operator",
        /// A plugin, on the host's behalf.
        Plugin = "plugin",
        /// The platform itself (jobs, migrations, start-up).
        System = "system",
        /// Nobody who has been authenticated.
        Anonymous = "anonymous",
    }
}

text_enum! {
    /// How the action ended.
    pub enum Outcome {
        /// It was done.
        Ok = "ok",
        /// It was refused by a rule.
        Denied = "denied",
        /// It was tried and failed.
        Failed = "failed",
    }
}

text_enum! {
    /// Which log an event belongs to.
    pub enum AuditLog {
        /// The tenant's own log.
        Tenant = "tenant",
        /// The operator's log.
        Platform = "platform",
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The kind of party.
    pub kind: ActorKind,
    /// Its id (user, operator or installation); `None` for system and anonymous.
    pub id: Option<Uuid>,
    /// A name for people to read; personal, therefore sealed in the stored event.
    pub label: String,
}

impl Actor {
    /// The platform itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            label: "system".to_owned(),
        }
    }
    /// An unauthenticated caller.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            kind: ActorKind::Anonymous,
            id: None,
            label: String::new(),
        }
    }
}

/// One event, ready to be stored: its exact bytes and the columns it is searched by.
///
/// `body` is the JSON document that becomes the Merkle leaf. It holds everything the columns say, so that a changed
/// column is found out by comparing it with the leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The event's id.
    pub id: AuditEventId,
    /// When it happened.
    pub at: Timestamp,
    /// `noun.verb` in the past tense of the field, e.g. `order.paid`.
    pub action: String,
    /// Kind of the acting party.
    pub actor_kind: ActorKind,
    /// Id of the acting party.
    pub actor_id: Option<Uuid>,
    /// Kind of the thing acted on, e.g. `order`.
    pub target_kind: String,
    /// Its prefixed id or natural key.
    pub target_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The request that caused it.
    pub request_id: Option<RequestId>,
    /// The exact leaf bytes.
    pub body: Vec<u8>,
}
