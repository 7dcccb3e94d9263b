//! Making an event: the JSON document that becomes the Merkle leaf, with personal fields as ciphertext.

use crate::{App, Ctx, Problem, TenantCtx};
use aistack_core::{ActorKind, AuditEntry, AuditEventId, Entropy, Outcome, SubjectId};
use aistack_store::{SubjectKey, TenantTx};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::{Value, json};

/// What a use case says about its change.
#[derive(Debug, Clone)]
pub struct Draft {
    action: &'static str,
    target: (&'static str, String),
    outcome: Outcome,
    details: Value,
}

impl Draft {
    /// An action that was done to a target; `target_id` is a prefixed id or natural key, never personal data.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers hand in ids and texts alike")]
    pub fn new(action: &'static str, target_kind: &'static str, target_id: impl ToString) -> Self {
        Self {
            action,
            target: (target_kind, target_id.to_string()),
            outcome: Outcome::Ok,
            details: json!({}),
        }
    }
    /// With another outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
    /// With details: before/after values and reasons. No secrets, no personal data.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// The event for a tenant's log. Personal fields (the actor's name, address and agent) are sealed under the actor's own
/// key, so that erasing the person leaves the log verifiable.
///
/// # Errors
/// When the subject key can't be stored or opened.
pub async fn for_tenant(app: &App, tx: &mut dyn TenantTx, t: &TenantCtx, draft: Draft) -> Result<AuditEntry, Problem> {
    let personal = personal_fields(&t.ctx);
    let sealed = match t.ctx.actor.id {
        Some(actor) if !personal.is_null() => {
            let subject = SubjectId(actor);
            let aad = [t.scope.id().0.as_bytes().as_slice(), actor.as_bytes()].concat();
            let fresh = app.rng.bytes::<32>();
            let offer = SubjectKey {
                subject,
                wrapped: app.sealer.seal("subject-key", &aad, &fresh),
                created_at: app.clock.now(),
            };
            let row = match tx.subject_keys().get(subject).await? {
                Some(row) => row,
                None => tx.subject_keys().get_or_insert(&offer).await?,
            };
            let key = app
                .sealer
                .open("subject-key", &aad, &row.wrapped)
                .map_err(|e| Problem::internal(e.to_string()))?;
            let key: [u8; 32] = key
                .expose_secret()
                .as_slice()
                .try_into()
                .map_err(|_| Problem::internal("subject key of wrong size"))?;
            let text = app
                .sealer
                .seal_with(&SecretBox::new(Box::new(key)), &aad, personal.to_string().as_bytes());
            json!({ "subject": subject, "text": hex::encode(text) })
        }
        // Nobody to erase: an address alone is sealed under the host's key for the tenant.
        _ if !personal.is_null() => {
            json!({ "text": hex::encode(app.sealer.seal("audit-anonymous", t.scope.id().0.as_bytes(), personal.to_string().as_bytes())) })
        }
        _ => Value::Null,
    };
    Ok(build(app, &t.ctx, draft, &sealed))
}

/// The event for the operator's log.
#[must_use]
pub fn for_platform(app: &App, ctx: &Ctx, draft: Draft) -> AuditEntry {
    let personal = personal_fields(ctx);
    let sealed = if personal.is_null() {
        Value::Null
    } else {
        json!({ "text": hex::encode(app.sealer.seal("audit-platform", b"", personal.to_string().as_bytes())) })
    };
    build(app, ctx, draft, &sealed)
}

fn personal_fields(ctx: &Ctx) -> Value {
    let label =
        (ctx.actor.kind != ActorKind::System && !ctx.actor.label.is_empty()).then_some(ctx.actor.label.as_str());
    if label.is_none() && ctx.origin.ip.is_none() && ctx.origin.user_agent.is_none() {
        return Value::Null;
    }
    json!({ "label": label, "ip": ctx.origin.ip, "user_agent": ctx.origin.user_agent })
}

fn build(app: &App, ctx: &Ctx, draft: Draft, sealed: &Value) -> AuditEntry {
    let id = AuditEventId::new(&*app.clock, &*app.rng);
    let at = app.clock.now();
    let body = json!({
        "v": 1,
        "id": id,
        "at": at,
        "action": draft.action,
        "actor": { "kind": ctx.actor.kind, "id": ctx.actor.id },
        "session": ctx.session,
        "target": { "kind": draft.target.0, "id": draft.target.1 },
        "outcome": draft.outcome,
        "request": ctx.request,
        "route": ctx.origin.route,
        "details": draft.details,
        "sealed": sealed,
    });
    AuditEntry {
        id,
        at,
        action: draft.action.to_owned(),
        actor_kind: ctx.actor.kind,
        actor_id: ctx.actor.id,
        target_kind: draft.target.0.to_owned(),
        target_id: draft.target.1,
        outcome: draft.outcome,
        request_id: ctx.request,
        body: body.to_string().into_bytes(),
    }
}
